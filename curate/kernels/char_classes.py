"""How many characters of a text belong to each of some classes, in one trip: one table look-up a character."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import compiled
from curate.kernels.unicode_tables import char_table
from curate.kernels.utf8 import Bytes, code_point

ClassTable = NDArray[np.uint8]  # uint8[0x110000]: bit i says that a code point is of class i
Int64s = NDArray[np.int64]

_ALL = 0x110000


def with_flags(flags: int) -> NDArray[np.intp]:
    """The code points with any of these flags of `unicode_tables`."""
    table = char_table()
    points = np.arange(_ALL)
    places = table.blocks[points >> 7].astype(np.int64) << 7 | points & 127
    return np.flatnonzero(table.flags[places] & flags)


def class_table(*classes: Iterable[int]) -> ClassTable:
    """The table of up to 8 classes of code points. Bytes that are no UTF-8 are U+FFFD."""
    assert len(classes) <= 8, "a class is a bit of a byte"
    table = np.zeros(_ALL, np.uint8)
    for number, points in enumerate(classes):
        table[np.asarray([*points] if not isinstance(points, np.ndarray) else points, np.int64)] |= 1 << number
    return table


@compiled
def count_classes(text: Bytes, table: ClassTable, counts: Int64s) -> None:
    """Write to `counts` (int64[256]) how many characters have each combination of classes."""
    counts[:] = 0
    at = 0
    while at < text.size:
        byte = text[at]
        if byte < 0x80:
            counts[table[byte]] += 1
            at += 1
            continue
        point, width = code_point(text, at, text.size)
        counts[table[point]] += 1
        at += width


@compiled
def in_class(counts: Int64s, number: int) -> int:
    """How many characters are of a class, by the `counts` of `count_classes`."""
    found = 0
    for together in range(counts.size):
        if together >> number & 1:
            found += counts[together]
    return found
