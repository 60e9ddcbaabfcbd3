"""What a training found out, for the terminal, for the model's card and as JSON. Nothing here has a date or a name of
a machine: the same training gives the same files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from rich.table import Table

from classifiers.extractor.evaluate import Report, Result
from classifiers.extractor.examples import Example
from classifiers.extractor.scores import Score, interval
from classifiers.extractor.settings import TrainingSettings
from classifiers.extractor.tables import GROUPINGS, tables
from classifiers.extractor.validation import CurvePoint, LeftOut, Validation
from curate.extraction.model import ExtractorModel
from curate.extraction.model_card import DataSet, ModelCard, Scores
from curate.kernels.page_features import NUM_FEATURES, PAGE_TYPES

#: What every model is not measured for; a card says it.
LIMITS = (
    "Scores count words: the order of blocks, tables, code and formulas was not measured.",
    "Scores are those of pages like these; other kinds of pages and other languages may do worse.",
)


class Trained(NamedTuple):
    """A model, and how well models trained in the same way did on pages of hosts that they had not seen."""

    examples: Sequence[Example]
    settings: TrainingSettings
    model: ExtractorModel
    validation: Validation
    curve: Sequence[CurvePoint] = ()
    left_out: Mapping[str, Sequence[LeftOut]] = {}  # by column


def shown(trained: Trained) -> Iterator[Table]:
    """Tables for a person."""
    pages = [example.page for example in trained.examples]
    scores = [judged.score for judged in trained.validation.judged]
    yield from tables(Report(pages, [Result("cross-validated", [], scores, None)]))
    if trained.curve:
        table = _table("Learning curve", "share of pages", "training pages", "F1")
        for point in trained.curve:
            table.add_row(f"{point.frac:.3g}", f"{point.num_training_pages:,.0f}", f"{point.f1:.4f}")
        yield table
    for column, groups in trained.left_out.items():
        table = _table(f"Trained without one {column.replace('_', ' ')}", "left out", "pages", "F1", "F1 with it")
        for one in groups:
            table.add_row(one.group, str(one.num_pages), f"{one.f1:.4f}", f"{one.seen_f1:.4f}")
        yield table


def as_json(trained: Trained) -> dict[str, Any]:
    """All of it, and every page: {"method", "overall", "by", "learning_curve", "left_out", "pages", …}."""
    f1 = [judged.score.f1 for judged in trained.validation.judged]
    return {
        "method": method(trained.settings),
        "overall": {**_scores(trained, range(len(f1))).model_dump(), "f1_interval": interval(f1)},
        "by": {column: {group: s.model_dump() for group, s in by(trained, column).items()} for column in GROUPINGS},
        "page_type_accuracy": type_accuracy(trained),
        "learning_curve": [point._asdict() for point in trained.curve],
        "left_out": {column: [one._asdict() for one in groups] for column, groups in trained.left_out.items()},
        "settings": trained.settings.model_dump(mode="json"),
        "pages": [
            {
                "url": example.page.url,
                "host": example.page.host,
                **{column: getattr(example.page, column) for column in GROUPINGS},
                "fold": judged.fold,
                **judged.score._asdict(),
                **{f"expected_{name}": value for name, value in judged.expected._asdict().items()},
                "likeliest_type": judged.page_type,
            }
            for example, judged in zip(trained.examples, trained.validation.judged, strict=True)
        ],
    }


def card(trained: Trained, name: str, licence: str, data: Sequence[DataSet], sha256: str) -> ModelCard:
    """The card of the model's file with this digest."""
    zero_shot = [
        f"Trained without the {column} {one.group}, it has F1 {one.f1:.3f} there; with it {one.seen_f1:.3f}."
        for column, groups in trained.left_out.items()
        for one in groups
    ]
    return ModelCard(
        name=name,
        sha256=sha256,
        licence=licence,
        data=tuple(data),
        method=method(trained.settings),
        overall=by(trained, "source"),
        by_type=by(trained, "page_type"),
        by_language=by(trained, "language"),
        settings=flat(trained.settings.model_dump(mode="json")),
        num_features=NUM_FEATURES,
        limits=(*LIMITS, *zero_shot),
    )


def by(trained: Trained, column: str) -> dict[str, Scores]:
    """Mean scores of each group of a column; pages of no group are in none."""
    groups = [getattr(example.page, column) for example in trained.examples]
    return {
        group: _scores(trained, [place for place, other in enumerate(groups) if other == group])
        for group in sorted({group for group in groups if group is not None})
    }


def type_accuracy(trained: Trained) -> float | None:
    """Share of pages whose type was found, of those with a type that the extractor knows; None where there is none."""
    pairs = zip(trained.examples, trained.validation.judged, strict=True)
    right = [judged.page_type == e.page.page_type for e, judged in pairs if e.page.page_type in PAGE_TYPES]
    return float(np.mean(right)) if right else None


def method(settings: TrainingSettings) -> str:
    """How the scores came about."""
    return f"each page judged by a model that saw no page of its host: {settings.num_folds} folds by host"


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Settings by the names that `--set` takes.

    >>> flat({"seed": 0, "blocks": {"num_trees": 300}})
    {'seed': 0, 'blocks.num_trees': 300}
    """
    found: dict[str, Any] = {}
    for name, value in settings.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return found


def _scores(trained: Trained, places: Sequence[int]) -> Scores:
    chosen = [trained.validation.judged[place].score for place in places]
    mean = Score(*np.mean(chosen, axis=0).tolist())
    return Scores(pages=len(chosen), f1=min(mean.f1, 1), precision=min(mean.precision, 1), recall=min(mean.recall, 1))


def _table(title: str, first: str, *columns: str) -> Table:
    table = Table(first, title=title, title_justify="left", title_style="bold")
    for column in columns:
        table.add_column(column, justify="right")
    return table
