"""Phrases at a place in a text, whatever their case. Case is Unicode's simple one, character by character."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import compiled
from curate.kernels.unicode_tables import CharTable
from curate.kernels.utf8 import Bytes, Int, code_point

ANY = -1  # any character


class Phrases(NamedTuple):
    """Phrase `i` is `points[ends[i]:ends[i + 1]]`, code points in lower case."""

    points: NDArray[np.int32]
    ends: NDArray[np.int64]
    begins: NDArray[np.bool_]  # bool[256] whether a phrase may begin with a byte
    seconds: NDArray[np.bool_]  # whether that may be its second
    lasts: NDArray[np.bool_]  # whether that may be its last


def phrases(strings: Sequence[str], any_char: str = "") -> Phrases:
    """Of Python strings; `any_char` in them stands for any character. Empty strings are left out."""
    wanted = [string for string in strings if string]
    points = [ANY if char == any_char else _lower(char) for string in wanted for char in string]
    ends = np.cumsum([0, *map(len, wanted)], dtype=np.int64)
    spans = [points[start:end] for start, end in pairwise(ends)]
    begins, lasts = _bytes_of([span[0] for span in spans]), _bytes_of([span[-1] for span in spans])
    return Phrases(np.array(points, np.int32), ends, begins, _bytes_of([(*span, ANY)[1] for span in spans]), lasts)


def _bytes_of(points: Sequence[int]) -> NDArray[np.bool_]:
    """Bytes that a character may begin or end with whose lower case is one of `points`, and perhaps others."""
    found = np.zeros(256, np.bool_)
    found[128:] = bool(points)  # the Kelvin sign in lower case is "k"
    for point in points:
        if point == ANY:
            found[:] = True
        elif point < 128:
            found[[point, ord(chr(point).upper())]] = True
    return found


def _lower(char: str) -> int:
    lower = char.lower()
    return ord(lower) if len(lower) == 1 else ord(char)  # as in unicode_tables


@compiled
def lower_of(table: CharTable, point: Int) -> Int:
    """The lower case of a code point."""
    if point < 128:
        return point + 32 if 65 <= point <= 90 else point
    return point + np.int64(table.lower[np.int64(table.blocks[point >> 7]) << 7 | point & 127])


@compiled
def phrase_end(text: Bytes, at: Int, end: Int, table: CharTable, wanted: Phrases, number: Int) -> Int:
    """Where phrase `number` ends that begins at `at` of `text[:end]`; -1 where it does not stand there."""
    for i in range(wanted.ends[number], wanted.ends[number + 1]):
        if at >= end:
            return -1
        point, width = code_point(text, at, end)
        if wanted.points[i] != ANY and wanted.points[i] != lower_of(table, point):
            return -1
        at += width
    return at


@compiled
def any_phrase_end(text: Bytes, at: Int, end: Int, table: CharTable, wanted: Phrases) -> Int:
    """Where the first of the phrases ends that stands at `at`; -1 where none does."""
    for number in range(wanted.ends.size - 1):
        found = phrase_end(text, at, end, table, wanted, number)
        if found >= 0:
            return found
    return -1


@compiled
def find_phrase(text: Bytes, at: Int, end: Int, table: CharTable, wanted: Phrases) -> Int:
    """Where the first phrase begins in `text[at:end]`; -1 where there is none."""
    begins, seconds = wanted.begins, wanted.seconds
    while at < end:
        byte = text[at]
        if byte >= 128:
            if begins[byte] and any_phrase_end(text, at, end, table, wanted) >= 0:
                return at
            at += code_point(text, at, end)[1]
            continue
        likely = begins[byte] and (at + 1 == end or seconds[text[at + 1]])
        if likely and any_phrase_end(text, at, end, table, wanted) >= 0:
            return at
        at += 1
    return -1
