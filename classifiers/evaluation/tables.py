"""What training or judging a model found out, as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from classifiers.commands.train import Outcome
from classifiers.evaluation.intervals import Figure
from classifiers.evaluation.metrics import Evaluation

_NAMES = {
    "f1": "F1",
    "macro_f1": "macro-F1",
    "roc_auc": "ROC-AUC",
    "average_precision": "avg. precision",
    "brier": "Brier score",
    "calibration_error": "calib. error",
    "mae": "mean abs. error",
    "rmse": "RMSE",
}
_BY = ("precision", "recall", "f1", "roc_auc")
_MAX_NAME_CHARS = 60


def tables(outcome: Outcome) -> Iterator[Table]:
    """Examples by set, figures beside the baselines', thresholds, and figures by language, source and category."""
    evaluation = outcome.judged.evaluation
    yield _examples(outcome.examples.counts)
    yield _figures(evaluation)
    yield _thresholds(evaluation)
    for column, rows in evaluation.by.items():
        table = _table(f"By {column}", column, "examples", "positive", *map(_name, _BY))
        for row in rows:
            values = [_shown(row.figures[name]) for name in _BY]
            _add(table, row.name, f"{row.num_examples:,}", f"{row.num_positive:,}", *values)
        yield table


def _examples(counts: Mapping[str, Mapping[str, int]]) -> Table:
    reasons = sorted({reason for one in counts.values() for reason in one} - {"read", "used"})
    table = _table("Examples", "set", "rows read", "used", *(reason.replace("_", " ") for reason in reasons))
    for name, one in counts.items():
        _add(table, name, *(f"{one.get(column, 0):,}" for column in ("read", "used", *reasons)))
    return table


def _figures(evaluation: Evaluation) -> Table:
    numbers = evaluation.regression
    columns = {"held out": {**evaluation.figures, **(numbers.figures if numbers else {})}}
    if evaluation.folds:
        columns[f"{evaluation.folds.num_folds} folds"] = dict(evaluation.folds.figures)
    num_own = len(columns)  # a terminal has no room for the intervals of what it is compared with; the report has
    columns.update({row.name: dict(row.figures) for row in evaluation.baselines})
    if numbers:
        columns["mean label"] = dict(numbers.of_mean)
    at = (
        "no threshold"
        if evaluation.threshold is None
        else f"at {evaluation.threshold:.4g}, {evaluation.threshold_from}"
    )
    title = f"{evaluation.num_positive:,} of {evaluation.num_examples:,} are {evaluation.positive}; {at}"
    table = _table(title, "", *columns)
    for name in columns["held out"]:
        shown = [_shown(figures.get(name), place < num_own) for place, figures in enumerate(columns.values())]
        _add(table, _name(name), *shown)
    return table


def _thresholds(evaluation: Evaluation) -> Table:
    table = _table(
        "Thresholds by the held-out examples", "for", "threshold", "precision", "recall", "F1", "share called"
    )
    for row in evaluation.thresholds:
        if row.threshold is None:
            _add(table, row.name, "none reaches it", "", "", "", "")
        else:
            numbers = (row.precision, row.recall, row.f1, row.called_frac)
            _add(table, row.name, f"{row.threshold:.4g}", *("–" if x is None else f"{x:.3f}" for x in numbers))
    return table


def _table(title: str, first: str, *columns: str) -> Table:
    table = Table(title=Text(title), title_justify="left", box=SIMPLE)
    table.add_column(Text(first), overflow="fold")
    for column in columns:
        table.add_column(Text(column), justify="right", overflow="fold")
    return table


def _add(table: Table, *cells: str) -> None:
    """A row of texts, in which no markup is read: labels and sources are others' words."""
    table.add_row(*(Text(cell[:_MAX_NAME_CHARS]) for cell in cells))


def _name(figure: str) -> str:
    return _NAMES.get(figure, figure.replace("_", " "))


def _shown(figure: Figure | None, with_interval: bool = True) -> str:
    if figure is None or figure.value is None:
        return "–"
    if not with_interval:
        return f"{figure.value:.3f}"
    span = f" ({figure.low:.3f}–{figure.high:.3f})" if figure.low is not None and figure.high is not None else ""
    return f"{figure.value:.3f}{span}"
