"""Random numbers keyed by document, for a whole batch: BLAKE2b (RFC 7693) in compiled code.

They are the numbers that `curate.document.uniform` is made of, so that a draw is the same whichever of the two took it.
A row has its own key and nothing else decides: neither order nor neighbours nor the machine.
"""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, compiled
from curate.kernels.utf8 import Bytes, Int, Offsets, utf8

Draws = NDArray[np.uint64]

_DIGEST_BYTES = 8
_BLOCK = 128
#: RFC 7693, section 2.6: the first 64 bits of the fractional parts of the square roots of the first eight primes.
_START = np.array([math.isqrt(prime << 128) % 2**64 for prime in (2, 3, 5, 7, 11, 13, 17, 19)], np.uint64)
#: Section 2.7: which word of a block each round takes when; rounds 11 and 12 are the first two again.
_ORDER = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
    ],
    np.uint8,
)


def draws(doc_ids: pa.Array, seed: int, purpose: str) -> Draws:
    """64 random bits for each document: uint64[len(doc_ids)]; over 2**64 they are `curate.document.uniform`.

    A null id draws as "".
    """
    data, offsets = utf8(doc_ids)
    prefix = np.frombuffer(f"{purpose}\0{seed}\0".encode(), np.uint8)
    found = np.empty(len(doc_ids), np.uint64)
    _draw(data, offsets, prefix, _START, _ORDER, np.zeros(32, np.uint64), found)
    return found


@compiled
def _draw(
    data: Bytes, offsets: Offsets, prefix: Bytes, start: Draws, order: Bytes, scratch: Draws, found: Draws
) -> None:
    state, words, mixed = scratch[:8], np.zeros(16, np.uint64), np.zeros(16, np.uint64)
    for row in range(offsets.size - 1):
        first, end = offsets[row], offsets[row + 1]
        size = prefix.size + end - first
        state[:] = start
        state[0] ^= np.uint64(0x01010000 ^ _DIGEST_BYTES)
        done = 0
        while True:
            _fill(data, first, prefix, size, done, words)
            last = done + _BLOCK >= size
            done = size if last else done + _BLOCK
            _compress(state, words, mixed, start, order, done, last)
            if last:
                break
        found[row] = state[0]


@borrowing
def _fill(data: Bytes, first: Int, prefix: Bytes, size: Int, done: Int, words: Draws) -> None:
    """The block that begins `done` bytes into the prefix and the id behind it, zeros after their end."""
    words[:] = np.uint64(0)
    for i in range(min(size - done, _BLOCK)):
        at = done + i
        byte = prefix[at] if at < prefix.size else data[first + at - prefix.size]
        words[i >> 3] |= np.uint64(byte) << np.uint64(8 * (i & 7))


@borrowing
def _compress(state: Draws, words: Draws, v: Draws, start: Draws, order: Bytes, done: Int, last: Int) -> None:
    for i in range(8):
        v[i], v[i + 8] = state[i], start[i]
    v[12] ^= np.uint64(done)
    if last:
        v[14] = ~v[14]
    for turn in range(12):
        s = order[turn % 10]
        for i in range(4):
            _mix(v, i, 4 + i, 8 + i, 12 + i, words[s[2 * i]], words[s[2 * i + 1]])
        for i in range(4):
            _mix(v, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, words[s[8 + 2 * i]], words[s[9 + 2 * i]])
    for i in range(8):
        state[i] ^= v[i] ^ v[i + 8]


@borrowing
def _mix(v: Draws, a: Int, b: Int, c: Int, d: Int, x: Int, y: Int) -> None:
    v[a] = v[a] + v[b] + x
    v[d] = _turned(v[d] ^ v[a], 32)
    v[c] = v[c] + v[d]
    v[b] = _turned(v[b] ^ v[c], 24)
    v[a] = v[a] + v[b] + y
    v[d] = _turned(v[d] ^ v[a], 16)
    v[c] = v[c] + v[d]
    v[b] = _turned(v[b] ^ v[c], 63)


@borrowing
def _turned(word: Int, by: Int) -> Int:
    return (word >> np.uint64(by)) | (word << np.uint64(64 - by))
