"""Words as texts are compared by them: where they are, their hashes, and whether those of two texts are the same.

They are the tokens of `curate.kernels.shingle_tokens` (lower case, punctuation separates, a character of a script
without spaces stands alone), but that "_" separates too: in tests it is a blank to fill in.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, compiled
from curate.kernels.shingle_tokens import token_table
from curate.kernels.utf8 import Bool, Bytes, Int, Offsets, code_point, utf8

Hashes = NDArray[np.uint64]
Bools = NDArray[np.bool_]
Table = NDArray[np.uint32]

_SINGLE, _IGNORED = np.uint32(1 << 31), np.uint32(0xFFFF_FFFF)
_SEED, _FACTOR, _32 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93), np.uint64(32)


class WordPlaces(NamedTuple):
    """The words of some texts, one after the other: those of text `i` are `offsets[i]:offsets[i + 1]`."""

    hash: Hashes
    place: Offsets  # byte of the column's data
    stop: Offsets  # the byte behind it
    single: Bools  # of a script without spaces
    number: Bools  # begins with an ASCII digit
    offsets: Offsets


@cache
def word_table() -> Table:
    """`token_table` with "_" as a separator."""
    table = token_table().copy()
    table[ord("_")] = 0
    table.flags.writeable = False
    return table


def word_places(texts: pa.Array) -> WordPlaces:
    """The words of a string column; a null text has none."""
    data, offsets = utf8(texts)
    ends = _count_words(data, offsets, word_table())
    size = int(ends[-1])
    single, number = np.empty(size, np.bool_), np.empty(size, np.bool_)
    place, stop = np.empty(size, np.int64), np.empty(size, np.int64)
    words = WordPlaces(np.empty(size, np.uint64), place, stop, single, number, ends)
    _fill_words(data, offsets, word_table(), words)
    return words


def same_ngrams(texts: pa.Array, words: WordPlaces, first: Offsets, other: Offsets, width: Offsets) -> Bools:
    """Whether the n-grams that begin with two words are the same: bool[len(first)]. Equal hashes alone do not say."""
    data, _ = utf8(texts)
    return _same_all(data, words.place, words.stop, word_table(), first, other, width)


@borrowing
def next_word(data: Bytes, at: Int, end: Int, table: Table) -> tuple[Int, Int, np.uint64, Bool]:
    """Where the next word begins and ends, its hash, and whether it is a single character; begins at -1 for none."""
    start, stop, h = np.int64(-1), at, _SEED
    while at < end:
        point, size = np.int64(data[at]), np.int64(1)
        if point >= 0x80:
            point, size = code_point(data, at, end)
        entry = table[point]
        if entry == 0:
            if start >= 0:
                break
        elif entry < _SINGLE:
            if start < 0:
                start = at
            h = (h ^ np.uint64(entry)) * _FACTOR
            stop = at + size
        elif entry != _IGNORED:
            if start >= 0:
                break
            h = (h ^ np.uint64(entry)) * _FACTOR
            return at, at + size, h ^ (h >> _32), True
        at += size
    return start, stop, h ^ (h >> _32), False


@borrowing
def same_words(a: Bytes, a_at: Int, a_end: Int, b: Bytes, b_at: Int, b_end: Int, num: Int, table: Table) -> Bool:
    """Whether the first `num` words from `a_at` and from `b_at` on are the same, character by character as folded."""
    for _ in range(num):
        a_start, a_stop, a_hash, _ = next_word(a, a_at, a_end, table)
        b_start, b_stop, b_hash, _ = next_word(b, b_at, b_end, table)
        if a_start < 0 or b_start < 0 or a_hash != b_hash:
            return False
        a_at, b_at = a_start, b_start
        while a_at < a_stop or b_at < b_stop:
            a_entry, a_at = _next_entry(a, a_at, a_stop, table)
            b_entry, b_at = _next_entry(b, b_at, b_stop, table)
            if a_entry != b_entry:
                return False
        a_at, b_at = a_stop, b_stop
    return True


@borrowing
def _next_entry(data: Bytes, at: Int, end: Int, table: Table) -> tuple[Int, Int]:
    """What the next character that counts is, `_IGNORED` where there is none, and where to go on."""
    while at < end:
        point, size = code_point(data, at, end)
        at += size
        if table[point] != _IGNORED:
            return table[point], at
    return _IGNORED, at


@compiled
def _count_words(data: Bytes, offsets: Offsets, table: Table) -> Offsets:
    ends = np.zeros(offsets.size, np.int64)
    for row in range(offsets.size - 1):
        at, num = offsets[row], 0
        while True:
            start, at, _, _ = next_word(data, at, offsets[row + 1], table)
            if start < 0:
                break
            num += 1
        ends[row + 1] = ends[row] + num
    return ends


@compiled
def _fill_words(data: Bytes, offsets: Offsets, table: Table, words: WordPlaces) -> None:
    for row in range(offsets.size - 1):
        at = offsets[row]
        for i in range(words.offsets[row], words.offsets[row + 1]):
            words.place[i], at, words.hash[i], words.single[i] = next_word(data, at, offsets[row + 1], table)
            words.stop[i] = at
            words.number[i] = 48 <= data[words.place[i]] <= 57


@compiled
def _same_all(
    data: Bytes, place: Offsets, stop: Offsets, table: Table, first: Offsets, other: Offsets, width: Offsets
) -> Bools:
    out = np.ones(first.size, np.bool_)
    for i in range(first.size):
        if first[i] != other[i]:
            a, b, more = first[i], other[i], width[i] - 1
            out[i] = same_words(data, place[a], stop[a + more], data, place[b], stop[b + more], width[i], table)
    return out
