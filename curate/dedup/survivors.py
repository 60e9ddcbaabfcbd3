"""Which documents of each cluster stay, and what each of the others is a duplicate of.

A cluster is what verified pairs connect, and two of its members may have little in common: A is like B, B is like C, A
is not like C. So there are two rules, and a recipe says which. `by_edges`: in order of priority each document stays
unless a better one that stays is its verified neighbour (the lexicographically first maximal independent set), so
nothing goes without a pair that says why. `by_cluster`: the best of each cluster stays, all others go, as in toolkits
that take the component for the decision.

The result depends on the pairs and the priority alone, not on partitioning or the order of rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Literal

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from curate.kernels.survivors import Judge, Judged

Rule = Literal["by_edges", "by_cluster"]

SCHEMA = "node long, component long, cluster_size long, duplicate_of long, jaccard double"


def judged(verified_pairs: DataFrame, components: DataFrame, rule: Rule = "by_edges") -> DataFrame:
    """One row for each node of `components`: node, component, cluster_size, duplicate_of, jaccard.

    `verified_pairs` has a and b (long; a before b in priority), a_order (the priority of a: any type that sorts; the
    node decides between equal ones) and jaccard (double), none of them null. `components` (node, component) are those
    of these pairs, or of more: a node without a pair stays, and counts in `cluster_size` like every other.

    `duplicate_of` is null in what stays. By edges it is a neighbour that stays, the most similar, of equally similar
    ones the best in priority, and `jaccard` is that pair's. By cluster it is the cluster's best document, and `jaccard`
    is null where no pair of the two was verified.

    Each component is read by one task as a sorted stream, which Spark sorts and spills; the task holds 46 to 69 bytes
    for each document of one component. Nothing is materialised: save what is read twice.
    """
    pairs = verified_pairs.select(F.col("a").alias("node"), "b", "a_order", F.col("jaccard").cast("double"))
    members = components.join(pairs, "node", "left").withColumn("b", F.coalesce("b", "node"))
    sorted_rows = members.repartition("component").sortWithinPartitions(
        "component", F.col("a_order").asc_nulls_last(), "node"
    )
    rows = sorted_rows.select("component", "node", "b", F.coalesce("jaccard", F.lit(0.0)).alias("jaccard"))
    return rows.mapInArrow(partial(_judge, by_cluster=rule == "by_cluster"), SCHEMA)


def cluster_table(components: DataFrame) -> DataFrame:
    """node, cluster (its smallest node), cluster_size (of its documents, dropped ones included) for each node."""
    size = F.count(F.lit(1)).over(Window.partitionBy("component"))
    return components.select("node", F.col("component").alias("cluster"), size.alias("cluster_size"))


def _judge(batches: Iterable[pa.RecordBatch], by_cluster: bool) -> Iterator[pa.RecordBatch]:
    judge = Judge(by_cluster)
    for batch in batches:
        judge.judge(*(batch.column(name).to_numpy() for name in ("component", "node", "b", "jaccard")))
        yield from map(_record_batch, judge.decided())
    judge.close()
    yield from map(_record_batch, judge.decided())


def _record_batch(rows: Judged) -> pa.RecordBatch:
    """Of `SCHEMA`. Copies, since the rows are good for a moment only."""
    stays = rows.duplicate_of == rows.nodes
    columns = [
        pa.array(rows.nodes.copy()),
        pa.array(rows.components.copy()),
        pa.array(rows.sizes.copy()),
        pa.array(rows.duplicate_of, mask=stays),
        pa.array(rows.jaccards, mask=stays | np.isnan(rows.jaccards)),
    ]
    return pa.record_batch(columns, names=["node", "component", "cluster_size", "duplicate_of", "jaccard"])
