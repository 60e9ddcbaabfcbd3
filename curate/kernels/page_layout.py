"""Where the chosen blocks of a page stand in lists, tables, quotations and code: what both writers ask.

A table is one of data where its chosen cells form at least two rows and two columns, none holds a table, a heading or
preformatted text, and a cell of several blocks is short. Any other lays out a page, and its blocks are plain ones.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from curate.kernels.compiled import borrowing
from curate.kernels.html_names import NAMES, NUMBER
from curate.kernels.html_tags import attribute, is_word
from curate.kernels.page_blocks import Blocks
from curate.kernels.page_reader import NUM_ELEMENTS, Int32s, Page
from curate.kernels.utf8 import Bool, Bytes, Int

#: Lists and quotations within each other that are told apart; deeper ones are as deep as the last of these.
MAX_NESTING = 8
#: Bytes of a cell of several blocks in a table of data. Our choice: three lines of a page; a post of a forum is longer.
MAX_CELL_BYTES = 300
#: Columns that one cell of a table takes at most.
MAX_SPAN = 8

_LIST, _ORDERED, _ITEM, _TERM, _QUOTE, _PRE, _CODE, _HEADING, _TABLE, _ROW, _CELL = range(1, 12)
_WHAT = np.zeros(len(NAMES), np.uint8)
for _kind, _names in (
    *((_LIST, "ul menu dir dl"), (_ORDERED, "ol"), (_ITEM, "li"), (_TERM, "dt dd"), (_QUOTE, "blockquote")),
    *((_PRE, "pre listing"), (_CODE, "code tt kbd samp"), (_HEADING, "h1 h2 h3 h4 h5 h6")),
    *((_TABLE, "table"), (_ROW, "tr"), (_CELL, "td th")),
):
    for _name in _names.split():
        _WHAT[NUMBER[_name]] = _kind
_OL = NUMBER["ol"]


class Layout(NamedTuple):
    """Of each element, int32: the innermost one of a kind around it or at it, 0 where there is none; and counts."""

    nest: Int32s  # item of a list or quotation; those beyond `MAX_NESTING` are not looked at
    depth: Int32s  # how many of these
    item: Int32s  # `li`, `dt`, `dd`
    inner_list: Int32s
    outer_list: Int32s  # the outermost list within the same cell
    pre: Int32s
    code: Int32s  # 1 in `code`, `tt`, `kbd`, `samp`
    heading: Int32s
    table: Int32s
    row: Int32s
    cell: Int32s
    number: Int32s  # of an item in its list; of a cell's column, from 0; of a table's columns
    parts: Int32s  # chosen blocks of an item or cell, cells of a row that have any, such rows of a table
    size: Int32s  # bytes of text in a cell; 1 for a table that is none of data


def layout_room(page: Page) -> Layout:
    """Room for the layout of any page that `page` has room for."""
    return Layout(*(np.empty(page.elements.name.size, np.int32) for _ in Layout._fields))


@borrowing
def lay_out(data: Bytes, page: Page, blocks: Blocks, num_blocks: Int, chosen: Bytes, layout: Layout) -> None:
    """Fill `layout` for the blocks that are chosen."""
    _begin(layout)
    for element in range(1, page.place[NUM_ELEMENTS]):
        _inherit(page.elements.parent[element], element, layout)
        what = _WHAT[page.elements.name[element]]
        if what:
            _enter(data, page, element, what, layout)
    for block in range(num_blocks):
        if chosen[block]:
            _count(page, blocks, block, layout)


@borrowing
def data_cell(layout: Layout, element: Int) -> Int:
    """The cell of a table of data around the element, 0 where there is none."""
    cell = layout.cell[element]
    if cell == 0:
        return 0
    table = layout.table[cell]
    return cell if layout.size[table] == 0 and layout.parts[table] > 1 and layout.number[table] > 1 else 0


@borrowing
def is_tight(layout: Layout, one: Int, other: Int) -> Bool:
    """Whether these are in different items of a list, or of lists in it, each of them with one block of its own."""
    item, next_item = layout.item[one], layout.item[other]
    if item == 0 or next_item == 0 or item == next_item or layout.outer_list[item] != layout.outer_list[next_item]:
        return False
    return layout.outer_list[item] > 0 and layout.parts[item] == 1 and layout.parts[next_item] == 1


@borrowing
def _begin(layout: Layout) -> None:
    layout.nest[0] = layout.depth[0] = layout.item[0] = layout.inner_list[0] = layout.outer_list[0] = 0
    layout.pre[0] = layout.code[0] = layout.heading[0] = layout.table[0] = layout.row[0] = layout.cell[0] = 0
    layout.number[0] = layout.parts[0] = layout.size[0] = 0


@borrowing
def _inherit(parent: Int, element: Int, layout: Layout) -> None:
    layout.nest[element] = layout.nest[parent]
    layout.depth[element] = layout.depth[parent]
    layout.item[element] = layout.item[parent]
    layout.inner_list[element] = layout.inner_list[parent]
    layout.outer_list[element] = layout.outer_list[parent]
    layout.pre[element] = layout.pre[parent]
    layout.code[element] = layout.code[parent]
    layout.heading[element] = layout.heading[parent]
    layout.table[element] = layout.table[parent]
    layout.row[element] = layout.row[parent]
    layout.cell[element] = layout.cell[parent]
    layout.number[element] = layout.parts[element] = layout.size[element] = 0


@borrowing
def _enter(data: Bytes, page: Page, element: Int, what: Int, layout: Layout) -> None:
    if what in (_ITEM, _QUOTE) and layout.depth[element] < MAX_NESTING:
        layout.depth[element] += 1
        layout.nest[element] = element
    if what in (_ITEM, _TERM):
        layout.item[element] = element
        layout.number[layout.inner_list[element]] += 1
        layout.number[element] = layout.number[layout.inner_list[element]]
    elif what in (_LIST, _ORDERED):
        layout.inner_list[element] = element
        if layout.outer_list[element] == 0:
            layout.outer_list[element] = element
        if what == _ORDERED:
            layout.number[element] = _attribute_number(data, page, element, b"start", 1, 999_999_999) - 1
    elif what == _PRE:
        layout.pre[element] = element
    elif what == _CODE:
        layout.code[element] = 1
    elif what == _HEADING:
        layout.heading[element] = element
    elif what == _TABLE:
        layout.size[layout.table[element]] = 1  # the one around it
        layout.table[element] = layout.row[element] = element
        layout.cell[element] = 0
    elif what == _ROW:
        layout.row[element] = element
    elif what == _CELL:
        row = layout.row[element]
        layout.cell[element] = element
        layout.outer_list[element] = layout.heading[element] = 0
        layout.number[element] = layout.number[row]
        layout.number[row] += max(_attribute_number(data, page, element, b"colspan", 1, MAX_SPAN), 1)


@borrowing
def _attribute_number(data: Bytes, page: Page, element: Int, name: bytes, default: Int, most: Int) -> Int:
    i, size = page.elements.attributes[element], page.elements.content[element]
    while True:
        start, end, value, value_end, i = attribute(data, i, size)
        if end == start:
            return default
        if is_word(data, start, end, name):
            number, digits = 0, value
            while value < value_end and 0x30 <= data[value] <= 0x39:
                number = min(number * 10 + np.int64(data[value]) - 0x30, most)
                value += 1
            return number if value > digits else default


@borrowing
def _count(page: Page, blocks: Blocks, block: Int, layout: Layout) -> None:
    element = blocks.element[block]
    layout.parts[layout.item[element]] += 1
    cell = layout.cell[element]
    if cell == 0:
        return
    row, table = layout.row[cell], layout.table[cell]
    layout.parts[cell] += 1
    layout.size[cell] += page.runs.end[blocks.last_run[block] - 1] - page.runs.start[blocks.first_run[block]]
    if layout.parts[cell] == 1:
        if row != table:
            layout.parts[row] += 1
            layout.parts[table] += layout.parts[row] == 1
        layout.number[table] = max(layout.number[table], layout.number[cell] + 1)
    long = layout.parts[cell] > 1 and layout.size[cell] > MAX_CELL_BYTES
    if long or layout.heading[element] or layout.pre[element]:
        layout.size[table] = 1
