"""How many lines of a text are long."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.compiled import compiled
from curate.kernels.utf8 import Bytes, Offsets, utf8


def long_line_counts(texts: pa.Array, min_chars: int) -> NDArray[np.int64]:
    """Lines of at least `min_chars` characters in each text: int64[len(texts)]; null and empty texts have none.

    A line ends at "\\n"; white space at its ends is of its characters.

    >>> long_line_counts(pa.array(["four\\nfive!\\n", None]), 5).tolist()
    [1, 0]
    """
    data, offsets = utf8(texts)
    counts: NDArray[np.int64] = _counts(data, offsets, min_chars)
    return counts


@compiled
def _counts(data: Bytes, offsets: Offsets, min_chars: int) -> NDArray[np.int64]:
    counts = np.zeros(offsets.size - 1, np.int64)
    for row in range(counts.size):
        chars = 0
        for at in range(offsets[row], offsets[row + 1]):
            if data[at] == 10:
                counts[row] += chars >= min_chars
                chars = 0
            else:
                chars += data[at] & 0xC0 != 0x80
        counts[row] += chars >= min_chars and offsets[row + 1] > offsets[row]
    return counts
