"""Where a text may be cut: after a token, a sentence or a line, so that what stays reads on.

A **unit** is a run of whole tokens (`token_windows`): one token; the tokens of a line; or the tokens of a sentence, as
`sentences` ends it, which the end of its line ends too. A cut takes whole units in a row and one of the two stretches
of white space around them: that before the cut stays unless the one after it has more line breaks or is the text's end.
So no blank line is left over, and a text keeps the white space at its ends. Where there is none on either side, as in
"a今b", a cut ends before its last unit: two words never become one.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing
from curate.kernels.scan import flags_of
from curate.kernels.sentences import sentence_ends
from curate.kernels.token_windows import Tokens
from curate.kernels.unicode_tables import SPACELESS, CharTable, char_table
from curate.kernels.utf8 import Bool, Bytes, Int, Offsets, code_point, utf8

Boundary = Literal["token", "sentence", "line"]
Int32s = NDArray[np.int32]
Flags = NDArray[np.bool_]

#: Numbers of a unit: its first token and the one after its last, counted from the first of its text; its bytes without
#: the white space around it; where the white space before it begins and that after it ends; how strong both are.
FIELDS = ("first", "last", "start", "end", "before", "after", "strength_before", "strength_after")
#: Strength of white space: one more than its line breaks. The ends of a text are the strongest.
_EDGE = 1 << 20
#: No white space has the strength 0; where a token of a script with spaces lies behind it, -1.
STICKS = -1


class Units(NamedTuple):
    """Units of some texts: those of text `i` are at `offsets[i]` to `offsets[i + 1]`."""

    values: Int32s  # [num_units, len(FIELDS)]
    offsets: Offsets


def token_units(texts: pa.Array, tokens: Tokens, wanted: Flags, boundary: Boundary) -> Units:
    """The units whose tokens are all `wanted`, bool[num_tokens]. Units of a text without such tokens cost nothing."""
    data, positions = utf8(texts)
    sizes = np.diff(positions)
    counts = np.diff(np.concatenate([[0], np.cumsum(wanted)])[tokens.offsets])
    ends = np.empty(int(sizes[counts > 0].max(initial=0)) + 1, np.int64)
    last = np.ones(tokens.start.size, np.bool_)
    if boundary != "token":
        _unit_ends(data, positions, tokens, counts, char_table(), boundary == "sentence", ends, last)
    room = int(np.count_nonzero(last & wanted))
    values, bounds = np.empty((room, len(FIELDS)), np.int32), np.zeros(len(texts) + 1, np.int64)
    _units(data, positions, tokens, counts, char_table(), wanted, last, values, bounds)
    return Units(values[: bounds[-1]], bounds)


def packed(units: Units) -> pa.BinaryArray:
    """The units of each text as bytes."""
    offsets = pa.py_buffer((units.offsets * units.values.itemsize * len(FIELDS)).astype(np.int32))
    return pa.BinaryArray.from_buffers(pa.binary(), units.offsets.size - 1, [None, offsets, pa.py_buffer(units.values)])


def unpacked(blobs: pa.BinaryArray) -> Units:
    """The units out of their bytes, which must not be null."""
    sizes = pc.binary_length(blobs).to_numpy().astype(np.int64)
    values = np.frombuffer(b"".join(blob.as_buffer() for blob in blobs), np.int32).reshape(-1, len(FIELDS))
    return Units(values, np.append(0, np.cumsum(sizes)) // (values.itemsize * len(FIELDS)))


@borrowing
def _strength(data: Bytes, start: Int, end: Int) -> Int:
    """Of the white space between two tokens."""
    count = 1 if end > start else 0
    for i in range(start, end):
        count += data[i] == 10
    return min(count, _EDGE)


@borrowing
def _is_word(data: Bytes, start: Int, end: Int, table: CharTable) -> Bool:
    """True for a token that is no letter of a script without spaces."""
    point, _ = code_point(data, start, end)
    return flags_of(table, point) & SPACELESS == 0


@borrowing
def _unit_ends(
    data: Bytes,
    positions: Offsets,
    tokens: Tokens,
    counts: Offsets,
    table: CharTable,
    sentences: Bool,
    ends: Offsets,
    last: Flags,
) -> None:
    """Whether each token is the last of its unit."""
    for row in range(counts.size):
        first, stop, base = tokens.offsets[row], tokens.offsets[row + 1], positions[row]
        if counts[row] == 0:
            continue
        num = 0
        if sentences:
            num = sentence_ends(data, base, base + np.int64(tokens.end[stop - 1]), table, ends)
        at = 0
        for i in range(first, stop):
            has_end = False
            while at < num and ends[at] <= base + tokens.end[i]:
                has_end, at = True, at + 1
            if not has_end and i + 1 < stop:
                has_end = _strength(data, base + tokens.end[i], base + tokens.start[i + 1]) > 1
            last[i] = has_end or i + 1 == stop


@borrowing
def _units(
    data: Bytes,
    positions: Offsets,
    tokens: Tokens,
    counts: Offsets,
    table: CharTable,
    wanted: Flags,
    last: Flags,
    values: Int32s,
    bounds: Offsets,
) -> None:
    num = 0
    for row in range(counts.size):
        start, stop, base = tokens.offsets[row], tokens.offsets[row + 1], positions[row]
        first, whole = start, True
        for i in range(start, stop if counts[row] else start):
            whole = whole and wanted[i]
            if not last[i]:
                continue
            if whole:
                before = np.int64(tokens.end[first - 1]) if first > start else 0
                after = np.int64(tokens.start[i + 1]) if i + 1 < stop else positions[row + 1] - base
                values[num, 0], values[num, 1] = first - start, i + 1 - start
                values[num, 2], values[num, 3] = tokens.start[first], tokens.end[i]
                values[num, 4], values[num, 5] = before, after
                values[num, 6] = values[num, 7] = _EDGE + 1
                if first > start:
                    values[num, 6] = _strength(data, base + before, base + tokens.start[first])
                    if values[num, 6] == 0 and _is_word(data, base + tokens.start[first - 1], base + before, table):
                        values[num, 6] = STICKS
                if i + 1 < stop:
                    values[num, 7] = _strength(data, base + tokens.end[i], base + after)
                    if values[num, 7] == 0 and _is_word(data, base + after, base + tokens.end[i + 1], table):
                        values[num, 7] = STICKS
                num += 1
            first, whole = i + 1, True
        bounds[row + 1] = num


@borrowing
def cut_span(values: Int32s, first: Int, last: Int) -> tuple[Int, Int]:
    """The bytes of a cut from unit `first` to unit `last`, which follow each other, with the white space that goes."""
    if values[last, 7] > values[first, 6]:
        return np.int64(values[first, 4]), np.int64(values[last, 3])
    return np.int64(values[first, 2]), np.int64(values[last, 5])
