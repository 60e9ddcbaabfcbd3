"""How much shorter a text becomes without its repeated n-grams, as NeMo Curator counts it.

Source: NeMo Curator 1.4.0, `filters/heuristic/repetition.py`. Shares are of all characters of the text, white space
included; a text of fewer words than n has share 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from curate.kernels.compiled import compiled
from curate.kernels.ngram_shares import Int64s
from curate.kernels.recurrence import Recurring
from curate.kernels.scan import Int32s, Words, longest
from curate.kernels.utf8 import Bytes, Int, Offsets


class Wanted(NamedTuple):
    """Room for one string that is sought."""

    text: Bytes
    back: Int32s  # by how many of its bytes have matched: how many still do where the next one does not


def scratch_wanted(offsets: Offsets) -> Wanted:
    """Room for n-grams of any of the texts."""
    size = longest(offsets) + 1
    return Wanted(np.empty(size, np.uint8), np.empty(size + 1, np.int32))


@compiled
def top_removed(text: Bytes, words: Words, found: Recurring, num: int, n: int, before: Int64s, room: Wanted) -> Int:
    """Characters that go where the most frequent n-gram is taken out of the text; it has at least n words.

    The n-gram's words are joined by one space and sought anywhere, also inside words, without overlap: where other
    white space is between its words it is not found. Of equally frequent n-grams the first counts; NeMo Curator takes
    any, by the order of a Python set.
    """
    first = 0
    for i in range(num):
        candidate = found.first[i]
        if candidate == found.at[i] and (first == 0 or found.times[candidate] > found.times[first - 1]):
            first = candidate + 1
    first = max(first - 1, 0)
    size = 0
    for i in range(first, first + n):
        if i > first:
            room.text[size] = 0x20
            size += 1
        length = words.end[i] - words.start[i]
        room.text[size : size + length] = text[words.start[i] : words.end[i]]
        size += length
    return _occurrences(text, room.text[:size], room.back) * (before[first + n] - before[first] + n - 1)


@compiled
def dup_removed(found: Recurring, num: int, n: int, before: Int64s) -> Int:
    """Characters of n-grams that occurred before, each word once, with the spaces between their words.

    A word that follows on an n-gram that counted brings the space before it, too.
    """
    total = beyond = np.int64(0)
    for i in range(num):
        at = np.int64(found.at[i])
        if found.first[i] == at:
            continue
        begin = max(at, beyond)
        total += before[at + n] - before[begin] + min(at + n - begin, n - 1)
        beyond = at + n
    return total


@compiled
def _occurrences(text: Bytes, wanted: Bytes, back: Int32s) -> int:
    """How often a string occurs, from the left and without overlap (Knuth, Morris and Pratt 1977)."""
    back[0] = -1
    matched = -1
    for i in range(wanted.size):
        while matched >= 0 and wanted[matched] != wanted[i]:
            matched = back[matched]
        matched += 1
        back[i + 1] = matched
    found = matched = at = 0
    while at < text.size:
        byte = text[at]
        if matched == 0 and byte != wanted[0]:
            at += 1
            continue
        while matched >= 0 and wanted[matched] != byte:
            matched = back[matched]
        matched, at = matched + 1, at + 1
        if matched == wanted.size:
            found, matched = found + 1, 0
    return found
