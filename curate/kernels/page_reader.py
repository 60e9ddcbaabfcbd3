"""Read an HTML page into elements and text in one pass over its bytes: a tokenizer and a stack of open elements.

It follows the HTML standard (https://html.spec.whatwg.org, "Tokenization", "Tree construction") where that changes
which text a page has and where it stands: void elements, end tags that authors leave out, raw text, references,
comments, CDATA, scopes, headings, lists, tables, forms, links inside links, `<template>`, SVG and MathML. It does not
move what stands in a table but in none of its cells before the table ("foster parenting"), adds no elements
that have no tag (`<tbody>`, a `<tr>` around lone cells), does not build formatting elements again behind the block that
ended them, and reads `<noscript>` as markup that stays where it is, as a reader without scripts has it.

Any bytes are a page. Time and memory are linear in their number: nesting stops at `MAX_DEPTH`. Places are int32, so
`data` has less than 2 GiB.
"""

from __future__ import annotations

import numpy as np

from curate.kernels.compiled import borrowing
from curate.kernels.html_entities import Entities, put_reference
from curate.kernels.html_names import (
    BLOCK,
    BREAKS_OUT,
    CELL,
    CLOSES_P,
    FLAGS,
    FORMATTING,
    HEADING,
    NUMBER,
    ONCE,
    OTHER,
    RAW,
    RCDATA,
    ROWS,
    SCOPE,
    SPECIAL,
    TABLE_PART,
    VOID,
    key_of,
    name_key,
    number_of,
)
from curate.kernels.html_tags import (
    attribute,
    cdata,
    comment,
    ends_raw,
    hides,
    is_cdata,
    is_word,
    script_end,
    skip_attributes,
    tag_name_end,
)
from curate.kernels.implied_ends import (
    close_nearest,
    close_p,
    counts_for_nothing,
    end_form,
    end_formatting,
    end_heading,
    end_in_table,
    end_unknown,
    imply_ends,
)
from curate.kernels.open_elements import (
    add_element,
    close_down_to,
    in_foreign,
    leave_foreign,
    open_name,
    push,
    start_page,
)
from curate.kernels.page_arrays import (
    COPY,
    DEPTH,
    IN_FORM,
    MAX_DEPTH,
    NUM_ELEMENTS,
    NUM_RUNS,
    NUM_TEXT_BYTES,
    RUN_START,
    SCRIPT_KIND,
    Elements,
    Int32s,
    Page,
    Runs,
    num_tags,
    room,
)
from curate.kernels.page_formulas import without_delimiters
from curate.kernels.text_runs import add_run, end_run, is_shown_already, note_copy, take_tex
from curate.kernels.utf8 import Bytes, Int

__all__ = [
    "NUM_ELEMENTS",
    "NUM_RUNS",
    "NUM_TEXT_BYTES",
    "Elements",
    "Int32s",
    "Page",
    "Runs",
    "attribute",
    "is_word",
    "num_tags",
    "read_page",
    "room",
]

_HTML, _HEAD, _BODY, _P, _BR, _FORM, _TEMPLATE = (NUMBER[name] for name in "html head body p br form template".split())
_SVG, _MATH, _TITLE, _SCRIPT, _IMAGE, _IMG = (NUMBER[name] for name in "svg math title script image img".split())
_NOSCRIPT, _NOSCRIPT_KEY = NUMBER["noscript"], np.uint64(name_key("noscript"))
_XMP, _PLAINTEXT, _ANNOTATION = (NUMBER[name] for name in "xmp plaintext annotation".split())


@borrowing
def read_page(data: Bytes, begin: Int, size: Int, entities: Entities, page: Page) -> None:
    """Fill `page` with the page in `data[begin:size]`. Its numbers are in `page.place`."""
    start_page(page, begin)
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
            end_run(page, to, i)
            i, to = _start_tag(data, i, size, entities, page, to)
            place[RUN_START] = to
        elif following == 0x2F and i + 2 < size and 0x61 <= (data[i + 2] | 0x20) <= 0x7A:
            end_run(page, to, i)
            i = _end_tag(data, i, size, page)
            place[RUN_START] = to
        elif following == 0x21 and in_foreign(page) and is_cdata(data, i, size):
            i, to = cdata(data, i + 9, size, text, to)
        elif following == 0x21 or following == 0x3F or following == 0x2F:
            end_run(page, to, i)
            place[RUN_START] = to
            i = comment(data, i, size)
        else:
            text[to] = byte
            to += 1
            i += 1
    end_run(page, to, size)
    close_down_to(page, 0, size)
    place[NUM_TEXT_BYTES] = to


@borrowing
def _start_tag(data: Bytes, at: Int, size: Int, entities: Entities, page: Page, to: Int) -> tuple[Int, Int]:
    """Take in the start tag at `at`; the place behind it, or behind its content where that is raw text."""
    name_end = tag_name_end(data, at + 1, size)
    key = key_of(data, at + 1, name_end)
    name = number_of(key)
    foreign = in_foreign(page)
    if foreign and FLAGS[name] & BREAKS_OUT:
        leave_foreign(page, at)
        foreign = False
    if not foreign:
        if name == _IMAGE:
            name = _IMG
        if FLAGS[name] & (ONCE | TABLE_PART) and counts_for_nothing(page, name):
            return min(skip_attributes(data, name_end, size) + 1, size), to
        imply_ends(page, name, at)
    if page.place[DEPTH] > MAX_DEPTH and not FLAGS[name] & VOID:  # deeper elements become siblings
        close_down_to(page, MAX_DEPTH, at)
    element = add_element(page, name, at, name_end)
    i = _attributes(data, name_end, size, element, page)
    closes_itself = i < size and data[i - 1] == 0x2F
    i = min(i + 1, size)
    page.elements.content[element] = i
    page.elements.end[element] = i
    flags = FLAGS[name]
    if name in (_IMG, _MATH, _SCRIPT, _ANNOTATION):
        to = take_tex(data, name, page.elements.attributes[element], size, entities, page, element, to)
    if flags & (RAW | RCDATA) and not (foreign and name == _TITLE):
        if not (foreign and closes_itself):
            return _raw_text(data, i, size, entities, page, element, key, to)
        return i, to
    if name == _FORM and not foreign:
        page.place[IN_FORM] = 1
        if FLAGS[open_name(page, page.place[DEPTH] - 1)] & ROWS:
            return i, to  # a form around rows holds nothing
    if not (flags & VOID or (closes_itself and (foreign or name in (_SVG, _MATH)))):
        push(page, element, name, key)
        note_copy(data, page, element)
    return i, to


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
def _end_tag(data: Bytes, at: Int, size: Int, page: Page) -> Int:
    """Take in the end tag at `at`; the place behind it."""
    name_end = tag_name_end(data, at + 2, size)
    behind = min(skip_attributes(data, name_end, size) + 1, size)
    key = key_of(data, at + 2, name_end)
    name = number_of(key)
    flags = FLAGS[name]
    if name in (_BR, _P) and in_foreign(page):
        leave_foreign(page, at)
    if name != OTHER and page.num_open[name] == 0 and not flags & HEADING:
        if name in (_BR, _P):
            add_element(page, name, at, behind)
        elif name == _FORM:
            page.place[IN_FORM] = 0
        return behind
    if name in (_HTML, _BODY):  # what comes behind belongs to the body all the same
        return behind
    if flags & FORMATTING and not in_foreign(page):
        end_formatting(page, name, at)
    elif name == OTHER:
        end_unknown(page, key, at)
    elif flags & HEADING:
        end_heading(page, at)
    elif name == _FORM:
        end_form(page, at)
    elif name == _P:
        if not close_p(page, at):
            add_element(page, _P, at, behind)
    elif name in (_TEMPLATE, _HEAD, _SVG, _MATH):
        close_nearest(page, name, 0, at)
    elif flags & (ROWS | CELL):
        end_in_table(page, name, at)
    elif flags & (CLOSES_P | SCOPE | BLOCK):
        close_nearest(page, name, SCOPE, at)
    else:
        close_nearest(page, name, SPECIAL, at)
    return behind


@borrowing
def _raw_text(
    data: Bytes, i: Int, size: Int, entities: Entities, page: Page, element: Int, key: Int, to: Int
) -> tuple[Int, Int]:
    """Take in raw text up to its end tag. That of `<title>`, `<textarea>`, `<xmp>`, `<plaintext>` is the element's."""
    elements = page.elements
    name = elements.name[element]
    length = elements.attributes[element] - elements.start[element] - 1
    start = to
    if name == _SCRIPT:
        i, to = _script(data, i, size, page, element, key, to)
    elif FLAGS[name] & RCDATA or name in (_XMP, _PLAINTEXT):
        while i < size and (name == _PLAINTEXT or not ends_raw(data, i, size, length, key)):
            if data[i] == 0x26 and FLAGS[name] & RCDATA:
                i, to = put_reference(data, i, size, entities, page.text, to, False)
            else:
                page.text[to] = data[i]
                to += 1
                i += 1
        if to > start:
            add_run(page, element, start, to, 0)
    else:
        in_noscript = page.num_open[_NOSCRIPT] > 0
        while i < size and not ends_raw(data, i, size, length, key):
            if in_noscript and ends_raw(data, i, size, 8, _NOSCRIPT_KEY):
                elements.end[element] = i  # browsers with scripts take all of <noscript> for text: so do its authors
                return i, to
            i += 1
    elements.end[element] = i
    if i < size:
        i = min(skip_attributes(data, i + 2 + length, size) + 1, size)
    return i, to


@borrowing
def _script(data: Bytes, i: Int, size: Int, page: Page, element: Int, key: Int, to: Int) -> tuple[Int, Int]:
    """Go to the end of a script. It has text only where it is a formula."""
    behind = script_end(data, i, size, key)
    formula = page.place[SCRIPT_KIND]
    if formula:
        start = to
        for j in range(i, behind):
            page.text[to] = data[j]
            to += 1
        start, end, formula = without_delimiters(page.text, start, to, formula)
        if end > start and not (page.place[COPY] and is_shown_already(page)):
            add_run(page, page.elements.parent[element], start, end, formula)
    return behind, to
