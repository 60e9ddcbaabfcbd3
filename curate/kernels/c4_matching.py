"""What C4 looks for in a line: citation marks, fixed phrases, long words, end marks.

Source: tensorflow/datasets, `text/c4_utils.py` (commit 0560e686). Phrases are compared in Unicode's simple lower case.
Every function is linear in the bytes that it is given.
"""

from __future__ import annotations

import numpy as np

from curate.kernels.compiled import borrowing
from curate.kernels.phrases import Phrases, phrase_end, phrases
from curate.kernels.scan import flags_of
from curate.kernels.strip import char_before, is_space
from curate.kernels.unicode_tables import DIGIT, SPACE, CharTable
from curate.kernels.utf8 import Bool, Bytes, Int, Offsets, code_point

#: What `find_phrases` finds, as bits; policy phrases are all others.
LOREM_IPSUM, JAVASCRIPT, CURLY_BRACE, JAVASCRIPT_WORD, POLICY = 1, 2, 4, 8, 16
POLICY_PHRASES = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)
PHRASES = phrases(("lorem ipsum", "javascript", *POLICY_PHRASES))
_NUM_BEFORE_POLICY = 2
_BRACE, _OPEN = ord("{"), ord("[")

# The second and third letter of the phrases that begin with a letter, so that next to no place is looked at twice.
_SECOND, _THIRD = np.zeros(256, np.uint8), np.zeros(256, np.uint8)
for _begin in ("lor", "jav", "ter", "pri", "coo", "use"):
    for _first in (_begin[0], _begin[0].upper()):
        _SECOND[ord(_first)], _THIRD[ord(_first)] = ord(_begin[1]), ord(_begin[2])
_SECOND[_BRACE] = 1

_MARK_WORDS = np.frombuffer(b"[edit][citation needed]", np.uint8)
_MARK_WORD_ENDS = np.array((0, 6, 23), np.int64)


@borrowing
def find_phrases(text: Bytes, start: Int, end: Int, table: CharTable, wanted: Phrases) -> Int:
    """Which of `PHRASES`, given as `wanted`, stand in `text[start:end]`, as bits.

    JAVASCRIPT_WORD is its bit where white space or an end of the span is on both sides of it.
    """
    found = 0
    for at in range(start, end):
        second = _SECOND[text[at]]
        if second == 0:
            continue
        if text[at] == _BRACE:
            found |= CURLY_BRACE
        elif at + 2 < end and text[at + 1] | 32 == second and text[at + 2] | 32 == _THIRD[text[at]]:
            found |= _phrase_at(text, start, at, end, table, wanted)
    return found


@borrowing
def _phrase_at(text: Bytes, start: Int, at: Int, end: Int, table: CharTable, wanted: Phrases) -> Int:
    for number in range(wanted.ends.size - 1):
        past = phrase_end(text, at, end, table, wanted, number)
        if past < 0:
            continue
        if number >= _NUM_BEFORE_POLICY:
            return POLICY
        if number == 0:
            return LOREM_IPSUM
        alone = (at == start or is_space(text, char_before(text, start, at), at, table)) and (
            past == end or is_space(text, past, end, table)
        )
        return JAVASCRIPT | JAVASCRIPT_WORD if alone else JAVASCRIPT
    return 0


@borrowing
def copied(text: Bytes, start: Int, end: Int, out: Bytes, at: Int) -> Int:
    """Copy `text[start:end]` to `out[at:]`; where the copy ends."""
    for i in range(start, end):
        out[at + i - start] = text[i]
    return at + end - start


@borrowing
def copy_without_citations(text: Bytes, start: Int, end: Int, table: CharTable, out: Bytes, at: Int) -> tuple[Int, Int]:
    """Copy `text[start:end]` to `out[at:]` without "[1]", "[]", "[edit]", "[citation needed]": where the copy ends, and
    how many marks it lacks.
    """
    marks, done = 0, start
    for i in range(start, end):
        if text[i] != _OPEN or i < done:
            continue
        past = _citation_end(text, i, end, table)
        if past > i:
            at = copied(text, done, i, out, at)
            done, marks = past, marks + 1
    return copied(text, done, end, out, at), marks


@borrowing
def _citation_end(text: Bytes, at: Int, end: Int, table: CharTable) -> Int:
    """Where the citation mark ends that begins at `at`, or `at`."""
    past = at + 1
    while past < end:
        point, width = code_point(text, past, end)
        if point == 93:
            return past + 1
        if not flags_of(table, point) & DIGIT:
            break
        past += width
    for i in range(_MARK_WORD_ENDS.size - 1):
        size = _MARK_WORD_ENDS[i + 1] - _MARK_WORD_ENDS[i]
        if at + size <= end and equal_bytes(text, at, _MARK_WORDS, _MARK_WORD_ENDS[i], size):
            return at + size
    return at


@borrowing
def has_long_word(text: Bytes, start: Int, end: Int, table: CharTable, max_chars: Int) -> Bool:
    """True where a word has more than `max_chars` characters."""
    chars, at = 0, start
    while at < end:
        point, width = code_point(text, at, end)
        chars = 0 if flags_of(table, point) & SPACE else chars + 1
        if chars > max_chars:
            return True
        at += width
    return False


@borrowing
def has_words(text: Bytes, start: Int, end: Int, table: CharTable, num_words: Int) -> Bool:
    """True where there are at least so many words."""
    found, in_word, at = 0, False, start
    while at < end and found < num_words:
        point, width = code_point(text, at, end)
        space = flags_of(table, point) & SPACE != 0
        found += not space and not in_word
        in_word = not space
        at += width
    return found >= num_words


@borrowing
def ends_with(text: Bytes, start: Int, end: Int, marks: Bytes, mark_ends: Offsets) -> Bool:
    """True where the span ends with any of the marks `marks[mark_ends[i]:mark_ends[i + 1]]`."""
    for i in range(mark_ends.size - 1):
        size = mark_ends[i + 1] - mark_ends[i]
        if size <= end - start and equal_bytes(text, end - size, marks, mark_ends[i], size):
            return True
    return False


@borrowing
def equal_bytes(a: Bytes, a_at: Int, b: Bytes, b_at: Int, size: Int) -> Bool:
    """True where so many bytes from a place in `a` on equal those from a place in `b` on."""
    same = True
    for i in range(size):
        same = same and a[a_at + i] == b[b_at + i]
    return same
