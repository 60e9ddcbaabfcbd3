"""Length, lines, kinds of characters, words and repetition of a text, as BigScience's filters for ROOTS measure them
and Data-Juicer after them.

Sources: Laurençon et al. 2022, "The BigScience ROOTS Corpus", section 3.1; Data-Juicer 1.6.1, `ops/filter`, which took
the functions over from BigScience's. Where a language is written without spaces both want a tokenizer, which is not
here: words stand between spaces.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.char_classes import ClassTable, Int64s, class_table, count_classes, in_class, with_flags
from curate.kernels.char_repetition import CharNgrams, char_repetition, scratch_char_ngrams
from curate.kernels.compiled import compiled
from curate.kernels.recurrence import Recurring, first_equal, longer, recurring_words, scratch_recurring
from curate.kernels.refined_words import Refined, refine, scratch_refined
from curate.kernels.scan import Int32s, flags_of, text_bytes
from curate.kernels.signals import signal_struct
from curate.kernels.special_chars import special_points
from curate.kernels.stop_words import AS_IT_IS, StopWords, count_stop_words, stop_word_table
from curate.kernels.unicode_tables import BREAK, LETTER, NUMBER, CharTable, char_table
from curate.kernels.utf8 import Bytes, Offsets, code_point, utf8

SIGNALS = pa.struct(
    [
        pa.field("char_count", pa.int32()),
        pa.field("mean_line_chars", pa.float64()),
        pa.field("max_line_chars", pa.int32()),
        pa.field("alphanumeric_frac", pa.float64()),
        pa.field("special_char_frac", pa.float64()),
        pa.field("word_count", pa.int32()),
        pa.field("stop_word_frac", pa.float64()),
        pa.field("flagged_word_frac", pa.float64()),
        pa.field("word_repetition_frac", pa.float64()),
        pa.field("char_repetition_frac", pa.float64()),
    ]
)
_ALPHANUMERIC, _SPECIAL = 0, 1  # classes of characters
_COUNTS = (0, 2, 5)  # whole numbers


def text_profile(
    texts: pa.StringArray,
    *,
    char_ngram: int,
    word_ngram: int,
    stop_words: Sequence[str] = (),
    flagged_words: Sequence[str] = (),
) -> pa.StructArray:
    """`SIGNALS` of each text. Null text: null fields; what has no characters, lines or words: 0.

    A text of more than `scan.MAX_BYTES` is measured by its first so many.

    - `char_count`; `mean_line_chars`: characters, line breaks included, for each line of `str.splitlines`;
      `max_line_chars`: of the longest line, without its break.
    - `alphanumeric_frac`: characters that are letters or numbers. `special_char_frac`: that are in
      `curate.kernels.special_chars`: white space, digits, punctuation, emoji and others.
    - `word_count`: words with a character that is not special. How words are found, and what is left of them for the
      following, is said in `curate.kernels.refined_words`.
    - `stop_word_frac`, `flagged_word_frac`: words that are on the list; null where the list is empty. Entries of more
      than one word are never found.
    - `word_repetition_frac`: occurrences of strings of `word_ngram` words that occur more than once, of all such
      strings. `char_repetition_frac`: see `curate.kernels.char_repetition`, with `char_ngram` characters.
    """
    data, offsets = utf8(texts)
    lists = _Lists(stop_word_table(_lower(stop_words)), stop_word_table(_lower(flagged_words)))
    out = np.zeros((len(SIGNALS), len(texts)))
    _rows(data, offsets, char_table(), _classes(), char_ngram, word_ngram, lists, _scratch(offsets, lists), out)
    columns = [column.astype(np.int64) if i in _COUNTS else column for i, column in enumerate(out)]
    return signal_struct(SIGNALS, dict(zip(SIGNALS.names, columns, strict=True)), texts)


def _lower(words: Sequence[str]) -> list[str]:
    """In simple lower case, like the words of texts."""
    return ["".join(c.lower() if len(c.lower()) == 1 else c for c in word) for word in words]


@cache
def _classes() -> ClassTable:
    return class_table(with_flags(LETTER | NUMBER), special_points())


class _Lists(NamedTuple):
    stop_words: StopWords
    flagged_words: StopWords


class _Scratch(NamedTuple):
    counts: Int64s
    refined: Refined
    first: Int32s
    found: Recurring
    ngrams: CharNgrams
    seen: NDArray[np.bool_]


def _scratch(offsets: Offsets, lists: _Lists) -> _Scratch:
    refined = scratch_refined(offsets)
    size = len(refined.words.start)
    seen = np.zeros(max(len(words.key) for words in lists), np.bool_)
    first, found = np.empty(size, np.int32), scratch_recurring(size)
    return _Scratch(np.zeros(256, np.int64), refined, first, found, scratch_char_ngrams(offsets), seen)


@compiled
def _rows(
    data: Bytes,
    offsets: Offsets,
    table: CharTable,
    classes: ClassTable,
    char_ngram: int,
    word_ngram: int,
    lists: _Lists,
    room: _Scratch,
    out: NDArray[np.float64],
) -> None:
    for row in range(offsets.size - 1):
        text = text_bytes(data, offsets, row)
        count_classes(text, classes, room.counts)
        chars = room.counts.sum()
        num_lines, out[2, row] = _lines(text, table)
        out[0, row], out[1, row] = chars, chars / max(num_lines, 1)
        out[3, row] = in_class(room.counts, _ALPHANUMERIC) / max(chars, 1)
        out[4, row] = in_class(room.counts, _SPECIAL) / max(chars, 1)
        num, out[5, row] = refine(text, table, classes, 1 << _SPECIAL, room.refined)
        out[6, row] = _listed(table, num, room, lists.stop_words)
        out[7, row] = _listed(table, num, room, lists.flagged_words)
        out[8, row] = _word_repetition(num, word_ngram, room)
        out[9, row] = char_repetition(text, char_ngram, room.ngrams)


@compiled
def _lines(text: Bytes, table: CharTable) -> tuple[int, int]:
    """Lines of `str.splitlines`, and the characters of the longest."""
    num = most = chars = at = 0
    while at < text.size:
        point, width = code_point(text, at, text.size)
        at += width
        if not flags_of(table, point) & BREAK:
            chars += 1
            continue
        if point == 13 and at < text.size and text[at] == 10:
            at += 1
        num, most, chars = num + 1, max(most, chars), 0
    return num + (chars > 0), max(most, chars)


@compiled
def _listed(table: CharTable, num: int, room: _Scratch, wanted: StopWords) -> float:
    if wanted.key.size == 0:
        return np.nan
    words = room.refined.words
    return count_stop_words(room.refined.text, table, words, num, wanted, AS_IT_IS, False, room.seen) / max(num, 1)


@compiled
def _word_repetition(num_words: int, n: int, room: _Scratch) -> float:
    if num_words < n:
        return 0.0
    words, found = room.refined.words, room.found
    first_equal(room.refined.text, words.start, words.end, words.key, num_words, room.first, found.slots)
    num = recurring_words(room.first, num_words, found)
    for _ in range(n - 1):
        num = longer(found, num)
    return num / (num_words - n + 1)
