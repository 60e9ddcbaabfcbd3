"""Correlations equal scipy's, also where examples count several times, and errors are those of a ruler."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from classifiers.evaluation.intervals import Figure
from classifiers.evaluation.regression import MAX_LEVELS, REGRESSION, _figures, at_least, regression
from curate.errors import InputError

PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(-3, 9)), min_size=3, max_size=30)


def values(labels, scores):
    return {
        name: one.value for name, one in regression(labels, scores, np.zeros(len(labels), np.int64), 0).figures.items()
    }


def columns(pairs):
    return np.array([a for a, _ in pairs], np.float64), np.array([b for _, b in pairs], np.float64)


@given(PAIRS)
@settings(deadline=None)
def test_figures_are_those_of_scipy(pairs):
    labels, scores = columns(pairs)
    found = values(labels, scores)
    assert found["mae"] == pytest.approx(np.mean(np.abs(labels - scores)))
    assert found["rmse"] == pytest.approx(math.sqrt(np.mean((labels - scores) ** 2)))
    assume(len(set(labels)) > 1 and len(set(scores)) > 1)
    assert found["pearson"] == pytest.approx(stats.pearsonr(labels, scores)[0], abs=1e-9)
    assert found["spearman"] == pytest.approx(stats.spearmanr(labels, scores)[0], abs=1e-9)


@given(PAIRS, st.data())
@settings(deadline=None)
def test_weights_count_an_example_as_often_as_it_were_there(pairs, data):
    times = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(pairs), max_size=len(pairs))))
    labels, scores = columns(pairs)
    orders = np.argsort(labels, kind="stable"), np.argsort(scores, kind="stable")
    weighted = _figures(labels, scores, orders, times.astype(np.float64))
    repeated = values(np.repeat(labels, times), np.repeat(scores, times))
    wanted = [math.nan if repeated[name] is None else repeated[name] for name in REGRESSION]
    assert weighted.tolist() == pytest.approx(wanted, abs=1e-9, nan_ok=True)


def test_a_constant_correlates_with_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = values(np.array([1.0, 2.0, 3.0]), np.full(3, 0.1))
        assert found["pearson"] is None
        assert found["spearman"] is None
        assert values(np.zeros(0), np.zeros(0)) == dict.fromkeys(REGRESSION)


def test_the_mean_label_is_the_baseline():
    found = regression(np.array([0.0, 2.0, 4.0]), np.array([0.0, 2.0, 4.0]), np.arange(3), 0)
    assert found.figures["mae"].value == 0
    assert found.of_mean["mae"].value == pytest.approx(4 / 3)
    assert found.of_mean["pearson"] == Figure(None)


def test_infinite_scores_are_left_out():
    assert values(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, math.inf]))["rmse"] == 0


def test_levels_are_labels_or_tenths():
    few = regression(np.repeat([0.0, 3.0], 10), np.arange(20.0), np.arange(20), 0).levels
    assert [(level.label, level.num_examples, level.score) for level in few] == [(0.0, 10, 4.5), (3.0, 10, 14.5)]
    assert few[0].low == pytest.approx(0.9)
    many = regression(np.arange(1000.0), np.arange(1000.0), np.arange(1000), 0).levels
    assert [level.num_examples for level in many] == [100] * 10
    assert len(many) <= MAX_LEVELS


def test_a_bound_is_a_number():
    assert [at_least(text) for text in (">=3", ">= 2.5", "3", "toxic", "")] == [3.0, 2.5, None, None, None]
    for text in (">=", ">=x", ">=inf"):
        with pytest.raises(InputError, match="number is wanted"):
            at_least(text)
