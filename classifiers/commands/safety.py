"""`curate classifiers safety`: what scores call toxic, spam, … in a corpus, and how far to believe them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from classifiers.evaluation.card import load_card
from classifiers.evaluation.metrics import evaluate, is_positive
from classifiers.evaluation.safety import Category, CategoryReport, category_of, safety, write_safety
from classifiers.evaluation.score_mixture import mixture_of
from classifiers.trained_model import HELD_OUT, training_in
from curate import registry
from curate.errors import InputError, RecipeError
from curate.progress import Show

_CATEGORY = re.compile(r"([^=]+)=([^=:<>]+)(?::(<=|>=)?([^<>=:]+))?")


class Asked(NamedTuple):
    """A category as a person asks for it. What is None is for its model to say."""

    name: str
    signal: str
    threshold: float | None = None
    more_is_worse: bool | None = None


def report(
    scored: str, categories: Sequence[str], models: Sequence[str], output: Path, show: Show
) -> list[CategoryReport]:
    """Write a page on a run folder or parquet files with scores; give what it says.

    categories: NAME=STAGE.SIGNAL:THRESHOLD. models: NAME=FOLDER of the trained model behind a category. A model whose
    name is that of no category makes one: the name is then that of the stage in the recipe, or STAGE.SIGNAL; without a
    name it is what the model's stage is called where nothing else is said. CurateError where a person can put something
    right, before the corpus is read.
    """
    found = _categories([asked(one) for one in categories], [_named(one) for one in models])
    if not found:
        raise RecipeError(
            "which categories? Give --category NAME=STAGE.SIGNAL:THRESHOLD, or the folder of the trained model behind "
            "a stage: --model STAGE=FOLDER"
        )
    reports = safety(scored, found, show)
    write_safety(reports, output, f"Safety report of {scored}")
    return reports


def asked(text: str) -> Asked:
    """A category of the command line. RecipeError where it is none.

    >>> asked("hate=toxicity.score:0.5")
    Asked(name='hate', signal='toxicity.score', threshold=0.5, more_is_worse=None)
    >>> asked("odd=perplexity.perplexity:<=30").more_is_worse
    False
    """
    match = _CATEGORY.fullmatch(text.strip())
    if not match:
        raise RecipeError(f"--category takes NAME=STAGE.SIGNAL:THRESHOLD, as hate=toxicity.score:0.5, and got {text!r}")
    name, signal, sign, number = match.groups()
    try:
        threshold = None if number is None else float(number)
    except ValueError:
        threshold = math.nan
    if threshold is not None and not math.isfinite(threshold):
        raise RecipeError(f"the threshold of --category {name} is {number!r}, and a number is wanted")
    return Asked(name, signal, threshold, sign == ">=" if sign else None)


def _named(text: str) -> tuple[str, Path]:
    """`NAME=FOLDER`; a folder that is there needs no name."""
    name, equals, folder = text.partition("=")
    return ("", Path(text)) if not equals or Path(text).is_dir() else (name, Path(folder))


def _categories(categories: Sequence[Asked], models: Sequence[tuple[str, Path]]) -> list[Category]:
    folders: dict[str, Path] = {}
    for name, folder in models:
        if name and folders.setdefault(name, folder) != folder:
            raise RecipeError(f"two models for {name}: {folders[name]} and {folder}. Give each a name of its own")
    found = [_with_model(one, folders[one.name]) if one.name in folders else _alone(one) for one in categories]
    names = {one.name for one in categories}
    return found + [_of_model(name, folder) for name, folder in models if name not in names]


def _alone(one: Asked) -> Category:
    if one.threshold is None:
        raise RecipeError(
            f"from which value on is it {one.name}? Give --category {one.name}={one.signal}:THRESHOLD, or the model "
            f"that says so: --model {one.name}=FOLDER"
        )
    return Category(one.name, one.signal, one.threshold, one.more_is_worse is not False)


def _with_model(one: Asked, folder: Path) -> Category:
    """As a person asks for it, with the model's errors at that threshold."""
    category = _judged(one.name, one.signal, folder, one.threshold)
    if one.more_is_worse not in (None, category.more_is_worse):
        raise RecipeError(
            f"{one.name} is where the score of {folder} is {'high' if category.more_is_worse else 'low'}. "
            f"Give the threshold as {one.signal}:{one.threshold:g}"
        )
    return category


def _of_model(name: str, folder: Path) -> Category:
    """A category that nothing but its model describes."""
    training = training_in(folder)
    trainer: Any = training.model.settings
    stage: Any = registry.stage_class(trainer.stage)
    signal = name if "." in name else f"{name or trainer.stage}.{stage.score_signal}"
    return _judged(name or training.name, signal, folder, None)


def _judged(name: str, signal: str, folder: Path, threshold: float | None) -> Category:
    """A category with its model's errors on the examples that were held out, at the model's own threshold for None."""
    training = training_in(folder)
    trainer: Any = training.model.settings
    stage: Any = registry.stage_class(trainer.stage)
    card = load_card(folder)
    held_out = _held_out(folder)
    evaluation = evaluate(
        held_out,
        training.positive,
        card.threshold if threshold is None else threshold,
        seed=training.seed,
        more_is_better=stage.more_is_better,
    )
    scores = np.asarray(held_out["score"].cast(pa.float64()).to_numpy(), np.float64)
    return category_of(name, signal, evaluation, mixture_of(scores, is_positive(held_out, training.positive)))


def _held_out(folder: Path) -> pa.Table:
    try:
        return pq.read_table(folder / HELD_OUT)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(
            f"{folder / HELD_OUT} cannot be read: {error}. Train the model again, or put it back"
        ) from None
