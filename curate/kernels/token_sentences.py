"""Sentences counted over tokens, line by line, as spaCy's sentencizer does and datatrove's C4 filter uses it.

A sentence ends after a token that is one end mark, and tokens of punctuation that follow belong to it. White space of
more than one blank is a token of its own for spaCy, and no punctuation (spaCy 3.8, `pipeline/sentencizer.pyx`).
`curate.kernels.sentencizer` counts the same for English without tokens, and faster.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, compiled
from curate.kernels.end_marks import SENTENCE_TERMINALS
from curate.kernels.line_ends import is_among
from curate.kernels.scan import Int32s, Lines, Words, scan, scratch_lines, scratch_words, text_bytes
from curate.kernels.unicode_tables import PUNCTUATION, CharTable, char_table
from curate.kernels.utf8 import Bool, Bytes, Int, Offsets, code_point, utf8
from curate.kernels.words import WordSource, room, words_of

_BLANK = 0x20
#: Of Unicode's Sentence_Terminal, marks that spaCy's list does not have.
_NO_MARKS = (
    "\u061d\u061e\u0837\u0839\u083d\u083e\u17d4\u17d5\u17d6\u17d9\u17da\u1b7d\u1b7e\u2e53\u2e54\U00010f55\U00010f56"
    "\U00010f57\U00010f58\U00010f59\U00010f86\U00010f87\U00010f88\U00010f89\U00011944\U00011946\U00011ef7\U00011ef8"
    "\U00011f43\U00011f44\U00016e98"
)


def token_sentence_counts(texts: pa.StringArray, words: WordSource) -> NDArray[np.int64]:
    """Sentences of the lines of each text together, over the tokens that `words` gives; a null text has none."""
    data, offsets = utf8(texts)
    marks = np.array(sorted(map(ord, set(SENTENCE_TERMINALS) - set(_NO_MARKS))), np.int32)
    scratch = _Scratch(
        scratch_words(offsets), scratch_lines(offsets), scratch_words(offsets, room(words, offsets)), marks
    )
    counts = np.zeros(len(texts), np.int64)
    _rows(data, offsets, char_table(), words, scratch, counts)
    return counts


class _Scratch(NamedTuple):
    words: Words
    lines: Lines
    others: Words
    marks: Int32s


@compiled
def _rows(
    data: Bytes, offsets: Offsets, table: CharTable, source: WordSource, room: _Scratch, counts: NDArray[np.int64]
) -> None:
    for row in range(offsets.size - 1):
        text = text_bytes(data, offsets, row)
        num, num_lines = scan(text, table, False, room.words, room.lines)
        tokens, num = words_of(text, row, table, source, room.words, num, room.others)
        first = 0
        for line in range(num_lines):
            beyond = first
            while beyond < num and tokens.start[beyond] < room.lines.end[line]:
                beyond += 1
            counts[row] += _sentences(text, tokens, first, beyond, room.marks)
            first = beyond


@borrowing
def _sentences(text: Bytes, tokens: Words, first: Int, beyond: Int, marks: Int32s) -> Int:
    count, ended = np.int64(beyond > first), False
    for i in range(first, beyond):
        point, width = code_point(text, tokens.start[i], tokens.end[i])
        is_mark = width == tokens.end[i] - tokens.start[i] and is_among(point, marks)
        if ended and i > first and _blanks_between(text, tokens.end[i - 1], tokens.start[i]):
            count, ended = count + 1, False
        if is_mark:
            ended = True
        elif ended and tokens.flags[i] != PUNCTUATION:
            count, ended = count + 1, False
    return count


@borrowing
def _blanks_between(text: Bytes, end: Int, start: Int) -> Bool:
    """True for white space that is not one blank."""
    return start - end > 1 or (start - end == 1 and text[end] != _BLANK)
