"""What a code point is: flags and simple lower case, in two-stage tables that numba kernels look up.

`blocks[code >> 7]` is the block, and `block << 7 | code & 127` the place in `flags` and `lower`. Block 0 is ASCII: an
ASCII byte is its own place. The tables are written by `scripts/unicode_tables.py`.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from io import BytesIO
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SPACE = 1 << 0  # str.isspace
NEWLINE = 1 << 1  # "\n"
BREAK = 1 << 2  # ends a line for str.splitlines
LETTER = 1 << 3  # category L, str.isalpha
MARK = 1 << 4  # category M
DIGIT = 1 << 5  # category Nd
NUMBER = 1 << 6  # category N
PUNCTUATION = 1 << 7  # category P
SYMBOL = 1 << 8  # category S
UPPER = 1 << 9  # str.isupper
LOWER = 1 << 10  # str.islower
SPACELESS = 1 << 11  # letter or mark of a script written without spaces between words


class CharTable(NamedTuple):
    """The tables; kernels take them as an argument."""

    blocks: NDArray[np.uint16]  # uint16[8704]
    flags: NDArray[np.uint16]
    lower: NDArray[np.int32]  # what to add to a code point for its simple lower case


@cache
def char_table() -> CharTable:
    """The tables, read once in a process."""
    file = BytesIO((resources.files(__package__) / "unicode_tables.npz").read_bytes())
    with np.load(file, allow_pickle=False) as stored:
        return CharTable(stored["blocks"], stored["flags"], stored["lower"])
