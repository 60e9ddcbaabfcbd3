"""What stands before the lines of nested Markdown: "> " of quotations, markers and indents of list items.

`MAX_NESTING` levels are written. Together the prefixes of a page take no more bytes than the page does, and a last
line: after that its blocks stand flush left, so that a page of deep lists of one letter each stays in proportion.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from curate.kernels.compiled import borrowing
from curate.kernels.html_names import NUMBER
from curate.kernels.markdown_escapes import NEW_LINE, SPACE
from curate.kernels.page_layout import MAX_NESTING, Layout
from curate.kernels.page_reader import Int32s, Page
from curate.kernels.utf8 import Bool, Bytes, Int

_QUOTE, _OL = NUMBER["blockquote"], NUMBER["ol"]
_MORE, _MINUS, _STAR, _DOT, _BEHIND = 0x3E, 0x2D, 0x2A, 0x2E, 0x29


class Nesting(NamedTuple):
    """The quotations and items that are open in the text, from the outermost; int32 each."""

    element: Int32s
    width: Int32s  # bytes of an item's marker, 0 of a quotation
    mark: Int32s  # the byte by which the items of one list differ from those of a list right behind it
    entered: Int32s  # those around the block that is to be written
    num: Int32s  # int32[4]: see below


# What `Nesting.num` holds: how many are open, bytes their prefixes have taken; backticks around the code that is open,
# columns of the table whose head is.
NUM_OPEN, SPENT, TICKS, COLUMNS = range(4)


def nesting_room() -> Nesting:
    """Room for one page at a time."""
    element, width, mark, entered = (np.zeros(MAX_NESTING, np.int32) for _ in range(4))
    return Nesting(element, width, mark, entered, np.zeros(4, np.int32))


@borrowing
def enter(page: Page, element: Int, layout: Layout, nesting: Nesting) -> tuple[Int, Int]:
    """Find what is around the element; how many of these there are, and how many of them are open already."""
    nest = layout.nest[element]
    depth = layout.depth[nest] if nest else 0
    if nesting.num[SPENT] > page.elements.end[0]:
        depth = 0
    for level in range(depth - 1, -1, -1):
        nesting.entered[level] = nest
        nest = layout.nest[page.elements.parent[nest]]
    common = 0
    while common < min(depth, nesting.num[NUM_OPEN]) and nesting.element[common] == nesting.entered[common]:
        common += 1
    return depth, common


@borrowing
def put_prefix(num: Int, nesting: Nesting, out: Bytes, at: Int) -> Int:
    """Write what a further line within the first `num` open ones begins with."""
    begin = at
    for level in range(num):
        if nesting.width[level] == 0:
            out[at] = _MORE
            out[at + 1] = SPACE
            at += 2
        for _ in range(nesting.width[level]):
            out[at] = SPACE
            at += 1
    nesting.num[SPENT] += at - begin
    return at


@borrowing
def put_line_end(page: Page, num: Int, nesting: Nesting, out: Bytes, at: Int) -> Int:
    """End a line and begin the next within the first `num` open ones."""
    out[at] = NEW_LINE
    if nesting.num[SPENT] > page.elements.end[0]:
        return at + 1
    return put_prefix(num, nesting, out, at + 1)


@borrowing
def put_blank_line(page: Page, num: Int, nesting: Nesting, out: Bytes, at: Int) -> Int:
    """The same with a blank line between them."""
    at = put_line_end(page, num, nesting, out, at)
    while out[at - 1] == SPACE:
        at -= 1
    return put_line_end(page, num, nesting, out, at)


@borrowing
def open_further(page: Page, depth: Int, common: Int, layout: Layout, nesting: Nesting, out: Bytes, at: Int) -> Int:
    """Write the markers of what is entered beyond the first `common`, and note all `depth` as open."""
    begin = at
    for level in range(common, depth):
        element = nesting.entered[level]
        width = 0
        if page.elements.name[element] == _QUOTE:
            out[at] = _MORE
            out[at + 1] = SPACE
            at += 2
        else:
            mark = _mark(page, element, level, level == common, layout, nesting)
            width = -at
            at = _put_marker(mark, layout.number[element], out, at)
            width += at
            nesting.mark[level] = mark
        nesting.element[level], nesting.width[level] = element, width
    nesting.num[NUM_OPEN] = depth
    nesting.num[SPENT] += at - begin
    return at


@borrowing
def starts_late(page: Page, depth: Int, common: Int, layout: Layout, nesting: Nesting) -> Bool:
    """Whether the next item begins a list with another number than 1, which no paragraph is broken off by."""
    if common >= depth or common < nesting.num[NUM_OPEN]:
        return False
    element = nesting.entered[common]
    ordered = page.elements.name[layout.inner_list[element]] == _OL
    return ordered and layout.number[element] != 1


@borrowing
def _mark(page: Page, element: Int, level: Int, beside: Bool, layout: Layout, nesting: Nesting) -> Int:
    """The byte "-" or "*" of an item, "." or ")" of one with a number: the second right behind another list."""
    own_list = layout.inner_list[element]
    mark = _DOT if page.elements.name[own_list] == _OL else _MINUS
    if beside and level < nesting.num[NUM_OPEN] and nesting.width[level]:
        last = nesting.mark[level]
        if layout.inner_list[nesting.element[level]] == own_list:
            return last
        if last == mark:
            return _BEHIND if mark == _DOT else _STAR
    return mark


@borrowing
def _put_marker(mark: Int, number: Int, out: Bytes, at: Int) -> Int:
    if mark in (_DOT, _BEHIND):
        number = min(number, 999_999_999)
        power = 1
        while power * 10 <= number:
            power *= 10
        while power:
            out[at] = 0x30 + number // power % 10
            at += 1
            power //= 10
    out[at] = mark
    out[at + 1] = SPACE
    return at + 2
