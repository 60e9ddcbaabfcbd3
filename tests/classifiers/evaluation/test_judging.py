"""What judges a model has not trained it, and the threshold is not chosen by what judges."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pyarrow as pa
import pytest
from word_odds import WordOddsTrainer

from classifiers.evaluation.judging import Judging, cross_validated, judge, scored, stage_for, train_and_judge
from classifiers.evaluation.metrics import evaluate
from classifiers.examples import splitting
from classifiers.examples.example_set import ExampleSet
from classifiers.examples.reading import read_examples
from classifiers.examples.splitting import Split, split_by_group
from classifiers.trainer import EXAMPLES
from curate.errors import InputError
from curate.progress import Reporter

pytestmark = pytest.mark.usefixtures("word_odds")


@pytest.fixture
def examples(messages):
    return read_examples([ExampleSet(name="messages", paths=(str(messages),))]).table


@pytest.fixture
def split(examples):
    return split_by_group(examples, 0.3, seed=0)


def test_scores_are_those_of_the_stage_for_any_batching(examples, tmp_path):
    path = tmp_path / "model.json"
    trainer = WordOddsTrainer()
    trainer.train(examples, "spam", path, 0)
    stage = stage_for(trainer, path)
    whole = scored(examples, stage, Reporter())
    assert whole.schema.names == [*examples.schema.names, "score"]
    one_by_one = [scored(examples.slice(n, 1), stage, Reporter())["score"][0].as_py() for n in range(20)]
    assert whole["score"].to_pylist()[:20] == one_by_one


def test_a_fold_is_scored_by_a_model_without_it(examples, tmp_path):
    judging = Judging("spam", num_folds=3, seed=1)
    found = cross_validated(examples, WordOddsTrainer(), judging, Reporter())
    assert found.num_rows == examples.num_rows
    assert "text" not in found.schema.names
    fold = splitting.folds(examples, 3, 1, purpose="cross-validation")
    path = tmp_path / "model.json"
    WordOddsTrainer().train(examples.filter(pa.array(fold != 2)), "spam", path, 1)
    expected = scored(examples.filter(pa.array(fold == 2)), stage_for(WordOddsTrainer(), path), Reporter())
    own = found.filter(pa.array(np.asarray(found["fold"]) == 2))
    assert own["score"].to_pylist() == expected["score"].to_pylist()
    assert own["doc_id"].to_pylist() == expected["doc_id"].to_pylist()


def test_the_model_is_of_the_training_side_and_the_figures_of_the_other(split, tmp_path):
    judged = train_and_judge(WordOddsTrainer(), split, tmp_path / "a.json", Judging("spam"), Reporter())
    WordOddsTrainer().train(split.train, "spam", tmp_path / "b.json", 0)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert judged.held_out["doc_id"].to_pylist() == split.test["doc_id"].to_pylist()
    assert judged.evaluation == evaluate(judged.held_out, "spam", seed=0)
    assert judged.evaluation.threshold == 0.5
    assert judged.evaluation.folds is None
    assert 0.7 < judged.evaluation.figures["roc_auc"].value < 0.98


def test_a_threshold_for_a_precision_comes_from_the_cross_validation(split, tmp_path):
    judging = Judging("spam", num_folds=3, target_precision=0.85)
    judged = train_and_judge(WordOddsTrainer(), split, tmp_path / "a.json", judging, Reporter())
    crossed = cross_validated(split.train, WordOddsTrainer(), judging, Reporter())
    expected = next(
        row for row in evaluate(crossed, "spam", targets=(0.85,)).thresholds if row.name == "precision 0.85"
    )
    assert judged.evaluation.threshold == expected.threshold
    assert judged.evaluation.threshold_from == "precision 0.85 on the cross-validation"
    assert judged.evaluation.folds.num_folds == 3
    assert any(row.name == "precision 0.85" for row in judged.evaluation.thresholds)


def test_without_folds_the_held_out_examples_tell_it_and_it_is_said(split, tmp_path):
    judging = Judging("spam", target_precision=0.85)
    judged = train_and_judge(WordOddsTrainer(), split, tmp_path / "a.json", judging, Reporter())
    assert judged.evaluation.threshold_from == "precision 0.85 on these examples"


def test_a_precision_that_nothing_gives_is_said(split, tmp_path):
    torn = pa.array(["spam" if n % 2 else "ham" for n in range(split.train.num_rows)])
    place = split.train.schema.get_field_index("label")
    noise = Split(split.train.set_column(place, split.train.schema.field(place), torn), split.test)
    judging = Judging("spam", num_folds=2, target_precision=0.999)
    judged = train_and_judge(WordOddsTrainer(), noise, tmp_path / "a.json", judging, Reporter())
    assert judged.evaluation.threshold == 0.5
    assert judged.notes[-1] == "No threshold gives a precision of 0.999 on the cross-validation."


@pytest.mark.parametrize("kind", ["keyword", "word list"])
def test_a_baseline_stands_beside(split, tmp_path, kind):
    (tmp_path / "words.txt").write_text("win\ncash\nprize\n")
    baseline = "keyword" if kind == "keyword" else str(tmp_path / "words.txt")
    judged = train_and_judge(
        WordOddsTrainer(), split, tmp_path / "a.json", Judging("spam", baseline=baseline), Reporter()
    )
    name = "keywords" if kind == "keyword" else "word list words.txt"
    (found,) = [row for row in judged.evaluation.baselines if row.name == name]
    assert found.figures["roc_auc"].value > 0.6
    assert name in judged.held_out.schema.names


def test_a_given_threshold_is_used(split, tmp_path):
    WordOddsTrainer().train(split.train, "spam", tmp_path / "a.json", 0)
    judged = judge(stage_for(WordOddsTrainer(), tmp_path / "a.json"), split, Judging("spam"), Reporter(), threshold=0.7)
    assert (judged.evaluation.threshold, judged.evaluation.threshold_from) == (0.7, "given")


def of_hosts(spam, ham):
    """Messages of so many hosts with spam, and of so many with ham, one of each kind to a host."""
    rows = [("win cash", "spam", f"s{n}") for n in range(spam)] + [("see you", "ham", f"h{n}") for n in range(ham)]
    values = [
        (f"{group}{n}", f"{text} {n}", label, group, None, "m", None) for n, (text, label, group) in enumerate(rows)
    ]
    return pa.Table.from_pylist([dict(zip(EXAMPLES.names, row, strict=True)) for row in values], EXAMPLES)


def seed_with(examples, num_folds, found):
    """The first seed with which the folds of a cross-validation are so."""
    folded = ((s, splitting.folds(examples, num_folds, s, purpose="cross-validation")) for s in range(1000))
    return next(seed for seed, fold in folded if found(fold))


def test_too_few_groups_for_any_fold_are_told():
    examples = of_hosts(1, 1)
    for seed in range(4):  # both hosts in one fold, or in two
        with pytest.raises(InputError, match=r"too few groups for .* in 3 folds: there are 2.*folds: 0"):
            cross_validated(examples, WordOddsTrainer(), Judging("spam", num_folds=3, seed=seed), Reporter())


def test_a_fold_without_which_a_label_is_missing_is_left_out_and_said(tmp_path):
    examples = of_hosts(2, 20)
    seed = seed_with(examples, 3, lambda fold: fold[0] == fold[1] and set(fold.tolist()) == {0, 1, 2})
    judging = Judging("spam", num_folds=3, seed=seed)
    fold = splitting.folds(examples, 3, seed, purpose="cross-validation")
    found = cross_validated(examples, Needy(), judging, Reporter())
    assert set(found["fold"].to_pylist()) == {0, 1, 2} - {int(fold[0])}
    judged = train_and_judge(Needy(), Split(examples, of_hosts(2, 2)), tmp_path / "a.json", judging, Reporter())
    assert "The cross-validation is of 2 of 3 folds" in judged.notes[-1]


def test_a_trainer_that_needs_no_others_learns_from_positives_alone():
    examples = of_hosts(20, 2)
    seed = seed_with(examples, 3, lambda fold: fold[-1] == fold[-2])
    judging = Judging("spam", num_folds=3, seed=seed)
    assert cross_validated(examples, OfPositives(), judging, Reporter()).num_rows == 22
    assert cross_validated(examples, Needy(), judging, Reporter()).num_rows < 20


class Needy(WordOddsTrainer):
    """Refuses what lacks a label, as a real trainer does."""

    def train(self, examples, positive, path, seed):
        if len(set(examples["label"].to_pylist())) < 2:
            raise InputError("a label is missing")
        super().train(examples, positive, path, seed)


class OfPositives(WordOddsTrainer):
    needs_negatives: ClassVar[bool] = False


def test_sides_without_positives_are_refused(split, tmp_path):
    with pytest.raises(InputError, match="no positive example"):
        train_and_judge(WordOddsTrainer(), split, tmp_path / "a.json", Judging("eggs"), Reporter())
