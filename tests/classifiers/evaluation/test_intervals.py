"""Intervals are of whole groups, repeatable, and as wide as they should be."""

from __future__ import annotations

import math

import numpy as np
import pytest

from classifiers.evaluation.intervals import Figure, figure, figure_draws, group_draws, over_folds, with_intervals
from classifiers.evaluation.ranking import FIGURES, figures, ranked

ACCURACY = FIGURES.index("accuracy")


def test_a_draw_takes_whole_groups_and_as_many_as_there_are():
    group = np.array([0, 0, 0, 1, 2, 2])
    for weights in group_draws(group, 3, seed=1, num_draws=50):
        assert weights[0] == weights[1] == weights[2]
        assert weights[4] == weights[5]
        assert weights[0] + weights[3] + weights[4] == 3


def test_the_same_seed_gives_the_same_draws_and_another_does_not():
    group = np.arange(20)
    first, again, other = (list(group_draws(group, 20, seed, num_draws=3)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_interval_of_an_accuracy_is_about_that_of_a_binomial():
    draw = np.random.default_rng(0)
    scores, truth = draw.random(2000), draw.random(2000) < 0.8
    examples = ranked(np.where(draw.random(2000) < 0.9, truth, scores), truth)
    draws = figure_draws(examples, 0.5, seed=0)
    found = with_intervals(figures(examples, 0.5), draws)["accuracy"]
    half = 1.96 * math.sqrt(found.value * (1 - found.value) / 2000)
    assert found.low == pytest.approx(found.value - half, abs=0.2 * half)
    assert found.high == pytest.approx(found.value + half, abs=0.2 * half)


def test_examples_of_few_groups_are_less_sure_than_as_many_alone():
    right = np.repeat(np.random.default_rng(1).random(40) < 0.7, 25)
    truth = np.ones(1000, bool)
    widths = []
    for group in (np.arange(1000), np.repeat(np.arange(40), 25)):
        examples = ranked(right.astype(float), truth, group)
        found = with_intervals(figures(examples, 0.5), figure_draws(examples, 0.5, 0))["accuracy"]
        widths.append(found.high - found.low)
    assert widths[1] > 3 * widths[0]  # 5 times in the limit


def test_one_group_has_no_interval():
    examples = ranked([0.9, 0.1], [True, False], ["a", "a"])
    assert figure_draws(examples, 0.5, 0).shape == (0, len(FIGURES))
    assert with_intervals(figures(examples, 0.5), figure_draws(examples, 0.5, 0))["accuracy"] == Figure(1.0)


def test_a_figure_that_most_draws_lack_has_no_interval():
    nan = math.nan
    assert figure(0.5, np.array([nan, nan, 0.4])) == Figure(0.5)
    assert figure(0.5, np.array([nan, 0.4, 0.4])) == Figure(0.5, 0.4, 0.4)
    assert figure(nan, np.array([0.4, 0.4])) == Figure(None)


def test_folds_give_their_mean_and_the_corrected_interval():
    folds = [
        {"f1": value, "recall": math.nan, "precision": value if value < 0.75 else math.nan} for value in (0.745, 0.755)
    ]
    found = over_folds(folds, ("f1", "recall", "precision"))
    # Two folds: deviation 0.00707, variance times 1/2 + 1, Student's t of one degree 12.706.
    half = 12.706 * math.sqrt(0.00005) * math.sqrt(1.5)
    assert found["f1"] == pytest.approx(Figure(0.75, 0.75 - half, 0.75 + half), abs=1e-4)
    assert found["recall"] == Figure(None)
    assert found["precision"] == Figure(0.745)
    assert over_folds([{"f1": 0.2}, {"f1": 0.8}], ("f1",))["f1"] == Figure(0.5, 0.0, 1.0)
