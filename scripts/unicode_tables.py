"""Write curate/kernels/unicode_tables.npz from the Unicode data of this Python: `python scripts/unicode_tables.py`.

The tables are files, not built at import, so that results do not depend on a worker's Python and a worker starts fast.
"""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

import numpy as np

from curate.kernels.unicode_tables import (
    BREAK,
    DIGIT,
    LETTER,
    LOWER,
    MARK,
    NEWLINE,
    NUMBER,
    PUNCTUATION,
    SPACE,
    SPACELESS,
    SYMBOL,
    UPPER,
)

TARGET = Path(__file__).parent.parent / "curate" / "kernels" / "unicode_tables.npz"
BLOCK = 128

#: Scripts written without spaces between words, first and last code point (Unicode 15.1, Blocks.txt).
SPACELESS_BLOCKS = """
    0E00-0EFF 0F00-0FFF 1000-109F 1780-17FF 1950-19DF 1A20-1AAF 3005-3007 3040-30FF 31F0-31FF 3400-4DBF 4E00-9FFF
    A980-A9DF A9E0-A9FF AA60-AADF F900-FAFF FF66-FF9F 1B000-1B16F 20000-323AF
"""


def flags_of(point: int, spaceless: set[int]) -> int:
    """The flags of a code point."""
    char, category = chr(point), unicodedata.category(chr(point))
    tests = {
        SPACE: char.isspace(),
        NEWLINE: char == "\n",
        BREAK: len(f"a{char}b".splitlines()) == 2,
        LETTER: category[0] == "L",
        MARK: category[0] == "M",
        DIGIT: category == "Nd",
        NUMBER: category[0] == "N",
        PUNCTUATION: category[0] == "P",
        SYMBOL: category[0] == "S",
        UPPER: char.isupper(),
        LOWER: char.islower(),
        SPACELESS: point in spaceless and category[0] in "LM",
    }
    return sum(flag for flag, holds in tests.items() if holds)


def lower_of(point: int) -> int:
    """What to add to a code point for its lower case; 0 where that is not one code point."""
    lower = chr(point).lower()
    return ord(lower) - point if len(lower) == 1 else 0


def main() -> None:
    """Write the file and say what is in it."""
    bounds = [tuple(int(end, 16) for end in block.split("-")) for block in SPACELESS_BLOCKS.split()]
    spaceless = {point for first, last in bounds for point in range(first, last + 1)}
    points = range(sys.maxunicode + 1)
    flags = np.array([flags_of(point, spaceless) for point in points], dtype=np.int64)
    lower = np.array([lower_of(point) for point in points], dtype=np.int64)
    # One lookup of the block serves both tables.
    packed = flags | ((lower & 0xFFFFFFFF) << 16)
    rows = packed.reshape(-1, BLOCK)
    _, first, index = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)  # in the order in which they occur, so that ASCII is the first
    different, index = rows[first[order]], np.argsort(order)[index.reshape(-1)]
    flat = different.reshape(-1)
    np.savez_compressed(
        TARGET,
        blocks=index.reshape(-1).astype(np.uint16),
        flags=(flat & 0xFFFF).astype(np.uint16),
        lower=(flat >> 16).astype(np.uint32).view(np.int32),
        version=np.array(unicodedata.unidata_version),
    )
    print(f"{TARGET}: Unicode {unicodedata.unidata_version}, {len(different)} blocks, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
