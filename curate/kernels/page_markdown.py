"""The chosen blocks of a page as Markdown: headings, lists, tables, code, quotations and formulas.

It is CommonMark with GitHub's tables, and a parser of these gives the text back (`markdown_escapes`). Terms and their
explanations are lines, the latter behind ": " (PHP Markdown Extra). Emphasis, links, images and rules are not kept:
they say how a page looks or where it leads, and their marks stand in the way of the words. A table needs a head in
Markdown: its first row is it. Formulas are "$…$" and "$$…$$", their TeX as it is.
"""

from __future__ import annotations

from curate.kernels.compiled import borrowing
from curate.kernels.html_names import NUMBER
from curate.kernels.markdown_code import put_language, put_spans, ticks_of_pre
from curate.kernels.markdown_escapes import BACKTICK, PIPE, SPACE, escape_heading_end
from curate.kernels.markdown_nesting import (
    COLUMNS,
    NUM_OPEN,
    SPENT,
    TICKS,
    Nesting,
    enter,
    open_further,
    put_blank_line,
    put_line_end,
    put_prefix,
    starts_late,
)
from curate.kernels.page_blocks import Blocks
from curate.kernels.page_layout import Layout, data_cell, is_tight
from curate.kernels.page_reader import Page
from curate.kernels.page_text import pre_lines, put_many, write_preformatted
from curate.kernels.utf8 import Bool, Bytes, Int

_H1, _DT, _DD = NUMBER["h1"], NUMBER["dt"], NUMBER["dd"]
_HASH, _MINUS, _COLON, _NEW_LINE = 0x23, 0x2D, 0x3A, 0x0A


def markdown_room(num_bytes: int) -> int:
    """Bytes that the Markdown of a page of so many takes at most.

    Prefixes take as many as the page at most, and 88 of a last line; what else is written takes no more than 7 for each
    byte of text and tags: "```" around code of a letter, and "| --- |" below a head whose cells span columns.
    """
    return 8 * num_bytes + 256


@borrowing
def write_markdown(
    data: Bytes,
    page: Page,
    blocks: Blocks,
    num_blocks: Int,
    chosen: Bytes,
    layout: Layout,
    nesting: Nesting,
    out: Bytes,
    at: Int,
) -> Int:
    """Write the chosen blocks as Markdown to `out[at:]`, which has `markdown_room`; the place behind it.

    `layout` is that of the same choice (`page_layout.lay_out`), `data` the bytes that `page` was read from. The text
    begins and ends without white space; where nothing is chosen it is empty. It is UTF-8 where the page is.
    """
    nesting.num[NUM_OPEN] = nesting.num[SPENT] = 0
    before = -1
    for block in range(num_blocks):
        if chosen[block]:
            joined = before >= 0 and _is_joined(blocks, before, block, layout)
            if joined:
                at = _join(page, blocks, before, block, layout, nesting, out, at)
            else:
                at = _end(page, blocks, before, layout, nesting, out, at)
                at = _begin(page, blocks, before, block, layout, nesting, out, at)
            at = _put_block(data, page, blocks, before, block, joined, layout, nesting, out, at)
            before = block
    return _end(page, blocks, before, layout, nesting, out, at)


@borrowing
def _is_joined(blocks: Blocks, before: Int, block: Int, layout: Layout) -> Bool:
    """Whether two blocks are parts of one table of data, one `<pre>` or one heading."""
    one, other = blocks.element[before], blocks.element[block]
    cell, next_cell = data_cell(layout, one), data_cell(layout, other)
    if cell or next_cell:
        return cell > 0 and next_cell > 0 and layout.table[cell] == layout.table[next_cell]
    if layout.pre[one] or layout.pre[other]:
        return layout.pre[one] == layout.pre[other]
    return layout.heading[one] > 0 and layout.heading[one] == layout.heading[other]


@borrowing
def _join(
    page: Page, blocks: Blocks, before: Int, block: Int, layout: Layout, nesting: Nesting, out: Bytes, at: Int
) -> Int:
    """Write what parts two such blocks."""
    one, other = blocks.element[before], blocks.element[block]
    cell, next_cell = data_cell(layout, one), data_cell(layout, other)
    if cell and layout.row[cell] != layout.row[next_cell]:
        at = _end_row(page, cell, layout, nesting, out, at)
        at = put_line_end(page, nesting.num[NUM_OPEN], nesting, out, at)
        return _begin_row(next_cell, layout, out, at)
    if cell and cell != next_cell:
        at = _put_columns(layout.number[next_cell] - layout.number[cell], out, at)
    elif not cell and layout.pre[one]:
        for _ in range(pre_lines(page, blocks, before, block)):
            at = put_line_end(page, nesting.num[NUM_OPEN], nesting, out, at)
        return at
    return put_many(SPACE, 1, out, at)


@borrowing
def _put_columns(num: Int, out: Bytes, at: Int) -> Int:
    """End a cell; those behind it are empty."""
    for _ in range(num):
        out[at] = SPACE
        out[at + 1] = PIPE
        at += 2
    return at


@borrowing
def _begin_row(cell: Int, layout: Layout, out: Bytes, at: Int) -> Int:
    at = _put_columns(layout.number[cell], out, put_many(PIPE, 1, out, at))
    return put_many(SPACE, 1, out, at)


@borrowing
def _end_row(page: Page, cell: Int, layout: Layout, nesting: Nesting, out: Bytes, at: Int) -> Int:
    """End the row whose last cell this is, and write the line below the head where it is that."""
    columns = nesting.num[COLUMNS]
    at = _put_columns(max(columns - layout.number[cell], 1), out, at)
    if columns:
        at = put_line_end(page, nesting.num[NUM_OPEN], nesting, out, at)
        at = put_many(PIPE, 1, out, at)
        for _ in range(columns):
            at = put_many(SPACE, 1, out, at)
            at = put_many(_MINUS, 3, out, at)
            at = _put_columns(1, out, at)
        nesting.num[COLUMNS] = 0
    return at


@borrowing
def _end(page: Page, blocks: Blocks, before: Int, layout: Layout, nesting: Nesting, out: Bytes, at: Int) -> Int:
    """End the table or the code of the block before."""
    if before < 0:
        return at
    element = blocks.element[before]
    cell = data_cell(layout, element)
    if cell:
        return _end_row(page, cell, layout, nesting, out, at)
    if layout.pre[element]:
        at = put_line_end(page, nesting.num[NUM_OPEN], nesting, out, at)
        return put_many(BACKTICK, nesting.num[TICKS], out, at)
    return at


@borrowing
def _begin(
    page: Page, blocks: Blocks, before: Int, block: Int, layout: Layout, nesting: Nesting, out: Bytes, at: Int
) -> Int:
    """Part a block from the one before and write the marks of the quotations and items that begin with it."""
    element = blocks.element[block]
    cell = data_cell(layout, element)
    depth, common = enter(page, layout.table[cell] if cell else element, layout, nesting)
    if before >= 0:
        name = page.elements.name[layout.item[element]]
        own_line = name == _DD or (depth > common and name != _DT)
        tight = own_line and not cell and is_tight(layout, blocks.element[before], element)
        if tight and not starts_late(page, depth, common, layout, nesting):
            at = put_line_end(page, common, nesting, out, at)
        else:
            at = put_blank_line(page, common, nesting, out, at)
    return open_further(page, depth, common, layout, nesting, out, at)


@borrowing
def _put_block(
    data: Bytes,
    page: Page,
    blocks: Blocks,
    before: Int,
    block: Int,
    joined: Bool,
    layout: Layout,
    nesting: Nesting,
    out: Bytes,
    at: Int,
) -> Int:
    """Write a block; `joined` says that it goes on with what the one before began."""
    element = blocks.element[block]
    cell = data_cell(layout, element)
    if cell:
        if not joined:
            nesting.num[COLUMNS] = layout.number[layout.table[cell]]
            at = _begin_row(cell, layout, out, at)
        return put_spans(page, blocks, block, layout, nesting, True, True, out, at)
    if layout.pre[element]:
        if not joined:
            nesting.num[TICKS] = ticks_of_pre(page, blocks, block, layout)
            at = put_many(BACKTICK, nesting.num[TICKS], out, at)
            at = put_language(data, page, page.runs.element[blocks.first_run[block]], layout.pre[element], out, at)
            at = put_line_end(page, nesting.num[NUM_OPEN], nesting, out, at)
        return _put_code(page, blocks, block, before, nesting, out, at)
    if layout.heading[element]:
        if not joined:
            at = put_many(_HASH, page.elements.name[layout.heading[element]] - _H1 + 1, out, at)
            at = put_many(SPACE, 1, out, at)
        begin = at
        at = put_spans(page, blocks, block, layout, nesting, True, False, out, at)
        return escape_heading_end(out, begin, at)
    item = layout.item[element]
    if page.elements.name[item] == _DD and (before < 0 or layout.item[blocks.element[before]] != item):
        out[at] = _COLON
        at = put_many(SPACE, 1, out, at + 1)
    return put_spans(page, blocks, block, layout, nesting, False, False, out, at)


@borrowing
def _put_code(page: Page, blocks: Blocks, block: Int, before: Int, nesting: Nesting, out: Bytes, at: Int) -> Int:
    """Write a block of `<pre>`, each line behind the prefix that the first has already."""
    begin = at
    at = write_preformatted(page, blocks, block, before, out, at)
    if nesting.num[NUM_OPEN] == 0 or nesting.num[SPENT] > page.elements.end[0]:
        return at
    width = put_prefix(nesting.num[NUM_OPEN], nesting, out, at) - at
    bare = width  # of a line with nothing in it
    while bare and out[at + bare - 1] == SPACE:
        bare -= 1
    total = 0
    for i in range(begin, at):
        if out[i] == _NEW_LINE:
            total += bare if out[i + 1] == _NEW_LINE else width
    if total > page.elements.end[0] - nesting.num[SPENT]:
        return at
    nesting.num[SPENT] += total
    _put_prefixes(total, width, bare, out, begin, at)
    return at + total


@borrowing
def _put_prefixes(total: Int, width: Int, bare: Int, out: Bytes, begin: Int, at: Int) -> None:
    """Put the prefix that stands at `out[at:]` before all lines but the first of `out[begin:at]`, from the end on."""
    to = behind = at + total
    for i in range(width - 1, -1, -1):  # keep it behind everything that moves
        out[behind + i] = out[at + i]
    last: Int = 0
    for i in range(at - 1, begin - 1, -1):
        byte = out[i]
        if byte == _NEW_LINE:
            size = bare if last == _NEW_LINE else width
            to -= size
            for k in range(size):
                out[to + k] = out[behind + k]
        to -= 1
        out[to] = last = byte
