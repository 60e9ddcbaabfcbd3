"""Word and line statistics behind the Gopher quality rules.

Source: Rae et al. 2021 (Gopher), A1.1, which leaves open what exactly is counted; toolkits count differently.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, compiled
from curate.kernels.line_ends import begins_with_any, ends_in_ellipsis, is_among
from curate.kernels.ngram_shares import DATATROVE, DCLM, DOLMA, PAPER
from curate.kernels.repetition import NUMBERS, Counting
from curate.kernels.scan import Int32s, Lines, Words, flags_of, scan, scratch_lines, scratch_words, text_bytes
from curate.kernels.signals import signal_struct
from curate.kernels.stop_words import (
    AS_IT_IS,
    BARE_LOWER,
    LOWER,
    StopWords,
    count_stop_words,
    stop_word_table,
)
from curate.kernels.unicode_tables import LETTER, MARK, NUMBER, PUNCTUATION, CharTable, char_table
from curate.kernels.utf8 import Bytes, Int, Offsets, code_point, utf8
from curate.kernels.words import WordSource, room, spaces, words_of

SIGNALS = pa.struct(
    [
        pa.field("word_count", pa.int32()),
        pa.field("mean_word_length", pa.float64()),
        pa.field("median_word_length", pa.float64()),
        pa.field("hash_symbol_frac", pa.float64()),
        pa.field("ellipsis_symbol_frac", pa.float64()),
        pa.field("symbol_word_ratio", pa.float64()),
        pa.field("bullet_line_frac", pa.float64()),
        pa.field("ellipsis_line_frac", pa.float64()),
        pa.field("alphabetic_word_frac", pa.float64()),
        pa.field("stop_word_count", pa.int32()),
    ]
)
#: Code points that make no word for datatrove's count of words (`utils/text.py`, PUNCTUATION), beside control codes.
SYMBOLS = "!/—”:％１〈&(、━\\【#%「」，】；+^]~“《„';’{|∶´[=-`*．（–？！：$～«〉,><》)?）。…@_.\"}►»"

ONE, TWO = np.uint64(1), np.uint64(2)
_MAX_MEDIAN = 1024  # characters; a longer median is said to be this


def word_stats(
    texts: pa.StringArray,
    *,
    stop_words: Sequence[str],
    bullets: str,
    counting: Counting = "paper",
    words: WordSource | None = None,
) -> pa.StructArray:
    """`SIGNALS` of each text. Null text: null fields; no words: 0 everywhere.

    A text of more than `scan.MAX_BYTES` is measured by its first so many. `words`: between spaces if None.

    - `word_count`: words. datatrove: without those of symbols alone; DCLM: those that begin with a letter or number.
    - `mean_word_length`: characters for each word, punctuation that sticks to it included (datatrove: of the words that
      it counts). `median_word_length`: Dolma's, null for others.
    - `hash_symbol_frac`: "#" for each word; `ellipsis_symbol_frac`: "..." (three at a time) and "…" for each word.
      `symbol_word_ratio`: both together; DCLM: and ". . ."; Dolma: words that hold "#" or "…". They may pass 1.
    - `bullet_line_frac`: lines that begin with one of `bullets`; `ellipsis_line_frac`: lines that end in "..." or "…"
      (DCLM: ". . ." too; Dolma: "…" alone). Lines are stripped and blank ones left out; datatrove: lines of
      `str.splitlines` with blank ones, stripped; Dolma: between "\\n" with empty ones, not stripped.
    - `alphabetic_word_frac`: words with at least one letter.
    - `stop_word_count`: how many different `stop_words` occur, in lower case and without punctuation at their ends.
      datatrove: different ones, as they stand. Dolma: occurrences, as they stand. DCLM: occurrences, in lower case.
    """
    data, offsets = utf8(texts)
    source = words or spaces()
    settings = _Settings(
        NUMBERS[counting],
        np.array(sorted({ord(char) for char in bullets}), np.int32),
        stop_word_table([word.lower() for word in stop_words] if counting in ("paper", "dclm") else stop_words),
        np.array(sorted({*map(ord, SYMBOLS), *range(32), *range(127, 160)} - {9, 10, 32}), np.int32),
    )
    out = np.zeros((len(SIGNALS), len(texts)))
    room = _scratch(source, offsets, len(settings.stop_words.key))
    _rows(data, offsets, char_table(), settings, source, room, out)
    if counting != "dolma":
        out[2] = np.nan
    columns = [column.astype(np.int64) if i in (0, 9) else column for i, column in enumerate(out)]
    return signal_struct(SIGNALS, dict(zip(SIGNALS.names, columns, strict=True)), texts)


class _Settings(NamedTuple):
    counting: int
    bullets: Int32s
    stop_words: StopWords
    symbols: Int32s


class _Scratch(NamedTuple):
    words: Words
    lines: Lines
    others: Words  # words that `scan` does not find
    lengths: Int32s  # how many words have so many characters
    seen: NDArray[np.bool_]  # stop words


def _scratch(source: WordSource, offsets: Offsets, num_stop_words: int) -> _Scratch:
    others = scratch_words(offsets, room(source, offsets))
    lengths, seen = np.zeros(_MAX_MEDIAN + 1, np.int32), np.zeros(num_stop_words, np.bool_)
    return _Scratch(scratch_words(offsets), scratch_lines(offsets), others, lengths, seen)


@compiled
def _rows(
    data: Bytes,
    offsets: Offsets,
    table: CharTable,
    settings: _Settings,
    source: WordSource,
    room: _Scratch,
    out: NDArray[np.float64],
) -> None:
    counting = settings.counting
    for row in range(offsets.size - 1):
        text = text_bytes(data, offsets, row)
        num_scanned, num_lines = scan(text, table, counting == DATATROVE, room.words, room.lines)
        words, num = words_of(text, row, table, source, room.words, num_scanned, room.others)
        hashes, ellipses, holders = _symbols(text, room.words, num_scanned, counting)
        bullets, ends, num_lines = _lines(text, room.lines, num_lines, settings)
        counted, chars, alphabetic = _words(text, table, words, num, settings)
        whole = max(num, 1)
        out[0, row] = counted
        out[1, row] = chars / max(counted if counting == DATATROVE else num, 1)
        if counting == DOLMA:
            out[2, row] = _median_length(words, num, room.lengths)
        out[3, row], out[4, row] = hashes / whole, ellipses / whole
        out[5, row] = (holders if counting == DOLMA else hashes + ellipses) / whole
        out[6, row], out[7, row] = bullets / max(num_lines, 1), ends / max(num_lines, 1)
        out[8, row] = alphabetic / whole
        form = BARE_LOWER if counting == PAPER else LOWER if counting == DCLM else AS_IT_IS
        different = counting in (PAPER, DATATROVE)
        out[9, row] = count_stop_words(text, table, words, num, settings.stop_words, form, different, room.seen)


@borrowing
def _words(text: Bytes, table: CharTable, words: Words, num: int, settings: _Settings) -> tuple[int, Int, int]:
    """Words that count, the characters of those that the mean is of, and words with a letter."""
    counted, chars, alphabetic = 0, np.int64(0), 0
    for i in range(num):
        flags = words.flags[i]
        alphabetic += flags & LETTER != 0
        counts = True
        if settings.counting == DATATROVE:
            counts = flags & (LETTER | MARK) != 0 or not _all_symbols(text, words.start[i], words.end[i], settings)
        elif settings.counting == DCLM:
            point, _ = code_point(text, words.start[i], words.end[i])
            counts = flags_of(table, point) & (LETTER | NUMBER) != 0
        counted += counts
        if counts or settings.counting != DATATROVE:
            chars += words.chars[i]
    return counted, chars, alphabetic


@borrowing
def _all_symbols(text: Bytes, at: int, end: int, settings: _Settings) -> bool:
    while at < end:
        point, width = code_point(text, at, end)
        if not is_among(point, settings.symbols):
            return False
        at += width
    return True


@borrowing
def _symbols(text: Bytes, words: Words, num: int, counting: int) -> tuple[int, int, int]:
    """ "#", ellipses, and words that hold "#" or "…"."""
    hashes = ellipses = holders = 0
    for i in range(num):
        if not words.flags[i] & PUNCTUATION:
            continue
        dots, holds = 0, False
        at, end = np.uint64(words.start[i]), np.uint64(words.end[i])  # unsigned: see `scan`
        while at < end:
            byte = text[at]
            dots = dots + 1 if byte == 0x2E else 0
            if dots == 3:
                ellipses, dots = ellipses + 1, 0
            elif byte == 0x23:
                hashes, holds = hashes + 1, True
            elif byte == 0xA6 and at >= TWO and text[at - ONE] == 0x80 and text[at - TWO] == 0xE2:
                ellipses, holds = ellipses + 1, True
            at += ONE
        holders += holds
    if counting == DCLM:
        ellipses += _spaced_ellipses(text)
    return hashes, ellipses, holders


@borrowing
def _spaced_ellipses(text: Bytes) -> int:
    """How often ". . ." occurs, without overlap."""
    found = at = 0
    while at + 4 < text.size:
        if text[at] == text[at + 2] == text[at + 4] == 0x2E and text[at + 1] == text[at + 3] == 0x20:
            found, at = found + 1, at + 5
        else:
            at += 1
    return found


@borrowing
def _lines(text: Bytes, lines: Lines, num_lines: int, settings: _Settings) -> tuple[int, int, int]:
    """Lines that begin with a bullet, that end in an ellipsis, and all lines."""
    bullets = ends = whole = 0
    counting = settings.counting
    for i in range(num_lines):
        start, end = lines.text_start[i], lines.text_end[i]
        if counting == DOLMA:
            start, end = lines.start[i], lines.end[i]
        if start == end and counting in (PAPER, DCLM):
            continue
        whole += 1
        bullets += begins_with_any(text, start, end, settings.bullets)
        ends += ends_in_ellipsis(text, start, end, counting != DOLMA, counting == DCLM)
    return bullets, ends, whole


@borrowing
def _median_length(words: Words, num: int, lengths: Int32s) -> float:
    lengths[:] = 0
    for i in range(num):
        lengths[min(words.chars[i], _MAX_MEDIAN)] += 1
    low = high = -1
    passed = 0
    for length in range(lengths.size):
        passed += lengths[length]
        if low < 0 and passed >= (num + 1) // 2:
            low = length
        if passed >= num // 2 + 1:
            high = length
            break
    return 0.0 if num == 0 else (low + high) / 2
