"""Find the lines of a text that may hold mojibake: UTF-8 that somebody read in a charset of one byte a character.

"é" is the bytes C3 A9; read as windows-1252 they are "Ã©", and saved again as UTF-8 they stay so. Such a sequence is
made of characters that one charset has at C2 to F4 and then, one to three times, at 80 to BF. That is looked for here,
in ten charsets at once; whether a line that has it is mojibake is for others to judge. It is a sieve: clean prose of
any script passes it with hardly a line caught.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing
from curate.kernels.utf8 import Bytes, Int, Offsets, code_point

#: The charsets that ftfy 6.3 knows UTF-8 to be misread in. What a charset leaves undefined is a control character.
CHARSETS = ("latin-1", "cp1252", "cp1251", "cp1250", "cp1253", "cp1254", "cp1257", "iso8859-2", "mac-roman", "cp437")
#: Code points from here on stand in none of them (but for three of Mac Roman).
LIMIT = 0x2600
ONE = np.uint64(1)

Masks = NDArray[np.uint16]


class Roles(NamedTuple):
    """What a character may be part of: a bit for each of `CHARSETS`."""

    row: NDArray[np.uint16]  # of a code point below LIMIT, in the other arrays; 0 where it has no role
    lead: Masks  # [row, n]: begins a sequence of n + 1 more, n = 0, 1, 2
    trail: Masks  # [row]: goes on with one


@cache
def roles() -> Roles:
    """The roles of all characters."""
    row, lead, trail = np.zeros(LIMIT, np.uint16), np.zeros((1024, 3), np.uint16), np.zeros(1024, np.uint16)
    for number, charset in enumerate(CHARSETS):
        for byte in range(0x80, 0xF5):
            point = ord(bytes([byte]).decode(charset, "ignore") or chr(byte))
            if point >= LIMIT or byte in (0xC0, 0xC1):  # no lead byte of UTF-8
                continue
            row[point] = row[point] or row.max() + 1
            if byte < 0xC0:
                trail[row[point]] |= 1 << number
            else:
                lead[row[point], 0 if byte < 0xE0 else 1 if byte < 0xF0 else 2] |= 1 << number
    return Roles(row, lead, trail)


@borrowing
def suspect_lines(text: Bytes, roles: Roles, starts: Offsets, ends: Offsets) -> int:
    """Fill `starts` and `ends` with the byte ranges of suspect lines (without "\\n"), as many as there is room for.

    Returns how many. A line is suspect for a sequence as above, for a control character U+0080 to U+009F (a byte of
    windows-1252 that was read as Latin-1), or for Ã or Â before a space that may have been U+00A0.
    """
    size, found, line_end = text.size, 0, -1
    at: Int = 0
    while found < starts.size:
        # Unsigned, because numba asks of a signed place whether it is counted from the end.
        place, end = np.uint64(at), np.uint64(size)
        while place < end and text[place] < 0x80:
            place += ONE
        at = np.int64(place)
        if at >= size:
            break
        point, width = code_point(text, at, size)
        if not _suspect(text, at + width, point, roles):
            at += width
            continue
        start = at
        while start > line_end + 1 and text[start - 1] != 10:
            start -= 1
        line_end = at
        while line_end < size and text[line_end] != 10:
            line_end += 1
        starts[found], ends[found] = start, line_end
        found += 1
        at = line_end
    return found


@borrowing
def _suspect(text: Bytes, at: Int, point: Int, roles: Roles) -> bool:
    """Whether `point`, with what follows from `at` on, is mojibake by its form."""
    if point < 0xA0:
        return True
    if point >= LIMIT or roles.row[point] == 0:
        return False
    size, row = text.size, roles.row[point]
    if 0xC2 <= point <= 0xC3 and at < size and text[at] == 32:
        return True
    charsets = np.int64(roles.lead[row, 0]) | np.int64(roles.lead[row, 1]) | np.int64(roles.lead[row, 2])
    for length in range(3):
        if at >= size or charsets == 0:
            return False
        point, width = code_point(text, at, size)
        if point >= LIMIT:
            return False
        charsets &= np.int64(roles.trail[roles.row[point]])
        if charsets & np.int64(roles.lead[row, length]):
            return True
        at += width
    return False
