from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.calibration.score_fits import fit_isotonic, fit_logistic, fit_platt, fit_ranks

sklearn = pytest.importorskip("sklearn")

values = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))
labelled = st.lists(st.tuples(values, st.booleans()), min_size=2, max_size=60)


def columns(rows: list[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([value for value, _ in rows]), np.array([truth for _, truth in rows])


@given(labelled, st.booleans(), st.lists(values, max_size=20))
def test_isotonic_gives_what_scikit_learn_predicts(rows, rising, others):
    from sklearn.isotonic import IsotonicRegression

    scores, truth = columns(rows)
    model = IsotonicRegression(y_min=0, y_max=1, increasing=rising, out_of_bounds="clip").fit(scores, truth)
    asked = np.concatenate([scores, others, [-1e9, 1e9]])
    assert fit_isotonic(scores, truth, rising).at(asked) == pytest.approx(model.predict(asked), abs=1e-12)


@given(labelled, st.booleans())
def test_isotonic_is_monotone_and_keeps_the_mean(rows, rising):
    scores, truth = columns(rows)
    found = fit_isotonic(scores, truth, rising).at(np.sort(scores))
    steps = np.diff(found) if rising else -np.diff(found)
    assert (steps >= 0).all()
    assert found.mean() == pytest.approx(truth.mean(), abs=1e-6)


def platt_by_newton(scores: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Slope and intercept by the definition: Newton's method on the log loss of smoothed targets."""
    positive = truth.sum()
    target = np.where(truth, (positive + 1) / (positive + 2), 1 / (len(truth) - positive + 2))
    design, found = np.stack([scores, np.ones(len(scores))], axis=1), np.zeros(2)
    for _ in range(100):
        p = 1 / (1 + np.exp(-design @ found))
        found += np.linalg.solve(design.T @ (design * (p * (1 - p))[:, None]), design.T @ (target - p))
    return found[0], found[1]


@pytest.mark.parametrize("shift", [0.0, 1000.0])
def test_platt_is_the_likeliest_for_smoothed_targets(shift):
    rng = np.random.default_rng(0)
    truth = rng.random(400) < 0.3
    scores = truth * 0.8 + rng.normal(size=400)
    found = fit_platt(scores * 50 + shift, truth)
    slope, intercept = platt_by_newton(scores, truth)
    assert found.slope == pytest.approx(slope / 50, rel=1e-4)
    assert found.intercept == pytest.approx(intercept - shift * slope / 50, rel=1e-4, abs=1e-3)


def test_platt_stays_finite_where_scores_part_the_kinds():
    found = fit_platt(np.array([0.0, 0.1, 0.9, 1.0]), np.array([False, False, True, True]))
    assert 0 < found.slope < 100


def test_platt_of_one_score_for_all_is_the_smoothed_share():
    found = fit_platt(np.full(10, 3.0), np.arange(10) < 5)
    assert found.slope == pytest.approx(0, abs=1e-9)
    assert found.intercept == pytest.approx(0, abs=1e-6)


@given(st.lists(values, min_size=1, max_size=80), st.booleans())
def test_ranks_of_every_score_are_mid_ranks_where_there_are_knots_enough(scores, rising):
    array = np.array(scores)
    found = fit_ranks(array, len(scores) + 1, rising).at(array)
    shares = np.array([((array < v).sum() + (array <= v).sum()) / 2 / len(array) for v in array])
    assert found == pytest.approx(shares if rising else 1 - shares)


@given(st.integers(2, 50), st.integers(100, 3000), st.integers(0, 9))
def test_with_fewer_knots_a_rank_is_wrong_by_a_knot_at_most(knots, count, seed):
    scores = np.random.default_rng(seed).lognormal(size=count)
    found = fit_ranks(scores, knots).at(scores)
    exact = (np.searchsorted(np.sort(scores), scores) + 0.5) / count
    assert np.abs(found - exact).max() <= 1 / (knots - 1) + 1 / count


def test_a_learned_logistic_finds_the_weights_of_what_made_the_labels():
    rng = np.random.default_rng(2)
    made = rng.normal(size=(4000, 3)) * [1.0, 100.0, 0.01] + [5.0, -300.0, 0.0]
    logits = 2.0 * (made[:, 0] - 5) - 0.01 * (made[:, 1] + 300)
    truth = rng.random(4000) < 1 / (1 + np.exp(-logits))
    found = fit_logistic(made, truth, rng.integers(0, 5, 4000))
    assert found.weights[0] == pytest.approx(2.0, rel=0.1)
    assert found.weights[1] == pytest.approx(-0.01, rel=0.2)
    assert abs(found.weights[2] * 0.01) < 0.15
    assert found.bias == pytest.approx(-2.0 * 5 - 0.01 * 300, rel=0.1)


def test_a_value_that_never_varies_has_no_say():
    rng = np.random.default_rng(3)
    truth = rng.random(200) < 0.5
    made = np.stack([truth + rng.normal(size=200), np.full(200, 7.0)], axis=1)
    assert fit_logistic(made, truth, rng.integers(0, 5, 200)).weights[1] == 0.0
