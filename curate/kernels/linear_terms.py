"""Texts as counts of hashed terms, and the weighted sum of them, over the bytes of a string column.

Terms are Spark ML's (`curate.kernels.spark_hash`), or n-grams of two kinds, which share the places:

- words: runs of letters, marks, digits and low lines; in scripts written without spaces each letter with its marks.
  Neighbours are grams whatever stands between them;
- characters: code points, white space collapsed to one space, with a space before and behind the text.

Both are of the text in lower case (`curate.kernels.folded_text`: character by character, final sigma is sigma). Bytes
that are not UTF-8 are U+FFFD each. A term is known by the place its 64-bit hash falls on, so there is no vocabulary.

A text is read once and no memory is taken by its length: terms come in pieces of `PIECE`. Sums are taken in float64 in
the text's own order (of counts: by first occurrence), so a sum does not depend on the other texts of a batch.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, compiled, inlined
from curate.kernels.folded_text import letters
from curate.kernels.spark_hash import JavaCase, java_case, spark_terms
from curate.kernels.unicode_tables import DIGIT, LETTER, MARK, NUMBER, SPACE, SPACELESS, char_table
from curate.kernels.utf8 import Bool, Bytes, Int, Offsets, code_point, utf8

Floats = NDArray[np.float64]
Weights = NDArray[np.float32] | NDArray[np.float64]
Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Hashes = NDArray[np.uint64]

#: How term frequencies count: as they are, as 1, or as 1 + ln tf.
COUNT, BINARY, LOG = 0, 1, 2
#: Terms at a time.
PIECE = 4096
#: The longest n-gram: a character may end one of each length.
MAX_N = 16
EVERYTHING = 2**62

_APART, _WORD, _SINGLE, _MARK, _SPACE = 0, 1, 2, 3, 4
_AT, _EMPTY = 0, 1  # in a `state`; what else is there is for the walks
_NUM_CHARS, _NUM_WORDS, _OPEN, _AFTER_SPACE = 2, 3, 4, 5
_CHARS, _WORDS, _HASH = 0, MAX_N + 1, 2 * MAX_N + 2  # in `hashes`


class Terms(NamedTuple):
    """Which terms a text has. Lengths of n-grams from and to; (1, 0) is none."""

    spark: bool
    words: tuple[int, int]
    chars: tuple[int, int]
    num_features: int  # places; 1 to 2**31 - 1


class Letters(NamedTuple):
    blocks: NDArray[np.uint16]
    kind: Bytes
    lower: Int32s


class Room(NamedTuple):
    """What one text at a time is read into."""

    state: Int64s
    hashes: Hashes
    piece: Int32s
    counts: Int32s  # of each place; all 0 between two texts
    places: Int32s  # those met, in order
    met: Hashes  # a bit for each place; all 0 between two texts


@cache
def _letters() -> Letters:
    table, folded = char_table(), letters()
    flags = table.flags
    kind = np.where(flags & (LETTER | NUMBER | DIGIT), _WORD, _APART)
    kind = np.where(flags & SPACELESS, _SINGLE, kind)
    kind = np.where(flags & MARK, _MARK, kind)
    kind = np.where(flags & SPACE, _SPACE, kind)
    kind[ord("_")] = _WORD
    return Letters(table.blocks, kind.astype(np.uint8), folded.lower)


def term_sums(
    texts: pa.Array,
    terms: Terms,
    weights: Weights,
    *,
    tf: int = COUNT,
    scale: Weights | None = None,
    unit: bool = False,
    max_bytes: int = EVERYTHING,
) -> Floats:
    """The sum over a text's terms of tf · weight: float64[len(texts)]; 0 where a text is null or has no term.

    weights: float32 or float64, one for each place. With `unit` the terms are tf · scale (scale 1 where there is none)
    divided by their Euclidean length. Of a text the first `max_bytes` are read, and of them whole characters.
    """
    data, offsets = utf8(texts)
    scale = np.ones(0, weights.dtype) if scale is None else scale
    counted = tf != COUNT or unit
    room = _room(terms.num_features if counted else 0)
    sums = np.zeros(len(texts), np.float64)
    _sums(data, offsets, max_bytes, terms, (java_case(), _letters()), room, weights, tf, scale, unit, sums)
    return sums


def term_counts(texts: pa.Array, terms: Terms, max_bytes: int = EVERYTHING) -> tuple[Int64s, Int32s, Int32s]:
    """Term frequencies as a sparse matrix by rows: where each text's begin and end, places, and counts.

    Places of a text come in the order in which they first occur.
    """
    data, offsets = utf8(texts)
    tables, room = (java_case(), _letters()), _room(terms.num_features)
    starts = np.zeros(len(texts) + 1, np.int64)
    nothing = np.zeros(0, np.int32)
    _fill(data, offsets, max_bytes, terms, tables, room, starts, nothing, nothing)
    places, counts = np.empty(starts[-1], np.int32), np.empty(starts[-1], np.int32)
    _fill(data, offsets, max_bytes, terms, tables, room, starts, places, counts)
    return starts, places, counts


def _room(num_features: int) -> Room:
    return Room(
        np.zeros(8, np.int64),
        np.zeros(2 * MAX_N + 3, np.uint64),
        np.empty(PIECE, np.int32),
        np.zeros(num_features, np.int32),
        np.empty(num_features, np.int32),
        np.zeros(num_features // 64 + 1, np.uint64),
    )


@borrowing
def _end(data: Bytes, start: Int, end: Int, max_bytes: Int) -> Int:
    """Where the first `max_bytes` of a text end, less a character that is cut in two."""
    if end - start <= max_bytes:
        return end
    cut = start + max_bytes
    while cut > start and cut > start + max_bytes - 3 and data[cut] & 0xC0 == 0x80:
        cut -= 1
    return cut


@borrowing
def _begin(room: Room, start: Int) -> None:
    room.state[:] = 0
    room.state[_AT] = start
    room.hashes[:] = 0


@borrowing
def _next(data: Bytes, start: Int, end: Int, terms: Terms, tables: tuple[JavaCase, Letters], room: Room) -> Int:
    if terms.spark:
        return spark_terms(data, start, end, tables[0], terms.num_features, room.state, room.piece)
    return _ngrams(data, end, tables[1], terms, room.state, room.hashes, room.piece)


@inlined
def _place(h: np.uint64, num_features: Int) -> Int:
    h *= np.uint64(0xA0761D6478BD642F)
    h ^= h >> np.uint64(32)
    h *= np.uint64(0xD6E8FEB86659FD93)
    return np.int64(((h >> np.uint64(33)) * np.uint64(num_features)) >> np.uint64(31))


@inlined
def _pushed(
    hashes: Hashes,
    at: Int,
    num: Int,
    item: np.uint64,
    shortest: Int,
    longest: Int,
    places: Int,
    out: Int32s,
    count: Int,
) -> Int:
    """Add an item to the open n-grams of a kind, `num` items after the first; how many terms are in `out` now.

    An n-gram is a polynomial of its items, so that of n items is that of n - 1 before with one more.
    """
    n = min(num + 1, longest)
    while n > 1:
        hashes[at + n] = hashes[at + n - 1] * np.uint64(0x9FB21C651E98DF25) + item
        if n >= shortest:
            out[count] = _place(hashes[at + n] + np.uint64(n), places)
            count += 1
        n -= 1
    hashes[at + 1] = item
    if shortest == 1:
        out[count] = _place(item + np.uint64(1), places)
        count += 1
    return count


@borrowing
def _ngrams(data: Bytes, end: Int, table: Letters, terms: Terms, state: Int64s, hashes: Hashes, out: Int32s) -> Int:
    """Put the places of the next n-grams of a text into `out` and return how many there are; none: no more."""
    (word_low, word_high), (char_low, char_high), places = terms.words, terms.chars, terms.num_features
    count, at = 0, state[_AT]
    num_chars, num_words, open_, after_space = state[_NUM_CHARS], state[_NUM_WORDS], state[_OPEN], state[_AFTER_SPACE]
    word = hashes[_HASH]
    while at <= end and count + 2 * word_high + 2 * char_high < out.size:
        point, size, kind = np.int64(32), 1, _SPACE  # behind the text
        if at < end:
            point = np.int64(data[at])
            if point < 0x80:
                kind = table.kind[point]
                point += table.lower[point]
            else:
                point, size = code_point(data, at, end)
                place = np.int64(table.blocks[point >> 7]) << 7 | point & 127
                kind = table.kind[place]
                point += table.lower[place]
        at += size
        if char_high > 0:
            if kind != _SPACE and num_chars == 0:
                count = _pushed(hashes, _CHARS, 0, _character(np.int64(32)), char_low, char_high, places, out, count)
                num_chars = 1
            if kind != _SPACE or (num_chars > 0 and not after_space):
                item = _character(np.int64(32) if kind == _SPACE else point)
                count = _pushed(hashes, _CHARS, num_chars, item, char_low, char_high, places, out, count)
                num_chars += 1
            after_space = np.int64(kind == _SPACE)
        if word_high > 0:
            if open_ and (kind in (_APART, _SPACE, _SINGLE) or (kind == _WORD and open_ == _SINGLE)):
                count = _pushed(hashes, _WORDS, num_words, word, word_low, word_high, places, out, count)
                num_words += 1
                open_ = np.int64(0)
            if kind in (_WORD, _SINGLE) or (kind == _MARK and open_):
                if not open_:
                    word, open_ = np.uint64(0x9E3779B97F4A7C15), np.int64(kind)
                word = (word ^ np.uint64(point)) * np.uint64(0xD6E8FEB86659FD93)
                word ^= word >> np.uint64(29)
    state[_AT] = at
    state[_NUM_CHARS], state[_NUM_WORDS], state[_OPEN], state[_AFTER_SPACE] = num_chars, num_words, open_, after_space
    hashes[_HASH] = word
    return count


@inlined
def _character(point: Int) -> np.uint64:
    """A code point as an item of n-grams; of words, which are hashed, none is so small."""
    return np.uint64(point + 1) * np.uint64(0x2545F4914F6CDD1D)


@borrowing
def _counted(data: Bytes, start: Int, end: Int, terms: Terms, tables: tuple[JavaCase, Letters], room: Room) -> Int:
    """Count a text's terms into `room.counts`; how many different places there are, in `room.places`."""
    num = 0
    _begin(room, start)
    while True:
        count = _next(data, start, end, terms, tables, room)
        if count == 0:
            break
        for i in range(count):
            place = room.piece[i]
            if room.counts[place] == 0:
                room.places[num] = place
                num += 1
            room.counts[place] += 1
    if room.state[_EMPTY]:
        place = _empty_place(terms.num_features)
        if room.counts[place] == 0:
            room.places[num] = place
            num += 1
        room.counts[place] += room.state[_EMPTY]
    return num


@borrowing
def _empty_place(num_features: Int) -> Int:
    """Of Spark's empty term: MurmurHash3 of no bytes, seed 42."""
    return np.int64(142593372) % num_features


@compiled
def _sums(
    data: Bytes,
    offsets: Offsets,
    max_bytes: Int,
    terms: Terms,
    tables: tuple[JavaCase, Letters],
    room: Room,
    weights: Weights,
    tf: Int,
    scale: Weights,
    unit: Bool,
    sums: Floats,
) -> None:
    for row in range(offsets.size - 1):
        start = offsets[row]
        end = _end(data, start, offsets[row + 1], max_bytes)
        if tf == COUNT and not unit:
            sums[row] = _direct(data, start, end, terms, tables, room, weights)
        elif tf == BINARY and not unit:
            sums[row] = _once(data, start, end, terms, tables, room, weights)
        else:
            num = _counted(data, start, end, terms, tables, room)
            sums[row] = _weighted(room, num, weights, tf, scale, unit)


@borrowing
def _direct(
    data: Bytes, start: Int, end: Int, terms: Terms, tables: tuple[JavaCase, Letters], room: Room, weights: Weights
) -> Int:
    """The sum of the weights of all terms, without counting them."""
    total = 0.0
    _begin(room, start)
    while True:
        count = _next(data, start, end, terms, tables, room)
        if count == 0:
            break
        for i in range(count):
            total += np.float64(weights[room.piece[i]])
    if room.state[_EMPTY]:
        total += room.state[_EMPTY] * np.float64(weights[_empty_place(terms.num_features)])
    return total


@borrowing
def _once(
    data: Bytes, start: Int, end: Int, terms: Terms, tables: tuple[JavaCase, Letters], room: Room, weights: Weights
) -> Int:
    """The sum of the weights of the different terms. Bits say which were met, and stay nearer than counts would."""
    total, num = 0.0, 0
    _begin(room, start)
    while True:
        count = _next(data, start, end, terms, tables, room)
        if count == 0:
            break
        for i in range(count):
            place = room.piece[i]
            bit = np.uint64(1) << np.uint64(place & 63)
            if not room.met[place >> 6] & bit:
                room.met[place >> 6] |= bit
                room.places[num] = place
                num += 1
                total += np.float64(weights[place])
    place = _empty_place(terms.num_features)
    if room.state[_EMPTY] and not room.met[place >> 6] >> np.uint64(place & 63) & np.uint64(1):
        total += np.float64(weights[place])
    for i in range(num):
        room.met[room.places[i] >> 6] = np.uint64(0)
    return total


@borrowing
def _weighted(room: Room, num: Int, weights: Weights, tf: Int, scale: Weights, unit: Bool) -> Int:
    """The sum over counted terms, which are forgotten."""
    total, length = 0.0, 0.0
    for i in range(num):
        place = room.places[i]
        count = room.counts[place]
        room.counts[place] = 0
        value = np.float64(count) if tf == COUNT else 1.0 if tf == BINARY or count == 1 else 1.0 + np.log(count)
        if scale.size:
            value *= np.float64(scale[place])
        total += value * np.float64(weights[place])
        length += value * value
    return total / np.sqrt(length) if unit and length > 0.0 else total


@compiled
def _fill(
    data: Bytes,
    offsets: Offsets,
    max_bytes: Int,
    terms: Terms,
    tables: tuple[JavaCase, Letters],
    room: Room,
    starts: Int64s,
    places: Int32s,
    counts: Int32s,
) -> None:
    """Without room for `places`, where texts begin; with it, what they have."""
    for row in range(offsets.size - 1):
        end = _end(data, offsets[row], offsets[row + 1], max_bytes)
        num = _counted(data, offsets[row], end, terms, tables, room)
        if places.size == 0:
            starts[row + 1] = starts[row] + num
        for i in range(num):
            place = room.places[i]
            if places.size:
                places[starts[row] + i] = place
                counts[starts[row] + i] = room.counts[place]
            room.counts[place] = 0
