"""Models that a run has trained (`fitted_score`): how well they do on what was held out, and where their pages lie."""

from __future__ import annotations

from typing import Any, NamedTuple

from curate.report.reading import read_record
from curate.rundir import FITTED, RunDir

FIGURES = ("roc_auc", "average_precision", "f1", "accuracy")
NAMES = {"roc_auc": "ROC-AUC", "average_precision": "average precision", "f1": "F1", "accuracy": "accuracy"}


class FittedModel(NamedTuple):
    """One model. A figure is (value, low, high), None where it is not known; all are of held-out examples."""

    stage: str
    language: str  # "all" where the languages have one model together
    num_examples: int | None  # held out; None: the model was not judged
    figures: dict[str, tuple[float | None, float | None, float | None]]
    notes: tuple[str, ...]
    page: str | None  # relative to report.html


def fitted_models(run: RunDir) -> list[FittedModel]:
    """The models of each stage of the last run, in order. What a file does not hold in the known form is left out."""
    found = []
    for entry in read_record(run)["passes"]:
        name = str(entry["name"])
        for language in run.names("dedup", name, FITTED):
            folder = ("dedup", name, FITTED, language)
            metrics = run.read_json(*folder, "metrics.json")
            known = metrics if isinstance(metrics, dict) else {}
            page = "/".join((*folder, "report.html")) if run.exists(*folder, "report.html") else None
            figures = {NAMES[key]: _figure(known, key) for key in FIGURES} if known else {}
            notes = tuple(str(note) for note in known.get("notes") or ())
            stage = name.partition("-")[2]
            found.append(FittedModel(stage, language, _count(known.get("num_examples")), figures, notes, page))
    return found


def _figure(metrics: dict[str, Any], key: str) -> tuple[float | None, float | None, float | None]:
    figures = metrics.get("figures")
    figure = figures.get(key) if isinstance(figures, dict) else None
    if not isinstance(figure, dict):
        return None, None, None
    value, low, high = (_number(figure.get(name)) for name in ("value", "low", "high"))
    return value, low, high


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) else None
