"""The true similarity of candidate pairs: Jaccard of the two shingle sets. LSH proposes, this decides.

The sets are joined by key to the documents that occur in a pair, once for each side. A document in very many pairs is a
skewed key of a join, which adaptive execution splits; it is never collected.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from curate.kernels.minhash import estimated_jaccards
from curate.kernels.shingles import jaccards

_SETS = ("a_shingles", "b_shingles", "a_signature", "b_signature")


def scored_pairs(candidates: DataFrame, sketches: DataFrame) -> DataFrame:
    """The candidates with a_url, b_url, `estimated_jaccard` (of the signatures) and `jaccard` (of the sets)."""
    joined = candidates.join(_side(sketches, "b"), _same("b")).drop("b_part", "b_row")
    joined = joined.join(_side(sketches, "a"), _same("a")).drop("a_part", "a_row")
    kept = [field for field in joined.schema if field.name not in _SETS]
    scores = "estimated_jaccard double, jaccard double"
    schema = ", ".join([*(f"{field.name} {field.dataType.simpleString()}" for field in kept), scores])
    return joined.mapInArrow(_score, schema)


def _side(sketches: DataFrame, side: str) -> DataFrame:
    columns = ("part", "row", "url", "shingles", "signature")
    return sketches.select(*(F.col(name).alias(f"{side}_{name}") for name in columns))


def _same(side: str) -> Column:
    return (F.col(f"{side}.part") == F.col(f"{side}_part")) & (F.col(f"{side}.row") == F.col(f"{side}_row"))


def _score(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        if batch.num_rows == 0:
            continue
        a, b = _sets(batch["a_shingles"]), _sets(batch["b_shingles"])
        estimates = estimated_jaccards(_signatures(batch["a_signature"]), _signatures(batch["b_signature"]))
        kept = batch.select([name for name in batch.schema.names if name not in _SETS])
        kept = kept.append_column("estimated_jaccard", pa.array(estimates))
        yield kept.append_column("jaccard", pa.array(jaccards(*a, *b)))


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
