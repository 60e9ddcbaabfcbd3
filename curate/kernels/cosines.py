"""Cosines of unit vectors that do not depend on what else is in the batch.

A product of matrices is the fast way to many cosines, but its sums are taken in an order that depends on the shapes, so
the last bits of a cosine change with the batch that it is computed in, and a decision on a bound with them. So here
the product only proposes: what it puts within its error of the best, or of the bound, is computed again in float64 in
the order of the dimensions, and that number decides. The error of a sum of n float32 products of unit vectors is at
most n · 2**-24 in any order (Higham 2002, section 3.1); twice that is allowed for.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import compiled

Vectors = NDArray[np.float32]
Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]

#: Cosines computed at a time: 16 MB of float32.
_BLOCK = 4 << 20


class Nearest(NamedTuple):
    """The nearest centroid of each vector."""

    number: Int64s
    cosine: Float64s


class Pairs(NamedTuple):
    """Rows of one set of vectors and of another, and their cosine, by row and then by row of the other."""

    row: Int64s
    other: Int64s
    cosine: Float64s


def cosines(a: Vectors, rows: Int64s, b: Vectors, others: Int64s) -> Float64s:
    """a[rows[i]] · b[others[i]]: float64[num_pairs], summed in the order of the dimensions."""
    out = np.empty(rows.size, np.float64)
    _dots(a, rows, b, others, out)
    return out


def nearest(vectors: Vectors, centroids: Vectors) -> Nearest:
    """For each vector the centroid with the highest cosine, of equal ones the first. There is at least one centroid."""
    found = [_nearest(part, centroids) for part in _blocks(vectors, len(centroids))]
    if not found:
        return Nearest(np.zeros(0, np.int64), np.zeros(0, np.float64))
    return Nearest(np.concatenate([f.number for f in found]), np.concatenate([f.cosine for f in found]))


def pairs_within(vectors: Vectors, others: Vectors, min_cosine: float) -> Pairs:
    """All pairs of a row of `vectors` and one of `others` whose cosine is at least `min_cosine`, the bound inside."""
    proposed: list[tuple[Int64s, Int64s]] = []
    bound = np.float32(min_cosine - _error(vectors))
    first = 0
    for part in _blocks(vectors, len(others)):
        rows, columns = np.nonzero(part @ others.T >= bound)
        proposed.append((rows + first, columns))
        first += len(part)
    rows, columns = (np.concatenate(list(side)) for side in zip(*proposed, strict=True)) if proposed else (_NO, _NO)
    exact = cosines(vectors, rows, others, columns)
    kept = exact >= min_cosine
    return Pairs(rows[kept], columns[kept], exact[kept])


_NO = np.zeros(0, np.int64)


def _nearest(vectors: Vectors, centroids: Vectors) -> Nearest:
    scores = vectors @ centroids.T
    close = scores >= scores.max(axis=1, keepdims=True) - np.float32(2 * _error(vectors))
    rows, columns = np.nonzero(close)
    exact = cosines(vectors, rows, centroids, columns)
    order = np.lexsort((columns, -exact, rows))  # by row, then the highest, then the first
    best = order[np.unique(rows[order], return_index=True)[1]]
    return Nearest(columns[best], exact[best])


def _error(vectors: Vectors) -> float:
    return float(vectors.shape[1] * 2.0**-23)


def _blocks(vectors: Vectors, num_others: int) -> list[Vectors]:
    rows = max(1, _BLOCK // max(1, num_others))
    return [vectors[start : start + rows] for start in range(0, len(vectors), rows)] if num_others else []


@compiled
def _dots(a: Vectors, rows: Int64s, b: Vectors, others: Int64s, out: Float64s) -> None:
    for i in range(out.size):
        x, y, total = a[rows[i]], b[others[i]], 0.0
        for j in range(x.size):
            total += np.float64(x[j]) * np.float64(y[j])
        out[i] = total


@compiled
def add_by_number(vectors: Vectors, numbers: Int64s, sums: Float64s) -> None:
    """Add each vector to the row of `sums` (float64[num, dimensions]) that its number names, in their order."""
    for i in range(numbers.size):
        row, vector = sums[numbers[i]], vectors[i]
        for j in range(vector.size):
            row[j] += np.float64(vector[j])


@compiled
def drop_similar(rows: Int64s, others: Int64s, dropped: NDArray[np.bool_]) -> None:
    """Mark each row that is paired with an earlier one which is not marked. Pairs come by row: the other is settled."""
    for i in range(rows.size):
        if others[i] < rows[i] and not dropped[others[i]]:
            dropped[rows[i]] = True
