"""Windows over word numbers: n-grams with sentence begins in front, each in one part, chunk after chunk."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.ngram_counts import Window, adjusted, counted
from curate.kernels.ngram_keys import masks, word_at

SENTENCES = st.lists(st.lists(st.integers(3, 6), min_size=1, max_size=5), min_size=1, max_size=6)
BITS = 3


def ids_of(sentences):
    return np.array([word for words in sentences for word in (*words, 2)], np.uint32)


def words_of(high, low, order):
    return tuple(word_at(high, low, place, np.uint64(BITS)) for place in range(order - 1, -1, -1))


def ngrams_of(sentences, order):
    for words in sentences:
        padded = [1] * (order - 1) + [*words, 2]
        for end in range(order, len(padded) + 1):
            yield tuple(padded[end - order : end])


@given(SENTENCES, st.integers(2, 6), st.integers(1, 7), st.sampled_from([0, 9, 20, 64]))
def test_each_ngram_lies_in_the_part_of_its_last_two_words(sentences, order, chunk, bound):
    ids = ids_of(sentences)
    found = []
    for first, end in [(0, bound), (bound, 64)]:
        window, at = Window(order, BITS), 0
        high, low = np.empty(len(ids), np.uint64), np.empty(len(ids), np.uint64)
        for i in range(0, len(ids), chunk):
            at = window.fill(ids[i : i + chunk], first, end, high, low, at)
        part = [words_of(*pair, order) for pair in zip(high[:at], low[:at], strict=True)]
        assert all(first <= gram[-1] * 8 + gram[-2] < end for gram in part)
        found += part
    assert sorted(found) == sorted(ngrams_of(sentences, order))
    sizes = Window(order, BITS).part_sizes(ids, np.array([bound], np.uint64))
    assert sizes.tolist() == [len(found) - len(part), len(part)]


@given(SENTENCES, st.integers(1, 4))
def test_pairs_are_those_of_each_step(sentences, step):
    ids = ids_of(sentences)
    pairs = Window(3, BITS).pairs(ids, step)
    grams = list(ngrams_of(sentences, 2))[::step]
    assert pairs.tolist() == [last * 8 + first for first, last in grams]


def test_what_begins_a_sentence_keeps_its_count_and_the_rest_counts_words_before():
    order, window = 3, Window(3, BITS)
    ids = ids_of([[3, 4], [3, 4], [5, 3, 4]])
    high, low = np.empty(len(ids), np.uint64), np.empty(len(ids), np.uint64)
    window.fill(ids, 0, 64, high, low, 0)
    words = np.zeros(8, np.int64)
    got = dict(adjusted(*counted(high, low, order, BITS), order, BITS, masks(order, BITS), [0, 0, 1], words))
    listed = {
        n: {words_of(high, low, n): (int(count), bool(kept)) for high, low, count, kept in zip(*grams, strict=True)}
        for n, grams in got.items()
    }
    assert listed[2] == {(1, 3): (2, True), (1, 5): (1, True), (5, 3): (1, True), (3, 4): (2, True), (4, 2): (1, True)}
    assert listed[3] == {
        (1, 3, 4): (2, True),
        (1, 5, 3): (1, False),
        (5, 3, 4): (1, False),
        (3, 4, 2): (3, True),
    }
    assert words.tolist() == [0, 0, 1, 2, 1, 1, 0, 0]


@pytest.mark.parametrize("order", [2, 5, 6])
def test_no_ids_no_ngrams(order):
    none = np.zeros(0, np.uint32)
    empty = np.zeros(0, np.uint64)
    assert Window(order, BITS).pairs(none, 1).size == 0
    assert Window(order, BITS).fill(none, 0, 64, empty, empty, 0) == 0
