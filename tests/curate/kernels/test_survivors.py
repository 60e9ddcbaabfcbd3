from __future__ import annotations

import math

import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.survivors import Judge

Pairs = dict[tuple[int, int], float]  # (a, b), a before b in priority, which is the order of numbers here
Row = tuple[int, int, int, float | None]  # component, size, duplicate_of (the node itself: stays), jaccard

#: Few different similarities, so that ties are met.
PAIRS = st.dictionaries(
    st.tuples(st.integers(0, 14), st.integers(0, 14)).filter(lambda ab: ab[0] < ab[1]),
    st.sampled_from([0.7, 0.8, 0.9, 1.0]),
    max_size=40,
)


def judged(pairs: Pairs, by_cluster: bool, batch: int = 1000, alone: tuple[int, ...] = ()) -> dict[int, Row]:
    graph = networkx.Graph(list(pairs))
    component = {node: min(part) for part in networkx.connected_components(graph) for node in part}
    component |= {node: node for node in alone}
    rows = [(component[a], a, b, pairs[a, b]) for a, b in pairs]
    rows += [(component[node], node, node, 0.0) for node in component if not any(a == node for a, _ in pairs)]
    has_pairs = {a for a, _ in pairs}
    rows.sort(key=lambda row: (row[0], row[1] not in has_pairs, row[1]))
    columns = list(zip(*rows, strict=True)) or [()] * 4
    a, b, c = (np.array(column, np.int64) for column in columns[:3])
    judge, found = Judge(by_cluster, capacity=1), []
    for at in range(0, len(rows), batch):
        cut = slice(at, at + batch)
        judge.judge(a[cut], b[cut], c[cut], np.array(columns[3])[cut])
        found += [row for part in judge.decided(3) for row in zip(*(column.tolist() for column in part), strict=True)]
    judge.close()
    found += [row for part in judge.decided(3) for row in zip(*(column.tolist() for column in part), strict=True)]
    assert len(found) == len({row[0] for row in found})
    return {row[0]: (*row[1:4], None if math.isnan(row[4]) else row[4]) for row in found}


def sizes(pairs: Pairs) -> dict[int, tuple[int, int]]:
    parts = networkx.connected_components(networkx.Graph(list(pairs)))
    return {node: (min(part), len(part)) for part in parts for node in part}


def greedy(pairs: Pairs) -> dict[int, Row]:
    """In order of priority each stays unless one that stays is its neighbour."""
    stays: set[int] = set()
    rows = {}
    for node, cluster in sorted(sizes(pairs).items()):
        better = [(-pairs[a, node], a) for a in stays if (a, node) in pairs]
        if not better:
            stays.add(node)
        rows[node] = (*cluster, min(better)[1], -min(better)[0]) if better else (*cluster, node, None)
    return rows


@given(PAIRS, st.integers(1, 9))
def test_by_edges_is_the_greedy_choice_in_order_of_priority(pairs: Pairs, batch: int) -> None:
    assert judged(pairs, False, batch) == greedy(pairs)


@given(PAIRS, st.integers(1, 9))
def test_by_cluster_only_the_best_stays(pairs: Pairs, batch: int) -> None:
    expected = {node: (best, n, best, pairs.get((best, node))) for node, (best, n) in sizes(pairs).items()}
    assert judged(pairs, True, batch) == expected


@given(PAIRS)
def test_by_edges_two_that_stay_are_no_pair_and_each_that_goes_has_a_pair_with_one_that_stays(pairs: Pairs) -> None:
    found = judged(pairs, False)
    stays = {node for node, row in found.items() if row[2] == node}
    assert not any(a in stays and b in stays for a, b in pairs)
    assert all(row[2] in stays and pairs[row[2], node] == row[3] for node, row in found.items() if node not in stays)


def test_the_duplicate_of_a_dropped_document_stays_by_edges_and_goes_by_cluster() -> None:
    chain = {(1, 2): 0.9, (2, 3): 0.9}
    assert judged(chain, False) == {1: (1, 3, 1, None), 2: (1, 3, 1, 0.9), 3: (1, 3, 3, None)}
    assert judged(chain, True) == {1: (1, 3, 1, None), 2: (1, 3, 1, 0.9), 3: (1, 3, 1, None)}


@pytest.mark.parametrize(("similarity", "choice"), [(0.8, 1), (0.9, 1), (0.95, 2)], ids=["less", "equal", "more"])
def test_the_most_similar_survivor_is_named_and_of_equals_the_better(similarity: float, choice: int) -> None:
    assert judged({(1, 3): 0.9, (2, 3): similarity}, False)[3][2] == choice


@pytest.mark.parametrize("by_cluster", [False, True])
def test_what_has_no_pair_stays(by_cluster: bool) -> None:
    assert judged({}, by_cluster) == {}
    assert judged({}, by_cluster, alone=(4, 9)) == {4: (4, 1, 4, None), 9: (9, 1, 9, None)}


def test_a_large_component_between_small_ones() -> None:
    pairs = {(0, 1): 1.0} | {(10, node): 0.8 for node in range(11, 5000)} | {(6000, 6001): 0.75}
    found = judged(pairs, False, batch=100)
    assert found == judged(pairs, True, batch=1000)
    assert found[4999] == (10, 4990, 10, 0.8)
    assert found[6001] == (6000, 2, 6000, 0.75)
