"""The chosen blocks of a page as plain text.

Blocks are parted by a blank line; items of a list that have one block each, rows of a table and lines that `<br>` ends
by a line feed; cells of a row by a tab for each column, so that columns stay columns. White space is one space except
in `<pre>`. Tags within a line add nothing: "<b>a</b>b" is "ab". A formula is "$…$", or "$$…$$" on a line of its own.
"""

from __future__ import annotations

from curate.kernels.compiled import borrowing
from curate.kernels.page_blocks import Blocks
from curate.kernels.page_characters import is_blank, put_preformatted, put_words
from curate.kernels.page_formulas import DISPLAY
from curate.kernels.page_layout import Layout, data_cell, is_tight
from curate.kernels.page_reader import Page
from curate.kernels.utf8 import Bool, Bytes, Int

_NEW_LINE, _SPACE, _TAB, _DOLLAR = 0x0A, 0x20, 0x09, 0x24


def text_room(num_bytes: int) -> int:
    """Bytes that the text of a page of so many takes at most: its text's (`page_reader.room`).

    What is written between two texts is never longer than the tags that part them.
    """
    return num_bytes + num_bytes // 5 + 16


@borrowing
def write_text(page: Page, blocks: Blocks, num_blocks: Int, chosen: Bytes, layout: Layout, out: Bytes, at: Int) -> Int:
    """Write the text of the chosen blocks to `out[at:]`, which has `text_room`; the place behind it.

    `layout` is that of the same choice (`page_layout.lay_out`). The text begins and ends without white space; where
    nothing is chosen it is empty. It is UTF-8 where the page is.
    """
    before = -1
    for block in range(num_blocks):
        if chosen[block]:
            if before >= 0:
                at = _part(page, blocks, before, block, layout, out, at)
            element = blocks.element[block]
            if layout.pre[element]:
                at = write_preformatted(page, blocks, block, before, out, at)
            else:
                at = _write_lines(page, blocks, block, data_cell(layout, element) > 0, out, at)
            before = block
    return at


@borrowing
def _part(page: Page, blocks: Blocks, before: Int, block: Int, layout: Layout, out: Bytes, at: Int) -> Int:
    """Write what parts two blocks."""
    one, other = blocks.element[before], blocks.element[block]
    cell, next_cell = data_cell(layout, one), data_cell(layout, other)
    if next_cell and cell and layout.table[cell] == layout.table[next_cell]:
        return _part_cells(cell, next_cell, layout, out, at)
    pre = layout.pre[one]
    if pre and pre == layout.pre[other]:
        return put_many(_NEW_LINE, pre_lines(page, blocks, before, block), out, at)
    if layout.heading[one] and layout.heading[one] == layout.heading[other]:
        return put_many(_SPACE, 1, out, at)
    at = put_many(_NEW_LINE, 1 if is_tight(layout, one, other) else 2, out, at)
    return put_many(_TAB, layout.number[next_cell], out, at) if next_cell else at


@borrowing
def _part_cells(cell: Int, next_cell: Int, layout: Layout, out: Bytes, at: Int) -> Int:
    if cell == next_cell:
        return put_many(_SPACE, 1, out, at)
    if layout.row[cell] == layout.row[next_cell]:
        return put_many(_TAB, layout.number[next_cell] - layout.number[cell], out, at)
    at = put_many(_NEW_LINE, 1, out, at)
    return put_many(_TAB, layout.number[next_cell], out, at)


@borrowing
def pre_lines(page: Page, blocks: Blocks, before: Int, block: Int) -> Int:
    """Line feeds between two blocks of one `<pre>`: its `<br>`s, or one where a block begins."""
    last, first = blocks.last_run[before] - 1, blocks.first_run[block]
    if page.runs.breaks[last] != page.runs.breaks[first]:
        return 1
    return max(page.runs.lines[first] - page.runs.lines[last], 1)


@borrowing
def put_many(byte: Int, times: Int, out: Bytes, at: Int) -> Int:
    """Write a byte so many times."""
    for _ in range(times):
        out[at] = byte
        at += 1
    return at


@borrowing
def first_run_of_pre(page: Page, blocks: Blocks, block: Int, before: Int) -> Int:
    """The first run of a block in `<pre>` with the white space before it, which indents its first line."""
    runs, first = page.runs, blocks.first_run[block]
    last = blocks.last_run[before] if before >= 0 else 0
    while first > last and runs.breaks[first - 1] == runs.breaks[first] and runs.lines[first - 1] == runs.lines[first]:
        if blocks.unseen[runs.element[first - 1]]:
            break
        first -= 1
    return first


@borrowing
def write_preformatted(page: Page, blocks: Blocks, block: Int, before: Int, out: Bytes, at: Int) -> Int:
    """Write a block of `<pre>` as it stands, without blank lines at its start and white space at its end."""
    runs = page.runs
    first = first_run_of_pre(page, blocks, block, before)
    begin, line = at, runs.lines[first]
    for run in range(first, blocks.last_run[block]):
        if blocks.unseen[runs.element[run]]:
            continue
        at = put_many(_NEW_LINE, runs.lines[run] - line, out, at)
        line = runs.lines[run]
        if runs.formula[run]:
            at = put_formula(page, run, out, at)
        else:
            at = put_preformatted(page.text, runs.start[run], runs.end[run], out, at)
    while at > begin and (out[at - 1] == _SPACE or 0x09 <= out[at - 1] <= 0x0D):
        at -= 1
    skip = begin
    for i in range(begin, at):
        if out[i] == _NEW_LINE:
            skip = i + 1
        elif out[i] != _SPACE and out[i] != _TAB:
            break
    for i in range(skip, at):
        out[begin + i - skip] = out[i]
    return at - (skip - begin)


@borrowing
def put_formula(page: Page, run: Int, out: Bytes, at: Int) -> Int:
    """Write a formula between dollars, in one line."""
    num = 2 if page.runs.formula[run] == DISPLAY else 1
    at = put_many(_DOLLAR, num, out, at)
    at, _ = put_words(page.text, page.runs.start[run], page.runs.end[run], out, at, at, False)
    return put_many(_DOLLAR, num, out, at)


@borrowing
def _write_lines(page: Page, blocks: Blocks, block: Int, in_cell: Bool, out: Bytes, at: Int) -> Int:
    """Write a block; in a cell, in one line."""
    runs, text = page.runs, page.text
    begin = at
    line, space, ended = runs.lines[blocks.first_run[block]], False, False
    for run in range(blocks.first_run[block], blocks.last_run[block]):
        if blocks.unseen[runs.element[run]]:
            continue
        display = runs.formula[run] == DISPLAY
        if runs.lines[run] != line or ended or display:
            if is_blank(text, runs.start[run], runs.end[run]):
                continue
            line, ended, space = runs.lines[run], False, in_cell
            if at > begin and not in_cell:
                out[at] = _NEW_LINE
                at += 1
                begin = at
        if runs.formula[run]:
            if space and at > begin:
                out[at] = _SPACE
                at += 1
            at, space, ended = put_formula(page, run, out, at), False, display
        else:
            at, space = put_words(text, runs.start[run], runs.end[run], out, at, begin, space)
    return at
