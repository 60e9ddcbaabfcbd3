"""The text of a block as Markdown: lines, code within them, formulas; and what stands around code of several lines."""

from __future__ import annotations

from curate.kernels.compiled import borrowing
from curate.kernels.html_tags import is_space, is_word
from curate.kernels.markdown_escapes import BACKSLASH, BACKTICK, NEW_LINE, PIPE, SPACE, escape_line_start, put_escaped
from curate.kernels.markdown_nesting import NUM_OPEN, Nesting, put_line_end
from curate.kernels.page_blocks import Blocks
from curate.kernels.page_characters import is_blank, put_words, space_width
from curate.kernels.page_formulas import DISPLAY, contains
from curate.kernels.page_layout import Layout
from curate.kernels.page_reader import NUM_RUNS, Page
from curate.kernels.page_text import put_formula, put_many
from curate.kernels.utf8 import Bool, Bytes, Int

_MAX_LANGUAGE = 20  # bytes
_MAX_CLASS = 200  # bytes of a class that are looked at
_LANGUAGE_LEVELS = 3  # elements around `<pre>` that are asked for the language


@borrowing
def put_spans(
    page: Page,
    blocks: Blocks,
    block: Int,
    layout: Layout,
    nesting: Nesting,
    one_line: Bool,
    in_table: Bool,
    out: Bytes,
    at: Int,
) -> Int:
    """Write the text of a block, in one line if so asked; the place behind it."""
    runs, text, last = page.runs, page.text, blocks.last_run[block]
    begin, ticks = at, 0  # of the line; backticks around the code span that is open
    line, space, ended = runs.lines[blocks.first_run[block]], False, False
    for run in range(blocks.first_run[block], last):
        start, end, formula = runs.start[run], runs.end[run], runs.formula[run]
        if blocks.unseen[runs.element[run]]:
            continue
        is_code = layout.code[runs.element[run]] > 0 and formula == 0
        blank = is_blank(text, start, end)
        new_line = not blank and (runs.lines[run] != line or ended or formula == DISPLAY)
        if ticks and (new_line or not is_code):
            at, ticks = _end_span(ticks, out, at), 0
        if new_line:
            line, ended, space = runs.lines[run], False, one_line
            if at > begin and not one_line:
                at = escape_line_start(out, begin, at)
                at = begin = put_line_end(page, nesting.num[NUM_OPEN], nesting, out, at)
        if blank:
            at, space = put_words(text, start, end, out, at, begin, space)
        elif formula:
            at, space, ended = _put_space(space, begin, out, at), False, formula == DISPLAY
            first = at
            at = put_formula(page, run, out, at)
            at = _escape_pipes(out, first, at) if in_table else at
        elif is_code:
            if ticks == 0:
                at, space = _put_space(space or space_width(text, start, end) > 0, begin, out, at), False
                ticks = _ticks_of_span(page, blocks, run, last, layout)
                at = put_many(SPACE, ticks > 1, out, put_many(BACKTICK, ticks, out, at))
                first = at
            else:
                first = begin
            at, space = _put_code(text, start, end, in_table, out, at, first, space)
        else:
            following = _following(page, blocks, run, last)
            at, space = put_escaped(text, start, end, following, in_table, out, at, begin, space)
    at = _end_span(ticks, out, at) if ticks else at
    return at if one_line else escape_line_start(out, begin, at)


@borrowing
def put_language(data: Bytes, page: Page, element: Int, pre: Int, out: Bytes, at: Int) -> Int:
    """Write the language of code that begins in `element` of `<pre>`, where a class says it:
    `language-x`, `lang-x`, `highlight-source-x` (GitHub), `highlight-x notranslate` (Sphinx).
    """
    levels = 2 * _LANGUAGE_LEVELS
    while element > 0 and levels > 0:
        start = page.elements.class_start[element]
        end = min(page.elements.class_end[element], start + _MAX_CLASS)
        first, behind = _language(data, start, end)
        if behind > first:
            for i in range(first, behind):
                out[at] = data[i]
                at += 1
            return at
        levels = min(levels, _LANGUAGE_LEVELS + 1) if element == pre else levels
        levels -= 1
        element = page.elements.parent[element]
    return at


@borrowing
def ticks_of_pre(page: Page, blocks: Blocks, block: Int, layout: Layout) -> Int:
    """How many backticks must stand around the code that begins with this block: more than in it, and three."""
    runs, longest = page.runs, 0
    pre = layout.pre[blocks.element[block]]
    for run in range(blocks.first_run[block], page.place[NUM_RUNS]):
        if layout.pre[runs.element[run]] != pre:
            break
        longest = max(longest, _longest_ticks(page.text, runs.start[run], runs.end[run]))
    return max(longest + 1, 3)


@borrowing
def _ticks_of_span(page: Page, blocks: Blocks, run: Int, last: Int, layout: Layout) -> Int:
    runs, longest = page.runs, 0
    line = runs.lines[run]
    while run < last and runs.lines[run] == line and (layout.code[runs.element[run]] or runs.formula[run]):
        longest = max(longest, _longest_ticks(page.text, runs.start[run], runs.end[run]))
        if runs.formula[run]:
            break
        run += 1
    return longest + 1


@borrowing
def _longest_ticks(text: Bytes, start: Int, end: Int) -> Int:
    longest, num = 0, 0
    for i in range(start, end):
        num = num + 1 if text[i] == BACKTICK else 0
        longest = max(longest, num)
    return longest


@borrowing
def _put_space(space: Bool, line: Int, out: Bytes, at: Int) -> Int:
    return put_many(SPACE, 1, out, at) if space and at > line else at


@borrowing
def _end_span(ticks: Int, out: Bytes, at: Int) -> Int:
    """Code with backticks has a space at both of its ends, which are none of its own."""
    return put_many(BACKTICK, ticks, out, put_many(SPACE, ticks > 1, out, at))


@borrowing
def _put_code(
    text: Bytes, start: Int, end: Int, in_table: Bool, out: Bytes, at: Int, first: Int, space: Bool
) -> tuple[Int, Bool]:
    begin = at
    at, space = put_words(text, start, end, out, at, first, space)
    return (_escape_pipes(out, begin, at) if in_table else at), space


@borrowing
def _escape_pipes(out: Bytes, begin: Int, at: Int) -> Int:
    """Put a backslash before each "|" of `out[begin:at]`, which ends a cell even in code."""
    num = 0
    for i in range(begin, at):
        num += out[i] == PIPE
    to = at + num
    behind = to
    for i in range(at - 1, begin - 1, -1):
        to -= 1
        out[to] = out[i]
        if out[i] == PIPE:
            to -= 1
            out[to] = BACKSLASH
    return behind


@borrowing
def _following(page: Page, blocks: Blocks, run: Int, last: Int) -> Int:
    """The byte that is written behind a run, as far as that is easily said; a letter where it is not."""
    if run + 1 >= last or page.runs.lines[run + 1] != page.runs.lines[run]:
        return NEW_LINE
    if blocks.unseen[page.runs.element[run + 1]]:
        return 0x61
    start, end = page.runs.start[run + 1], page.runs.end[run + 1]
    return SPACE if space_width(page.text, start, end) else page.text[start]


@borrowing
def _language(data: Bytes, i: Int, end: Int) -> tuple[Int, Int]:
    """Where a class names a language; an empty range where it names none."""
    sphinx = contains(data, i, end, b"notranslate")
    while i < end:
        start = i
        while i < end and not is_space(data[i]):
            i += 1
        first = start
        if is_word(data, start, min(start + 9, i), b"language-"):
            first = start + 9
        elif is_word(data, start, min(start + 5, i), b"lang-"):
            first = start + 5
        elif is_word(data, start, min(start + 17, i), b"highlight-source-"):
            first = start + 17
        elif sphinx and is_word(data, start, min(start + 10, i), b"highlight-"):
            first = start + 10
        if first > start and _is_language(data, first, i):
            return first, i
        i += 1
    return 0, 0


@borrowing
def _is_language(data: Bytes, start: Int, end: Int) -> Bool:
    if not 0 < end - start <= _MAX_LANGUAGE:
        return False
    for i in range(start, end):
        byte = data[i]
        if not (0x30 <= byte <= 0x39 or 0x61 <= (byte | 0x20) <= 0x7A or byte in (0x23, 0x2B, 0x2D, 0x2E, 0x5F)):
            return False
    plain = is_word(data, start, end, b"none") or is_word(data, start, end, b"default")
    return not (plain or is_word(data, start, end, b"text") or is_word(data, start, end, b"plaintext"))
