"""Words cut into tokens by rules: punctuation, units, contractions and abbreviations, as spaCy's tokenizer does it.

The algorithm is the one that spaCy documents (usage guide, "How spaCy's tokenizer works"; `tokenizer.pyx` of 3.8, with
the order of its steps). Of each word between white space, affixes come off, front and end in turn, until what is left
is a special case or nothing comes off any more; what is left is a special case, a web address, or is cut at its
infixes. Then special cases that the affix rules tore apart are put together, longer ones first, even where one blank
stands inside. White space makes no tokens here: spaCy's tokens of white space are dropped by all who count words.

It is meant for scripts with spaces between words. Time is linear in the text whatever it holds.
"""

from __future__ import annotations

import numpy as np

from curate.kernels.affixes import infix_length, prefix_length, suffix_length
from curate.kernels.compiled import borrowing, compiled
from curate.kernels.recurrence import MIX
from curate.kernels.scan import FACTOR, SEED, SHIFT, Words, flags_of, longest, scratch_words
from curate.kernels.token_rules import (
    INFIX,
    PARTS_AT,
    Affixes,
    Places,
    TokenRules,
    class_of,
    find_special,
    point_before,
)
from curate.kernels.unicode_tables import DIGIT, LETTER, LOWER, MARK, NUMBER, SPACELESS, UPPER, CharTable
from curate.kernels.utf8 import Bool, Bytes, Int, Offsets, code_point
from curate.kernels.web_address import is_web_address

#: A word whose characters have no flag but these, with letters or with digits, has no affixes.
_LETTERS = LETTER | MARK | UPPER | LOWER | SPACELESS
_DIGITS = DIGIT | NUMBER
_BLANK = 32


def scratch_tokens(offsets: Offsets) -> Words:
    """Room for the tokens of any of the texts: at most one for each byte."""
    return scratch_words(offsets, longest(offsets) + 2)


@compiled
def rule_tokens(text: Bytes, table: CharTable, rules: TokenRules, words: Words, num_words: Int, tokens: Words) -> Int:
    """Fill `tokens`, from `scratch_tokens`, with what the first `num_words` of `words` fall into; how many there are.

    Start, end, characters, flags and key of a token mean what they do for a word: equal tokens have equal keys.
    """
    num = np.int64(0)
    for i in range(num_words):
        start, end, key, flags = np.int64(words.start[i]), np.int64(words.end[i]), words.key[i], words.flags[i]
        listed = np.int64(key >> np.uint64(48))
        listed = rules.listed_bits[listed >> 3] >> (listed & 7) & 1
        if not listed and (flags & ~_LETTERS == 0 or flags & ~_DIGITS == 0):
            tokens.start[num], tokens.end[num], tokens.chars[num] = start, end, words.chars[i]
            tokens.flags[num], tokens.key[num] = flags, key
            num += 1
            continue
        first, num = num, _put_word(text, start, end, table, rules.affixes, tokens.start, tokens.end, num)
        _describe(text, table, tokens, first, num)
    return _join_special(text, table, rules, tokens, num)


@borrowing
def _describe(text: Bytes, table: CharTable, tokens: Words, first: Int, num: Int) -> None:
    """Write the characters, flags and keys of the tokens from `first` on, whose starts and ends are known."""
    for i in range(first, num):
        key, flags, chars = SEED, np.int64(0), np.int64(0)
        at, end = np.int64(tokens.start[i]), np.int64(tokens.end[i])
        while at < end:
            point, width = code_point(text, at, end)
            flags |= flags_of(table, point)
            key = (key ^ np.uint64(point)) * FACTOR
            at, chars = at + width, chars + 1
        tokens.chars[i], tokens.flags[i], tokens.key[i] = chars, flags, key ^ (key >> SHIFT)


@borrowing
def _put(starts: Places, ends: Places, num: Int, start: Int, end: Int) -> Int:
    """Write the place of a token; how many there are then."""
    starts[num], ends[num] = start, end
    return num + 1


@borrowing
def _put_special(rules: Affixes, special: Int, start: Int, starts: Places, ends: Places, num: Int) -> Int:
    lists = rules.lists
    begin, at = start, lists[PARTS_AT] + special
    for i in range(lists[at], lists[at + 1]):
        end = start + np.int64(lists[i])
        num = _put(starts, ends, num, begin, end)
        begin = end
    return num


@borrowing
def _put_word(
    text: Bytes, start: Int, end: Int, table: CharTable, rules: Affixes, starts: Places, ends: Places, num: Int
) -> Int:
    """Take affixes off until nothing or a special case is left. Suffixes wait at the far end of the places, which have
    room: there are no more tokens than bytes."""
    waiting = starts.size
    special, size = -1, -1
    while start < end and end - start != size:
        special = find_special(rules, text, start, end)
        if special >= 0:
            break
        size = end - start
        prefix = prefix_length(text, start, end, rules)
        if prefix:
            special = find_special(rules, text, start + prefix, end)
            if special >= 0:
                num, start = _put(starts, ends, num, start, start + prefix), start + prefix
                break
        suffix = suffix_length(text, start + prefix, end, rules) if start + prefix < end else 0
        if suffix:
            special = find_special(rules, text, start, end - suffix)
            waiting -= 1
            starts[waiting], ends[waiting] = end - suffix, end
            end -= suffix
            if special >= 0:
                break
        if prefix:
            num, start = _put(starts, ends, num, start, start + prefix), start + prefix
    if special >= 0:
        num = _put_special(rules, special, start, starts, ends, num)
    elif start < end:
        num = _put_inner(text, start, end, table, rules, starts, ends, num)
    for i in range(waiting, starts.size):
        num = _put(starts, ends, num, starts[i], ends[i])
    return num


@borrowing
def _put_inner(
    text: Bytes, start: Int, end: Int, table: CharTable, rules: Affixes, starts: Places, ends: Places, num: Int
) -> Int:
    """Cut at infixes what has no affixes, unless it is a web address. Nothing is cut off its front."""
    begin = at = start
    previous = np.int64(0)
    while at < end:
        point, width = code_point(text, at, end)
        kind = class_of(rules, point)
        infix = infix_length(text, start, end, at, previous, rules) if kind & INFIX else 0
        if infix and at > start:
            if begin == start and is_web_address(text, start, end, table, rules):
                break
            if begin < at:
                num = _put(starts, ends, num, begin, at)
            num = _put(starts, ends, num, at, at + infix)
            begin = at + infix
        if infix:  # the next rule looks back at the last character that was cut out
            at += infix
            previous = class_of(rules, point_before(text, start, at)[0])
        else:
            at, previous = at + width, kind
    if begin < end:
        num = _put(starts, ends, num, begin, end)
    return num


@compiled
def _join_special(text: Bytes, table: CharTable, rules: TokenRules, tokens: Words, num: Int) -> Int:
    """Put together the special cases that were cut; how many tokens there are then."""
    candidates = np.int64(0)
    for i in range(num - 1):
        candidates += _may_begin(rules.cut_begins, tokens.key[i], tokens.key[i + 1])
    if candidates == 0:
        return num
    firsts, sizes, candidates = np.empty(candidates, np.int32), np.zeros(candidates, np.uint32), np.int64(0)
    for i in range(num - 1):
        if _may_begin(rules.cut_begins, tokens.key[i], tokens.key[i + 1]):
            found = _special_sizes(text, rules, tokens, num, i)
            if found:
                firsts[candidates], sizes[candidates] = i, found
                candidates += 1
    if candidates == 0:
        return num
    chosen, seen = np.zeros(num, np.uint8), np.zeros(num, np.bool_)
    for size in range(rules.max_cuts, 1, -1):
        for candidate in range(candidates):
            if sizes[candidate] >> np.uint32(size) & np.uint32(1):
                first = firsts[candidate]
                if not seen[first] and not seen[first + size - 1]:
                    chosen[first] = size
                for i in range(first, first + size):
                    seen[i] = True
    return _rewrite(text, table, rules, tokens, num, chosen)


@borrowing
def _may_begin(begins: Bytes, key: Int, following: Int) -> Int:
    """1 where a special case may begin with two tokens of these keys, else 0."""
    bit = np.int64(joined_key(joined_key(SEED, key), following) >> np.uint64(48))
    return np.int64(begins[bit >> 3]) >> (bit & 7) & 1


@borrowing
def joined_key(key: Int, following: Int) -> Int:
    key = (key ^ following) * FACTOR
    return key ^ (key >> SHIFT)


@borrowing
def _are_neighbours(text: Bytes, tokens: Words, i: Int) -> Bool:
    """True where nothing or one blank stands between tokens `i` and `i + 1`."""
    gap = tokens.start[i + 1] - tokens.end[i]
    return gap == 0 or (gap == 1 and text[tokens.end[i]] == _BLANK)


@borrowing
def _special_sizes(text: Bytes, rules: TokenRules, tokens: Words, num: Int, i: Int) -> np.uint32:
    """Bit n is set where the n tokens from `i` on are those of a special case, whatever blanks stand between them."""
    sizes, key = np.uint32(0), joined_key(SEED, tokens.key[i])
    for size in range(2, min(rules.max_cuts, num - i) + 1):
        if not _are_neighbours(text, tokens, i + size - 2):
            break
        key = joined_key(key, tokens.key[i + size - 1])
        if find_cut(rules, key) >= 0:
            sizes |= np.uint32(1) << np.uint32(size)
    return sizes


@borrowing
def find_cut(rules: TokenRules, key: Int) -> Int:
    """The number of the special case whose tokens have this key, or -1."""
    mask = rules.cut_slots.size - 1
    slot = np.int64((key * MIX) >> np.uint64(32)) & mask
    while rules.cut_slots[slot] >= 0 and rules.cut_keys[slot] != key:
        slot = (slot + 1) & mask
    return np.int64(rules.cut_slots[slot])


@compiled
def _rewrite(text: Bytes, table: CharTable, rules: TokenRules, tokens: Words, num: Int, chosen: Bytes) -> Int:
    """Write the chosen special cases over their tokens; one with a blank where the listed one has none stays cut."""
    # What is put together may be more tokens than it was cut into, so they are not written where they are read.
    cut = Words(
        tokens.start[:num].copy(),
        tokens.end[:num].copy(),
        tokens.chars[:num].copy(),
        tokens.flags[:num].copy(),
        tokens.key[:num].copy(),
    )
    out = i = np.int64(0)
    while i < num:
        size = np.int64(chosen[i])
        special, start = -1, np.int64(cut.start[i])
        if size:
            special = find_special(rules.affixes, text, start, np.int64(cut.end[i + size - 1]))
        if special >= 0:
            first, out = out, _put_special(rules.affixes, special, start, tokens.start, tokens.end, out)
            _describe(text, table, tokens, first, out)
            i += size
            continue
        tokens.start[out], tokens.end[out], tokens.chars[out] = cut.start[i], cut.end[i], cut.chars[i]
        tokens.flags[out], tokens.key[out] = cut.flags[i], cut.key[i]
        out, i = out + 1, i + 1
    return out
