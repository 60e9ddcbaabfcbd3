"""A model's card: what it was trained on, how well it does, and with which settings (Mitchell et al. 2019).

The card lies beside the model and names the model's digest, so that neither can be taken for another's. It holds no
dates: the same training gives the same card.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from curate.card_file import CardFile, CardPart, bullets, one_line, read_card_file, table, write_card_file


class DataSet(CardPart):
    """Pages with their main text, as they were trained on."""

    name: str
    licence: str
    pages: int = Field(ge=0)
    sha256: str  # of the file of pages
    gold_sha256: str = ""  # of the file of main texts, where that is another one
    source: str = ""  # where it comes from


class Scores(CardPart):
    """Means over pages of word counts, in [0, 1]."""

    pages: int = Field(ge=0)
    f1: float = Field(ge=0, le=1)
    precision: float = Field(ge=0, le=1)
    recall: float = Field(ge=0, le=1)


class ModelCard(CardFile):
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
    write_card_file(card, card_path(model), model)


def load_card(model: str | Path) -> ModelCard:
    """The card of a model's file. EnvironmentProblem where there is none, or it is no card, or another model's."""
    return read_card_file(ModelCard, card_path(model), model)


def render_card(card: ModelCard) -> str:
    """The card as Markdown."""
    data = [(d.name, d.licence, f"{d.pages:,}", f"`{d.sha256[:16]}`" if d.sha256 else "", d.source) for d in card.data]
    parts = [
        f"# {one_line(card.name)}",
        f"Licence: {one_line(card.licence)}. {card.num_features} features. SHA-256 `{one_line(card.sha256)}`.",
        "## Trained on",
        table(("data", "licence", "pages", "SHA-256", "source"), data),
        "## How well it does",
        f"Means over pages, {one_line(card.method)}.",
        _scores("data", card.overall),
    ]
    parts += [_scores("page type", card.by_type)] if card.by_type else []
    parts += [_scores("language", card.by_language)] if card.by_language else []
    parts += ["## Settings", table(("setting", "value"), sorted(card.settings.items()))] if card.settings else []
    parts += ["## Limits", bullets(card.limits)] if card.limits else []
    return "\n\n".join(parts) + "\n"


def _scores(what: str, scores: Mapping[str, Scores]) -> str:
    rows = [(name, f"{s.pages:,}", *(f"{x:.3f}" for x in (s.f1, s.precision, s.recall))) for name, s in scores.items()]
    return table((what, "pages", "F1", "precision", "recall"), rows)
