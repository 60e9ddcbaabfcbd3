"""Profiles of texts agree with plain Python over `str`, written down as the sources describe them."""

from __future__ import annotations

import math
import string
from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_texts import BYTES, TEXTS, as_text, raw_array

from curate.kernels.special_chars import special_points
from curate.kernels.text_profile import SIGNALS, text_profile

SPECIAL = set(map(chr, special_points()))
STOP_WORDS = ("the", "of", "Be", "字字", "straße")
FLAGGED = ("don't", "x")
CHAR_NGRAM, WORD_NGRAM = 3, 2


def measure(*texts, char_ngram=CHAR_NGRAM, word_ngram=WORD_NGRAM, stop_words=STOP_WORDS, flagged_words=FLAGGED):
    array = texts[0] if isinstance(texts[0], pa.Array) else pa.array(texts, pa.string())
    return text_profile(
        array, char_ngram=char_ngram, word_ngram=word_ngram, stop_words=stop_words, flagged_words=flagged_words
    ).to_pylist()


def is_special(character):
    return character in SPECIAL or "\ud800" <= character <= "\udfff"  # bytes that are no UTF-8 are U+FFFD


def lower(word):
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in word)


def bare(word):
    while word and is_special(word[0]):
        word = word[1:]
    while word and is_special(word[-1]):
        word = word[:-1]
    return word


def ngrams(items, n):
    return Counter(tuple(items[i : i + n]) for i in range(len(items) - n + 1))


def char_repetition(text, n):
    counts = sorted(ngrams(text, n).values(), reverse=True)
    top = min(math.isqrt(len(counts)), sum(count > 1 for count in counts))
    return sum(counts[:top]) / max(sum(counts), 1)


def word_repetition(words, n):
    counts = ngrams(words, n).values()
    return sum(count for count in counts if count > 1) / max(sum(counts), 1)


def oracle(text, char_ngram=CHAR_NGRAM, word_ngram=WORD_NGRAM):
    raw = text.replace("\n", " ").replace("\t", " ").split(" ")
    words = [word for word in (bare(lower(word)) for word in raw) if word]
    lines = text.splitlines()
    return {
        "char_count": len(text),
        "mean_line_chars": len(text) / max(len(lines), 1),
        "max_line_chars": max(map(len, lines), default=0),
        "alphanumeric_frac": sum(c.isalnum() for c in text) / max(len(text), 1),
        "special_char_frac": sum(map(is_special, text)) / max(len(text), 1),
        "word_count": sum(bare(word) != "" for word in raw),
        "stop_word_frac": sum(word in [lower(w) for w in STOP_WORDS] for word in words) / max(len(words), 1),
        "flagged_word_frac": sum(word in FLAGGED for word in words) / max(len(words), 1),
        "word_repetition_frac": word_repetition(words, word_ngram),
        "char_repetition_frac": char_repetition(
            "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text), char_ngram
        ),
    }


@given(texts=st.lists(TEXTS, min_size=1, max_size=4))
def test_profiles_are_those_of_the_obvious_definition(texts):
    assert measure(*texts) == [pytest.approx(oracle(text)) for text in texts]


@given(text=st.text("ab 🙂", max_size=200), char_ngram=st.integers(1, 12), word_ngram=st.integers(1, 12))
def test_texts_that_repeat_themselves_agree_for_any_length_of_strings(text, char_ngram, word_ngram):
    expected = pytest.approx(oracle(text, char_ngram, word_ngram))
    assert measure(text, char_ngram=char_ngram, word_ngram=word_ngram) == [expected]


@given(values=st.lists(BYTES, min_size=1, max_size=4))
def test_bytes_that_are_no_utf8_are_a_special_character_each(values):
    assert measure(raw_array(values)) == [pytest.approx(oracle(as_text(value))) for value in values]


@pytest.mark.parametrize(("char_ngram", "word_ngram"), [(10, 5), (10, 10)])
def test_real_texts_agree_with_the_oracle(real_texts, char_ngram, word_ngram):
    expected = [pytest.approx(oracle(text, char_ngram, word_ngram)) for text in real_texts]
    assert measure(*real_texts, char_ngram=char_ngram, word_ngram=word_ngram) == expected


def test_null_is_null_and_nothing_is_zero():
    null, empty = measure(None, "")
    assert set(null.values()) == {None}
    assert set(empty.values()) == {0}


def test_without_a_list_its_share_is_not_measured():
    profile = measure("the x", stop_words=(), flagged_words=())[0]
    assert (profile["stop_word_frac"], profile["flagged_word_frac"]) == (None, None)


def test_no_rows_keep_the_type():
    assert text_profile(pa.array([], pa.string()), char_ngram=10, word_ngram=5).type == SIGNALS


def test_a_slice_of_a_column_is_measured_as_it_is():
    texts = pa.array(["# a", None, "the b", "to # of"])
    assert measure(texts.slice(2)) == measure("the b", "to # of")


def test_capitals_that_are_special_are_no_words_but_their_lower_case_is():
    profile = measure("Г", stop_words=("г",))[0]
    assert (profile["word_count"], profile["stop_word_frac"]) == (0, 1)


def test_special_characters_are_punctuation_digits_white_space_and_emoji_but_no_latin_letter():
    assert {*string.punctuation, *string.digits, *string.whitespace, *"🙂☺•«»…。\ufffd"} <= SPECIAL
    assert not SPECIAL & {*string.ascii_letters, *"äéñ"}


@pytest.mark.parametrize(
    "text",
    ["a" * 3_000_000, "ab" * 1_000_000, "a\n" * 700_000, "!" * 1_000_000 + "the", "\x00é" * 500_000, "Ⱥ" * 400_000],
)
def test_megabytes_of_hostile_text_are_measured(text):
    profile = measure(text, char_ngram=10, word_ngram=10)[0]
    assert profile["char_count"] == len(text)
    assert profile["char_repetition_frac"] > 0.1
