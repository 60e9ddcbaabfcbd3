"""Logistic regression by L-BFGS over counts of hashed terms, with scikit-learn.

One thread, so that sums are taken in one order and the same examples give the same weights.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.errors import EnvironmentProblem
from curate.kernels.linear_terms import EVERYTHING, term_counts
from curate.scoring.linear_model import Features

Floats = NDArray[np.float64]
Stored = NDArray[np.float32]
Matrix = Any  # scipy.sparse.csr_array: this package has no types for it
Fitted = tuple[Stored, float, Stored | None, dict[str, Any]]


class Settings(NamedTuple):
    """How to fit; see `LinearTrainer`."""

    features: Features
    weighting: str
    nb_smoothing: float
    choices: tuple[float, ...]
    folds: int
    balanced: bool
    max_iterations: int
    max_bytes: int | None


def fit(texts: pa.ChunkedArray, labels: NDArray[np.int8], groups: pa.ChunkedArray, how: Settings, seed: int) -> Fitted:
    """Weights float32[num_features], bias, the scale that a norm needs or None, and facts about the fit."""
    threads = _module("threadpoolctl")
    counts = _counts(texts.combine_chunks(), how)
    with threads.threadpool_limits(1):
        facts: dict[str, Any] = {}
        c = how.choices[0]
        if len(how.choices) > 1:
            losses = _losses(counts, labels, groups, how, seed)
            c = how.choices[int(np.argmin(losses))]
            facts["log_loss"] = {f"{choice:g}": float(loss) for choice, loss in zip(how.choices, losses, strict=True)}
        scale = _scale(counts, labels, how)
        model = _regression(_values(counts, scale, how), labels, c, how)
    facts |= {
        "c": float(c),
        "iterations": int(model.n_iter_[0]),
        "converged": bool(model.n_iter_[0] < how.max_iterations),
    }
    weights = model.coef_[0]
    bias = float(model.intercept_[0])
    if how.features.norm == "l2":
        return weights.astype(np.float32), bias, scale.astype(np.float32), facts
    return (weights * scale).astype(np.float32), bias, None, facts


def _module(name: str) -> Any:
    """A module of the extra."""
    try:
        return import_module(name)
    except ImportError as error:
        raise EnvironmentProblem(
            f"training a linear model needs scikit-learn ({error}). Install it: pip install 'curate[classifiers]'"
        ) from error


def _counts(texts: pa.Array, how: Settings) -> Matrix:
    """tf of each text and place: float64 csr_array [texts, num_features]."""
    max_bytes = EVERYTHING if how.max_bytes is None else how.max_bytes
    starts, places, counts = term_counts(texts, how.features.kernel_terms, max_bytes)
    values = counts.astype(np.float64)
    if how.features.tf == "binary":
        values[:] = 1.0
    elif how.features.tf == "log":
        values = 1.0 + np.log(values)
    shape = (len(texts), how.features.num_features)
    return _module("scipy.sparse").csr_array((values, places, starts), shape=shape)


def _scale(counts: Matrix, labels: NDArray[np.int8], how: Settings) -> Floats:
    """What each place is multiplied by: float64[num_features]."""
    if how.weighting == "none":
        return np.ones(counts.shape[1])
    there = counts.copy()
    there.data = np.ones_like(there.data)
    positive = _sums(there[np.flatnonzero(labels)])
    every = _sums(there)
    if how.weighting == "idf":
        rarity: Floats = np.log((1 + counts.shape[0]) / (1 + every)) + 1
        return rarity
    # Of texts that have a term, as for presence: places that no example has stay at ln of the labels' ratio otherwise.
    p, q = how.nb_smoothing + positive, how.nb_smoothing + every - positive
    ratio: Floats = np.log((p / p.sum()) / (q / q.sum()))
    return np.where(every > 0, ratio, 0.0)


def _sums(matrix: Matrix) -> Floats:
    return np.asarray(matrix.sum(axis=0), np.float64).ravel()


def _values(counts: Matrix, scale: Floats, how: Settings) -> Matrix:
    """What is fitted on: scaled, and of length 1 where the features want that."""
    scaled = counts.copy()
    scaled.data *= scale[scaled.indices]
    if how.features.norm == "l2":
        lengths = np.sqrt(np.asarray(scaled.power(2).sum(axis=1)).ravel())
        lengths[lengths == 0] = 1.0
        scaled.data /= np.repeat(lengths, np.diff(scaled.indptr))
    return scaled


def _regression(values: Matrix, labels: NDArray[np.int8], c: float, how: Settings) -> Any:
    linear_model = _module("sklearn.linear_model")
    weight = "balanced" if how.balanced else None
    regression = linear_model.LogisticRegression(C=c, class_weight=weight, max_iter=how.max_iterations, tol=1e-4)
    with _module("warnings").catch_warnings():
        _module("warnings").simplefilter("ignore", _module("sklearn.exceptions").ConvergenceWarning)  # it is a fact
        return regression.fit(values, labels)


def _losses(counts: Matrix, labels: NDArray[np.int8], groups: pa.ChunkedArray, how: Settings, seed: int) -> Floats:
    """Mean log loss of each choice on groups that were not trained on: float64[choices]."""
    selection, metrics = _module("sklearn.model_selection"), _module("sklearn.metrics")
    keys = groups.combine_chunks().dictionary_encode().indices.to_numpy()
    folds = min(how.folds, int(keys.max()) + 1)
    if folds < 2:
        return np.zeros(len(how.choices))
    losses: list[list[float]] = []
    splitter = selection.StratifiedGroupKFold(folds, shuffle=True, random_state=seed % 2**32)
    for inner, outer in splitter.split(keys, labels, keys):
        if len(np.unique(labels[inner])) < 2 or not len(outer):
            continue
        scale = _scale(counts[inner], labels[inner], how)
        values, others = _values(counts[inner], scale, how), _values(counts[outer], scale, how)
        fitted = [_regression(values, labels[inner], c, how) for c in how.choices]
        losses.append([metrics.log_loss(labels[outer], m.predict_proba(others)[:, 1], labels=[0, 1]) for m in fitted])
    return np.mean(losses, axis=0) if losses else np.zeros(len(how.choices))
