"""Probabilities and backoffs of n-grams by interpolated modified Kneser-Ney smoothing.

    p(w | context) = (c - D(c)) / total(context) + backoff(context) * p(w | shorter context)
    backoff(context) = (D1 * N1 + D2 * N2 + D3 * N3 + pruned) / total(context)

c is the adjusted count, D the order's discount (D1, D2, and D3 for three or more), total the sum of c over the words
that follow the context, N1, N2, N3 how many of them have one, two, three or more; what was pruned counts with its c in
`pruned` and not in N (Chen and Goodman 1998, section 4; Heafield et al. 2013, sections 3.3 to 3.5).

All arithmetic is in float32 and in the order in which lmplz does it, so that the figures are the same to the last bit
wherever the counts and discounts are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, compiled
from curate.kernels.ngram_counts import Bools
from curate.kernels.ngram_keys import Keys, shifted_left
from curate.kernels.utf8 import Int, Offsets

Floats = NDArray[np.float32]
Int32s = NDArray[np.int32]

_MIX, _33 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(33)


class Contexts(NamedTuple):
    """What follows each context, filled by `add_followers`: one of each for each n-gram of the order below."""

    total: Offsets
    with_count: Offsets  # int64[contexts, 3]: followers of adjusted count 1, 2, 3 or more that are kept
    pruned: Offsets  # the adjusted counts of those that are not


def count_of_counts(count: Offsets) -> Offsets:
    """How many n-grams have an adjusted count of 0, 1, 2, 3, 4: int64[5]."""
    return np.bincount(np.minimum(count, 5), minlength=6)[:5].astype(np.int64)


def discounts(counts: Offsets) -> Floats | None:
    """Discounts for adjusted counts of 0, 1, 2, 3 or more, from the counts of counts: float32[4].

    None where these do not allow of it: one of them is 0, or a discount comes out negative or above its count
    (Chen and Goodman 1998, equation 26).
    """
    n = counts.astype(np.float64)
    if (n[1:4] == 0).any():
        return None
    ratio = np.float32(n[1]) / np.float32(n[1] + 2 * n[2])
    found = np.zeros(4, np.float32)
    for j in (1, 2, 3):
        found[j] = np.float32(j) - np.float32(j + 1) * ratio * np.float32(n[j + 1]) / np.float32(n[j])
    return found if all(0 <= found[j] <= j for j in (1, 2, 3)) else None


def table_slots(num: int) -> Int32s:
    """Slots for so many keys, all empty."""
    return np.zeros(1 << max(num * 3 // 2, 1).bit_length(), np.int32)


def contexts(num: int) -> Contexts:
    """Nothing counted yet."""
    return Contexts(np.zeros(num, np.int64), np.zeros((num, 3), np.int64), np.zeros(num, np.int64))


@borrowing
def _slot(high: np.uint64, low: np.uint64, slots: Int32s, all_high: Keys, all_low: Keys) -> Int:
    """The slot of a key, or the empty one where it belongs."""
    h = (high ^ (low >> _33) ^ (low << np.uint64(31))) * _MIX
    h = (h ^ (h >> _33)) * np.uint64(0xC4CEB9FE1A85EC53)
    mask = np.int64(slots.size - 1)
    slot = np.int64(h >> _33) & mask
    while slots[slot] != 0:
        at = slots[slot] - 1
        if all_high[at] == high and all_low[at] == low:
            break
        slot = (slot + 1) & mask
    return slot


@borrowing
def fill_table(high: Keys, low: Keys, slots: Int32s) -> None:
    """Number the keys in slots that are all empty."""
    for i in range(high.size):
        slots[_slot(high[i], low[i], slots, high, low)] = i + 1


@compiled
def context_numbers(high: Keys, low: Keys, bits: np.uint64, all_high: Keys, all_low: Keys, slots: Int32s) -> Int32s:
    """Which of the n-grams of the order below is the context of each n-gram: int32[n-grams]; all are there."""
    out = np.empty(high.size, np.int32)
    for i in range(high.size):
        a, b = shifted_left(high[i], low[i], bits)
        out[i] = slots[_slot(a, b, slots, all_high, all_low)] - 1
    return out


@borrowing
def add_followers(context: Int32s, count: Offsets, kept: Bools, into: Contexts) -> None:
    """Count n-grams for their contexts."""
    for i in range(context.size):
        at = context[i]
        into.total[at] += count[i]
        if kept[i]:
            if count[i] > 0:
                into.with_count[at, min(count[i], 3) - 1] += 1
        else:
            into.pruned[at] += count[i]


@compiled
def backoffs(of: Contexts, discount: Floats) -> Floats:
    """The backoff of each context: float32[contexts], 1 where nothing follows it."""
    out = np.ones(of.total.size, np.float32)
    for i in range(out.size):
        if of.total[i]:
            mass = np.float32(0)
            for j in range(3):
                mass += discount[j + 1] * np.float32(of.with_count[i, j])
            mass += np.float32(of.pruned[i])
            out[i] = mass / np.float32(of.total[i])
    return out


@borrowing
def interpolate(count: Offsets, total: Offsets, backoff: Floats, discount: Floats, lower: Floats, out: Floats) -> None:
    """Fill in the probability of each n-gram, from its context's total and backoff and from that of its last words."""
    for i in range(count.size):
        own = (np.float32(count[i]) - discount[min(count[i], 3)]) / np.float32(total[i])
        out[i] = own + backoff[i] * lower[i]


@borrowing
def suffix_numbers(
    high: Keys, low: Keys, high_mask: np.uint64, low_mask: np.uint64, lower_high: Keys, lower_low: Keys, out: Int32s
) -> None:
    """Which of the n-grams of the order below each n-gram ends with. Both are in ascending order, and all are there."""
    at = np.int64(0)
    for i in range(high.size):
        a, b = high[i] & high_mask, low[i] & low_mask
        while lower_high[at] != a or lower_low[at] != b:
            at += 1
        out[i] = at
