"""What counts as a word: what stands between spaces, Unicode words, or what a segmenter found.

- `spaces()`: as `scan` has them. Fits languages that put spaces between words.
- `unicode()`: runs of letters, marks, digits and underscores, with an apostrophe, dot, colon or middle dot between
  letters, a dot, comma or apostrophe between digits; a letter of a script without spaces stands alone, with its marks;
  punctuation is no word. These are the words of UAX #29 where they begin with a letter or a digit, but for katakana
  (runs there, single letters here) and Hebrew's quotation marks.
- `given(bounds)`: where a segmenter or another tokenizer put them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from curate.kernels.compiled import borrowing, compiled
from curate.kernels.scan import FACTOR, SEED, SHIFT, Int32s, Words, flags_of, longest
from curate.kernels.unicode_tables import DIGIT, LETTER, MARK, NUMBER, SPACELESS, CharTable
from curate.kernels.utf8 import Bytes, Int, Offsets, code_point

SPACES, UNICODE, GIVEN = 0, 1, 2

WORD_CHAR = LETTER | MARK | NUMBER


class WordSource(NamedTuple):
    """Where words come from. `starts` and `ends` of text i lie at `offsets[i]:offsets[i + 1]`: bytes of that text."""

    kind: int
    offsets: Offsets
    starts: Int32s
    ends: Int32s


def spaces() -> WordSource:
    """Words between spaces."""
    return WordSource(SPACES, np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32))


def unicode() -> WordSource:
    """Unicode words."""
    return spaces()._replace(kind=UNICODE)


def given(offsets: Offsets, starts: Int32s, ends: Int32s) -> WordSource:
    """Words at these places, in order and without overlap: offsets int64[texts + 1], starts and ends int32."""
    return WordSource(GIVEN, offsets, starts, ends)


def room(source: WordSource, offsets: Offsets) -> int:
    """Words that a text can have beyond those that `scan` finds."""
    return 1 if source.kind == SPACES else longest(offsets) + 2


@compiled
def words_of(
    text: Bytes, row: int, table: CharTable, source: WordSource, scanned: Words, num: int, out: Words
) -> tuple[Words, int]:
    """The words of a text and how many: `scanned` as they are, or others, written to `out`."""
    if source.kind == SPACES:
        return scanned, num
    if source.kind == UNICODE:
        count = 0
        for i in range(num):
            count = _unicode_words(text, table, scanned.start[i], scanned.end[i], out, count)
        return out, count
    count = 0
    for i in range(source.offsets[row], source.offsets[row + 1]):
        if source.ends[i] <= text.size:
            _append(text, table, source.starts[i], source.ends[i], out, count)
            count += 1
    return out, count


@borrowing
def _unicode_words(text: Bytes, table: CharTable, at: int, end: int, out: Words, count: int) -> int:
    start, before = -1, np.int64(0)  # of the word that is open, and the flags of its last letter or digit
    while at < end:
        point, width = code_point(text, at, end)
        flags = flags_of(table, point)
        joins = start >= 0 and (
            (flags & WORD_CHAR and not flags & SPACELESS and not before & SPACELESS)
            or flags & MARK
            or point == 0x5F
            or (before & LETTER and _between_letters(point) and _next_is(text, table, at + width, end, LETTER))
            or (before & DIGIT and _between_digits(point) and _next_is(text, table, at + width, end, DIGIT))
        )
        if not joins:
            if start >= 0:
                _append(text, table, start, at, out, count)
                count += 1
            start = at if flags & (LETTER | NUMBER) else -1
            before = np.int64(0)
        if flags & (LETTER | NUMBER):
            before = flags
        at += width
    if start >= 0:
        _append(text, table, start, end, out, count)
        count += 1
    return count


@borrowing
def _between_letters(point: Int) -> bool:
    """UAX #29: MidLetter and MidNumLet."""
    return point in (0x27, 0x2E, 0x3A, 0xB7, 0x387, 0x2018, 0x2019, 0x2024, 0x2027, 0xFE52, 0xFF07, 0xFF0E)


@borrowing
def _between_digits(point: Int) -> bool:
    """UAX #29: MidNum and MidNumLet."""
    return point in (0x27, 0x2C, 0x2E, 0x3B, 0x2018, 0x2019, 0x2024, 0xFE52, 0xFF07, 0xFF0E)


@borrowing
def _next_is(text: Bytes, table: CharTable, at: int, end: int, flag: int) -> bool:
    return at < end and flags_of(table, code_point(text, at, end)[0]) & (flag | SPACELESS) == flag


@borrowing
def _append(text: Bytes, table: CharTable, start: int, end: int, out: Words, count: int) -> None:
    at, chars, together, key = start, 0, np.int64(0), SEED
    while at < end:
        point, width = code_point(text, at, end)
        together |= flags_of(table, point)
        key = (key ^ np.uint64(point)) * FACTOR
        at, chars = at + width, chars + 1
    out.start[count], out.end[count], out.chars[count] = start, end, chars
    out.flags[count], out.key[count] = together, key ^ (key >> SHIFT)
