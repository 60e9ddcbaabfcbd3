"""Texts as kernels write them: one buffer of bytes, and where each text ends in it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from curate.kernels.utf8 import Bytes, Offsets


def room_like(offsets: Offsets) -> tuple[Bytes, Offsets]:
    """A buffer for texts that only become shorter, and offsets to fill, of which the first is 0."""
    return np.empty(max(int(offsets[-1] - offsets[0]), 1), np.uint8), np.zeros(len(offsets), np.int64)


def rewritten(texts: pa.Array, data: Bytes, offsets: Offsets) -> pa.StringArray:
    """The new texts `data[offsets[i]:offsets[i + 1]]`; null where `texts` is null.

    A batch's text fits 2 GiB, because its column is `string`; what is left of it does too.
    """
    mask = pa.array(np.packbits(~np.asarray(texts.is_null()), bitorder="little")).buffers()[1]
    body = pa.py_buffer(data[: offsets[-1]])
    valid = mask if texts.null_count else None
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(offsets.astype(np.int32)), body, valid)
