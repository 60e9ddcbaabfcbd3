"""What the reader of pages writes: a page as arrays, and room for them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.kernels.html_names import NAMES
from curate.kernels.utf8 import Bytes

Int32s = NDArray[np.int32]

#: Deeper elements become siblings, as browsers do it (Blink: 512). The deepest of 2,612 real pages has 53.
MAX_DEPTH = 256

#: What `Page.place` holds.
NUM_ELEMENTS, NUM_RUNS, NUM_TEXT_BYTES, DEPTH, RUN_START = range(5)
SEEN_HEAD, SEEN_BODY, NUM_BREAKS, NUM_LINES, IN_FORM = range(5, 10)
# The last `<math>` and what its TeX is, its annotation in TeX, what a script is; the element that shows a formula again
# and its place among the open ones.
LAST_MATH, MATH_KIND, TEX_ELEMENT, SCRIPT_KIND, COPY, COPY_DEPTH = range(10, 16)


class Elements(NamedTuple):
    """The elements of a page in document order, int32 each; only the first so many places are filled.

    Place 0 is the document. A range of bytes is `data[start:end]`; an attribute that is not there has 0, 0.
    """

    name: Int32s  # its number in `html_names`
    parent: Int32s
    behind: Int32s  # the place behind its last descendant
    start: Int32s  # byte of its "<"
    attributes: Int32s  # byte behind its name
    content: Int32s  # byte behind its ">"
    end: Int32s  # byte where its content ends
    class_start: Int32s
    class_end: Int32s
    id_start: Int32s
    id_end: Int32s
    role_start: Int32s  # `role` or `itemprop`, whichever comes last
    role_end: Int32s
    hidden: Int32s  # 1 where `hidden`, `aria-hidden=true` or `style="display:none"` says so


class Runs(NamedTuple):
    """Text between two tags, in document order, with references resolved and white space as it stands.

    A formula whose TeX the page tells (`page_formulas`) is a run of its own, in the place where it is shown; what else
    shows it is none. It belongs to the element that shows it, or to the one around its script or annotation.
    """

    element: Int32s  # the element that holds it
    link: Int32s  # the open `<a>` around it, 0 where there is none
    start: Int32s  # of its bytes in `Page.text`
    end: Int32s
    breaks: Int32s  # starts and ends of blocks before it: equal where no block begins or ends between two runs
    lines: Int32s  # `<br>` and `<hr>` before it
    formula: Int32s  # `INLINE` or `DISPLAY` of `page_formulas` where it is TeX, else 0


class Page(NamedTuple):
    """Room for one page at a time."""

    elements: Elements
    runs: Runs
    text: Bytes
    open_elements: Int32s  # int32[MAX_DEPTH + 1]: the stack
    open_keys: NDArray[np.uint64]  # of their names
    open_foreign: Int32s  # 1 where an element is one of SVG or MathML
    num_open: Int32s  # how many of each name are open: int32[len(NAMES)]
    place: Int32s  # int32[16]: see above


def room(num_bytes: int, num_tags: int) -> Page:
    """Room for any page of at most so many bytes with at most so many "<". Memory is taken only where it is written to.

    A page of n bytes has at most n text bytes and a fifth more: "&nGt;" takes 5 bytes and stands for 6.
    """
    size = num_tags + 2
    elements = Elements(*(np.empty(size, np.int32) for _ in Elements._fields))
    runs = Runs(*(np.empty(2 * size, np.int32) for _ in Runs._fields))  # one before a tag, one out of it
    return Page(
        elements,
        runs,
        np.empty(num_bytes + num_bytes // 5 + 16, np.uint8),
        np.empty(MAX_DEPTH + 1, np.int32),
        np.empty(MAX_DEPTH + 1, np.uint64),
        np.empty(MAX_DEPTH + 1, np.int32),
        np.zeros(len(NAMES), np.int32),
        np.zeros(16, np.int32),
    )


def num_tags(data: Bytes) -> int:
    """How many "<" there are, which is more than there are tags."""
    return int(np.count_nonzero(data == 0x3C))
