"""How sure a figure is: its 95 % interval, from a bootstrap over groups or from the folds of a cross-validation.

Pages of one host and posts of one author are alike, so a bootstrap that drew examples would be too sure of itself:
whole groups are drawn, with replacement, as many as there are (the cluster bootstrap). An interval is of percentiles
2.5 and 97.5 of the draws. It says what other examples of the same kind would change; what another training would
change, the folds say.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from classifiers.evaluation.ranking import FIGURES, Floats, Ints, Ranked, figures

NUM_DRAWS = 1_000  # our choice: the ends of an interval are then sure to about a tenth of its width


class Figure(NamedTuple):
    """A figure with its 95 % interval. None where it is not defined; an interval needs two groups or two folds."""

    value: float | None
    low: float | None = None
    high: float | None = None


def group_draws(group: Ints, num_groups: int, seed: int, num_draws: int = NUM_DRAWS) -> Iterator[Floats]:
    """Weights of examples, float64[n], one array for each draw. The same groups and seed give the same draws."""
    draw = np.random.default_rng(seed)
    for _ in range(num_draws):
        yield np.bincount(draw.integers(num_groups, size=num_groups), minlength=num_groups)[group].astype(np.float64)


def figure_draws(examples: Ranked, threshold: float, seed: int) -> Floats:
    """`FIGURES` of each draw, float64[draws, figures]; no draws of fewer than two groups."""
    if examples.num_groups < 2:
        return np.zeros((0, len(FIGURES)))
    weights = group_draws(examples.group, examples.num_groups, seed)
    return np.array([figures(examples, threshold, drawn) for drawn in weights])


def with_intervals(values: Floats, draws: Floats, names: Sequence[str] = FIGURES) -> dict[str, Figure]:
    """Each figure, float64[figures], with the interval of its draws, float64[draws, figures]."""
    return {name: figure(float(values[i]), draws[:, i]) for i, name in enumerate(names)}


def figure(value: float, draws: Floats) -> Figure:
    """A figure and the interval of its draws; none where it is undefined in more than half of them."""
    known = draws[~np.isnan(draws)]
    if math.isnan(value):
        return Figure(None)
    if known.size == 0 or known.size * 2 < draws.size:
        return Figure(value)
    low, high = np.percentile(known, (2.5, 97.5))
    return Figure(value, float(low), float(high))


def over_folds(folds: Sequence[Mapping[str, float]], names: Sequence[str] = FIGURES) -> dict[str, Figure]:
    """Means over folds, with the 95 % interval of the corrected t-test (Nadeau and Bengio 2003, §5).

    Training sets of folds overlap, so their figures vary less than those of independent trainings: the variance is
    taken times 1/k + 1/(k - 1) in place of 1/k. A figure that a fold lacks is the mean of the others.
    All figures lie in [0, 1], and their intervals do.
    """
    found = {}
    for name in names:
        values = np.array([fold[name] for fold in folds if not math.isnan(fold[name])])
        if values.size < 2:
            found[name] = Figure(float(values[0]) if values.size else None)
            continue
        k, mean = values.size, float(values.mean())
        half = float(stdtrit(k - 1, 0.975) * values.std(ddof=1) * math.sqrt(1 / k + 1 / (k - 1)))
        found[name] = Figure(mean, max(mean - half, 0.0), min(mean + half, 1.0))
    return found
