"""The hash tables of KenLM's binary files ("probing", format version 5): keys of n-grams, and entries put into buckets.

A table is an array of 32-bit numbers. An entry begins with its 64-bit key, low half first; a key of 0 is an empty
bucket. It lies in the first bucket that was free from key % buckets on (linear probing).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, compiled
from curate.kernels.ngram_keys import Keys, word_at
from curate.kernels.utf8 import Int

Table = NDArray[np.uint32]

# KenLM's lm/search_hashed.hh: how the key of an n-gram follows from that of its last words and the word before them.
_KEY_FACTOR, _WORD_FACTOR = np.uint64(8978948897894561157), np.uint64(17894857484156487943)


@compiled
def kenlm_keys(high: Keys, low: Keys, order: Int, bits: np.uint64) -> Keys:
    """KenLM's key of each n-gram: uint64[n-grams]. Word numbers are those of the file."""
    keys = np.empty(high.size, np.uint64)
    for i in range(high.size):
        key = np.uint64(word_at(high[i], low[i], 0, bits))
        for place in range(1, order):
            key = (key * _KEY_FACTOR) ^ (
                (np.uint64(word_at(high[i], low[i], place, bits)) + np.uint64(1)) * _WORD_FACTOR
            )
        keys[i] = key
    return keys


@borrowing
def put_entries(table: Table, keys: Keys, values: Table) -> None:
    """Put entries into free buckets. values: uint32[entries, k]; an entry takes 2 + k numbers of the table.

    Buckets must outnumber entries, else it does not end.
    """
    width = 2 + values.shape[1]
    buckets = np.uint64(table.size // width)
    for i in range(keys.size):
        bucket = keys[i] % buckets
        at = np.int64(bucket) * width
        while table[at] != 0 or table[at + 1] != 0:
            bucket += np.uint64(1)
            if bucket == buckets:
                bucket = np.uint64(0)
            at = np.int64(bucket) * width
        table[at], table[at + 1] = np.uint32(keys[i] & np.uint64(0xFFFFFFFF)), np.uint32(keys[i] >> np.uint64(32))
        for j in range(values.shape[1]):
            table[at + 2 + j] = values[i, j]
