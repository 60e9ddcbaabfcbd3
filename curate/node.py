"""A document's key between relations: 64 bits that say where it lies.

    generation (11 bits) | part (24 bits) | row (28 bits)

Part and row are those of the pass before a corpus stage. The generation is 0 for what is being judged, and counts from
1 within an index that grows (`curate.dedup.index`). A node is a key and no more: it changes with the order of the
input, so it must decide nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ROW_BITS = 28  # a part is made of one split of 64 MiB at most
PART_BITS = 24
GENERATION_BITS = 11
GENERATION_SHIFT = PART_BITS + ROW_BITS
ROW_MASK = (1 << ROW_BITS) - 1
LOCAL_MASK = (1 << GENERATION_SHIFT) - 1  # part and row
MAX_GENERATION = (1 << GENERATION_BITS) - 1

Nodes = NDArray[np.int64]


def nodes(part: int, rows: Nodes) -> Nodes:
    """The nodes of some rows of a part of generation 0."""
    return rows.astype(np.int64) | np.int64(part << ROW_BITS)


def located(node: int) -> tuple[int, int, int]:
    """(generation, part, row)

    >>> located(3 << GENERATION_SHIFT | 2 << ROW_BITS | 1)
    (3, 2, 1)
    """
    return node >> GENERATION_SHIFT, (node & LOCAL_MASK) >> ROW_BITS, node & ROW_MASK
