"""Runs of text while a page is read: what text between two tags belongs to, and formulas in place of their copies."""

from __future__ import annotations

from curate.kernels.compiled import borrowing
from curate.kernels.html_entities import Entities, put_reference
from curate.kernels.html_names import NUMBER
from curate.kernels.open_elements import close_down_to, open_name
from curate.kernels.page_arrays import (
    COPY,
    COPY_DEPTH,
    DEPTH,
    LAST_MATH,
    MATH_KIND,
    NUM_BREAKS,
    NUM_LINES,
    NUM_RUNS,
    RUN_START,
    SCRIPT_KIND,
    TEX_ELEMENT,
    Page,
)
from curate.kernels.page_formulas import find_tex, is_copy, without_delimiters
from curate.kernels.utf8 import Bool, Bytes, Int

_A, _HEAD, _IMG, _MATH, _SCRIPT = (NUMBER[name] for name in "a head img math script".split())
_ANNOTATION = NUMBER["annotation"]


@borrowing
def end_run(page: Page, to: Int, at: Int) -> None:
    """Write down the text since the last tag. Text behind the head's elements begins the body."""
    place = page.place
    start = place[RUN_START]
    if to == start:
        return
    top = place[DEPTH] - 1
    if open_name(page, top) == _HEAD:
        for i in range(start, to):
            if page.text[i] > 0x20:
                close_down_to(page, top, at)
                top = place[DEPTH] - 1
                break
    if place[COPY] and is_shown_already(page):
        return
    element, kind = page.open_elements[top], 0
    if element == place[TEX_ELEMENT] and element > 0:
        _forget_math(page)
        element, kind = page.elements.parent[element], place[MATH_KIND]
    add_run(page, element, start, to, kind)


@borrowing
def add_run(page: Page, element: Int, start: Int, end: Int, formula: Int) -> None:
    runs, place = page.runs, page.place
    run = place[NUM_RUNS]
    place[NUM_RUNS] = run + 1
    runs.element[run] = element
    runs.link[run] = 0
    runs.start[run] = start
    runs.end[run] = end
    runs.breaks[run] = place[NUM_BREAKS]
    runs.lines[run] = place[NUM_LINES]
    runs.formula[run] = formula
    if page.num_open[_A]:
        for position in range(place[DEPTH] - 1, 0, -1):
            if open_name(page, position) == _A:
                runs.link[run] = page.open_elements[position]
                break


@borrowing
def is_shown_already(page: Page) -> Bool:
    """Whether the text here repeats a formula."""
    place = page.place
    if place[DEPTH] > place[COPY_DEPTH] and page.open_elements[place[COPY_DEPTH]] == place[COPY]:
        return True
    place[COPY] = 0
    return False


@borrowing
def _forget_math(page: Page) -> None:
    """Take back the text of the open `<math>`, for which there is TeX."""
    runs, place = page.runs, page.place
    while place[NUM_RUNS] and runs.element[place[NUM_RUNS] - 1] >= place[LAST_MATH]:
        if runs.formula[place[NUM_RUNS] - 1]:
            return
        place[NUM_RUNS] -= 1


@borrowing
def take_tex(data: Bytes, name: Int, i: Int, size: Int, entities: Entities, page: Page, element: Int, to: Int) -> Int:
    """Take in the TeX that a tag carries, and note the TeX that its content will be; the place behind the text."""
    runs, place = page.runs, page.place
    kind, tex, tex_end = find_tex(data, name, i, size)
    if name == _SCRIPT:
        place[SCRIPT_KIND] = kind
        return to
    if name == _ANNOTATION:
        if kind and page.num_open[_MATH]:
            place[TEX_ELEMENT] = element
        return to
    if name == _MATH:
        place[LAST_MATH], place[MATH_KIND] = element, kind
    if kind == 0 or tex == tex_end or (place[COPY] and is_shown_already(page)):
        return to
    last = place[NUM_RUNS] - 1
    if name == _IMG and last >= 0 and runs.formula[last] and page.elements.name[runs.element[last]] == _MATH:
        return to  # MediaWiki's image behind its MathML
    start = to
    while tex < tex_end:
        if data[tex] == 0x26:
            tex, to = put_reference(data, tex, tex_end, entities, page.text, to, True)
        else:
            page.text[to] = data[tex]
            tex, to = tex + 1, to + 1
    start, end, kind = without_delimiters(page.text, start, to, kind)
    if end > start:
        add_run(page, element, start, end, kind)
    return to


@borrowing
def note_copy(data: Bytes, page: Page, element: Int) -> None:
    """Note an element just opened that shows a formula again."""
    elements, place = page.elements, page.place
    if place[COPY] and is_shown_already(page):
        return
    last = place[NUM_RUNS] - 1
    behind_tex = last >= 0 and page.runs.formula[last] > 0
    if elements.name[element] == _MATH:
        copy = behind_tex and page.runs.element[last] == element
    elif elements.class_end[element] or elements.id_end[element]:
        classes, classes_end = elements.class_start[element], elements.class_end[element]
        copy = is_copy(data, classes, classes_end, elements.id_start[element], elements.id_end[element], behind_tex)
    else:
        copy = False
    if copy:
        place[COPY], place[COPY_DEPTH] = element, place[DEPTH] - 1
