r"""Text as Markdown: a backslash before what a CommonMark parser would read as markup, and before nothing else.

Within a line these are backticks, `*` and `_` that can open emphasis (what could only close it then closes nothing),
`<` of a tag, `&` of a character reference, a backslash before punctuation, "](" of a link, `~~`; in a table also `|`.
At the start of a line these are "# ", ">", "- ", "1. ", lines that underline or rule, and "[x]:".
Source: https://spec.commonmark.org 0.31.2, and GitHub's tables and strikethrough.
"""

from __future__ import annotations

import numpy as np

from curate.kernels.compiled import borrowing
from curate.kernels.page_characters import space_width, unwritten_width
from curate.kernels.utf8 import Bool, Bytes, Int

BACKSLASH, NEW_LINE, SPACE, BACKTICK, PIPE = 0x5C, 0x0A, 0x20, 0x60, 0x7C
_HASH, _AND, _STAR, _PLUS, _MINUS, _DOT, _COLON, _SEMICOLON = 0x23, 0x26, 0x2A, 0x2B, 0x2D, 0x2E, 0x3A, 0x3B
_LESS, _EQUAL, _MORE, _OPEN, _CLOSE, _LOW, _TILDE, _BRACE, _BEHIND = (
    0x3C,
    0x3D,
    0x3E,
    0x5B,
    0x5D,
    0x5F,
    0x7E,
    0x28,
    0x29,
)
_MAYBE_SPACE, _MAYBE_MARKUP = 1, 2
#: What a byte may be, or begin: white space or nothing at all, markup; else it is written as it is.
_KIND = np.zeros(256, np.uint8)
_KIND[:0x21] = _KIND[[0xC2, 0xE1, 0xE2, 0xE3]] = _MAYBE_SPACE
_KIND[list(b"`*_\\<&]~|")] = _MAYBE_MARKUP
_LONGEST_REFERENCE = 33  # bytes of a character reference's name


@borrowing
def put_escaped(
    text: Bytes, start: Int, end: Int, following: Int, in_table: Bool, out: Bytes, at: Int, line: Int, space: Bool
) -> tuple[Int, Bool]:
    """What `page_characters.put_words` does, with backslashes. `following` is the byte that will follow the text."""
    opens, behind_same = False, start  # whether the run of `*` or `_` up to there can open emphasis
    i = start
    while i < end:
        byte = text[i]
        kind = _KIND[byte]
        if kind == _MAYBE_SPACE:
            width = space_width(text, i, end)
            space = space or width > 0
            width += 0 if width else unwritten_width(text, i, end)
            i += width
            if width:
                continue
        if space:
            if at > line:
                out[at] = SPACE
                at += 1
            space = False
        if kind == _MAYBE_MARKUP:
            if byte in (_STAR, _LOW) and i >= behind_same:
                behind_same = _behind_same(text, i, end)
                opens = _opens(byte, out[at - 1] if at > line else SPACE, _byte_at(text, behind_same, end, following))
            if _is_markup(text, i, end, following, byte, opens, in_table):
                out[at] = BACKSLASH
                at += 1
        out[at] = byte
        at += 1
        i += 1
    return at, space


@borrowing
def escape_line_start(out: Bytes, line: Int, at: Int) -> Int:
    """Put a backslash into the line `out[line:at]` where its start would be markup; the place behind it then."""
    place = _markup_at_start(out, line, at)
    return _insert(out, place, at) if place >= 0 else at


@borrowing
def escape_heading_end(out: Bytes, line: Int, at: Int) -> Int:
    """The same for the "#" at the end of a heading, which would be dropped."""
    place = at
    while place > line and out[place - 1] == _HASH:
        place -= 1
    if place < at and (place == line or out[place - 1] == SPACE):
        return _insert(out, place, at)
    return at


@borrowing
def _insert(out: Bytes, place: Int, at: Int) -> Int:
    for i in range(at, place, -1):
        out[i] = out[i - 1]
    out[place] = BACKSLASH
    return at + 1


@borrowing
def _is_alphanumeric(byte: Int) -> Bool:
    return 0x30 <= byte <= 0x39 or 0x61 <= (byte | 0x20) <= 0x7A


@borrowing
def _is_punctuation(byte: Int) -> Bool:
    return 0x20 < byte < 0x7F and not _is_alphanumeric(byte)


@borrowing
def _behind_same(text: Bytes, i: Int, end: Int) -> Int:
    """The place behind a run of equal bytes."""
    byte = text[i]
    while i < end and text[i] == byte:
        i += 1
    return i


@borrowing
def _byte_at(text: Bytes, i: Int, end: Int, following: Int) -> Int:
    """The byte at a place, a space for white space; what follows the text at its end."""
    if i == end:
        return following
    return SPACE if space_width(text, i, end) else text[i]


@borrowing
def _opens(byte: Int, before: Int, behind: Int) -> Bool:
    """Whether a run of `*` or `_` between these can open emphasis. Characters beyond ASCII may be punctuation."""
    if behind <= SPACE:
        return False
    if _is_alphanumeric(before):
        return byte == _STAR and not _is_punctuation(behind)
    return True


@borrowing
def _is_markup(text: Bytes, i: Int, end: Int, following: Int, byte: Int, opens: Bool, in_table: Bool) -> Bool:
    if byte in (_STAR, _LOW):
        return opens
    if byte == BACKTICK or (byte == PIPE and in_table):
        return True
    behind = text[i + 1] if i + 1 < end else following
    if byte == BACKSLASH:
        return _is_punctuation(behind) or behind == NEW_LINE
    if byte == _LESS:
        return 0x61 <= (behind | 0x20) <= 0x7A or behind in (0x2F, 0x21, 0x3F)
    if byte == _AND:
        return _is_reference(text, i + 1, end)
    return (byte == _CLOSE and behind == _BRACE) or (byte == _TILDE and behind == _TILDE)


@borrowing
def _is_reference(text: Bytes, i: Int, end: Int) -> Bool:
    """Whether what stands behind an ampersand may be a character reference."""
    first = i
    while i < min(end, first + _LONGEST_REFERENCE) and (_is_alphanumeric(text[i]) or (i == first and text[i] == _HASH)):
        i += 1
    return i == end or (i > first and text[i] == _SEMICOLON)


@borrowing
def _markup_at_start(out: Bytes, line: Int, at: Int) -> Int:
    """The place that a backslash must stand at, -1 where none must."""
    if line >= at:
        return -1
    first = out[line]
    if first == _MORE:
        return line
    if first == _HASH:
        i = _end_of(out, line, at, _HASH)
        return line if i - line <= 6 and _ends_word(out, i, at) else -1
    if first in (_PLUS, _MINUS, _STAR) and _ends_word(out, line + 1, at):
        return line
    if 0x30 <= first <= 0x39:
        return _marker_of_number(out, line, at)
    if first == _OPEN:
        return line if _is_definition(out, line, at) else -1
    if first in (_MINUS, _STAR, _LOW, _EQUAL, PIPE, _COLON) and _is_rule(out, line, at):
        return line
    return -1


@borrowing
def _end_of(out: Bytes, i: Int, at: Int, byte: Int) -> Int:
    while i < at and out[i] == byte:
        i += 1
    return i


@borrowing
def _ends_word(out: Bytes, i: Int, at: Int) -> Bool:
    return i >= at or out[i] == SPACE


@borrowing
def _marker_of_number(out: Bytes, line: Int, at: Int) -> Int:
    i = line
    while i < at and 0x30 <= out[i] <= 0x39:
        i += 1
    if i - line <= 9 and i < at and out[i] in (_DOT, _BEHIND) and _ends_word(out, i + 1, at):
        return i
    return -1


@borrowing
def _is_definition(out: Bytes, line: Int, at: Int) -> Bool:
    i = line
    while i + 1 < at and not (out[i] == _CLOSE and out[i + 1] == _COLON):
        i += 1
    return i + 1 < at


@borrowing
def _is_rule(out: Bytes, line: Int, at: Int) -> Bool:
    """Whether the line rules off, underlines a heading or stands below the head of a table."""
    first, same = out[line], True
    for i in range(line, at):
        byte = out[i]
        if byte != first and byte != SPACE:
            same = False
        if byte not in (_MINUS, PIPE, _COLON, SPACE) and byte != first:
            return False
    return same or first in (_MINUS, PIPE, _COLON)
