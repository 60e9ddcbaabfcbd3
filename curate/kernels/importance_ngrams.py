"""Hashed n-grams of words: what importance weights are made of (DSIR: Xie et al. 2023).

Text in lower case is cut into **tokens** as NLTK's WordPunctTokenizer does: runs of `\\w`, and runs of anything else
that is no white space. `\\w` is Python's, letters and numbers and "_": a mark is none, so Hindi words are cut at their
vowel signs. (NLTK 3.10 went over to the package `regex`, to which marks are `\\w`.) With `characters` a mark is part of
what it follows, and each letter of a script written without spaces (Han, kana, Thai, …) is a token, because a run of
them is a sentence, and sentences do not come twice. An n-gram is n tokens that follow each other, joined by a space;
all sizes from 1 to `ngrams` are counted, each in the bucket it is hashed to.

- `fast`: 64 bits of each token, mixed, scaled to the number of buckets. What is hashed are code points.
- `sha256`: as the authors' package `data-selection` 1.0.3 has it, SHA-256 of the UTF-8 as a number modulo the buckets.
  Short n-grams are remembered, byte for byte, since most come again.

Sums are taken in the order of the text, so that a weight depends on its text alone. Lower case is `str.lower`: texts
with "Σ" (which is "ς" at the end of a word) or "İ" (which becomes two characters) are given to it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, compiled, inlined
from curate.kernels.scan import MAX_BYTES
from curate.kernels.sha256 import Words, scratch_sha256, sha256_bucket, sha256_constants
from curate.kernels.unicode_tables import LETTER, MARK, NUMBER, SPACE, SPACELESS, char_table
from curate.kernels.utf8 import Bytes, Int, Offsets, code_point, utf8

Tokens = Literal["wordpunct", "characters"]
Hashing = Literal["fast", "sha256"]
Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Table = NDArray[np.uint32]

#: Kinds of characters, above the 24 bits of the lower case in an entry of the table.
_BLANK, _WORD, _SIGN, _SINGLE, _MARK = 0, 1, 2, 3, 4
_POINT = np.uint32(0xFF_FFFF)
_SLOTS, _SLOT_BYTES = 1 << 18, 32  # of what is remembered: 10 MB in a process

_SEED, _FACTOR = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)
_MIX = np.uint64(0xA0761D6478BD642F)


class Ngrams(NamedTuple):
    """Which n-grams there are, and how they are hashed."""

    ngrams: int = 2
    num_buckets: int = 10_000
    tokens: Tokens = "wordpunct"
    hashing: Hashing = "fast"


class _Found(NamedTuple):
    """The tokens of one text, joined by spaces. Only the first so many places are filled."""

    data: Bytes
    start: NDArray[np.int32]  # of each token in `data`; behind the last, where another would begin
    key: NDArray[np.uint64]  # of each token


class _Buckets(NamedTuple):
    """How n-grams become buckets, and what is remembered of them."""

    ngrams: int
    num_buckets: int
    exact: bool  # SHA-256
    start: Words
    rounds: Words
    scratch: Words
    known: Bytes  # uint8[slots * slot_bytes]: the n-gram that a slot remembers
    size: Bytes  # uint8[slots]: its bytes; 0: the slot is empty
    bucket: NDArray[np.int32]


def log_weights(texts: pa.Array, log_ratio: Floats, how: Ngrams) -> tuple[Floats, Counts]:
    """The sum of `log_ratio[bucket]` over the n-grams of each text, and its number of tokens.

    Null and empty texts have 0 and 0. Of a text the first `scan.MAX_BYTES` are read.
    """
    data, offsets = utf8(_sigma_lowered(texts))
    weights, num_tokens = np.zeros(len(texts)), np.zeros(len(texts), np.int64)
    table, buckets = _table(how.tokens == "characters"), _buckets(how)
    _sum(data, offsets, table, buckets, _room(offsets), log_ratio, weights, num_tokens)
    return weights, num_tokens


def count_ngrams(texts: pa.Array, counts: Counts, how: Ngrams, max_ngrams: int | None = None) -> int:
    """Add the n-grams of texts to `counts`, int64[num_buckets], until they are more than `max_ngrams` in all.

    The texts that were counted; each is counted whole.
    """
    data, offsets = utf8(_sigma_lowered(texts))
    limit = np.iinfo(np.int64).max if max_ngrams is None else max_ngrams
    table, buckets = _table(how.tokens == "characters"), _buckets(how)
    return int(_count(data, offsets, table, buckets, _room(offsets), counts, limit))


def _sigma_lowered(texts: pa.Array) -> pa.Array:
    """The texts, those in lower case whose lower case cannot be told character by character."""
    data, offsets = utf8(texts)
    needed = np.zeros(len(texts), np.bool_)
    _need_lower(data, offsets, needed)
    if not needed.any():
        return texts
    contents = texts.filter(pa.array(needed)).cast(pa.large_binary()).to_pylist()
    lowered = [content.decode("utf-8", "replace").lower() for content in contents]
    return pc.replace_with_mask(texts, pa.array(needed), pa.array(lowered, texts.type))


@lru_cache(2)
def _table(characters: bool) -> Table:
    """For each code point its lower case, and above 24 bits its kind: uint32[0x110000]."""
    points, stored = np.arange(0x110000), char_table()
    places = stored.blocks[points >> 7].astype(np.int64) << 7 | points & 127
    flags = stored.flags[places]
    kinds = np.where(flags & (LETTER | NUMBER) != 0, _WORD, _SIGN)  # `\w`: str.isalnum, or "_"
    kinds[ord("_")] = _WORD
    if characters:
        kinds[flags & SPACELESS != 0] = _SINGLE
        kinds[flags & MARK != 0] = _MARK
    kinds[flags & SPACE != 0] = _BLANK
    table: Table = (points + stored.lower[places] | kinds << 24).astype(np.uint32)
    return table


@lru_cache(4)
def _buckets(how: Ngrams) -> _Buckets:
    """Kept in a process, with what it remembers: that changes how fast a bucket is found, and never which."""
    exact = how.hashing == "sha256"
    slots = _SLOTS if exact else 1
    known, size, bucket = np.zeros(slots * _SLOT_BYTES, np.uint8), np.zeros(slots, np.uint8), np.zeros(slots, np.int32)
    return _Buckets(how.ngrams, how.num_buckets, exact, *sha256_constants(), scratch_sha256(), known, size, bucket)


def _room(offsets: Offsets) -> _Found:
    """For the longest text: each byte a token. At most three bytes come of one: U+FFFD of one that is no UTF-8.

    A character that is a token has a space too: "a" makes 2 bytes of 1, "Ⱥ" in lower case 4 of 2. U+FFFD takes 4 with
    its space, but the token that must stand between it and the next takes 2, which leaves 3 for each.
    """
    longest = int(min(np.diff(offsets).max(initial=0), MAX_BYTES))
    return _Found(
        np.empty(3 * longest + 8, np.uint8), np.empty(longest + 2, np.int32), np.empty(longest + 2, np.uint64)
    )


@compiled
def _need_lower(data: Bytes, offsets: Offsets, needed: NDArray[np.bool_]) -> None:
    """Which texts hold "Σ" or "İ": bytes CE A3 and C4 B0."""
    for row in range(offsets.size - 1):
        found = False
        for i in range(offsets[row], offsets[row + 1] - 1):
            first, second = data[i], data[i + 1]
            found |= ((first == 0xCE) & (second == 0xA3)) | ((first == 0xC4) & (second == 0xB0))
        needed[row] = found


@compiled
def _sum(
    data: Bytes,
    offsets: Offsets,
    table: Table,
    buckets: _Buckets,
    room: _Found,
    log_ratio: Floats,
    weights: Floats,
    num_tokens: Counts,
) -> None:
    for row in range(offsets.size - 1):
        num = _read(data, offsets[row], _end(data, offsets[row], offsets[row + 1]), table, room)
        total: Int = 0.0
        for i in range(num):
            for n in range(1, min(buckets.ngrams, num - i) + 1):
                total += log_ratio[_bucket(room, i, n, buckets)]
        weights[row], num_tokens[row] = total, num


@compiled
def _count(
    data: Bytes, offsets: Offsets, table: Table, buckets: _Buckets, room: _Found, counts: Counts, limit: Int
) -> Int:
    total = counts.sum()
    for row in range(offsets.size - 1):
        if total > limit:
            return row
        num = _read(data, offsets[row], _end(data, offsets[row], offsets[row + 1]), table, room)
        for i in range(num):
            for n in range(1, min(buckets.ngrams, num - i) + 1):
                counts[_bucket(room, i, n, buckets)] += 1
                total += 1
    return offsets.size - 1


@borrowing
def _end(data: Bytes, start: Int, end: Int) -> Int:
    """Where to stop reading: behind a whole character."""
    if end - start > MAX_BYTES:
        end = start + MAX_BYTES
        while end > start and data[end] & 0xC0 == 0x80:
            end -= 1
    return end


@borrowing
def _read(data: Bytes, at: Int, end: Int, table: Table, room: _Found) -> Int:
    """Put the tokens of a text into `room`; how many there are. Bytes that are not UTF-8 are each a sign, U+FFFD."""
    put, num, before = 0, 0, _BLANK
    key = _SEED
    while at < end:
        point, width = np.int64(data[at]), 1
        if point >= 0x80:
            point, width = code_point(data, at, end)
        entry = table[point]
        kind, lower = entry >> np.uint32(24), entry & _POINT
        at += width
        if kind == _MARK:
            kind = before if before != _BLANK else _WORD
            begins = kind != before
        else:
            begins = kind != before or kind == _SINGLE
        if begins:
            if before != _BLANK:
                room.key[num] = key
                room.data[put] = 0x20
                num, put = num + 1, put + 1
            room.start[num], key = put, _SEED
        before = kind
        if kind != _BLANK:
            key = (key ^ np.uint64(lower)) * _FACTOR
            put = _put(room.data, put, lower)
    if before != _BLANK:
        room.key[num] = key
        num, put = num + 1, put + 1
    room.start[num] = put
    return num


@inlined
def _put(out: Bytes, at: Int, point: Int) -> Int:
    """Write a code point as UTF-8; the place after it."""
    if point < 0x80:
        out[at] = point
        return at + 1
    if point < 0x800:
        out[at] = 0xC0 | point >> 6
        out[at + 1] = 0x80 | point & 63
        return at + 2
    if point < 0x10000:
        out[at] = 0xE0 | point >> 12
        out[at + 1] = 0x80 | point >> 6 & 63
        out[at + 2] = 0x80 | point & 63
        return at + 3
    out[at] = 0xF0 | point >> 18
    out[at + 1] = 0x80 | point >> 12 & 63
    out[at + 2] = 0x80 | point >> 6 & 63
    out[at + 3] = 0x80 | point & 63
    return at + 4


@inlined
def _bucket(room: _Found, i: Int, n: Int, buckets: _Buckets) -> Int:
    """The bucket of the n tokens from the i-th on."""
    key = _SEED
    for k in range(n):
        key = (key ^ room.key[i + k]) * _MIX
        key ^= key >> np.uint64(32)
    if buckets.exact:
        return _exact_bucket(room, room.start[i], room.start[i + n] - 1, key, buckets)
    return np.int64((key >> np.uint64(32)) * np.uint64(buckets.num_buckets) >> np.uint64(32))


@inlined
def _exact_bucket(room: _Found, first: Int, end: Int, key: Int, buckets: _Buckets) -> Int:
    """By SHA-256, or as it is remembered."""
    size, slot = end - first, np.int64(key >> np.uint64(32)) & (_SLOTS - 1)
    if size > _SLOT_BYTES:
        return _hashed(room, first, end, buckets)
    place = slot * _SLOT_BYTES
    same = buckets.size[slot] == size
    for i in range(size):
        same &= buckets.known[place + i] == room.data[first + i]
    if not same:
        buckets.size[slot] = size
        for i in range(size):
            buckets.known[place + i] = room.data[first + i]
        buckets.bucket[slot] = _hashed(room, first, end, buckets)
    return np.int64(buckets.bucket[slot])


@inlined
def _hashed(room: _Found, first: Int, end: Int, buckets: _Buckets) -> Int:
    return sha256_bucket(room.data, first, end, buckets.num_buckets, buckets.start, buckets.rounds, buckets.scratch)
