"""White space at the ends of a span of a text, as `str.strip` has it."""

from __future__ import annotations

from curate.kernels.compiled import borrowing
from curate.kernels.scan import flags_of
from curate.kernels.unicode_tables import SPACE, CharTable
from curate.kernels.utf8 import Bool, Bytes, Int, code_point


@borrowing
def is_space(text: Bytes, at: Int, end: Int, table: CharTable) -> Bool:
    """True where the character at `at` is white space."""
    point, _ = code_point(text, at, end)
    return flags_of(table, point) & SPACE != 0


@borrowing
def stripped_start(text: Bytes, start: Int, end: Int, table: CharTable) -> Int:
    """Where the white space at the beginning of `text[start:end]` ends."""
    while start < end:
        point, width = code_point(text, start, end)
        if not flags_of(table, point) & SPACE:
            break
        start += width
    return start


@borrowing
def stripped_end(text: Bytes, start: Int, end: Int, table: CharTable) -> Int:
    """Where the white space at the end of `text[start:end]` begins."""
    while end > start:
        last = char_before(text, start, end)
        if not is_space(text, last, end, table):
            break
        end = last
    return end


@borrowing
def char_before(text: Bytes, start: Int, end: Int) -> Int:
    """Where the last character of `text[start:end]` begins; the span is not empty."""
    at = end - 1
    while at > start and end - at < 4 and text[at] & 0xC0 == 0x80:
        at -= 1
    _, width = code_point(text, at, end)
    return at if at + width == end else end - 1  # bytes that are no UTF-8 are one character each
