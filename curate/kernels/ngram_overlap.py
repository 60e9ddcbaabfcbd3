"""How much of a text's n-grams occur in a reference: the similarity by which CC-Stories was chosen.

Source: Trinh and Le 2018, "A Simple Method for Commonsense Reasoning", section 5.2: F1 of the overlap for n from 1 to
4, each weighted by n. N-grams are of Unicode words in lower case and compared by 64-bit hashes: among 10**8 different
ones two collide with a probability of 3e-4.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.compiled import compiled
from curate.kernels.recurrence import MIX, table_bits
from curate.kernels.scan import (
    FACTOR,
    SEED,
    SHIFT,
    Lines,
    Words,
    lower_of,
    scan,
    scratch_lines,
    scratch_words,
    text_bytes,
)
from curate.kernels.signals import signal_struct
from curate.kernels.unicode_tables import CharTable, char_table
from curate.kernels.utf8 import Bool, Bytes, Int, Offsets, code_point, utf8
from curate.kernels.words import WordSource, room, unicode, words_of

Keys = NDArray[np.uint64]

LONGEST = 4
SIGNALS = pa.struct(
    [
        *(pa.field(f"f1_{n}gram", pa.float64()) for n in range(1, LONGEST + 1)),
        pa.field("similarity", pa.float64()),
    ]
)


class Reference(NamedTuple):
    """The different n-grams of a reference."""

    keys: Keys  # open addressing; 0 is empty
    num: NDArray[np.int64]  # of 1-grams, 2-grams, …


def reference_ngrams(texts: Sequence[str]) -> Reference:
    """The n-grams of some texts together."""
    data, offsets = utf8(pa.array(list(texts), pa.string()))
    keys = np.zeros(1 << table_bits(max(LONGEST * int(offsets[-1]), 1)), np.uint64)
    num = np.zeros(LONGEST, np.int64)
    _collect(data, offsets, char_table(), unicode(), _scratch(offsets), keys, num)
    return Reference(keys, num)


def ngram_overlap(texts: pa.StringArray, reference: Reference) -> pa.StructArray:
    """`SIGNALS` of each text. Null text: null fields; no words: 0.

    - `f1_{n}gram`: harmonic mean of the share of the text's different n-grams that the reference has, and the share of
      the reference's that the text has.
    - `similarity`: their mean, each weighted by n; in [0, 1].
    """
    data, offsets = utf8(texts)
    out = np.zeros((len(SIGNALS), len(texts)))
    _rows(data, offsets, char_table(), unicode(), _scratch(offsets), reference, out)
    return signal_struct(SIGNALS, dict(zip(SIGNALS.names, out, strict=True)), texts)


class _Scratch(NamedTuple):
    words: Words
    lines: Lines
    others: Words
    seen: Keys


def _scratch(offsets: Offsets) -> _Scratch:
    others = scratch_words(offsets, room(unicode(), offsets))
    seen = np.empty(1 << table_bits(len(others.start)), np.uint64)
    return _Scratch(scratch_words(offsets), scratch_lines(offsets), others, seen)


@compiled
def _words(text: Bytes, table: CharTable, source: WordSource, room: _Scratch) -> Int:
    """The Unicode words of a text, their keys those of their lower case; how many."""
    num, _ = scan(text, table, False, room.words, room.lines)
    words, num = words_of(text, 0, table, source, room.words, num, room.others)
    for i in range(num):
        at, key = words.start[i], SEED
        while at < words.end[i]:
            point, width = code_point(text, at, words.end[i])
            key = (key ^ np.uint64(lower_of(table, point))) * FACTOR
            at += width
        words.key[i] = key ^ (key >> SHIFT)
    return num


@compiled
def _ngram_key(words: Keys, at: Int, n: int) -> np.uint64:
    """Never 0; n-grams of different n differ."""
    key = SEED + np.uint64(n)
    for i in range(at, at + n):
        key = (key ^ words[i]) * FACTOR
        key ^= key >> SHIFT
    return key | np.uint64(1)


@compiled
def _added(keys: Keys, bits: int, key: np.uint64) -> Bool:
    """Put a key into a set; False where it was there."""
    mask = (1 << bits) - 1
    slot = np.int64((key * MIX) >> np.uint64(64 - bits))
    while keys[slot] != 0:
        if keys[slot] == key:
            return False
        slot = (slot + 1) & mask
    keys[slot] = key
    return True


@compiled
def _holds(keys: Keys, bits: int, key: np.uint64) -> Bool:
    mask = (1 << bits) - 1
    slot = np.int64((key * MIX) >> np.uint64(64 - bits))
    while keys[slot] != 0:
        if keys[slot] == key:
            return True
        slot = (slot + 1) & mask
    return False


@compiled
def _collect(
    data: Bytes,
    offsets: Offsets,
    table: CharTable,
    source: WordSource,
    room: _Scratch,
    keys: Keys,
    num: NDArray[np.int64],
) -> None:
    bits = table_bits(keys.size // 2)
    for row in range(offsets.size - 1):
        num_words = _words(text_bytes(data, offsets, row), table, source, room)
        for n in range(1, LONGEST + 1):
            for at in range(num_words - n + 1):
                num[n - 1] += _added(keys, bits, _ngram_key(room.others.key, at, n))


@compiled
def _rows(
    data: Bytes,
    offsets: Offsets,
    table: CharTable,
    source: WordSource,
    room: _Scratch,
    reference: Reference,
    out: NDArray[np.float64],
) -> None:
    known = table_bits(reference.keys.size // 2)
    for row in range(offsets.size - 1):
        num_words = _words(text_bytes(data, offsets, row), table, source, room)
        bits = table_bits(num_words)
        weighted = 0.0
        for n in range(1, LONGEST + 1):
            room.seen[: 1 << bits] = 0
            different = shared = 0
            for at in range(num_words - n + 1):
                key = _ngram_key(room.others.key, at, n)
                if _added(room.seen, bits, key):
                    different += 1
                    shared += _holds(reference.keys, known, key)
            # 2PR / (P + R) with P = shared / different and R = shared / those of the reference.
            f1 = 2 * shared / max(different + reference.num[n - 1], 1)
            out[n - 1, row] = f1
            weighted += n * f1
        out[LONGEST, row] = weighted / (LONGEST * (LONGEST + 1) / 2)
