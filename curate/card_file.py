"""What the cards of all models have in common: a JSON file that names its model's digest, and safe Markdown.

Names and labels come from users' data and may hold anything, so a cell is one line in which neither HTML nor a table's
border can begin.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from curate.errors import EnvironmentProblem, OutputError
from curate.models import file_digest


class CardPart(BaseModel):
    """A part of a card, or all of it: nothing unknown, no number that JSON lacks."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())


class CardFile(CardPart):
    """A card, of the model's file with this digest."""

    sha256: str


Card = TypeVar("Card", bound=CardFile)


def write_card_file(card: CardFile, path: Path, model: str | Path) -> None:
    """Write a card as JSON, all or nothing. OutputError where that cannot be done, or where it is not `model`'s."""
    if card.sha256 != file_digest(model):
        raise OutputError(f"the card is not of {model}: it is of SHA-256 {card.sha256}. Write the model first.")
    write_text(path, card.model_dump_json(indent=2) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text, all or nothing; what UTF-8 lacks becomes "?". OutputError where that cannot be done."""
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        unfinished.write_bytes(text.encode("utf-8", "replace"))
        os.replace(unfinished, path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}. Choose another place.") from error


def read_card_file(kind: type[Card], path: Path, model: str | Path | None) -> Card:
    """A card of `kind`. EnvironmentProblem where there is none, where it is no card, or where it is not `model`'s.

    None for `model` takes any model's.
    """
    try:
        card = kind.model_validate_json(path.read_bytes())
    except OSError as error:
        raise EnvironmentProblem(f"cannot read the model's card {path}: {error.strerror}. Put it back.") from error
    except ValidationError as error:
        raise EnvironmentProblem(
            f"{path} is no model card: {error.errors()[0]['msg']}. Put the right one back."
        ) from error
    if model is not None and card.sha256 != file_digest(model):
        raise EnvironmentProblem(
            f"{path} is the card of another model: of SHA-256 {card.sha256}, and {model} has {file_digest(model)}. "
            "Put back the two that belong together, or train again."
        )
    return card


def table(head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    """A Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(one_line(cell) for cell in line) + " |" for line in lines)


def bullets(sentences: Iterable[str]) -> str:
    """A Markdown list."""
    return "\n".join(f"- {one_line(sentence)}" for sentence in sentences)


def one_line(value: Any) -> str:
    """One line of text that neither ends a table's cell nor is HTML.

    >>> one_line("a | <b>\\n c")
    'a \\\\| &lt;b> c'
    """
    text = " ".join(str(value).split())
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
