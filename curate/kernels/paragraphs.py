"""Paragraphs as CCNet has them: lines without white space at their ends, none blank.

Source: Wenzek et al. 2020, and cc_net (`process_wet_file.py`, commit bda555b).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.compiled import compiled
from curate.kernels.rewritten import rewritten, room_like
from curate.kernels.signals import signal_struct
from curate.kernels.strip import stripped_end, stripped_start
from curate.kernels.unicode_tables import CharTable, char_table
from curate.kernels.utf8 import Bool, Bytes, Offsets, char_count, utf8

SIGNALS = pa.struct(
    [
        pa.field("char_count", pa.int64()),  # of the paragraphs and the newlines between them
        pa.field("paragraph_count", pa.int64()),
        pa.field("blank_line_count", pa.int64()),  # removed
    ]
)


def paragraphs(texts: pa.Array, *, drop_first: bool) -> tuple[pa.StringArray, pa.StructArray]:
    """The paragraphs of each text joined by one "\\n", and `SIGNALS`. Null text: null text and fields.

    drop_first: leave out the first paragraph, which in a WET record is the page's title.
    """
    data, offsets = utf8(texts)
    out, ends = room_like(offsets)
    counts = np.zeros((len(texts), len(SIGNALS)), np.int64)
    _all_paragraphs(data, offsets, char_table(), drop_first, out, ends, counts)
    signals = {name: counts[:, i] for i, name in enumerate(SIGNALS.names)}
    return rewritten(texts, out, ends), signal_struct(SIGNALS, signals, texts)


@compiled
def _all_paragraphs(
    data: Bytes,
    offsets: Offsets,
    table: CharTable,
    drop_first: Bool,
    out: Bytes,
    ends: Offsets,
    counts: NDArray[np.int64],
) -> None:
    at = 0
    for row in range(offsets.size - 1):
        start, stop = offsets[row], offsets[row + 1]
        first, seen = at, 0
        while start < stop:
            end = start
            while end < stop and data[end] != 10:
                end += 1
            left = stripped_start(data, start, end, table)
            right = stripped_end(data, left, end, table)
            start = end + 1
            if left == right:
                counts[row, 2] += 1
                continue
            seen += 1
            if drop_first and seen == 1:
                continue
            if at > first:
                out[at] = 10
                at += 1
            out[at : at + right - left] = data[left:right]
            at += right - left
            counts[row, 1] += 1
        counts[row, 0] = char_count(out[first:at])
        ends[row + 1] = at
