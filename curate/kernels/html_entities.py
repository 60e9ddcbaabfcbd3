"""Character references of HTML ("&amp;", "&eacute", "&#8217;") to UTF-8, by the rules of the HTML standard.

The names and what they stand for are those of Python's `html.entities.html5`. Names without a semicolon are known where
the standard keeps them for old pages ("&copy 2010"), and the longest such beginning of a name counts ("&notit" is
"¬it").
"""

from __future__ import annotations

from functools import cache
from html.entities import html5
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, inlined
from curate.kernels.html_names import FACTOR, SEED, key_slots, name_key
from curate.kernels.utf8 import Bytes, Int

_NUM_SLOTS = 8192
_LONGEST = max(map(len, html5))
#: What numeric references from 128 to 159 mean on the web: windows-1252, where that has a character.
_WINDOWS = np.array(
    [ord(bytes([byte]).decode("cp1252", "ignore") or chr(byte)) for byte in range(0x80, 0xA0)], np.int32
)


class Entities(NamedTuple):
    """A hash table of names; kernels take it as an argument."""

    key: NDArray[np.uint64]
    slots: NDArray[np.int32]
    points: NDArray[np.int32]  # int32[number of names, 2]: code points, the second 0 where there is one only


@cache
def entities() -> Entities:
    """The table, made once in a process."""
    keys = [name_key(name) for name in html5]
    points = np.zeros((len(html5), 2), np.int32)
    for row, value in zip(points, html5.values(), strict=True):
        row[: len(value)] = [ord(character) for character in value]
    return Entities(np.array(keys, np.uint64), key_slots(keys, _NUM_SLOTS), points)


@borrowing
def put_character(point: Int, text: Bytes, at: Int) -> Int:
    """Write a code point as UTF-8 and return the place behind it."""
    if point < 0x80:
        text[at] = point
        return at + 1
    if point < 0x800:
        text[at] = 0xC0 | (point >> 6)
        text[at + 1] = 0x80 | (point & 0x3F)
        return at + 2
    if point < 0x10000:
        text[at] = 0xE0 | (point >> 12)
        text[at + 1] = 0x80 | ((point >> 6) & 0x3F)
        text[at + 2] = 0x80 | (point & 0x3F)
        return at + 3
    text[at] = 0xF0 | (point >> 18)
    text[at + 1] = 0x80 | ((point >> 12) & 0x3F)
    text[at + 2] = 0x80 | ((point >> 6) & 0x3F)
    text[at + 3] = 0x80 | (point & 0x3F)
    return at + 4


@borrowing
def _find(table: Entities, key: Int) -> Int:
    slot = np.int64(key >> np.uint64(40)) & (_NUM_SLOTS - 1)
    while table.slots[slot] >= 0:
        if table.key[table.slots[slot]] == key:
            return np.int64(table.slots[slot])
        slot = (slot + 1) & (_NUM_SLOTS - 1)
    return -1


@borrowing
def _is_alphanumeric(byte: Int) -> bool:
    return bool(0x30 <= byte <= 0x39 or 0x61 <= (byte | 0x20) <= 0x7A)


@borrowing
def _numeric(data: Bytes, at: Int, end: Int, text: Bytes, to: Int) -> tuple[Int, Int]:
    i: Int = at + 2
    base = 10
    if i < end and (data[i] | 0x20) == 0x78:
        base = 16
        i += 1
    first = i
    point: Int = 0
    while i < end:
        byte = np.int64(data[i])
        if 0x30 <= byte <= 0x39:
            digit = byte - 0x30
        elif base == 16 and 0x61 <= (byte | 0x20) <= 0x66:
            digit = (byte | 0x20) - 0x57
        else:
            break
        point = min(point * base + digit, 0x110000)
        i += 1
    if i == first:
        text[to] = 0x26
        return at + 1, to + 1
    if i < end and data[i] == 0x3B:
        i += 1
    if point == 0 or point > 0x10FFFF or 0xD800 <= point < 0xE000:
        point = 0xFFFD
    elif 0x80 <= point < 0xA0:
        point = np.int64(_WINDOWS[point - 0x80])
    return i, put_character(point, text, to)


@inlined
def put_reference(
    data: Bytes, at: Int, end: Int, table: Entities, text: Bytes, to: Int, in_attribute: Int
) -> tuple[Int, Int]:
    """Write what the reference at `data[at]`, an ampersand, stands for; the ampersand itself where it is none.

    Returns the places behind it, in `data` and in `text`. It takes at most 6 bytes for 5.
    """
    if at + 1 < end and data[at + 1] == 0x23:
        return _numeric(data, at, end, text, to)
    key = SEED
    i = at + 1
    found, behind = -1, at + 1
    while i < min(end, at + 1 + _LONGEST) and _is_alphanumeric(data[i]):
        key = (key ^ np.uint64(data[i])) * FACTOR
        i += 1
        if i - at <= 7:  # the longest name that needs no semicolon has 6 characters
            place = _find(table, key)
            if place >= 0:
                found, behind = place, i
    if i < end and data[i] == 0x3B:
        place = _find(table, (key ^ np.uint64(0x3B)) * FACTOR)
        if place >= 0:
            found, behind = place, i + 1
    open_ended = found >= 0 and data[behind - 1] != 0x3B and behind < end
    if in_attribute and open_ended and (data[behind] == 0x3D or _is_alphanumeric(data[behind])):
        found = -1  # "?a=b&copy=c" is an address
    if found < 0:
        text[to] = 0x26
        return at + 1, to + 1
    to = put_character(np.int64(table.points[found, 0]), text, to)
    if table.points[found, 1]:
        to = put_character(np.int64(table.points[found, 1]), text, to)
    return behind, to
