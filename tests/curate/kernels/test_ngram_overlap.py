"""Similarity to a reference is the paper's formula over sets of n-grams."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_texts import BYTES, raw_array

from curate.kernels.ngram_overlap import SIGNALS, ngram_overlap, reference_ngrams

REFERENCE = ["The trophy does not fit in the suitcase.", "It is too big: the trophy!"]
TEXTS = st.lists(st.sampled_from("the The trophy fit in suitcase it is too big cat 12 été".split()), max_size=30).map(
    " ".join
)


def ngrams(texts, n):
    found = set()
    for text in texts:
        words = re.findall(r"\w+", text.lower())
        found |= {tuple(words[i : i + n]) for i in range(len(words) - n + 1)}
    return found


def oracle(text):
    shares = []
    for n in range(1, 5):
        ours, theirs = ngrams([text], n), ngrams(REFERENCE, n)
        both = len(ours & theirs)
        precision, recall = both / max(len(ours), 1), both / len(theirs)
        shares.append(2 * precision * recall / (precision + recall) if both else 0.0)
    values = {f"f1_{n}gram": share for n, share in enumerate(shares, start=1)}
    return values | {"similarity": sum(n * share for n, share in enumerate(shares, start=1)) / 10}


def measure(*texts):
    return ngram_overlap(pa.array(texts, pa.string()), reference_ngrams(REFERENCE)).to_pylist()


@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_similarity_is_the_formula(texts):
    assert measure(*texts) == [pytest.approx(oracle(text)) for text in texts]


def test_the_reference_resembles_itself_and_nothing_resembles_nothing():
    assert measure(" ".join(REFERENCE))[0]["similarity"] > 0.9
    assert measure("", "漢字", None)[0]["similarity"] == 0
    assert set(measure("", "漢字", None)[2].values()) == {None}


@given(st.lists(BYTES, min_size=1, max_size=3))
def test_any_bytes_are_measured(values):
    for signals in ngram_overlap(raw_array(values), reference_ngrams(REFERENCE)).to_pylist():
        assert all(0 <= value <= 1 for value in signals.values())


def test_no_rows_keep_the_type():
    assert ngram_overlap(pa.array([], pa.string()), reference_ngrams(REFERENCE)).type == SIGNALS


@pytest.mark.parametrize("text", ["a " * 1_000_000, "x" * 2_000_000, " ".join(map(str, range(300_000)))])
def test_megabytes_are_measured(text):
    assert measure(text)[0]["similarity"] < 0.1
