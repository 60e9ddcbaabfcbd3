"""How much of a text repeats itself: duplicate lines and paragraphs, the top n-gram, duplicate n-grams.

Source: Rae et al. 2021, "Scaling Language Models" (Gopher), A1.1, which leaves open what exactly is counted; toolkits
count differently (`Counting`).
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, compiled
from curate.kernels.duplicate_lines import duplicates, line_spans, paragraph_spans
from curate.kernels.ngram_shares import DATATROVE, DCLM, DOLMA, PAPER, all_ngram_chars, dup_chars, top_chars
from curate.kernels.recurrence import Recurring, first_equal, longer, recurring_words, scratch_recurring
from curate.kernels.scan import Int32s, Lines, Words, scan, scratch_lines, scratch_words, text_bytes
from curate.kernels.signals import signal_struct
from curate.kernels.unicode_tables import CharTable, char_table
from curate.kernels.utf8 import Bytes, Offsets, char_count, utf8
from curate.kernels.words import WordSource, room, spaces, words_of

Counting = Literal["paper", "datatrove", "dolma", "dclm"]
NUMBERS: dict[str, int] = {"paper": PAPER, "datatrove": DATATROVE, "dolma": DOLMA, "dclm": DCLM}
assert tuple(NUMBERS) == get_args(Counting)

TOP_NGRAMS = (2, 3, 4)
DUP_NGRAMS = (5, 6, 7, 8, 9, 10)
_LAST_TOP, _LAST_DUP = TOP_NGRAMS[-1], DUP_NGRAMS[-1]

Int64s = NDArray[np.int64]
Share = NDArray[np.float64]  # float64[13]
Shares = NDArray[np.float64]  # float64[13, texts]

SIGNALS = pa.struct(
    [
        pa.field(name, pa.float64())
        for name in (
            "dup_line_frac",
            "dup_paragraph_frac",
            "dup_line_char_frac",
            "dup_paragraph_char_frac",
            *(f"top_{n}gram_char_frac" for n in TOP_NGRAMS),
            *(f"dup_{n}gram_char_frac" for n in DUP_NGRAMS),
        )
    ]
)


def repetition(texts: pa.StringArray, counting: Counting = "paper", words: WordSource | None = None) -> pa.StructArray:
    """The thirteen shares of `SIGNALS` for each text. Null text: null; what has no lines or words: 0.

    A text of more than `scan.MAX_BYTES` is measured by its first so many. `words`: between spaces if None.

    - `dup_line_frac`: lines that are duplicates, of all lines; `dup_line_char_frac`: their characters, of the
      characters of all lines (datatrove: of the text; Dolma: of the words). The same for paragraphs (Dolma: null).
      What a line, a paragraph and a duplicate are is said in `curate.kernels.duplicate_lines`.
    - `top_{n}gram_char_frac`: characters that the most frequent n-gram takes, of the characters of all words
      (datatrove: of the text). A text that says all things once has 0 in the paper's counting and DCLM's.
    - `dup_{n}gram_char_frac`: characters of repeated n-grams, of the characters of all words (datatrove: of the text;
      Dolma: of all n-grams). How both are counted is said in `curate.kernels.ngram_shares`.

    All are within [0, 1] in the paper's counting; datatrove's and Dolma's top n-grams and lines may pass 1.
    """
    data, offsets = utf8(texts)
    source = words or spaces()
    out = np.zeros((len(SIGNALS), len(texts)))
    _rows(data, offsets, char_table(), NUMBERS[counting], source, _scratch(source, offsets), out)
    if counting == "dolma":
        out[[1, 3]] = np.nan
    return signal_struct(SIGNALS, dict(zip(SIGNALS.names, out, strict=True)), texts)


class _Scratch(NamedTuple):
    """What the kernel needs for one text, allocated once."""

    words: Words
    lines: Lines
    others: Words  # words that `scan` does not find
    spans: Words
    found: Recurring
    first: Int32s
    before: Int64s


def _scratch(source: WordSource, offsets: Offsets) -> _Scratch:
    words, lines = scratch_words(offsets), scratch_lines(offsets)
    others, spans = scratch_words(offsets, room(source, offsets)), scratch_words(offsets, lines.start.size)
    size = max(len(words.start), len(others.start), len(spans.start))
    first, before = np.empty(size + 1, np.int32), np.empty(size + 1, np.int64)
    return _Scratch(words, lines, others, spans, scratch_recurring(size), first, before)


@compiled
def _rows(
    data: Bytes, offsets: Offsets, table: CharTable, counting: int, source: WordSource, room: _Scratch, out: Shares
) -> None:
    for row in range(offsets.size - 1):
        text = text_bytes(data, offsets, row)
        num_words, num_lines = scan(text, table, False, room.words, room.lines)
        _line_shares(text, table, counting, num_words, num_lines, room, out[:, row])
        words, num = words_of(text, row, table, source, room.words, num_words, room.others)
        _ngram_shares(text, words, num, counting, room, out[:, row])


@borrowing
def _line_shares(
    text: Bytes, table: CharTable, counting: int, num_words: int, num_lines: int, room: _Scratch, out: Share
) -> None:
    """Places 0 to 3 of `out`: lines, paragraphs, and the characters of both."""
    for unit in range(2):
        if unit == 0:
            num = line_spans(text, room.lines, num_lines, counting, room.spans)
        elif counting == DOLMA:
            return
        else:
            num = paragraph_spans(text, table, room.lines, num_lines, counting, room.spans)
        dup, chars = duplicates(text, room.spans, num, counting, room.first, room.found.slots)
        whole = 0
        if counting == DATATROVE:
            whole = char_count(text)
        elif counting == DOLMA:
            whole = room.words.chars[:num_words].sum()
        else:
            whole = room.spans.chars[:num].sum()
        out[unit] = dup / max(num, 1)
        out[unit + 2] = chars / max(whole, 1)


@borrowing
def _ngram_shares(text: Bytes, words: Words, num_words: int, counting: int, room: _Scratch, out: Share) -> None:
    """Places 4 and on of `out`."""
    found, before = room.found, room.before
    before[0] = 0
    for i in range(num_words):
        before[i + 1] = before[i] + words.chars[i]
    whole = char_count(text) if counting == DATATROVE else before[num_words]
    first_equal(text, words.start, words.end, words.key, num_words, room.first, found.slots)
    num = recurring_words(room.first, num_words, found)
    for n in range(2, _LAST_DUP + 1):
        num = longer(found, num)
        if n <= _LAST_TOP:
            chars = top_chars(found, num, n, num_words, before, counting)
        else:
            chars = dup_chars(found, num, n, before, counting, room.first)
            if counting == DOLMA:
                whole = all_ngram_chars(n, num_words, before)
        out[n + 2] = chars / max(whole, 1)
