"""Keys of n-grams hold their words, and sort by the last word first."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.ngram_keys import masks, merge_equal, shifted_left, sort_keys, with_word, word_at

SHAPES = [(6, 21), (5, 25), (4, 31), (2, 31), (3, 1), (5, 13), (6, 11), (2, 2)]  # order, bits of a word


def key(words, bits):
    high = low = np.uint64(0)
    for word in words:
        # Compiled code gives Python's int back, whose type it would not know for a key's the next time.
        high, low = map(np.uint64, with_word(high, low, word, np.uint64(bits)))
    return high, low


def whole(high, low):
    return int(high) << 64 | int(low)


@pytest.mark.parametrize(("order", "bits"), SHAPES)
@given(data=st.data())
def test_words_come_back_and_masks_and_shifts_take_them_away(order, bits, data):
    words = data.draw(st.lists(st.integers(0, 2**bits - 1), min_size=order, max_size=order))
    high, low = key(words, bits)
    assert whole(high, low) == sum(word << (128 - bits * (order - i)) for i, word in enumerate(words))
    assert [word_at(high, low, place, np.uint64(bits)) for place in range(order)] == words[::-1]
    high_masks, low_masks = masks(order, bits)
    for n in range(1, order + 1):
        assert (high & high_masks[n], low & low_masks[n]) == key(words[order - n :], bits)
    assert shifted_left(high, low, np.uint64(bits)) == key(words[:-1], bits)


@pytest.mark.parametrize("used_bits", [6, 21, 64, 70, 75, 76, 90, 127, 128])
@given(data=st.data())
def test_keys_are_sorted_and_equal_ones_counted(used_bits, data):
    values = data.draw(st.lists(st.integers(0, 2**used_bits - 1) | st.sampled_from([1, 5]), max_size=30))
    values = [value << (128 - used_bits) for value in values]
    high = np.array([value >> 64 for value in values], np.uint64)
    low = np.array([value & (2**64 - 1) for value in values], np.uint64)
    high, low = sort_keys(high, low, used_bits)
    assert [whole(*pair) for pair in zip(high, low, strict=True)] == sorted(values)
    counts = merge_equal(high, low)
    different = sorted(set(values))
    assert [whole(*pair) for pair in zip(high[: len(counts)], low, strict=False)] == different
    assert counts.tolist() == [values.count(value) for value in different]
