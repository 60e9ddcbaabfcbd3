"""Pairs of documents that share a band of their signatures, in linear number however many share it.

A bucket is the documents with one band hash. Its members are put in order of priority, and each is paired with the
`num_representatives` first of the bucket and with the `num_neighbours` before it (the sorted neighbourhood of Hernández
and Stolfo 1995; under `keep: longest` neighbours are alike in length, which similar sets must be). So a bucket of up to
num_representatives + num_neighbours + 1 members gives all its pairs, and one of n gives fewer than
n * (num_representatives + num_neighbours) of them, not n² / 2. Buckets come to a task one after the other, sorted by
Spark, which spills: a bucket with every document of the corpus takes no more memory than one with two.

The price: in a larger bucket two members far apart, neither among the first, meet only if another band brings them
together. Then a duplicate may stay. None is ever removed for it, since a removal needs a verified pair.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from curate.kernels.band_pairs import BandPairs


def candidate_pairs(
    band_rows: DataFrame, num_representatives: int, num_neighbours: int, num_partitions: int
) -> DataFrame:
    """a, b (nodes, a before b in priority), band (the first they share), num_bands (in how many they met)."""
    buckets = band_rows.repartition(num_partitions, "hash").sortWithinPartitions("hash", "order", "node")

    def pair_up(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        pairs = BandPairs(num_representatives, num_neighbours)
        for batch in batches:
            hashes, a, b = pairs.feed(batch["hash"].to_numpy(), batch["node"].to_numpy())
            yield pa.RecordBatch.from_pydict({"band": pa.array(hashes & 1023), "a": pa.array(a), "b": pa.array(b)})

    met = buckets.select("hash", "node").mapInArrow(pair_up, "band long, a long, b long")
    return met.groupBy("a", "b").agg(F.min("band").cast("int").alias("band"), F.count(F.lit(1)).alias("num_bands"))
