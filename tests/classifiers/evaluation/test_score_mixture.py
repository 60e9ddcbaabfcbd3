"""Scores of a mixture of the examples are told from scores of something else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.evaluation.score_mixture import MAX_DISTANCE, NUM_BINS, Mixture, mixture_of


def scores(rng, num, mean):
    return 1 / (1 + np.exp(-rng.normal(mean, 1.5, num)))


@pytest.fixture
def mixture():
    rng = np.random.default_rng(0)
    both = np.concatenate([scores(rng, 800, 3), scores(rng, 3000, -3)])
    return mixture_of(both, np.arange(3800) < 800)


def unlike(mixture, found):
    return mixture.unlike(np.bincount(mixture.bins(found), minlength=NUM_BINS))


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.75, 1.0])
@pytest.mark.parametrize("num", [1, 20, 5000])
def test_a_mixture_of_the_examples_is_none_unlike_them(mixture, share, num):
    rng = np.random.default_rng(int(100 * share) + num)
    num_so = round(share * num)
    found = np.concatenate([scores(rng, num_so, 3), scores(rng, num - num_so, -3)])
    assert unlike(mixture, found) is None


@pytest.mark.parametrize("mean", [-9, 0, 9])
def test_scores_from_elsewhere_are_unlike_them(mixture, mean):
    """Below them all, between the two kinds, above them all."""
    assert MAX_DISTANCE < unlike(mixture, scores(np.random.default_rng(1), 500, mean)) <= 1


def test_few_scores_tell_nothing(mixture):
    assert unlike(mixture, scores(np.random.default_rng(1), 3, 0)) is None
    assert unlike(mixture, np.array([])) is None


def test_the_distance_is_that_of_distribution_functions():
    """Against the definition: all 64 bins, one share at a time."""
    rng = np.random.default_rng(2)
    made = Mixture(np.arange(63.0), rng.integers(1, 500, 64), rng.integers(1, 500, 64))
    found = np.zeros(64, np.int64)
    found[31] = 10**6
    nearest = 1.0
    for share in np.linspace(0, 1, 101):
        gaps, left = [], [0.0, 0.0, 0.0]
        for bin_ in range(64):
            for place, one in enumerate((made.so, made.others, found)):
                left[place] += one[bin_] / one.sum()
            gaps.append(abs(share * left[0] + (1 - share) * left[1] - left[2]))
        nearest = min(nearest, max(gaps))
    assert made.unlike(found) == pytest.approx(nearest)


@given(st.lists(st.tuples(st.floats(0, 1) | st.just(np.nan), st.booleans()), max_size=40))
def test_examples_of_any_kind_make_bins(rows):
    values = np.array([value for value, _ in rows], np.float64)
    made = mixture_of(values, np.array([so for _, so in rows], bool))
    assert made.edges.shape == (NUM_BINS - 1,)
    assert np.all(np.diff(made.edges) >= 0)
    known = int((~np.isnan(values)).sum())
    assert made.so.sum() + made.others.sum() == known
    bins = made.bins(values)
    assert ((bins == -1) == np.isnan(values)).all()
    assert bins.max(initial=0) < NUM_BINS
    assert made.unlike(np.bincount(bins[bins >= 0], minlength=NUM_BINS)) is None
