"""Which of many pairs of hashes are equal, by a hash table, and which copy of each comes first.

Two hashes of 64 bits make one key; keys are equal where both are. Linear in their number.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, compiled
from curate.kernels.utf8 import Int

Hashes = NDArray[np.uint64]
Numbers = NDArray[np.int64]


class Groups(NamedTuple):
    """Groups of equal keys, numbered as they are first met."""

    of: Numbers  # int64[num_keys]: the group of each
    keys: Hashes  # uint64[num_groups, 2]
    slots: Numbers  # where `find` begins to look; -1 where there is none


@compiled
def groups(keys: Hashes) -> Groups:
    """The groups of keys: uint64[num_keys, 2]."""
    size = 4
    while size < 2 * len(keys):
        size *= 2
    slots, of = np.full(size, -1, np.int64), np.empty(len(keys), np.int64)
    known, num = np.empty((len(keys), 2), np.uint64), 0
    for i in range(len(keys)):
        at = _slot(keys[i, 0], keys[i, 1], known, slots)
        if slots[at] < 0:
            slots[at], known[num, 0], known[num, 1] = num, keys[i, 0], keys[i, 1]
            num += 1
        of[i] = slots[at]
    return Groups(of, known[:num].copy(), slots)


@compiled
def find(keys: Hashes, known: Hashes, slots: Numbers) -> Numbers:
    """The group of each key among `Groups.keys`, -1 where there is none: int64[num_keys]."""
    found = np.empty(len(keys), np.int64)
    for i in range(len(keys)):
        found[i] = slots[_slot(keys[i, 0], keys[i, 1], known, slots)]
    return found


@borrowing
def _slot(a: np.uint64, b: np.uint64, known: Hashes, slots: Numbers) -> Int:
    """Where a key is, or where it belongs."""
    mask = np.uint64(slots.size - 1)
    at = a & mask
    while slots[at] >= 0 and (known[slots[at], 0] != a or known[slots[at], 1] != b):
        at = (at + np.uint64(1)) & mask
    return at


def firsts(of: Numbers, *order: Numbers) -> tuple[Numbers, NDArray[np.bool_]]:
    """Members sorted by group and within it by `order`, the first column first; and where each group begins in that.

    >>> firsts(np.array([1, 0, 1]), np.array([5, 9, 4]))
    (array([1, 2, 0]), array([ True,  True, False]))
    """
    by_group = np.lexsort((*order[::-1], of))
    return by_group, np.diff(of[by_group], prepend=-1) != 0
