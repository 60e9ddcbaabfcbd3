"""Rewrite a text with some of its words left out, as BigScience did before it filtered OSCAR for ROOTS.

Words stand between " ", "\\n" and "\\t". What is left of a line is joined by one space, what stands between two tabs by
one tab, lines by one "\\n"; lines and cells without a word go, so a paragraph's blank line goes too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.char_classes import ClassTable, class_table
from curate.kernels.compiled import compiled
from curate.kernels.refined_words import is_separator
from curate.kernels.rewritten import rewritten, room_like
from curate.kernels.signals import signal_struct
from curate.kernels.special_chars import special_points
from curate.kernels.strip import stripped_end, stripped_start
from curate.kernels.unicode_tables import CharTable, char_table
from curate.kernels.utf8 import Bytes, Int, Offsets, code_point, utf8

SIGNALS = pa.struct([pa.field("substring_words", pa.int32()), pa.field("long_words", pa.int32())])
_SPECIAL, _SPACE = 1, 2  # bits of classes
#: What Data-Juicer 1.6.1 (`common/special_characters.py`) makes into " " beside "\t": U+0084 and U+FFFC too.
SPACES = (0x84, 0xA0, *range(0x2000, 0x200E), 0x202F, 0x205F, 0x2060, 0x3000, 0xFFFC)
_TAB, _LF, _BLANK = 0x09, 0x0A, 0x20


def without_words(
    texts: pa.StringArray, *, substrings: Sequence[str], max_word_chars: int | None, uniform_white_space: bool
) -> tuple[pa.StringArray, pa.StructArray]:
    """The texts without some of their words, and how many went, of type `SIGNALS`. Null text: null.

    - `substring_words`: words that hold one of `substrings` once special characters at their ends are gone, in the case
      that is given: "http://" holds no "//", and ".com" no ".com".
    - `long_words`: other words of more than `max_word_chars` characters, if they have more without special characters
      at their ends too, or none.
    - `uniform_white_space`: first strip the text, and read tabs and `SPACES` as " ".
    """
    data, offsets = utf8(texts)
    parts = [part.encode() for part in substrings if part]
    wanted, wanted_ends = np.frombuffer(b"".join(parts), np.uint8), np.cumsum([0, *map(len, parts)], dtype=np.int64)
    classes = class_table(special_points(), SPACES if uniform_white_space else ())
    out, ends = room_like(offsets)
    removed = np.zeros((2, len(texts)), np.int64)
    most = np.iinfo(np.int64).max if max_word_chars is None else max_word_chars
    _rows(data, offsets, char_table(), classes, uniform_white_space, wanted, wanted_ends, most, out, ends, removed)
    signals = signal_struct(SIGNALS, dict(zip(SIGNALS.names, removed, strict=True)), texts)
    return rewritten(texts, out, ends), signals


@compiled
def _rows(
    data: Bytes,
    offsets: Offsets,
    table: CharTable,
    classes: ClassTable,
    uniform: bool,
    wanted: Bytes,
    wanted_ends: Offsets,
    most: int,
    out: Bytes,
    ends: Offsets,
    removed: NDArray[np.int64],
) -> None:
    for row in range(offsets.size - 1):
        text = data[offsets[row] : offsets[row + 1]]
        at, end, put = np.int64(0), np.int64(text.size), ends[row]
        if uniform:
            at = stripped_start(text, 0, end, table)
            end = stripped_end(text, at, end, table)
        between = 0  # what a word is joined to the one before by; 0 before the first
        while at < end:
            width, byte = _separator(text, at, end, classes, uniform)
            if width:
                if between and (byte == _LF or between == _BLANK):
                    between = byte
                at += width
                continue
            start, at, chars = at, *_word_end(text, at, end, classes, uniform)
            rule = _rule(text, start, at, chars, classes, wanted, wanted_ends, most)
            if rule >= 0:
                removed[rule, row] += 1
                continue
            if put > ends[row]:
                out[put] = between
                put += 1
            out[put : put + at - start] = text[start:at]
            put, between = put + at - start, _BLANK
        ends[row + 1] = put


@compiled
def _separator(text: Bytes, at: Int, end: Int, classes: ClassTable, uniform: bool) -> tuple[Int, Int]:
    """How many bytes a separator at `at` has, 0 for none, and what is written in its place."""
    byte = text[at]
    if byte < 0x80:
        return is_separator(byte), _LF if byte == _LF else _TAB if byte == _TAB and not uniform else _BLANK
    point, width = code_point(text, at, end)
    return width if classes[point] & _SPACE else 0, _BLANK


@compiled
def _word_end(text: Bytes, at: Int, end: Int, classes: ClassTable, uniform: bool) -> tuple[Int, Int]:
    """Where the word at `at` ends, and its characters."""
    chars = 0
    while at < end and _separator(text, at, end, classes, uniform)[0] == 0:
        at, chars = at + code_point(text, at, end)[1], chars + 1
    return at, chars


@compiled
def _rule(
    text: Bytes, start: Int, end: Int, chars: Int, classes: ClassTable, wanted: Bytes, wanted_ends: Offsets, most: int
) -> int:
    """The rule by which a word goes: 0 for a substring, 1 for its length, -1 for none."""
    first, beyond, inner, seen, at = end, start, 0, 0, start
    while at < end:
        point, width = code_point(text, at, end)
        at += width
        plain = not classes[point] & _SPECIAL
        if plain and first == end:
            first, seen = at - width, 0
        seen += 1
        if plain:
            beyond, inner = at, seen
    for i in range(wanted_ends.size - 1):
        if _holds(text, first, beyond, wanted[wanted_ends[i] : wanted_ends[i + 1]]):
            return 0
    return 1 if chars > most and not 1 <= inner <= most else -1


@compiled
def _holds(text: Bytes, start: Int, end: Int, part: Bytes) -> bool:
    for at in range(start, end - part.size + 1):
        same = 0
        while same < part.size and text[at + same] == part[same]:
            same += 1
        if same == part.size:
            return True
    return False
