"""Numbers for int64 keys, in order of first appearance: an open-addressing index over arrays that its user holds.

The keys of one group lie in `keys[start:]`; a key's number counts from there. A slot holds number + 1, or 0, in 32
bits, so with `num_slots` slots a key costs 8 bytes and 6 of the index. Groups follow each other in the same arrays:
`forget` takes a group's keys out of the slots in the time that it took to put them in.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing

Keys = NDArray[np.int64]
Slots = NDArray[np.int32]
Int = Any  # a scalar of compiled code
Number = TypeVar("Number", bound=np.number[Any])

#: Numbers take 31 bits.
MAX_KEYS = (1 << 31) - 2


def empty_slots(num_keys: int) -> Slots:
    """Slots for so many keys, two thirds full once they are all there. ValueError beyond `MAX_KEYS`."""
    if num_keys > MAX_KEYS:
        raise ValueError(f"{num_keys:,} nodes in one task: it holds at most {MAX_KEYS:,}. Use more partitions")
    return np.zeros(num_keys * 3 // 2 + 1, np.int32)


def grown(array: NDArray[Number], count: int, capacity: int) -> NDArray[Number]:
    """An array of `capacity` items that begins with the first `count` of `array`."""
    larger = np.empty(capacity, array.dtype)
    larger[:count] = array[:count]
    return larger


@borrowing
def numbered(keys: Keys, slots: Slots, start: Int, count: Int, key: Int) -> Int:
    """The number of `key` in the group `keys[start:count]`; a new key is put at `keys[count]`, which must be there.

    It is new where its number is `count - start`.
    """
    place = _home(key, slots.size)
    while slots[place] != 0:
        number = np.int64(slots[place]) - 1
        if keys[start + number] == key:
            return number
        place = place + 1 if place + 1 < slots.size else 0
    keys[count] = key
    slots[place] = np.int32(count - start + 1)
    return count - start


@borrowing
def forget(keys: Keys, slots: Slots, start: Int, count: Int) -> None:
    """Take the group's keys out, the last first: on the way to a key's slot are only keys that came before it."""
    for at in range(count - 1, start - 1, -1):
        place = _home(keys[at], slots.size)
        while slots[place] != at - start + 1:
            place = place + 1 if place + 1 < slots.size else 0
        slots[place] = 0


@borrowing
def fill(keys: Keys, slots: Slots, start: Int, count: Int) -> None:
    """Put the different keys of a group into slots that are all empty."""
    for at in range(start, count):
        place = _home(keys[at], slots.size)
        while slots[place] != 0:
            place = place + 1 if place + 1 < slots.size else 0
        slots[place] = np.int32(at - start + 1)


@borrowing
def _home(key: Int, num_slots: Int) -> Int:
    """Where a key is looked for first: the finaliser of MurmurHash3, since nodes count on within a part."""
    h = np.uint64(key)
    h = (h ^ (h >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    h = (h ^ (h >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    h ^= h >> np.uint64(33)
    return np.int64(((h >> np.uint64(32)) * np.uint64(num_slots)) >> np.uint64(32))
