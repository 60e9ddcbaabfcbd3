from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import networkx
import pytest

from curate.dedup.components import components, is_forest_of_stars

pytestmark = pytest.mark.spark

Edges = list[tuple[int, int]]


def found(spark: Any, edges: Edges) -> dict[int, int]:
    rows = components(spark.createDataFrame(edges, "a long, b long")).collect()
    assert len(rows) == len({r.node for r in rows})
    return {r.node: r.component for r in rows}


def expected(edges: Edges) -> dict[int, int]:
    graph = networkx.Graph(edges)
    return {node: min(part) for part in networkx.connected_components(graph) for node in part}


def gnm(nodes: int, edges: int, seed: int) -> Edges:
    return [(int(a), int(b)) for a, b in networkx.gnm_random_graph(nodes, edges, seed).edges]


@pytest.mark.parametrize("edges", [gnm(200, 120, 1), gnm(60, 300, 2)], ids=["sparse", "dense"])
def test_components_are_those_of_networkx(spark: Any, edges: Edges) -> None:
    assert found(spark, edges) == expected(edges)


def test_a_long_chain_is_one_component(spark: Any) -> None:
    order = list(range(64))
    random.Random(0).shuffle(order)
    chain = list(pairwise(order))
    assert found(spark, [*chain, (100, 101), (7, 7), (200, 200)]) == expected([*chain, (100, 101), (200, 200)])


def test_no_edges_give_no_components(spark: Any) -> None:
    assert found(spark, []) == {}


@pytest.mark.parametrize(
    ("edges", "stars"),
    [([], True), ([(2, 1), (3, 1)], True), ([(2, 1), (3, 2)], False), ([(3, 1), (3, 2)], False)],
)
def test_what_a_forest_of_stars_is(spark: Any, edges: Edges, stars: bool) -> None:
    assert is_forest_of_stars(spark.createDataFrame(edges, "u long, v long")) is stars
