"""Which tokens of sentences a vocabulary lacks, where asking it about each one would cost as much as scoring.

A table remembers by 64 bits of hash what was asked before; only a token met for the first time is asked about. Two
tokens with one hash are met as one, as they are in KenLM's own vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing
from curate.kernels.utf8 import Bytes, Int, Offsets, utf8

_SLOTS, _ASKED = 1 << 20, 1 << 14  # tokens remembered (half as many), and asked about at a time
_NEW, _KNOWN, _UNKNOWN = 1, 2, 3  # the lowest bits of a key; a key of 0 is an empty slot
_MARK = np.uint64(3)
_BYTE, _SENTENCE, _USED, _NUM = range(4)  # of `state`
_SLOT, _OF, _START, _END = range(4)  # columns of `waiting`; START is -1 but at the first of equal tokens


class KnownTokens:
    """What is known of a vocabulary. 9 MB; when full it forgets all, which changes no count."""

    def __init__(self, contains: Callable[[bytes], bool]) -> None:
        self._contains = contains
        self._keys, self._used = np.zeros(_SLOTS, np.uint64), 0

    def unknown(self, sentences: pa.LargeStringArray) -> NDArray[np.int64]:
        """How many tokens of each sentence, parted by one space, the vocabulary lacks: int64[len(sentences)]."""
        data, offsets = utf8(sentences)
        counts, waiting = np.zeros(len(sentences), np.int64), np.empty((_ASKED, 4), np.int64)
        state = np.array([offsets[0], 0, self._used, 0], np.int64)
        while state[_SENTENCE] < len(sentences):
            if state[_USED] >= _SLOTS // 2:
                self._keys[:], state[_USED] = 0, 0
            _look_up(data, offsets, self._keys, counts, waiting, state)
            self._ask(data, waiting[: state[_NUM]], counts)
        self._used = int(state[_USED])
        return counts

    def _ask(self, data: Bytes, waiting: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
        for slot, _, start, end in waiting[waiting[:, _START] >= 0].tolist():
            mark = _KNOWN if self._contains(data[start:end].tobytes()) else _UNKNOWN
            self._keys[slot] = self._keys[slot] & ~_MARK | np.uint64(mark)
        np.add.at(counts, waiting[self._keys[waiting[:, _SLOT]] & _MARK == _UNKNOWN, _OF], 1)


@borrowing
def _look_up(
    data: Bytes,
    offsets: Offsets,
    keys: NDArray[np.uint64],
    counts: NDArray[np.int64],
    waiting: NDArray[np.int64],
    state: NDArray[np.int64],
) -> None:
    """Count from `state` on, until the end or until there is no room to remember what is new."""
    at, sentence, used, num = state[_BYTE], state[_SENTENCE], state[_USED], np.int64(0)
    while sentence < counts.size and num < waiting.shape[0] and used < keys.size // 2:
        end, start = offsets[sentence + 1], at
        if at >= end:
            sentence += 1
            continue
        key: Int = np.uint64(0xCBF29CE484222325)  # FNV-1a, and a finaliser that brings all bits to the low ones
        while at < end and data[at] != 32:
            key = (key ^ np.uint64(data[at])) * np.uint64(0x100000001B3)
            at += 1
        key = (key ^ (key >> np.uint64(32))) * np.uint64(0x9FB21C651E98DF25)
        key = (key ^ (key >> np.uint64(29))) & ~_MARK | np.uint64(4)
        last = np.uint64(keys.size - 1)
        slot: Int = (key >> np.uint64(3)) & last
        while keys[slot] != 0 and keys[slot] & ~_MARK != key:
            slot = (slot + np.uint64(1)) & last
        mark: Int = keys[slot] & _MARK
        first = mark == 0
        if first:
            mark = np.uint64(_NEW)
            keys[slot] = key | mark
            used += 1
        if mark == _UNKNOWN:
            counts[sentence] += 1
        elif mark == _NEW:
            waiting[num, _SLOT], waiting[num, _OF] = slot, sentence
            waiting[num, _START], waiting[num, _END] = start if first else -1, at
            num += 1
        at += 1
        if at >= end:
            at = end
            sentence += 1
    state[_BYTE], state[_SENTENCE], state[_USED], state[_NUM] = at, sentence, used, num
