from __future__ import annotations

import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import networkx
import numpy as np
import pyarrow as pa
import pytest

from curate.dedup import components as module
from curate.dedup.components import SCHEMA, components, contracted, large_star, rounds, small_star

pytestmark = pytest.mark.spark

Edges = list[tuple[int, int]]
ROUNDS_ONLY, ONE_TASK = 0, 10**9
LOOPS = [(7, 7), (2000, 2000), (-5, -5)]


@pytest.fixture(autouse=True)
def four_partitions(spark: Any) -> Iterator[None]:
    """With two, a task knows half of the graph and rounds have little to do."""
    before = spark.conf.get("spark.sql.shuffle.partitions")
    spark.conf.set("spark.sql.shuffle.partitions", "4")
    yield
    spark.conf.set("spark.sql.shuffle.partitions", before)


def frame(spark: Any, a: Any, b: Any, partitions: int = 8) -> Any:
    table = pa.table({"a": np.asarray(a, np.int64), "b": np.asarray(b, np.int64)})
    return spark.createDataFrame(table).repartition(partitions)


def found(spark: Any, edges: Edges, one_task_edges: int, partitions: int = 8) -> dict[int, int]:
    a, b = zip(*edges, strict=True) if edges else ((), ())
    rows = components(frame(spark, a, b, partitions), one_task_edges=one_task_edges).collect()
    assert len(rows) == len({row.node for row in rows})
    return {row.node: row.component for row in rows}


def expected(edges: Edges) -> dict[int, int]:
    return {node: min(part) for part in networkx.connected_components(networkx.Graph(edges)) for node in part}


def gnm(nodes: int, edges: int, seed: int) -> Edges:
    """A random graph whose nodes are numbered without order, with loops and some edges twice."""
    names = random.Random(seed).sample(range(-(2**61), 2**61), nodes)
    plain = [(names[a], names[b]) for a, b in networkx.gnm_random_graph(nodes, edges, seed).edges]
    return [*plain, *(edge[::-1] for edge in plain[::3]), *LOOPS]


@pytest.mark.parametrize("one_task_edges", [ROUNDS_ONLY, ONE_TASK], ids=["rounds", "one task"])
@pytest.mark.parametrize("edges", [gnm(400, 260, 1), gnm(60, 300, 2)], ids=["sparse", "dense"])
def test_components_are_those_of_networkx(spark: Any, edges: Edges, one_task_edges: int) -> None:
    assert found(spark, edges, one_task_edges) == expected(edges)


@pytest.mark.parametrize("partitions", [1, 16])
def test_partitions_do_not_count(spark: Any, partitions: int) -> None:
    edges = gnm(100, 70, 3)
    assert found(spark, edges, ROUNDS_ONLY, partitions) == found(spark, edges, ONE_TASK, partitions) == expected(edges)


@pytest.mark.parametrize("one_task_edges", [ROUNDS_ONLY, ONE_TASK], ids=["rounds", "one task"])
def test_no_edges_give_no_components(spark: Any, one_task_edges: int) -> None:
    assert found(spark, [], one_task_edges) == {}


def test_tasks_that_may_hold_few_nodes_change_nothing(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TASK_NODES", 10)
    edges = gnm(3000, 2000, 4)  # more than one batch of Arrow in a task
    assert contracted(frame(spark, *zip(*edges, strict=True), 1)).num_rows > len(expected(edges))
    assert found(spark, edges, ROUNDS_ONLY, 1) == expected(edges)


def test_a_long_chain_takes_logarithmic_rounds(spark: Any) -> None:
    rng = np.random.default_rng(0)
    names, order = rng.permutation(100_000) + 1, rng.permutation(99_999)
    edges = frame(spark, names[:-1][order], names[1:][order])
    *before, last = rounds(contracted(edges), ROUNDS_ONLY)
    assert 1 < len(before) <= math.log2(100_000)
    assert not any(stars.is_settled for stars in before)
    assert last.is_settled
    assert last.num_rows == last.ties.where("component = 1").count() == 100_000
    assert components(edges).where("component = 1").count() == 100_000


def test_a_star_around_its_largest_node(spark: Any) -> None:
    edges = frame(spark, np.full(1_000_000, 1_000_000), np.arange(1_000_000))
    *before, last = rounds(contracted(edges), ROUNDS_ONLY)
    assert len(before) <= 3
    assert last.num_rows == last.ties.where("component = 0").count() == 1_000_001
    assert components(edges).where("component = 0").count() == 1_000_001


def test_rounds_stop_where_one_task_can_finish(spark: Any) -> None:
    edges = gnm(400, 800, 5)
    stars = contracted(frame(spark, *zip(*edges, strict=True)))
    assert list(rounds(stars, stars.num_rows)) == [stars]
    assert len(list(rounds(stars, stars.num_rows - 1))) > 1


@pytest.mark.parametrize(
    ("ties", "settled", "after"),
    [
        ([], True, set()),
        ([(2, 1), (3, 1), (1, 1), (9, 9)], True, {(1, 1), (2, 1), (3, 1), (9, 9)}),
        ([(2, 1), (3, 2)], False, {(2, 1), (3, 1)}),
        ([(3, 1), (3, 2), (1, 1), (2, 2)], False, {(3, 1), (3, 2), (1, 1), (2, 2)}),
    ],
    ids=["none", "stars", "path", "node tied to two"],
)
def test_large_star_ties_larger_neighbours_and_knows_a_forest_of_stars(
    spark: Any, ties: Edges, settled: bool, after: set[tuple[int, int]]
) -> None:
    stars = large_star(spark.createDataFrame(ties, SCHEMA))
    assert stars.is_settled is settled
    rows = [(row.node, row.component) for row in stars.ties.collect()]
    assert set(rows) - {(1, 1)} == after - {(1, 1)}
    assert not settled or len(rows) == len(after)


def test_small_star_ties_what_a_node_is_tied_to(spark: Any) -> None:
    stars = contracted(frame(spark, [3, 3, 3], [1, 2, 3], 1))._replace(
        ties=spark.createDataFrame([(3, 1), (3, 2)], SCHEMA).repartition(2)
    )
    assert {(3, 1), (2, 1)} <= {(row.node, row.component) for row in small_star(stars).collect()}


def test_a_small_graph_costs_one_job_before_it_is_read(spark: Any, tmp_path: Path) -> None:
    frame(spark, range(0, 2000, 2), range(1, 2001, 2)).write.parquet(str(tmp_path / "edges"))
    edges = spark.read.parquet(str(tmp_path / "edges"))
    context, group = spark.sparkContext, "components of a small graph"
    context.setJobGroup(group, group)
    components(edges)
    jobs = context.statusTracker().getJobIdsForGroup(group)
    context.setJobGroup("others", "others")
    assert len(jobs) == 1
