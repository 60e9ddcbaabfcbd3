"""A blocked Bloom filter: a set of 64-bit keys in a few bits each, which sometimes holds a key it was not given.

All bits of a key lie in one block of 512, which is one line of the processor's cache, so a look-up waits for memory
once (Putze, Sanders and Singler 2007, "Cache-, hash- and space-efficient Bloom filters"). The price is that blocks fill
unevenly: `expected_rate` is the rate of false positives with that taken into account, and what `sized` goes by.

A key's block is decided by its highest 32 bits, in order: keys must be well mixed hashes, and a range of keys has a
range of blocks. So a filter can be built in pieces, each by the task that has its keys, with nothing to be merged.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing

Keys = NDArray[np.uint64]
Blocks = NDArray[np.uint64]

BLOCK_BYTES = 64
_BLOCK_BITS = 8 * BLOCK_BYTES
_MAX_PROBES = 14


class Bloom(NamedTuple):
    """Bits, and how many of its block each key sets."""

    blocks: Blocks  # uint64[num_blocks, 8]
    num_probes: int


class Size(NamedTuple):
    """What a filter is made of."""

    num_blocks: int
    num_probes: int


def expected_rate(num_keys: float, size: Size) -> float:
    """The share in [0, 1] of keys not in the filter that it holds all the same, after `num_keys` different ones.

    Keys of a block are Poisson distributed; within one each bit is taken for independent.
    """
    load = num_keys / size.num_blocks
    first, last = max(0, int(load - 12 * math.sqrt(load) - 12)), int(load + 12 * math.sqrt(load) + 12)
    rate = 0.0
    for keys in range(first, last + 1):
        likelihood = math.exp(keys * math.log(load) - load - math.lgamma(keys + 1)) if load else float(keys == 0)
        clear = (1 - 1 / _BLOCK_BITS) ** (size.num_probes * keys)
        rate += likelihood * (1 - clear) ** size.num_probes
    return rate


def sized(num_keys: int, rate: float, max_bytes: int, num_pieces: int = 1) -> Size:
    """The smallest filter for `num_keys` keys whose expected rate is at most `rate`, but of `max_bytes` at most.

    The number of blocks is a multiple of `num_pieces`, so that each piece has as many; at least one each.
    """
    most = max(1, max_bytes // BLOCK_BYTES // num_pieces)
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        if expected_rate(num_keys, _best(num_keys, middle * num_pieces)) <= rate:
            high = middle
        else:
            low = middle + 1
    return _best(num_keys, low * num_pieces)


def _best(num_keys: int, num_blocks: int) -> Size:
    """With the number of probes that halves the clear bits, which is the best of an unblocked filter."""
    bits_per_key = num_blocks * _BLOCK_BITS / max(1, num_keys)
    return Size(num_blocks, min(_MAX_PROBES, max(1, round(bits_per_key * math.log(2)))))


def empty(size: Size) -> Bloom:
    """A filter without keys."""
    return Bloom(np.zeros((size.num_blocks, 8), np.uint64), size.num_probes)


def add(bloom: Bloom, keys: Keys, piece: int = 0, num_pieces: int = 1) -> None:
    """Put keys in. Where `bloom` is one of `num_pieces` pieces of a filter, `keys` must belong to that piece."""
    num_blocks = len(bloom.blocks) * num_pieces
    _add(bloom.blocks, keys, np.uint64(num_blocks), np.uint64(piece * len(bloom.blocks)), bloom.num_probes)


def contains(bloom: Bloom, keys: Keys) -> NDArray[np.bool_]:
    """Whether each key is in: bool[len(keys)]. True for all that were put in, and for few others."""
    out = np.empty(keys.size, np.bool_)
    _contains(bloom.blocks, keys, bloom.num_probes, out)
    return out


@borrowing
def _bits(key: np.uint64) -> np.uint64:
    """Seven numbers of 9 bits, from all of the key."""
    key *= np.uint64(0x9FB21C651E98DF25)
    key ^= key >> np.uint64(32)
    key *= np.uint64(0xD6E8FEB86659FD93)
    return key ^ (key >> np.uint64(29))


@borrowing
def _add(blocks: Blocks, keys: Keys, num_blocks: np.uint64, first: np.uint64, num_probes: int) -> None:
    for i in range(keys.size):
        block = ((keys[i] >> np.uint64(32)) * num_blocks >> np.uint64(32)) - first
        bits = _bits(keys[i])
        for probe in range(num_probes):
            if probe == 7:
                bits = _bits(~keys[i])
            bit = bits & np.uint64(511)
            blocks[block, bit >> np.uint64(6)] |= np.uint64(1) << (bit & np.uint64(63))
            bits >>= np.uint64(9)


@borrowing
def _contains(blocks: Blocks, keys: Keys, num_probes: int, out: NDArray[np.bool_]) -> None:
    num_blocks = np.uint64(blocks.shape[0])
    for i in range(keys.size):
        block = (keys[i] >> np.uint64(32)) * num_blocks >> np.uint64(32)
        bits = _bits(keys[i])
        held = True
        for probe in range(num_probes):
            if probe == 7:
                bits = _bits(~keys[i])
            bit = bits & np.uint64(511)
            if not blocks[block, bit >> np.uint64(6)] >> (bit & np.uint64(63)) & np.uint64(1):
                held = False
                break
            bits >>= np.uint64(9)
        out[i] = held
