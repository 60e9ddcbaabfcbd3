"""Keys that occur at least twice, found slice by slice, with little moved.

The highest `SLICE_BITS` of a well mixed 64-bit key name its slice, the next 32 are what is moved of it. So equal keys
meet in one slice at four bytes each; among n different keys n / 2**42 pass for repeated by accident, which is for a
prefilter to allow.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.bloom import Keys
from curate.kernels.compiled import borrowing

SLICE_BITS = 10
NUM_SLICES = 1 << SLICE_BITS
_UNUSED = np.uint64(64 - SLICE_BITS - 32)

Parts = NDArray[np.uint32]


def slices(keys: Keys) -> tuple[pa.Int32Array, pa.BinaryArray]:
    """The slices that occur, and the sorted 32-bit parts of their keys; of equal ones two are kept, which is enough."""
    found = np.sort(keys >> _UNUSED)  # 42 bits
    found = found[: _at_most_two(found)]
    numbers = (found >> np.uint64(32)).astype(np.int32)
    starts = np.flatnonzero(np.diff(numbers, prepend=-1))
    offsets = pa.py_buffer((4 * np.append(starts, found.size)).astype(np.int32))
    parts = pa.py_buffer(found.astype(np.uint32))
    return pa.array(numbers[starts]), pa.BinaryArray.from_buffers(pa.binary(), len(starts), [None, offsets, parts])


def recurring(parts: Parts) -> Parts:
    """The distinct values that occur at least twice, sorted."""
    found = np.sort(parts)
    again: Parts = np.unique(found[1:][found[1:] == found[:-1]])
    return again


def rounded(keys: Keys) -> Keys:
    """The keys as far as slices tell them apart."""
    rounded: Keys = keys >> _UNUSED << _UNUSED
    return rounded


def restored(number: int, parts: Parts) -> Keys:
    """The `rounded` keys out of a slice and their parts."""
    return (np.uint64(number << 32) | parts.astype(np.uint64)) << _UNUSED


@borrowing
def _at_most_two(found: Keys) -> int:
    """Close up sorted values to two of each at most, in place; how many are left."""
    count = 0
    for i in range(found.size):
        if count < 2 or found[count - 2] != found[i]:
            found[count] = found[i]
            count += 1
    return count
