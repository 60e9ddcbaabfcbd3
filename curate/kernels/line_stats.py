"""Line statistics behind FineWeb's own rules (Penedo et al. 2024, section 3.6)."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, compiled
from curate.kernels.line_ends import ends_with_any
from curate.kernels.recurrence import first_equal, scratch_slots
from curate.kernels.scan import Int32s, Lines, Words, scan, scratch_lines, scratch_words, text_bytes
from curate.kernels.signals import signal_struct
from curate.kernels.unicode_tables import CharTable, char_table
from curate.kernels.utf8 import Bytes, Offsets, char_count, utf8
from curate.kernels.words import WordSource, room, spaces, words_of

LineCounting = Literal["paper", "datatrove"]

SIGNALS = pa.struct(
    [
        pa.field("line_punct_frac", pa.float64()),
        pa.field("short_line_frac", pa.float64()),
        pa.field("dup_line_char_frac", pa.float64()),
        pa.field("newline_word_ratio", pa.float64()),
    ]
)
LF = 10


def line_stats(
    texts: pa.StringArray,
    *,
    end_marks: str,
    max_short_line_chars: int,
    counting: LineCounting = "paper",
    words: WordSource | None = None,
) -> pa.StructArray:
    """`SIGNALS` of each text. Null text: null fields; no lines: 0 everywhere.

    A text of more than `scan.MAX_BYTES` is measured by its first so many. Blank lines are no lines. The others are
    stripped; datatrove takes them as they stand.

    - `line_punct_frac`: lines whose last character is one of `end_marks`.
    - `short_line_frac`: lines of at most `max_short_line_chars` characters.
    - `dup_line_char_frac`: characters of lines that occurred before, of the characters of all lines (datatrove: of the
      text without "\\n").
    - `newline_word_ratio`: "\\n" for each word, those of blank lines included; a text without words counts as one word.
    """
    data, offsets = utf8(texts)
    source = words or spaces()
    marks = np.array(sorted({ord(char) for char in end_marks}), np.int32)
    room = _scratch(source, offsets)
    out = np.zeros((len(SIGNALS), len(texts)))
    _rows(data, offsets, char_table(), counting == "paper", marks, max_short_line_chars, source, room, out)
    return signal_struct(SIGNALS, dict(zip(SIGNALS.names, out, strict=True)), texts)


class _Scratch(NamedTuple):
    words: Words
    lines: Lines
    others: Words  # words that `scan` does not find
    first: Int32s
    slots: Int32s


def _scratch(source: WordSource, offsets: Offsets) -> _Scratch:
    lines = scratch_lines(offsets)
    others = scratch_words(offsets, room(source, offsets))
    return _Scratch(scratch_words(offsets), lines, others, np.empty_like(lines.start), scratch_slots(len(lines.start)))


@compiled
def _rows(
    data: Bytes,
    offsets: Offsets,
    table: CharTable,
    stripped: bool,
    marks: Int32s,
    max_short: int,
    source: WordSource,
    room: _Scratch,
    out: NDArray[np.float64],
) -> None:
    lines = room.lines
    for row in range(offsets.size - 1):
        text = text_bytes(data, offsets, row)
        num_words, num_lines = scan(text, table, False, room.words, lines)
        _, num_words = words_of(text, row, table, source, room.words, num_words, room.others)
        num = _filled_lines(lines, num_lines, stripped)
        punct = short = dup_chars = chars = 0
        first_equal(text, lines.start, lines.end, lines.key, num, room.first, room.slots)
        for i in range(num):
            punct += ends_with_any(text, lines.start[i], lines.end[i], marks)
            short += lines.chars[i] <= max_short
            chars += lines.chars[i]
            if room.first[i] != i:
                dup_chars += lines.chars[i]
        newlines = max(num_lines - 1, 0)
        if not stripped:
            chars = char_count(text) - newlines
        out[0, row], out[1, row] = punct / max(num, 1), short / max(num, 1)
        out[2, row] = dup_chars / max(chars, 1)
        out[3, row] = newlines / max(num_words, 1)


@borrowing
def _filled_lines(lines: Lines, num_lines: int, stripped: bool) -> int:
    """Move the lines that are not blank to the front, stripped if asked; how many."""
    num = 0
    for i in range(num_lines):
        if lines.text_start[i] == lines.text_end[i]:
            continue
        if stripped:
            lines.start[num], lines.end[num] = lines.text_start[i], lines.text_end[i]
            lines.chars[num] = lines.text_chars[i]
        else:
            lines.start[num], lines.end[num], lines.chars[num] = lines.start[i], lines.end[i], lines.chars[i]
        lines.key[num] = lines.key[i]
        num += 1
    return num
