"""N-grams of an index found in texts, against a search through lists of words."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_texts import BYTES, TEXTS, raw_array

from curate.kernels import ngram_index
from curate.kernels.match_words import word_places
from curate.kernels.ngram_index import MAX_WIDTH, build, find, windows

FEW_WORDS = st.lists(st.sampled_from(["a", "b", "c", "日", "d,"]), max_size=40).map(" ".join)


def index_of(texts, width):
    """An index of all n-grams of some texts, and what they are: tuples of hashes of words."""
    column = pa.array(texts, pa.large_string())
    words = word_places(column)
    spans = len(texts)
    widths = np.full(spans, width) if isinstance(width, int) else np.array(width)
    key, begin, span, _ = windows(words, words.offsets[:-1], words.offsets[1:], widths)
    keys, chosen = np.unique(key, return_index=True)
    index = build(column, words, keys, begin[chosen], widths[span[chosen]])
    spelt = [tuple(words.hash[b : b + w]) for b, w in zip(begin[chosen], widths[span[chosen]], strict=True)]
    return index, spelt


def expected(texts, spelt):
    """(n-gram, first word, last word) of every occurrence, text by text, ordered by where it ends and by width."""
    words = word_places(pa.array(texts, pa.string()))
    out = []
    for row in range(len(texts)):
        own = words.hash[words.offsets[row] : words.offsets[row + 1]].tolist()
        out.append(
            [
                (spelt.index(tuple(own[end - width : end])), end - width, end)
                for end in range(1, len(own) + 1)
                for width in sorted({len(one) for one in spelt})
                if end >= width and tuple(own[end - width : end]) in spelt
            ]
        )
    return out


def places(texts, found):
    """The same of what was found."""
    words = word_places(pa.array(texts, pa.string()))
    begins = np.cumsum([0, *(len((text or "").encode()) for text in texts)])
    out = []
    for row in range(len(texts)):
        own = slice(words.offsets[row], words.offsets[row + 1])
        starts, stops = (words.place[own] - begins[row]).tolist(), (words.stop[own] - begins[row]).tolist()
        mine = slice(found.offsets[row], found.offsets[row + 1])
        hits = zip(found.ngram[mine].tolist(), found.start[mine].tolist(), found.end[mine].tolist(), strict=True)
        out.append([(ngram, starts.index(start), stops.index(end) + 1) for ngram, start, end in hits])
    return out


@settings(max_examples=60)
@given(st.lists(FEW_WORDS | TEXTS, min_size=1, max_size=4), st.lists(FEW_WORDS | TEXTS, max_size=4), st.data())
def test_every_occurrence_is_found_and_nothing_else(indexed, texts, data):
    widths = data.draw(st.lists(st.integers(1, 9), min_size=len(indexed), max_size=len(indexed)))
    index, spelt = index_of(indexed, widths)
    texts = [*texts, *indexed]
    assert places(texts, find(pa.array(texts, pa.string()), index)) == expected(texts, spelt)


@pytest.mark.parametrize("size", [250, 256, 257, 600])
def test_long_texts_are_read_in_blocks_and_an_ngram_may_lie_over_two(size):
    words = [f"w{n}" for n in range(size)]
    index, spelt = index_of([" ".join(words)], 13)
    found = find(pa.array([" ".join(words)]), index)
    assert len(found.ngram) == len(spelt) == size - 12
    assert np.diff(found.start).min() > 0


def test_the_longest_ngram_reaches_back_over_a_block():
    words = [f"w{n}" for n in range(ngram_index.BLOCK + 40)]
    index, _ = index_of([" ".join(words)], MAX_WIDTH)
    assert len(find(pa.array(["x " + " ".join(words)]), index).ngram) == len(words) - MAX_WIDTH + 1


def test_one_more_occurrence_than_there_was_room_for():
    index, _ = index_of(["to be or"], 3)
    found = find(pa.array(["to be or " * 1025, None, "", "to be or"]), index)
    assert np.diff(found.offsets).tolist() == [1025, 0, 0, 1]


def test_equal_hashes_are_told_apart_by_the_words():
    """With the words of another text behind it, each n-gram's hash leads to a text that is not the same."""
    index, _ = index_of(["one two three four"], 3)
    swapped = index._replace(place=index.place[::-1].copy())
    assert len(find(pa.array(["one two three four"]), index).ngram) == 2
    assert len(find(pa.array(["one two three four"]), swapped).ngram) == 0


def test_different_words_are_counted_without_numbers():
    words = word_places(pa.array(["1 2 3 a a b", "x y z x y z"]))
    _, begin, span, different = windows(words, words.offsets[:-1], words.offsets[1:], np.array([6, 5]))
    assert begin.tolist() == [0, 6, 7]
    assert span.tolist() == [0, 1, 1]
    assert different.tolist() == [2, 3, 3]


@pytest.mark.parametrize("texts", [[], [None], [""], ["one two three"]])
def test_an_empty_index_finds_nothing(texts):
    index, _ = index_of([""], 3)
    assert len(find(pa.array(texts, pa.string()), index).ngram) == 0


@given(st.lists(BYTES, max_size=4))
def test_bytes_that_are_no_utf8_are_met_without_harm(values):
    index, _ = index_of(["a b", "b a"], 2)
    found = find(raw_array(values), index)
    assert found.offsets[-1] == len(found.ngram)


def test_an_ngram_takes_as_many_bytes_as_is_said():
    index, _ = index_of([" ".join(f"w{n}" for n in range(20_000))], 13)
    assert (index.nbytes - index.data.nbytes) / len(index.key) <= 41
