"""The bytes of a string column, and code points out of bytes. Bytes that are not UTF-8 are met without harm."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing

Bytes = NDArray[np.uint8]
Offsets = NDArray[np.int64]

#: Scalars of compiled code. For numba a Python int and a numpy one are the same; no type of Python's says so.
Int = Any
Bool = Any

#: What bytes that are no UTF-8 are read as, one for each byte.
REPLACEMENT = 0xFFFD


def utf8(texts: pa.Array) -> tuple[Bytes, Offsets]:
    """The bytes of a string column, without a copy of them, and where each text begins and ends: int64[len + 1].

    A null text is empty.
    """
    texts = texts.cast(pa.large_string()) if texts.null_count == 0 else texts.fill_null("").cast(pa.large_string())
    _, positions, body = texts.buffers()
    offsets = np.zeros(1, np.int64)
    if len(texts):
        offsets = np.frombuffer(positions, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    data = np.frombuffer(body, np.uint8) if body is not None and body.size else np.zeros(0, np.uint8)
    return data, offsets


@borrowing
def code_point(data: Bytes, at: Int, end: Int) -> tuple[Int, Int]:
    """The code point at `at` and the bytes it takes; `REPLACEMENT` and 1 where the bytes are not UTF-8."""
    first = np.int64(data[at])
    if first < 0x80:
        return first, 1
    size = 2 if 0xC2 <= first < 0xE0 else 3 if 0xE0 <= first < 0xF0 else 4 if 0xF0 <= first < 0xF5 else 0
    if size == 0 or at + size > end:
        return REPLACEMENT, 1
    point = first & (0x7F >> size)
    for i in range(1, size):
        following = np.int64(data[at + i])
        if following & 0xC0 != 0x80:
            return REPLACEMENT, 1
        point = (point << 6) | (following & 0x3F)
    # Longer than it need be, a surrogate, or beyond the last: no code point.
    if point > 0x10FFFF or 0xD800 <= point < 0xE000 or point < (0x80, 0x800, 0x10000)[size - 2]:
        return REPLACEMENT, 1
    return point, size


@borrowing
def char_count(text: Bytes) -> int:
    """Characters of a text that is UTF-8."""
    count = 0
    for byte in text:
        count += byte & 0xC0 != 0x80
    return count
