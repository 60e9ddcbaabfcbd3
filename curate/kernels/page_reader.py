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
    CLOSES_P,
    FLAGS,
    FORMATTING,
    HEADING,
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
from curate.kernels.utf8 import Bool, Bytes, Int

Int32s = NDArray[np.int32]

MAX_DEPTH = 512

_HTML, _HEAD, _BODY, _P, _LI, _DD, _DT = (NUMBER[name] for name in "html head body p li dd dt".split())
_A, _BUTTON, _SELECT, _OPTION, _OPTGROUP = (NUMBER[name] for name in "a button select option optgroup".split())
_TABLE, _TR, _TD, _TH, _CAPTION = (NUMBER[name] for name in "table tr td th caption".split())
_TBODY, _THEAD, _TFOOT, _TEMPLATE = (NUMBER[name] for name in "tbody thead tfoot template".split())
_ADDRESS, _DIV, _RT, _RP, _BR, _HR, _NOBR = (NUMBER[name] for name in "address div rt rp br hr nobr".split())
_SVG, _MATH, _SCRIPT, _PLAINTEXT, _ITALIC = (NUMBER[name] for name in "svg math script plaintext i".split())
_FOREIGN_OBJECT, _DESC, _TITLE = (NUMBER[name] for name in "foreignobject desc title".split())
_ANNOTATION_XML, _MTEXT, _NOSCRIPT, _IFRAME = (NUMBER[name] for name in "annotation-xml mtext noscript iframe".split())


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
    """Text between two tags, in document order, with references resolved and white space as it stands."""

    element: Int32s  # the element that holds it
    link: Int32s  # the open `<a>` around it, 0 where there is none
    start: Int32s  # of its bytes in `Page.text`
    end: Int32s
    breaks: Int32s  # starts and ends of blocks before it: equal where no block begins or ends between two runs
    lines: Int32s  # `<br>` and `<hr>` before it


class Page(NamedTuple):
    """Room for one page at a time."""

    elements: Elements
    runs: Runs
    text: Bytes
    open_elements: Int32s  # int32[MAX_DEPTH + 1]: the stack
    open_keys: NDArray[np.uint64]  # of their names
    num_open: Int32s  # how many of each name are open: int32[len(NAMES)]
    place: Int32s  # int32[9]: see below


# What `Page.place` holds.
NUM_ELEMENTS, NUM_RUNS, NUM_TEXT_BYTES, DEPTH, RUN_START, _SEEN_HEAD, _SEEN_BODY, _BREAKS, _LINES = range(9)


def room(num_bytes: int, num_tags: int) -> Page:
    """Room for any page of at most so many bytes with at most so many "<". Memory is taken only where it is written to.

    A page of n bytes has at most n text bytes and a fifth more: "&nGt;" takes 5 bytes and stands for 6.
    """
    size = num_tags + 2
    elements = Elements(*(np.empty(size, np.int32) for _ in Elements._fields))
    runs = Runs(*(np.empty(size, np.int32) for _ in Runs._fields))
    return Page(
        elements,
        runs,
        np.empty(num_bytes + num_bytes // 5 + 16, np.uint8),
        np.empty(MAX_DEPTH + 1, np.int32),
        np.empty(MAX_DEPTH + 1, np.uint64),
        np.zeros(len(NAMES), np.int32),
        np.zeros(9, np.int32),
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
    elif name == _BR or name == _HR:
        place[_LINES] += 1
    return element


@borrowing
def _push(page: Page, element: Int, name: Int, key: Int) -> None:
    place = page.place
    if place[DEPTH] > MAX_DEPTH:  # deeper elements become siblings
        _close_down_to(page, MAX_DEPTH, page.elements.start[element])
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


@borrowing
def _forget(page: Page, position: Int, at: Int) -> None:
    """End an element that others are still open inside of."""
    elements, place = page.elements, page.place
    element = page.open_elements[position]
    page.num_open[elements.name[element]] -= 1
    elements.end[element] = at
    elements.behind[element] = place[NUM_ELEMENTS]
    for i in range(position, place[DEPTH] - 1):
        page.open_elements[i] = page.open_elements[i + 1]
        page.open_keys[i] = page.open_keys[i + 1]
    place[DEPTH] -= 1


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
        if name == _SVG or name == _MATH:
            return True
        if name == _FOREIGN_OBJECT or name == _DESC or name == _ANNOTATION_XML:
            return False
        if FLAGS[name] & (BLOCK | SPECIAL) and name != _TITLE:
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
    run = _add_run(page, page.open_elements[top], start, to)
    if page.num_open[_A]:
        for position in range(top, 0, -1):
            if _open_name(page, position) == _A:
                page.runs.link[run] = page.open_elements[position]
                break


@borrowing
def _add_run(page: Page, element: Int, start: Int, end: Int) -> Int:
    runs, place = page.runs, page.place
    run = place[NUM_RUNS]
    place[NUM_RUNS] = run + 1
    runs.element[run] = element
    runs.link[run] = 0
    runs.start[run] = start
    runs.end[run] = end
    runs.breaks[run] = place[_BREAKS]
    runs.lines[run] = place[_LINES]
    return run


@borrowing
def _is_space(byte: Int) -> Bool:
    return byte == 0x20 or 0x09 <= byte <= 0x0D and byte != 0x0B


@borrowing
def _name_end(data: Bytes, i: Int, size: Int) -> Int:
    while i < size and not (_is_space(data[i]) or data[i] == 0x2F or data[i] == 0x3E):
        i += 1
    return i


@borrowing
def _value(data: Bytes, i: Int, size: Int) -> tuple[Int, Int, Int]:
    """Start and end of the attribute value at `i`, and the place behind it."""
    while i < size and _is_space(data[i]):
        i += 1
    if i >= size:
        return i, i, i
    quote = data[i]
    if quote == 0x22 or quote == 0x27:
        start = i + 1
        i = start
        while i < size and data[i] != quote:
            i += 1
        return start, i, min(i + 1, size)
    start = i
    while i < size and not _is_space(data[i]) and data[i] != 0x3E:
        i += 1
    return start, i, i


@borrowing
def attribute(data: Bytes, i: Int, size: Int) -> tuple[Int, Int, Int, Int, Int]:
    """The next attribute of a tag: its name's start and end, its value's, and the place behind it.

    Name and value are empty at the ">" that ends the tag, and at the end of the page; the last place is that of the ">".
    """
    while i < size and (_is_space(data[i]) or data[i] == 0x2F):
        i += 1
    if i >= size or data[i] == 0x3E:
        return i, i, i, i, i
    start = i
    i += 1
    while i < size and not (_is_space(data[i]) or data[i] == 0x2F or data[i] == 0x3E or data[i] == 0x3D):
        i += 1
    end = i
    while i < size and _is_space(data[i]):
        i += 1
    if i >= size or data[i] != 0x3D:
        return start, end, end, end, i
    value_start, value_end, behind = _value(data, i + 1, size)
    return start, end, value_start, value_end, behind


@borrowing
def is_word(data: Bytes, start: Int, end: Int, word: bytes) -> Bool:
    """Whether these bytes are the word, whose letters are small; their own may be capitals."""
    if end - start != len(word):
        return False
    for i in range(len(word)):
        byte = data[start + i]
        if 0x41 <= byte <= 0x5A:
            byte |= 0x20
        if byte != word[i]:
            return False
    return True


@borrowing
def _hides(data: Bytes, start: Int, end: Int) -> Bool:
    """Whether a style says `display:none`."""
    for i in range(start, end - 11):
        if is_word(data, i, i + 7, b"display"):
            j = i + 7
            while j < end and (data[j] == 0x3A or _is_space(data[j])):
                j += 1
            return is_word(data, j, min(j + 4, end), b"none")
    return False


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
            elements.class_start[element], elements.class_end[element] = value_start, value_end
        elif length == 2 and is_word(data, start, end, b"id"):
            elements.id_start[element], elements.id_end[element] = value_start, value_end
        elif (length == 4 and is_word(data, start, end, b"role")) or (
            length == 8 and is_word(data, start, end, b"itemprop")
        ):
            elements.role_start[element], elements.role_end[element] = value_start, value_end
        elif length == 6 and is_word(data, start, end, b"hidden"):
            elements.hidden[element] = 1
        elif length == 5 and is_word(data, start, end, b"style"):
            if _hides(data, value_start, value_end):
                elements.hidden[element] = 1
        elif length == 11 and is_word(data, start, end, b"aria-hidden"):
            if is_word(data, value_start, value_end, b"true"):
                elements.hidden[element] = 1


@borrowing
def _skip_attributes(data: Bytes, i: Int, size: Int) -> Int:
    length = 1
    while length:
        start, end, _, _, i = attribute(data, i, size)
        length = end - start
    return i


@borrowing
def _start_tag(data: Bytes, at: Int, size: Int, entities: Entities, page: Page, to: Int) -> tuple[Int, Int]:
    """Take in the start tag at `at`; the place behind it, or behind its content where that is raw text."""
    name_end = _name_end(data, at + 1, size)
    key = key_of(data, at + 1, name_end)
    name = number_of(key)
    if name == _HTML or name == _BODY or name == _HEAD:
        if page.place[_SEEN_BODY] or page.num_open[name] or (name == _HEAD and page.place[_SEEN_HEAD]):
            return min(_skip_attributes(data, name_end, size) + 1, size), to  # a second one is none
    foreign = _foreign(page)
    if foreign and _breaks_out(name):
        _leave_foreign(page, at)
        foreign = False
    if not foreign:
        _imply_ends(page, name, at)
    element = _add_element(page, name, at, name_end)
    i = _attributes(data, name_end, size, element, page)
    closes_itself = i < size and data[i - 1] == 0x2F
    i = min(i + 1, size)
    page.elements.content[element] = i
    page.elements.end[element] = i
    flags = FLAGS[name]
    if flags & (RAW | RCDATA) and not (foreign and name == _TITLE):
        if not (foreign and closes_itself):
            return _raw_text(data, i, size, entities, page, element, key, to)
        return i, to
    if name == _PLAINTEXT or not (flags & VOID or (closes_itself and (foreign or name == _SVG or name == _MATH))):
        _push(page, element, name, key)
    return i, to


@borrowing
def _breaks_out(name: Int) -> Bool:
    """Whether a start tag ends SVG or MathML around it: HTML's own blocks and formatting."""
    flags = FLAGS[name]
    return bool(flags & (CLOSES_P | FORMATTING | HEADING) and name != _A) or name == _BODY or name == _BR


@borrowing
def _leave_foreign(page: Page, at: Int) -> None:
    position = page.place[DEPTH] - 1
    while position > 0 and _open_name(page, position) != _SVG and _open_name(page, position) != _MATH:
        position -= 1
    _close_down_to(page, max(position, 1), at)


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
        _close_nearest(page, _HEAD, _HEAD, _HEAD, SCOPE, at)
    if flags & CLOSES_P and num_open[_P]:
        _close_p(page, at)
    if flags & HEADING and FLAGS[_open_name(page, place[DEPTH] - 1)] & HEADING:
        _close_down_to(page, place[DEPTH] - 1, at)
    if name == _LI and num_open[_LI]:
        _close_item(page, _LI, _LI, at)
    elif name == _DD or name == _DT:
        if num_open[_DD] or num_open[_DT]:
            _close_item(page, _DD, _DT, at)
    elif name == _TR:
        _close_in_table(page, _TR, _TR, _TR, at)
    elif name == _TD or name == _TH:
        _close_in_table(page, _TD, _TH, _TD, at)
    elif name == _TBODY or name == _THEAD or name == _TFOOT or name == _CAPTION:
        _close_in_table(page, _TBODY, _THEAD, _TFOOT, at)
    elif name == _OPTION or name == _OPTGROUP:
        if _open_name(page, place[DEPTH] - 1) == _OPTION:
            _close_down_to(page, place[DEPTH] - 1, at)
        if name == _OPTGROUP and _open_name(page, place[DEPTH] - 1) == _OPTGROUP:
            _close_down_to(page, place[DEPTH] - 1, at)
    elif name == _A and num_open[_A]:
        _end_formatting(page, _A, at)
    elif name == _NOBR and num_open[_NOBR]:
        _end_formatting(page, _NOBR, at)
    elif (name == _BUTTON and num_open[_BUTTON]) or (name == _SELECT and num_open[_SELECT]):
        _close_nearest(page, name, name, name, SCOPE, at)
    elif name == _RT or name == _RP:
        above = _open_name(page, place[DEPTH] - 1)
        if above == _RT or above == _RP:
            _close_down_to(page, place[DEPTH] - 1, at)


@borrowing
def _close_p(page: Page, at: Int) -> None:
    """Close the paragraph that is open in button scope."""
    for position in range(page.place[DEPTH] - 1, 0, -1):
        name = _open_name(page, position)
        if name == _P:
            _close_down_to(page, position, at)
            return
        if FLAGS[name] & SCOPE or name == _BUTTON:
            return


@borrowing
def _close_item(page: Page, one: Int, other: Int, at: Int) -> None:
    """Close the open item of the innermost list."""
    for position in range(page.place[DEPTH] - 1, 0, -1):
        name = _open_name(page, position)
        if name == one or name == other:
            _close_down_to(page, position, at)
            return
        if FLAGS[name] & SPECIAL and name != _ADDRESS and name != _DIV and name != _P:
            return


@borrowing
def _close_in_table(page: Page, one: Int, other: Int, third: Int, at: Int) -> None:
    """Close the outermost of these that is open within the innermost table."""
    found = 0
    for position in range(page.place[DEPTH] - 1, 0, -1):
        name = _open_name(page, position)
        if name == _TABLE or name == _TEMPLATE:
            break
        if name == _TR and (one == _TD):
            break
        if name == one or name == other or name == third:
            found = position
    if found:
        _close_down_to(page, found, at)


@borrowing
def _close_nearest(page: Page, one: Int, other: Int, third: Int, barrier: Int, at: Int) -> None:
    """Close the nearest of these that no element with the barrier's flag hides."""
    for position in range(page.place[DEPTH] - 1, 0, -1):
        name = _open_name(page, position)
        if name == one or name == other or name == third:
            _close_down_to(page, position, at)
            return
        if FLAGS[name] & barrier:
            return


@borrowing
def _end_formatting(page: Page, name: Int, at: Int) -> None:
    """End a formatting element; blocks inside of it that are still open stay open."""
    block_inside = False
    for position in range(page.place[DEPTH] - 1, 0, -1):
        current = _open_name(page, position)
        if current == name:
            if block_inside:
                _forget(page, position, at)
            else:
                _close_down_to(page, position, at)
            return
        if FLAGS[current] & SCOPE:
            return
        if FLAGS[current] & SPECIAL:
            block_inside = True


@borrowing
def _end_tag(data: Bytes, at: Int, size: Int, page: Page) -> Int:
    """Take in the end tag at `at`; the place behind it."""
    name_end = _name_end(data, at + 2, size)
    behind = min(_skip_attributes(data, name_end, size) + 1, size)
    key = key_of(data, at + 2, name_end)
    name = number_of(key)
    flags = FLAGS[name]
    if name != OTHER and page.num_open[name] == 0 and not flags & HEADING:
        if name == _BR or name == _P:
            element = _add_element(page, name, at, behind)
            page.elements.end[element] = behind
        return behind
    if name == _HTML or name == _BODY:  # what comes behind belongs to the body all the same
        return behind
    if flags & FORMATTING and not _foreign(page):
        _end_formatting(page, name, at)
    elif name == OTHER:
        _end_unknown(page, key, at)
    elif flags & HEADING:
        _end_heading(page, at)
    elif name == _TEMPLATE or name == _HEAD or name == _SVG or name == _MATH:
        _close_nearest(page, name, name, name, 0, at)
    elif name == _TABLE or name == _TR or name == _TBODY or name == _THEAD or name == _TFOOT:
        _end_in_table(page, name, at)
    elif name == _TD or name == _TH or name == _CAPTION:
        _end_in_table(page, name, at)
    elif flags & (CLOSES_P | SCOPE) or name == _P or name == _BUTTON or name == _SELECT or flags & BLOCK:
        _close_nearest(page, name, name, name, SCOPE, at)
    else:
        _close_nearest(page, name, name, name, SPECIAL, at)
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
        if current == _TABLE or current == _TEMPLATE:
            return


@borrowing
def _ends_raw(data: Bytes, i: Int, size: Int, length: Int, key: Int) -> Bool:
    """Whether the end tag of this name stands at `i`."""
    behind = i + 2 + length
    if behind > size or data[i + 1] != 0x2F:
        return False
    if behind < size and not (_is_space(data[behind]) or data[behind] == 0x2F or data[behind] == 0x3E):
        return False
    return bool(key_of(data, i + 2, behind) == key)


@borrowing
def _raw_text(
    data: Bytes, i: Int, size: Int, entities: Entities, page: Page, element: Int, key: Int, to: Int
) -> tuple[Int, Int]:
    """Take in raw text up to its end tag; that of `<title>` and `<textarea>` is kept as the element's text."""
    name = page.elements.name[element]
    length = page.elements.attributes[element] - page.elements.start[element] - 1
    keep = FLAGS[name] & RCDATA
    is_script = name == _SCRIPT
    start = to
    escaped, nested = False, False
    while i < size:
        byte = data[i]
        if byte == 0x3C and i + 1 < size:
            if (not nested or not is_script) and _ends_raw(data, i, size, length, key):
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
        if keep and byte == 0x26:
            i, to = put_reference(data, i, size, entities, page.text, to, False)
            continue
        if keep:
            page.text[to] = byte
            to += 1
        i += 1
    page.elements.end[element] = i
    if to > start:
        _add_run(page, element, start, to)
    if i < size:
        i = min(_skip_attributes(data, i + 2 + length, size) + 1, size)
    return i, to


@borrowing
def _begins_script(data: Bytes, i: Int, size: Int) -> Bool:
    behind = i + 7
    if behind >= size or not is_word(data, i + 1, behind, b"script"):
        return False
    return _is_space(data[behind]) or data[behind] == 0x2F or data[behind] == 0x3E


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
        if i < size and data[i] == 0x3E:  # <!-->
            return i + 1
        if i + 1 < size and data[i] == 0x2D and data[i + 1] == 0x3E:  # <!--->
            return i + 2
        while i < size:
            if data[i] == 0x3E and data[i - 1] == 0x2D and data[i - 2] == 0x2D:
                return i + 1
            if data[i] == 0x3E and data[i - 1] == 0x21 and data[i - 2] == 0x2D and data[i - 3] == 0x2D:
                return i + 1
            i += 1
        return size
    while i < size and data[i] != 0x3E:
        i += 1
    return min(i + 1, size)
