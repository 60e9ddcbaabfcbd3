"""Lines, paragraphs and marks as NeMo Curator has them (1.4.0, `stages/text/utils`)."""

from __future__ import annotations

import numpy as np

from curate.kernels.compiled import compiled
from curate.kernels.recurrence import first_equal
from curate.kernels.scan import FACTOR, SEED, SHIFT, Int32s, Lines, Words
from curate.kernels.unicode_tables import PUNCTUATION
from curate.kernels.utf8 import Bool, Bytes, Int

#: `ellipsis_marks` of `constants.py`. The last two have a space and are no words.
ELLIPSIS_MARKS = ("...", "[...]", "…", "(...)", "[…]", "-»", "read more..", "read more")
_MARKS = np.frombuffer("".join(ELLIPSIS_MARKS).encode(), np.uint8)
_MARK_ENDS = np.cumsum([0, *(len(mark.encode()) for mark in ELLIPSIS_MARKS)], dtype=np.int64)
_LF, _HASH = 0x0A, 0x23


@compiled
def line_spans(lines: Lines, num_lines: int, out: Words) -> int:
    """Write the lines that are not blank to `out`, as they stand; how many."""
    num = 0
    for i in range(num_lines):
        if lines.text_start[i] < lines.text_end[i]:
            out.start[num], out.end[num], out.chars[num] = lines.start[i], lines.end[i], lines.chars[i]
            out.key[num] = lines.key[i]
            num += 1
    return num


@compiled
def paragraph_spans(text: Bytes, out: Words) -> int:
    """Write what stands between "\\n\\n" to `out`, empty ones too; how many, at least one."""
    num = start = at = chars = 0
    key = SEED
    while True:
        ends = at >= text.size or (text[at] == _LF and at + 1 < text.size and text[at + 1] == _LF)
        if not ends:
            byte = text[at]
            chars += byte & 0xC0 != 0x80
            key = (key ^ np.uint64(byte)) * FACTOR
            at += 1
            continue
        out.start[num], out.end[num], out.chars[num], out.key[num] = start, at, chars, key ^ (key >> SHIFT)
        num, chars, key = num + 1, 0, SEED
        if at >= text.size:
            return num
        start = at = at + 2


@compiled
def unique(text: Bytes, spans: Words, num: int, first: Int32s, slots: Int32s) -> tuple[float, float]:
    """Shares of different spans, and of their characters; 1 where there are none."""
    first_equal(text, spans.start, spans.end, spans.key, num, first, slots)
    different = chars = whole = 0
    for i in range(num):
        whole += spans.chars[i]
        if first[i] == i:
            different, chars = different + 1, chars + spans.chars[i]
    return different / num if num else 1.0, chars / whole if whole else 1.0


@compiled
def is_symbol_word(text: Bytes, start: Int, end: Int, chars: Int, flags: Int) -> Bool:
    """True for an ellipsis mark, and where runs of "#" are more than half as many as characters."""
    if not flags & PUNCTUATION:
        return False
    runs, inside = 0, False
    for at in range(start, end):
        runs += text[at] == _HASH and not inside
        inside = text[at] == _HASH
    if 2 * runs > chars:
        return True
    for i in range(_MARK_ENDS.size - 1):
        if _MARK_ENDS[i + 1] - _MARK_ENDS[i] == end - start and _ends_with(text, start, end, i):
            return True
    return False


@compiled
def ends_with_mark(text: Bytes, start: Int, end: Int) -> Bool:
    """True where a line ends with an ellipsis mark, in any case."""
    for i in range(_MARK_ENDS.size - 1):  # noqa: SIM110  # numba compiles no generator
        if _ends_with(text, start, end, i):
            return True
    return False


@compiled
def _ends_with(text: Bytes, start: Int, end: Int, number: int) -> Bool:
    size = _MARK_ENDS[number + 1] - _MARK_ENDS[number]
    if end - start < size:
        return False
    for i in range(size):
        byte = text[end - size + i]
        if (byte + 32 if 0x41 <= byte <= 0x5A else byte) != _MARKS[_MARK_ENDS[number] + i]:
            return False
    return True
