"""A text as entries of lists are compared with it: in lower case, and with what each character is.

Lower case is Unicode's simple one, character by character. Two differ from `str.lower`: final sigma is sigma, so that
a word in capitals is found too, and "İ" is "i". Both sides of a comparison are folded, so this only adds matches. "I"
is "i" in Turkish too, so a word with "ı" is not found in capitals.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.compiled import compiled
from curate.kernels.unicode_tables import DIGIT, LETTER, MARK, NUMBER, SPACE, char_table
from curate.kernels.utf8 import Bytes, Offsets, code_point, utf8

#: What stands inside a word, beside "_": what Python's `\w` matches, or those and combining marks.
PYTHON_WORD = LETTER | NUMBER | DIGIT
WORD = PYTHON_WORD | MARK
ANYTHING = -1  # but white space

#: In `Folded.kind`: flags. A byte that is no UTF-8 has none.
IN_WORD, IN_SPACE, CONTINUED = 1, 2, 4

_FINAL_SIGMA, _SIGMA, _DOTTED_I, _SMALL_I = 0x3C2, 0x3C3, 0x130, 0x69


class Letters(NamedTuple):
    """What to make of each character. For the place of a code point see `unicode_tables`.

    A kind is looked up, not computed of flags: which characters end a word no processor predicts (80 MB/s).
    """

    blocks: NDArray[np.uint16]
    kind: Bytes
    lower: NDArray[np.int32]  # what to add to a code point


@cache
def letters(word: int = PYTHON_WORD, underscore: bool = True) -> Letters:
    """Characters with one of these flags of `unicode_tables`, or `ANYTHING`, are parts of words, and perhaps "_"."""
    table = char_table()
    part = table.flags & SPACE == 0 if word == ANYTHING else table.flags & word != 0
    kind = np.where(part, IN_WORD, 0) | np.where(table.flags & SPACE, IN_SPACE, 0)
    kind[ord("_")] = IN_WORD if underscore else 0
    lower = table.lower.copy()
    for point, folded_to in ((_FINAL_SIGMA, _SIGMA), (_DOTTED_I, _SMALL_I)):
        lower[int(table.blocks[point >> 7]) << 7 | point & 127] = folded_to - point
    return Letters(table.blocks, kind.astype(np.uint8), lower)


class Folded(NamedTuple):
    """Room for one folded text and what is found in it. Only the first so many places are filled."""

    text: Bytes
    kind: Bytes  # of the character that a byte belongs to; CONTINUED where that began before
    longest: NDArray[np.int32]  # bytes of the longest match that ends before a byte; all 0 between two texts


def room(num_bytes: int) -> Folded:
    """Room for a text of so many bytes. Lower case takes at most half as much again ("Ⱥ" is 2 bytes, "ⱥ" 3)."""
    size = num_bytes * 3 // 2 + 1
    return Folded(np.empty(size, np.uint8), np.empty(size, np.uint8), np.zeros(size, np.int32))


def folded(strings: pa.Array) -> pa.LargeStringArray:
    """The strings in lower case; null becomes ""."""
    data, offsets = utf8(strings)
    lower, ends = _fold_all(data, offsets, letters(), room(int(np.diff(offsets).max(initial=0))))
    return pa.LargeStringArray.from_buffers(len(strings), pa.py_buffer(ends), pa.py_buffer(lower))


@compiled
def fold(source: Bytes, letters: Letters, into: Folded) -> int:
    """Fill `text` and `kind` of `into`, and return how many bytes there are. Bytes that are no UTF-8 stay."""
    blocks, kinds, shifts = letters
    text, kind = into.text, into.kind
    at = size = 0
    while at < source.size:
        byte = np.int64(source[at])
        if byte < 128:
            text[size], kind[size] = byte + shifts[byte], kinds[byte]
            at, size = at + 1, size + 1
            continue
        point, width = code_point(source, at, source.size)
        if width == 1:
            text[size], kind[size] = byte, 0
            at, size = at + 1, size + 1
            continue
        place = np.int64(blocks[point >> 7]) << 7 | point & 127
        end = _write(text, size, point + np.int64(shifts[place]))
        for i in range(size, end):
            kind[i] = kinds[place] | CONTINUED * (i > size)
        at, size = at + width, end
    return size


@compiled
def _write(text: Bytes, at: int, point: int) -> int:
    """Write a code point as UTF-8; where it ends."""
    if point < 0x80:
        text[at] = point
        return at + 1
    num_following = 1 if point < 0x800 else 2 if point < 0x10000 else 3
    text[at] = (0x0F00 >> num_following + 1 & 0xF0) | point >> 6 * num_following
    for i in range(1, num_following + 1):
        text[at + i] = 0x80 | (point >> 6 * (num_following - i) & 0x3F)
    return at + num_following + 1


@compiled
def _fold_all(data: Bytes, offsets: Offsets, letters: Letters, into: Folded) -> tuple[Bytes, Offsets]:
    lower, ends = np.empty((offsets[-1] - offsets[0]) * 3 // 2 + 1, np.uint8), np.zeros(offsets.size, np.int64)
    for row in range(offsets.size - 1):
        size = fold(data[offsets[row] : offsets[row + 1]], letters, into)
        ends[row + 1] = ends[row] + size
        lower[ends[row] : ends[row + 1]] = into.text[:size]
    return lower, ends
