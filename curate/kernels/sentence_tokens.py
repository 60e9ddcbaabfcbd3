"""Texts as a language model reads them: sentences in a normal form, their tokens parted by one space.

The normal form is cc_net's (`text_normalizer.normalize`, commit 1341eec), each part of it a switch: lower case; accents
off, which is every mark of category Mn after canonical decomposition, vowel signs of Indic and Arabic scripts with
them; every digit "0"; 34 marks of punctuation beyond ASCII as ASCII. Control characters go. What differs: white space
of any kind is a space, a byte that is no UTF-8 is U+FFFD, and Hangul stays composed. A full-width 1 is '"' in cc_net,
by a slip in its table, and "0" here as there: digits come first.

Tokens are cut in one of four ways: `LINES` cuts none, `SPACES` and `CHARACTERS` say it, `WORDS` takes runs of letters,
marks, digits and underscores with an apostrophe or a dot within, a letter of a script without spaces alone, and every
other character alone, punctuation too. So "<s>" in a text is three tokens, never the model's own.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, compiled
from curate.kernels.unicode_tables import (
    DIGIT,
    LETTER,
    LOWER,
    MARK,
    NUMBER,
    SPACE,
    SPACELESS,
    UPPER,
    CharTable,
    char_table,
)
from curate.kernels.utf8 import Bool, Bytes, Int, Offsets, code_point

LINES, SPACES, CHARACTERS, WORDS = range(4)
BY_LINE, WHOLE, GLUED = range(3)  # what a line end is: the end of a sentence, a space, nothing

_LF, _BLANK, _IGNORED, _POOLED = 10, 32, 0xFFFF_FFFF, 1 << 31
_SIGMA, _FINAL_SIGMA = 0x3A3, 0x3C2
_WORD = LETTER | MARK | NUMBER | DIGIT
_GROWTH = 4  # bytes that a byte can become, at most; a byte that is no UTF-8 becomes three and a space

#: cc_net's UNICODE_PUNCT: each left character becomes what stands beside it.
_PUNCTUATION = {
    **dict.fromkeys("„”“«»」「《》", '"'),
    **dict.fromkeys("´’", "'"),
    **dict.fromkeys("∶：", ":"),
    **dict.fromkeys("，、", ","),
    **dict.fromkeys("–━►", "-"),
    **dict(zip("。？！（）；～〈〉【】％", ".?!();~<>[]%", strict=True)),
    "—": " - ",
    "．": ". ",
    "…": "...",
}


class NormalForm(NamedTuple):
    """What each code point becomes: nothing, a code point, or a string of `pool`."""

    entries: NDArray[np.uint32]  # uint32[0x110000]; with `_POOLED`: where the string begins, times 16, and its bytes
    pool: Bytes


@lru_cache(maxsize=32)
def normal_form(
    lower_case: bool, strip_accents: bool, zero_digits: bool, ascii_punctuation: bool, line_end: int
) -> NormalForm:
    """The table of a normal form, 4.4 MB, built once in a process. line_end: `BY_LINE`, `WHOLE` or `GLUED`."""
    points, table = np.arange(0x110000), char_table()
    flags = table.flags[table.blocks[points >> 7].astype(np.int64) << 7 | points & 127]
    entries, pool = points.astype(np.uint32), bytearray()
    # Beyond U+323AF nothing has a case or a decomposition; Hangul would come back as it is.
    for point in [*range(0xAC00), *range(0xD7A4, 0xD800), *range(0xE000, 0x323B0)]:
        char = _becomes(chr(point), lower_case, strip_accents, ascii_punctuation)
        if len(char) == 1:
            entries[point] = ord(char)
        elif not char:
            entries[point] = _IGNORED
        else:
            entries[point] = _POOLED | len(pool) << 4 | len(char.encode())
            pool += char.encode()
    if strip_accents:
        entries[0xE0100:0xE01F0] = _IGNORED  # variation selectors, the only marks beyond
    if zero_digits:
        entries[flags & DIGIT != 0] = ord("0")
    entries[flags & SPACE != 0] = _BLANK
    control = (points < 32) | ((points >= 127) & (points < 160))
    entries[control & ((flags & SPACE == 0) | (line_end == GLUED))] = _IGNORED
    if line_end == BY_LINE:
        entries[_LF] = _LF
    entries.flags.writeable = False
    return NormalForm(entries, np.frombuffer(bytes(pool) + b"\0", np.uint8))


def _becomes(char: str, lower_case: bool, strip_accents: bool, ascii_punctuation: bool) -> str:
    if lower_case:
        char = char.lower()
    if strip_accents:
        bare = "".join(c for c in unicodedata.normalize("NFD", char) if unicodedata.category(c) != "Mn")
        char = unicodedata.normalize("NFC", bare)
    return "".join(_PUNCTUATION.get(c, c) for c in char) if ascii_punctuation else char


def scratch(offsets: Offsets, max_bytes: int) -> Bytes:
    """Room for one text in normal form."""
    return np.empty(_GROWTH * min(int(np.diff(offsets).max(initial=0)), max_bytes) + 16, np.uint8)


@compiled
def sentences(
    data: Bytes,
    offsets: Offsets,
    max_bytes: int,
    form: NormalForm,
    table: CharTable,
    cut: int,
    breaks: Offsets,
    first_break: Offsets,
    text: Bytes,
) -> tuple[Offsets, Bytes, Offsets, NDArray[np.int64]]:
    """The sentences of all texts: where each text's begin, their bytes, where these begin, and their tokens.

    breaks: byte positions within text i, ascending, at which a token ends whatever stands there, are those from
    first_break[i] to first_break[i + 1]. text: of `scratch`. A sentence without a token is left out.
    """
    num_rows, room, lines = offsets.size - 1, 64, 16
    for row in range(num_rows):
        room += min(offsets[row + 1] - offsets[row], max_bytes)
    out, ends, counts = np.empty(room + room // 2, np.uint8), np.zeros(lines, np.int64), np.zeros(lines, np.int64)
    first, num, at = np.zeros(num_rows + 1, np.int64), 0, 0
    for row in range(num_rows):
        end = offsets[row + 1]
        if end - offsets[row] > max_bytes:
            end = _boundary(data, offsets[row], offsets[row] + max_bytes)
        size = _normalize(data, offsets[row], end, form, table, breaks[first_break[row] : first_break[row + 1]], text)
        start = 0
        while start < size:
            stop = start
            while stop < size and text[stop] != _LF:
                stop += 1
            if at + 2 * (stop - start) + 2 > out.size:
                out = _grown(out, at, at + 2 * (stop - start) + 2)
            if num + 2 > ends.size:
                ends, counts = _longer(ends), _longer(counts)
            to, count = _cut(text, start, stop, table, cut, out, at)
            if count:
                num, at = num + 1, to
                ends[num], counts[num - 1] = at, count
            start = stop + 1
        first[row + 1] = num
    return first, out[:at].copy(), ends[: num + 1].copy(), counts[:num].copy()


@compiled
def _grown(out: Bytes, used: int, needed: int) -> Bytes:
    larger = np.empty(max(needed, 2 * out.size), np.uint8)
    larger[:used] = out[:used]
    return larger


@compiled
def _longer(numbers: Offsets) -> Offsets:
    larger = np.zeros(2 * numbers.size, np.int64)
    larger[: numbers.size] = numbers
    return larger


@borrowing
def _boundary(data: Bytes, start: Int, end: Int) -> Int:
    """`end`, or the beginning of the character that it would cut. There is a byte at `end`."""
    back = end
    while back > start and end - back < 4 and data[back] & 0xC0 == 0x80:
        back -= 1
    return back if end - back < 4 else end


@borrowing
def _normalize(
    data: Bytes,
    start: Int,
    end: Int,
    form: NormalForm,
    table: CharTable,
    breaks: Offsets,
    text: Bytes,
) -> Int:
    """Write a text in normal form, sentences parted by a newline, with a space at each break; how many bytes."""
    entries, pool = form
    at, next_break = start, 0
    size: Int = 0
    before: Int = np.int64(_BLANK)
    while at < end:
        while next_break < breaks.size and start + breaks[next_break] <= at:
            text[size] = _BLANK
            size, next_break = size + 1, next_break + 1
        ran = at
        while at < end and data[at] < 0x80 and next_break == breaks.size and entries[data[at]] < np.uint32(0x80):
            text[size] = entries[data[at]]
            at, size = at + 1, size + 1
        if at > ran:
            before = np.int64(data[at - 1])
        if at >= end:
            break
        point: Int = np.int64(data[at])
        width = 1
        if point >= 0x80:
            point, width = code_point(data, at, end)
        at += width
        entry: Int = entries[point]
        if entry < np.uint32(0x80):
            text[size] = entry
            size += 1
        elif entry < np.uint32(_POOLED):
            if point == _SIGMA and entry != np.uint32(_SIGMA) and _ends_word(data, at, end, before, table):
                entry = np.uint32(_FINAL_SIGMA)
            size = _put(text, size, np.int64(entry))
        elif entry != np.uint32(_IGNORED):
            place = np.int64(entry & np.uint32(_POOLED - 1))
            for i in range(place & 15):
                text[size + i] = pool[(place >> 4) + i]
            size += place & 15
        before = point
    return size


@borrowing
def _ends_word(data: Bytes, at: Int, end: Int, before: Int, table: CharTable) -> bool:
    """Whether a capital sigma at the end of a word stands before `at`: a letter with a case before it, none behind."""
    if not _flags(table, before) & (UPPER | LOWER):
        return False
    return at >= end or not _flags(table, code_point(data, at, end)[0]) & (UPPER | LOWER)


@borrowing
def _flags(table: CharTable, point: Int) -> Int:
    return np.int64(table.flags[np.int64(table.blocks[point >> 7]) << 7 | point & 127])


@borrowing
def _put(text: Bytes, at: Int, point: Int) -> Int:
    """Write a code point of two bytes or more as UTF-8; where it ends."""
    following = 0 if point < 0x80 else 1 if point < 0x800 else 2 if point < 0x10000 else 3
    text[at] = point if following == 0 else (0x0F00 >> following + 1 & 0xF0) | point >> 6 * following
    for i in range(1, following + 1):
        text[at + i] = 0x80 | (point >> 6 * (following - i) & 0x3F)
    return at + following + 1


@borrowing
def _cut(text: Bytes, start: Int, end: Int, table: CharTable, cut: Int, out: Bytes, at: Int) -> tuple[Int, Int]:
    """Write the tokens of a sentence from `at` on, one space between two; where they end, and how many."""
    begun, open_ = at, False  # open_: a further character may belong to the token
    count: Int = 0
    before: Int = np.int64(0)
    here = start
    while here < end:
        point: Int = np.int64(text[here])
        width = 1
        if point >= 0x80:
            point, width = code_point(text, here, end)
        if point == _BLANK:
            open_ = False
            if cut == LINES and at > begun:
                out[at] = _BLANK
                at += 1
            here += width
            continue
        flags: Int = np.int64(0)
        joins: Bool = open_ or cut == LINES
        if cut == CHARACTERS:
            joins = open_ and _flags(table, point) & MARK != 0
        elif cut == WORDS:
            flags = _flags(table, point)
            joins = open_ and _joins(text, here + width, end, table, point, flags, before)
        if not joins:
            if at > begun:
                out[at] = _BLANK
                at += 1
            count += 1
        for i in range(width):
            out[at + i] = text[here + i]
        at += width
        here += width
        open_ = cut != WORDS or flags & _WORD != 0 or point == 0x5F or joins
        before = flags if flags & _WORD or not joins else before
        if cut == WORDS and flags & LETTER and not flags & SPACELESS:
            while here < end and 97 <= text[here] | 0x20 <= 122:  # a letter of ASCII
                out[at] = text[here]
                at, here = at + 1, here + 1
    if cut == LINES:
        while at > begun and out[at - 1] == _BLANK:
            at -= 1
        count = np.int64(at > begun)
    return at, count


@borrowing
def _joins(text: Bytes, after: Int, end: Int, table: CharTable, point: Int, flags: Int, before: Int) -> Bool:
    """Whether a character goes on with the word that is open; `before` are the flags of the last of its letters."""
    if flags & MARK or point == 0x5F:
        return True
    if flags & _WORD:
        return not (flags | before) & SPACELESS
    if after >= end:
        return False
    following: Int = np.int64(0)
    if point in (0x27, 0x2E, 0x2019):  # an apostrophe and a dot between letters; those and a comma between digits
        following = _flags(table, code_point(text, after, end)[0])
    elif point == 0x2C and before & DIGIT:
        following = _flags(table, code_point(text, after, end)[0]) & DIGIT
    if following & SPACELESS or before & SPACELESS:
        return False
    return (following & LETTER and before & LETTER) != 0 or (following & DIGIT and before & DIGIT) != 0
