"""The passages of a text, lines, paragraphs or sentences, and the hashes by which copies of them are found.

- **line**: what stands between "\\n", with its indentation, unless it is blank.
- **paragraph**: a run of lines without a blank one between them. (CCNet calls a line a paragraph; that is `line` here.)
- **sentence**: a sentence by `curate.kernels.sentences`, which never reaches over the end of a line.

What lies between two passages is white space. Passages are compared in a normal form, character by character:

- **none**: as they are.
- **whitespace**: every run of white space is one space, none at the ends.
- **ccnet**: the same in lower case, without accents, punctuation and control characters, every digit "0" (Wenzek et al.
  2020, section 3.1). Accents are U+0300 to U+036F, by themselves or in a canonical decomposition; vowel signs stay.
  cc_net's code (`normalize_for_dedup`, commit 1341eec) is narrower: it leaves accents and ASCII's punctuation.

A normal form is hashed to twice 64 bits by two independent functions, and two passages are equal if both hashes are: of
10**12 different passages any two are met as equal with a probability of 1.5e-15. It takes no pains against a text made
to collide.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, compiled
from curate.kernels.sentences import Ends, scratch_ends, sentence_ends
from curate.kernels.strip import stripped_start
from curate.kernels.unicode_tables import DIGIT, LETTER, MARK, NUMBER, PUNCTUATION, SPACE, CharTable, char_table
from curate.kernels.utf8 import Bytes, Int, Offsets, code_point, utf8

Unit = Literal["line", "paragraph", "sentence"]
Form = Literal["none", "whitespace", "ccnet"]
Hashes = NDArray[np.uint64]
Entries = NDArray[np.uint32]

_UNITS = {"line": 0, "paragraph": 1, "sentence": 2}
_LINE, _PARAGRAPH = 0, 1
_IGNORED, _SPACE, _LETTER = 0xFFFF_FFFF, 0xFFFF_FFFE, 1 << 31  # entries of a normal form; the last is a flag
_NO_UTF8 = 0x110000  # and the byte: bytes that are no UTF-8 stand for themselves
_LAST_LETTER = 0x323B0  # beyond it Unicode 16 has tags and variation selectors only

#: Passages of one text that are looked at; what follows stays as it is. A hundred novels have less.
MAX_PASSAGES = 1 << 20

# Columns of `Passages.spans`
START, END, BREAKS, CHARS = range(4)


class Passages(NamedTuple):
    """Passages of texts; those of text `i` are `first[i]` to `first[i + 1]`."""

    first: Offsets  # int64[num_texts + 1]
    #: int32[num_passages, 4]: START and END in the text's bytes, BREAKS: newlines between it and the passage before
    #: (or the text's beginning), CHARS: its characters
    spans: NDArray[np.int32]
    letters: NDArray[np.int32]  # letters, marks and digits of the normal form
    hashes: Hashes  # uint64[num_passages, 2]


def passages(texts: pa.Array, unit: Unit, form: Form) -> Passages:
    """The passages of a string column. A text that is null, empty or blank has none.

    >>> found = passages(pa.array(["One. Two.", "two!"]), "sentence", "ccnet")
    >>> found.spans[:, :2].tolist(), (found.hashes[1] == found.hashes[2]).all().item()
    ([[0, 4], [5, 9], [0, 4]], True)
    """
    data, offsets = utf8(texts)
    room = int(offsets[-1] - offsets[0]) // 2 + len(texts) + 1  # a passage has a byte, another parts it from the next
    spans = np.empty((room, 4), np.int32)
    first = _cut(data, offsets, _UNITS[unit], char_table(), scratch_ends(offsets), spans)
    spans = spans[: first[-1]]
    hashes, letters = _hashed(data, offsets, first, spans, entries(form))
    return Passages(first, spans, letters, hashes)


def windows(found: Passages, size: int, min_chars: int) -> tuple[NDArray[np.int64], Hashes]:
    """Runs of `size` passages of one text with at least `min_chars` letters and digits, and with at least one.

    The number of each one's first passage among all, ascending, and its hashes: uint64[num_windows, 2].
    """
    starts, hashes = _windows(found.first, found.letters, found.hashes, size, max(min_chars, 1))
    return starts, hashes


@cache
def entries(form: Form) -> Entries:
    """What each code point is in a normal form: uint32[0x110000], 4.4 MB, built once in a process.

    The code point that stands for it, with `_LETTER` where that is a letter, mark or digit; or `_SPACE`, or `_IGNORED`.
    """
    points = np.arange(0x110000)
    table = points.astype(np.uint32)
    chars = char_table()
    places = chars.blocks[points >> 7].astype(np.int64) << 7 | points & 127
    flags = chars.flags[places]
    is_letter = flags & (LETTER | MARK | NUMBER) != 0
    if form == "ccnet":
        table = (points + chars.lower[places]).astype(np.uint32)
        for point in range(_LAST_LETTER):
            base = _without_accents(point)
            if base is not None:
                table[point] = table[base]
        table[flags & DIGIT != 0] = ord("0")
        is_letter = is_letter[table]
        table[(flags & PUNCTUATION != 0) | _unseen(points)] = _IGNORED
    table[is_letter & (table != _IGNORED)] |= np.uint32(_LETTER)
    if form != "none":
        table[flags & SPACE != 0] = _SPACE
    table.flags.writeable = False
    return table


def _without_accents(point: int) -> int | None:
    """The base of a character that decomposes into it and accents, or that stands for it alone; else None."""
    if not unicodedata.decomposition(chr(point)):
        return None
    kept = [char for char in unicodedata.normalize("NFD", chr(point)) if not 0x0300 <= ord(char) <= 0x036F]
    return ord(kept[0]) if len(kept) == 1 else None


def _unseen(points: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Accents, variation selectors, control and format characters."""
    unseen: NDArray[np.bool_] = (points >= 0x0300) & (points <= 0x036F)
    unseen |= ((points >= 0xFE00) & (points < 0xFE10)) | ((points >= 0xE0000) & (points < 0xE01F0))
    unseen[[point for point in range(_LAST_LETTER) if unicodedata.category(chr(point)) in ("Cc", "Cf")]] = True
    return unseen


@compiled
def _cut(data: Bytes, offsets: Offsets, unit: Int, table: CharTable, ends: Ends, spans: NDArray[np.int32]) -> Offsets:
    """Fill START, END and BREAKS of `spans`; where each text's begin."""
    first = np.zeros(offsets.size, np.int64)
    for row in range(offsets.size - 1):
        text = data[offsets[row] : offsets[row + 1]]
        first[row + 1] = _cut_text(text, unit, table, ends, spans, first[row])
    return first


@borrowing
def _cut_text(text: Bytes, unit: Int, table: CharTable, ends: Ends, spans: NDArray[np.int32], num: Int) -> Int:
    """Write the passages of a text from `num` on; how many there are then."""
    start, breaks, open_, limit = 0, 0, False, num + MAX_PASSAGES
    while start < text.size and num < limit:
        end = start
        while end < text.size and text[end] != 10:
            end += 1
        at = stripped_start(text, start, end, table)
        if at == end:
            open_ = False
        elif unit == _PARAGRAPH and open_:
            spans[num - 1, END] = end
            breaks = 0
        elif unit in (_LINE, _PARAGRAPH):
            spans[num, START], spans[num, END], spans[num, BREAKS] = start, end, breaks
            num, breaks, open_ = num + 1, 0, True
        else:
            found = sentence_ends(text, at, end, table, ends)
            for i in range(min(found, limit - num)):
                spans[num, START], spans[num, END], spans[num, BREAKS] = at, ends[i], breaks
                num, breaks = num + 1, 0
                at = stripped_start(text, ends[i], end, table)
        breaks += 1
        start = end + 1
    return num


@compiled
def _hashed(
    data: Bytes, offsets: Offsets, first: Offsets, spans: NDArray[np.int32], table: Entries
) -> tuple[Hashes, NDArray[np.int32]]:
    """Hashes and letters of the normal form; fills CHARS."""
    hashes, letters = np.empty((len(spans), 2), np.uint64), np.empty(len(spans), np.int32)
    for row in range(offsets.size - 1):
        text = data[offsets[row] : offsets[row + 1]]
        for i in range(first[row], first[row + 1]):
            a, b, num_letters, chars = _hash(text, spans[i, START], spans[i, END], table)
            hashes[i, 0], hashes[i, 1] = a, b
            letters[i], spans[i, CHARS] = num_letters, chars
    return hashes, letters


@borrowing
def _hash(text: Bytes, at: Int, end: Int, table: Entries) -> tuple[Int, Int, Int, Int]:
    """Both hashes of the normal form of `text[at:end]`, its letters, and the characters of the passage."""
    ignored, space, letter = np.uint32(_IGNORED), np.uint32(_SPACE), np.uint32(_LETTER)
    a, b = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
    chars, letters, begun, pending = 0, 0, False, False
    while at < end:
        point: Int = np.int64(text[at])
        width = 1
        if point >= 0x80:
            point, width = code_point(text, at, end)
        at += width
        chars += 1
        entry: Int = table[point]
        if point >= 0x80 and width == 1:
            entry = np.uint32(_NO_UTF8 | text[at - 1])
        if entry == ignored:
            continue
        if entry == space:
            pending = begun
            continue
        if pending:
            a, b = _mixed(a, b, np.uint64(32))
        a, b = _mixed(a, b, np.uint64(entry))
        letters += entry >= letter
        begun, pending = True, False
    return _final(a), _final(b), letters, chars


@borrowing
def _mixed(a: np.uint64, b: np.uint64, entry: np.uint64) -> tuple[Int, Int]:
    """Both hashes with one more number in them."""
    a = (a ^ entry) * np.uint64(0xD6E8FEB86659FD93)
    b = (b + entry) * np.uint64(0x9FB21C651E98DF25)
    return a ^ (a >> np.uint64(29)), b ^ (b >> np.uint64(32))


@borrowing
def _final(h: np.uint64) -> Int:
    """The finaliser of MurmurHash3: every input bit reaches every output bit."""
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xFF51AFD7ED558CCD)
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xC4CEB9FE1A85EC53)
    return h ^ (h >> np.uint64(33))


@compiled
def _windows(
    first: Offsets, letters: NDArray[np.int32], hashes: Hashes, size: int, min_chars: int
) -> tuple[NDArray[np.int64], Hashes]:
    starts, out, num = np.empty(len(hashes), np.int64), np.empty((len(hashes), 2), np.uint64), 0
    for row in range(first.size - 1):
        for start in range(first[row], first[row + 1] - size + 1):
            a, b, chars = np.uint64(size), np.uint64(size), 0
            for i in range(start, start + size):
                a, _ = _mixed(a, b, hashes[i, 0])
                _, b = _mixed(a, b, hashes[i, 1])
                chars += letters[i]
            if chars >= min_chars:
                starts[num], out[num, 0], out[num, 1] = start, _final(a), _final(b)
                num += 1
    return starts[:num].copy(), out[:num].copy()
