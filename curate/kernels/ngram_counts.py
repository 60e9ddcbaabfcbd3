"""Counts of n-grams, and the counts that Kneser-Ney smoothing adjusts them to.

The n-grams of the highest order end at each word and at each sentence's end; where a sentence has fewer words before,
they are filled up with sentence begins. A lower order follows from them: the **adjusted count** of an n-gram is the
number of different words before it, and its own count where it begins with the sentence begin, which nothing precedes
(Heafield et al. 2013, section 3.2).

N-grams are keys (`curate.kernels.ngram_keys`). They are handled in parts: a part has the n-grams whose last two words,
as a number, lie between two bounds, so that an n-gram of order 2 or more lies in the part of those that end with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, compiled
from curate.kernels.ngram_keys import Ids, Keys, merge_equal, sort_keys, with_word, word_at
from curate.kernels.utf8 import Int, Offsets
from curate.kernels.word_ids import SENTENCE_BEGIN, SENTENCE_END

_BEGIN, _END = np.int64(SENTENCE_BEGIN), np.int64(SENTENCE_END)
_64, _2 = np.uint64(64), np.uint64(2)

Bools = NDArray[np.bool_]


class Counts(NamedTuple):
    """N-grams of one order in ascending order of their keys."""

    high: Keys
    low: Keys
    counts: Offsets  # adjusted; of the highest order the count itself
    kept: Bools  # false where pruned


class Window:
    """The last words seen: what a stream of ids is read through, chunk after chunk."""

    def __init__(self, order: int, bits: int) -> None:
        self.bits = np.uint64(bits)
        self.begin = np.zeros(2, np.uint64)  # nothing but sentence begins
        for _ in range(order):
            self.begin[:] = with_word(self.begin[0], self.begin[1], SENTENCE_BEGIN, self.bits)
        shift = 128 - order * bits
        self.mask = np.array([(2**64 - 1) >> max(shift - 64, 0) << max(shift - 64, 0), 0], np.uint64)
        self.mask[1] = (2**64 - 1) >> min(shift, 64) << min(shift, 64) & (2**64 - 1)
        self.begin &= self.mask
        self.now = self.begin.copy()

    def pairs(self, ids: Ids, step: int) -> Keys:
        """The last two words, as one number, at each `step`-th id."""
        out = np.empty(ids.size // step + 1, np.uint64)
        return out[: _pairs(ids, self.now, self.begin, self.mask, self.bits, step, out)].copy()

    def part_sizes(self, ids: Ids, bounds: Keys) -> Offsets:
        """How many n-grams there are in each part: int64[len(bounds) + 1]. Part i begins at `bounds[i - 1]`."""
        return _part_sizes(ids, self.now, self.begin, self.mask, self.bits, bounds)

    def fill(self, ids: Ids, first: int, end: int, high: Keys, low: Keys, at: int) -> int:
        """Put the n-grams whose last two words lie in [first, end) from place `at` on; the place behind them."""
        bounds = np.array([first, end], np.uint64)
        return int(_fill(ids, self.now, self.begin, self.mask, self.bits, bounds, high, low, at))


def counted(high: Keys, low: Keys, order: int, bits: int) -> tuple[Keys, Keys, Offsets]:
    """Different n-grams in ascending order and how often each came; the arrays given are used up."""
    high, low = sort_keys(high, low, order * bits)
    count = merge_equal(high, low)
    return high[: count.size], low[: count.size], count


def adjusted(
    high: Keys,
    low: Keys,
    count: Offsets,
    order: int,
    bits: int,
    masks: tuple[Keys, Keys],
    prune: Sequence[int],
    words: Offsets,
) -> Iterator[tuple[int, Counts]]:
    """The n-grams of orders 2 to `order` of one part, each with its order, from those of the highest order.

    masks: of `curate.kernels.ngram_keys.masks`. prune: an n-gram of order n that came `prune[n - 1]` times or less is
    not kept. words: int64[words]; the adjusted counts of the words that end n-grams are added to it.
    """
    sizes = _sizes(high, low, order, np.uint64(bits), *masks)
    for n in range(2, order + 1):
        size = sizes[n]
        grams = Counts(
            np.empty(size, np.uint64), np.empty(size, np.uint64), np.empty(size, np.int64), np.empty(size, np.bool_)
        )
        _adjust(high, low, count, n, order, np.uint64(bits), *masks, prune[n - 1], words, grams)
        yield n, grams


@borrowing
def _next(now: Keys, begin: Keys, mask: Keys, bits: np.uint64, word: Int) -> None:
    """Move the window by one word. Behind a sentence's end it begins anew."""
    if np.int64(now[0] >> (_64 - bits)) == _END:
        now[0], now[1] = begin[0], begin[1]
    high, low = with_word(now[0], now[1], word, bits)
    now[0], now[1] = high & mask[0], low & mask[1]


@borrowing
def _pairs(ids: Ids, now: Keys, begin: Keys, mask: Keys, bits: np.uint64, step: Int, out: Keys) -> Int:
    num = 0
    for i in range(ids.size):
        _next(now, begin, mask, bits, ids[i])
        if i % step == 0:
            out[num] = now[0] >> (_64 - _2 * bits)
            num += 1
    return num


@compiled
def _part_sizes(ids: Ids, now: Keys, begin: Keys, mask: Keys, bits: np.uint64, bounds: Keys) -> Offsets:
    sizes = np.zeros(bounds.size + 1, np.int64)
    for i in range(ids.size):
        _next(now, begin, mask, bits, ids[i])
        sizes[np.searchsorted(bounds, now[0] >> (_64 - _2 * bits), side="right")] += 1
    return sizes


@borrowing
def _fill(
    ids: Ids, now: Keys, begin: Keys, mask: Keys, bits: np.uint64, bounds: Keys, high: Keys, low: Keys, at: Int
) -> Int:
    shift = _64 - _2 * bits
    for i in range(ids.size):
        _next(now, begin, mask, bits, ids[i])
        if bounds[0] <= now[0] >> shift < bounds[1]:
            high[at], low[at] = now[0], now[1]
            at += 1
    return at


@borrowing
def _length(high: np.uint64, low: np.uint64, order: Int, bits: np.uint64) -> Int:
    """The words of an n-gram without the sentence begins that only fill it up."""
    for place in range(1, order):
        if word_at(high, low, place, bits) == _BEGIN:
            return place + 1
    return order


@borrowing
def _alike(high: Keys, low: Keys, i: Int, order: Int, high_masks: Keys, low_masks: Keys) -> Int:
    """How many of its last words the n-gram `i` has in common with the one before."""
    if i == 0:
        return 0
    high_differs, low_differs = high[i] ^ high[i - 1], low[i] ^ low[i - 1]
    n = 0
    while n < order and (high_differs & high_masks[n + 1]) | (low_differs & low_masks[n + 1]) == 0:
        n += 1
    return n


@compiled
def _sizes(high: Keys, low: Keys, order: Int, bits: np.uint64, high_masks: Keys, low_masks: Keys) -> Offsets:
    """How many n-grams of each order there are: int64[order + 1]."""
    sizes = np.zeros(order + 1, np.int64)
    for i in range(high.size):
        alike = _alike(high, low, i, order, high_masks, low_masks)
        for n in range(alike + 1, _length(high[i], low[i], order, bits) + 1):
            sizes[n] += 1
    return sizes


@borrowing
def _adjust(
    high: Keys,
    low: Keys,
    count: Offsets,
    n: Int,
    order: Int,
    bits: np.uint64,
    high_masks: Keys,
    low_masks: Keys,
    prune: Int,
    words: Offsets,
    out: Counts,
) -> None:
    """Fill in the order `n`; with n = 2 also count the words."""
    at, times = np.int64(-1), np.int64(0)
    for i in range(high.size):
        length = _length(high[i], low[i], order, bits)
        if length < n:
            continue
        alike = _alike(high, low, i, order, high_masks, low_masks)
        if alike < n:  # a new one
            if at >= 0:
                out.kept[at] = times > prune
            at, times = at + 1, count[i]
            out.high[at], out.low[at] = high[i] & high_masks[n], low[i] & low_masks[n]
            out.counts[at] = count[i] if length == n else 1
            if n == 2:
                words[word_at(high[i], low[i], 0, bits)] += 1
        else:
            times += count[i]
            out.counts[at] += alike == n
    if at >= 0:
        out.kept[at] = times > prune
