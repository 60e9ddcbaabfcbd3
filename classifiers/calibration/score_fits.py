"""Fits of one score, or of several, to labelled documents: isotonic, Platt, ranks, and a learned logistic.

scikit-learn fits; what comes out is a few numbers that `curate.scoring` applies without it.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from curate.errors import EnvironmentProblem, InputError
from curate.scoring.calibrated import Curve, Isotonic, Platt
from curate.scoring.combination import Logistic

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0)  # of the learned logistic, on values of variance 1; our choice


def fit_isotonic(scores: Floats, truth: Mask, more_is_better: bool = True) -> Isotonic:
    """The monotone function of the score that is nearest to the labels, in squares (pool adjacent violators)."""
    model = _sklearn("isotonic").IsotonicRegression(y_min=0, y_max=1, increasing=more_is_better, out_of_bounds="clip")
    model.fit(scores, truth.astype(np.float64))
    keep = np.maximum if more_is_better else np.minimum  # means of neighbours may differ by a rounding, the wrong way
    return Isotonic(x=tuple(model.X_thresholds_.tolist()), y=tuple(keep.accumulate(model.y_thresholds_).tolist()))


def fit_platt(scores: Floats, truth: Mask, more_is_better: bool = True) -> Platt:
    """The likeliest logistic function of the score, with targets drawn in from 0 and 1 (Platt 1999, section 2.2).

    Of those that run in the direction of `more_is_better`: the likeliest is level where the best of all would not.
    """
    num_positive, num_negative = int(truth.sum()), int((~truth).sum())
    high, low = (num_positive + 1) / (num_positive + 2), 1 / (num_negative + 2)
    target = np.where(truth, high, low)
    centre, scale = float(scores.mean()), float(scores.std()) or 1.0
    values = np.tile((scores - centre) / scale, 2)[:, None]
    kinds = np.repeat([True, False], len(scores))
    # A target t between 0 and 1 is t of a positive and 1 - t of a negative document.
    model = _sklearn("linear_model").LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000)
    model.fit(values, kinds, np.concatenate([target, 1 - target]))
    slope = float(model.coef_[0, 0]) / scale
    if slope < 0 if more_is_better else slope > 0:
        return Platt(slope=0.0, intercept=float(np.log(target.mean() / (1 - target.mean()))))
    return Platt(slope=slope, intercept=float(model.intercept_[0]) - slope * centre)


def fit_ranks(scores: Floats, num_knots: int, more_is_better: bool = True) -> Curve:
    """The share of the scores that each is better than, ties counting half, by its corners at evenly spaced ranks."""
    ordered = np.sort(scores)
    places = np.linspace(0, len(ordered) - 1, min(num_knots, len(ordered)))
    knots = np.unique(ordered[np.round(places).astype(np.int64)])
    below, up_to = np.searchsorted(ordered, knots, "left"), np.searchsorted(ordered, knots, "right")
    ranks = (below + up_to) / (2 * len(ordered))
    return Curve(x=tuple(knots.tolist()), y=tuple((ranks if more_is_better else 1 - ranks).tolist()))


def fit_logistic(values: Floats, truth: Mask, fold: NDArray[np.int64]) -> Logistic:
    """The logistic function of several values, float64[n, values], that tells positive documents from the others best.

    How strongly weights are held down is chosen by log loss over the folds, of equally good strengths the largest.
    """
    centre, scale = values.mean(axis=0), values.std(axis=0)
    scale[scale == 0] = 1.0
    scaled = (values - centre) / scale
    losses = dict.fromkeys(STRENGTHS, 0.0)
    for number in np.unique(fold).tolist():
        inside, outside = fold == number, fold != number
        for strength in STRENGTHS:
            weights, bias = _logistic(scaled[outside], truth[outside], strength)
            logits = scaled[inside] @ weights + bias
            losses[strength] += float(np.logaddexp(0.0, np.where(truth[inside], -logits, logits)).sum())
    best = max(strength for strength, loss in losses.items() if loss == min(losses.values()))
    weights, bias = _logistic(scaled, truth, best)
    weights = weights / scale
    return Logistic(weights=tuple(weights.tolist()), bias=bias - float(weights @ centre))


def _logistic(values: Floats, truth: Mask, strength: float) -> tuple[Floats, float]:
    if truth.all() or not truth.any():
        raise InputError(
            "a logistic needs documents of both kinds in every fold, and all but one fold are of one kind. Give "
            "documents of more groups, or fewer folds"
        )
    model = _sklearn("linear_model").LogisticRegression(C=1 / strength, tol=1e-8, max_iter=1000).fit(values, truth)
    return model.coef_[0].astype(np.float64), float(model.intercept_[0])


def _sklearn(module: str) -> ModuleType:
    try:
        return import_module(f"sklearn.{module}")
    except ImportError as error:
        raise EnvironmentProblem("calibration needs scikit-learn: pip install 'curate[classifiers]'") from error
