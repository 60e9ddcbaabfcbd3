"""Train a model on one side of a split and judge it on the other.

What `curate classifiers train` and the stage `fitted_score` share. Every score is that of the document stage which
will apply the model, never the trainer's own. Three things are kept apart: the model is trained on one side; its
threshold is chosen by cross-validation on that side, where folds are asked for; and the figures are of the other side,
which decided nothing.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from classifiers.evaluation import baselines
from classifiers.evaluation.metrics import TARGETS, Evaluation, evaluate, is_positive
from classifiers.evaluation.regression import at_least
from classifiers.examples import splitting
from classifiers.examples.splitting import Split
from classifiers.trainer import Trainer
from classifiers.training_file import KEYWORD
from curate import registry
from curate.errors import InputError
from curate.progress import Reporter
from curate.recipe import build
from curate.scoring.model_file import ModelStage

_BATCH_ROWS = 1024


class Judging(NamedTuple):
    """How a model is judged."""

    positive: str  # a label, or ">=3" where labels are numbers
    by: str = "group"  # column that holds together what must not be parted
    num_folds: int = 0  # of the cross-validation; fewer than 2: none
    target_precision: float | None = None  # the threshold is for it
    baseline: str | None = None  # KEYWORD, or the path of a word list
    seed: int = 0


class Judged(NamedTuple):
    """A model's scores of examples that it has not seen, and how good they are."""

    held_out: pa.Table  # EXAMPLES with `score`, and a column named after the baseline
    evaluation: Evaluation
    notes: tuple[str, ...]  # what one should know before believing a figure


def train_and_judge(trainer: Trainer, split: Split, path: Path, judging: Judging, reporter: Reporter) -> Judged:
    """Train on one side of a split, write the model to `path` and judge it on the other side.

    InputError where a side lacks what is needed, or the trainer says so.
    """
    notes = splitting.check(split, judging.positive, judging.by)
    crossed = cross_validated(split.train, trainer, judging, reporter) if judging.num_folds > 1 else None
    with reporter.bar("model", 1.0) as show:
        trainer.train(split.train, judging.positive, path, judging.seed)
        show(1.0, f"{split.train.num_rows:,} examples")
    judged = judge(stage_for(trainer, path), split, judging, reporter, crossed)
    if crossed is not None and crossed.num_rows < split.train.num_rows:
        notes.append(
            f"The cross-validation is of {len(pc.unique(crossed['fold']))} of {judging.num_folds} folds: without one "
            "of the others no example of a label is left to train on."
        )
    return judged._replace(notes=(*notes, *judged.notes))


def judge(
    stage: ModelStage,
    split: Split,
    judging: Judging,
    reporter: Reporter,
    crossed: pa.Table | None = None,
    threshold: float | None = None,
) -> Judged:
    """How well a stage scores the held-out side of a split.

    crossed: scores of a cross-validation, with `fold`; the threshold is chosen by them. threshold: given.
    """
    held_out, column = scored(split.test, stage, reporter), None
    if judging.baseline is not None:
        column, values = _baseline(split, judging.positive, judging.baseline)
        held_out = held_out.append_column(column, pa.chunked_array([values]))
    chosen = _Threshold(threshold, "given") if threshold is not None else _threshold(held_out, crossed, stage, judging)
    evaluation = _evaluated(held_out, chosen.value, column, stage, judging)
    if chosen.value is not None:
        evaluation = evaluation._replace(threshold_from=chosen.how)
    if crossed is not None:
        evaluation = evaluation._replace(folds=_evaluated(crossed, evaluation.threshold, None, stage, judging).folds)
    return Judged(held_out, evaluation, chosen.notes)


def stage_for(trainer: Trainer, path: Path) -> ModelStage:
    """The document stage that applies a trainer's model."""
    stage = build(registry.stage_class(trainer.stage), {"model_path": str(path)}, f"stage {trainer.stage}")
    assert isinstance(stage, ModelStage)
    return stage


def scored(examples: pa.Table, stage: ModelStage, reporter: Reporter) -> pa.Table:
    """Examples with their `score`, float64, as the stage gives it: null where it gives none."""
    scores, done = [], 0
    with reporter.bar("scoring", examples.num_rows) as show:
        for batch in examples.to_batches(max_chunksize=_BATCH_ROWS):
            signals = stage.annotate(batch)
            scores.append(pc.struct_field(signals, stage.score_signal).cast(pa.float64()))
            done += batch.num_rows
            show(done, f"{done:,} examples")
    return examples.append_column("score", pa.chunked_array(scores, pa.float64()))


def cross_validated(examples: pa.Table, trainer: Trainer, judging: Judging, reporter: Reporter) -> pa.Table:
    """Examples without text, with the `score` of a model that was trained without their `fold`.

    A fold is left out where all others together lack a label that must be there. InputError where none is left.
    """
    fold = splitting.folds(examples, judging.num_folds, judging.seed, judging.by, "cross-validation")
    parts = []
    with (
        tempfile.TemporaryDirectory(prefix="curate-") as folder,
        reporter.bar("cross-validation", judging.num_folds) as show,
    ):
        for number in range(judging.num_folds):
            split = Split(examples.filter(pa.array(fold != number)), examples.filter(pa.array(fold == number)))
            if split.test.num_rows and _has_labels(split.train, examples, trainer, judging.positive):
                path = Path(folder) / f"{number}{trainer.suffix}"
                trainer.train(split.train, judging.positive, path, judging.seed)
                part = scored(split.test, stage_for(trainer, path), Reporter()).drop_columns(["text"])
                parts.append(part.append_column("fold", pa.array(np.full(part.num_rows, number))))
            show(number + 1, f"fold {number + 1}")
    if not parts:
        raise InputError(
            f"too few groups for a cross-validation in {judging.num_folds} folds: there are "
            f"{len(pc.unique(examples[judging.by])):,}, and no fold leaves both labels to train on. Set folds: 0"
        )
    return pa.concat_tables(parts)


def _has_labels(part: pa.Table, examples: pa.Table, trainer: Trainer, positive: str) -> bool:
    """Whether a part of the examples has positives and, where the trainer needs them and there are any, others."""
    truth, whole = is_positive(part, positive), is_positive(examples, positive)
    return bool(truth.any() and (not trainer.needs_negatives or whole.all() or not truth.all()))


class _Threshold(NamedTuple):
    value: float | None  # None leaves it to `evaluate`
    how: str = ""
    notes: tuple[str, ...] = ()


def _evaluated(
    scores: pa.Table, threshold: float | None, baseline: str | None, stage: ModelStage, judging: Judging
) -> Evaluation:
    own = () if judging.target_precision is None else (judging.target_precision,)
    targets = sorted({*TARGETS, *own})
    better = stage.more_is_better
    return evaluate(scores, judging.positive, threshold, baseline, judging.seed, more_is_better=better, targets=targets)


def _threshold(held_out: pa.Table, crossed: pa.Table | None, stage: ModelStage, judging: Judging) -> _Threshold:
    """The threshold that a cross-validation tells, else for a target of precision the held-out examples."""
    target = judging.target_precision
    if at_least(judging.positive) is not None or (crossed is None and target is None):
        return _Threshold(None)
    where = "these examples" if crossed is None else "the cross-validation"
    found = _evaluated(held_out if crossed is None else crossed, None, None, stage, judging)
    if target is None:
        is_probability = not found.threshold_from.startswith("best F1")
        return _Threshold(None) if is_probability else _Threshold(found.threshold, f"best F1 of {where}")
    name = f"precision {target:g}"
    value = next(row.threshold for row in found.thresholds if row.name == name)
    missed = () if value is not None else (f"No threshold gives a precision of {target:g} on {where}.",)
    return _Threshold(value, f"{name} on {where}", missed)


def _baseline(split: Split, positive: str, baseline: str) -> tuple[str, pa.Array]:
    """A simpler score of the held-out side: keywords that the other side tells, or a word list."""
    if baseline == KEYWORD:
        return "keywords", baselines.covered_by_words(split.test, baselines.keywords(split.train, positive))
    return f"word list {Path(baseline).name}", baselines.covered(split.test, baseline)
