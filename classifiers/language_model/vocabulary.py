"""The words of a corpus: numbered as they come while it is read, by frequency once it has been."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from curate.kernels.int64_index import grown
from curate.kernels.utf8 import Bytes, Offsets, utf8
from curate.kernels.word_ids import (
    MAX_WORD_BYTES,
    RESERVED,
    SPECIALS,
    Hashes,
    Ids,
    WordTable,
    fill_slots,
    hash_word,
    number_words,
)

_IDS_AT_ONCE = 1 << 20


class Words(NamedTuple):
    """Words by number: 0 <unk>, 1 <s>, 2 </s>, then the most frequent first, of equals that of the lesser hash.

    So a corpus has one numbering, whatever order it is read in and by how many.
    """

    letters: Bytes  # UTF-8, one word after the other
    start: Offsets  # int64[words + 1], in `letters`
    hash: Hashes  # MurmurHash64A of each
    counts: Offsets  # how often each comes; of </s>: how many sentences there are

    def word(self, number: int) -> bytes:
        """The bytes of a word."""
        return self.letters[self.start[number] : self.start[number + 1]].tobytes()


class WordNumbers:
    """Numbers words in the order of their first appearance."""

    def __init__(self) -> None:
        self._reserved = np.array([hash_word(np.frombuffer(word, np.uint8)) for word in RESERVED], np.uint64)
        self._table = WordTable(
            np.zeros(1 << 17, np.int32),
            np.zeros(1 << 16, np.uint64),
            np.zeros(1 << 16, np.int64),
            np.zeros((1 << 16) + 1, np.int64),
            np.zeros(1 << 20, np.uint8),
        )
        self.num_words = len(SPECIALS)
        for number, word in enumerate(SPECIALS):
            first = self._table.start[number]
            self._table.letters[first : first + len(word)] = np.frombuffer(word, np.uint8)
            self._table.start[number + 1] = first + len(word)
            self._table.hash[number] = self._reserved[number]
        fill_slots(self._table.hash, self._table.slots, self.num_words)

    def ids(self, texts: pa.Array) -> Iterator[Ids]:
        """The ids of the words of a string column, with `SENTENCE_END` behind each line; a null text has none."""
        data, offsets = utf8(texts)
        place = np.array([0, 0, 0, self.num_words, 0], np.int64)
        while place[0] < len(texts):
            ids = np.empty(_IDS_AT_ONCE, np.uint32)
            number_words(data, offsets, self._reserved, self._table, place, ids)
            self.num_words = int(place[3])
            yield ids[: place[4]]
            if place[0] < len(texts):
                self._grow()

    def finish(self) -> tuple[Words, Ids]:
        """The words by frequency, and the number there of each number given before."""
        num, table = self.num_words, self._table
        return by_frequency(Words(table.letters, table.start[: num + 1], table.hash[:num], table.counts[:num]))

    def _grow(self) -> None:
        """Make room for at least one more word of any length where it has run out."""
        table, num = self._table, self.num_words
        hashes, count, start, slots, letters = table.hash, table.counts, table.start, table.slots, table.letters
        if num >= hashes.size:
            hashes, count = grown(hashes, num, 2 * num), grown(count, num, 2 * num)
            start = grown(start, num + 1, 2 * num + 1)
            slots = np.zeros(4 * num, np.int32)
            fill_slots(hashes, slots, num)
        if start[num] + MAX_WORD_BYTES > letters.size:
            letters = grown(letters, int(start[num]), 2 * letters.size)
        self._table = WordTable(slots, hashes, count, start, letters)


def by_frequency(words: Words) -> tuple[Words, Ids]:
    """Words, of which the first three are `SPECIALS`, in the order of `Words`, and the number there of each."""
    num, special = len(words.hash), len(SPECIALS)
    order = np.lexsort((words.hash[special:], -words.counts[special:])) + special
    order = np.concatenate([np.arange(special), order])
    rank = np.empty(num, np.uint32)
    rank[order] = np.arange(num, dtype=np.uint32)
    sizes = np.diff(words.start)[order]
    start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    place = np.repeat(words.start[:-1][order] - start[:-1], sizes) + np.arange(start[-1])
    return Words(words.letters[place], start, words.hash[order], words.counts[order]), rank
