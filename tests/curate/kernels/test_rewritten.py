"""Columns made of a buffer that a kernel wrote."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from curate.kernels.rewritten import rewritten, room_like
from curate.kernels.utf8 import utf8


def test_texts_are_cut_at_the_offsets_and_nulls_stay():
    texts = pa.array(["x", "sliced", None, "", "end"], pa.string()).slice(1)
    data, ends = room_like(utf8(texts)[1])
    assert (len(data), len(ends), ends[0]) == (len("slicedend"), 5, 0)
    data[:5] = np.frombuffer("äend".encode(), np.uint8)
    ends[1:] = [2, 2, 2, 5]
    made = rewritten(texts, data, ends)
    made.validate(full=True)
    assert made.to_pylist() == ["ä", None, "", "end"]
    assert made.null_count == 1


def test_no_texts():
    texts = pa.array([], pa.string())
    assert rewritten(texts, *room_like(utf8(texts)[1])).to_pylist() == []


def test_more_than_eight_texts_keep_their_nulls():
    texts = pa.array([None if i % 3 else "a" for i in range(20)], pa.string())
    data, offsets = utf8(texts)
    assert rewritten(texts, data, offsets).equals(texts)
