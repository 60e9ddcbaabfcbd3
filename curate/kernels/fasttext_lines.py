"""A text as the one line of tokens that fastText reads, the same for training and for scoring.

Tokens are what stands between blanks: white space as `str.isspace` has it, for fastText knows ASCII's only and a page
held together by no-break spaces would be one unknown word, and NUL. Where asked, letters become lower case, and
punctuation marks, symbols and letters of scripts without spaces stand alone (with the marks on them).

What fastText takes for no text is left out: "</s>", its end of a line, and tokens that begin with "__label__", which it
skips in scoring and takes for answers in training. Bytes that are no UTF-8 stay as they are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from curate.kernels.compiled import borrowing, compiled
from curate.kernels.scan import flags_of, lower_of
from curate.kernels.unicode_tables import LETTER, MARK, PUNCTUATION, SPACE, SPACELESS, SYMBOL, CharTable, char_table
from curate.kernels.utf8 import Bool, Bytes, Int, Offsets, code_point, utf8
from curate.kernels.words import GIVEN, WordSource, spaces

_LABEL = tuple(b"__label__")


class LineRules(NamedTuple):
    """How a text becomes a line."""

    lower_case: bool = False
    split: bool = False  # marks, symbols and letters of scripts without spaces stand alone
    max_bytes: int = 1 << 62  # of a text that are read, less what would part a character


def lines(texts: pa.Array, rules: LineRules, words: WordSource | None = None) -> pa.LargeStringArray:
    """The line of each text: tokens with one space between them. Null is "".

    words: where tokens lie, for a source of `words.given`; blanks part them further.

    >>> lines(pa.array(["Go on!\\n__label__x </s>", "读书。"]), LineRules(True, True)).to_pylist()
    ['go on ! _ _ label _ _ x', '读 书 。']
    """
    data, offsets = utf8(texts)
    room = line_room(int(offsets[-1] - offsets[0])) + len(texts)
    out, ends = _all_lines(data, offsets, rules, words or spaces(), char_table(), np.empty(room, np.uint8))
    body = pa.py_buffer(out[: ends[-1]])
    return pa.LargeStringArray.from_buffers(len(texts), pa.py_buffer(ends), body)


def line_room(num_bytes: int) -> int:
    """Bytes that the line of such a text can take: "!" becomes "! ", and "Ⱥ" of two bytes "ⱥ" of three."""
    return 2 * num_bytes + 2


@compiled
def _all_lines(
    data: Bytes, offsets: Offsets, rules: LineRules, words: WordSource, table: CharTable, out: Bytes
) -> tuple[Bytes, Offsets]:
    ends = np.zeros(offsets.size, np.int64)
    for row in range(offsets.size - 1):
        text = data[offsets[row] : offsets[row + 1]]
        ends[row + 1] = ends[row] + write_line(text, row, rules, words, table, out[ends[row] :])
    return out, ends


@borrowing
def write_line(text: Bytes, row: Int, rules: LineRules, words: WordSource, table: CharTable, out: Bytes) -> Int:
    """Write the line of text number `row` to `out`, which has `line_room` for it; how many bytes it takes."""
    end = text.size
    if end > rules.max_bytes:
        end = rules.max_bytes
        while end > 0 and text[end] & 0xC0 == 0x80:
            end -= 1
    size = 0
    if words.kind == GIVEN:
        for i in range(words.offsets[row], words.offsets[row + 1]):
            if words.ends[i] <= end:
                size = _tokens(text, words.starts[i], words.ends[i], rules, table, out, size)
    else:
        size = _tokens(text, 0, end, rules, table, out, 0)
    return max(size - 1, 0)


@borrowing
def _tokens(text: Bytes, at: Int, end: Int, rules: LineRules, table: CharTable, out: Bytes, size: Int) -> Int:
    """Append the tokens of `text[at:end]`, a space behind each; how many bytes are written then."""
    lower, split = rules.lower_case, rules.split
    begin, alone = size, False  # where the open token begins; whether it takes no more but marks
    while at < end:
        point: Int = np.int64(text[at])
        width = 1
        if point >= 0x80:
            point, width = code_point(text, at, end)
        flags = flags_of(table, point)
        if flags & SPACE or point == 0:
            size = begin = _closed(out, begin, size)
            at, alone = at + width, False
            continue
        if point == 60 and _is_line_end(text, at, end, lower):
            size = begin = _closed(out, begin, size)
            at, alone = at + 4, False
            continue
        if split and not flags & MARK:
            stands = flags & (PUNCTUATION | SYMBOL) != 0 or (flags & SPACELESS != 0 and flags & LETTER != 0)
            if stands or alone:
                size = begin = _closed(out, begin, size)
            alone = stands
        if lower and not (point >= 0x80 and width == 1):
            size = _put(out, size, lower_of(table, point))
        else:
            for i in range(at, at + width):
                out[size] = text[i]
                size += 1
        at += width
    return _closed(out, begin, size)


@borrowing
def _closed(out: Bytes, begin: Int, size: Int) -> Int:
    """End the token `out[begin:size]`, or take it back where it is one of a label; where the next one begins."""
    if size == begin:
        return size
    if size - begin >= len(_LABEL):
        is_label = True
        for i, byte in enumerate(_LABEL):
            is_label = is_label and out[begin + i] == byte
        if is_label:
            return begin
    out[size] = 32
    return size + 1


@borrowing
def _is_line_end(text: Bytes, at: Int, end: Int, lower: Bool) -> Bool:
    """True where "</s>" begins, or what becomes it in lower case."""
    if at + 4 > end or text[at + 1] != 47 or text[at + 3] != 62:
        return False
    return text[at + 2] == 115 or (lower and text[at + 2] == 83)


@borrowing
def _put(out: Bytes, at: Int, point: Int) -> Int:
    """Write a code point as UTF-8; where it ends."""
    if point < 0x80:
        out[at] = point
        return at + 1
    following = 1 if point < 0x800 else 2 if point < 0x10000 else 3
    out[at] = (0x0F00 >> following + 1 & 0xF0) | point >> 6 * following
    for i in range(1, following + 1):
        out[at + i] = 0x80 | (point >> 6 * (following - i) & 0x3F)
    return at + following + 1
