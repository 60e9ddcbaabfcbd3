"""report.html of a classifier: how well it does on held-out examples, and which it gets wrong. One file, no network.

Documents are hostile, and so are labels, sources and addresses. The template engine escapes every text, figures travel
as JSON in which no tag can begin, and the page's content security policy names its two scripts by digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from classifiers.evaluation.card import FEW_GROUPS, ModelCard
from classifiers.evaluation.intervals import Figure
from classifiers.evaluation.metrics import Evaluation, GroupFigures
from classifiers.evaluation.report_plots import drawn
from classifiers.evaluation.report_samples import MAX_NAME_CHARS, NUM_SAMPLES, cells, printable
from curate.errors import OutputError
from curate.web_page import plotly_library, script_digest, script_json

TILES = ("roc_auc", "average_precision", "f1", "macro_f1", "precision", "recall", "accuracy")
FIGURE_NAMES = {
    "f1": "F1",
    "macro_f1": "macro-F1",
    "roc_auc": "ROC-AUC",
    "brier": "Brier score",
    "pearson": "Pearson",
    "spearman": "Spearman",
    "mae": "mean absolute error",
    "rmse": "RMSE",
}
MAX_MATRIX = 20  # classes of a confusion matrix that is drawn

_DRAW = """
const figures = JSON.parse(document.getElementById("figures").textContent);
for (const [id, figure] of Object.entries(figures)) {
  const draw = () => {
    const style = getComputedStyle(document.documentElement), dim = style.getPropertyValue("--dim").trim();
    const axis = {gridcolor: style.getPropertyValue("--line").trim(), color: dim};
    const layout = {...figure.layout, font: {...figure.layout.font, color: dim},
      xaxis: {...figure.layout.xaxis, ...axis}, yaxis: {...figure.layout.yaxis, ...axis}};
    Plotly.react(id, figure.data, layout, {displayModeBar: false, responsive: true});
  };
  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}
"""


class Category(NamedTuple):
    """A category of a safety report: how much of it the threshold catches."""

    name: str
    num_examples: int
    is_positive: bool | None  # None: some of it is
    num_called: int
    called: Figure  # share that is called positive: recall of a positive category, the false alarms of another
    precision: float | None  # were this the only positive category; None of one that is not


def write_report(
    evaluation: Evaluation, held_out: pa.Table, path: str | Path, title: str, card: ModelCard | None = None
) -> None:
    """Write the page of an evaluation to `path`, a local file.

    `held_out` is the table that was evaluated; texts are shown where it has them. `card` gives settings and digests.
    OutputError where the file cannot be written.
    """
    try:
        Path(path).write_bytes(render(evaluation, held_out, title, card).encode("utf-8", "replace"))
    except OSError as error:
        raise OutputError(f"cannot write the report to {path} ({error}). Name a file that can be written.") from error


def render(evaluation: Evaluation, held_out: pa.Table, title: str, card: ModelCard | None = None) -> str:
    """The page as a string."""
    figures = drawn(evaluation)
    page: str = template("evaluation.html.jinja").render(
        title=printable(title)[:MAX_NAME_CHARS],
        evaluation=evaluation,
        card=card,
        tiles={name: evaluation.figures[name] for name in TILES},
        notes=_notes(evaluation),
        columns=_columns(evaluation),
        cells=cells(evaluation, held_out),
        num_samples=NUM_SAMPLES,
        categories=[_category(evaluation, row) for row in evaluation.by.get("category", ())],
        max_matrix=MAX_MATRIX,
        drawn=list(figures),
        figures=script_json("{" + ",".join(f'"{name}":{figure.to_json()}' for name, figure in figures.items()) + "}"),
        library=plotly_library(),
        draw=Markup(_DRAW),
        digests=[script_digest(plotly_library()), script_digest(_DRAW)],
    )
    return page


def _columns(evaluation: Evaluation) -> dict[str, Mapping[str, Figure]]:
    """Columns of the table of figures: the model's, its folds', and those of what it is compared with."""
    numbers = evaluation.regression
    found: dict[str, Mapping[str, Figure]] = {
        "held out": {**evaluation.figures, **(numbers.figures if numbers else {})},
    }
    if evaluation.folds:
        found[f"mean of {evaluation.folds.num_folds} folds"] = evaluation.folds.figures
    for row in evaluation.baselines:
        found[row.name] = row.figures
    if numbers:
        found["mean label"] = numbers.of_mean
    if len(evaluation.baselines) > 1:
        found[f"ahead of {evaluation.baselines[-1].name}"] = evaluation.baselines[-1].ahead
    return found


def _notes(evaluation: Evaluation) -> list[str]:
    """What a reader should know before believing a figure."""
    found = []
    if not evaluation.num_examples:
        found.append("No example has a score: there is nothing to judge.")
    elif evaluation.num_positive in (0, evaluation.num_examples):
        found.append("All examples are of one kind: what compares two kinds is not defined.")
    if 0 < evaluation.num_groups < FEW_GROUPS:
        found.append(f"The examples are of {evaluation.num_groups} groups only: the intervals are too narrow.")
    if evaluation.threshold_from.endswith("these examples"):
        found.append(
            "The threshold was chosen on these very examples, which flatters precision, recall, F1 and accuracy."
        )
    if evaluation.num_without_score:
        found.append(f"{evaluation.num_without_score:,} examples have no score and are counted nowhere.")
    return found


def _category(evaluation: Evaluation, row: GroupFigures) -> Category:
    counts = row.confusion
    called = counts.true_positives + counts.false_positives
    of_positives = counts.true_positives + evaluation.confusion.false_positives
    precision = counts.true_positives / of_positives if row.num_positive and of_positives else None
    kind = None if 0 < row.num_positive < row.num_examples else row.num_positive > 0
    return Category(row.name, row.num_examples, kind, called, row.called, precision)


@cache
def template(name: str) -> Any:
    """A template of this package, with autoescape, and filters for figures, shares and names of bounded length."""
    environment = Environment(
        loader=PackageLoader("classifiers.evaluation"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["number"] = lambda value: f"{value:,}"
    environment.filters["score"] = lambda value: "–" if value is None else f"{value:.3f}"
    environment.filters["general"] = lambda value: "–" if value is None else f"{value:.5g}"
    environment.filters["percent"] = lambda value: f"{100 * min(max(value or 0.0, 0.0), 1.0):.2f}%"
    environment.filters["shares"] = lambda one: "–" if one.value is None else f"{one.value:.2%}"
    environment.filters["share_span"] = lambda one: "" if one.low is None else f"{one.low:.2%} to {one.high:.2%}"
    environment.filters["span"] = lambda one: "" if one.low is None else f"{one.low:.3f} to {one.high:.3f}"
    environment.filters["shown"] = lambda name: FIGURE_NAMES.get(name, name.replace("_", " "))
    environment.filters["cut"] = lambda value: printable(str(value))[:MAX_NAME_CHARS]
    return environment.get_template(name)
