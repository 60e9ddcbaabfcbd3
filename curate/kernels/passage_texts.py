"""The passages of texts as texts of their own."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from curate.kernels.compiled import compiled
from curate.kernels.passage_cuts import Numbers, Spans
from curate.kernels.passages import END, START, Passages
from curate.kernels.utf8 import Bytes, Offsets, utf8


def passage_texts(texts: pa.Array, found: Passages, rows: Numbers, first: int, last: int) -> pa.StringArray:
    """The text of passages number `first` to `last` (excluded) of `found`, which are passages of `texts`.

    rows: of each passage the number of its text: int64[num_passages].
    """
    data, offsets = utf8(texts)
    spans = found.spans[first:last]
    ends = np.concatenate([[0], np.cumsum(spans[:, END] - spans[:, START], dtype=np.int64)])
    out = np.empty(int(ends[-1]), np.uint8)
    _copy(data, offsets, spans, rows[first:last], ends, out)
    return pa.StringArray.from_buffers(len(spans), pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(out))


@compiled
def _copy(data: Bytes, offsets: Offsets, spans: Spans, rows: Numbers, ends: Offsets, out: Bytes) -> None:
    for i in range(len(spans)):
        begin = offsets[rows[i]]
        out[ends[i] : ends[i + 1]] = data[begin + spans[i, START] : begin + spans[i, END]]
