"""The rules of a tokenizer as flat arrays: what a character is, and strings listed with the tokens they fall into.

`curate.kernels.tokenizer_languages` fills them for a language; `affixes` and `rule_tokens` read them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing
from curate.kernels.recurrence import MIX
from curate.kernels.scan import FACTOR, SEED, SHIFT
from curate.kernels.utf8 import Bytes, Int, code_point

# What a character is to the rules.
ALPHA = 1 << 0  # a letter of the scripts that the rules know; their uncased letters are lower and upper, too
LOWER = 1 << 1
UPPER = 1 << 2
DIGIT = 1 << 3  # 0-9
PREFIX = 1 << 4  # comes off the front by itself
SUFFIX = 1 << 5  # comes off the end by itself
INFIX = 1 << 6  # may be cut out of the middle
ICON = 1 << 7  # is cut out wherever it stands: emoji and other symbols
QUOTE = 1 << 8
CURRENCY = 1 << 9
BEFORE_DOT = 1 << 10  # after it a full stop at the end comes off
COMBINING = 1 << 11  # U+0300-U+036F
GREEK = 1 << 12  # Greek as the rules for Greek list it
GREEK_CAPITAL = 1 << 13  # without accents
GREEK_HYPHENED = 1 << 14  # what the parts of a Greek word with hyphens are made of

# How languages differ beyond their characters.
POSSESSIVE = 1 << 0  # 's comes off
HYPHEN_AFTER_DIGIT = 1 << 1  # 3-day falls into 3 - day
STRESS_MARKS = 1 << 2  # a combining mark after a letter counts as the letter
POLISH = 1 << 3
GREEK_RULES = 1 << 4

# What a listed string is; it can be several.
SPECIAL = 1  # stands as listed where it is all that is left of a word
UNIT = 2  # comes off the end after a digit
JOINED = 4  # ends in a hyphen and comes off the front

Places = NDArray[np.int32]


class Affixes(NamedTuple):
    """What the rules over characters look at. Two arrays only: each costs time in every call that it is passed to."""

    classes: NDArray[np.uint16]  # `BLOCKS` numbers of blocks of 128 code points, then the class bits of each block
    lists: Places  # the places of `HEADER`, then the parts that they name


class TokenRules(NamedTuple):
    """The rules of one language. Kernels take them as an argument."""

    affixes: Affixes
    listed_bits: NDArray[np.uint8]  # bits, by the top of a key: whether any special case has such a key
    # Special cases that the other rules would cut: hash table by the keys of the tokens they would be.
    cut_keys: NDArray[np.uint64]
    cut_slots: Places
    cut_begins: NDArray[np.uint8]  # bits, by the keys of two tokens: whether any begins so
    max_cuts: int  # tokens of one such case


BLOCKS = 0x110000 >> 7

# Places in `Affixes.lists`: values, and where the parts begin.
STYLE, MAX_BYTES, MASK, SLOTS, BODIES_AT, KINDS, PARTS_AT, PARTS, BODIES = range(9)
HEADER = 9


@borrowing
def class_of(rules: Affixes, point: Int) -> Int:
    """The class bits of a code point; 0 for -1, which stands for no character."""
    if point < 0:
        return 0
    return np.int64(rules.classes[BLOCKS + (np.int64(rules.classes[point >> 7]) << 7 | point & 127)])


@borrowing
def point_at(text: Bytes, at: Int, end: Int) -> Int:
    """The code point at `at`, or -1 at the end."""
    if at >= end:
        return -1
    return code_point(text, at, end)[0]


@borrowing
def point_before(text: Bytes, begin: Int, at: Int) -> tuple[Int, Int]:
    """The code point that ends at `at` and where it begins, or -1 and `begin` where that is the beginning."""
    if at <= begin:
        return -1, begin
    start = at - 1
    if text[start] < 0x80:
        return np.int64(text[start]), start
    while start > begin and at - start < 4 and text[start] & 0xC0 == 0x80:
        start -= 1
    point, width = code_point(text, start, at)
    if start + width != at:  # not UTF-8, so the last byte stands alone
        return code_point(text, at - 1, at)[0], at - 1
    return point, start


@borrowing
def span_key(text: Bytes, start: Int, end: Int) -> Int:
    """The key that `scan` gives to a word of these bytes."""
    key, at = SEED, start
    while at < end:
        point, width = code_point(text, at, end)
        key = (key ^ np.uint64(point)) * FACTOR
        at += width
    return key ^ (key >> SHIFT)


@borrowing
def find_listed(rules: Affixes, text: Bytes, start: Int, end: Int, key: Int, kind: Int) -> Int:
    """The number of the listed string of this kind with the same bytes, or -1."""
    size, lists = end - start, rules.lists
    slot = np.int64((key * MIX) >> np.uint64(32)) & lists[MASK]
    while True:
        number = np.int64(lists[lists[SLOTS] + slot])
        if number < 0:
            return -1
        at = lists[BODIES_AT] + number
        begin = np.int64(lists[at])
        if lists[at + 1] - begin == size and lists[lists[KINDS] + number] & kind:
            same = True
            for i in range(size):
                same = same and lists[begin + i] == text[start + i]
            if same:
                return number
        slot = (slot + 1) & lists[MASK]


@borrowing
def find_special(rules: Affixes, text: Bytes, start: Int, end: Int) -> Int:
    """The number of the special case that stands from `start` to `end`, or -1; in bounded time."""
    if end - start > rules.lists[MAX_BYTES] or end <= start:
        return -1
    return find_listed(rules, text, start, end, span_key(text, start, end), SPECIAL)
