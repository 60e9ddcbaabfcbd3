"""What to cut out of a text so that some of its passages go and the rest still reads as it did.

Passages that go in a row take the white space between them along, and of what parts the passages around them the piece
with the most newlines stays, the first of equals. So a line goes with the newline behind it and a sentence with the
space behind it, no blank line is left beside another, and what stood in two lines or paragraphs still does. White space
at the beginning and end of a text stays.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, compiled
from curate.kernels.passages import BREAKS, CHARS, END, START
from curate.kernels.utf8 import Bytes, Int, Offsets

Numbers = NDArray[np.int64]
Spans = NDArray[np.int32]

_GOES, _STAYS = 1, 2

# Columns of `Cuts.counts`
PASSAGES, DUPLICATES, ALL_CHARS, DUPLICATE_CHARS = range(4)


class Cuts(NamedTuple):
    """Cuts of texts; those of text `i` are `first[i]` to `first[i + 1]`. A text of which nothing stays has none."""

    first: Offsets  # int64[num_texts + 1]
    starts: Numbers  # bytes
    ends: Numbers
    counts: Numbers  # int64[num_texts, 4]


def marked(doc: Numbers, passage: Numbers, stays: NDArray[np.bool_]) -> Numbers:
    """What is decided of a run of passages that begins with number `passage` (32 bits) of document `doc` (28 bits).

    One number each, which sort by document: int64.
    """
    return (doc << 33) | (passage << 1) | stays


def marks_of(marks: Numbers, docs: Numbers) -> Offsets:
    """Where the marks of each document lie among the sorted `marks`: int64[num_docs, 2]."""
    return np.stack([np.searchsorted(marks, docs << 33), np.searchsorted(marks, (docs + 1) << 33)], axis=1)


@compiled
def cuts(first: Offsets, spans: Spans, marks: Numbers, bounds: Offsets, window: int) -> Cuts:
    """Cuts of texts with the passages `first`, `spans` (see `passages.Passages`) and the marks within `bounds`.

    A mark is on `window` passages. A passage goes if a mark lets it go and none lets it stay.
    """
    num_texts = first.size - 1
    state = np.zeros(len(spans) + window, np.uint8)
    starts, ends = np.empty(len(spans), np.int64), np.empty(len(spans), np.int64)
    cut_first, counts = np.zeros(num_texts + 1, np.int64), np.zeros((num_texts, 4), np.int64)
    for row in range(num_texts):
        for i in range(bounds[row, 0], bounds[row, 1]):
            begin = first[row] + ((marks[i] >> 1) & 0xFFFF_FFFF)
            for j in range(begin, begin + window):
                state[j] |= _STAYS if marks[i] & 1 else _GOES
        _count(first[row], first[row + 1], spans, state, counts[row])
        cut_first[row + 1] = cut_first[row]
        if counts[row, DUPLICATES] < counts[row, PASSAGES]:
            cut_first[row + 1] = _cut(first[row], first[row + 1], spans, state, cut_first[row], starts, ends)
    return Cuts(cut_first, starts[: cut_first[-1]].copy(), ends[: cut_first[-1]].copy(), counts)


@borrowing
def _count(start: Int, end: Int, spans: Spans, state: Bytes, counts: Numbers) -> None:
    counts[PASSAGES] = end - start
    for i in range(start, end):
        counts[ALL_CHARS] += spans[i, CHARS]
        if state[i] == _GOES:
            counts[DUPLICATES] += 1
            counts[DUPLICATE_CHARS] += spans[i, CHARS]


@borrowing
def _cut(start: Int, end: Int, spans: Spans, state: Bytes, num: Int, starts: Numbers, ends: Numbers) -> Int:
    """Write the cuts of a text from `num` on; how many there are then. At least one of its passages stays."""
    at = start
    while at < end:
        if state[at] != _GOES:
            at += 1
            continue
        after, widest = at + 1, at  # `widest`: the passage behind the white space that stays
        while after < end and state[after] == _GOES:
            widest = after if spans[after, BREAKS] > spans[widest, BREAKS] else widest
            after += 1
        if at == start:
            num = _append(spans[at, START], spans[after, START], num, starts, ends)
        elif after == end:
            num = _append(spans[at - 1, END], spans[after - 1, END], num, starts, ends)
        else:
            widest = after if spans[after, BREAKS] > spans[widest, BREAKS] else widest
            num = _append(spans[at - 1, END], spans[widest - 1, END], num, starts, ends)
            num = _append(spans[widest, START], spans[after, START], num, starts, ends)
        at = after
    return num


@borrowing
def _append(start: Int, end: Int, num: Int, starts: Numbers, ends: Numbers) -> Int:
    if start == end:
        return num
    starts[num], ends[num] = start, end
    return num + 1
