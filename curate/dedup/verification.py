"""The true similarity of candidate pairs: Jaccard and containment of the two shingle sets. LSH proposes, this decides.

Sets are joined by node to the pairs, first for one side, then for the other. A document in very many pairs is a skewed
key of a join, which adaptive execution splits; it is never collected.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from curate.kernels.minhash import estimated_jaccards
from curate.kernels.shingles import similarities

_SETS = ("a_shingles", "b_shingles", "a_signature", "b_signature")


def scored_pairs(candidates: DataFrame, sketches: DataFrame) -> DataFrame:
    """The candidates with a_order, and of both sides doc_id, id and url, and three similarities in [0, 1].

    `estimated_jaccard` is that of the signatures; `jaccard` = |A ∩ B| / |A ∪ B| and `containment` = |A ∩ B| over the
    smaller of |A| and |B| are those of the sets.
    """
    order = F.col("order").alias("a_order")
    joined = candidates.join(_side(sketches, "b"), "b").join(_side(sketches, "a", order), "a")
    kept = [field for field in joined.schema if field.name not in _SETS]
    scores = "estimated_jaccard double, jaccard double, containment double"
    schema = ", ".join([*(f"{field.name} {field.dataType.simpleString()}" for field in kept), scores])
    return joined.mapInArrow(_score, schema)


def _side(sketches: DataFrame, side: str, *others: Column) -> DataFrame:
    columns = ("doc_id", "id", "url", "shingles", "signature")
    named = (F.col(name).alias(f"{side}_{name}") for name in columns)
    return sketches.select(F.col("node").alias(side), *named, *others)


def _score(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        if batch.num_rows == 0:
            continue
        a, b = _sets(batch["a_shingles"]), _sets(batch["b_shingles"])
        jaccard, containment = similarities(*a, *b)
        estimates = estimated_jaccards(_signatures(batch["a_signature"]), _signatures(batch["b_signature"]))
        kept = batch.select([name for name in batch.schema.names if name not in _SETS])
        for name, scores in (("estimated_jaccard", estimates), ("jaccard", jaccard), ("containment", containment)):
            kept = kept.append_column(name, pa.array(scores))
        yield kept


def _bytes(column: pa.BinaryArray) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The bytes of a binary column without nulls, and the offsets of its rows in them, from 0."""
    column = column.cast(pa.large_binary())
    _, positions, body = column.buffers()
    offsets = np.frombuffer(positions, np.int64)[column.offset : column.offset + len(column) + 1]
    return np.frombuffer(body, np.uint8)[offsets[0] : offsets[-1]], offsets - offsets[0]


def _sets(column: pa.BinaryArray) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    data, offsets = _bytes(column)
    return np.require(data.view(np.uint64), requirements="A"), offsets // 8


def _signatures(column: pa.BinaryArray) -> NDArray[np.uint32]:
    data, _ = _bytes(column)
    return data.view(np.uint32).reshape(len(column), -1)
