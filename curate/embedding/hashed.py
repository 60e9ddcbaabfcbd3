"""The embedding that needs no model: TF-IDF over hashed terms under random projection, fitted to the corpus itself.

How rare each term is, is counted on all documents in one pass; the counts are at most one for each bucket, whatever the
size of the corpus. See `curate.kernels.hashed_terms` for what a vector is and what its cosines mean.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.hashed_terms import TopTerms, document_frequencies, embedded, idf, top_terms

if TYPE_CHECKING:
    from curate.spark.documents import Documents

_NUM_TEXTS = -1  # in place of a bucket: how many texts have a term

_COUNTS = pa.schema([("bucket", pa.int32()), ("texts", pa.int64())])


class HashedTfIdf(NamedTuple):
    """A fitted embedding; it can be sent to workers."""

    weights: NDArray[np.float32]  # by bucket
    dimensions: int
    seed: int
    max_bytes: int

    def embed(self, texts: pa.Array) -> NDArray[np.float32]:
        """Unit vectors, float32[num_texts, dimensions]; zeros for a text without a term."""
        return embedded(texts, self.weights, self.dimensions, self.seed, self.max_bytes)

    def terms(self, texts: pa.Array, count: int) -> TopTerms:
        """The `count` terms of each text that its vector is most made of."""
        return top_terms(texts, self.weights, count, self.max_bytes)


def fitted(documents: Documents, bits: int, dimensions: int, seed: int, max_bytes: int) -> HashedTfIdf:
    """The embedding with the inverse document frequencies of these documents in 2**bits buckets."""
    counted = documents.map(("text",), _counter(bits, max_bytes), "bucket int, texts long")
    total = counted.groupBy("bucket").sum("texts").toArrow()
    buckets, texts = (column.to_numpy() for column in total.columns)
    frequencies, is_bucket = np.zeros(1 << bits, np.int64), buckets != _NUM_TEXTS
    frequencies[buckets[is_bucket]] = texts[is_bucket]
    return HashedTfIdf(idf(frequencies, int(texts[~is_bucket].sum())), dimensions, seed, max_bytes)


def _counter(bits: int, max_bytes: int) -> Callable[[pa.RecordBatch], pa.RecordBatch]:
    def count(batch: pa.RecordBatch) -> pa.RecordBatch:
        frequencies, num_texts = document_frequencies(batch.column("text"), bits, max_bytes)
        buckets = np.flatnonzero(frequencies)
        columns = (np.append(buckets, _NUM_TEXTS).astype(np.int32), np.append(frequencies[buckets], num_texts))
        return pa.RecordBatch.from_arrays([pa.array(column) for column in columns], schema=_COUNTS)

    return count
