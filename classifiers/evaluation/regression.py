"""Judge scores of what is labelled by numbers: correlations and errors, with intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from classifiers.evaluation.intervals import Figure, group_draws, with_intervals
from classifiers.evaluation.ranking import Floats, Ints
from curate.errors import InputError

REGRESSION = ("pearson", "spearman", "mae", "rmse")
MAX_LEVELS = 12  # of labels that are drawn one by one; more are put into tenths


class Level(NamedTuple):
    """Examples of one label, or of a tenth of them: what they are scored."""

    label: float  # mean
    num_examples: int
    score: float  # mean
    low: float  # first and last tenth of the scores
    high: float


class Regression(NamedTuple):
    """`figures` of the scores, and of the mean label said for every example (which correlates with nothing)."""

    figures: Mapping[str, Figure]
    of_mean: Mapping[str, Figure]
    levels: tuple[Level, ...]


def at_least(positive: str) -> float | None:
    """The bound that a `positive` of numbers names; None where it is a label.

    >>> at_least(">=3"), at_least("spam")
    (3.0, None)
    """
    if not positive.startswith(">="):
        return None
    try:
        bound = float(positive[2:])
    except ValueError:
        bound = math.nan
    if not math.isfinite(bound):
        raise InputError(f"after '>=' a number is wanted, and {positive[2:]!r} came. Write '>=3', for example.")
    return bound


def numbers(labels: pa.ChunkedArray) -> Floats:
    """Labels as numbers, float64[n]. InputError, naming one, where one is no finite number."""
    try:
        found = np.array([float(label) for label in labels.to_pylist()], np.float64)
        wrong = np.flatnonzero(~np.isfinite(found))
    except (TypeError, ValueError) as error:
        raise InputError(f"labels of a regression are numbers, and one is none: {error}. Put it right.") from error
    if wrong.size:
        raise InputError(f"labels of a regression are finite numbers, and {labels[int(wrong[0])]} came. Put it right.")
    return found


def regression(labels: Floats, scores: Floats, group: Ints, seed: int) -> Regression:
    """How near finite `scores` are to `labels`, both float64[n]; infinite ones are left out. None of it without any."""
    finite = np.isfinite(scores)
    labels, scores, group = labels[finite], scores[finite], np.unique(group[finite], return_inverse=True)[1]
    mean = np.full(labels.size, labels.mean() if labels.size else 0.0)
    of_scores, of_mean = (_judged(labels, values, group, seed) for values in (scores, mean))
    return Regression(of_scores, of_mean, tuple(_levels(labels, scores)))


def _judged(labels: Floats, scores: Floats, group: Ints, seed: int) -> dict[str, Figure]:
    orders = np.argsort(labels, kind="stable"), np.argsort(scores, kind="stable")
    num_groups = int(group.max(initial=-1)) + 1
    drawn = group_draws(group.astype(np.int64), num_groups, seed) if num_groups > 1 else iter(())
    rows = [_figures(labels, scores, orders, weights) for weights in drawn]
    draws = np.array(rows) if rows else np.zeros((0, len(REGRESSION)))
    return with_intervals(_figures(labels, scores, orders, np.ones(labels.size)), draws, REGRESSION)


def _figures(labels: Floats, scores: Floats, orders: tuple[Ints, Ints], weights: Floats) -> Floats:
    total = weights.sum()
    if not total:
        return np.full(len(REGRESSION), np.nan)
    ranks = _ranks(labels, orders[0], weights), _ranks(scores, orders[1], weights)
    apart = scores - labels
    errors = (weights * np.abs(apart)).sum() / total, math.sqrt((weights * apart**2).sum() / total)
    return np.array([_correlation(labels, scores, weights), _correlation(*ranks, weights), *errors])


def _ranks(values: Floats, order: Ints, weights: Floats) -> Floats:
    """The rank of each value where each counts as often as its weight says; equal values share the mean of theirs."""
    ordered = values[order]
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    up_to = np.cumsum(weights[order])[ends]
    shared = (np.concatenate(([0.0], up_to[:-1])) + up_to + 1) / 2
    ranks = np.empty(values.size)
    ranks[order] = np.repeat(shared, np.diff(ends, prepend=-1))
    return ranks


def _correlation(a: Floats, b: Floats, weights: Floats) -> float:
    """Pearson's, NaN where one of both is the same everywhere."""
    total = weights.sum()
    a, b = a - (weights * a).sum() / total, b - (weights * b).sum() / total
    spread = math.sqrt((weights * a * a).sum()) * math.sqrt((weights * b * b).sum())
    # A constant's mean is off by a rounding, and so is its spread.
    scale = total * max(np.abs(a).max(initial=0), np.abs(b).max(initial=0))
    return float((weights * a * b).sum() / spread) if spread > 1e-12 * scale else math.nan


def _levels(labels: Floats, scores: Floats) -> list[Level]:
    distinct = np.unique(labels)
    edges = distinct if distinct.size <= MAX_LEVELS else np.unique(np.quantile(labels, np.linspace(0, 0.9, 10)))
    places, rows = np.searchsorted(edges, labels, side="right"), []
    for place in np.unique(places):
        mask = places == place
        low, high = np.percentile(scores[mask], (10, 90))
        rows.append(
            Level(float(labels[mask].mean()), int(mask.sum()), float(scores[mask].mean()), float(low), float(high))
        )
    return rows
