"""Words and phrases of a list in texts: whether there are any, how many, which, and what share of the text they are.

An entry is found in two ways. **At word boundaries**: no character that stands inside words is beside it; entries are
looked up as whole keys of a hash table, word by word, and a phrase goes on only while its beginning is the beginning of
an entry. **Inside words**: anywhere, as scripts without spaces need it, by an Aho-Corasick automaton. Case does not
count (`folded_text`); every other character does, so a phrase that is broken over two lines is not found.

Time is linear in the text: inside words strictly so; at word boundaries times the words of the longest phrase at worst.
Matches may overlap ("holy" and "holy cow" are two). A text is read to its first `scan.MAX_BYTES` bytes.
"""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.compiled import compiled
from curate.kernels.folded_text import (
    ANYTHING,
    CONTINUED,
    IN_SPACE,
    IN_WORD,
    PYTHON_WORD,
    Folded,
    Letters,
    fold,
    folded,
    letters,
    room,
)
from curate.kernels.key_set import HASH_SEED, KeySet, KeyTable, find_key, next_hash, with_prefixes
from curate.kernels.scan import MAX_BYTES, text_bytes
from curate.kernels.substrings import Automaton, automaton, child_by
from curate.kernels.utf8 import Bytes, Offsets, utf8

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


class WordKeys(NamedTuple):
    """What a list is at word boundaries."""

    table: KeyTable  # entries, and their beginnings that end where a word may
    begins: Bools  # bool[256] whether an entry begins with a byte
    num_entries: int  # keys from here on are beginnings only
    max_bytes: int  # of an entry


class WordList:
    """Entries in lower case. What a way of matching needs is built at its first use."""

    def __init__(self, entries: KeySet) -> None:
        """Of a set in any case; names of its parts are kept."""
        strings, ends = entries.strings(), [0, *entries.part_ends]
        parts = [folded(strings.slice(a, b - a)) for a, b in pairwise(ends)]
        self.entries = KeySet(parts, entries.names)
        self._word_keys: dict[tuple[int, bool], WordKeys] = {}

    def __len__(self) -> int:
        return len(self.entries)

    @cached_property
    def by_blanks(self) -> tuple[WordList, WordList]:
        """The entries without a blank, and those with one."""
        strings = self.entries.strings().to_pylist()
        one, more = ([entry for entry in strings if (" " in entry) is has] for has in (False, True))
        return WordList(KeySet.of(one)), WordList(KeySet.of(more))

    @cached_property
    def automaton(self) -> Automaton:
        """The list inside words."""
        return automaton(self.entries.strings())

    def word_keys(self, word: int, underscore: bool) -> WordKeys:
        """The list at word boundaries, for what `folded_text.letters` takes for a part of a word."""
        key = (word, underscore)
        if key not in self._word_keys:
            table = self.entries.table
            sizes = table.ends.astype(np.int64) - table.starts
            longest = int(sizes.max(initial=0))
            starts, ends = _beginnings(table, letters(word, underscore), room(longest))
            begins = np.zeros(256, np.bool_)
            begins[table.data[table.starts]] = True
            self._word_keys[key] = WordKeys(with_prefixes(self.entries, starts, ends), begins, len(self), longest)
        return self._word_keys[key]


class Matches(NamedTuple):
    """Of each text."""

    num_matches: Ints  # all, overlapping ones too
    num_entries: Ints  # different ones that match
    first: Ints  # the entry whose match ends first, the longest of several; -1 where there is none
    char_frac: NDArray[np.float64]  # characters inside a match, of all
    word_frac: NDArray[np.float64]  # words (between white space) that a match touches, of all


def has_any(texts: pa.Array, words: WordList, inside_words: bool) -> pa.BooleanArray:
    """Whether an entry is in a text; null for null. C4's rule on bad words.

    At word boundaries neither neighbour of an entry is what Python's `\\w` matches: combining marks are none. For its
    equivalent, lower-case text against `(?:\\W|^)(…)(?:\\W|$)`: Raffel et al. 2020, `c4_utils.py`.
    """
    count = _match(texts, words, inside_words, PYTHON_WORD, True, first_only=True).num_matches
    return pa.array(count > 0, mask=np.asarray(texts.is_null()))


def has_any_between_blanks(texts: pa.Array, words: WordList) -> pa.BooleanArray:
    """The same where an entry is found between white space only, one that holds a blank anywhere: Dolma's way.

    Source: dolma 1.2.1, `taggers/c4.py`.
    """
    one, more = words.by_blanks
    count = _match(texts, one, False, ANYTHING, True, first_only=True).num_matches
    count = count + _match(texts, more, True, PYTHON_WORD, True, first_only=True).num_matches
    return pa.array(count > 0, mask=np.asarray(texts.is_null()))


def matches(
    texts: pa.Array, words: WordList, inside_words: bool, word: int = PYTHON_WORD, underscore: bool = True
) -> Matches:
    """What of `words` is in each text. A null text is an empty one.

    word, underscore: what a part of a word is, see `folded_text.letters`.
    """
    return _match(texts, words, inside_words, word, underscore, first_only=False)


def _match(
    texts: pa.Array, words: WordList, inside_words: bool, word: int, underscore: bool, first_only: bool
) -> Matches:
    if not len(words):
        nothing = np.zeros(len(texts), np.int64)
        return Matches(nothing, nothing, nothing - 1, np.zeros(len(texts)), np.zeros(len(texts)))
    data, offsets = utf8(texts)
    text = room(int(min(np.diff(offsets).max(initial=0), MAX_BYTES)))
    seen, parts = np.zeros(len(words), np.uint32), letters(word, underscore)
    if inside_words:
        return Matches(*_scan_inside(data, offsets, parts, words.automaton, text, seen, first_only))
    keys = words.word_keys(word, underscore)
    return Matches(*_scan_words(data, offsets, parts, keys, text, seen, first_only))


@compiled
def _beginnings(table: KeyTable, letters: Letters, into: Folded) -> tuple[Ints, Ints]:
    """Beginnings of entries that are followed, in the entry, by a character that is no part of a word."""
    count = 0
    starts, ends = np.empty(0, np.int64), np.empty(0, np.int64)
    for filling in (False, True):
        if filling:
            starts, ends = np.empty(count, np.int64), np.empty(count, np.int64)
            count = 0
        for i in range(table.starts.size):
            start, end = np.int64(table.starts[i]), np.int64(table.ends[i])
            size = fold(table.data[start:end], letters, into)
            for at in range(1, size):
                if not into.kind[at] & (IN_WORD | CONTINUED):
                    if filling:
                        starts[count], ends[count] = start, start + at
                    count += 1
    return starts, ends


@compiled
def _scan_words(
    data: Bytes,
    offsets: Offsets,
    letters: Letters,
    keys: WordKeys,
    text: Folded,
    seen: NDArray[np.uint32],
    first_only: bool,
) -> tuple[Ints, Ints, Ints, NDArray[np.float64], NDArray[np.float64]]:
    rows = offsets.size - 1
    count, different, first = np.zeros(rows, np.int64), np.zeros(rows, np.int64), np.full(rows, -1, np.int64)
    char_frac, word_frac = np.zeros(rows), np.zeros(rows)
    lower, kind, longest, begins = text.text, text.kind, text.longest, keys.begins
    table, num_entries, max_bytes = keys.table, keys.num_entries, keys.max_bytes
    for row in range(rows):
        size = fold(text_bytes(data, offsets, row), letters, text)
        first_end = size + 1
        for start in range(size):
            if (start and kind[start - 1] & IN_WORD) or not begins[lower[start]]:
                continue
            end, hashed = start, HASH_SEED
            last = min(size, start + max_bytes)
            while end < last:
                hashed = next_hash(hashed, lower[end])
                end += 1
                if end < size and kind[end] & (IN_WORD | CONTINUED):
                    continue
                key = find_key(table, hashed, lower, start, end)
                if key < 0:
                    break
                if key < num_entries:
                    count[row] += 1
                    if seen[key] != row + 1:
                        seen[key] = row + 1
                        different[row] += 1
                    longest[end] = max(longest[end], end - start)
                    if end < first_end:
                        first[row], first_end = key, end
            if first_only and count[row]:
                break
        if count[row]:
            char_frac[row], word_frac[row] = _covered(text, size)
    return count, different, first, char_frac, word_frac


@compiled
def _scan_inside(
    data: Bytes,
    offsets: Offsets,
    letters: Letters,
    automaton: Automaton,
    text: Folded,
    seen: NDArray[np.uint32],
    first_only: bool,
) -> tuple[Ints, Ints, Ints, NDArray[np.float64], NDArray[np.float64]]:
    rows = offsets.size - 1
    count, different, first = np.zeros(rows, np.int64), np.zeros(rows, np.int64), np.full(rows, -1, np.int64)
    char_frac, word_frac = np.zeros(rows), np.zeros(rows)
    lower, longest = text.text, text.longest
    dense, children, label, fail, output, next_output, num_outputs, sizes = automaton
    for row in range(rows):
        size = fold(text_bytes(data, offsets, row), letters, text)
        state = np.int64(0)
        for at in range(size):
            byte = np.int64(lower[at])
            while state << 8 >= dense.size:
                child = child_by(children, label, state, byte)
                if child >= 0:
                    break
                state = np.int64(fail[state])
            state = np.int64(child if state << 8 >= dense.size else dense[state << 8 | byte])
            entry = np.int64(output[state])
            if entry < 0:
                continue
            count[row] += num_outputs[entry]
            longest[at + 1] = sizes[entry]
            if first[row] < 0:
                first[row] = entry
            # What ends where a seen entry ends was seen with it.
            while entry >= 0 and seen[entry] != row + 1:
                seen[entry] = row + 1
                different[row] += 1
                entry = np.int64(next_output[entry])
            if first_only:
                break
        if count[row]:
            char_frac[row], word_frac[row] = _covered(text, size)
    return count, different, first, char_frac, word_frac


@compiled
def _covered(text: Folded, size: int) -> tuple[float, float]:
    """Shares of the characters that lie in a match and of the words that one touches. `longest` is 0 again after it.

    From the end backwards: a byte is in a match where one that ends behind it begins at it or before.
    """
    reach = size
    chars = covered = num_words = touched = 0
    in_word = in_touched = False
    for at in range(size - 1, -1, -1):
        if text.longest[at + 1]:
            reach = min(reach, at + 1 - text.longest[at + 1])
            text.longest[at + 1] = 0
        if text.kind[at] & IN_SPACE:
            in_word = in_touched = False
        elif not in_word:
            in_word = True
            num_words += 1
        if in_word and not in_touched and at >= reach:
            in_touched = True
            touched += 1
        if not text.kind[at] & CONTINUED:
            chars += 1
            covered += at >= reach
    return covered / max(chars, 1), touched / max(num_words, 1)
