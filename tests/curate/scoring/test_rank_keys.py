from __future__ import annotations

import itertools
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.scoring.rank_keys import gumbel, ranks, ties, values_of

NUMBERS = st.floats(allow_nan=False) | st.sampled_from([0.0, -0.0, math.inf, -math.inf, 5e-324, -5e-324])


@given(st.lists(NUMBERS, max_size=20), st.booleans())
def test_keys_sort_as_the_values_and_are_equal_where_they_are(values: list[float], most: bool) -> None:
    keys = ranks(np.array(values, np.float64), most).tolist()
    for (value, key), (other, other_key) in itertools.combinations(zip(values, keys, strict=True), 2):
        assert (key == other_key) == (value == other)
        assert (key < other_key) == (value > other if most else value < other)


@given(st.lists(NUMBERS, max_size=20), st.booleans())
def test_the_values_come_back(values: list[float], most: bool) -> None:
    assert values_of(ranks(np.array(values, np.float64), most), most).tolist() == values


def test_draws_depend_on_id_and_seed_alone() -> None:
    ids = pa.array([f"{n:032x}" for n in range(100)])
    backwards = ids.take(pa.array(range(99, -1, -1)))
    for draw in (ties, gumbel):
        assert draw(ids, 3).tolist() == draw(backwards, 3).tolist()[::-1]
        assert draw(ids, 3).tolist() != draw(ids, 4).tolist()
        assert len(set(draw(ids, 3).tolist())) == 100
    assert not np.array_equal(ties(ids, 3).argsort(), gumbel(ids, 3).argsort())


def test_the_noise_is_standard_gumbel() -> None:
    """By Kolmogorov and Smirnov: of 100,000 draws the largest distance is above 0.0052 in 1 % of the cases."""
    noise = np.sort(gumbel(pa.array([f"{n:032x}" for n in range(100_000)]), 0))
    expected = np.exp(-np.exp(-noise))
    assert np.abs(expected - np.arange(1, noise.size + 1) / noise.size).max() < 0.0052
    assert np.isfinite(noise).all()


def inclusion(weights: list[float], size: int) -> list[float]:
    """Slow: the probability of each to be among the first `size` drawn one by one, in proportion to what is left."""
    found = [0.0] * len(weights)
    for order in itertools.permutations(range(len(weights)), size):
        probability, left = 1.0, sum(weights)
        for one in order:
            probability *= weights[one] / left
            left -= weights[one]
        for one in order:
            found[one] += probability
    return found


@pytest.mark.parametrize("size", [1, 2, 4])
def test_the_largest_are_a_sample_without_replacement(size: int) -> None:
    """20,000 samples, half by seeds and half by ids; five standard deviations are 0.018 at most."""
    log_weights = np.array([-30.0, -1.0, 0.0, 0.5, 1.5, 2.0])
    many = gumbel(pa.array([f"{n:032x}" for n in range(6 * 10_000)]), 1).reshape(-1, 6)
    few = pa.array([f"{n:032x}" for n in range(6)])
    noise = np.concatenate([many, [gumbel(few, seed) for seed in range(10_000)]])
    drawn = np.argsort(-(log_weights + noise), axis=1)[:, :size]
    frequencies = np.bincount(drawn.ravel(), minlength=6) / len(noise)
    assert frequencies.tolist() == pytest.approx(inclusion(np.exp(log_weights).tolist(), size), abs=0.018)
