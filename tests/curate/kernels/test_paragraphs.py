"""Paragraphs of bytes that are no text, and of many lines."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.paragraphs import SIGNALS, paragraphs


@given(st.lists(st.binary(max_size=30), max_size=4))
def test_any_bytes_only_become_fewer(values):
    offsets = np.cumsum([0, *map(len, values)]).astype(np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(values))]
    left, signals = paragraphs(pa.Array.from_buffers(pa.string(), len(values), buffers), drop_first=False)
    assert (np.diff(np.frombuffer(left.buffers()[1], np.int32)) <= np.diff(offsets)).all()
    assert signals.type == SIGNALS


def test_slices_nulls_and_a_million_lines():
    column = pa.array(["x", None, " a \n" * 500_000, "\n" * 500_000], pa.string()).slice(1)
    left, signals = paragraphs(column, drop_first=False)
    assert left.to_pylist() == [None, "\n".join(["a"] * 500_000), ""]
    assert signals[0].as_py() == dict.fromkeys(SIGNALS.names)
    assert signals[2].as_py() == {"char_count": 0, "paragraph_count": 0, "blank_line_count": 500_000}
