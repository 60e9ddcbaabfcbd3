"""What the clusters of semantic deduplication are about, for a person to read: sizes, examples, leading terms.

It looks at the few documents nearest to each centroid and reads no other text; what reaches the driver is a few rows a
cluster. Sums are of integers, so that the page does not change with the partitioning.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from curate.embedding.hashed import HashedTfIdf
from curate.embedding.settings import Embedder
from curate.spark.documents import Documents

NUM_EXAMPLES = 5
NUM_TERMS = 8
_TERMS_OF_EXAMPLE = 32

_SCALE = 1_000_000_000  # cosines and weights as integers
_PLACE = "struct<far: bigint, id: bigint, node: bigint>"  # sorts: the nearest to the centroid first
_SUMMARY = f"cluster long, size long, num_dropped long, total long, nearest array<{_PLACE}>"
_SCHEMA = "cluster long, size long, num_dropped long, mean_cosine double, examples array<string>, terms array<string>"


def described(judged: DataFrame, documents: Documents, embedder: Embedder) -> DataFrame:
    """cluster, size, num_dropped, mean_cosine with the centroid, examples (doc_ids, the nearest first), terms.

    The largest cluster comes first. `terms` are those with the most weight in the examples, null where the embedding
    is not made of terms.
    """
    clusters = summaries(judged).toArrow().to_pylist()
    nodes = [(place["node"],) for cluster in clusters for place in cluster["nearest"]]
    examples = documents.spark.createDataFrame(nodes, "node long")
    read = {row["node"]: row for row in _read(examples, documents, embedder).toArrow().to_pylist()}
    rows = [_row(cluster, [read[place["node"]] for place in cluster["nearest"]]) for cluster in clusters]
    rows.sort(key=lambda row: (-row[1], row[0]))
    return documents.spark.createDataFrame(rows, _SCHEMA).coalesce(1)


def summaries(judged: DataFrame) -> DataFrame:
    """cluster, size, num_dropped, total of the cosines, the `NUM_EXAMPLES` documents nearest to the centroid."""
    columns = judged.select("cluster", "centroid_cosine", "id", "node", F.col("similar").isNotNull().alias("goes"))
    partial = columns.mapInArrow(_summarise, _SUMMARY).groupBy("cluster")
    nearest = F.slice(F.array_sort(F.flatten(F.collect_list("nearest"))), 1, NUM_EXAMPLES)
    sums = [F.sum(name).alias(name) for name in ("size", "num_dropped", "total")]
    return partial.agg(*sums, nearest.alias("nearest"))


def _summarise(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same of each cluster within each batch."""
    for batch in batches:
        clusters, cosines, ids, nodes, goes = (c.to_numpy(zero_copy_only=False) for c in batch.columns)
        far = -np.round(cosines * _SCALE).astype(np.int64)
        order = np.lexsort((nodes, ids, far, clusters))
        numbers, starts, sizes = np.unique(clusters[order], return_index=True, return_counts=True)
        if not len(numbers):
            continue
        kept = np.minimum(sizes, NUM_EXAMPLES)
        offsets = np.concatenate([[0], np.cumsum(kept)])
        first = order[np.repeat(starts - offsets[:-1], kept) + np.arange(offsets[-1])]
        places = pa.StructArray.from_arrays([pa.array(x[first]) for x in (far, ids, nodes)], ["far", "id", "node"])
        sums = [np.add.reduceat(x[order].astype(np.int64), starts) for x in (goes, -far)]
        nearest = pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), places)
        arrays = [*(pa.array(x.astype(np.int64)) for x in (numbers, sizes, *sums)), nearest]
        yield pa.RecordBatch.from_arrays(arrays, ["cluster", "size", "num_dropped", "total", "nearest"])


def _read(examples: DataFrame, documents: Documents, embedder: Embedder) -> DataFrame:
    """node and doc_id of the examples, with their terms where there are any."""
    if not isinstance(embedder, HashedTfIdf):
        return documents.at(examples, ("doc_id",), lambda batch: batch, "node long, doc_id string")
    schema = "node long, doc_id string, terms array<string>, weights array<long>"
    return documents.at(examples, ("doc_id", "text"), _term_reader(embedder), schema)


def _term_reader(embedder: HashedTfIdf) -> Callable[[pa.RecordBatch], pa.RecordBatch]:
    def read(batch: pa.RecordBatch) -> pa.RecordBatch:
        found = embedder.terms(batch.column("text"), _TERMS_OF_EXAMPLE)
        ends = pa.array(np.searchsorted(found.rows, np.arange(batch.num_rows + 1)).astype(np.int32))
        weights = np.round(found.weights * _SCALE).astype(np.int64)
        terms = pa.ListArray.from_arrays(ends, pa.array(found.terms, pa.string()))
        arrays = [batch["node"], batch["doc_id"], terms, pa.ListArray.from_arrays(ends, pa.array(weights))]
        return pa.RecordBatch.from_arrays(arrays, ["node", "doc_id", "terms", "weights"])

    return read


def _row(cluster: dict[str, Any], examples: list[dict[str, Any]]) -> tuple[Any, ...]:
    """A row of `_SCHEMA`."""
    mean = cluster["total"] / cluster["size"] / _SCALE
    weights: Counter[str] = Counter()
    for example in examples:
        for term, weight in zip(example.get("terms", ()), example.get("weights", ()), strict=True):
            weights[term] += weight
    leading = sorted(weights, key=lambda term: (-weights[term], term))[:NUM_TERMS]
    names = [example["doc_id"] for example in examples]
    has_terms = any("terms" in example for example in examples)
    return (cluster["cluster"], cluster["size"], cluster["num_dropped"], mean, names, leading if has_terms else None)
