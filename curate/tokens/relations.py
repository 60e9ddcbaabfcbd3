"""The relations between encoded documents and shards: where a running total crosses a bound, which shard takes what.

Both look at a histogram over hash buckets, which Spark adds up, and never at all documents in one place; they see a
document's numbers, not its text. The result does not depend on partitions or order.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from curate.tokens.plan import Crossing

_CROSSING_BUCKETS = 2**16
_BUCKETS_PER_SHARD = 64  # a shard's size is off by at most 1/64 or by one document, whichever is more

_CROSSED_SCHEMA = pa.schema(
    [("source", pa.string()), ("bucket", pa.int32()), ("before", pa.int64()), ("bound", pa.int64())]
)
_SHARD_SCHEMA = pa.schema([("split", pa.string()), ("bucket", pa.int32()), ("shard", pa.int32())])


def source_tokens(documents: DataFrame) -> dict[str, int]:
    """Tokens of each source."""
    rows = documents.groupBy("source").agg(F.sum("num_tokens").alias("tokens")).collect()
    return {row.source: row.tokens for row in rows}


def with_copies(documents: DataFrame) -> DataFrame:
    """The same with the tokens of all copies in `num_tokens`."""
    return documents.withColumn("num_tokens", F.col("num_tokens") * F.col("copies"))


def crossings(spark: SparkSession, documents: DataFrame, key: str, bounds: Mapping[str, int]) -> dict[str, Crossing]:
    """For each source in `bounds`: where its running total of tokens, by (`key`, doc_id), first is at least the bound.

    `key` is a column in [0, 1). A source whose total is below its bound is absent. Rows with equal ids count together,
    so that copies of a document are never taken apart. Exact: the bucket is found on the histogram, the document inside
    it by a window over that 65,536th of the source.
    """
    if not bounds:
        return {}
    documents = documents.where(F.col("source").isin(list(bounds)))
    bucketed = documents.withColumn("bucket", F.floor(F.col(key) * _CROSSING_BUCKETS).cast("int"))
    # At most 65,536 rows for each source, as Arrow: a few megabytes.
    histogram = bucketed.groupBy("source", "bucket").agg(F.sum("num_tokens").alias("tokens")).toArrow()
    crossed = spark.createDataFrame(_crossed(histogram, bounds))
    # A range, not rows: it takes equal ids in together.
    running = Window.partitionBy("source").orderBy(key, "doc_id").rangeBetween(Window.unboundedPreceding, 0)
    rows = (
        bucketed.join(F.broadcast(crossed), ["source", "bucket"])
        .withColumn("total", F.col("before") + F.sum("num_tokens").over(running))
        .where(F.col("total") >= F.col("bound"))
        .groupBy("source")
        .agg(F.min(F.struct(key, "doc_id", "total")).alias("first"))
        .collect()
    )
    return {row.source: Crossing((row.first[0], row.first[1]), row.first[2]) for row in rows}


def _crossed(histogram: pa.Table, bounds: Mapping[str, int]) -> pa.Table:
    """For each source whose total reaches its bound: the bucket in which it does, and the total before that."""
    rows = []
    for source, bound in bounds.items():
        mine = histogram.filter(pc.equal(histogram["source"], source)).sort_by("bucket")
        totals = np.cumsum(mine["tokens"].to_numpy())
        at = int(np.searchsorted(totals, bound))  # the first total at or above the bound
        if at < len(totals):
            before = int(totals[at - 1]) if at else 0
            rows.append({"source": source, "bucket": mine["bucket"][at].as_py(), "before": before, "bound": bound})
    return pa.Table.from_pylist(rows, schema=_CROSSED_SCHEMA)


def num_buckets(expected_tokens: int, shard_tokens: int) -> int:
    """A power of two, so that `position * num_buckets` is exact."""
    shards = -(-expected_tokens // shard_tokens)
    return 1 << max(10, (_BUCKETS_PER_SHARD * shards - 1).bit_length())


def shard_of_bucket(placed: DataFrame, buckets: int, shard_tokens: int) -> pa.Table:
    """Which shard takes the documents of which bucket of positions: split, bucket, shard.

    A split of T tokens has n = ceil(T / shard_tokens) shards of T / n tokens each, as near as whole buckets allow;
    fewer where single documents are larger than that.
    """
    bucket = F.floor(F.col("position") * buckets).cast("int").alias("bucket")
    histogram = placed.groupBy("split", bucket).agg(F.sum("num_tokens").alias("tokens")).toArrow()
    tables = []
    for split in pc.unique(histogram["split"]):
        mine = histogram.filter(pc.equal(histogram["split"], split)).sort_by("bucket")
        shards = even_shards(mine["tokens"].to_numpy(), shard_tokens)
        tables.append(mine.select(["split", "bucket"]).append_column("shard", pa.array(shards, pa.int32())))
    return pa.concat_tables([_SHARD_SCHEMA.empty_table(), *tables])


def even_shards(tokens: NDArray[np.int64], shard_tokens: int) -> NDArray[np.int64]:
    """The shard of each bucket, from 0 and without gaps, never falling: int64[len(tokens)].

    A bucket goes to the shard in whose equal part of the total its middle lies, so an error is half a bucket each way.
    """
    total = int(tokens.sum())
    count = max(1, -(-total // shard_tokens))
    middle = 2 * np.cumsum(tokens) - tokens  # of each bucket, times two
    raw = np.array([min(int(m) * count // (2 * total), count - 1) for m in middle], np.int64)
    return np.unique(raw, return_inverse=True)[1].astype(np.int64)


def in_shard_order(spark: SparkSession, placed: DataFrame, shards: pa.Table, buckets: int) -> DataFrame:
    """Documents with their shard, a shard whole in one partition, in the order in which they are written."""
    bucket = F.floor(F.col("position") * buckets).cast("int")
    num_shards = shards.group_by(["split", "shard"]).aggregate([]).num_rows
    return (
        placed.withColumn("bucket", bucket)
        .join(F.broadcast(spark.createDataFrame(shards)), ["split", "bucket"])
        .repartition(max(1, num_shards), "split", "shard")
        .sortWithinPartitions("split", "shard", "position", "doc_id", "source", "epoch", "digest")
    )
