from __future__ import annotations

from itertools import groupby, pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.band_pairs import BandPairs

Rows = list[tuple[int, int]]
Pairs = list[tuple[int, int, int]]


def by_hand(rows: Rows, num_representatives: int, num_neighbours: int) -> Pairs:
    """Each member with the first and with those before it."""
    pairs = []
    for bucket, group in groupby(rows, key=lambda row: row[0]):
        members = list(dict.fromkeys(node for _, node in group))
        for place, node in enumerate(members):
            earlier = range(place)
            near = {p for p in earlier if p < num_representatives or p >= place - num_neighbours}
            pairs += [(bucket, members[p], node) for p in sorted(near)]
    return pairs


def fed(rows: Rows, num_representatives: int, num_neighbours: int, cuts: list[int]) -> Pairs:
    stream = BandPairs(num_representatives, num_neighbours)
    bounds, pairs = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)], []
    for start, end in pairwise(bounds):
        batch = np.array(rows[start:end], np.int64).reshape(-1, 2)
        found = stream.feed(batch[:, 0].copy(), batch[:, 1].copy())
        pairs += list(zip(*(values.tolist() for values in found), strict=True))
    return pairs


small = st.integers(-(2**63), 2**63 - 1)
buckets = st.lists(st.tuples(small, st.integers(1, 30)), max_size=6, unique_by=lambda bucket: bucket[0])
cuts = st.lists(st.integers(0, 150), max_size=6)


@given(buckets, st.integers(0, 4), st.integers(0, 4), cuts)
def test_pairs_are_those_of_brute_force_wherever_batches_are_cut(
    sizes: list[tuple[int, int]], num_representatives: int, num_neighbours: int, cuts: list[int]
) -> None:
    rows = [(bucket, 100 * i - node) for i, (bucket, size) in enumerate(sizes) for node in range(size)]
    expected = by_hand(rows, num_representatives, num_neighbours)
    assert fed(rows, num_representatives, num_neighbours, cuts) == expected
    assert len(set(expected)) == len(expected)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), max_size=40).map(sorted), cuts)
def test_a_node_that_comes_twice_in_a_bucket_counts_once(rows: Rows, cuts: list[int]) -> None:
    pairs = fed(rows, 2, 2, cuts)
    assert pairs == by_hand(rows, 2, 2)
    assert all(a != b for _, a, b in pairs)


def test_a_small_bucket_gives_all_pairs_and_the_next_size_one_less() -> None:
    for size, missing in ((5, 0), (6, 1)):
        pairs = fed([(7, node) for node in range(size)], 2, 2, [])
        assert len(pairs) == size * (size - 1) // 2 - missing


def test_a_bucket_of_one_gives_nothing() -> None:
    assert fed([(1, 5), (2, 5), (3, 6)], 8, 8, [1]) == []


def test_order_of_nodes_is_that_of_the_rows() -> None:
    assert fed([(1, 30), (1, 10), (1, 20)], 1, 0, []) == [(1, 30, 10), (1, 30, 20)]


def test_columns_that_cannot_be_written_to_are_read() -> None:
    hashes, nodes = pa.array([4, 4, 5]).to_numpy(), pa.array([1, 2, 3]).to_numpy()
    assert not hashes.flags.writeable
    assert [values.tolist() for values in BandPairs(8, 8).feed(hashes, nodes)] == [[4], [1], [2]]


def test_no_rows_and_no_partners() -> None:
    assert fed([], 8, 8, [0, 0]) == []
    assert fed([(1, 1), (1, 2)], 0, 0, []) == []


def test_a_bucket_of_a_million_makes_sixteen_million_pairs_in_batches() -> None:
    stream, num, last = BandPairs(8, 8), 0, None
    for start in range(0, 1_000_000, 50_000):
        found, a, b = stream.feed(np.full(50_000, 3), np.arange(start, start + 50_000))
        assert found.size <= 16 * 50_000
        num, last = num + found.size, (int(a[-1]), int(b[-1]))
    assert num == sum(min(place, 16) for place in range(1_000_000))
    assert last == (999_998, 999_999)
    assert sum(part.nbytes for part in vars(stream).values()) < 1000


@pytest.mark.parametrize("first", [0, -1, 5])
def test_the_first_bucket_may_have_any_hash(first: int) -> None:
    assert fed([(first, 0), (first, 0), (first, 1)], 2, 2, [1]) == [(first, 0, 1)]
