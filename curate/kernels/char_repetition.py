"""How much of a text its most frequent strings of n characters make up.

Source: BigScience's filters for ROOTS (Laurençon et al. 2022), as Data-Juicer has them (`character_repetition_filter`).
Nothing is decided by a hash: it finds a place in a table, and the characters are compared. Time is linear in the text.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from curate.kernels.compiled import compiled
from curate.kernels.recurrence import MIX, scratch_slots, table_bits
from curate.kernels.scan import Int32s, longest
from curate.kernels.utf8 import Bytes, Offsets, code_point

_BASE = np.uint64(0x9FB21C651E98DF25)
_ONE = np.uint64(1)


class CharNgrams(NamedTuple):
    """Room for the strings of n characters of one text."""

    points: Int32s  # the characters
    times: Int32s  # how often the string that begins at a character occurs; 0 where it occurred before
    slots: Int32s  # hash table


def scratch_char_ngrams(offsets: Offsets) -> CharNgrams:
    """Room for any of the texts."""
    size = longest(offsets) + 1
    return CharNgrams(np.empty(size, np.int32), np.empty(size, np.int32), scratch_slots(size))


@compiled
def char_repetition(text: Bytes, n: int, room: CharNgrams) -> float:
    """Occurrences of the most frequent strings of `n` characters, of all occurrences of such strings: [0, 1].

    How many count as the most frequent: the square root of the number of different ones, but none that occurs once. So
    a long text of one language, in which common strings recur, stays low. 0 for a text of fewer characters than `n`.
    """
    total = _fill_points(text, room.points) - n + 1
    if total < 1:
        return 0.0
    different, most = _count(room.points, n, total, room.times, room.slots)
    num_with = room.slots  # how many strings occur so often; the table is done with
    num_with[: most + 1] = 0
    for i in range(total):
        num_with[room.times[i]] += 1
    left = min(int(math.sqrt(different)), different - num_with[1])
    occurrences, times = 0, most
    while left > 0:
        taken = min(left, num_with[times])
        occurrences, left, times = occurrences + taken * times, left - taken, times - 1
    return occurrences / total


@compiled
def _fill_points(text: Bytes, points: Int32s) -> int:
    at = num = 0
    while at < text.size:
        point, width = code_point(text, at, text.size)
        points[num] = point
        num, at = num + 1, at + width
    return num


@compiled
def _count(points: Int32s, n: int, total: int, times: Int32s, slots: Int32s) -> tuple[int, int]:
    """Fill `times`; how many different strings there are, and how often the most frequent one occurs."""
    bits = table_bits(total)
    shift, mask = np.uint64(64 - bits), (1 << bits) - 1
    slots[: 1 << bits] = -1
    leaving = _ONE  # the weight of the character that a step leaves behind
    for _ in range(n):
        leaving *= _BASE
    key = np.uint64(0)
    for i in range(n - 1):
        key = key * _BASE + np.uint64(points[i])
    different = most = 0
    for i in range(total):
        key = key * _BASE + np.uint64(points[i + n - 1])
        if i:
            key -= leaving * np.uint64(points[i - 1])
        slot = np.int64((key * MIX) >> shift)
        times[i] = 0
        while True:
            other = slots[slot]
            if other < 0:
                slots[slot], times[i] = i, 1
                different += 1
                break
            if _equal(points, other, i, n):
                times[other] += 1
                most = max(most, times[other])
                break
            slot = (slot + 1) & mask
    return different, max(most, 1)


@compiled
def _equal(points: Int32s, a: int, b: int, n: int) -> bool:
    for i in range(n):  # noqa: SIM110  # numba compiles no generator
        if points[a + i] != points[b + i]:
            return False
    return True
