"""Judge a choice among several classes: precision, recall and F1 of each, and which are taken for which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from classifiers.evaluation.intervals import Figure, group_draws, with_intervals
from classifiers.evaluation.ranking import Floats, Ints

MAX_CLASSES = 50  # beyond, rarer ones count as one, OTHERS; our choice: what a table still shows
OTHERS = "(others)"
OVERALL = ("accuracy", "macro_f1")


class OneClass(NamedTuple):
    """One class against all others. None where it is never chosen (precision) or never right (recall)."""

    name: str
    num_examples: int
    precision: float | None
    recall: float | None
    f1: float | None


class MultiClass(NamedTuple):
    """`confusion[i][j]` counts examples of class i that were taken for class j."""

    figures: Mapping[str, Figure]  # OVERALL
    classes: tuple[OneClass, ...]
    confusion: tuple[tuple[int, ...], ...]


def multi_class(labels: pa.ChunkedArray, predicted: pa.ChunkedArray, group: Ints, seed: int) -> MultiClass:
    """How well `predicted` (strings; null is a class "null") says `labels` (strings). Groups are as in `ranked`."""
    names, truth, chosen = _numbered(labels, predicted)
    k = len(names)
    pairs, numbers = truth * k + chosen, np.unique(group, return_inverse=True)[1].astype(np.int64)
    matrix = np.bincount(pairs, minlength=k * k).reshape(k, k)
    num_groups = int(numbers.max(initial=-1)) + 1
    drawn = [
        _overall(np.bincount(pairs, weights, k * k).astype(np.float64).reshape(k, k))
        for weights in (group_draws(numbers, num_groups, seed) if num_groups > 1 else ())
    ]
    draws = np.array(drawn) if drawn else np.zeros((0, len(OVERALL)))
    precision, recall, f1 = _by_class(matrix.astype(np.float64))
    rows = [
        OneClass(name, int(matrix[i].sum()), *(None if v[i] != v[i] else float(v[i]) for v in (precision, recall, f1)))
        for i, name in enumerate(names)
    ]
    figures = with_intervals(_overall(matrix.astype(np.float64)), draws, OVERALL)
    return MultiClass(figures, tuple(rows), tuple(tuple(row) for row in matrix.tolist()))


def _numbered(labels: pa.ChunkedArray, predicted: pa.ChunkedArray) -> tuple[list[str], Ints, Ints]:
    """Names of classes, the most frequent label first, and both columns as numbers of them."""
    columns = [pc.fill_null(pc.cast(column, pa.string()), "null").to_pylist() for column in (labels, predicted)]
    counts = {name: 0 for column in columns for name in column}
    for name in columns[0]:
        counts[name] += 1
    names = sorted(counts, key=lambda name: (-counts[name], name))
    if len(names) > MAX_CLASSES:
        names = [*names[: MAX_CLASSES - 1], OTHERS]
    number = {name: i for i, name in enumerate(names)}
    last = len(names) - 1
    truth, chosen = (np.array([number.get(name, last) for name in column], np.int64) for column in columns)
    return names, truth, chosen


def _by_class(matrix: Floats) -> tuple[Floats, Floats, Floats]:
    right, called, actual = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)
    parts = ((right, called), (right, actual), (2 * right, called + actual))
    precision, recall, f1 = (np.divide(a, b, out=np.full(a.shape, np.nan), where=b > 0) for a, b in parts)
    return precision, recall, f1


def _overall(matrix: Floats) -> Floats:
    """`OVERALL`; a class that neither is nor is chosen counts in no mean."""
    total, f1 = matrix.sum(), _by_class(matrix)[2]
    known = f1[~np.isnan(f1)]
    if not total:
        return np.full(len(OVERALL), np.nan)
    return np.array([np.trace(matrix) / total, known.mean()])
