"""Where sentences end, by a rule over characters: no model, no list of abbreviations, any language.

A run of end marks with the closing quotes and brackets after it ends a sentence where white space or the end follows;
marks of scripts without spaces end one by themselves. What is left after the last end is one more. So "3.14" ends
nothing, and "Dr. Who" ends one too many. Our choice, because a count of sentences in C4 asks only for few or many;
`sentencizer` is the rule of another toolkit. How far both are from NLTK's punkt stands in `docs/decisions.md`.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, compiled
from curate.kernels.strip import is_space, stripped_end
from curate.kernels.unicode_tables import CharTable, char_table
from curate.kernels.utf8 import Bytes, Int, Offsets, code_point, utf8

Ends = NDArray[np.int64]

_SPACED_MARKS = tuple(map(ord, ".!?…؟।"))  # end a sentence where white space follows
_SPACELESS_MARKS = tuple(map(ord, "。！？"))
_CLOSING_MARKS = tuple(map(ord, "\"'”’»)]」』）"))
_SPACED, _SPACELESS, _CLOSING = 1, 2, 3


def sentence_counts(texts: pa.Array) -> NDArray[np.int64]:
    """Sentences of each text: int64[len(texts)]. A text that is null, empty or blank has none.

    >>> sentence_counts(pa.array(['He said: "Go." Then he went.', "It costs 3.14 euros", ""])).tolist()
    [2, 1, 0]
    """
    data, offsets = utf8(texts)
    counts: NDArray[np.int64] = _counts(data, offsets, char_table(), scratch_ends(offsets))
    return counts


def scratch_ends(offsets: Offsets) -> Ends:
    """Room for the ends of the sentences of any of the texts. Memory is taken only where it is written to."""
    return np.empty(int(np.diff(offsets).max(initial=0)) + 1, np.int64)


@borrowing
def sentence_ends(text: Bytes, start: Int, end: Int, table: CharTable, ends: Ends) -> Int:
    """Write where the sentences of `text[start:end]` end; how many there are. Linear in the bytes.

    An end is the byte after a sentence's last mark; for a last sentence without one, after its last character that is
    no white space. A sentence begins where the one before ended, with the white space between them. A blank span has
    none. `ends` needs room for one more than the span has bytes.
    """
    num, at, last = 0, start, start
    while at < end:
        byte = text[at]
        if byte != 46 and byte != 33 and byte != 63 and (byte < 0xD8 or byte > 0xEF):
            at += 1  # no mark begins with this byte
            continue
        point, width = code_point(text, at, end)
        at += width
        kind = _kind(point)
        if kind != _SPACED and kind != _SPACELESS:
            continue
        at = _after(text, _after(text, at, end, kind), end, _CLOSING)
        if kind == _SPACELESS or at >= end or is_space(text, at, end, table):
            ends[num] = last = at
            num += 1
    last = stripped_end(text, last, end, table)
    if last > (ends[num - 1] if num else start):
        ends[num] = last
        num += 1
    return num


@borrowing
def _kind(point: Int) -> Int:
    if point in _SPACED_MARKS:
        return _SPACED
    if point in _SPACELESS_MARKS:
        return _SPACELESS
    return _CLOSING if point in _CLOSING_MARKS else 0


@borrowing
def _after(text: Bytes, at: Int, end: Int, kind: Int) -> Int:
    """Where the run of marks of a kind ends that begins at `at`."""
    while at < end:
        point, width = code_point(text, at, end)
        if _kind(point) != kind:
            break
        at += width
    return at


@compiled
def _counts(data: Bytes, offsets: Offsets, table: CharTable, ends: Ends) -> NDArray[np.int64]:
    counts = np.empty(offsets.size - 1, np.int64)
    for row in range(counts.size):
        text = data[offsets[row] : offsets[row + 1]]
        counts[row] = sentence_ends(text, 0, text.size, table, ends)
    return counts
