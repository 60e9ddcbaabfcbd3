"""What occurs again within a text: equal spans of bytes, and n-grams of words.

Nothing is decided by a hash: a hash finds the place in a table, and the bytes, or the ids that stand for them, are
compared. An n-gram is the pair of the (n-1)-grams that begin at its first and at its second word, so it recurs only
where both do: each level looks at what the level before left, which on text that does not repeat itself is next to
nothing. Time is linear in the words of a text for every n.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing
from curate.kernels.scan import Int32s
from curate.kernels.utf8 import Bool, Bytes, Int

Keys = NDArray[np.uint64]

MIX = np.uint64(0x9E3779B97F4A7C15)
ONE = np.uint64(1)
WIDTH = np.uint64(32)


class Recurring(NamedTuple):
    """Occurrences, in reading order, of what occurs at least twice; only the first so many places are filled."""

    at: Int32s  # which word it begins with
    first: Int32s  # which word its first occurrence begins with: equal ones share it
    times: Int32s  # by that word: how often it occurs
    slots: Int32s  # hash table
    keys: Keys


def scratch_recurring(size: int) -> Recurring:
    """Room for `size` words."""
    at, first, times = (np.empty(size + 1, np.int32) for _ in range(3))
    slots = scratch_slots(size)
    return Recurring(at, first, times, slots, np.empty(len(slots), np.uint64))


def scratch_slots(size: int) -> Int32s:
    """A hash table with room for `size` entries."""
    return np.empty(16 << int(size).bit_length(), np.int32)


@borrowing
def table_bits(count: int) -> int:
    """Bits of a hash table that is at most half full with `count` entries."""
    bits = 4
    while (1 << bits) < 2 * count:
        bits += 1
    return bits


@borrowing
def equal_bytes(text: Bytes, a: Int, b: Int, size: Int) -> Bool:
    """True where `size` bytes from `a` on equal those from `b` on."""
    for i in range(size):  # noqa: SIM110  # numba compiles no generator
        if text[a + i] != text[b + i]:
            return False
    return True


@borrowing
def _equal(text: Bytes, a: Int, a_end: Int, b: Int, b_end: Int) -> Bool:
    """True where `text[a:a_end]` and `text[b:b_end]` are the same."""
    if a_end - a != b_end - b:
        return False
    at, end, other = np.uint64(a), np.uint64(a_end), np.uint64(b)
    while at < end:
        if text[at] != text[other]:
            return False
        at, other = at + ONE, other + ONE
    return True


@borrowing
def first_equal(text: Bytes, start: Int32s, end: Int32s, key: Keys, num: int, first: Int32s, slots: Int32s) -> None:
    """For each of `num` spans write to `first` the number of the first span with the same bytes: its own, or less.

    `key` must be equal where the bytes are.
    """
    # Places are unsigned: of a signed one numba asks whether it is counted from the end.
    bits = table_bits(num)
    shift, mask = np.uint64(64 - bits), np.uint64((1 << bits) - 1)
    for i in range(1 << bits):
        slots[i] = -1
    for i in range(num):
        slot, own = (key[i] * MIX) >> shift, key[i]
        while slots[slot] >= 0:
            other = np.uint64(slots[slot])
            if key[other] == own and _equal(text, start[other], end[other], start[i], end[i]):
                break
            slot = (slot + ONE) & mask
        if slots[slot] < 0:
            slots[slot] = i
        first[i] = slots[slot]


@borrowing
def recurring_words(first: Int32s, num_words: int, out: Recurring) -> int:
    """The words that occur at least twice, from `first_equal`; how many occurrences."""
    out.times[:num_words] = 0
    for i in range(num_words):
        out.times[first[i]] += 1
    num = 0
    for i in range(num_words):
        if out.times[first[i]] > 1:
            out.at[num], out.first[num] = i, first[i]
            num += 1
    return num


@borrowing
def longer(out: Recurring, num: int) -> int:
    """Make the recurring n-grams of `out` into the recurring (n+1)-grams; how many occurrences."""
    bits = table_bits(num)
    shift, mask = np.uint64(64 - bits), np.uint64((1 << bits) - 1)
    for i in range(1 << bits):
        out.slots[i] = -1
    found = 0
    for i in range(num - 1):
        at = out.at[i]
        if out.at[i + 1] != at + 1:
            continue
        key = (np.uint64(out.first[i]) << WIDTH) | np.uint64(out.first[i + 1])
        slot = (key * MIX) >> shift
        while out.slots[slot] >= 0 and out.keys[slot] != key:
            slot = (slot + ONE) & mask
        if out.slots[slot] < 0:
            out.slots[slot], out.keys[slot] = at, key
            out.times[np.uint64(at)] = 0
        first = out.slots[slot]
        out.times[np.uint64(first)] += 1
        out.at[found], out.first[found] = at, first  # place `found` <= i has been read
        found += 1
    kept = 0
    for i in range(found):
        if out.times[out.first[i]] > 1:
            out.at[kept], out.first[kept] = out.at[i], out.first[i]
            kept += 1
    return kept
