"""Pairs of documents that share a band of their signatures, in linear number however many share it.

A bucket is the documents with one band hash. Its members are put in order of priority, and each is paired with the
`num_representatives` first of the bucket and with the `num_neighbours` before it (the sorted neighbourhood of Hernández
and Stolfo 1995; under `keep: longest` neighbours are alike in length, which similar sets must be). So a bucket of up to
num_representatives + num_neighbours + 1 members gives all its pairs, and one of n gives fewer than
n * (num_representatives + num_neighbours) of them, not n² / 2.

The price: in a larger bucket two members far apart, neither among the first, meet only if another band brings them
together. Then a duplicate may stay. None is ever removed for it, since a removal needs a verified pair.
"""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from curate.dedup.priority import Keep, priority


def band_hashes(sketches: DataFrame, keep: Keep) -> DataFrame:
    """band int, hash long, node: one row for each document and band. `node` is its priority, which is its key too."""
    node = priority(keep).alias("node")
    return sketches.select(node, F.posexplode("bands").alias("band", "hash"))


def candidate_pairs(band_hashes: DataFrame, num_representatives: int, num_neighbours: int) -> DataFrame:
    """a, b (nodes, a before b in priority), band (the first they share), num_bands (in how many they met)."""
    bucket = Window.partitionBy("band", "hash")
    ordered = bucket.orderBy("node")
    shared = band_hashes.withColumn("size", F.count(F.lit(1)).over(bucket)).where("size > 1")
    placed = shared.withColumn("place", F.row_number().over(ordered))
    is_first = F.col("place") <= num_representatives
    first = F.collect_list(F.when(is_first, F.col("node"))).over(bucket)  # nulls are not collected
    before = F.collect_list("node").over(ordered.rowsBetween(-num_neighbours, -1))
    partnered = placed.select("band", F.col("node").alias("b"), F.array_union(first, before).alias("partners"))
    pairs = partnered.select("band", "b", F.explode("partners").alias("a")).where("a < b")
    return pairs.groupBy("a", "b").agg(F.min("band").alias("band"), F.count(F.lit(1)).alias("num_bands"))
