"""`curate classifiers train`, `evaluate` and `calibrate`: from files to files, with progress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from classifiers.evaluation import baselines
from classifiers.evaluation.card import ModelCard, load_card
from classifiers.evaluation.card import Split as CardSplit
from classifiers.evaluation.judging import Judged, Judging, judge, train_and_judge
from classifiers.evaluation.metrics import is_positive
from classifiers.examples import splitting
from classifiers.examples.example_set import ExampleSet
from classifiers.examples.reading import Examples, read_examples
from classifiers.examples.splitting import Split
from classifiers.trained_model import (
    TRAINING,
    card_for,
    check_new,
    data_of,
    new_folder,
    not_trained_on,
    stage_of,
    training_in,
    write_judged,
    write_trained_on,
)
from classifiers.trainer import EXAMPLES
from classifiers.training_file import KEYWORD, TrainingFile
from curate import registry
from curate.errors import InputError, RecipeError
from curate.progress import Reporter
from curate.recipe import build
from curate.scoring.model_file import ModelStage


class Outcome(NamedTuple):
    """What a command found out."""

    title: str
    examples: Examples
    judged: Judged
    card: ModelCard | None = None


def train(training: TrainingFile, output: Path, refit: bool, reporter: Reporter) -> Outcome:
    """Train, judge and write a new folder.

    refit: the model that is kept is trained on the held-out examples too, once it is judged. CurateError where a person
    can put something right.
    """
    check_new(output)
    trainer: Any = training.model.settings
    if (word_list := _word_list(training)) is not None:
        baselines.covered(EXAMPLES.empty_table(), word_list)  # a list that cannot be read is told now
    examples = _read(_in_groups(training), training.seed, reporter)
    judging, split = _judging(training), _split(training, examples.table)
    with new_folder(output) as folder:
        model = folder / f"model{trainer.suffix}"
        judged = train_and_judge(trainer, split, model, judging, reporter)
        limits = []
        if refit:
            reporter.say(f"training once more, on all {examples.table.num_rows:,} examples …")
            trainer.train(examples.table, training.positive, model, training.seed)
            limits = ["The model is trained on all examples; the figures are of one trained without the held-out ones."]
        card = card_for(
            model,
            training.model.use,
            training.name,
            judged,
            [data_of(one, examples.table, _used_for(one.name, training, refit)) for one in training.examples],
            _card_split(training, split),
            trainer.model_dump(mode="json"),
            limits,
        )
        write_judged(folder, card, judged, training.name, {"examples": examples.counts})
        pq.write_table(examples.rejected, folder / "rejected.parquet", compression="zstd")
        write_trained_on(folder, examples.table if refit else split.train)
        (folder / TRAINING).write_text(training.to_yaml(), "utf-8")
    return Outcome(training.name, examples, judged, card)


def evaluate(
    model: str,
    inputs: Mapping[str, Sequence[str]],
    assignments: Mapping[str, Any],
    training: TrainingFile | None,
    positive: str | None,
    threshold: float | None,
    output: Path | None,
    reporter: Reporter,
) -> Outcome:
    """Judge a trained model, or any stage with a score, on labelled files, but for texts that it was trained on.

    assignments: `NAME.setting` of the examples with that name, other names are the stage's. training: says how examples
    are read, what is positive and what to compare with; None takes that of the model's folder. output: a new folder for
    report.html, metrics.json and held_out.parquet; None writes nothing. CurateError where a person can put something
    right.
    """
    if output is not None:
        check_new(output)
    folder = Path(model) if Path(model).is_dir() else None
    known = training or (training_in(folder) if folder else None)
    sets = _example_sets(known, inputs, assignments)
    own = {name: value for name, value in assignments.items() if name.rpartition(".")[0] not in inputs}
    name, settings = stage_of(model, own)
    stage = build(registry.stage_class(name), settings, f"stage {name}")
    if not isinstance(stage, ModelStage):
        raise RecipeError(f"the stage {name} gives no score to judge")
    positive = positive or (known.positive if known else None)
    if positive is None:
        raise RecipeError("which label is positive? Give --positive, or a training file that says so")
    if threshold is None and folder is not None:
        threshold = load_card(folder).threshold
    examples = _read(sets, known.seed if known else 0, reporter)
    fresh = not_trained_on(folder, examples.table) if folder else examples.table
    if not fresh.num_rows:
        raise InputError(f"the model was trained on every text of {', '.join(inputs)}: they cannot judge it")
    if not is_positive(fresh, positive).any():
        there = splitting.labels_text(fresh)
        raise InputError(
            f"no example to judge by is {positive}: there are {there}. Give --positive, or the sets' labels"
        )
    judging = Judging(positive, baseline=_word_list(known), seed=known.seed if known else 0)
    judged = judge(stage, Split(fresh.slice(0, 0), fresh), judging, reporter, threshold=threshold)
    if fresh.num_rows < examples.table.num_rows:
        left_out = examples.table.num_rows - fresh.num_rows
        judged = judged._replace(notes=(f"{left_out:,} examples were left out: the model was trained on their texts.",))
    title = f"{known.name if known else name} on {', '.join(inputs)}"
    if output is not None:
        with new_folder(output) as staged:
            write_judged(staged, None, judged, title, {"examples": examples.counts})
    return Outcome(title, examples, judged)


def _example_sets(
    training: TrainingFile | None, inputs: Mapping[str, Sequence[str]], assignments: Mapping[str, Any]
) -> list[ExampleSet]:
    """The sets that inputs name, as a training file describes them or, where it does not, as assignments do."""
    if not inputs:
        raise RecipeError("judge it on what? Give labelled files with -i NAME=PATH")
    known = {one.name: one.model_dump() for one in training.examples} if training else {}
    units = {one["unit"] for one in known.values()} or {"document"}
    found = []
    for name, paths in inputs.items():
        if not name:
            raise RecipeError(f"give {paths[0]} a name: -i NAME={paths[0]}")
        changes = {key.rpartition(".")[2]: v for key, v in assignments.items() if key.rpartition(".")[0] == name}
        # A set of its own has the unit that the model learned from: no other text is known for one it was trained on.
        if name not in known and len(units) > 1 and "unit" not in changes:
            raise RecipeError(f"the model learned from {' and '.join(sorted(units))}: what is {name}? Set {name}.unit")
        settings = {"unit": min(units), **known.get(name, {}), **changes, "name": name, "paths": list(paths)}
        found.append(build(ExampleSet, settings, f"examples {name}"))
    return found


def _word_list(training: TrainingFile | None) -> str | None:
    """The baseline that needs no examples to learn from."""
    baseline = training.baseline if training else None
    return None if baseline == KEYWORD else baseline


def _read(sets: Sequence[ExampleSet], seed: int, reporter: Reporter) -> Examples:
    with reporter.bar("examples", 1.0) as show:
        return read_examples(sets, seed, lambda share, rows: show(share, f"{rows:,} rows"))


def _in_groups(training: TrainingFile) -> list[ExampleSet]:
    """The sets, their groups being what the split keeps together: a document's passages are one group at least."""
    if training.split.by == "group":
        return list(training.examples)
    return [one.model_copy(update={"group": "document", "group_column": None}) for one in training.examples]


def _judging(training: TrainingFile) -> Judging:
    return Judging(
        training.positive,
        num_folds=training.folds,
        target_precision=training.target_precision,
        baseline=training.baseline,
        seed=training.seed,
    )


def _split(training: TrainingFile, examples: pa.Table) -> Split:
    settings = training.split
    if settings.test:
        return splitting.split_by_source(examples, settings.test)
    return splitting.split_by_group(examples, settings.test_frac, settings.seed)


def _card_split(training: TrainingFile, split: Split) -> CardSplit:
    settings = training.split
    unit = "groups" if settings.by == "group" else "documents"
    share = f"{settings.test_frac:.0%} of the {unit}, by a hash of each and the seed"
    return CardSplit(
        how=f"all of {', '.join(settings.test)}" if settings.test else share,
        seed=settings.seed,
        num_train=split.train.num_rows,
        num_held_out=split.test.num_rows,
        num_folds=training.folds if training.folds > 1 else 0,
    )


def _used_for(name: str, training: TrainingFile, refit: bool) -> str:
    if training.split.test and name not in training.split.test:
        return "training"
    if training.split.test and not refit:
        return "evaluation"
    return "training and evaluation"
