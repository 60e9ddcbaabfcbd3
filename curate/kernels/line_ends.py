"""How a line begins and ends."""

from __future__ import annotations

from curate.kernels.compiled import borrowing
from curate.kernels.scan import Int32s
from curate.kernels.strip import char_before
from curate.kernels.utf8 import Bool, Bytes, Int, code_point


@borrowing
def begins_with_any(text: Bytes, start: Int, end: Int, points: Int32s) -> Bool:
    """True where the first character is one of `points`, which ascend. An empty line begins with none."""
    return start < end and is_among(code_point(text, start, end)[0], points)


@borrowing
def ends_with_any(text: Bytes, start: Int, end: Int, points: Int32s) -> Bool:
    """True where the last character is one of `points`, which ascend. An empty line ends with none."""
    return start < end and is_among(code_point(text, char_before(text, start, end), end)[0], points)


@borrowing
def is_among(point: Int, points: Int32s) -> Bool:
    """True where a code point is one of `points`, which ascend."""
    low, high = 0, points.size
    while low < high:
        middle = (low + high) >> 1
        if points[middle] < point:
            low = middle + 1
        else:
            high = middle
    return low < points.size and points[low] == point


@borrowing
def ends_in_ellipsis(text: Bytes, start: Int, end: Int, three_dots: bool, spaced_dots: bool) -> Bool:
    """True where a line ends in "…", or, where asked, in "..." or ". . ."."""
    size = end - start
    if size >= 3 and text[end - 3] == 0xE2 and text[end - 2] == 0x80 and text[end - 1] == 0xA6:
        return True
    if three_dots and size >= 3 and text[end - 1] == text[end - 2] == text[end - 3] == 0x2E:
        return True
    return (
        spaced_dots
        and size >= 5
        and text[end - 1] == text[end - 3] == text[end - 5] == 0x2E
        and text[end - 2] == text[end - 4] == 0x20
    )
