"""A bounded sample of a text: short windows at even distances, so that a long document costs no more than a short one.

Windows are cut out of the Arrow buffer and decoded alone; the text as a whole never becomes a Python string.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa


def windows(data: memoryview, num_bytes: int, num_windows: int) -> str:
    """At most `num_bytes` of UTF-8 from `num_windows` places, the first at the start, the last at the end.

    Spaces stand between them and come on top.
    A text of up to `num_bytes` comes whole; a character that a window cuts is left out.

    >>> windows(memoryview(b"aa" + 96 * b"-" + b"zz"), 4, 2)
    'aa zz'
    """
    if len(data) <= num_bytes:
        return str(data, "utf-8", "ignore")
    width = num_bytes // num_windows
    room = len(data) - width
    starts = (room * number // max(num_windows - 1, 1) for number in range(num_windows))
    return " ".join(str(data[start : start + width], "utf-8", "ignore") for start in starts)


def samples(texts: pa.Array, num_bytes: int, num_windows: int) -> list[str]:
    """`windows` of each text; "" for null. Cost: O(num_bytes) for each row, whatever its length."""
    texts = texts.cast(pa.large_string())  # widens the offsets of a string array; its bytes are shared
    _, offsets_buffer, data_buffer = texts.buffers()
    if len(texts) == 0 or data_buffer is None:
        return [""] * len(texts)
    data = memoryview(data_buffer)
    offsets = np.frombuffer(offsets_buffer, dtype=np.int64)[texts.offset :][: len(texts) + 1].tolist()
    valid = texts.is_valid().to_pylist()
    return [
        windows(data[offsets[row] : offsets[row + 1]], num_bytes, num_windows) if valid[row] else ""
        for row in range(len(texts))
    ]
