"""Where to cut a text so that some spans of it, and so many characters around them, are gone.

A cut begins and ends at a sentence if one ends soon, else between words, else between characters. It never leaves more
of the surroundings than asked for. What is left between two cuts is a piece; short pieces go too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from curate.kernels.compiled import borrowing, compiled
from curate.kernels.scan import flags_of
from curate.kernels.unicode_tables import BREAK, SPACE, SPACELESS, CharTable, char_table
from curate.kernels.utf8 import Bytes, Int, Offsets, code_point, utf8

#: Characters beyond the margin in which the end of a sentence, or else a space, is looked for. Our choice.
REACH = 100

_NOWHERE, _BETWEEN_WORDS, _BETWEEN_SENTENCES = range(3)


class Cuts(NamedTuple):
    """What to take out: the cuts of text `i` are `offsets[i]:offsets[i + 1]`, ascending and disjoint."""

    start: Offsets  # bytes of the text
    end: Offsets
    offsets: Offsets
    num_pieces: Offsets  # of each text: what the cuts around its spans leave, the short ones too
    left_bytes: Offsets  # of each text: what stays


def cuts_around(
    texts: pa.Array, starts: Offsets, ends: Offsets, offsets: Offsets, margin_chars: int, min_piece_chars: int
) -> Cuts:
    """Cuts for the spans `starts[j]:ends[j]`, j in `offsets[i]:offsets[i + 1]`, of each text.

    Spans are bytes, begin and end with a character, are ordered by where they begin, and may overlap. A text without a
    span has no cut and is one piece, whatever its length.
    """
    data, positions = utf8(texts)
    sides = (np.empty(len(starts), np.int64) for _ in range(2))
    out = Cuts(*sides, *(np.zeros(len(positions), np.int64) for _ in range(3)))
    num = _cut_rows(data, positions, char_table(), starts, ends, offsets, margin_chars, min_piece_chars, out)
    return Cuts(out.start[:num], out.end[:num], out.offsets, out.num_pieces[1:], out.left_bytes[1:])


@compiled
def _cut_rows(
    data: Bytes,
    positions: Offsets,
    table: CharTable,
    starts: Offsets,
    ends: Offsets,
    offsets: Offsets,
    margin: int,
    min_piece: int,
    out: Cuts,
) -> Int:
    num = 0
    for row in range(positions.size - 1):
        begin, end, first = positions[row], positions[row + 1], num
        at, last = offsets[row], offsets[row + 1]
        while at < last:
            start, stop = begin + starts[at], begin + ends[at]
            while at < last and begin + starts[at] <= stop:
                stop = max(stop, begin + ends[at])
                at += 1
            start, stop = _before(data, start, begin, end, table, margin), _after(data, stop, begin, end, table, margin)
            if num > first and start <= out.end[num - 1]:
                out.end[num - 1] = stop
            else:
                out.start[num], out.end[num] = start, stop
                num += 1
        num = _without_short_pieces(data, begin, end, min_piece, out, row, first, num)
        out.offsets[row + 1] = num
    return num


@borrowing
def _without_short_pieces(
    data: Bytes, begin: Int, end: Int, min_piece: Int, out: Cuts, row: Int, first: Int, num: Int
) -> Int:
    """Join cuts over short pieces, and make them relative to the text; how many cuts there are then."""
    pieces, left, kept, after = 0, end - begin, first, begin
    for i in range(first, num):
        start, stop = out.start[i], out.end[i]
        pieces += start > after
        after = stop
        before = out.end[kept - 1] + begin if kept > first else begin
        if start - before < 4 * min_piece and _chars(data, before, start) < min_piece:
            start = before
        if kept > first and start == before:
            out.end[kept - 1] = stop - begin
        else:
            out.start[kept], out.end[kept] = start - begin, stop - begin
            kept += 1
    pieces += after < end or num == first
    if kept > first and end - after < 4 * min_piece and _chars(data, after, end) < min_piece:
        out.end[kept - 1] = end - begin
    for i in range(first, kept):
        left -= out.end[i] - out.start[i]
    out.num_pieces[row + 1], out.left_bytes[row + 1] = pieces, left
    return kept


@borrowing
def _chars(data: Bytes, at: Int, end: Int) -> Int:
    num = 0
    for i in range(at, end):
        num += data[i] & 0xC0 != 0x80
    return num


@borrowing
def _previous(data: Bytes, at: Int, begin: Int) -> Int:
    """Where the character before `at` begins; no further back than 4 bytes."""
    i = at - 1
    while i > begin and i > at - 4 and data[i] & 0xC0 == 0x80:
        i -= 1
    return i


@borrowing
def _before(data: Bytes, at: Int, begin: Int, end: Int, table: CharTable, margin: Int) -> Int:
    """Where a cut begins that takes `margin` characters before `at` with it."""
    for _ in range(margin):
        if at > begin:
            at = _previous(data, at, begin)
    nearest = at
    found = place = _NOWHERE
    here = at
    for _ in range(REACH):
        if here <= begin:
            return begin
        place = _place(data, here, begin, end, table)
        if place == _BETWEEN_SENTENCES:
            return here
        if place == _BETWEEN_WORDS and found == _NOWHERE:
            nearest, found = here, place
        here = _previous(data, here, begin)
    return nearest


@borrowing
def _after(data: Bytes, at: Int, begin: Int, end: Int, table: CharTable, margin: Int) -> Int:
    """Where a cut ends that takes `margin` characters after `at` with it."""
    for _ in range(margin):
        if at < end:
            at += code_point(data, at, end)[1]
    nearest = at
    found = place = _NOWHERE
    here = at
    for _ in range(REACH):
        if here >= end:
            return end
        place = _place(data, here, begin, end, table)
        if place == _BETWEEN_SENTENCES:
            return here
        if place == _BETWEEN_WORDS and found == _NOWHERE:
            nearest, found = here, place
        here += code_point(data, here, end)[1]
    return nearest


@borrowing
def _place(data: Bytes, at: Int, begin: Int, end: Int, table: CharTable) -> Int:
    """What ends right before `at`, which lies behind `begin`."""
    before = _previous(data, at, begin)
    point, _ = code_point(data, before, end)
    flags = flags_of(table, point)
    if flags & BREAK or point in (0x3002, 0xFF01, 0xFF1F, 0xFF0E):  # 。！？．
        return _BETWEEN_SENTENCES
    if flags & SPACE:
        last = code_point(data, _previous(data, before, begin), end)[0] if before > begin else 0
        return _BETWEEN_SENTENCES if last in (0x2E, 0x21, 0x3F, 0x2026) else _BETWEEN_WORDS  # . ! ? …
    return _BETWEEN_WORDS if flags & SPACELESS else _NOWHERE
