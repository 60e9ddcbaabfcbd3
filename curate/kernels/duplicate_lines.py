"""Which lines and paragraphs of a text stand in it again, as the paper and as each toolkit counts them.

- paper: lines are stripped and blank ones left out; a paragraph is a run of lines without a blank one between. Copies
  after the first count.
- datatrove: lines stand between runs of "\\n" and are not stripped, so that a text which ends in one has an empty last
  line; paragraphs stand between runs of two or more "\\n" of the stripped text. Copies after the first count.
- Dolma: lines stand between single "\\n", empty ones too. All copies count, the first too. No paragraphs.
- DCLM: lines stand between "\\n", paragraphs between "\\n\\n", stripped, without empty ones. All copies count, the
  first too; a text of one line (paragraph) has none.
"""

from __future__ import annotations

import numpy as np

from curate.kernels.compiled import borrowing
from curate.kernels.ngram_shares import DATATROVE, DCLM, DOLMA, PAPER
from curate.kernels.recurrence import first_equal
from curate.kernels.scan import FACTOR, SEED, SHIFT, Int32s, Lines, Words
from curate.kernels.strip import stripped_end, stripped_start
from curate.kernels.unicode_tables import CharTable
from curate.kernels.utf8 import Bytes

LF = 10


@borrowing
def line_spans(text: Bytes, lines: Lines, num_lines: int, counting: int, out: Words) -> int:
    """Write the lines as `counting` has them to `out`: start, end, chars, key; how many."""
    if counting == DATATROVE:
        return _between_runs(text, 0, text.size, 1, out)
    num = 0
    for i in range(num_lines):
        if counting == DOLMA:
            out.start[num], out.end[num], out.chars[num] = lines.start[i], lines.end[i], lines.chars[i]
        elif lines.text_start[i] == lines.text_end[i]:
            continue
        else:
            out.start[num], out.end[num] = lines.text_start[i], lines.text_end[i]
            out.chars[num] = lines.text_chars[i]
        out.key[num] = lines.key[i]
        num += 1
    return num


@borrowing
def paragraph_spans(text: Bytes, table: CharTable, lines: Lines, num_lines: int, counting: int, out: Words) -> int:
    """Write the paragraphs as `counting` has them to `out`: start, end, chars, key; how many."""
    if counting == PAPER:
        return _filled_runs(lines, num_lines, out)
    if counting == DATATROVE:
        start = stripped_start(text, 0, text.size, table)
        return _between_runs(text, start, stripped_end(text, start, text.size, table), 2, out)
    num = start = 0
    for at in range(text.size + 1):
        if at == text.size or (at >= start and text[at] == LF and at + 1 < text.size and text[at + 1] == LF):
            first = stripped_start(text, start, at, table)
            beyond = stripped_end(text, first, at, table)
            if first < beyond:
                _append(text, first, beyond, num, out)
                num += 1
            start = at + 2
    return num


@borrowing
def duplicates(text: Bytes, spans: Words, num: int, counting: int, first: Int32s, slots: Int32s) -> tuple[int, int]:
    """How many of the spans are duplicates, and their characters."""
    if num < 2:
        return 0, 0
    first_equal(text, spans.start, spans.end, spans.key, num, first, slots)
    found = chars = 0
    for i in range(num):
        original = first[i]
        if original == i or original < 0:
            continue
        found, chars = found + 1, chars + spans.chars[i]
        if counting in (DOLMA, DCLM) and first[original] >= 0:  # the first of each counts too, once
            found, chars = found + 1, chars + spans.chars[original]
            first[original] = -1
    return found, chars


@borrowing
def _filled_runs(lines: Lines, num_lines: int, out: Words) -> int:
    """Runs of lines that are not blank; characters without those between lines."""
    num, inside = 0, False
    for i in range(num_lines):
        if lines.text_start[i] == lines.text_end[i]:
            inside = False
            continue
        if not inside:
            out.start[num], out.chars[num], out.key[num] = lines.text_start[i], 0, SEED
            num, inside = num + 1, True
        out.end[num - 1] = lines.text_end[i]
        out.chars[num - 1] += lines.text_chars[i]
        out.key[num - 1] = (out.key[num - 1] ^ lines.key[i]) * FACTOR
    return num


@borrowing
def _between_runs(text: Bytes, start: int, end: int, run: int, out: Words) -> int:
    """What stands between runs of at least `run` "\\n", and before the first and after the last, even if empty."""
    num, at = 0, start
    while at < end:
        beyond = at
        while beyond < end and text[beyond] == LF:
            beyond += 1
        if beyond - at >= run:
            _append(text, start, at, num, out)
            num, start = num + 1, beyond
        at = max(beyond, at + 1)
    _append(text, start, end, num, out)
    return num + 1


@borrowing
def _append(text: Bytes, start: int, end: int, num: int, out: Words) -> None:
    chars, key = 0, SEED
    for at in range(start, end):
        chars += text[at] & 0xC0 != 0x80
        key = (key ^ np.uint64(text[at])) * FACTOR
    out.start[num], out.end[num], out.chars[num], out.key[num] = start, end, chars, key ^ (key >> SHIFT)
