from __future__ import annotations

import random
from functools import cache
from typing import Any, NamedTuple

import networkx
import pytest
from pyspark.sql import functions as F

from curate.dedup.components import components
from curate.dedup.survivors import Rule, cluster_table, judged

pytestmark = pytest.mark.spark

Order = tuple[int, int]  # rank_0, id: ties in both, so that every part of the order decides somewhere
Verdict = tuple[int, int, int | None, float | None]  # component, cluster_size, duplicate_of, jaccard


class Graph(NamedTuple):
    order: dict[int, Order]
    pairs: dict[tuple[int, int], float]  # the better document first
    clusters: dict[int, list[int]]  # each node's cluster in order of priority


@cache
def graph() -> Graph:
    chance = random.Random(7)
    names = chance.sample(range(-(2**40), 2**40), 300)
    order = {node: (chance.randrange(3), chance.randrange(40)) for node in names}
    edges = [(names[a], names[b]) for a, b in networkx.gnm_random_graph(300, 330, 7).edges]
    edges += [(names[a], names[b]) for a in range(12) for b in range(a)]

    def priority(node: int) -> tuple[Order, int]:
        return order[node], node

    pairs = {tuple(sorted(edge, key=priority)): chance.choice((0.8, 0.85, 0.9)) for edge in edges}
    parts = networkx.connected_components(networkx.Graph(edges))
    return Graph(order, pairs, {node: sorted(part, key=priority) for part in parts for node in part})  # type: ignore[arg-type]


def by_edges() -> dict[int, Verdict]:
    """In order of priority each stays unless one that stays is its neighbour, over all documents at once."""
    order, pairs, clusters = graph()
    stays: set[int] = set()
    verdicts: dict[int, Verdict] = {}
    for node in sorted(clusters, key=lambda node: (order[node], node)):
        better = [((-pairs[a, node]), order[a], a) for a in stays if (a, node) in pairs]
        if not better:
            stays.add(node)
        named = (min(better)[2], -min(better)[0]) if better else (None, None)
        verdicts[node] = (min(clusters[node]), len(clusters[node]), *named)
    return verdicts


def by_cluster() -> dict[int, Verdict]:
    """All but the first of a cluster go."""
    verdicts: dict[int, Verdict] = {}
    for node, cluster in graph().clusters.items():
        best = cluster[0]
        named = (None, None) if node == best else (best, graph().pairs.get((best, node)))
        verdicts[node] = (min(cluster), len(cluster), *named)
    return verdicts


def pairs_frame(spark: Any, rows: list[tuple[int, int, Order, float]]) -> Any:
    return spark.createDataFrame(rows, "a long, b long, a_order struct<rank_0: bigint, id: bigint>, jaccard double")


def verdicts(frame: Any) -> dict[int, Verdict]:
    rows = frame.collect()
    assert len(rows) == len({row.node for row in rows})
    return {row.node: (row.component, row.cluster_size, row.duplicate_of, row.jaccard) for row in rows}


@pytest.mark.parametrize("partitions", [1, 4, 32])
@pytest.mark.parametrize(("rule", "oracle"), [("by_edges", by_edges), ("by_cluster", by_cluster)])
def test_the_verdicts_are_the_oracle_s_for_any_partitions_and_order_of_rows(
    spark: Any, rule: Rule, oracle: Any, partitions: int
) -> None:
    order, pairs, _ = graph()
    rows = [(a, b, order[a], jaccard) for (a, b), jaccard in pairs.items()]
    random.Random(partitions).shuffle(rows)
    frame = pairs_frame(spark, rows).repartition(partitions, F.rand(partitions))
    shuffle_partitions = spark.conf.get("spark.sql.shuffle.partitions")
    spark.conf.set("spark.sql.shuffle.partitions", str(partitions))
    try:
        assert verdicts(judged(frame, components(frame), rule)) == oracle()
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", shuffle_partitions)


def test_the_two_rules_differ_on_the_graph_of_these_tests() -> None:
    assert by_edges() != by_cluster()
    assert any(verdict[2] is not None and verdict[3] is None for verdict in by_cluster().values())


def test_a_node_without_a_pair_stays_and_counts(spark: Any) -> None:
    """Node 5 is in the cluster by an edge that is no verified pair; 9 is a cluster of its own."""
    pairs = pairs_frame(spark, [(3, 1, (0, 0), 0.9)])
    clusters = components(spark.createDataFrame([(3, 1), (1, 5), (9, 9)], "a long, b long"))
    alone = {9: (9, 1, None, None)}
    pair = {3: (1, 3, None, None), 1: (1, 3, 3, 0.9)}
    assert verdicts(judged(pairs, clusters)) == {**pair, 5: (1, 3, None, None), **alone}
    assert verdicts(judged(pairs, clusters, "by_cluster")) == {**pair, 5: (1, 3, 3, None), **alone}


def test_clusters_without_a_verified_pair_lose_nothing(spark: Any) -> None:
    clusters = components(spark.createDataFrame([(3, 1)], "a long, b long"))
    both = {1: (1, 2, None, None), 3: (1, 2, None, None)}
    assert verdicts(judged(pairs_frame(spark, []), clusters, "by_cluster")) == both


@pytest.mark.parametrize("rule", ["by_edges", "by_cluster"])
def test_no_pairs_give_no_rows(spark: Any, rule: Rule) -> None:
    none = pairs_frame(spark, [])
    assert verdicts(judged(none, components(none), rule)) == {}


def test_the_cluster_table_has_each_node_once_with_the_size_of_its_cluster(spark: Any) -> None:
    table = cluster_table(components(spark.createDataFrame([(3, 1), (1, 5), (9, 9)], "a long, b long")))
    rows = sorted(tuple(row) for row in table.collect())
    assert table.columns == ["node", "cluster", "cluster_size"]
    assert rows == [(1, 1, 3), (3, 1, 3), (5, 1, 3), (9, 9, 1)]
