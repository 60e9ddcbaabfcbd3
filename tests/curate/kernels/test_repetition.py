"""Repetition measures agree with slow, obvious definitions, stay in [0, 1] and take hostile texts of megabytes."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.kernels.repetition import DUP_NGRAMS, SIGNALS, TOP_NGRAMS, repetition

FEW_WORDS = st.lists(st.sampled_from(["a", "bb", "ccc", "a\n", "\n\n", "é"]), max_size=80).map(" ".join)


def measure(*texts):
    return repetition(pa.array(texts, pa.string())).to_pylist()


def share(part, whole):
    return part / whole if whole else 0.0


def duplicate_fracs(segments):
    copies = [segment for i, segment in enumerate(segments) if segment in segments[:i]]
    return share(len(copies), len(segments)), share(sum(map(len, copies)), sum(map(len, segments)))


def covered_chars(words, n, starts):
    return sum(len(words[i]) for i in sorted({i for start in starts for i in range(start, start + n)}))


def ngrams_of(words, n):
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def top_ngram_frac(words, n):
    ngrams = ngrams_of(words, n)
    top, count = (Counter(ngrams).most_common(1) or [((), 0)])[0]
    starts = [i for i, ngram in enumerate(ngrams) if ngram == top] if count > 1 else []
    return share(covered_chars(words, n, starts), sum(map(len, words)))


def dup_ngram_frac(words, n):
    seen, starts = set(), []
    for i, ngram in enumerate(ngrams_of(words, n)):
        starts += [i] if ngram in seen else []
        seen.add(ngram)
    return share(covered_chars(words, n, starts), sum(map(len, words)))


def oracle(text):
    raw = [line.strip() for line in text.split("\n")]
    blocks = "\n".join(line or "\0\0" for line in raw).split("\0\0")
    paragraphs = [block.strip("\n") for block in blocks if block.strip("\n")]
    words = text.split()
    expected = {}
    expected["dup_line_frac"], expected["dup_line_char_frac"] = duplicate_fracs([line for line in raw if line])
    expected["dup_paragraph_frac"], expected["dup_paragraph_char_frac"] = duplicate_fracs(paragraphs)
    expected |= {f"top_{n}gram_char_frac": top_ngram_frac(words, n) for n in TOP_NGRAMS}
    expected |= {f"dup_{n}gram_char_frac": dup_ngram_frac(words, n) for n in DUP_NGRAMS}
    return expected


@settings(deadline=None)
@given(st.lists(FEW_WORDS, min_size=1, max_size=5))
def test_every_share_is_that_of_the_obvious_definition(texts):
    assert measure(*texts) == [pytest.approx(oracle(text)) for text in texts]


@settings(deadline=None)
@given(st.text())
def test_any_text_is_measured_and_every_share_is_in_0_1(text):
    (signals,) = measure(text)
    assert all(0 <= value <= 1 for value in signals.values())


@settings(deadline=None)
@given(st.lists(st.none() | FEW_WORDS, max_size=6))
def test_a_document_is_measured_the_same_beside_any_others(texts):
    assert measure(*texts) == [measure(text)[0] for text in texts]


def test_real_texts_agree_with_the_oracle(shared_data):
    texts = pq.read_table(shared_data / "text" / "news_en.parquet", columns=["text"])["text"].slice(0, 150).to_pylist()
    manuals = pq.read_table(shared_data / "text" / "manuals_en.parquet", columns=["text"])["text"].slice(0, 20)
    texts += [text[:5000] for text in manuals.to_pylist()]
    assert measure(*texts) == [pytest.approx(oracle(text)) for text in texts]


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


@pytest.mark.parametrize("n", [3, 6])
def test_work_at_each_level_is_bounded_by_the_words_of_the_text(monkeypatch, n):
    """Keys that are made dense, over all levels: at most one for each word and level, on the worst text there is."""
    import curate.kernels.repetition as kernel

    handled, dense = [], kernel._dense
    monkeypatch.setattr(kernel, "_dense", lambda keys: handled.append(len(keys)) or dense(keys))
    num_words = 10**n // 10
    measure("a " * num_words)
    assert sum(handled) <= num_words * max(DUP_NGRAMS) + 2
    assert np.max(handled) <= num_words
