"""N-grams as 128-bit keys that sort by their last word first, and the sorting of them.

A key holds up to six word numbers of `bits` each, the last word in the highest bits, the rest of the key zero. So the
n-grams that end alike lie together (suffix order: Heafield et al. 2013, section 3.1), the last words of an n-gram are
its key under a mask, and its context is the key shifted left by one word.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, compiled, inlined
from curate.kernels.utf8 import Bool, Int, Offsets

Keys = NDArray[np.uint64]
Ids = NDArray[np.uint32]

MAX_ORDER = 6
KEY_BITS = 128
_DIGIT = 11
_RADIX = 1 << _DIGIT
_LOW_DIGIT = np.uint64(_RADIX - 1)
_0, _1, _64 = np.uint64(0), np.uint64(1), np.uint64(64)


def word_bits(num_words: int) -> int:
    """Bits that a word number takes, at least 1.

    >>> word_bits(4), word_bits(5)
    (2, 3)
    """
    return max((num_words - 1).bit_length(), 1)


@inlined
def shifted_left(high: np.uint64, low: np.uint64, bits: np.uint64) -> tuple[np.uint64, np.uint64]:
    """A key without its last word; `bits` in 1..63."""
    return (high << bits) | (low >> (_64 - bits)), low << bits


@inlined
def word_at(high: np.uint64, low: np.uint64, place: Int, bits: np.uint64) -> Int:
    """The word `place` before the last (0 is the last)."""
    shift = np.uint64(place) * bits
    mask = (_1 << bits) - _1
    if shift + bits <= _64:
        return np.int64((high >> (_64 - shift - bits)) & mask)
    if shift >= _64:
        return np.int64((low >> (np.uint64(128) - shift - bits)) & mask)
    return np.int64(((high << (shift + bits - _64)) | (low >> (np.uint64(128) - shift - bits))) & mask)


@inlined
def with_word(high: np.uint64, low: np.uint64, word: Int, bits: np.uint64) -> tuple[np.uint64, np.uint64]:
    """A key with one more word behind its last one; what falls out at the other end is for the caller to mask."""
    return (high >> bits) | (np.uint64(word) << (_64 - bits)), (low >> bits) | (high << (_64 - bits))


def masks(order: int, bits: int) -> tuple[Keys, Keys]:
    """uint64[order + 1] twice: what to `and` a key with to keep its last n words, n = 0..order."""
    whole = (1 << KEY_BITS) - 1
    kept = [whole ^ (whole >> (n * bits)) for n in range(order + 1)]
    return np.array([k >> 64 for k in kept], np.uint64), np.array([k & (2**64 - 1) for k in kept], np.uint64)


def sort_keys(high: Keys, low: Keys, used_bits: int) -> tuple[Keys, Keys]:
    """The keys in ascending order; the arrays given are used up. Time and memory are linear (radix sort)."""
    other_high, other_low = np.empty_like(high), np.empty_like(low)
    if _sort(high, low, other_high, other_low, used_bits, np.empty(_RADIX, np.int64)):
        return other_high, other_low
    return high, low


@borrowing
def _digit(high: np.uint64, low: np.uint64, shift: Int) -> Int:
    """The digit that begins `shift` bits above the lowest."""
    if shift >= 64:
        return np.int64((high >> np.uint64(shift - 64)) & _LOW_DIGIT)
    digit = low >> np.uint64(shift)
    if shift > 64 - _DIGIT:
        digit |= high << np.uint64(64 - shift)
    return np.int64(digit & _LOW_DIGIT)


@borrowing
def _sort(high: Keys, low: Keys, to_high: Keys, to_low: Keys, used_bits: Int, places: Offsets) -> Bool:
    """Least digit first. Whether the outcome lies in the second pair of arrays."""
    swapped = False
    shift = 128 - used_bits
    while shift < 128:
        places[:] = 0
        for i in range(high.size):
            places[_digit(high[i], low[i], shift)] += 1
        total, is_one = np.int64(0), False
        for digit in range(places.size):
            count = places[digit]
            is_one |= count == high.size
            places[digit] = total
            total += count
        if not is_one:
            for i in range(high.size):
                digit = _digit(high[i], low[i], shift)
                to_high[places[digit]], to_low[places[digit]] = high[i], low[i]
                places[digit] += 1
            high, low, to_high, to_low = to_high, to_low, high, low
            swapped = not swapped
        shift += _DIGIT
    return swapped


@compiled
def merge_equal(high: Keys, low: Keys) -> Offsets:
    """Close up sorted keys to one of each, in place, and give how often each came: int64[different keys]."""
    counts = np.empty(high.size, np.int64)
    out = np.int64(-1)
    for i in range(high.size):
        if out >= 0 and high[out] == high[i] and low[out] == low[i]:
            counts[out] += 1
        else:
            out += 1
            high[out], low[out], counts[out] = high[i], low[i], 1
    return counts[: out + 1].copy()
