"""Text as word numbers: white space parts words, line ends part sentences, and a table numbers words as they come.

A word is known by its 64-bit MurmurHash64A (Austin Appleby, public domain), as KenLM knows it: two words of one hash
would be one word to the library that reads the model, so they are one here (a million words: one chance in 36 million).

White space is what `bytes.split` takes for it, for that is how the `kenlm` module parts a query, and NUL, which ends a
word in KenLM's files. Skipped as if they were white space: words that mean something to KenLM (`RESERVED`), as `lmplz
--skip_symbols` does, and words longer than `MAX_WORD_BYTES`. A line without words is no sentence.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, compiled
from curate.kernels.utf8 import Bool, Bytes, Int, Offsets

Hashes = NDArray[np.uint64]
Ids = NDArray[np.uint32]
Int32s = NDArray[np.int32]

UNKNOWN, SENTENCE_BEGIN, SENTENCE_END = 0, 1, 2
#: The words numbered 0, 1, 2; KenLM reads <UNK> as <unk>, so that would stand there twice.
SPECIALS = (b"<unk>", b"<s>", b"</s>")
RESERVED = (*SPECIALS, b"<UNK>")
MAX_WORD_BYTES = 1000  # our choice: no pre-tokenizer makes such words, and a hostile page cannot fill the vocabulary

_FACTOR, _SHIFT = np.uint64(0xC6A4A7935BD1E995), np.uint64(47)


class WordTable(NamedTuple):
    """Words by number. Its arrays are longer than what is filled of them."""

    slots: Int32s  # number + 1, or 0; a power of two of them
    hash: Hashes
    counts: Offsets
    start: Offsets  # in `letters`; one more than words
    letters: Bytes


@borrowing
def murmur64(data: Bytes, start: Int, end: Int) -> np.uint64:
    """MurmurHash64A of `data[start:end]` with seed 0."""
    h = np.uint64(end - start) * _FACTOR
    at = start
    while at + 8 <= end:
        k = np.uint64(0)
        for i in range(8):
            k |= np.uint64(data[at + i]) << np.uint64(8 * i)
        k *= _FACTOR
        k ^= k >> _SHIFT
        h = (h ^ (k * _FACTOR)) * _FACTOR
        at += 8
    if at < end:
        for i in range(end - at):
            h ^= np.uint64(data[at + i]) << np.uint64(8 * i)
        h *= _FACTOR
    h = (h ^ (h >> _SHIFT)) * _FACTOR
    return h ^ (h >> _SHIFT)


@compiled
def hash_word(word: Bytes) -> np.uint64:
    """The hash that a word is known by."""
    return murmur64(word, 0, word.size)


@borrowing
def is_space(byte: Int) -> Bool:
    """White space within or between lines, or NUL."""
    return byte == 32 or 9 <= byte <= 13 or byte == 0


@borrowing
def find_word(hashes: Hashes, slots: Int32s, h: np.uint64) -> Int:
    """The slot of a hash, or the empty one where it belongs."""
    mask = np.int64(slots.size - 1)
    slot = np.int64(h >> np.uint64(32)) & mask
    while slots[slot] != 0 and hashes[slots[slot] - 1] != h:
        slot = (slot + 1) & mask
    return slot


@borrowing
def fill_slots(hashes: Hashes, slots: Int32s, num_words: Int) -> None:
    """Put the first `num_words` hashes into slots that are all empty."""
    for word in range(num_words):
        slots[find_word(hashes, slots, hashes[word])] = word + 1


@borrowing
def number_words(data: Bytes, offsets: Offsets, reserved: Hashes, table: WordTable, place: Offsets, ids: Ids) -> None:
    """Give the ids of some words, with `SENTENCE_END` behind each sentence, until the texts end or something is full.

    place: int64[5], how far it has come: row, byte, whether a sentence is open, words in all; ids given by this call.
    New words are put into the table. It returns early, with its place, where less than one word's room is left in
    `ids`, in the table's words or in its letters.
    """
    row, at, is_open, num_words, out = place[0], place[1], place[2], place[3], np.int64(0)
    room = table.hash.size
    while row < offsets.size - 1:
        end = offsets[row + 1]
        if at < offsets[row]:
            at = offsets[row]
        while at < end and is_space(data[at]) and data[at] != 10:
            at += 1
        if out + 2 > ids.size or num_words >= room or table.start[num_words] + MAX_WORD_BYTES > table.letters.size:
            break
        if at >= end or data[at] == 10:
            if is_open:
                ids[out] = SENTENCE_END
                table.counts[SENTENCE_END] += 1
                out += 1
                is_open = 0
            if at >= end:
                row += 1
            else:
                at += 1
            continue
        stop = at
        while stop < end and not is_space(data[stop]):
            stop += 1
        word, at = at, stop
        if stop - word > MAX_WORD_BYTES:
            continue
        h = murmur64(data, word, stop)
        if h == reserved[0] or h == reserved[1] or h == reserved[2] or h == reserved[3]:
            continue
        slot = find_word(table.hash, table.slots, h)
        if table.slots[slot] == 0:
            table.slots[slot] = num_words + 1
            table.hash[num_words], table.counts[num_words] = h, 0
            first = table.start[num_words]
            for i in range(stop - word):
                table.letters[first + i] = data[word + i]
            table.start[num_words + 1] = first + stop - word
            num_words += 1
        number = table.slots[slot] - 1
        table.counts[number] += 1
        ids[out] = number
        out += 1
        is_open = 1
    place[0], place[1], place[2], place[3], place[4] = row, at, is_open, num_words, out
