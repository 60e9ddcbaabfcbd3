from __future__ import annotations

import networkx
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.union_find import UnionFind

NODES = st.integers(-3, 25) | st.integers(-(2**63), 2**63 - 1)
EDGES = st.lists(st.tuples(NODES, NODES), max_size=60)
Edges = list[tuple[int, int]]


def stars(*batches: Edges, capacity: int = 1, num_rows: int = 7) -> dict[int, int]:
    forest = UnionFind(capacity)
    for edges in batches:
        pairs = np.array(edges, np.int64).reshape(-1, 2)
        forest.unite(np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1]))
    rows = [row for part in forest.stars(num_rows) for row in zip(*(column.tolist() for column in part), strict=True)]
    assert len(rows) == len(forest) == len(dict(rows))
    return dict(rows)


def smallest(edges: Edges) -> dict[int, int]:
    return {node: min(part) for part in networkx.connected_components(networkx.Graph(edges)) for node in part}


@given(EDGES)
def test_each_node_is_tied_to_the_smallest_it_is_connected_with(edges: Edges) -> None:
    assert stars(edges) == smallest(edges)


@given(EDGES, st.randoms(use_true_random=False), st.integers(1, 9))
def test_neither_order_nor_batches_nor_direction_count(edges: Edges, random: object, size: int) -> None:
    mixed = [edge[::-1] if random.random() < 0.5 else edge for edge in edges]  # type: ignore[attr-defined]
    random.shuffle(mixed)  # type: ignore[attr-defined]
    batches = [mixed[at : at + size] for at in range(0, len(mixed), size)]
    assert stars(*batches) == stars(edges)


@given(EDGES, st.integers(0, 60))
def test_stars_of_parts_connect_what_the_parts_connect(edges: Edges, cut: int) -> None:
    assert stars([*stars(edges[:cut]).items(), *stars(edges[cut:]).items()]) == smallest(edges)


def test_no_edges_give_no_stars_and_a_loop_keeps_its_node() -> None:
    assert stars([]) == {}
    assert stars([(7, 7)]) == {7: 7}


def test_a_chain_of_100_000_in_random_order_and_a_star_of_a_million() -> None:
    rng = np.random.default_rng(0)
    chain, order = rng.permutation(100_000), rng.permutation(99_999)
    forest = UnionFind()
    forest.unite(chain[:-1][order], chain[1:][order])
    assert all((centres == 0).all() for _, centres in forest.stars())
    forest = UnionFind()
    forest.unite(np.full(1_000_000, 1_000_000), np.arange(1_000_000))
    assert len(forest) == 1_000_001
    assert all((centres == 0).all() for _, centres in forest.stars())
