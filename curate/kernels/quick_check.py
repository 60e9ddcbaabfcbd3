"""Texts that are in NFC as they stand, told in one trip, with their white space put in order on the way.

Nearly all text is in NFC, and what says so is a table look-up for each code point (UAX #15 §9, "Detecting
Normalization Forms"). Sharper than the quick check there: a character that may compose with the one before it matters
only where that one is the first of a composition, so Hindi, Bengali or Tamil, whose vowel signs are such characters,
pass too. What does not pass, and bytes that are no UTF-8, are left to whoever asked.
"""

from __future__ import annotations

import sys
import unicodedata
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, compiled
from curate.kernels.utf8 import Bool, Bytes, Int, Offsets, code_point

PointTable = NDArray[np.uint16]  # uint16[0x110000]: the canonical combining class, and the flags below

_CLASS = 0xFF
_SPACE = 1 << 8  # str.isspace
_CHANGES = 1 << 9  # NFC writes it otherwise (NFC_Quick_Check=No), or it counts as a mark without being one
_SECOND = 1 << 10  # composes with some character before it (NFC_Quick_Check=Maybe)
_FIRST = 1 << 11  # composes with some character behind it

#: ASCII that is looked at together: what the compiler makes one or two vector instructions of.
_BLOCK = 32
_PLAIN, _RUNS, _OTHER = 0, 1, 2  # what a block is: as it should be, with runs of white space, not ASCII
_BLANK, _TAB, _TABS, _FILE, _SEPARATORS = (np.uint8(number) for number in (32, 9, 5, 28, 4))  # 9-13 and 28-31
_UPPER_A, _LETTERS, _TO_LOWER = (np.uint8(number) for number in (65, 26, 32))
#: More combining marks in a row do not pass: `normalize.stream_safe` breaks such a run.
MAX_MARKS = 30  # UAX #15 §13

_HANGUL_LEADS, _HANGUL_VOWELS, _HANGUL_TAILS = range(0x1100, 0x1113), range(0x1161, 0x1176), range(0x11A8, 0x11C3)
_HANGUL_OPEN = range(0xAC00, 0xD7A4, 28)  # syllables without a tail


@lru_cache(maxsize=1)
def point_table() -> PointTable:
    """What this Python's Unicode says of each code point. It is made of `unicodedata`, so that both always agree."""
    points = [chr(point) for point in range(sys.maxunicode + 1)]
    table = np.fromiter(map(unicodedata.combining, points), np.uint16)
    compatible = unicodedata.normalize("NFKD", "\n".join(points[128:])).split("\n")
    for point, form in enumerate(compatible, 128):
        char = points[point]
        if form == char:
            continue
        if unicodedata.normalize("NFC", char) != char or (unicodedata.combining(form[0]) and not table[point]):
            table[point] |= _CHANGES
            continue
        pair = unicodedata.decomposition(char).split()
        if len(pair) == 2 and not pair[0].startswith("<"):
            table[int(pair[0], 16)] |= _FIRST
            table[int(pair[1], 16)] |= _SECOND
    table[[*_HANGUL_LEADS, *_HANGUL_OPEN]] |= _FIRST
    table[[*_HANGUL_VOWELS, *_HANGUL_TAILS]] |= _SECOND
    table[[point for point, char in enumerate(points) if char.isspace()]] = _SPACE  # NFC makes spaces of spaces
    return table


@compiled
def spaced(
    data: Bytes,
    offsets: Offsets,
    table: PointTable,
    lowered: Bool,
    out: Bytes,
    ends: Offsets,
    passed: NDArray[np.bool_],
) -> None:
    """Write to `out` each text with every run of white space one space and none at the ends; where it ends, to `ends`.

    A text that is not in NFC, or no UTF-8, leaves nothing and is false in `passed`. `lowered`: ASCII in lower case, and
    a text with anything else does not pass.
    """
    filled = 0
    for row in range(offsets.size - 1):
        passed[row], end = _spaced(data, offsets[row], offsets[row + 1], table, lowered, out, filled)
        filled = end if passed[row] else filled
        ends[row + 1] = filled


@borrowing
def _spaced(
    data: Bytes, start: Int, end: Int, table: PointTable, lowered: Bool, out: Bytes, filled: Int
) -> tuple[Bool, Int]:
    """Whether a text passes, and where it ends in `out`."""
    at, begin, before, num_marks, ascii_from = start, filled, np.int64(_SPACE), 0, start
    while at < end:
        if at >= ascii_from and at + _BLOCK <= end:
            found = _block(data, at, before & _SPACE != 0, lowered, out, filled)
            if found != _OTHER:
                filled = filled + _BLOCK if found == _PLAIN else _runs(out, filled, before & _SPACE != 0)
                at, num_marks = at + _BLOCK, 0
                before = np.int64(table[data[at - 1]])
                continue
            ascii_from = at + _BLOCK
        point, width = _next_point(data, at, end)
        if point >= 0x80 and (width == 1 or lowered):
            return False, filled
        here = np.int64(table[np.uint64(point)])
        if here & _SPACE:
            out[filled] = 0x20
            filled += before & _SPACE == 0
        else:
            num_marks = num_marks + 1 if here & _CLASS else 0
            if here and (num_marks > MAX_MARKS or _may_change(before, here)):
                return False, filled
            place, source = np.uint64(filled), np.uint64(at)
            out[place] = data[source] + (32 if lowered and 65 <= point <= 90 else 0)
            if width > 1:
                out[place + np.uint64(1)] = data[source + np.uint64(1)]
            if width > 2:
                out[place + np.uint64(2)] = data[source + np.uint64(2)]
            if width > 3:
                out[place + np.uint64(3)] = data[source + np.uint64(3)]
            filled += width
        before = here
        at += width
    return True, filled - 1 if filled > begin and before & _SPACE else filled


@borrowing
def _next_point(data: Bytes, at: Int, end: Int) -> tuple[Int, Int]:
    """The code point at `at` and its bytes, as `code_point` has them; 1 byte for what is no UTF-8."""
    place = np.uint64(at)
    first = np.int64(data[place])
    if first < 0x80:
        return first, 1
    if 0xE1 <= first <= 0xEC and at + 2 < end:  # most of Asia, and nothing that three bytes could say wrongly
        second, third = np.int64(data[place + np.uint64(1)]), np.int64(data[place + np.uint64(2)])
        if second & 0xC0 == 0x80 and third & 0xC0 == 0x80:
            return (first & 0x0F) << 12 | (second & 0x3F) << 6 | (third & 0x3F), 3
    return code_point(data, at, end)


@borrowing
def _may_change(before: Int, here: Int) -> Bool:
    """Whether NFC may write a character otherwise than it is, behind the one before it."""
    if here & _CHANGES or (here & _CLASS and before & _CLASS > here & _CLASS):
        return True
    return here & _SECOND != 0 and before & (_FIRST | _CLASS) != 0


@borrowing
def _block(data: Bytes, at: Int, after_space: Bool, lowered: Bool, out: Bytes, filled: Int) -> Int:
    """Write a block to `out` with white space as spaces; what it is.

    Places are unsigned and branches few: the compiler makes vector instructions of nothing else.
    """
    source, target, all_bits = np.uint64(at), np.uint64(filled), np.uint8(0)
    for i in range(_BLOCK):
        byte = data[source + np.uint64(i)]
        is_space = (byte == _BLANK) | (np.uint8(byte - _TAB) < _TABS) | (np.uint8(byte - _FILE) < _SEPARATORS)
        out[target + np.uint64(i)] = _BLANK if is_space else byte
        all_bits |= byte
    if all_bits >= 0x80:
        return _OTHER
    doubled = np.uint8(after_space and out[target] == _BLANK)
    for i in range(_BLOCK - 1):
        here, behind = out[target + np.uint64(i)], out[target + np.uint64(i + 1)]
        doubled |= np.uint8(here == _BLANK) & np.uint8(behind == _BLANK)
    if lowered:
        for i in range(_BLOCK):
            byte = out[target + np.uint64(i)]
            out[target + np.uint64(i)] = byte + _TO_LOWER if np.uint8(byte - _UPPER_A) < _LETTERS else byte
    return _RUNS if doubled else _PLAIN


@borrowing
def _runs(out: Bytes, filled: Int, after_space: Bool) -> Int:
    """Bring a block that `_block` wrote together where spaces stand beside spaces; where it ends then."""
    source, target, before = np.uint64(filled), np.uint64(filled), np.uint64(after_space)
    for i in range(_BLOCK):
        byte = out[source + np.uint64(i)]
        is_space = np.uint64(byte == _BLANK)
        out[target] = byte
        target += np.uint64(1) - (is_space & before)
        before = is_space
    return np.int64(target)
