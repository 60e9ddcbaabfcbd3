"""Connected components of a graph of documents, exact for any partitioning, in one Spark job where the graph is small.

Each task contracts the edges that it has to a forest of stars (each node tied to the smallest it is connected with)
before anything is shuffled. If what is left fits in one task, that task finishes. Otherwise rounds of small-star and
large-star follow (Kiveris et al. 2014, "Connected components in MapReduce and beyond"), the small-star by the same
contraction over all edges that go down from a node. Rounds are logarithmic in practice: a chain of 100,000 nodes in
random order took 3, from 8 partitions of edges with 2 of each shuffle.

No edge reaches the driver. A task that contracts holds 18 to 27 bytes a node, so 54 an edge at most, and no more than
`MAX_TASK_NODES` where nothing is known of its input; a large-star is a sort, which Spark spills. What a round leaves is
kept by the executors (`localCheckpoint`): one that is lost then fails the pass, which begins again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple

import pyarrow as pa
from pyspark.sql import DataFrame, Observation, Window
from pyspark.sql import functions as F

from curate.kernels.union_find import UnionFind

SCHEMA = "node long, component long"
#: Nodes a task holds before it gives away its stars and begins again: 226 MB. Less contracted is as right.
MAX_TASK_NODES = 1 << 23
#: Rows of a task of the small-star, on average; its nodes are not cut, so that each round gets somewhere.
TASK_ROWS = 4_000_000


class Stars(NamedTuple):
    """Ties of nodes to smaller ones, materialised: node, component. A node tied to none has a row with itself."""

    ties: DataFrame
    num_rows: int
    is_settled: bool  # each node has one row, with its component


def components(edges: DataFrame, *, one_task_edges: int = 4_000_000) -> DataFrame:
    """node, component (the smallest node that it is connected with): one row for each node of `edges` (a long, b long).

    Neither column is ever null. An edge from a node to itself keeps that node, as a component of its own where it has
    no other. No edges, no rows. Up to `one_task_edges` contracted edges are finished by one task, in 54 bytes each at
    most; it runs with the action that reads the result, so save what is read twice.
    """
    *_, stars = rounds(contracted(edges), one_task_edges)
    if stars.is_settled:
        return stars.ties
    return stars.ties.coalesce(1).mapInArrow(_contract, SCHEMA)


def rounds(stars: Stars, one_task_edges: int) -> Iterator[Stars]:
    """The stars and what each round makes of them, until they fit in one task or are settled."""
    yield stars
    while stars.num_rows > one_task_edges and not stars.is_settled:
        stars = large_star(small_star(stars))
        yield stars


def contracted(edges: DataFrame) -> Stars:
    """The forests of stars that the tasks make of the edges they have."""
    contract = partial(_contract, max_nodes=MAX_TASK_NODES)
    return _materialised(edges.select("a", "b").mapInArrow(contract, SCHEMA).withColumn("is_open", F.lit(True)))


def small_star(stars: Stars) -> DataFrame:
    """Each node and all that it is tied to are tied to the smallest of them, and further as far as its task knows."""
    wanted = int(stars.ties.sparkSession.conf.get("spark.sql.shuffle.partitions") or 1)
    local = stars.ties.mapInArrow(partial(_contract, max_nodes=MAX_TASK_NODES), SCHEMA)  # a node once from each task
    by_node = local.repartition(max(wanted, -(-stars.num_rows // TASK_ROWS)), "node")
    return by_node.mapInArrow(_contract, SCHEMA)


def large_star(ties: DataFrame) -> Stars:
    """Each node's larger neighbours are tied to the smallest of it and its neighbours.

    Where `ties` are a forest of stars already, the result is the same forest with one row for each node, and no row is
    open. A node that shows otherwise (it has a smaller neighbour and another one) gives an open row: its own tie.
    """
    node, other, lowest = F.col("node"), F.col("other"), F.col("lowest")
    ends = ties.select("node", F.col("component").alias("other"))
    both_ways = F.array(F.struct("node", "other"), F.struct(other.alias("node"), node.alias("other")))
    neighbours = ends.select(F.inline(both_ways)).repartition("node").distinct()
    around = Window.partitionBy("node")
    least, most = F.min(other).over(around), F.max(other).over(around)
    seen = neighbours.select("node", "other", least.alias("lowest"), most.alias("highest"))
    is_open = (other == lowest) & (lowest < node) & (lowest < F.col("highest"))
    is_centre = (other == node) & (lowest == node)
    tied = seen.where((other > node) | is_centre | is_open)
    larger, smallest = F.greatest("node", "other").alias("node"), F.least("node", "lowest").alias("component")
    return _materialised(tied.select(larger, smallest, is_open.alias("is_open")))


def _contract(batches: Iterable[pa.RecordBatch], max_nodes: int | None = None) -> Iterator[pa.RecordBatch]:
    """node, component: every node of the edges (two int64 columns) once; again after each `max_nodes` or so."""
    forest = UnionFind()
    for batch in batches:
        forest.unite(batch.column(0).to_numpy(), batch.column(1).to_numpy())
        if max_nodes is not None and len(forest) >= max_nodes:
            yield from _batches(forest)
            forest = UnionFind()
    yield from _batches(forest)


def _batches(forest: UnionFind) -> Iterator[pa.RecordBatch]:
    for nodes, smallest in forest.stars():
        yield pa.record_batch([pa.array(nodes), pa.array(smallest)], names=["node", "component"])


def _materialised(ties: DataFrame) -> Stars:
    """Computed now and cut from their history, in one job that also counts: a plan would grow with each round."""
    seen = Observation()
    counts = F.count(F.lit(1)).alias("num_rows"), F.count_if("is_open").alias("num_open")
    kept = ties.observe(seen, *counts).select("node", "component").localCheckpoint()
    return Stars(kept, seen.get["num_rows"], is_settled=seen.get["num_open"] == 0)
