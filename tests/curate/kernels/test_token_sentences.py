"""Sentences over tokens are those of spaCy's sentencizer over its blank tokenizer, line by line."""

from __future__ import annotations

import pyarrow as pa
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.end_marks import SENTENCE_TERMINALS
from curate.kernels.token_sentences import _NO_MARKS, token_sentence_counts
from curate.words.source import word_source

PIECES = st.sampled_from(
    ["λόγος", "word", ".", "!", "?", ";", '"', "«", "»", "...", "…", " ", "  ", "\n", "1.5", "。", "("]
)
TEXTS = st.lists(PIECES, max_size=30).map("".join)


def counted(text, language):
    batch = pa.record_batch({"text": pa.array([text]), "language": pa.array([language])})
    return token_sentence_counts(batch.column("text"), word_source("spacy", batch))[0]


@pytest.fixture(scope="module")
def pipelines():
    found = {}
    for language in ("el", "pl", "ru"):
        found[language] = spacy.blank(language)
        found[language].add_pipe("sentencizer")
    return found


def oracle(nlp, text):
    sentences = [sentence.text.strip() for line in text.split("\n") for sentence in nlp(line.strip()).sents]
    return len([sentence for sentence in sentences if sentence])


@given(text=TEXTS, language=st.sampled_from(["el", "pl", "ru"]))
def test_sentences_are_those_of_spacy(pipelines, text, language):
    assert counted(text, language) == oracle(pipelines[language], text)


def test_real_texts_agree(pipelines, real_texts):
    for text in real_texts[-13:]:
        assert counted(text, "ru") == oracle(pipelines["ru"], text)


def test_the_marks_are_those_of_spacy():
    from spacy.pipeline import Sentencizer

    assert set(SENTENCE_TERMINALS) - set(_NO_MARKS) == set(Sentencizer.default_punct_chars)


def test_null_and_nothing_have_none():
    batch = pa.record_batch({"text": pa.array([None, "", " \n"], pa.string()), "language": pa.array(["el"] * 3)})
    assert token_sentence_counts(batch.column("text"), word_source("spacy", batch)).tolist() == [0, 0, 0]
