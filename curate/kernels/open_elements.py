"""The open elements of a page that is being read: a stack of at most `MAX_DEPTH`, and what is written down of them.

An element stands inside of the one below it on the stack, or inside of elements that `forget` took off the stack
between the two.
"""

from __future__ import annotations

import numpy as np

from curate.kernels.compiled import borrowing
from curate.kernels.html_names import BLOCK, FLAGS, HOLDS_HTML, NUMBER, SPECIAL
from curate.kernels.page_arrays import (
    DEPTH,
    NUM_BREAKS,
    NUM_ELEMENTS,
    NUM_LINES,
    Page,
)
from curate.kernels.utf8 import Bool, Int

_BR, _HR, _SVG, _MATH, _TITLE = (NUMBER[name] for name in "br hr svg math title".split())


@borrowing
def start_page(page: Page, begin: Int) -> None:
    for i in range(page.num_open.size):
        page.num_open[i] = 0
    for i in range(page.place.size):
        page.place[i] = 0
    add_element(page, 1, begin, begin)
    push(page, 0, 1, np.uint64(1))


@borrowing
def add_element(page: Page, name: Int, start: Int, attributes: Int) -> Int:
    """Write down an element inside of the innermost open one."""
    elements, place = page.elements, page.place
    element = place[NUM_ELEMENTS]
    place[NUM_ELEMENTS] = element + 1
    elements.name[element] = name
    elements.parent[element] = page.open_elements[place[DEPTH] - 1] if place[DEPTH] else 0
    elements.behind[element] = element + 1
    elements.start[element] = start
    elements.attributes[element] = attributes
    elements.content[element] = attributes
    elements.end[element] = attributes
    elements.class_start[element] = 0
    elements.class_end[element] = 0
    elements.id_start[element] = 0
    elements.id_end[element] = 0
    elements.role_start[element] = 0
    elements.role_end[element] = 0
    elements.hidden[element] = 0
    if FLAGS[name] & BLOCK:
        place[NUM_BREAKS] += 1
    elif name in (_BR, _HR):
        place[NUM_LINES] += 1
    return element


@borrowing
def push(page: Page, element: Int, name: Int, key: Int) -> None:
    place = page.place
    page.open_elements[place[DEPTH]] = element
    page.open_keys[place[DEPTH]] = key
    page.open_foreign[place[DEPTH]] = _is_foreign(page, name)
    page.num_open[name] += 1
    place[DEPTH] += 1


@borrowing
def close_down_to(page: Page, depth: Int, at: Int) -> None:
    """End all open elements from `depth` on at this byte."""
    elements, place = page.elements, page.place
    while place[DEPTH] > depth:
        place[DEPTH] -= 1
        element = page.open_elements[place[DEPTH]]
        name = elements.name[element]
        page.num_open[name] -= 1
        elements.end[element] = at
        elements.behind[element] = place[NUM_ELEMENTS]
        if FLAGS[name] & BLOCK:
            place[NUM_BREAKS] += 1
        if place[DEPTH]:
            above = page.open_elements[place[DEPTH] - 1]
            around = elements.parent[element]
            while around != above:  # what `forget` took from the stack ends with it
                elements.end[around] = at
                elements.behind[around] = place[NUM_ELEMENTS]
                around = elements.parent[around]


@borrowing
def forget(page: Page, position: Int, behind: Int) -> None:
    """Take the open elements from one position up to another off the stack; what is open inside of them stays open."""
    place = page.place
    for i in range(position, behind):
        name = open_name(page, i)
        page.num_open[name] -= 1
        if FLAGS[name] & BLOCK:
            place[NUM_BREAKS] += 1
    removed = behind - position
    for i in range(behind, place[DEPTH]):
        page.open_elements[i - removed] = page.open_elements[i]
        page.open_keys[i - removed] = page.open_keys[i]
        page.open_foreign[i - removed] = page.open_foreign[i]
    place[DEPTH] -= removed


@borrowing
def move_out(page: Page, block: Int, position: Int) -> None:
    """End the open elements from a position on before a block inside of them, which now stands behind them."""
    elements = page.elements
    element, above = page.open_elements[block], page.open_elements[position - 1]
    around = elements.parent[element]
    while around != above:
        elements.end[around] = elements.start[element]
        elements.behind[around] = element
        around = elements.parent[around]
    elements.parent[element] = above
    forget(page, position, block)


@borrowing
def open_name(page: Page, position: Int) -> Int:
    return page.elements.name[page.open_elements[position]]


@borrowing
def in_foreign(page: Page) -> Bool:
    """Whether the innermost element is one of SVG or MathML."""
    return page.open_foreign[page.place[DEPTH] - 1] == 1


@borrowing
def _is_foreign(page: Page, name: Int) -> Int:
    """Whether an element that is pushed will be one: those around it decide where it does not itself."""
    if name in (_SVG, _MATH):
        return 1
    if page.place[DEPTH] == 0 or (FLAGS[name] & (BLOCK | SPECIAL | HOLDS_HTML) and name != _TITLE):
        return 0
    return page.open_foreign[page.place[DEPTH] - 1]


@borrowing
def leave_foreign(page: Page, at: Int) -> None:
    while in_foreign(page):
        position = page.place[DEPTH] - 1
        while position > 1 and open_name(page, position) != _SVG and open_name(page, position) != _MATH:
            position -= 1
        close_down_to(page, position, at)
