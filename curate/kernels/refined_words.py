"""The words of a text as BigScience's filters and Data-Juicer compare them: in lower case, without special characters
at their ends.

Words stand between " ", "\\n" and "\\t" alone. Lower case is Unicode's simple one, character by character; both
toolkits use `str.lower`, which makes "İ" two characters and a Greek word's last sigma "ς".
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from curate.kernels.char_classes import ClassTable
from curate.kernels.compiled import compiled
from curate.kernels.scan import FACTOR, SEED, SHIFT, Words, longest, lower_of, scratch_words
from curate.kernels.unicode_tables import CharTable
from curate.kernels.utf8 import Bool, Bytes, Int, Offsets, code_point


class Refined(NamedTuple):
    """Room for the words of one text."""

    text: Bytes  # the words, one after the other
    words: Words  # where they lie in `text`; flags are not filled


def scratch_refined(offsets: Offsets) -> Refined:
    """Room for any of the texts."""
    # Lower case takes at most half as much again ("Ⱥ" is 2 bytes, "ⱥ" 3).
    return Refined(np.empty(longest(offsets) * 3 // 2 + 4, np.uint8), scratch_words(offsets))


@compiled
def is_separator(byte: Int) -> Bool:
    """What words stand between."""
    return byte in (0x20, 0x0A, 0x09)


@compiled
def refine(text: Bytes, table: CharTable, classes: ClassTable, special: int, out: Refined) -> tuple[int, int]:
    """Fill `out` with the words; `special` is the bit of special characters in `classes`.

    How many words there are, and how many if special characters are looked for before lower case is taken: two, "Г"
    and "Ⓜ", are special as capitals only.
    """
    refined, words = out.text, out.words
    num = num_before = beyond = at = 0
    while at < text.size:
        if is_separator(text[at]):
            at += 1
            continue
        start, begun, filled, key = beyond, False, False, SEED
        put = end = start
        chars = end_chars = 0
        end_key = SEED
        while at < text.size and not is_separator(text[at]):
            byte = np.int64(text[at])
            if byte < 0x80:
                point, width, lower = byte, 1, np.int64(table.lower[byte]) + byte
            else:
                point, width = code_point(text, at, text.size)
                lower = lower_of(table, point)
            filled |= not classes[point] & special
            plain = not classes[lower] & special
            begun |= plain
            if begun:
                if byte < 0x80:
                    refined[put] = lower
                    put += 1
                elif lower == point:  # bytes that are no UTF-8 too
                    for i in range(at, at + width):
                        refined[put] = text[i]
                        put += 1
                else:
                    put = write_point(refined, put, lower)
                chars, key = chars + 1, (key ^ np.uint64(lower)) * FACTOR
                if plain:
                    end, end_chars, end_key = put, chars, key
            at += width
        num_before += filled
        if end > start:
            words.start[num], words.end[num], words.chars[num] = start, end, end_chars
            words.key[num] = end_key ^ (end_key >> SHIFT)
            num, beyond = num + 1, end
    return num, num_before


@compiled
def write_point(out: Bytes, at: Int, point: Int) -> Int:
    """Write a code point as UTF-8; where it ends."""
    if point < 0x80:
        out[at] = point
        return at + 1
    following = 1 if point < 0x800 else 2 if point < 0x10000 else 3
    out[at] = (0x0F00 >> following + 1 & 0xF0) | point >> 6 * following
    for i in range(1, following + 1):
        out[at + i] = 0x80 | (point >> 6 * (following - i) & 0x3F)
    return at + following + 1
