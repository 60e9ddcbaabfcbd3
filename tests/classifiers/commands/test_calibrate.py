"""Held-out scores of trained models become one file for `combine_scores`."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from classifiers import training_file
from classifiers.commands import train as command
from classifiers.commands.calibrate import calibrate
from curate.errors import InputError, OutputError, RecipeError
from curate.progress import Reporter
from curate.scoring.combination import load_combination

pytestmark = pytest.mark.usefixtures("word_odds")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Two models of the same messages, with other smoothing."""
    from spam_messages import spam_rows

    from curate import registry

    folder = tmp_path_factory.mktemp("trained")
    (folder / "m.jsonl").write_text("".join(json.dumps(row) + "\n" for row in spam_rows(600)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry.MODELS, "word_odds", registry.Entry("word_odds:WordOddsTrainer", ""))
        patch.setitem(registry.STAGES, "word_odds", registry.Entry("word_odds:WordOdds", ""))
        for name, smoothing in (("a", 0.5), ("b", 20.0)):
            value = {
                "model": {"word_odds": {"smoothing": smoothing}},
                "positive": "spam",
                "examples": [{"name": "m", "paths": [str(folder / "m.jsonl")]}],
                "split": {"test_frac": 0.5},
                "folds": 0,
            }
            command.train(training_file.parse(value), folder / name, False, Reporter())
    return folder


def fitted(inputs, output, **settings):
    given = {"settings": None, "assignments": {}, "sample": [], "positive": None, "seed": 0, "report": None}
    return calibrate(inputs, output, reporter=Reporter(), **{**given, **settings})


def test_folders_say_signal_and_positive_themselves(trained, tmp_path):
    found = fitted({"": [str(trained / "a")]}, tmp_path / "c.json")
    assert load_combination(str(tmp_path / "c.json")) == found.combination
    (one,) = found.combination.inputs
    assert (one.signal, one.more_is_better, one.calibration.kind) == ("word_odds.score", True, "isotonic")
    assert found.combination.provenance.figures["combined"]["roc_auc"] > 0.7


def test_two_models_are_named_and_combined(trained, tmp_path):
    inputs = {"small.score": [str(trained / "a")], "large.score": [str(trained / "b" / "held_out.parquet")]}
    settings = {"combine": "logistic", "calibration": "platt", "target": {"precision": 0.8}}
    found = fitted(inputs, tmp_path / "c.json", assignments=settings, report=tmp_path / "c.html")
    assert [one.signal for one in found.combination.inputs] == ["small.score", "large.score"]
    assert {one.calibration.kind for one in found.combination.inputs} == {"platt"}
    assert len(found.combination.combine.weights) == 2
    assert found.combination.thresholds.pooled is not None
    assert (
        found.combination.provenance.documents["held_out"] == pq.read_table(trained / "a" / "held_out.parquet").num_rows
    )
    assert "small.score" in (tmp_path / "c.html").read_text()


def test_settings_come_from_a_file_and_ranks_from_a_sample(trained, tmp_path):
    (tmp_path / "s.yaml").write_text(
        "inputs: [{signal: small.score, calibration: ranks}]\nby: language\ntarget: {top_frac: 0.25}\n"
    )
    scores = [n / 1000 for n in range(1000)]
    stage = pa.StructArray.from_arrays([pa.array(scores)], ["score"])
    pq.write_table(pa.table({"language": ["en"] * 1000, "small": stage}), tmp_path / "sample.parquet")
    found = fitted(
        {"small.score": [str(trained / "a")]},
        tmp_path / "c.json",
        settings=str(tmp_path / "s.yaml"),
        sample=[str(tmp_path / "sample.parquet")],
    )
    assert found.combination.provenance.documents["sampled"] == 1000
    assert found.combination.thresholds.groups["en"] == pytest.approx(0.75, abs=0.01)


def test_what_is_wrong_is_said(trained, tmp_path):
    held_out = str(trained / "a" / "held_out.parquet")
    with pytest.raises(RecipeError, match="calibrate what"):
        fitted({}, tmp_path / "c.json")
    with pytest.raises(RecipeError, match="which signal has the scores"):
        fitted({"": [held_out]}, tmp_path / "c.json")
    with pytest.raises(RecipeError, match="which label is positive"):
        fitted({"a.score": [held_out]}, tmp_path / "c.json")
    with pytest.raises(RecipeError, match="unknown setting 'combin'"):
        fitted({"a.score": [held_out]}, tmp_path / "c.json", assignments={"combin": "mean"}, positive="spam")
    with pytest.raises(InputError, match="no held-out scores"):
        fitted({"a.score": ["nowhere.parquet"]}, tmp_path / "c.json")
    (tmp_path / "c.json").write_text("{}")
    with pytest.raises(OutputError, match="is there already"):
        fitted({"a.score": [held_out]}, tmp_path / "c.json", positive="spam")
    pq.write_table(pa.table({"language": ["en"]}), tmp_path / "sample.parquet")
    with pytest.raises(InputError, match=r"no a\.score"):
        fitted(
            {"a.score": [held_out]},
            tmp_path / "d.json",
            assignments={"calibration": "ranks"},
            positive="spam",
            sample=[str(tmp_path / "sample.parquet")],
        )


def test_tables_that_hold_no_scores_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("doc_id,label,score\n")
    with pytest.raises(InputError, match=r"cannot read .*a.csv as parquet"):
        fitted({"a.score": [str(tmp_path / "a.csv")]}, tmp_path / "c.json", positive="spam")
    for column in ("doc_id", "label", "score"):
        table = pa.table({"doc_id": ["1"], "label": ["spam"], "group": ["1"], "score": [0.5]})
        pq.write_table(table.drop_columns([column]), tmp_path / "a.parquet")
        with pytest.raises(InputError, match=f"table of a.score has no column '{column}'"):
            fitted({"a.score": [str(tmp_path / "a.parquet")]}, tmp_path / "c.json", positive="spam")


def test_two_scores_of_one_name_are_refused(trained, tmp_path):
    for inputs in ({"": [str(trained / "a"), str(trained / "b")]}, {"x.score": [str(trained / "a")] * 2}):
        with pytest.raises(RecipeError, match=r"2 scores are called .*: give -i NAME.score=FOLDER"):
            fitted(inputs, tmp_path / "c.json")


def test_inputs_are_checked_before_the_calibration_of_all_is_set(trained, tmp_path):
    inputs = {"": [str(trained / "a")]}
    for given in (["a"], "a", 3):
        with pytest.raises(RecipeError, match="inputs"):
            fitted(inputs, tmp_path / "c.json", assignments={"inputs": given, "calibration": "ranks"})
    given = {"calibration": "ranks", "inputs": [{"signal": "word_odds.score"}]}
    assert fitted(inputs, tmp_path / "c.json", assignments=given).combination.inputs[0].calibration.kind == "ranks"
