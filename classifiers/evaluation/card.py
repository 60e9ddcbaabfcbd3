"""A classifier's card: what it was trained on, how it was judged, how well it does and what was not measured.

After Mitchell et al. 2019. It lies beside the model as card.json and card.md, names the model's digest, and holds no
date and no place: the same training gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from classifiers.evaluation.intervals import Figure
from classifiers.evaluation.metrics import Evaluation, plain
from curate.card_file import CardFile, CardPart, bullets, one_line, read_card_file, table, write_card_file, write_text
from curate.models import file_digest

FEW_GROUPS = 30  # of fewer, a bootstrap's interval is too narrow; our choice
MAX_LISTED = 40  # labels, languages and groups in a cell or table of the Markdown; the JSON has all


class DataSet(CardPart):
    """Labelled texts, as they were trained on or judged by."""

    name: str
    licence: str
    file: str  # without its folder
    sha256: str  # of the file
    counts: Mapping[str, Mapping[str, int]]  # of examples by label, then by language ("" where it is not known)
    used_for: str = "training and evaluation"


class Split(CardPart):
    """How what is judged by was held apart."""

    how: str  # "20 % of the groups, by hash of host"
    seed: int
    num_train: int = Field(ge=0)  # examples
    num_held_out: int = Field(ge=0)
    num_folds: int = Field(default=0, ge=0)  # of the cross-validation; 0 where there is none


class CardFigure(CardPart):
    """A figure and its 95 % interval; null where it is not defined."""

    value: float | None
    low: float | None = None
    high: float | None = None


class CardThreshold(CardPart):
    """What a threshold gives on the held-out examples."""

    name: str
    threshold: float | None
    precision: float | None = None
    precision_low: float | None = None
    recall: float | None = None
    f1: float | None = None
    called_frac: float | None = None


class CardGroup(CardPart):
    """Figures of the examples of a language, source or category."""

    num_examples: int
    num_positive: int
    called: CardFigure  # share that is called positive
    figures: Mapping[str, CardFigure]


Figures = Mapping[str, CardFigure]


class ModelCard(CardFile):
    """All of a card."""

    name: str
    kind: str  # of model: a name of `curate.registry.MODELS`
    file: str  # the model's, beside the card
    licence: str
    positive: str  # the label that a high score says
    data: tuple[DataSet, ...]
    split: Split
    settings: Mapping[str, Any] = {}
    threshold: float | None
    threshold_from: str
    held_out: Figures
    cross_validated: Mapping[str, CardFigure] = {}
    baselines: Mapping[str, Figures] = {}
    thresholds: tuple[CardThreshold, ...] = ()
    by: Mapping[str, Mapping[str, CardGroup]] = {}
    limits: tuple[str, ...]  # what was not measured, one sentence each


def card_of(
    evaluation: Evaluation,
    *,
    name: str,
    kind: str,
    model: str | Path,
    licence: str,
    data: tuple[DataSet, ...],
    split: Split,
    settings: Mapping[str, Any],
    limits: tuple[str, ...] = (),
) -> ModelCard:
    """The card of the model's file `model` as `evaluation` judged it; `limits` go before those that figures tell."""
    numbers = evaluation.regression
    baselines = {row.name: _figures(row.figures) for row in evaluation.baselines}
    return ModelCard(
        name=name,
        kind=kind,
        file=Path(model).name,
        sha256=file_digest(model),
        licence=licence,
        positive=evaluation.positive,
        data=data,
        split=split,
        settings=plain(settings),
        threshold=plain(evaluation.threshold),
        threshold_from=evaluation.threshold_from,
        held_out=_figures({**evaluation.figures, **(numbers.figures if numbers else {})}),
        cross_validated=_figures(evaluation.folds.figures) if evaluation.folds else {},
        baselines={**baselines, **({"mean label": _figures(numbers.of_mean)} if numbers else {})},
        thresholds=tuple(CardThreshold(**plain(row)) for row in evaluation.thresholds),
        by={
            column: {
                row.name: CardGroup(
                    num_examples=row.num_examples,
                    num_positive=row.num_positive,
                    called=CardFigure(**plain(row.called)),
                    figures=_figures(row.figures),
                )
                for row in rows
            }
            for column, rows in evaluation.by.items()
        },
        limits=(*limits, *_limits(evaluation, data)),
    )


def write_card(card: ModelCard, folder: str | Path) -> None:
    """Write card.json and card.md beside the model. OutputError where that cannot be done, or the model is another."""
    folder = Path(folder)
    write_card_file(card, folder / "card.json", folder / card.file)
    write_text(folder / "card.md", render_card(card))


def load_card(folder: str | Path) -> ModelCard:
    """The card in a folder. EnvironmentProblem where there is none, it is no card, or it is of another model."""
    folder = Path(folder)
    card = read_card_file(ModelCard, folder / "card.json", None)
    return read_card_file(ModelCard, folder / "card.json", folder / Path(card.file).name)


def render_card(card: ModelCard) -> str:
    """The card as Markdown."""
    at = "no threshold" if card.threshold is None else f"threshold {card.threshold:.6g}"
    parts = [
        f"# {one_line(card.name)}",
        f"A model of kind {one_line(card.kind)}, for {one_line(card.positive)}. File {one_line(card.file)}, "
        f"SHA-256 `{one_line(card.sha256)}`. Licence: {one_line(card.licence)}.",
        "## Trained and judged on",
        table(("data", "licence", "file", "SHA-256", "for", "examples"), [_data(one) for one in card.data]),
        f"{one_line(card.split.how)}, seed {card.split.seed}: {card.split.num_train:,} examples to train on, "
        f"{card.split.num_held_out:,} held out.",
        "## How well it does",
        f"On held-out examples, with 95 % intervals, {at} ({one_line(card.threshold_from)}).",
        _table_of_figures(card),
        "## Thresholds",
        "“Sure” asks the target of the lower end of precision's 95 % interval.",
        table(
            ("", "threshold", "precision", "recall", "F1", "share called"), [_threshold(row) for row in card.thresholds]
        ),
    ]
    for column, rows in card.by.items():
        parts += [f"## By {one_line(column)}", _groups(column, rows)]
    parts += ["## Settings", table(("setting", "value"), sorted(card.settings.items()))] if card.settings else []
    parts += ["## What it does not measure", bullets(card.limits)]
    return "\n\n".join(parts) + "\n"


def _limits(evaluation: Evaluation, data: tuple[DataSet, ...]) -> list[str]:
    """What the figures themselves say that they do not say."""
    languages = sorted({language for one in data for by in one.counts.values() for language in by if language})
    known = f" (languages: {', '.join(languages[:MAX_LISTED])})" if languages else ""
    found = [f"Figures are of examples like these{known}; other sources, languages and times may do worse."]
    share = evaluation.num_positive / evaluation.num_examples if evaluation.num_examples else 0.0
    found.append(f"Precision is at {share:.1%} positives, as held out; where positives are rarer it is lower.")
    if evaluation.num_groups < FEW_GROUPS:
        found.append(f"Held-out examples are of {evaluation.num_groups} groups: intervals of so few are too narrow.")
    if evaluation.threshold_from.endswith("these examples"):
        found.append("The threshold was chosen on the examples that judge it, which flatters what depends on it.")
    if evaluation.num_without_score:
        found.append(f"{evaluation.num_without_score:,} held-out examples have no score and count nowhere.")
    return found


def _figures(figures: Mapping[str, Figure]) -> dict[str, CardFigure]:
    return {name: CardFigure(**plain(figure)) for name, figure in figures.items()}


def _table_of_figures(card: ModelCard) -> str:
    columns: dict[str, Figures] = {"held out": card.held_out}
    if card.cross_validated:
        columns[f"{card.split.num_folds} folds"] = card.cross_validated
    columns.update(card.baselines)
    names = dict.fromkeys(name for figures in columns.values() for name in figures)
    rows = [(name.replace("_", " "), *(_shown(column.get(name)) for column in columns.values())) for name in names]
    return table(("", *columns), rows)


def _groups(column: str, rows: Mapping[str, CardGroup]) -> str:
    # A category is positive as a whole, or not: of it only the share that is called positive says something.
    names = () if column == "category" else ("precision", "recall", "f1", "roc_auc")
    lines = []
    for name, row in list(rows.items())[:MAX_LISTED]:
        figures = [_shown(figure) for figure in (row.called, *(row.figures.get(key) for key in names))]
        lines.append((name, f"{row.num_examples:,}", f"{row.num_positive:,}", *figures))
    return table((column, "examples", "positive", "share called", *(name.replace("_", " ") for name in names)), lines)


def _data(one: DataSet) -> tuple[str, ...]:
    counts = [
        f"{label}: " + ", ".join(f"{n:,} {language or '?'}" for language, n in list(by.items())[:MAX_LISTED])
        for label, by in list(one.counts.items())[:MAX_LISTED]
    ]
    return one.name, one.licence, one.file, f"`{one.sha256[:16]}`", one.used_for, "; ".join(counts)


def _threshold(row: CardThreshold) -> tuple[str, ...]:
    if row.threshold is None:
        return row.name, "none reaches it", "", "", "", ""
    numbers = [row.precision, row.recall, row.f1, row.called_frac]
    return row.name, f"{row.threshold:.6g}", *("–" if x is None else f"{x:.3f}" for x in numbers)


def _shown(figure: CardFigure | None) -> str:
    if figure is None or figure.value is None:
        return "–"
    span = f" ({figure.low:.3f} to {figure.high:.3f})" if figure.low is not None and figure.high is not None else ""
    return f"{figure.value:.3f}{span}"
