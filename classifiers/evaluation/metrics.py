"""Judge a classifier's scores on labelled examples that it has not seen.

`evaluate` takes a table of examples with their scores and says how good they are: figures with intervals, beside the
majority class and a baseline; by language, source and category; thresholds by what they give; and what the page of an
evaluation draws. It trains nothing and reads no text. Examples without a score are counted and left out.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from classifiers.evaluation import ranking
from classifiers.evaluation.intervals import Figure, figure, figure_draws, over_folds, with_intervals
from classifiers.evaluation.multi_class import MultiClass, multi_class
from classifiers.evaluation.ranking import FIGURES, Confusion, CurvePoint, Floats, Ranked, ranked
from classifiers.evaluation.regression import Regression, at_least, numbers, regression
from curate.errors import InputError

TARGETS = (0.8, 0.9, 0.95, 0.99)  # precisions to find thresholds for; our choice
MAX_GROUPS = 24  # languages, sources, categories; smaller ones are not listed
NUM_SCORE_BINS = 40
MAJORITY = "majority class"  # said for every example: the simplest baseline
#: Columns whose values are judged one by one. `category` is an own column, or else the labels where there are several.
GROUPINGS = ("language", "source", "category")


class AtThreshold(NamedTuple):
    """What one threshold gives. All but name and asked are None where none gives what was asked for."""

    name: str  # "best F1", "precision 0.9"
    threshold: float | None
    precision: float | None = None
    precision_low: float | None = None  # lower end of the 95 % Wilson interval
    recall: float | None = None
    f1: float | None = None
    called_frac: float | None = None  # share of all examples that are called positive


class Baseline(NamedTuple):
    """A simpler score of the same examples, and by how much the model is ahead of it."""

    name: str
    threshold: float  # its best for macro-F1 on these very examples, which flatters it
    figures: Mapping[str, Figure]
    ahead: Mapping[str, Figure]  # the model's figure less the baseline's, of the same draws


class GroupFigures(NamedTuple):
    """Examples that share a language, a source or a category."""

    name: str
    num_examples: int
    num_positive: int
    confusion: Confusion
    called: Figure  # share that is called positive, with its Wilson interval
    figures: Mapping[str, Figure]


class Folds(NamedTuple):
    """A cross-validation: figures of each fold's own model, and their means."""

    num_folds: int
    figures: Mapping[str, Figure]
    by_fold: tuple[Mapping[str, float | None], ...]


class Bin(NamedTuple):
    """Examples whose probability lies in a bin."""

    mean_score: float
    positive_frac: float
    low: float  # 95 % Wilson interval of the share
    high: float
    num_examples: int


class Histogram(NamedTuple):
    """Examples by score; the outer bins hold what lies beyond them as well."""

    edges: tuple[float, ...]
    positive: tuple[int, ...]
    others: tuple[int, ...]


class Evaluation(NamedTuple):
    """All of it. Thresholds and scores are as the model gives them, also where less is better."""

    positive: str
    seed: int
    num_examples: int  # with a score
    num_positive: int
    num_groups: int
    num_without_score: int
    more_is_better: bool
    threshold: float | None  # None where nothing was given and nothing can be chosen
    threshold_from: str
    figures: Mapping[str, Figure]
    confusion: Confusion
    baselines: tuple[Baseline, ...]
    thresholds: tuple[AtThreshold, ...]
    folds: Folds | None
    by: Mapping[str, tuple[GroupFigures, ...]]
    curve: tuple[CurvePoint, ...]
    reliability: tuple[Bin, ...]
    histogram: Histogram | None
    classes: MultiClass | None
    regression: Regression | None

    def as_json(self) -> dict[str, Any]:
        """Plain JSON: objects for tuples with names, null for what is not finite."""
        found: dict[str, Any] = plain(self)
        return found


def evaluate(
    held_out: pa.Table,
    positive: str,
    threshold: float | None = None,
    baseline: str | None = None,
    seed: int = 0,
    *,
    more_is_better: bool = True,
    targets: Sequence[float] = TARGETS,
) -> Evaluation:
    """How well `held_out` (columns of `EXAMPLES`, `text` not needed, and `score`) is scored.

    `positive` is a label, or ">=3" where labels are numbers: those from 3 on are positive, and the scores are judged as
    a regression too. `threshold` None takes 0.5 for probabilities, the bound for numbers, else the best for macro-F1.
    `baseline` names a column with another score, of which more says positive. Further columns are used where they are
    there: `fold` (int: which model of a cross-validation scored it), `category` (string) and `predicted` (string: the
    class that a model of several classes chose). Few examples, or of one kind, leave figures undefined: None.
    InputError where a column is missing or a label of a regression is no number.
    """
    _check(held_out, ["label", "group", "score", *([baseline] if baseline else [])])
    table = held_out.filter(pc.invert(pc.is_nan(pc.fill_null(pc.cast(held_out["score"], pa.float64()), math.nan))))
    truth, scores = is_positive(table, positive), _floats(table, "score") * (1 if more_is_better else -1)
    group = codes(table["group"])
    examples = ranked(scores, truth, group, calibrated=more_is_better and at_least(positive) is None)
    chosen, chosen_from = _threshold(examples, threshold, positive, more_is_better)
    draws = figure_draws(examples, chosen, seed)
    sign = 1.0 if more_is_better else -1.0
    return Evaluation(
        positive=positive,
        seed=seed,
        num_examples=table.num_rows,
        num_positive=int(truth.sum()),
        num_groups=examples.num_groups,
        num_without_score=held_out.num_rows - table.num_rows,
        more_is_better=more_is_better,
        threshold=None if math.isinf(chosen) and threshold is None else sign * chosen,
        threshold_from=chosen_from,
        figures=with_intervals(ranking.figures(examples, chosen), draws),
        confusion=ranking.confusion(examples, chosen),
        baselines=_baselines(table, baseline, truth, group, ranking.figures(examples, chosen), draws, seed),
        thresholds=tuple(_with_sign(row, sign) for row in _thresholds(examples, targets)),
        folds=_folds(table, scores, truth, group, chosen),
        by={name: _by(names, scores, truth, group, chosen, seed) for name, names in _groupings(table, positive)},
        curve=tuple(point._replace(threshold=sign * point.threshold) for point in ranking.curve(examples)),
        reliability=tuple(_reliability(examples)),
        histogram=_histogram(sign * examples.scores, examples.positive, examples.is_probability),
        classes=multi_class(table["label"], table["predicted"], group, seed)
        if "predicted" in table.schema.names
        else None,
        regression=regression(numbers(table["label"]), sign * scores, group, seed)
        if at_least(positive) is not None
        else None,
    )


def is_positive(table: pa.Table, positive: str) -> NDArray[np.bool_]:
    """Which examples are positive, bool[n]; see `evaluate`. InputError where a label should be a number and is none."""
    bound = at_least(positive)
    if bound is not None:
        return numbers(table["label"]) >= bound
    found = pc.fill_null(pc.equal(pc.cast(table["label"], pa.string()), positive), False)
    return np.asarray(found.combine_chunks().to_numpy(zero_copy_only=False), bool)


def is_called(evaluation: Evaluation, scores: Floats) -> NDArray[np.bool_]:
    """Which scores the evaluation's threshold calls positive, bool[n]; NaN is not."""
    if evaluation.threshold is None:
        return np.zeros(scores.shape, bool)
    return scores >= evaluation.threshold if evaluation.more_is_better else scores <= evaluation.threshold


def codes(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """Each value's number, int64[n]; null is a value too."""
    values = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
    encoded = pc.dictionary_encode(values.combine_chunks(), null_encoding="encode")
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), np.int64)


def plain(value: Any) -> Any:
    """What has names as a dict, other sequences as lists, and None for a float that is not finite."""
    if hasattr(value, "_asdict"):
        return {name: plain(part) for name, part in value._asdict().items()}
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _check(table: pa.Table, wanted: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in table.schema.names]
    if missing:
        raise InputError(
            f"an evaluation needs the columns {', '.join(wanted)}; missing: {', '.join(missing)}. "
            f"There are: {', '.join(table.schema.names)}. Score the examples first, or name another column."
        )


def _floats(table: pa.Table, column: str) -> Floats:
    return np.asarray(pc.cast(table[column], pa.float64()).combine_chunks().to_numpy(zero_copy_only=False), np.float64)


def _threshold(examples: Ranked, given: float | None, positive: str, more_is_better: bool) -> tuple[float, str]:
    """The threshold in the direction of `examples`, and where it is from; infinite where there is none to choose."""
    bound = at_least(positive)
    if given is not None:
        if math.isnan(given):
            raise InputError("a threshold must be a number, and NaN came. Give a number, or none.")
        return (given if more_is_better else -given), "given"
    if bound is not None:
        return bound, "the labels' bound"
    if examples.is_probability:
        return 0.5, "half of a probability"
    best = ranking.best_macro_f1_threshold(examples)
    return (math.inf, "none: of one kind only") if best is None else (best, "best F1 of both kinds on these examples")


def _baselines(
    table: pa.Table,
    column: str | None,
    truth: NDArray[np.bool_],
    group: NDArray[np.int64],
    ours: Floats,
    draws: Floats,
    seed: int,
) -> tuple[Baseline, ...]:
    majority = np.full(truth.size, float(truth.size and 2 * truth.sum() >= truth.size))
    columns = {MAJORITY: majority}
    if column is not None:
        found = _floats(table, column)
        columns[column] = np.where(np.isnan(found), -np.inf, found)  # what says nothing comes last
    rows = []
    for name, scores in columns.items():
        examples = ranked(scores, truth, group, calibrated=name == MAJORITY)  # a density in [0, 1] is no probability
        threshold = 0.5 if name == MAJORITY else (ranking.best_macro_f1_threshold(examples) or 0.0)
        values, drawn = ranking.figures(examples, threshold), figure_draws(examples, threshold, seed)
        ahead = {key: figure(float((ours - values)[i]), (draws - drawn)[:, i]) for i, key in enumerate(FIGURES)}
        rows.append(Baseline(name, threshold, with_intervals(values, drawn), ahead))
    return tuple(rows)


def _thresholds(examples: Ranked, targets: Sequence[float]) -> list[AtThreshold]:
    """For the best F1, and for each target of precision: measured, and with 97.5 % confidence."""
    found = [("best F1", ranking.best_f1_threshold(examples))]
    found.append(("best macro-F1", ranking.best_macro_f1_threshold(examples)))
    for target in targets:
        found.append((f"precision {target:g}", ranking.threshold_for_precision(examples, target)))
        found.append((f"precision {target:g}, sure", ranking.threshold_for_precision(examples, target, sure=True)))
    return [AtThreshold(name, None) if value is None else _at(examples, name, value) for name, value in found]


def _at(examples: Ranked, name: str, threshold: float) -> AtThreshold:
    precision, recall, f1 = (
        None if value != value else float(value) for value in ranking.figures(examples, threshold)[:3]
    )
    counts = ranking.confusion(examples, threshold)
    called = counts.true_positives + counts.false_positives
    low = float(ranking.wilson(counts.true_positives, called)[0]) if called else None
    return AtThreshold(name, threshold, precision, low, recall, f1, called / examples.scores.size)


def _with_sign(row: AtThreshold, sign: float) -> AtThreshold:
    return row if row.threshold is None else row._replace(threshold=sign * row.threshold)


def _folds(
    table: pa.Table, scores: Floats, truth: NDArray[np.bool_], group: NDArray[np.int64], threshold: float
) -> Folds | None:
    if "fold" not in table.schema.names:
        return None
    fold = codes(table["fold"])
    found = []
    for number in range(int(fold.max(initial=-1)) + 1):
        mask = fold == number
        values = ranking.figures(ranked(scores[mask], truth[mask], group[mask]), threshold)
        found.append(dict(zip(FIGURES, values.tolist(), strict=True)))
    return Folds(len(found), over_folds(found), tuple(plain(row) for row in found)) if len(found) > 1 else None


def _groupings(table: pa.Table, positive: str) -> list[tuple[str, list[str | None]]]:
    """The columns to judge by, with a name for each example; those of one value say no more than all examples do."""
    columns = {name: table[name] for name in GROUPINGS if name in table.schema.names}
    if "category" not in columns and at_least(positive) is None and len(pc.unique(table["label"])) > 2:
        columns["category"] = table["label"]
    named = [(name, pc.cast(columns[name], pa.string()).to_pylist()) for name in GROUPINGS if name in columns]
    return [(name, names) for name, names in named if len({*names} - {None}) > 1]


def _by(
    names: Sequence[str | None],
    scores: Floats,
    truth: NDArray[np.bool_],
    group: NDArray[np.int64],
    threshold: float,
    seed: int,
) -> tuple[GroupFigures, ...]:
    """The largest groups, by size and then by name."""
    counted = Counter(name for name in names if name is not None)
    largest = sorted(counted, key=lambda name: (-counted[name], name))[:MAX_GROUPS]
    values, rows = np.array(names, dtype=object), []
    for name in largest:
        mask = values == name
        examples = ranked(scores[mask], truth[mask], group[mask])
        found = with_intervals(ranking.figures(examples, threshold), figure_draws(examples, threshold, seed))
        counts = ranking.confusion(examples, threshold)
        called, size = counts.true_positives + counts.false_positives, int(mask.sum())
        low, high = ranking.wilson(called, size)
        share = Figure(called / size, float(low), float(high))
        rows.append(GroupFigures(name, size, int(truth[mask].sum()), counts, share, found))
    return tuple(rows)


def _reliability(examples: Ranked) -> list[Bin]:
    """Of each bin of probability that has examples, how many are positive; none where scores are no probabilities."""
    if not examples.is_probability:
        return []
    bins, rows = ranking.bin_of(examples.scores), []
    for number in np.unique(bins):
        mask = bins == number
        count, hits = int(mask.sum()), int(examples.positive[mask].sum())
        low, high = ranking.wilson(hits, count)
        rows.append(
            Bin(float(np.minimum(examples.scores[mask], 1).mean()), hits / count, float(low), float(high), count)
        )
    return rows


def _histogram(scores: Floats, positive: NDArray[np.bool_], is_probability: bool) -> Histogram | None:
    """Counts by score. A score that is no probability is drawn from its first to its 99th percentile."""
    finite = scores[np.isfinite(scores)]
    if not finite.size:
        return None
    low, high = (0.0, 1.0) if is_probability else np.percentile(finite, (1, 99)).tolist()
    edges = np.linspace(low, high if high > low else low + 1, NUM_SCORE_BINS + 1)
    clipped = np.clip(scores, edges[0], edges[-1])
    counts = [tuple(np.histogram(clipped[mask], edges)[0].tolist()) for mask in (positive, ~positive)]
    return Histogram(tuple(edges.tolist()), *counts)
