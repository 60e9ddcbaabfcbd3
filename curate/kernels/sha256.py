"""SHA-256 (FIPS 180-4) of slices of a byte array in compiled code, and its remainder: which bucket a string falls into.

For hashing many short strings to the buckets that `int(hashlib.sha256(s).hexdigest(), 16) % num_buckets` gives, at a
tenth of the price of a call for each. It is no means of security: nothing here hides how long it took.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing
from curate.kernels.utf8 import Bytes, Int

Words = NDArray[np.uint32]

_BLOCK = 64


def _primes(count: int) -> list[int]:
    found: list[int] = []
    number = 2
    while len(found) < count:
        if all(number % prime for prime in found):
            found.append(number)
        number += 1
    return found


def _cube_root(number: int) -> int:
    """The whole part, by Newton's method from above."""
    root = 1 << -(-number.bit_length() // 3)
    while (lower := (2 * root + number // root**2) // 3) < root:
        root = lower
    return root


def sha256_constants() -> tuple[Words, Words]:
    """(start, rounds): 32 bits of the fractions of square roots of 8 primes, and of cube roots of 64."""
    start = [math.isqrt(prime << 64) % 2**32 for prime in _primes(8)]
    rounds = [_cube_root(prime << 96) % 2**32 for prime in _primes(64)]
    return np.array(start, np.uint32), np.array(rounds, np.uint32)


def scratch_sha256() -> Words:
    """Room that `sha256_bucket` works in: the state and a schedule of 64 words."""
    return np.zeros(72, np.uint32)


@borrowing
def sha256_bucket(
    data: Bytes, first: Int, end: Int, num_buckets: Int, start: Words, rounds: Words, scratch: Words
) -> Any:
    """The hash of `data[first:end]`, read as one number of 256 bits, modulo `num_buckets` (below 2**31)."""
    size = end - first
    for i in range(8):
        scratch[64 + i] = start[i]
    for block in range((size + 9 + _BLOCK - 1) // _BLOCK):
        _fill(data, first, size, block * _BLOCK, scratch)
        _compress(rounds, scratch)
    remainder, modulus = np.uint64(0), np.uint64(num_buckets)
    for i in range(8):
        remainder = (remainder << np.uint64(32) | np.uint64(scratch[64 + i])) % modulus
    return np.int64(remainder)


@borrowing
def _fill(data: Bytes, first: Int, size: Int, done: Int, scratch: Words) -> None:
    """The block that begins `done` bytes into the padded message, as 16 words; the most significant byte is first."""
    for i in range(16):
        scratch[i] = 0
    for i in range(min(max(size - done, 0), _BLOCK)):
        scratch[i >> 2] |= np.uint32(np.uint32(data[first + done + i]) << np.uint32(24 - 8 * (i & 3)))
    if done <= size < done + _BLOCK:
        i = size - done
        scratch[i >> 2] |= np.uint32(np.uint32(0x80) << np.uint32(24 - 8 * (i & 3)))
    if size + 9 <= done + _BLOCK:
        scratch[14], scratch[15] = np.uint32(size * 8 >> 32), np.uint32(size * 8)


@borrowing
def _compress(rounds: Words, scratch: Words) -> None:
    for i in range(16, 64):
        near, far = scratch[i - 2], scratch[i - 15]
        mixed = _turned(near, 17) ^ _turned(near, 19) ^ near >> np.uint32(10)
        other = _turned(far, 7) ^ _turned(far, 18) ^ far >> np.uint32(3)
        scratch[i] = np.uint32(mixed + scratch[i - 7] + other + scratch[i - 16])
    a, b, c, d = scratch[64], scratch[65], scratch[66], scratch[67]
    e, f, g, h = scratch[68], scratch[69], scratch[70], scratch[71]
    for i in range(64):
        mixed = _turned(e, 6) ^ _turned(e, 11) ^ _turned(e, 25)
        first = np.uint32(h + mixed + (e & f ^ ~e & g) + rounds[i] + scratch[i])
        mixed = _turned(a, 2) ^ _turned(a, 13) ^ _turned(a, 22)
        second = np.uint32(mixed + (a & b ^ a & c ^ b & c))
        h, g, f, e = g, f, e, np.uint32(d + first)
        d, c, b, a = c, b, a, np.uint32(first + second)
    scratch[64] += a
    scratch[65] += b
    scratch[66] += c
    scratch[67] += d
    scratch[68] += e
    scratch[69] += f
    scratch[70] += g
    scratch[71] += h


@borrowing
def _turned(word: Int, by: Int) -> Int:
    return np.uint32(word >> np.uint32(by)) | np.uint32(word << np.uint32(32 - by))
