"""Examples of a corpus to train on: the documents with the smallest draws, so many of each label.

A draw is a hash of id and seed, so the same documents are drawn however they are partitioned, and in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from curate.document import uniform
from curate.kernels.url_parts import url_parts
from curate.kernels.utf8 import utf8

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from curate.spark.documents import Documents, Function

POSITIVE, NEGATIVE = "positive", "negative"
COLUMNS = ("doc_id", "source", "url", "language", "text")
_FIELDS = (
    ("draw", pa.float64()),
    *((name, pa.string()) for name in ("doc_id", "text", "label", "group", "language", "source", "url")),
)
SCHEMA = ", ".join(f"`{name}` {'double' if kind == pa.float64() else 'string'}" for name, kind in _FIELDS)


class Labels(NamedTuple):
    """Which sources are examples of what; `negative` None is all that are not positive."""

    positive: tuple[str, ...]
    negative: tuple[str, ...] | None

    def of(self, sources: pa.Array) -> pa.StringArray:
        """The label of each document by its source; null for no example."""
        names = sources.cast(pa.string())
        good = pc.is_in(names, value_set=pa.array(self.positive, pa.string()))
        if self.negative is None:
            return pc.if_else(good, POSITIVE, NEGATIVE)
        raw = pc.is_in(names, value_set=pa.array(self.negative, pa.string()))
        return pc.if_else(good, POSITIVE, pc.if_else(raw, NEGATIVE, pa.scalar(None, pa.string())))


def draws(doc_ids: pa.Array, seed: int) -> pa.DoubleArray:
    """A number in [0, 1) for each document."""
    return pa.array([uniform(doc_id, seed, "example") for doc_id in doc_ids.to_pylist()], pa.float64())


def candidates(documents: Documents, labels: Labels, seed: int, max_bytes: int) -> DataFrame:
    """Every document that may be an example, with its draw: columns of `SCHEMA`. Texts are cut at `max_bytes`."""
    return documents.map(COLUMNS, _marker(labels, seed, max_bytes), SCHEMA)


def smallest_draws(found: DataFrame, by: tuple[str, ...], limit: int, max_bytes: int) -> pa.Table:
    """The candidates with the smallest draws for each value of the columns `by`, in that order: up to `limit` each.

    Where texts are long there are fewer: as many as come to an equal part of `max_bytes` by their mean length.
    """
    sizes = found.groupBy(*by).agg(F.count("*").alias("texts"), F.sum(F.octet_length("text")).alias("bytes")).collect()
    tables = [pa.schema(_FIELDS).empty_table()]
    for size in sorted(sizes, key=lambda size: str([size[name] for name in by])):
        rows = found
        for name in by:
            rows = rows.where(F.col(name).eqNullSafe(F.lit(size[name])))
        room = max_bytes // len(sizes) * size["texts"] // size["bytes"]
        rows = rows.orderBy("draw", "doc_id").limit(min(limit, max(room, 1)))
        tables.append(rows.toArrow().cast(pa.schema(_FIELDS)))
    return pa.concat_tables(tables)


def largest_draws(examples: pa.Table, by: tuple[str, ...]) -> Mapping[tuple[str | None, ...], float]:
    """The largest draw among the examples of each value of the columns `by`: who drew no more was one."""
    rows = examples.group_by(list(by)).aggregate([("draw", "max")]).to_pylist()
    return {tuple(row[name] for name in by): row["draw_max"] for row in rows}


def _marker(labels: Labels, seed: int, max_bytes: int) -> Function:
    def mark(batch: pa.RecordBatch) -> pa.RecordBatch:
        label = labels.of(batch.column("source"))
        has_text = pc.greater(pc.fill_null(pc.binary_length(batch.column("text")), 0), 0)
        use = pc.and_(label.is_valid(), has_text)
        rows, label = batch.filter(use), label.filter(use)
        columns = {
            "draw": draws(rows.column("doc_id"), seed),
            "doc_id": rows.column("doc_id"),
            "text": heads(rows.column("text"), max_bytes),
            "label": label,
            "group": groups(rows.column("url"), rows.column("doc_id")),
            "language": rows.column("language"),
            "source": rows.column("source").cast(pa.string()),
            "url": rows.column("url"),
        }
        return pa.RecordBatch.from_arrays([columns[name] for name, _ in _FIELDS], schema=pa.schema(_FIELDS))

    return mark


def groups(urls: pa.StringArray, doc_ids: pa.StringArray) -> pa.StringArray:
    """What a split must not part: the host of a page, else the document."""
    hosts = url_parts(urls).host
    return pc.if_else(pc.fill_null(pc.equal(hosts, ""), True), doc_ids, hosts)


def heads(texts: pa.StringArray, max_bytes: int) -> pa.StringArray:
    """The first `max_bytes` of each text, less where that would cut a character."""
    data, offsets = utf8(texts)
    lengths = np.diff(offsets)
    if lengths.max(initial=0) <= max_bytes:
        return texts
    ends = offsets[:-1] + np.minimum(lengths, max_bytes)
    for _ in range(3):  # a character has three bytes at most beyond its first
        inside = (lengths > max_bytes) & ((data[np.minimum(ends, data.size - 1)] & 0xC0) == 0x80)
        ends = ends - inside
    taken = np.concatenate([data[start:end] for start, end in zip(offsets[:-1], ends, strict=True)])
    places = np.concatenate(([0], np.cumsum(ends - offsets[:-1]))).astype(np.int32)
    cut = pa.StringArray.from_buffers(len(texts), pa.py_buffer(places), pa.py_buffer(taken))
    return pc.if_else(texts.is_valid(), cut, pa.scalar(None, pa.string()))
