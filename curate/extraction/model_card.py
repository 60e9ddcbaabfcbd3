"""A model's card: what it was trained on, how well it does, and with which settings (Mitchell et al. 2019).

The card lies beside the model and names the model's digest, so that neither can be taken for another's. It holds no
dates: the same training gives the same card.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from curate.errors import EnvironmentProblem, OutputError
from curate.models import file_digest


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DataSet(_Part):
    """Pages with their main text, as they were trained on."""

    name: str
    licence: str
    pages: int = Field(ge=0)
    sha256: str  # of the file of pages
    gold_sha256: str = ""  # of the file of main texts, where that is another one
    source: str = ""  # where it comes from


class Scores(_Part):
    """Means over pages of word counts, in [0, 1]."""

    pages: int = Field(ge=0)
    f1: float = Field(ge=0, le=1)
    precision: float = Field(ge=0, le=1)
    recall: float = Field(ge=0, le=1)


class ModelCard(_Part):
    """All of a card. Scores are of pages that the model which made them had not seen."""

    name: str
    sha256: str  # of the model's file
    licence: str
    data: tuple[DataSet, ...]
    method: str  # how the scores came about: "4 folds by host"
    overall: Mapping[str, Scores]  # by data set
    by_type: Mapping[str, Scores] = {}
    by_language: Mapping[str, Scores] = {}
    settings: Mapping[str, Any] = {}
    num_features: int = Field(ge=1)
    limits: tuple[str, ...] = ()  # what it is not for, one sentence each


def card_path(model: str | Path) -> Path:
    """Where the card of a model's file lies.

    >>> card_path("weights/extractor.npz").as_posix()
    'weights/extractor.card.json'
    """
    return Path(model).with_suffix(".card.json")


def save_card(card: ModelCard, model: str | Path) -> None:
    """Write the card beside the model's file. OutputError where that cannot be done, or where the model is another."""
    if card.sha256 != file_digest(model):
        raise OutputError(f"the card is not of {model}: it is of SHA-256 {card.sha256}. Write the model first.")
    path = card_path(model)
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        unfinished.write_text(card.model_dump_json(indent=2) + "\n", "utf-8")
        os.replace(unfinished, path)
    except OSError as error:
        raise OutputError(f"cannot write the card {path}: {error.strerror}. Choose another place.") from error


def load_card(model: str | Path) -> ModelCard:
    """The card of a model's file. EnvironmentProblem where there is none, or it is no card, or another model's."""
    path = card_path(model)
    try:
        card = ModelCard.model_validate_json(path.read_bytes())
    except OSError as error:
        raise EnvironmentProblem(f"cannot read the model's card {path}: {error.strerror}. Put it back.") from error
    except ValidationError as error:
        raise EnvironmentProblem(
            f"{path} is no model card: {error.errors()[0]['msg']}. Put the right one back."
        ) from error
    if card.sha256 != file_digest(model):
        raise EnvironmentProblem(
            f"{path} is the card of another model: of SHA-256 {card.sha256}, and {model} has {file_digest(model)}. "
            "Put back the two that belong together, or train again."
        )
    return card


def render_card(card: ModelCard) -> str:
    """The card as Markdown."""
    data = [(d.name, d.licence, f"{d.pages:,}", f"`{d.sha256[:16]}`" if d.sha256 else "", d.source) for d in card.data]
    parts = [
        f"# {_plain(card.name)}",
        f"Licence: {_plain(card.licence)}. {card.num_features} features. SHA-256 `{_plain(card.sha256)}`.",
        "## Trained on",
        _table(("data", "licence", "pages", "SHA-256", "source"), data),
        "## How well it does",
        f"Means over pages, {_plain(card.method)}.",
        _scores("data", card.overall),
    ]
    parts += [_scores("page type", card.by_type)] if card.by_type else []
    parts += [_scores("language", card.by_language)] if card.by_language else []
    parts += ["## Settings", _table(("setting", "value"), sorted(card.settings.items()))] if card.settings else []
    parts += ["## Limits", "\n".join(f"- {_plain(limit)}" for limit in card.limits)] if card.limits else []
    return "\n\n".join(parts) + "\n"


def _scores(what: str, scores: Mapping[str, Scores]) -> str:
    rows = [(name, f"{s.pages:,}", *(f"{x:.3f}" for x in (s.f1, s.precision, s.recall))) for name, s in scores.items()]
    return _table((what, "pages", "F1", "precision", "recall"), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(_plain(cell) for cell in line) + " |" for line in lines)


def _plain(value: Any) -> str:
    """One line of text that neither ends a table's cell nor is HTML."""
    text = " ".join(str(value).split())
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
