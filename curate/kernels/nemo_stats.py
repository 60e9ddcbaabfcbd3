"""Statistics behind NeMo Curator's heuristic filters for English.

Source: NeMo Curator 1.4.0, `stages/text/filters/heuristic`. Where a filter raises, on a text without words or lines,
the signal here is one that keeps; such a text fails the bounds on letters or on words.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.char_classes import ClassTable, class_table, count_classes, in_class, with_flags
from curate.kernels.compiled import compiled
from curate.kernels.line_ends import begins_with_any, ends_with_any
from curate.kernels.nemo_lines import ends_with_mark, is_symbol_word, line_spans, paragraph_spans, unique
from curate.kernels.ngram_removal import Wanted, dup_removed, scratch_wanted, top_removed
from curate.kernels.ngram_shares import Int64s
from curate.kernels.phrases import Phrases, find_phrase, phrase_end, phrases
from curate.kernels.recurrence import Recurring, first_equal, longer, recurring_words, scratch_recurring
from curate.kernels.scan import Int32s, Lines, Words, scan, scratch_lines, scratch_words, text_bytes
from curate.kernels.signals import signal_struct
from curate.kernels.stop_words import AS_IT_IS, StopWords, count_stop_words, stop_word_table
from curate.kernels.unicode_tables import DIGIT, LETTER, CharTable, char_table
from curate.kernels.utf8 import Bytes, Offsets, utf8
from curate.kernels.web_links import link_chars

TOP_NGRAMS = (2, 3, 4)
DUP_NGRAMS = (5, 6, 7, 8, 9, 10)
_COUNTS = ("word_count", "stop_word_count", "longest_word_chars")
_NAMES = (
    "non_alphanumeric_frac",
    "symbol_word_frac",
    "digit_frac",
    "url_char_frac",
    "white_space_frac",
    "parenthesis_frac",
    "boilerplate_paragraph_frac",
    "unique_line_frac",
    "unique_paragraph_frac",
    "unique_line_char_frac",
    "unique_paragraph_char_frac",
    "word_count",
    "unended_line_frac",
    "alphabetic_word_frac",
    "stop_word_count",
    "mean_word_length",
    "longest_word_chars",
    "ellipsis_line_frac",
    *(f"top_{n}gram_char_frac" for n in TOP_NGRAMS),
    *(f"dup_{n}gram_char_frac" for n in DUP_NGRAMS),
    "bullet_line_frac",
)
#: In the order of NeMo Curator's pipeline for English.
SIGNALS = pa.struct([pa.field(name, pa.int32() if name in _COUNTS else pa.float64()) for name in _NAMES])
_FIRST_TOP, _FIRST_DUP = _NAMES.index("top_2gram_char_frac"), _NAMES.index("dup_5gram_char_frac")

Share = NDArray[np.float64]  # float64[28]


def nemo_stats(
    texts: pa.StringArray, *, stop_words: Sequence[str], bullets: str, end_marks: str, boilerplate: Sequence[str]
) -> pa.StructArray:
    """`SIGNALS` of each text. Null text: null fields. Empty text: 1 for shares of characters and of n-grams.

    A text of more than `scan.MAX_BYTES` is measured by its first so many. A word stands between white space, a line
    between "\\n" and is not blank, a paragraph between "\\n\\n" and may be empty.

    - Of characters: `non_alphanumeric_frac`, all but A-Z, a-z, 0-9, "\\n" and "?!,."; `digit_frac`, decimal digits of
      any script; `url_char_frac`, see `curate.kernels.web_links`; `white_space_frac`, blanks, tabs, "\\n", "\\r" and
      backspaces; `parenthesis_frac`, ()[]{}⟨⟩.
    - Of words: `symbol_word_frac`, those that are an ellipsis mark or of which runs of "#" are more than half of the
      characters, such as "#" itself; `alphabetic_word_frac`, those with a letter (NeMo Curator: or with another
      alphabetic character, such as Ⅳ); `stop_word_count`, occurrences as they stand (NeMo Curator stops at two);
      `mean_word_length`, `longest_word_chars`.
    - `boilerplate_paragraph_frac`: paragraphs that hold one of `boilerplate`, in any case; 1 for "lorem ipsum".
    - `unique_line_frac`: different lines of all lines, not stripped; `unique_line_char_frac`: their characters of those
      of all lines. The same for paragraphs.
    - Of lines, stripped: `unended_line_frac`, those that end with none of `end_marks`; `ellipsis_line_frac`, those that
      end with an ellipsis mark or with "read more"; `bullet_line_frac`, those that begin with one of `bullets`.
    - `top_{n}gram_char_frac`, `dup_{n}gram_char_frac`: see `curate.kernels.ngram_removal`.
    """
    data, offsets = utf8(texts)
    wanted = _Wanted(
        stop_word_table(stop_words),
        np.array(sorted({ord(char) for char in bullets}), np.int32),
        np.array(sorted({ord(char) for char in end_marks}), np.int32),
        phrases(("lorem ipsum", *boilerplate)),
    )
    out = np.zeros((len(SIGNALS), len(texts)))
    _rows(data, offsets, char_table(), _classes(), wanted, _scratch(offsets, len(wanted.stop_words.key)), out)
    columns = [column.astype(np.int64) if name in _COUNTS else column for name, column in zip(_NAMES, out, strict=True)]
    return signal_struct(SIGNALS, dict(zip(_NAMES, columns, strict=True)), texts)


@cache
def _classes() -> ClassTable:
    alphanumeric = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789\n?!,."
    return class_table(alphanumeric, with_flags(DIGIT), b"\t\n\r\b ", map(ord, "{}⟨⟩[]()"))


class _Wanted(NamedTuple):
    stop_words: StopWords
    bullets: Int32s
    end_marks: Int32s
    phrases: Phrases


class _Scratch(NamedTuple):
    counts: Int64s
    words: Words
    lines: Lines
    spans: Words
    found: Recurring
    first: Int32s
    before: Int64s
    seen: NDArray[np.bool_]
    sought: Wanted


def _scratch(offsets: Offsets, num_stop_words: int) -> _Scratch:
    words, lines = scratch_words(offsets), scratch_lines(offsets)
    spans = scratch_words(offsets, lines.start.size)
    first, before = np.empty(lines.start.size + 1, np.int32), np.empty(lines.start.size + 1, np.int64)
    found, seen = scratch_recurring(lines.start.size), np.zeros(num_stop_words, np.bool_)
    return _Scratch(np.zeros(256, np.int64), words, lines, spans, found, first, before, seen, scratch_wanted(offsets))


@compiled
def _rows(
    data: Bytes,
    offsets: Offsets,
    table: CharTable,
    classes: ClassTable,
    wanted: _Wanted,
    room: _Scratch,
    out: NDArray[np.float64],
) -> None:
    for row in range(offsets.size - 1):
        text = text_bytes(data, offsets, row)
        share = out[:, row]
        num_words, num_lines = scan(text, table, False, room.words, room.lines)
        chars = _chars(text, classes, room.counts, share)
        _spans(text, table, num_lines, wanted.phrases, room, share)
        _words(text, table, num_words, wanted.stop_words, room, share)
        _lines(text, room.lines, num_lines, wanted, share)
        _ngrams(text, num_words, chars, room, share)


@compiled
def _chars(text: Bytes, classes: ClassTable, counts: Int64s, out: Share) -> int:
    """Places 0, 2, 3, 4 and 5; how many characters there are."""
    count_classes(text, classes, counts)
    chars: int = counts.sum()
    if chars == 0:
        out[0] = out[2] = out[3] = out[4] = out[5] = 1
        return 0
    out[0] = (chars - in_class(counts, 0)) / chars
    out[2], out[3] = in_class(counts, 1) / chars, link_chars(text) / chars
    out[4], out[5] = in_class(counts, 2) / chars, in_class(counts, 3) / chars
    return chars


@compiled
def _spans(text: Bytes, table: CharTable, num_lines: int, wanted: Phrases, room: _Scratch, out: Share) -> None:
    """Places 6 to 10: paragraphs with boilerplate, unique lines and paragraphs."""
    spans = room.spans
    num = line_spans(room.lines, num_lines, spans)
    out[7], out[9] = unique(text, spans, num, room.first, room.found.slots)
    num = paragraph_spans(text, spans)
    out[8], out[10] = unique(text, spans, num, room.first, room.found.slots)
    boilerplate = 0
    for i in range(num):
        held = _holds(text, spans.start[i], spans.end[i], table, wanted)
        if held == 2:
            boilerplate = num
            break
        boilerplate += held
    out[6] = boilerplate / num


@compiled
def _holds(text: Bytes, at: int, end: int, table: CharTable, wanted: Phrases) -> int:
    """2 where the first phrase stands in `text[at:end]`, 1 where only another does, 0 where none does."""
    held = 0
    while True:
        at = find_phrase(text, at, end, table, wanted)
        if at < 0:
            return held
        if phrase_end(text, at, end, table, wanted, 0) >= 0:
            return 2
        held, at = 1, at + 1


@compiled
def _words(text: Bytes, table: CharTable, num: int, stop_words: StopWords, room: _Scratch, out: Share) -> None:
    """Places 1, 11 and 13 to 16. `before[i]`: the characters of the first i words."""
    words, before = room.words, room.before
    symbols = alphabetic = most = 0
    before[0] = 0
    for i in range(num):
        flags, chars = words.flags[i], words.chars[i]
        alphabetic += flags & LETTER != 0
        symbols += is_symbol_word(text, words.start[i], words.end[i], chars, flags)
        most = max(most, chars)
        before[i + 1] = before[i] + chars
    out[1], out[11], out[13] = symbols / max(num, 1), num, alphabetic / max(num, 1)
    out[14] = count_stop_words(text, table, words, num, stop_words, AS_IT_IS, False, room.seen)
    out[15], out[16] = before[num] / max(num, 1), most


@compiled
def _lines(text: Bytes, lines: Lines, num_lines: int, wanted: _Wanted, out: Share) -> None:
    """Places 12, 17 and 27."""
    unended = ellipses = bullets = whole = 0
    for i in range(num_lines):
        start, end = lines.text_start[i], lines.text_end[i]
        if start == end:
            continue
        whole += 1
        unended += not ends_with_any(text, start, end, wanted.end_marks)
        ellipses += ends_with_mark(text, start, end)
        bullets += begins_with_any(text, start, end, wanted.bullets)
    whole = max(whole, 1)
    out[12], out[17], out[27] = unended / whole, ellipses / whole, bullets / whole


@compiled
def _ngrams(text: Bytes, num_words: int, chars: int, room: _Scratch, out: Share) -> None:
    """Places 18 to 26."""
    words, found = room.words, room.found
    first_equal(text, words.start, words.end, words.key, num_words, room.first, found.slots)
    num = recurring_words(room.first, num_words, found)
    for n in range(2, 11):
        num = longer(found, num)
        place = _FIRST_TOP + n - 2
        if num_words < n:
            out[place] = 1
        elif place < _FIRST_DUP:
            out[place] = top_removed(text, words, found, num, n, room.before, room.sought) / chars
        else:
            out[place] = dup_removed(found, num, n, room.before) / chars
