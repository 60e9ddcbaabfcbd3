"""Texts without the passages that were cut out of them, given as byte spans.

It copies what lies between the spans and joins it as it is: where a text may be cut, and what goes with a passage (the
line break behind it), is the business of whoever made the spans.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.compiled import compiled
from curate.kernels.rewritten import rewritten, room_like
from curate.kernels.utf8 import Bytes, Int, Offsets, utf8

#: The type of a column of cuts: UTF-8 byte offsets into a text, the end excluded; ascending, disjoint, not empty.
CUTS = pa.list_(pa.struct([pa.field("start", pa.int64()), pa.field("end", pa.int64())]))


def cut(texts: pa.StringArray, cuts: pa.ListArray) -> pa.StringArray:
    """Each text without its spans. A null or empty list leaves a text as it is; a null text stays null.

    Spans may touch. ValueError names the row of a span that does not lie in its text (any span of a null text), is
    empty or begins before the one before it ends: such spans belong to another text.

    >>> cut(pa.array(["abcdef", None]), pa.array([[{"start": 0, "end": 2}, {"start": 3, "end": 5}], None])).to_pylist()
    ['cf', None]
    """
    if len(texts) != len(cuts):
        raise ValueError(
            f"as many lists of cuts as texts are wanted; there are {len(texts)} texts and {len(cuts)} lists"
        )
    if cuts.null_count == len(cuts):
        return texts
    data, offsets = utf8(texts)
    first, spans = _spans(cuts)
    wrong = _first_wrong(offsets, first, *spans)
    if wrong >= 0:
        given = list(zip(*(side[first[wrong] : first[wrong + 1]][:5].tolist() for side in spans), strict=True))
        size = offsets[wrong + 1] - offsets[wrong]
        raise ValueError(f"row {wrong}: cuts must ascend within the {size:,} bytes of its text; they begin {given}")
    return rewritten(texts, *_without(data, offsets, first, *spans, *room_like(offsets)))


def _spans(cuts: pa.ListArray) -> tuple[Offsets, tuple[Offsets, Offsets]]:
    """Where the spans of each row begin among all, and the starts and ends of all. A null list has none."""
    starts, ends = (_int64(field) for field in cuts.flatten().cast(CUTS.value_type).flatten())
    sizes = cuts.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]), (starts, ends)


def _int64(values: pa.Int64Array) -> NDArray[np.int64]:
    """The values; null is -1, which lies in no text."""
    return np.asarray(values.fill_null(-1).to_numpy(zero_copy_only=False), np.int64)


@compiled
def _first_wrong(offsets: Offsets, first: Offsets, starts: Offsets, ends: Offsets) -> Int:
    """The first row with a span that cannot be; -1 where there is none."""
    for row in range(offsets.size - 1):
        after = 0
        for at in range(first[row], first[row + 1]):
            if starts[at] < after or ends[at] <= starts[at]:
                return row
            after = ends[at]
        if after > offsets[row + 1] - offsets[row]:
            return row
    return -1


@compiled
def _without(
    data: Bytes, offsets: Offsets, first: Offsets, starts: Offsets, ends: Offsets, out: Bytes, out_offsets: Offsets
) -> tuple[Bytes, Offsets]:
    """`out` and `out_offsets`, filled with what the spans leave."""
    filled = 0
    for row in range(offsets.size - 1):
        at = offsets[row]
        for span in range(first[row], first[row + 1] + 1):
            is_last = span == first[row + 1]
            until = offsets[row + 1] if is_last else offsets[row] + starts[span]
            out[filled : filled + until - at] = data[at:until]
            filled += until - at
            at = until if is_last else offsets[row] + ends[span]
        out_offsets[row + 1] = filled
    return out, out_offsets
