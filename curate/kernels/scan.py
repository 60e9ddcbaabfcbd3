"""One trip over a text: its words and its lines, as flat arrays that the rules look at.

What the words mean here, for all rules: **white space** is Unicode's as `str.isspace` has it; a **word** is a maximal
run of anything else, so punctuation stays attached and case is kept; a **line** ends at "\\n", or where asked at all
that ends one for `str.splitlines`; it is **blank** where it holds white space only, and its **text** is what is left
without white space at its ends. **Characters** are code points; a byte that is no UTF-8 is one.

The functions here work on one text inside a kernel's loop over the rows of a batch. They fill arrays that the kernel
allocates once for its longest text (`scratch_words`, `scratch_lines`), so that a text is measured within the
processor's caches and nothing is allocated for it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, compiled
from curate.kernels.unicode_tables import BREAK, NEWLINE, SPACE, CharTable
from curate.kernels.utf8 import Bytes, Int, Offsets, code_point

Int32s = NDArray[np.int32]

#: A longer text is measured by its beginning, so that memory stays within bounds: a text of single letters costs
#: some 45 bytes for each of its own. Long novels have 2 or 3 MB.
MAX_BYTES = 8 << 20

SEED = np.uint64(0x9E3779B97F4A7C15)
FACTOR = np.uint64(0x9FB21C651E98DF25)
SHIFT = np.uint64(29)
ONE = np.uint64(1)
SPACE_FLAG = np.uint16(SPACE)


class Words(NamedTuple):
    """Words of one text; only the first so many places are filled."""

    start: Int32s  # of its bytes, in the text
    end: Int32s
    chars: Int32s
    flags: NDArray[np.uint16]  # of all its characters together: `unicode_tables`
    key: NDArray[np.uint64]  # hash of its bytes: equal words have equal keys


class Lines(NamedTuple):
    """Lines of one text, blank ones too; only the first so many places are filled."""

    start: Int32s  # of its bytes, in the text
    end: Int32s  # without what ends the line
    chars: Int32s  # from `start` to `end`
    text_start: Int32s  # without white space at its ends; both are `end` where the line is blank
    text_end: Int32s
    text_chars: Int32s
    words: Int32s  # how many words lie in it
    key: NDArray[np.uint64]  # of its words: lines with equal texts have equal keys


def scratch_words(offsets: Offsets, size: int | None = None) -> Words:
    """Room for the words of any of the texts, or for `size` of them. Memory is taken only where it is written to."""
    size = longest(offsets) // 2 + 2 if size is None else size
    start, end, chars = (np.empty(size, np.int32) for _ in range(3))
    return Words(start, end, chars, np.empty(size, np.uint16), np.empty(size, np.uint64))


def scratch_lines(offsets: Offsets) -> Lines:
    """Room for the lines of any of the texts."""
    size = longest(offsets) + 2
    start, end, chars, text_start, text_end, text_chars, words = (np.empty(size, np.int32) for _ in range(7))
    return Lines(start, end, chars, text_start, text_end, text_chars, words, np.empty(size, np.uint64))


def longest(offsets: Offsets) -> int:
    """Bytes that are looked at of the longest text."""
    return int(min(np.diff(offsets).max(initial=0), MAX_BYTES))


@compiled
def text_bytes(data: Bytes, offsets: Offsets, row: int) -> Bytes:
    """The bytes of a text, or the first `MAX_BYTES` of them up to the last whole character."""
    start, end = offsets[row], offsets[row + 1]
    if end - start > MAX_BYTES:
        end = start + MAX_BYTES
        while end > start and data[end] & 0xC0 == 0x80:
            end -= 1
    return data[start:end]


@borrowing
def scan(text: Bytes, table: CharTable, all_breaks: bool, words: Words, lines: Lines) -> tuple[int, int]:
    """Fill `words` and `lines`; how many there are of each. A text that does not end in a line break has one line more
    than breaks, as `str.split("\\n")` has it; the empty text has none.
    """
    breaks = BREAK if all_breaks else NEWLINE
    size, ascii = text.size, table.flags
    num_words = num_lines = first_word = 0
    at: Int = 0
    more = line_start = line_chars = text_chars = 0  # `more`: bytes beyond the first of a character, so far
    text_start = text_end = -1
    line_key = SEED
    while at < size:
        # What stands between words.
        point, width = code_point(text, at, size)
        flags = flags_of(table, point)
        if flags & SPACE:
            if flags & breaks:
                chars = at - more - line_chars
                _end_line(lines, num_lines, line_start, at, chars, text_start, text_end, text_chars)
                lines.words[num_lines], lines.key[num_lines] = num_words - first_word, line_key
                num_lines += 1
                if all_breaks and point == 13 and at + 1 < size and text[at + 1] == 10:
                    at += 1
                line_start, line_chars = at + width, at + 1 - more
                first_word, line_key = num_words, SEED
                text_start = text_end = -1
                text_chars = 0
            at, more = at + width, more + width - 1
            continue
        # A word, to its end.
        start, first_char, key, together, seen = at, at - more, SEED, np.int64(0), np.uint16(0)
        while True:
            together |= flags
            key = (key ^ np.uint64(point)) * FACTOR
            at, more = at + width, more + width - 1
            # ASCII, the most frequent, without more ado; unsigned, because numba asks of a signed place whether it is
            # counted from the end.
            place, end = np.uint64(at), np.uint64(size)
            while place < end and text[place] < 128:
                kind = ascii[text[place]]
                if kind & SPACE_FLAG:
                    break
                seen |= kind
                key = (key ^ np.uint64(text[place])) * FACTOR
                place += ONE
            at = np.int64(place)
            if at >= size or text[at] < 128:
                break
            point, width = code_point(text, at, size)
            flags = flags_of(table, point)
            if flags & SPACE:
                break
        words.start[num_words], words.end[num_words] = start, at
        words.chars[num_words], words.flags[num_words] = at - more - first_char, together | np.int64(seen)
        key ^= key >> SHIFT
        words.key[num_words] = key
        num_words += 1
        line_key = (line_key ^ key) * FACTOR
        if text_start < 0:
            text_start, text_first = start, first_char
        text_end, text_chars = at, at - more - text_first
    if size and not (line_start == size and all_breaks):
        chars = size - more - line_chars
        _end_line(lines, num_lines, line_start, size, chars, text_start, text_end, text_chars)
        lines.words[num_lines], lines.key[num_lines] = num_words - first_word, line_key
        num_lines += 1
    return num_words, num_lines


@borrowing
def flags_of(table: CharTable, point: Int) -> Int:
    """The flags of a code point: `unicode_tables`."""
    if point < 128:
        return np.int64(table.flags[point])
    return np.int64(table.flags[np.int64(table.blocks[point >> 7]) << 7 | point & 127])


@borrowing
def lower_of(table: CharTable, point: Int) -> Int:
    """The simple lower case of a code point."""
    if point < 128:
        return point + 32 if 65 <= point <= 90 else point
    return point + np.int64(table.lower[np.int64(table.blocks[point >> 7]) << 7 | point & 127])


@borrowing
def _end_line(
    lines: Lines, number: int, start: int, end: int, chars: int, text_start: int, text_end: int, text_chars: int
) -> None:
    lines.start[number], lines.end[number], lines.chars[number] = start, end, chars
    lines.text_start[number] = text_start if text_start >= 0 else end
    lines.text_end[number] = text_end if text_start >= 0 else end
    lines.text_chars[number] = text_chars
