"""The text blocks of a page in document order: what its reader sees as a paragraph, an item, a cell, a heading.

A block is the text between two places where a block element begins or ends, or where two `<br>` follow each other.
Text that no reader sees (scripts, styles, titles, templates, form values, SVG) belongs to none. Everything that is
asked about a page later, features, choice and output, is asked about its blocks.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from curate.kernels.compiled import borrowing
from curate.kernels.html_names import BLOCK, FLAGS, UNSEEN
from curate.kernels.page_characters import is_blank
from curate.kernels.page_reader import NUM_ELEMENTS, NUM_RUNS, Int32s, Page
from curate.kernels.utf8 import Int

#: A page with more blocks has its text up to here: 25 times the most of 2,612 real pages (2,641).
MAX_BLOCKS = 1 << 16


class Blocks(NamedTuple):
    """The blocks of one page, int32 each; only the first so many places are filled. Ends are exclusive."""

    first_run: Int32s  # its runs: all between them that are seen
    last_run: Int32s  # behind the last
    element: Int32s  # innermost block element around it, 0 where none is
    container: Int32s  # int32[number of elements]: the innermost block element around (or at) each element
    unseen: Int32s  # int32[number of elements]: 1 where its text is not seen


def blocks_room(page: Page) -> Blocks:
    """Room for the blocks of any page that `page` has room for."""
    num_runs, num_elements = page.runs.element.size, page.elements.name.size
    size = min(num_runs, MAX_BLOCKS)
    return Blocks(*(np.empty(length, np.int32) for length in (size, size, size, num_elements, num_elements)))


@borrowing
def find_blocks(page: Page, blocks: Blocks) -> Int:
    """Fill `blocks` with those of the page and return how many there are."""
    _inherit(page, blocks)
    runs = page.runs
    num = 0
    breaks, lines = -1, -1
    for run in range(page.place[NUM_RUNS]):
        if blocks.unseen[runs.element[run]] or is_blank(page.text, runs.start[run], runs.end[run]):
            continue
        if runs.breaks[run] != breaks or runs.lines[run] > lines + 1:
            if num == blocks.first_run.size:
                break
            blocks.first_run[num] = run
            blocks.element[num] = blocks.container[runs.element[run]]
            num += 1
        blocks.last_run[num - 1] = run + 1
        breaks, lines = runs.breaks[run], runs.lines[run]
    return num


@borrowing
def _inherit(page: Page, blocks: Blocks) -> None:
    """What elements have from those around them. A parent comes before its children."""
    elements = page.elements
    blocks.container[0] = 0
    blocks.unseen[0] = 0
    for element in range(1, page.place[NUM_ELEMENTS]):
        flags = FLAGS[elements.name[element]]
        parent = elements.parent[element]
        blocks.container[element] = element if flags & BLOCK else blocks.container[parent]
        blocks.unseen[element] = 1 if flags & UNSEEN else blocks.unseen[parent]
