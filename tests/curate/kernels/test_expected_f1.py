"""The best set of blocks against all prefixes in order of probability, and against all sets."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.expected_f1 import choose

# Few values, so that many blocks tie.
PROBABILITIES = st.one_of(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.floats(0, 1, width=32))
BLOCKS = st.tuples(PROBABILITIES, st.integers(0, 300))
BETAS = st.sampled_from([0.25, 0.5, 1.0, 2.0, 4.0])


def expected_f(blocks: list[tuple[float, int]], chosen: list[int], beta: float) -> float:
    right = sum(blocks[i][0] * blocks[i][1] for i in chosen)
    kept, all_right = sum(blocks[i][1] for i in chosen), sum(p * t for p, t in blocks)
    return (1 + beta**2) * right / (kept + beta**2 * all_right) if right else 0.0


def chosen_of(blocks: list[tuple[float, int]], beta: float = 1.0):
    p, t = (np.array([block[i] for block in blocks], np.float32) for i in range(2))
    chosen, expected = choose(p, t, beta)
    return np.flatnonzero(chosen).tolist(), expected


@given(st.lists(BLOCKS, max_size=60), BETAS)
def test_no_prefix_is_better(blocks: list[tuple[float, int]], beta: float) -> None:
    chosen, expected = chosen_of(blocks, beta)
    by_probability = sorted(range(len(blocks)), key=lambda i: (-blocks[i][0], i))
    prefixes = [by_probability[:size] for size in range(len(blocks) + 1)]
    assert expected.f == pytest.approx(max(expected_f(blocks, prefix, beta) for prefix in prefixes), rel=1e-9)
    assert expected.f == pytest.approx(expected_f(blocks, chosen, beta), rel=1e-9)


@given(st.lists(BLOCKS, max_size=10), BETAS)
def test_no_set_is_better(blocks: list[tuple[float, int]], beta: float) -> None:
    numbers = range(len(blocks))
    best = max(
        expected_f(blocks, list(some), beta) for n in range(len(blocks) + 1) for some in combinations(numbers, n)
    )
    assert chosen_of(blocks, beta)[1].f == pytest.approx(best, rel=1e-9)


@given(st.lists(BLOCKS, min_size=1, max_size=40), BETAS)
def test_f_is_of_the_expected_precision_and_recall(blocks: list[tuple[float, int]], beta: float) -> None:
    chosen, (f, precision, recall) = chosen_of(blocks, beta)
    if not chosen:
        assert (f, precision, recall) == (0, 0, 0)
        return
    right = sum(blocks[i][0] * blocks[i][1] for i in chosen)
    assert precision == pytest.approx(right / sum(blocks[i][1] for i in chosen))
    assert recall == pytest.approx(right / sum(p * t for p, t in blocks))
    assert f == pytest.approx((1 + beta**2) * precision * recall / (beta**2 * precision + recall))


@given(st.lists(BLOCKS, max_size=40))
def test_a_higher_beta_keeps_at_least_as_much(blocks: list[tuple[float, int]]) -> None:
    kept = [set(chosen_of(blocks, beta)[0]) for beta in (0.25, 0.5, 1, 2, 4)]
    assert all(less <= more for less, more in pairwise(kept))


@given(st.lists(BLOCKS, max_size=40), st.randoms())
def test_the_order_of_blocks_does_not_matter(blocks: list[tuple[float, int]], random) -> None:
    shuffled = random.sample(blocks, len(blocks))
    assert sorted(blocks[i] for i in chosen_of(blocks)[0]) == sorted(shuffled[i] for i in chosen_of(shuffled)[0])


@pytest.mark.parametrize(("p", "kept"), [(0.41, [0]), (0.42, [0, 1])])
def test_a_block_is_kept_above_half_of_the_best_f(p: float, kept: list[int]) -> None:
    """With the certain block alone F is 200 / (200 + 100 p), so p is worth it where p² + 2p > 1: above √2 - 1."""
    assert chosen_of([(1.0, 100), (p, 100)])[0] == kept


def test_of_two_sets_that_are_as_good_the_smaller_is_kept() -> None:
    """F is 1/2 without the second block and with it: its probability is exactly half of that."""
    chosen, expected = chosen_of([(0.5, 100), (0.25, 200)])
    assert chosen == [0]
    assert expected == (0.5, 0.5, 0.5)
    assert expected_f([(0.5, 100), (0.25, 200)], [0, 1], 1) == 0.5


def test_blocks_without_words_are_kept_by_their_probability() -> None:
    assert chosen_of([(1.0, 10), (0.9, 0), (0.1, 0)])[0] == [0, 1]


def test_a_doubtful_page_keeps_what_a_certain_one_drops() -> None:
    assert chosen_of([(0.3, 100), (0.3, 100), (0.25, 100)])[0] == [0, 1, 2]
    assert chosen_of([(1.0, 100), (1.0, 100), (0.25, 100)])[0] == [0, 1]


@pytest.mark.parametrize("blocks", [[], [(0.0, 10)], [(1.0, 0), (0.5, 0)], [(float("nan"), 10), (1.0, 10)]])
def test_nothing_is_kept_where_nothing_is_expected(blocks: list[tuple[float, int]]) -> None:
    assert chosen_of(blocks) == ([], (0, 0, 0))


def test_many_blocks_of_falling_probability_end_soon() -> None:
    blocks = [(0.999**i, 10 + i % 7) for i in range(30_000)]
    chosen, expected = chosen_of(blocks)
    assert chosen == list(range(len(chosen)))
    assert expected.f == pytest.approx(
        max(expected_f(blocks, chosen[:n], 1) for n in range(1, len(chosen) + 1, 100)), rel=1e-3
    )
