"""Our trees against the booster that they come from."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.extractor.boosting import (
    Boosting,
    at_most_float32,
    fit_binary,
    fit_classes,
    lightgbm_module,
    train,
    trees_of,
)
from curate.errors import EnvironmentProblem
from curate.kernels.trees import faults, scores, sigmoid, softmax

SMALL = Boosting(num_trees=25, num_threads=1)
BINARY = {"objective": "binary"}


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    """Counts, shares, zeros and large numbers, with many values that are equal."""
    rng = np.random.default_rng(0)
    columns = [rng.poisson(3, 3000), rng.random(3000), rng.integers(0, 2, 3000), rng.lognormal(5, 3, 3000)]
    columns += [np.where(rng.random(3000) < 0.8, 0, rng.normal(size=3000)) for _ in range(6)]
    return np.stack(columns, axis=1).astype(np.float32)


@pytest.fixture(scope="module")
def shares(rows: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(1).normal(size=len(rows))
    return 1 / (1 + np.exp(-(rows[:, 0] - 3 + 2 * rows[:, 1] * rows[:, 2] + rows[:, 4] + noise)))


def test_scores_are_those_of_the_booster(rows: np.ndarray, shares: np.ndarray) -> None:
    for labels, objective in ((shares > 0.5, "binary"), (shares, "cross_entropy")):
        booster = train(rows, labels.astype(float), None, SMALL, {"objective": objective})
        trees = trees_of(booster)
        assert faults(trees) == ""
        assert scores(trees, rows)[:, 0] == pytest.approx(booster.predict(rows, raw_score=True), abs=1e-4)
        probability = np.empty(len(rows), np.float32)
        sigmoid(scores(trees, rows)[:, 0].copy(), probability)
        assert probability == pytest.approx(booster.predict(rows), abs=1e-4)


def test_every_decision_is_that_of_the_booster(rows: np.ndarray, shares: np.ndarray) -> None:
    """Each tree alone, on rows whose every feature lies on a threshold, just below and just above it: the same leaf.

    Leaves are told apart by their values, which LightGBM makes different.
    """
    booster = train(rows, (shares > 0.5).astype(float), None, SMALL, BINARY)
    trees = trees_of(booster)
    bounds = [np.unique(trees.threshold[trees.feature == f]) for f in range(rows.shape[1])]
    rng = np.random.default_rng(2)
    on = np.stack([rng.choice(bound if bound.size else [0], 2000) for bound in bounds], axis=1).astype(np.float32)
    way = rng.choice(np.array([-np.inf, 0, np.inf], np.float32), on.shape)
    near = np.where(way == 0, on, np.nextafter(on, way))
    for number in range(SMALL.num_trees):
        one = trees._replace(
            first_node=trees.first_node[number : number + 2] - trees.first_node[number],
            value=trees.value[number : number + 1],
            **{
                name: getattr(trees, name)[trees.first_node[number] : trees.first_node[number + 1]]
                for name in ("feature", "threshold", "right")
            },
        )
        found = scores(one, near)[:, 0]
        expected = booster.predict(near, raw_score=True, start_iteration=number, num_iteration=1)
        assert found.tolist() == expected.astype(np.float32).tolist()


def test_classes(rows: np.ndarray, shares: np.ndarray) -> None:
    classes = np.digitize(shares, [0.3, 0.7])
    classes[classes == 2] = 3  # no row is of class 2
    trees = fit_classes(rows, classes, 4, settings=SMALL)
    booster = train(rows, classes.astype(float), None, SMALL, {"objective": "multiclass", "num_class": 4})
    found = scores(trees, rows)
    assert found == pytest.approx(booster.predict(rows, raw_score=True), abs=1e-4)
    softmax(found, found)
    assert found == pytest.approx(booster.predict(rows), abs=1e-4)
    assert (found.argmax(axis=1) == classes).mean() > np.bincount(classes).max() / len(classes) + 0.2


def same(a, b) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("fracs", [{}, {"row_frac": 0.6, "feature_frac": 0.6}])
def test_the_same_trees_come_again_on_any_number_of_threads(rows, shares, fracs) -> None:
    weights = 1 + rows[:, 0] % 3
    first, *others = (
        fit_binary(rows, shares, weights, SMALL.model_copy(update={"num_threads": threads, **fracs}))
        for threads in (1, 1, 2)
    )
    assert all(same(first, other) for other in others)


def test_weights_count(rows: np.ndarray, shares: np.ndarray) -> None:
    labels = (shares > 0.5).astype(float)
    heavy = fit_binary(rows, labels, np.where(labels, 10.0, 1.0), SMALL)
    assert scores(heavy, rows).mean() > scores(fit_binary(rows, labels, None, SMALL), rows).mean() + 0.5


def test_labels_that_are_all_the_same_give_trees_without_nodes(rows: np.ndarray) -> None:
    trees = fit_binary(rows, np.ones(len(rows)), None, SMALL)
    assert faults(trees) == ""
    assert trees.feature.size == 0
    assert (scores(trees, rows) > 10).all()


def test_other_input_is_refused(rows: np.ndarray, shares: np.ndarray) -> None:
    holes = rows.copy()
    holes[5, 2] = np.nan
    with pytest.raises(ValueError, match="finite"):
        fit_binary(holes, shares)
    with pytest.raises(ValueError, match="at least one"):
        fit_binary(rows[:0], shares[:0])
    with pytest.raises(ValueError, match="with a label"):
        fit_binary(rows, shares[1:])
    with pytest.raises(ValueError, match="between 0 and 1"):
        fit_binary(rows, shares * 3)
    with pytest.raises(ValueError, match="weights"):
        fit_binary(rows, shares, -shares)
    with pytest.raises(ValueError, match="from 0 to 2"):
        fit_classes(rows, np.full(len(rows), 3), 3)


def test_a_booster_that_knows_missing_values_is_refused(rows: np.ndarray, shares: np.ndarray) -> None:
    lightgbm = lightgbm_module()
    holes = np.where(rows == 0, np.float32("nan"), rows)
    with pytest.raises(ValueError, match="missing values"):
        trees_of(lightgbm.train({"verbosity": -1}, lightgbm.Dataset(holes, shares), 3))


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")  # the largest float32 and the next
@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, width=32))
def test_a_rounded_threshold_decides_alike(threshold: float, x: float) -> None:
    rounded = at_most_float32(np.array([threshold]))[0]
    if -1.1e-35 < threshold < -0.9e-35:  # what counts as zero: tried with the booster above
        return
    for value in (np.float32(x), rounded, *(np.nextafter(rounded, np.float32(way)) for way in (-np.inf, np.inf))):
        assert (value <= rounded) == (float(value) <= threshold)


def test_what_to_install_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(EnvironmentProblem, match=r"curate\[extractor\]"):
        lightgbm_module()


def test_a_missing_library_of_the_system_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    (tmp_path / "lightgbm.py").write_text("import ctypes\nctypes.CDLL('libgomp.so.that.is.not.there')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "lightgbm", raising=False)
    with pytest.raises(EnvironmentProblem, match="libgomp1"):
        lightgbm_module()
