"""Who stays in a cluster: in order, a document stays unless one before it that stays is similar.

That is the lexicographically first maximal independent set of the graph of similar pairs, so the outcome depends on the
order alone, and a document goes only for one that stays. What has been dropped need not be kept in memory: a cluster is
read as a stream, and its survivors' vectors are all that is held. They are bounded too: of a cluster with more than
`max_compared` survivors the latest are compared with, which under `keep: longest` are those alike in length. Then a
duplicate may stay; none goes for it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.cosines import Int64s, Vectors, drop_similar, pairs_within

#: Documents settled at a time, so that most comparisons are products of matrices.
BLOCK = 1024
#: Survivors named for one dropped document, the most similar ones.
MAX_SIMILAR = 8

SIMILAR_DDL = "array<struct<node: bigint, cosine: double>>"


class Survivors:
    """Of one cluster: the nodes and vectors of its documents that stay, the latest `max_compared`, in order."""

    def __init__(self, cluster: int, dimensions: int, max_compared: int) -> None:
        self.cluster, self.max_compared = cluster, max_compared
        self._vectors, self._nodes = np.empty((0, dimensions), np.float32), np.empty(0, np.int64)
        self._first = self._end = 0

    @property
    def vectors(self) -> Vectors:
        """float32[num_survivors, dimensions]."""
        return self._vectors[self._first : self._end]

    @property
    def nodes(self) -> Int64s:
        """int64[num_survivors]."""
        return self._nodes[self._first : self._end]

    def add(self, vectors: Vectors, nodes: Int64s) -> None:
        """Take in more of them, after those that are there."""
        if self._end + len(nodes) > len(self._nodes):
            vectors, nodes = np.concatenate([self.vectors, vectors]), np.concatenate([self.nodes, nodes])
            size = min(2 * len(nodes), self.max_compared + len(nodes))
            self._vectors, self._nodes = np.empty((size, vectors.shape[1]), np.float32), np.empty(size, np.int64)
            self._first = self._end = 0
        end = self._end + len(nodes)
        self._vectors[self._end : end], self._nodes[self._end : end] = vectors, nodes
        self._first, self._end = max(self._first, end - self.max_compared), end


def with_similar(batches: Iterable[pa.RecordBatch], min_cosine: float, max_compared: int) -> Iterator[pa.RecordBatch]:
    """The batches with `similar` in place of `vector`: null in a document that stays, else those that drop it.

    Batches come sorted by `cluster` and by the order of documents; `vector` holds float32 as bytes, of one length
    throughout. `similar` lists up to `MAX_SIMILAR` survivors whose cosine is at least `min_cosine`, the most similar
    first.
    """
    survivors: Survivors | None = None
    for batch in batches:
        vectors = matrix(batch.column("vector"))
        clusters, nodes = (batch.column(name).to_numpy() for name in ("cluster", "node"))
        for start, end in _blocks(clusters):
            if survivors is None or survivors.cluster != clusters[start]:
                survivors = Survivors(int(clusters[start]), vectors.shape[1], max_compared)
            similar = _settle(vectors[start:end], nodes[start:end], survivors, min_cosine)
            kept = batch.slice(start, end - start).drop_columns(["vector"])
            yield kept.append_column("similar", similar)


def matrix(column: pa.BinaryArray) -> Vectors:
    """Vectors out of a binary column of equal lengths: float32[num_rows, dimensions]."""
    column = column.cast(pa.large_binary())
    _, positions, body = column.buffers()
    offsets = np.frombuffer(positions, np.int64)[column.offset : column.offset + len(column) + 1]
    data = np.frombuffer(body, np.uint8)[offsets[0] : offsets[-1]] if len(column) else np.zeros(0, np.uint8)
    values = np.require(data.view(np.float32), requirements="A")
    return values.reshape(len(column), -1) if len(column) else values.reshape(0, 0)


def binary(vectors: Vectors) -> pa.BinaryArray:
    """The same back."""
    width = vectors.shape[1] * 4
    if not width:
        return pa.array([b""] * len(vectors), pa.binary())
    whole = pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(vectors), [None, pa.py_buffer(vectors)])
    return whole.cast(pa.binary())


def _blocks(clusters: Int64s) -> Iterator[tuple[int, int]]:
    """Runs of one cluster, of `BLOCK` rows at most."""
    bounds = [0, *(np.flatnonzero(np.diff(clusters)) + 1).tolist(), len(clusters)]
    for first, last in itertools.pairwise(bounds):
        for start in range(first, last, BLOCK):
            yield start, min(start + BLOCK, last)


def _settle(vectors: Vectors, nodes: Int64s, survivors: Survivors, min_cosine: float) -> pa.ListArray:
    earlier = pairs_within(vectors, survivors.vectors, min_cosine)
    own = pairs_within(vectors, vectors, min_cosine)
    dropped = np.zeros(len(nodes), np.bool_)
    dropped[earlier.row] = True
    drop_similar(own.row, own.other, dropped)
    deciding = (own.other < own.row) & ~dropped[own.other]
    rows = np.concatenate([earlier.row, own.row[deciding]])
    # Places in the order of the cluster: its survivors so far, and then this block.
    others = np.concatenate([earlier.other, own.other[deciding] + len(survivors.nodes)])
    found = np.concatenate([earlier.cosine, own.cosine[deciding]])
    similar = _most_similar(len(nodes), rows, others, found, np.concatenate([survivors.nodes, nodes]))
    survivors.add(vectors[~dropped], nodes[~dropped])
    return similar


def _most_similar(
    num_rows: int, rows: Int64s, others: Int64s, found: NDArray[np.float64], nodes: Int64s
) -> pa.ListArray:
    """For each row its survivors, the most similar first and of equal ones the first; null where it has none."""
    order = np.lexsort((others, -found, rows))
    rows, others, found = rows[order], others[order], found[order]
    counts = np.bincount(rows, minlength=num_rows)
    place = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    kept = place < MAX_SIMILAR
    named = pa.StructArray.from_arrays([pa.array(nodes[others[kept]]), pa.array(found[kept])], ["node", "cosine"])
    offsets = np.concatenate([[0], np.cumsum(np.minimum(counts, MAX_SIMILAR))]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), named, mask=pa.array(counts == 0))
