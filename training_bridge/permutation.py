"""A keyed permutation of 0..n-1 that needs no table: each index is computed by itself.

A balanced Feistel network over the smallest even number of bits that holds n, walked until it lands below n (cycle
walking: Black and Rogaway, "Ciphers with Arbitrary Finite Domains", 2002). It shuffles; it is no cipher: the round
function is splitmix64's finaliser (Steele, Lea and Flood 2014), the round keys come from BLAKE2b over the key.
"""

from __future__ import annotations

import hashlib

_MASK = (1 << 64) - 1
ROUNDS = (
    6  # four make a strong pseudo-random permutation of large halves (Luby and Rackoff 1988); two more for small ones
)


class Permutation:
    """A permutation of 0..size-1 that depends on `size` and `key` alone. Memory does not grow with size.

    >>> order = Permutation(5, key="example")
    >>> sorted(order[index] for index in range(5))
    [0, 1, 2, 3, 4]
    """

    def __init__(self, size: int, key: str) -> None:
        self.size = size
        self._half = max(1, (max(size - 1, 0).bit_length() + 1) // 2)
        digest = hashlib.blake2b(key.encode(), digest_size=8 * ROUNDS).digest()
        self._keys = [int.from_bytes(digest[8 * i : 8 * i + 8], "little") for i in range(ROUNDS)]

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> int:
        """Where `index` goes. IndexError outside 0..size-1. At most four walks on average: the domain is < 4 · size."""
        if not 0 <= index < self.size:
            raise IndexError(index)
        index = self._shuffle(index)
        while index >= self.size:
            index = self._shuffle(index)
        return index

    def _shuffle(self, value: int) -> int:
        half, mask = self._half, (1 << self._half) - 1
        left, right = value >> half, value & mask
        for key in self._keys:
            left, right = right, left ^ (_mix(right ^ key) & mask)
        return left << half | right


def _mix(value: int) -> int:
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    value = (value ^ value >> 27) * 0x94D049BB133111EB & _MASK
    return value ^ value >> 31
