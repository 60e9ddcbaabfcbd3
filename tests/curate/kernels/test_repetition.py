"""Repetition measures agree with slow, obvious definitions, stay in [0, 1] and take hostile texts of megabytes."""

from __future__ import annotations

import itertools
import re
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_texts import BYTES, TEXTS, as_text, raw_array

from curate.kernels.repetition import DUP_NGRAMS, SIGNALS, TOP_NGRAMS, repetition
from curate.kernels.words import given as given_words
from curate.kernels.words import unicode

FEW_WORDS = st.lists(st.sampled_from(["a", "bb", "ccc", "a\n", "\n\n", "é"]), max_size=80).map(" ".join)


def measure(*texts, counting="paper"):
    array = texts[0] if texts and isinstance(texts[0], pa.Array) else pa.array(texts, pa.string())
    return repetition(array, counting).to_pylist()


def share(part, whole):
    return part / whole if whole else 0.0


def copies_of(segments, *, with_first=False):
    """Segments that occurred before, or that occur again at all."""
    if with_first:
        return [segment for segment in segments if segments.count(segment) > 1]
    return [segment for i, segment in enumerate(segments) if segment in segments[:i]]


def chars_of(segments):
    return sum(map(len, segments))


def covered_chars(words, n, starts):
    return sum(len(words[i]) for i in sorted({i for start in starts for i in range(start, start + n)}))


def ngrams_of(words, n):
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def top_of(words, n):
    return (Counter(ngrams_of(words, n)).most_common(1) or [((), 0)])[0]


class Paragraph(str):
    """Its characters are those of its stripped lines."""

    def __len__(self):
        return sum(len(line.strip()) for line in self.split("\n"))


def lines_of(text):
    return [line.strip() for line in text.split("\n") if line.strip()]


def paper(text):
    words = text.split()
    runs = itertools.groupby(text.split("\n"), key=lambda line: bool(line.strip()))
    units = {"line": lines_of(text), "paragraph": [Paragraph("\n".join(run).strip()) for filled, run in runs if filled]}
    shares = {}
    for name, segments in units.items():
        shares[f"dup_{name}_frac"] = share(len(copies_of(segments)), len(segments))
        shares[f"dup_{name}_char_frac"] = share(chars_of(copies_of(segments)), chars_of(segments))
    for n in TOP_NGRAMS:
        top, count = top_of(words, n)
        starts = [i for i, ngram in enumerate(ngrams_of(words, n)) if ngram == top] if count > 1 else []
        shares[f"top_{n}gram_char_frac"] = share(covered_chars(words, n, starts), chars_of(words))
    for n in DUP_NGRAMS:
        ngrams = ngrams_of(words, n)
        starts = [i for i, ngram in enumerate(ngrams) if ngram in ngrams[:i]]
        shares[f"dup_{n}gram_char_frac"] = share(covered_chars(words, n, starts), chars_of(words))
    return shares


def datatrove(text):
    words, shares = text.split(), {}
    for name, segments in {"line": re.split("\n+", text), "paragraph": re.split("\n{2,}", text.strip())}.items():
        shares[f"dup_{name}_frac"] = share(len(copies_of(segments)), len(segments))
        shares[f"dup_{name}_char_frac"] = share(chars_of(copies_of(segments)), len(text))
    for n in TOP_NGRAMS:
        top, count = top_of(words, n)
        shares[f"top_{n}gram_char_frac"] = share(len(" ".join(top)) * count, len(text))
    for n in DUP_NGRAMS:
        seen, repeated, i = set(), 0, 0
        while i <= len(words) - n:
            ngram = tuple(words[i : i + n])
            repeated += chars_of(ngram) if ngram in seen else 0
            i += n if ngram in seen else 1
            seen.add(ngram)
        shares[f"dup_{n}gram_char_frac"] = share(repeated, len(text))
    return shares


def dolma(text):
    words, lines = text.split(), text.split("\n")
    copies = copies_of(lines, with_first=True)
    shares = {"dup_line_frac": share(len(copies), len(lines)), "dup_paragraph_frac": None}
    shares |= {"dup_line_char_frac": chars_of(copies) / max(chars_of(words), 1), "dup_paragraph_char_frac": None}
    for n in TOP_NGRAMS:
        top, count = top_of(words, n)
        shares[f"top_{n}gram_char_frac"] = share(chars_of(top) * count, chars_of(words))
    for n in DUP_NGRAMS:
        ngrams = ngrams_of(words, n)
        repeated = sum(map(chars_of, copies_of(ngrams, with_first=True)))
        shares[f"dup_{n}gram_char_frac"] = share(repeated, sum(map(chars_of, ngrams)))
    return shares


def dclm(text):
    words, shares = text.split(), {}
    units = {"line": lines_of(text), "paragraph": [part.strip() for part in text.split("\n\n") if part.strip()]}
    for name, segments in units.items():
        copies = copies_of(segments, with_first=True)
        shares[f"dup_{name}_frac"] = share(len(copies), len(segments))
        shares[f"dup_{name}_char_frac"] = share(chars_of(copies), chars_of(segments))
    for n in TOP_NGRAMS:
        counts = Counter(ngrams_of(words, n))
        most = max(counts.values(), default=0)
        longest = max((chars_of(ngram) for ngram, count in counts.items() if count == most), default=0)
        shares[f"top_{n}gram_char_frac"] = share(longest * most, chars_of(words)) if most > 1 else 0
    for n in DUP_NGRAMS:
        ngrams = ngrams_of(words, n)
        starts = [i for i, ngram in enumerate(ngrams) if ngrams.count(ngram) > 1]
        shares[f"dup_{n}gram_char_frac"] = share(covered_chars(words, n, starts), chars_of(words))
    return shares


ORACLES = {"paper": paper, "datatrove": datatrove, "dolma": dolma, "dclm": dclm}


@pytest.mark.parametrize("counting", ORACLES)
@given(texts=st.lists(FEW_WORDS | TEXTS, min_size=1, max_size=3))
def test_every_share_is_that_of_the_obvious_definition(counting, texts):
    assert measure(*texts, counting=counting) == [pytest.approx(ORACLES[counting](text)) for text in texts]


@pytest.mark.parametrize("counting", ORACLES)
@given(values=st.lists(BYTES, min_size=1, max_size=3))
def test_bytes_that_are_no_utf8_are_a_character_each(counting, values):
    if counting == "datatrove":  # counts the characters of a text without decoding it
        values = [as_text(value).encode("utf-8", "replace") for value in values]
    expected = [pytest.approx(ORACLES[counting](as_text(value))) for value in values]
    assert measure(raw_array(values), counting=counting) == expected


@pytest.mark.parametrize("counting", ORACLES)
def test_real_texts_agree_with_the_oracle(real_texts, counting):
    texts = [text[:4000] for text in real_texts]
    assert measure(*texts, counting=counting) == [pytest.approx(ORACLES[counting](text)) for text in texts]


@given(st.text())
def test_any_text_is_measured_and_every_share_is_in_0_1(text):
    (signals,) = measure(text)
    assert all(0 <= value <= 1 for value in signals.values())


@given(st.lists(st.none() | FEW_WORDS, max_size=6))
def test_a_document_is_measured_the_same_beside_any_others(texts):
    assert measure(*texts) == [measure(text)[0] for text in texts]


def test_null_is_null_and_nothing_is_zero():
    null, empty, blank = measure(None, "", " \n\n\t")
    assert set(null.values()) == {None}
    assert set(empty.values()) == set(blank.values()) == {0.0}


def test_no_rows_keep_the_type():
    assert repetition(pa.array([], pa.string())).type == SIGNALS


def test_the_first_copy_of_a_line_is_no_duplicate():
    (signals,) = measure("one\ntwo\none\nthree!")
    assert signals["dup_line_frac"] == 1 / 4
    assert signals["dup_line_char_frac"] == 3 / 15


def test_lines_are_equal_when_they_differ_in_outer_white_space_only():
    (signals,) = measure("  one\r\none \nOne")
    assert signals["dup_line_frac"] == 1 / 3


def test_overlapping_duplicates_count_a_character_once():
    (signals,) = measure(" ".join(["la"] * 100))
    assert signals["top_2gram_char_frac"] == 1
    assert signals["dup_5gram_char_frac"] == 0.99  # all but the first word


def test_a_text_that_says_all_things_once_repeats_nothing():
    (signals,) = measure("hello brave new world")
    assert signals["top_2gram_char_frac"] == 0


def test_an_ngram_does_not_cross_into_the_next_document():
    assert measure("a b", "a b") == measure("a b") * 2


BIG = 2_000_000


def fibonacci_word(length):
    a, b = "a ", "b "
    while len(b) < length:
        a, b = b, b + a
    return b[:length]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a " * (BIG // 2), 1.0, id="one word again and again"),
        pytest.param("x" * BIG, 0.0, id="one long line"),
        pytest.param("\n" * BIG, 0.0, id="blank lines"),
        pytest.param("a\n" * (BIG // 2), 1.0, id="one line again and again"),
        pytest.param(fibonacci_word(BIG), 1.0, id="repeats at every distance"),
        pytest.param(" ".join(map(str, range(BIG // 7))), 0.0, id="no word twice"),
    ],
)
def test_megabytes_of_hostile_text_are_measured(text, expected):
    (signals,) = measure(text)
    assert signals["dup_10gram_char_frac"] == pytest.approx(expected, abs=1e-4)


def test_given_words_take_the_place_of_those_between_spaces():
    text = "猫狗猫狗猫狗"
    places = np.arange(0, 18, 3, dtype=np.int32)
    words = given_words(np.array([0, 6]), places, places + np.int32(3))
    (signals,) = repetition(pa.array([text]), words=words).to_pylist()
    assert signals["top_2gram_char_frac"] == 1
    assert measure(text)[0]["top_2gram_char_frac"] == 0
    assert repetition(pa.array([text]), words=unicode()).to_pylist() == [signals]
