"""Cosines against float64 sums, and the same bits whatever else is in the batch."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.cosines import add_by_number, cosines, drop_similar, nearest, pairs_within


def unit(rows: int, dimensions: int, seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(size=(rows, dimensions))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


def slow(a: np.ndarray, b: np.ndarray) -> float:
    total = 0.0
    for x, y in zip(a.tolist(), b.tolist(), strict=True):
        total += x * y
    return total


def test_cosines_are_summed_in_order() -> None:
    a, b = unit(20, 100, 0), unit(20, 100, 1)
    rows, others = np.arange(20), np.arange(20)[::-1].copy()
    assert cosines(a, rows, b, others).tolist() == [slow(a[i], b[19 - i]) for i in range(20)]


@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 100))
def test_the_nearest_centroid_is_that_of_brute_force(num: int, num_centroids: int, seed: int) -> None:
    vectors, centroids = unit(num, 8, seed), unit(num_centroids, 8, seed + 1)
    found = nearest(vectors, centroids)
    for i in range(num):
        scores = [slow(vectors[i], c) for c in centroids]
        assert found.number[i] == scores.index(max(scores))
        assert found.cosine[i] == max(scores)


def test_of_equally_near_centroids_the_first_is_taken() -> None:
    centroids = unit(3, 64, 0)[[0, 1, 1, 2, 0]]
    assert nearest(centroids, centroids).number.tolist() == [0, 1, 1, 3, 0]


def test_the_nearest_does_not_depend_on_the_batch() -> None:
    vectors, centroids = unit(3000, 256, 2), unit(1500, 256, 3)  # more than one block
    whole = nearest(vectors, centroids)
    for part in (slice(0, 1), slice(17, 20), slice(100, 1777)):
        found = nearest(vectors[part], centroids)
        assert (found.number == whole.number[part]).all()
        assert (found.cosine == whole.cosine[part]).all()
    assert nearest(vectors[:0], centroids).number.size == 0


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 100), st.sampled_from([-0.5, 0.0, 0.5, 0.9]))
def test_pairs_are_those_of_brute_force(num: int, num_others: int, seed: int, bound: float) -> None:
    vectors, others = unit(num, 4, seed), unit(num_others, 4, seed + 1)
    found = pairs_within(vectors, others, bound)
    expected = [
        (i, j, slow(vectors[i], others[j]))
        for i in range(num)
        for j in range(num_others)
        if slow(vectors[i], others[j]) >= bound
    ]
    assert list(zip(found.row.tolist(), found.other.tolist(), found.cosine.tolist(), strict=True)) == expected


def test_the_bound_itself_is_inside() -> None:
    a, b = unit(1, 256, 4), unit(1, 256, 5)
    cosine = slow(a[0], b[0])
    assert pairs_within(a, b, cosine).cosine.tolist() == [cosine]
    assert pairs_within(a, b, math.nextafter(cosine, 2)).row.size == 0


def test_sums_are_in_the_order_of_the_rows() -> None:
    vectors = unit(50, 16, 6)
    numbers = np.arange(50) % 3
    sums = np.zeros((4, 16))
    add_by_number(vectors, numbers, sums)
    assert (sums[3] == 0).all()
    assert sums[:3] == pytest.approx(np.array([vectors[n::3].sum(axis=0, dtype=np.float64) for n in range(3)]))


def test_a_dropped_document_drops_none() -> None:
    # 1 ~ 0, 2 ~ 1, 3 ~ 2: 1 goes for 0; 2 stays, because 1 went; 3 goes for 2. Pairs with later rows do not count.
    dropped = np.zeros(4, np.bool_)
    drop_similar(np.array([0, 1, 1, 2, 2, 3]), np.array([1, 0, 2, 1, 3, 2]), dropped)
    assert dropped.tolist() == [False, True, False, True]
