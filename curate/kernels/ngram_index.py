"""An index of the n-grams of some texts, and the places where other texts hold one of them.

A text is read once. The rolling hash of its last `gate` words asks a bit filter; only where that says yes (next to
never in a text that has nothing to do with the index) are the n-grams that end there looked up, at each width, by
64-bit hash in an open-addressing table. A hit is then compared word by word with the text that the n-gram was taken
from, so what is found is always there.

An n-gram takes 8 bytes of hash, 13 of place and size, 8 to 16 of the table and 2 to 4 of the filter: 31 to 41 together,
beside the texts themselves.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, compiled
from curate.kernels.match_words import Bools, Hashes, Table, WordPlaces, next_word, same_words, word_table
from curate.kernels.utf8 import Bytes, Int, Offsets, utf8

Int32s = NDArray[np.int32]

MAX_WIDTH = 64  # words of the longest n-gram
BLOCK = 256  # words that are read before the filter is asked for them

_FACTOR = np.uint64(0xD6E8FEB86659FD93)
_BASE = np.uint64(0x9FB21C651E98DF25)  # of the polynomial; odd, so that no word loses bits
_32, _ONE, _63 = np.uint64(32), np.uint64(1), np.uint64(63)


class NgramIndex(NamedTuple):
    """What kernels look up. N-gram `i` is the `width[i]` words in the `size[i]` bytes from `place[i]` of `data` on."""

    data: Bytes
    place: Offsets
    size: Int32s
    width: NDArray[np.uint8]
    key: Hashes  # ascending
    slots: Int32s  # open addressing: number + 1, or 0
    filter: Hashes  # bits, by the hash of the last `gate` words of an n-gram
    widths: Int32s  # the different ones, ascending; the first is `gate`

    @property
    def nbytes(self) -> int:
        """Memory of the index."""
        return sum(array.nbytes for array in self)


class Found(NamedTuple):
    """Occurrences in reading order: those in text `i` are `offsets[i]:offsets[i + 1]`."""

    ngram: Int32s
    start: Int32s  # bytes of the text
    end: Int32s
    offsets: Offsets


class _Block(NamedTuple):
    """Words that are read at a time, behind the last `MAX_WIDTH` before them."""

    hash: Hashes
    start: Offsets
    stop: Offsets
    last: Hashes  # of the last `gate` words up to each
    hits: Int32s
    rolling: Hashes


def _block() -> _Block:
    words = MAX_WIDTH + BLOCK
    start, stop = np.zeros(words, np.int64), np.zeros(words, np.int64)
    last, hits = np.zeros(BLOCK, np.uint64), np.zeros(BLOCK + 1, np.int32)
    return _Block(np.zeros(words, np.uint64), start, stop, last, hits, np.zeros(1, np.uint64))


def windows(
    words: WordPlaces, first: Offsets, last: Offsets, width: Offsets
) -> tuple[Hashes, Offsets, Offsets, Int32s]:
    """All n-grams of spans of words: hash, number of the first word, span, and how many different words, numbers not
    counted.

    Span `i` is the words `first[i]:last[i]`, its n-grams have `width[i]` words (at least 1); a shorter span has none.
    """
    counts = np.maximum(last - first - width + 1, 0)
    starts = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
    size = int(starts[-1])
    out = np.empty(size, np.uint64), np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int32)
    _fill_windows(words.hash, words.number, first, width, starts, *out)
    return out


def build(texts: pa.Array, words: WordPlaces, key: Hashes, first: Offsets, width: Offsets) -> NgramIndex:
    """The index of different n-grams: `key` ascending, and for each its first word and its width, 1 to `MAX_WIDTH`."""
    data, _ = utf8(texts)
    widths = np.unique(width).astype(np.int32) if len(width) else np.ones(1, np.int32)
    slots = np.zeros(1 << max(4, int(2 * len(key)).bit_length()), np.int32)
    bits = max(6, int(16 * len(key)).bit_length())
    index = NgramIndex(
        data,
        words.place[first],
        (words.stop[first + width - 1] - words.place[first]).astype(np.int32),
        width.astype(np.uint8),
        key,
        slots,
        np.zeros(1 << (bits - 6), np.uint64),
        widths,
    )
    _insert(index, words.hash, first)
    return index


def find(texts: pa.Array, index: NgramIndex) -> Found:
    """Every occurrence of an n-gram of the index in a string column. A null text has none."""
    data, offsets = utf8(texts)
    size = 1024
    while True:
        ngram, start, end = (np.empty(size, np.int32) for _ in range(3))
        out = Found(ngram, start, end, np.zeros(len(offsets), np.int64))
        needed = _find(data, offsets, word_table(), index, _block(), out)
        if needed <= size:
            return Found(out.ngram[:needed], out.start[:needed], out.end[:needed], out.offsets)
        size = int(needed)  # a text that is a test set: read once more


@borrowing
def _mixed(h: np.uint64, width: Int) -> np.uint64:
    """The finaliser of MurmurHash3 over the polynomial of `width` words."""
    h ^= np.uint64(width) * _FACTOR
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xFF51AFD7ED558CCD)
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xC4CEB9FE1A85EC53)
    return h ^ (h >> np.uint64(33))


@borrowing
def _polynomial(hashes: Hashes, first: Int, width: Int) -> np.uint64:
    h = np.uint64(0)
    for i in range(first, first + width):
        h = h * _BASE + hashes[i]
    return h


@compiled
def _fill_windows(
    hashes: Hashes,
    number: Bools,
    first: Offsets,
    width: Offsets,
    starts: Offsets,
    key: Hashes,
    begin: Offsets,
    span: Offsets,
    different: Int32s,
) -> None:
    for i in range(first.size):
        for out in range(starts[i], starts[i + 1]):
            word = first[i] + out - starts[i]
            key[out] = _mixed(_polynomial(hashes, word, width[i]), width[i])
            begin[out], span[out] = word, i
            num = 0
            for a in range(word, word + width[i]):
                seen = number[a]
                for b in range(word, a):
                    seen = seen or hashes[a] == hashes[b]
                num += not seen
            different[out] = num


@borrowing
def _filter_word(filter: Hashes, h: np.uint64) -> np.uint64:
    """Which word of the filter a hash belongs to: its first bits, as many as number the words (a power of two)."""
    return (h >> _32) & np.uint64(filter.size - 1)


@borrowing
def _filter_bits(h: np.uint64) -> np.uint64:
    """The three bits of a hash in its word: one look into memory, and three times in 400 a false yes."""
    return _ONE << (h & _63) | _ONE << ((h >> np.uint64(6)) & _63) | _ONE << ((h >> np.uint64(12)) & _63)


@compiled
def _insert(index: NgramIndex, hashes: Hashes, first: Offsets) -> None:
    mask, gate = np.uint64(index.slots.size - 1), np.int64(index.widths[0])
    for i in range(index.key.size):
        slot = index.key[i] & mask
        while index.slots[slot] != 0:
            slot = (slot + _ONE) & mask
        index.slots[slot] = i + 1
        h = _mixed(_polynomial(hashes, first[i] + index.width[i] - gate, gate), 0)
        index.filter[_filter_word(index.filter, h)] |= _filter_bits(h)


@borrowing
def _lookup(index: NgramIndex, key: np.uint64, width: Int) -> Int:
    mask = np.uint64(index.slots.size - 1)
    slot = key & mask
    while index.slots[slot] != 0:
        number = np.int64(index.slots[slot]) - 1
        if index.key[number] == key and index.width[number] == width:
            return number
        slot = (slot + _ONE) & mask
    return -1


@borrowing
def _read_words(
    data: Bytes, at: Int, end: Int, table: Table, gate: Int, power: np.uint64, block: _Block
) -> tuple[Int, Int]:
    """Fill a block behind the words that it keeps; where to go on, and how many words came."""
    num, rolling = np.int64(0), block.rolling[0]
    while num < BLOCK:
        start, stop, h, _ = next_word(data, at, end, table)
        at = stop
        if start < 0:
            break
        i = MAX_WIDTH + num
        block.hash[i], block.start[i], block.stop[i] = h, start, stop
        rolling = rolling * _BASE + h - block.hash[i - gate] * power
        block.last[num] = _mixed(rolling, 0)
        num += 1
    block.rolling[0] = rolling
    return at, num


@compiled
def _find(data: Bytes, offsets: Offsets, table: Table, index: NgramIndex, block: _Block, out: Found) -> Int:
    """How many occurrences there are; as many as `out` has room for are written."""
    gate, filter, power = np.int64(index.widths[0]), index.filter, np.uint64(1)
    for _ in range(gate):
        power *= _BASE
    found = 0
    for row in range(offsets.size - 1):
        begin, end = offsets[row], offsets[row + 1]
        at, before, num = begin, np.int64(0), np.int64(BLOCK)
        block.hash[:MAX_WIDTH], block.rolling[0] = 0, 0
        while num == BLOCK and index.key.size:
            at, num = _read_words(data, at, end, table, gate, power, block)
            # The filter does not fit the caches: asked for many words in a row, the processor waits for several looks
            # at once (1.5 million n-grams: 144 MB/s on one core, not 70).
            hits = 0
            for i in range(num):
                bits = _filter_bits(block.last[i])
                block.hits[hits] = i
                hits += filter[_filter_word(filter, block.last[i])] & bits == bits
            for hit in range(hits):
                last = MAX_WIDTH + block.hits[hit]
                for w in range(index.widths.size):
                    width = np.int64(index.widths[w])
                    if before + block.hits[hit] + 1 < width:
                        break
                    first = last + 1 - width
                    number = _lookup(index, _mixed(_polynomial(block.hash, first, width), width), width)
                    if number < 0:
                        continue
                    place, own = block.start[first], index.place[number]
                    own_end = own + index.size[number]
                    if not same_words(data, place, block.stop[last], index.data, own, own_end, width, table):
                        continue
                    if found < out.ngram.size:
                        out.ngram[found], out.start[found] = number, place - begin
                        out.end[found] = block.stop[last] - begin
                    found += 1
            before += num
            for i in range(MAX_WIDTH):
                block.hash[i], block.start[i] = block.hash[num + i], block.start[num + i]
        out.offsets[row + 1] = found
    return found
