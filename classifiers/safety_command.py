"""`curate classifiers safety`: what trained models call toxic, spam, … in a corpus that they have scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from classifiers.card import load_card
from classifiers.metrics import evaluate
from classifiers.safety import Category, CategoryReport, category_of, safety, write_safety
from classifiers.trained_model import HELD_OUT, training_in
from curate import registry
from curate.errors import OutputError, RecipeError


def report(scored: str, models: Mapping[str, Sequence[str]], output: Path) -> list[CategoryReport]:
    """Write a page on a run folder or parquet files with scores, a category for each model.

    models: signal (`stage.signal`) → folders of trained models; "" for those whose signal is called as their stage. A
    category has its training file's name, and the model's own threshold, recall and false-positive rate.
    """
    if output.exists():
        raise OutputError(f"{output} is there already. Choose another --output")
    categories = [_category(signal, Path(folder)) for signal, folders in models.items() for folder in folders]
    if not categories:
        raise RecipeError("which categories? Give folders of trained models with -m FOLDER or -m STAGE.SIGNAL=FOLDER")
    found = safety(scored, categories)
    write_safety(found, output, f"Safety report of {scored}")
    return found


def _category(signal: str, folder: Path) -> Category:
    training = training_in(folder)
    trainer: Any = training.model.settings
    stage: Any = registry.stage_class(trainer.stage)
    evaluation = evaluate(
        pq.read_table(folder / HELD_OUT),
        training.positive,
        load_card(folder).threshold,
        seed=training.seed,
        more_is_better=stage.more_is_better,
    )
    return category_of(training.name, signal or f"{trainer.stage}.{stage.score_signal}", evaluation)
