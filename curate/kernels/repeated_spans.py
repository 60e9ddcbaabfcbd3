"""Cuts out of repeated windows: the union of a text's windows that occurred before, shrunk to whole units."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing
from curate.kernels.token_units import STICKS, Units, cut_span
from curate.kernels.utf8 import Int, Offsets

Int32s = NDArray[np.int32]


class Cuts(NamedTuple):
    """What is cut out of each text."""

    start: Offsets  # of the bytes of each cut, ascending and disjoint within a text
    end: Offsets
    offsets: Offsets  # cuts of text `i` are at `offsets[i]` to `offsets[i + 1]`
    num_repeated: Offsets  # tokens of the text that lie in a repeated window
    num_cut: Offsets  # tokens that are taken out


def cuts(positions: Int32s, offsets: Offsets, size: int, units: Units, min_cut_tokens: int) -> Cuts:
    """The cuts of texts whose windows of `size` tokens at `positions[offsets[i]:offsets[i + 1]]`, ascending, go.

    Windows that overlap or touch make one stretch; it is shrunk to the units that lie in it whole, and given up where
    these have fewer than `min_cut_tokens` tokens.
    """
    num = offsets.size - 1
    room = int(positions.size)
    start, end = np.empty(room, np.int64), np.empty(room, np.int64)
    bounds, repeated, taken = np.zeros(num + 1, np.int64), np.zeros(num, np.int64), np.zeros(num, np.int64)
    _cuts(positions, offsets, size, units, min_cut_tokens, start, end, bounds, repeated, taken)
    return Cuts(start[: bounds[-1]], end[: bounds[-1]], bounds, repeated, taken)


@borrowing
def _cuts(
    positions: Int32s,
    offsets: Offsets,
    size: int,
    units: Units,
    min_cut_tokens: int,
    start: Offsets,
    end: Offsets,
    bounds: Offsets,
    repeated: Offsets,
    taken: Offsets,
) -> None:
    num = 0
    for row in range(offsets.size - 1):
        at, unit = offsets[row], units.offsets[row]
        while at < offsets[row + 1]:
            first = np.int64(positions[at])
            last = first + size
            at += 1
            while at < offsets[row + 1] and positions[at] <= last:
                last = np.int64(positions[at]) + size
                at += 1
            repeated[row] += last - first
            unit, stop = _inside(units, unit, units.offsets[row + 1], first, last)
            if stop > unit:
                cut_tokens = np.int64(units.values[stop - 1, 1]) - np.int64(units.values[unit, 0])
                if cut_tokens >= min_cut_tokens:
                    start[num], end[num] = cut_span(units.values, unit, stop - 1)
                    taken[row] += cut_tokens
                    num += 1
            unit = stop
        bounds[row + 1] = num


@borrowing
def _inside(units: Units, unit: Int, stop: Int, first: Int, last: Int) -> tuple[Int, Int]:
    """The units from `unit` on that may be cut out of the tokens `first` to `last`: the first, and the one behind."""
    while unit < stop and units.values[unit, 0] < first:
        unit += 1
    end = unit
    while end < stop and units.values[end, 1] <= last:
        end += 1
    while end > unit and units.values[unit, 6] == STICKS and units.values[end - 1, 7] == STICKS:
        end -= 1
    return unit, end
