"""How well a score tells positive examples from the others: every figure from one sorted list of scores.

Examples are sorted once, and a figure is a sum over weights in that order. So a bootstrap draw, which takes some
examples twice and some not at all, is another set of weights: no draw sorts again, and a figure and its interval share
one definition. An example is called positive where its score is at least the threshold. Equal scores are never parted:
a curve has one point for each distinct score.

Definitions: ROC-AUC is the chance that a positive outscores another example, ties counting half (Hanley and McNeil
1982); average precision is the sum of precision times the step of recall, without interpolation, as scikit-learn has
it; the calibration error is the expected one in 15 bins of equal width (Guo et al. 2017, §2 and §4).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Figures of a score and a threshold, in the order of `figures`. Of "brier" and "calibration_error" less is better.
FIGURES = (
    "precision",  # share of those called positive that are
    "recall",  # share of positives that are called so
    "f1",  # harmonic mean of both
    "macro_f1",  # mean of the F1 of positives and of that of all others
    "accuracy",
    "roc_auc",
    "average_precision",
    "brier",  # mean squared difference of score and truth; of probabilities only, as is the next
    "calibration_error",
)
NUM_BINS = 15  # of the calibration error: Guo et al. 2017, §4
#: What a probability may be above 1: fastText adds 1e-5 before it takes a logarithm (`std_log`). Our choice.
MAX_EXCESS = 1e-3
Z95 = 1.959964  # of the normal distribution's middle 95 %


class Ranked(NamedTuple):
    """Scored examples, the highest score first."""

    scores: Floats  # [n]
    positive: NDArray[np.bool_]  # [n]
    group: Ints  # [n]: number of what must not be parted
    num_groups: int
    ends: Ints  # [distinct scores]: where the examples of that score and of higher ones end
    is_probability: bool  # all scores in [0, 1 + MAX_EXCESS], and more of it says positive

    @property
    def distinct(self) -> Floats:
        """Distinct scores, the highest first."""
        return self.scores[self.ends - 1]


class Confusion(NamedTuple):
    """Examples by what they are and by what they are called."""

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int


class CurvePoint(NamedTuple):
    """What a threshold gives: of the ROC curve and of the curve of precision by recall."""

    threshold: float
    recall: float  # the true-positive rate
    false_positive_rate: float
    precision: float


def ranked(
    scores: ArrayLike, positive: ArrayLike, group: ArrayLike | None = None, *, calibrated: bool = True
) -> Ranked:
    """Examples by score. Scores may be infinite, not NaN (ValueError). Without `group` each example is one of its own.

    `calibrated` false says that scores are no probabilities, whatever their range.
    """
    values, truth = np.asarray(scores, np.float64), np.asarray(positive, bool)
    if np.isnan(values).any():
        raise ValueError("a score that is not a number has no rank: leave such examples out")
    numbers = np.arange(values.size) if group is None else np.unique(np.asarray(group), return_inverse=True)[1]
    order = np.argsort(-values, kind="stable")
    values = values[order]
    ends = np.flatnonzero(np.append(values[1:] != values[:-1], True)) + 1 if values.size else np.zeros(0, np.int64)
    within = bool(calibrated and values.size and values[-1] >= 0 and values[0] <= 1 + MAX_EXCESS)
    num_groups = int(numbers.max()) + 1 if numbers.size else 0
    return Ranked(values, truth[order], numbers[order].astype(np.int64), num_groups, ends, within)


def figures(examples: Ranked, threshold: float, weights: Floats | None = None) -> Floats:
    """`FIGURES` as float64[9], NaN where one is not defined.

    `weights` (float64[n], in the order of `examples`) say how often each counts; None takes each once. Not defined are:
    precision where none is called positive, recall where none is, ROC-AUC where one of both kinds is missing, average
    precision where no positives are, the last two where scores are no probabilities, and all of no examples.
    """
    weights = np.ones(examples.scores.size) if weights is None else weights
    hits, alarms = _cumulative(examples, weights)
    num_positive, num_negative = (float(hits[-1]), float(alarms[-1])) if hits.size else (0.0, 0.0)
    place = num_called(examples.distinct, threshold)
    tp, fp = (float(hits[place - 1]), float(alarms[place - 1])) if place else (0.0, 0.0)
    fn, tn = num_positive - tp, num_negative - fp
    f1 = [_ratio(2 * tp, 2 * tp + fp + fn), _ratio(2 * tn, 2 * tn + fn + fp)]
    known = [value for value in f1 if value == value]  # a kind that neither is nor is called has no F1
    return np.array(
        [
            _ratio(tp, tp + fp),
            _ratio(tp, num_positive),
            f1[0],
            float(np.mean(known)) if known else np.nan,
            _ratio(tp + tn, num_positive + num_negative),
            _area(hits, alarms),
            _average_precision(hits, alarms),
            *_calibration(examples, weights),
        ]
    )


def confusion(examples: Ranked, threshold: float) -> Confusion:
    """Counts at a threshold."""
    called = examples.scores >= threshold
    tp, num_positive = int((called & examples.positive).sum()), int(examples.positive.sum())
    fp = int(called.sum()) - tp
    return Confusion(tp, fp, num_positive - tp, examples.scores.size - num_positive - fp)


def num_called(distinct: Floats, threshold: float) -> int:
    """How many distinct scores, the highest first, are at least the threshold."""
    return int(np.searchsorted(-distinct, -threshold, side="right"))


def best_f1_threshold(examples: Ranked) -> float | None:
    """The score at which F1 is highest, of several such the highest; None without positives.

    Found on the examples it is then judged by, it flatters a little: choose it on others where that matters.
    """
    hits, alarms = _cumulative(examples, np.ones(examples.scores.size))
    if not hits.size or not hits[-1]:
        return None
    return float(examples.distinct[np.argmax(2 * hits / (hits + alarms + hits[-1]))])


def best_macro_f1_threshold(examples: Ranked) -> float | None:
    """The score at which macro-F1 is highest, of several such the highest; None where a kind is missing.

    Where most examples are positive, F1 is highest near where all are called so; macro-F1 asks for the others too.
    """
    hits, alarms = _cumulative(examples, np.ones(examples.scores.size))
    if not hits.size or not hits[-1] or not alarms[-1]:
        return None
    misses, rejected = hits[-1] - hits, alarms[-1] - alarms
    return float(
        examples.distinct[np.argmax(hits / (2 * hits + alarms + misses) + rejected / (2 * rejected + alarms + misses))]
    )


def threshold_for_precision(examples: Ranked, target: float, *, sure: bool = False) -> float | None:
    """The lowest score from which precision is at least `target`; None where it is so from none.

    `sure` asks it of the lower end of precision's 95 % Wilson interval, so that a few lucky examples at the top do not
    do. The interval takes examples for independent ones: those of one host or author are less sure than it says.
    """
    hits, alarms = _cumulative(examples, np.ones(examples.scores.size))
    called = hits + alarms
    precision = wilson(hits, called)[0] if sure else hits / np.maximum(called, 1)
    enough = np.flatnonzero(precision >= target)
    return float(examples.distinct[enough[-1]]) if enough.size else None


def wilson(successes: ArrayLike, trials: ArrayLike) -> tuple[Floats, Floats]:
    """The 95 % interval of a share (Wilson 1927). Of no trials: 0 to 1."""
    n = np.maximum(np.asarray(trials, np.float64), 0)
    share = np.divide(successes, n, out=np.zeros(n.shape), where=n > 0)
    safe = np.where(n > 0, n, 1)
    middle = (share + Z95**2 / (2 * safe)) / (1 + Z95**2 / safe)
    half = Z95 / (1 + Z95**2 / safe) * np.sqrt(share * (1 - share) / safe + Z95**2 / (4 * safe**2))
    low, high = np.where(n > 0, middle - half, 0.0), np.where(n > 0, middle + half, 1.0)
    return np.clip(low, 0, 1), np.clip(high, 0, 1)


def curve(examples: Ranked, max_points: int = 200) -> list[CurvePoint]:
    """Points of both curves, the highest threshold first; none where a kind is missing.

    Of more than `max_points` distinct scores those are taken that part the length of the curve evenly, the first and
    the last among them.
    """
    hits, alarms = _cumulative(examples, np.ones(examples.scores.size))
    if not hits.size or not hits[-1] or not alarms[-1]:
        return []
    recall, rate, precision = hits / hits[-1], alarms / alarms[-1], hits / (hits + alarms)
    steps = sum(np.abs(np.diff(values, prepend=values[0])) for values in (recall, rate, precision))
    length = np.cumsum(steps)
    places = np.searchsorted(length, np.linspace(0, length[-1], max_points)) if hits.size > max_points else None
    chosen = np.arange(hits.size) if places is None else np.unique(np.append(places, (0, hits.size - 1)))
    columns = (column[chosen].tolist() for column in (examples.distinct, recall, rate, precision))
    return [CurvePoint(*row) for row in zip(*columns, strict=True)]


def bin_of(scores: Floats, num_bins: int = NUM_BINS) -> Ints:
    """The bin of each probability, of bins of equal width; 1 and what is above it are in the last."""
    return np.minimum((scores * num_bins).astype(np.int64), num_bins - 1)


def _cumulative(examples: Ranked, weights: Floats) -> tuple[Floats, Floats]:
    """Weight of positives and of others that are called positive, by distinct score as the threshold."""
    hits = np.cumsum(weights * examples.positive)[examples.ends - 1]
    return hits, np.cumsum(weights)[examples.ends - 1] - hits


def _area(hits: Floats, alarms: Floats) -> float:
    if not hits.size or not hits[-1] or not alarms[-1]:
        return float("nan")
    before = np.concatenate(([0.0], hits[:-1]))
    area = (np.diff(alarms, prepend=0.0) * (hits + before)).sum() / 2
    return float(area / (hits[-1] * alarms[-1]))


def _average_precision(hits: Floats, alarms: Floats) -> float:
    if not hits.size or not hits[-1]:
        return float("nan")
    called = hits + alarms
    precision = np.divide(hits, called, out=np.zeros(hits.size), where=called > 0)
    return float((np.diff(hits, prepend=0.0) * precision).sum() / hits[-1])


def _calibration(examples: Ranked, weights: Floats) -> tuple[float, float]:
    """The Brier score and the expected calibration error."""
    total = weights.sum()
    if not examples.is_probability or not total:
        return float("nan"), float("nan")
    apart = np.minimum(examples.scores, 1) - examples.positive
    in_bins = np.bincount(bin_of(examples.scores), weights * apart, NUM_BINS)
    return float((weights * apart**2).sum() / total), float(np.abs(in_bins).sum() / total)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
