"""Read an HTML page into elements and text in one pass over its bytes: a tokenizer and a stack of open elements.

It follows the HTML standard (https://html.spec.whatwg.org, "Tokenization", "Tree construction") where that changes
which text a page has and where it stands: void elements, end tags that authors leave out, raw text, character
references, comments, CDATA, scopes, headings, lists, tables, links inside links, `<template>`, SVG and MathML. It does
not move text out of tables ("foster parenting"), does not build formatting elements again after a misnested end tag,
and reads `<noscript>` as markup, as a reader without scripts has it.

Any bytes are a page. Time and memory are linear in their number: nesting stops at `MAX_DEPTH`, below which elements
become siblings, as browsers do it (Blink: 512).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing
from curate.kernels.html_entities import Entities, put_reference
from curate.kernels.html_names import (
    BLOCK,
    BREAKS_OUT,
    CLOSES_P,
    FLAGS,
    FORMATTING,
    HEADING,
    HOLDS_HTML,
    IN_HEAD,
    NAMES,
    NUMBER,
    OTHER,
    RAW,
    RCDATA,
    SCOPE,
    SPECIAL,
    VOID,
    key_of,
    number_of,
)
from curate.kernels.html_tags import attribute as attribute  # others look for these two here
from curate.kernels.html_tags import hides, is_space, skip_attributes, tag_name_end
from curate.kernels.html_tags import is_word as is_word
from curate.kernels.page_formulas import find_tex, is_copy, without_delimiters
from curate.kernels.utf8 import Bool, Bytes, Int

Int32s = NDArray[np.int32]

MAX_DEPTH = 512

_HTML, _HEAD, _BODY, _P, _LI, _DD, _DT = (NUMBER[name] for name in "html head body p li dd dt".split())
_A, _BUTTON, _SELECT, _OPTION, _OPTGROUP = (NUMBER[name] for name in "a button select option optgroup".split())
_TABLE, _TR, _TD, _TH, _CAPTION = (NUMBER[name] for name in "table tr td th caption".split())
_TBODY, _THEAD, _TFOOT, _TEMPLATE = (NUMBER[name] for name in "tbody thead tfoot template".split())
_ADDRESS, _DIV, _RT, _RP, _BR, _HR, _NOBR = (NUMBER[name] for name in "address div rt rp br hr nobr".split())
_SVG, _MATH, _SCRIPT, _PLAINTEXT = (NUMBER[name] for name in "svg math script plaintext".split())
_TITLE, _FORM, _COL, _COLGROUP, _IMAGE, _IMG = (NUMBER[name] for name in "title form col colgroup image img".split())
_INPUT, _TEXTAREA, _UL, _OL, _RB, _RTC, _XMP = (NUMBER[name] for name in "input textarea ul ol rb rtc xmp".split())
_ANNOTATION = NUMBER["annotation"]


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
    num_open: Int32s  # how many of each name are open: int32[len(NAMES)]
    place: Int32s  # int32[16]: see below


# What `Page.place` holds.
NUM_ELEMENTS, NUM_RUNS, NUM_TEXT_BYTES, DEPTH, RUN_START, _SEEN_HEAD, _SEEN_BODY, _BREAKS, _LINES, _IN_FORM = range(10)
# The last `<math>` and what its TeX is, its annotation in TeX, what a script is; the element that shows a formula again
# and its place among the open ones.
_LAST_MATH, _MATH_KIND, _TEX_ELEMENT, _SCRIPT_KIND, _COPY, _COPY_DEPTH = range(10, 16)


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
        np.zeros(len(NAMES), np.int32),
        np.zeros(16, np.int32),
    )


def num_tags(data: Bytes) -> int:
    """How many "<" there are, which is more than there are tags."""
    return int(np.count_nonzero(data == 0x3C))


@borrowing
def read_page(data: Bytes, begin: Int, size: Int, entities: Entities, page: Page) -> None:
    """Fill `page` with the page in `data[begin:size]`. Its numbers are in `page.place`."""
    _start(page, begin)
    place, text = page.place, page.text
    to = 0
    i = begin
    while i < size:
        byte = data[i]
        if byte == 0x26:
            i, to = put_reference(data, i, size, entities, text, to, False)
            continue
        if byte != 0x3C or i + 1 >= size:
            text[to] = byte
            to += 1
            i += 1
            continue
        following = data[i + 1]
        if 0x61 <= (following | 0x20) <= 0x7A:
            _end_run(page, to, i)
            i, to = _start_tag(data, i, size, entities, page, to)
            place[RUN_START] = to
        elif following == 0x2F and i + 2 < size and 0x61 <= (data[i + 2] | 0x20) <= 0x7A:
            _end_run(page, to, i)
            i = _end_tag(data, i, size, page)
            place[RUN_START] = to
        elif following == 0x21 and _foreign(page) and _is_cdata(data, i, size):
            i, to = _cdata(data, i + 9, size, text, to)
        elif following == 0x21 or following == 0x3F or following == 0x2F:
            _end_run(page, to, i)
            place[RUN_START] = to
            i = _comment(data, i, size)
        else:
            text[to] = byte
            to += 1
            i += 1
    _end_run(page, to, size)
    _close_down_to(page, 0, size)
    place[NUM_TEXT_BYTES] = to


@borrowing
def _start(page: Page, begin: Int) -> None:
    for i in range(page.num_open.size):
        page.num_open[i] = 0
    for i in range(page.place.size):
        page.place[i] = 0
    _add_element(page, 1, begin, begin)
    _push(page, 0, 1, np.uint64(1))


@borrowing
def _add_element(page: Page, name: Int, start: Int, attributes: Int) -> Int:
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
        place[_BREAKS] += 1
    elif name in (_BR, _HR):
        place[_LINES] += 1
    return element


@borrowing
def _push(page: Page, element: Int, name: Int, key: Int) -> None:
    place = page.place
    page.open_elements[place[DEPTH]] = element
    page.open_keys[place[DEPTH]] = key
    page.num_open[name] += 1
    place[DEPTH] += 1


@borrowing
def _close_down_to(page: Page, depth: Int, at: Int) -> None:
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
            place[_BREAKS] += 1
        if place[DEPTH]:
            above = page.open_elements[place[DEPTH] - 1]
            around = elements.parent[element]
            while around != above:  # what `_forget` took from the stack ends with it
                elements.end[around] = at
                elements.behind[around] = place[NUM_ELEMENTS]
                around = elements.parent[around]


@borrowing
def _forget(page: Page, position: Int, behind: Int) -> None:
    """Take the open elements from one position up to another off the stack; what is open inside of them stays open."""
    place = page.place
    for i in range(position, behind):
        name = _open_name(page, i)
        page.num_open[name] -= 1
        if FLAGS[name] & BLOCK:
            place[_BREAKS] += 1
    removed = behind - position
    for i in range(behind, place[DEPTH]):
        page.open_elements[i - removed] = page.open_elements[i]
        page.open_keys[i - removed] = page.open_keys[i]
    place[DEPTH] -= removed


@borrowing
def _move_out(page: Page, block: Int, position: Int) -> None:
    """End the open elements from a position on before a block inside of them, which now stands behind them."""
    elements = page.elements
    element, above = page.open_elements[block], page.open_elements[position - 1]
    around = elements.parent[element]
    while around != above:
        elements.end[around] = elements.start[element]
        elements.behind[around] = element
        around = elements.parent[around]
    elements.parent[element] = above
    _forget(page, position, block)


@borrowing
def _open_name(page: Page, position: Int) -> Int:
    return page.elements.name[page.open_elements[position]]


@borrowing
def _foreign(page: Page) -> Bool:
    """Whether the innermost element is one of SVG or MathML."""
    if page.num_open[_SVG] == 0 and page.num_open[_MATH] == 0:
        return False
    for position in range(page.place[DEPTH] - 1, 0, -1):
        name = _open_name(page, position)
        if name in (_SVG, _MATH):
            return True
        if FLAGS[name] & (BLOCK | SPECIAL | HOLDS_HTML) and name != _TITLE:
            return False
    return False


@borrowing
def _end_run(page: Page, to: Int, at: Int) -> None:
    """Write down the text since the last tag. Text behind the head's elements begins the body."""
    place = page.place
    start = place[RUN_START]
    if to == start:
        return
    top = place[DEPTH] - 1
    if _open_name(page, top) == _HEAD:
        for i in range(start, to):
            if page.text[i] > 0x20:
                _close_down_to(page, top, at)
                top = place[DEPTH] - 1
                break
    if place[_COPY] and _is_shown_already(page):
        return
    element, kind = page.open_elements[top], 0
    if element == place[_TEX_ELEMENT] and element > 0:
        _forget_math(page)
        element, kind = page.elements.parent[element], place[_MATH_KIND]
    _add_run(page, element, start, to, kind)


@borrowing
def _is_shown_already(page: Page) -> Bool:
    """Whether the text here repeats a formula."""
    place = page.place
    if place[DEPTH] > place[_COPY_DEPTH] and page.open_elements[place[_COPY_DEPTH]] == place[_COPY]:
        return True
    place[_COPY] = 0
    return False


@borrowing
def _forget_math(page: Page) -> None:
    """Take back the text of the open `<math>`, for which there is TeX."""
    runs, place = page.runs, page.place
    while place[NUM_RUNS] and runs.element[place[NUM_RUNS] - 1] >= place[_LAST_MATH]:
        if runs.formula[place[NUM_RUNS] - 1]:
            return
        place[NUM_RUNS] -= 1


@borrowing
def _add_run(page: Page, element: Int, start: Int, end: Int, formula: Int) -> None:
    runs, place = page.runs, page.place
    run = place[NUM_RUNS]
    place[NUM_RUNS] = run + 1
    runs.element[run] = element
    runs.link[run] = 0
    runs.start[run] = start
    runs.end[run] = end
    runs.breaks[run] = place[_BREAKS]
    runs.lines[run] = place[_LINES]
    runs.formula[run] = formula
    if page.num_open[_A]:
        for position in range(place[DEPTH] - 1, 0, -1):
            if _open_name(page, position) == _A:
                runs.link[run] = page.open_elements[position]
                break


@borrowing
def _attributes(data: Bytes, i: Int, size: Int, element: Int, page: Page) -> Int:
    """Note the attributes of an element that matter; the place of its ">" (or the end of the page)."""
    elements = page.elements
    while True:
        start, end, value_start, value_end, i = attribute(data, i, size)
        length = end - start
        if length == 0:
            return i
        if length == 5 and is_word(data, start, end, b"class"):
            if elements.class_end[element] == 0:  # the first of its name counts
                elements.class_start[element], elements.class_end[element] = value_start, value_end
        elif length == 2 and is_word(data, start, end, b"id"):
            if elements.id_end[element] == 0:
                elements.id_start[element], elements.id_end[element] = value_start, value_end
        elif (length == 4 and is_word(data, start, end, b"role")) or (
            length == 8 and is_word(data, start, end, b"itemprop")
        ):
            elements.role_start[element], elements.role_end[element] = value_start, value_end
        elif length == 6 and is_word(data, start, end, b"hidden"):
            elements.hidden[element] = 1
        elif length == 5 and is_word(data, start, end, b"style"):
            if hides(data, value_start, value_end):
                elements.hidden[element] = 1
        elif (
            length == 11
            and is_word(data, start, end, b"aria-hidden")
            and is_word(data, value_start, value_end, b"true")
        ):
            elements.hidden[element] = 1


@borrowing
def _start_tag(data: Bytes, at: Int, size: Int, entities: Entities, page: Page, to: Int) -> tuple[Int, Int]:
    """Take in the start tag at `at`; the place behind it, or behind its content where that is raw text."""
    name_end = tag_name_end(data, at + 1, size)
    key = key_of(data, at + 1, name_end)
    name = number_of(key)
    foreign = _foreign(page)
    if foreign and FLAGS[name] & BREAKS_OUT:
        _leave_foreign(page, at)
        foreign = False
    if not foreign:
        if name == _IMAGE:
            name = _IMG
        if _counts_for_nothing(page, name):
            return min(skip_attributes(data, name_end, size) + 1, size), to
        _imply_ends(page, name, at)
    if page.place[DEPTH] > MAX_DEPTH and not FLAGS[name] & VOID:  # deeper elements become siblings
        _close_down_to(page, MAX_DEPTH, at)
    element = _add_element(page, name, at, name_end)
    i = _attributes(data, name_end, size, element, page)
    closes_itself = i < size and data[i - 1] == 0x2F
    i = min(i + 1, size)
    page.elements.content[element] = i
    page.elements.end[element] = i
    flags = FLAGS[name]
    if name in (_IMG, _MATH, _SCRIPT, _ANNOTATION):
        to = _tex(data, name, page.elements.attributes[element], size, entities, page, element, to)
    if flags & (RAW | RCDATA) and not (foreign and name == _TITLE):
        if not (foreign and closes_itself):
            return _raw_text(data, i, size, entities, page, element, key, to)
        return i, to
    if name == _FORM and not foreign:
        page.place[_IN_FORM] = 1
        if _is_in_table(_open_name(page, page.place[DEPTH] - 1)):
            return i, to  # a form around rows holds nothing
    if not (flags & VOID or (closes_itself and (foreign or name in (_SVG, _MATH)))):
        _push(page, element, name, key)
        _note_copy(data, page, element)
    return i, to


@borrowing
def _tex(data: Bytes, name: Int, i: Int, size: Int, entities: Entities, page: Page, element: Int, to: Int) -> Int:
    """Take in the TeX that a tag carries, and note the TeX that its content will be; the place behind the text."""
    runs, place = page.runs, page.place
    kind, tex, tex_end = find_tex(data, name, i, size)
    if name == _SCRIPT:
        place[_SCRIPT_KIND] = kind
        return to
    if name == _ANNOTATION:
        if kind and page.num_open[_MATH]:
            place[_TEX_ELEMENT] = element
        return to
    if name == _MATH:
        place[_LAST_MATH], place[_MATH_KIND] = element, kind
    if kind == 0 or tex == tex_end or (place[_COPY] and _is_shown_already(page)):
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
        _add_run(page, element, start, end, kind)
    return to


@borrowing
def _note_copy(data: Bytes, page: Page, element: Int) -> None:
    """Note an element just opened that shows a formula again."""
    elements, place = page.elements, page.place
    if place[_COPY] and _is_shown_already(page):
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
        place[_COPY], place[_COPY_DEPTH] = element, place[DEPTH] - 1


@borrowing
def _leave_foreign(page: Page, at: Int) -> None:
    while _foreign(page):
        position = page.place[DEPTH] - 1
        while _open_name(page, position) != _SVG and _open_name(page, position) != _MATH:
            position -= 1
        _close_down_to(page, position, at)


@borrowing
def _counts_for_nothing(page: Page, name: Int) -> Bool:
    """Whether a start tag is none: a second body, a form inside a form, a part of a table outside of one."""
    place = page.place
    if name in (_HTML, _BODY, _HEAD):
        return bool(place[_SEEN_BODY] or page.num_open[name] or (name == _HEAD and place[_SEEN_HEAD]))
    if page.num_open[_TEMPLATE]:
        return False
    if name == _FORM:
        return bool(place[_IN_FORM])
    return bool(
        page.num_open[_TABLE] == 0 and ((_is_in_table(name) and name != _TABLE) or _is_cell(name) or name == _COL)
    )


@borrowing
def _is_in_table(name: Int) -> Bool:
    """Whether it holds rows or cells, but no text."""
    is_group = name in (_TBODY, _THEAD, _TFOOT, _COLGROUP)
    return is_group or name in (_TABLE, _TR)


@borrowing
def _is_cell(name: Int) -> Bool:
    return name in (_TD, _TH, _CAPTION)


@borrowing
def _imply_ends(page: Page, name: Int, at: Int) -> None:
    """Close what a start tag closes."""
    place, num_open = page.place, page.num_open
    flags = FLAGS[name]
    if name == _BODY:
        place[_SEEN_BODY] = 1
    if name == _HEAD:
        place[_SEEN_HEAD] = 1
    top = _open_name(page, place[DEPTH] - 1)
    if top == _HEAD and not flags & IN_HEAD:
        _close_down_to(page, place[DEPTH] - 1, at)
    if num_open[_HEAD] and name == _BODY:
        _close_nearest(page, _HEAD, SCOPE, at)
    if flags & CLOSES_P and num_open[_P]:
        _close_p(page, at)
    if flags & HEADING and FLAGS[_open_name(page, place[DEPTH] - 1)] & HEADING:
        _close_down_to(page, place[DEPTH] - 1, at)
    if name == _LI and num_open[_LI]:
        _close_item(page, _LI, _LI, at)
    elif name in (_DD, _DT):
        if num_open[_DD] or num_open[_DT]:
            _close_item(page, _DD, _DT, at)
    elif _is_in_table(name) or _is_cell(name) or name == _COL:
        if num_open[_TABLE]:
            _close_in_table(page, name, at)
    elif name in (_OPTION, _OPTGROUP):
        if _open_name(page, place[DEPTH] - 1) == _OPTION:
            _close_down_to(page, place[DEPTH] - 1, at)
        if name == _OPTGROUP and _open_name(page, place[DEPTH] - 1) == _OPTGROUP:
            _close_down_to(page, place[DEPTH] - 1, at)
    elif name == _A and num_open[_A]:
        _end_formatting(page, _A, at)
    elif name == _NOBR and num_open[_NOBR]:
        _end_formatting(page, _NOBR, at)
    elif name == _BUTTON and num_open[_BUTTON]:
        _close_nearest(page, _BUTTON, SCOPE, at)
    elif (name in (_SELECT, _INPUT, _TEXTAREA)) and num_open[_SELECT]:
        _close_nearest(page, _SELECT, SCOPE, at)
    elif name in (_RT, _RP, _RB, _RTC):
        above = _open_name(page, place[DEPTH] - 1)
        if above in (_RT, _RP, _RB):
            _close_down_to(page, place[DEPTH] - 1, at)


@borrowing
def _close_p(page: Page, at: Int) -> Bool:
    """Close the paragraph that is open in button scope; whether there is one."""
    for position in range(page.place[DEPTH] - 1, 0, -1):
        name = _open_name(page, position)
        if name == _P:
            _close_down_to(page, position, at)
            return True
        if FLAGS[name] & SCOPE or name == _BUTTON:
            return False
    return False


@borrowing
def _close_item(page: Page, one: Int, other: Int, at: Int) -> None:
    """Close the open item of the innermost list."""
    for position in range(page.place[DEPTH] - 1, 0, -1):
        name = _open_name(page, position)
        if name in (one, other):
            _close_down_to(page, position, at)
            return
        if FLAGS[name] & SPECIAL and name != _ADDRESS and name != _DIV and name != _P:
            return


@borrowing
def _close_in_table(page: Page, name: Int, at: Int) -> None:
    """Close what a part of a table cannot be inside of: all down to the innermost table, its rows or its row."""
    for position in range(page.place[DEPTH] - 1, 0, -1):
        around = _open_name(page, position)
        if (name == _TABLE and _is_cell(around)) or around == _TEMPLATE:
            return
        if name == _TABLE and around == _TABLE:  # a table that is in none of its cells ends it
            _close_down_to(page, position, at)
            return
        holds = around == _TABLE or (name == _COL and around == _COLGROUP)
        if name in (_TR, _TD, _TH):
            holds = holds or around in (_TBODY, _THEAD, _TFOOT)
        if holds or (around == _TR and (name in (_TD, _TH))):
            _close_down_to(page, position + 1, at)
            return


@borrowing
def _close_nearest(page: Page, name: Int, barrier: Int, at: Int) -> None:
    """Close the nearest element of this name that no element with the barrier's flag hides."""
    for position in range(page.place[DEPTH] - 1, 0, -1):
        around = _open_name(page, position)
        if around == name:
            _close_down_to(page, position, at)
            return
        if FLAGS[around] & barrier or (name == _LI and (around in (_UL, _OL))):
            return


@borrowing
def _end_formatting(page: Page, name: Int, at: Int) -> None:
    """End a formatting element. Blocks inside of it that are still open stay open and come to stand behind it."""
    block = 0
    for position in range(page.place[DEPTH] - 1, 0, -1):
        current = _open_name(page, position)
        if current == name:
            if block:
                _move_out(page, block, position)
            else:
                _close_down_to(page, position, at)
            return
        if FLAGS[current] & SCOPE:
            return
        if FLAGS[current] & SPECIAL:
            block = position


@borrowing
def _end_form(page: Page, at: Int) -> None:
    """End a form. What is still open inside of it stays open, and inside of it."""
    page.place[_IN_FORM] = 0
    for position in range(page.place[DEPTH] - 1, 0, -1):
        name = _open_name(page, position)
        if name == _FORM:
            if position == page.place[DEPTH] - 1:
                _close_down_to(page, position, at)
            else:
                _forget(page, position, position + 1)
            return
        if FLAGS[name] & SCOPE:
            return


@borrowing
def _end_tag(data: Bytes, at: Int, size: Int, page: Page) -> Int:
    """Take in the end tag at `at`; the place behind it."""
    name_end = tag_name_end(data, at + 2, size)
    behind = min(skip_attributes(data, name_end, size) + 1, size)
    key = key_of(data, at + 2, name_end)
    name = number_of(key)
    flags = FLAGS[name]
    if name != OTHER and page.num_open[name] == 0 and not flags & HEADING:
        if name in (_BR, _P):
            _add_element(page, name, at, behind)
        elif name == _FORM:
            page.place[_IN_FORM] = 0
        return behind
    if name in (_HTML, _BODY):  # what comes behind belongs to the body all the same
        return behind
    if flags & FORMATTING and not _foreign(page):
        _end_formatting(page, name, at)
    elif name == OTHER:
        _end_unknown(page, key, at)
    elif flags & HEADING:
        _end_heading(page, at)
    elif name == _FORM:
        _end_form(page, at)
    elif name == _P:
        if not _close_p(page, at):
            _add_element(page, _P, at, behind)
    elif name in (_TEMPLATE, _HEAD, _SVG, _MATH):
        _close_nearest(page, name, 0, at)
    elif _is_in_table(name) or _is_cell(name):
        _end_in_table(page, name, at)
    elif flags & (CLOSES_P | SCOPE | BLOCK):
        _close_nearest(page, name, SCOPE, at)
    else:
        _close_nearest(page, name, SPECIAL, at)
    return behind


@borrowing
def _end_unknown(page: Page, key: Int, at: Int) -> None:
    for position in range(page.place[DEPTH] - 1, 0, -1):
        if page.open_keys[position] == key:
            _close_down_to(page, position, at)
            return
        if FLAGS[_open_name(page, position)] & SPECIAL:
            return


@borrowing
def _end_heading(page: Page, at: Int) -> None:
    for position in range(page.place[DEPTH] - 1, 0, -1):
        flags = FLAGS[_open_name(page, position)]
        if flags & HEADING:
            _close_down_to(page, position, at)
            return
        if flags & SCOPE:
            return


@borrowing
def _end_in_table(page: Page, name: Int, at: Int) -> None:
    for position in range(page.place[DEPTH] - 1, 0, -1):
        current = _open_name(page, position)
        if current == name:
            _close_down_to(page, position, at)
            return
        if current in (_TABLE, _TEMPLATE):
            return


@borrowing
def _ends_raw(data: Bytes, i: Int, size: Int, length: Int, key: Int) -> Bool:
    """Whether the end tag of this name stands at `i`."""
    behind = i + 2 + length
    if behind > size or data[i + 1] != 0x2F:
        return False
    if behind < size and not (is_space(data[behind]) or data[behind] == 0x2F or data[behind] == 0x3E):
        return False
    return bool(key_of(data, i + 2, behind) == key)


@borrowing
def _raw_text(
    data: Bytes, i: Int, size: Int, entities: Entities, page: Page, element: Int, key: Int, to: Int
) -> tuple[Int, Int]:
    """Take in raw text up to its end tag. That of `<title>`, `<textarea>`, `<xmp>`, `<plaintext>` is the element's."""
    name = page.elements.name[element]
    length = page.elements.attributes[element] - page.elements.start[element] - 1
    resolve = FLAGS[name] & RCDATA
    is_script = name == _SCRIPT
    formula = page.place[_SCRIPT_KIND] if is_script else 0
    keep = resolve or name in (_XMP, _PLAINTEXT) or formula
    start = to
    escaped, nested = False, False
    while i < size:
        byte = data[i]
        if byte == 0x3C and i + 1 < size:
            if not nested and name != _PLAINTEXT and _ends_raw(data, i, size, length, key):
                break
            if is_script:
                if i + 3 < size and data[i + 1] == 0x21 and data[i + 2] == 0x2D and data[i + 3] == 0x2D:
                    escaped = True
                elif escaped and _begins_script(data, i, size):
                    nested = True
                elif nested and _ends_raw(data, i, size, length, key):
                    nested = False
        elif is_script and escaped and byte == 0x3E and data[i - 1] == 0x2D and data[i - 2] == 0x2D:
            escaped, nested = False, False
        if resolve and byte == 0x26:
            i, to = put_reference(data, i, size, entities, page.text, to, False)
            continue
        if keep:
            page.text[to] = byte
            to += 1
        i += 1
    page.elements.end[element] = i
    if formula:
        start, end, formula = without_delimiters(page.text, start, to, formula)
        if end > start and not (page.place[_COPY] and _is_shown_already(page)):
            _add_run(page, page.elements.parent[element], start, end, formula)
    elif to > start:
        _add_run(page, element, start, to, 0)
    if i < size:
        i = min(skip_attributes(data, i + 2 + length, size) + 1, size)
    return i, to


@borrowing
def _begins_script(data: Bytes, i: Int, size: Int) -> Bool:
    behind = i + 7
    if behind >= size or not is_word(data, i + 1, behind, b"script"):
        return False
    return is_space(data[behind]) or data[behind] == 0x2F or data[behind] == 0x3E


@borrowing
def _is_cdata(data: Bytes, i: Int, size: Int) -> Bool:
    return i + 9 <= size and data[i + 2] == 0x5B and is_word(data, i + 3, i + 8, b"cdata") and data[i + 8] == 0x5B


@borrowing
def _cdata(data: Bytes, i: Int, size: Int, text: Bytes, to: Int) -> tuple[Int, Int]:
    while i < size:
        if data[i] == 0x5D and i + 2 < size and data[i + 1] == 0x5D and data[i + 2] == 0x3E:
            return i + 3, to
        text[to] = data[i]
        to += 1
        i += 1
    return i, to


@borrowing
def _comment(data: Bytes, i: Int, size: Int) -> Int:
    """The place behind a comment, a declaration or what the standard makes a comment of."""
    if i + 3 < size and data[i + 1] == 0x21 and data[i + 2] == 0x2D and data[i + 3] == 0x2D:
        i += 4
        first = i
        if i < size and data[i] == 0x3E:  # <!-->
            return i + 1
        if i + 1 < size and data[i] == 0x2D and data[i + 1] == 0x3E:  # <!--->
            return i + 2
        while i < size:
            if data[i] == 0x3E:
                bang = i - first >= 3 and data[i - 1] == 0x21  # --!>
                if data[i - 1 - bang] == 0x2D and data[i - 2 - bang] == 0x2D:
                    return i + 1
            i += 1
        return size
    while i < size and data[i] != 0x3E:
        i += 1
    return min(i + 1, size)
