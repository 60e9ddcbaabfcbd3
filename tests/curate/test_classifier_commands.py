"""`curate classifiers` and `curate label` as a person meets them."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest
import typer
import yaml
from spam_messages import spam_rows
from typer.testing import CliRunner

from curate import classifier_commands, registry
from curate.errors import CurateError
from curate.label_command import label

TRAINING = {
    "name": "spam",
    "description": "what is bought",
    "model": "word_odds",
    "positive": "spam",
    "examples": [{"name": "messages"}],
    "folds": 2,
    "baseline": "keyword",
}


@pytest.fixture(autouse=True)
def at_work(monkeypatch, tmp_path):
    """A folder with messages and a training file, and the small model."""
    monkeypatch.setitem(registry.MODELS, "word_odds", registry.Entry("word_odds:WordOddsTrainer", "words counted"))
    monkeypatch.setitem(registry.STAGES, "word_odds", registry.Entry("word_odds:WordOdds", "words counted"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.jsonl").write_text("".join(json.dumps(row) + "\n" for row in spam_rows(400)))
    (tmp_path / "spam.yaml").write_text(yaml.safe_dump(TRAINING))


def app():
    both = typer.Typer()
    both.add_typer(classifier_commands.app, name="classifiers")
    both.command("label")(label)
    return both


def curate(*words, fails=None):
    found = CliRunner().invoke(app(), list(words), env={"COLUMNS": "160"})
    if fails:
        assert isinstance(found.exception, CurateError)
        assert fails in str(found.exception)
    else:
        assert found.exception is None, found.output
    return found.output


def test_from_labelled_examples_to_scores_to_labels_and_back(tmp_path):
    """Train, score, sample by score, judge, train on the judgements: the review loop."""
    told = curate("classifiers", "train", "spam.yaml", "-i", "messages=m.jsonl", "-o", "model")
    assert "ROC-AUC" in told
    assert "model: model   card: model/card.md   report: model/report.html" in told
    told = curate("classifiers", "score", "model", "-i", "m.jsonl", "-o", "scores.parquet", "--set", "min_score=0.5")
    assert "score_below_min" in told
    assert "400 rows → scores.parquet, signals in column word_odds" in told
    scores = pq.read_table("scores.parquet")
    assert {"doc_id", "text", "word_odds", "drop_reason"} <= set(scores.schema.names)

    told = curate("label", "scores.parquet", "-o", "one.jsonl", "--score", "word_odds.score", "--per-stratum", "12")
    assert "60 documents to judge → one.jsonl" in told
    rows = [json.loads(line) for line in (tmp_path / "one.jsonl").read_text().splitlines()]
    for number, row in enumerate(rows):
        row["label"] = None if number < 5 else "spam" if row["score"] > 0.5 else "ham"
    (tmp_path / "one.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    rows[10]["label"] = {"spam": "ham", "ham": "spam"}[rows[10]["label"]]
    (tmp_path / "two.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = curate("label", "--check", "one.jsonl", "two.jsonl")
    assert "judged by both: 55" in told
    assert "Cohen's kappa: 0.9" in told
    assert rows[10]["doc_id"] in told

    told = curate(
        "classifiers", "train", "spam.yaml", "-i", "one.jsonl", "-o", "again", "--json", "--set", "split.by=document"
    )
    found = json.loads(told[told.index("{") :])
    assert found["examples"] == {"messages": {"read": 60, "used": 55, "label_missing": 5}}


def test_a_model_is_judged_on_another_file(tmp_path):
    curate("classifiers", "train", "spam.yaml", "-i", "m.jsonl", "-o", "model", "--set", "folds=0")
    told = curate("classifiers", "evaluate", "model", "-i", "messages=m.jsonl", "-o", "judged")
    assert "were left out: the model was trained on their texts" in told
    assert "report: judged/report.html" in told
    told = curate("classifiers", "calibrate", "-i", "model", "-o", "c.json", "--set", "target={precision: 0.8}")
    assert "threshold, pooled: 0." in told
    curate("classifiers", "score", "model", "-i", "mails=m.jsonl", "-o", "scores.parquet", "--name", "spam")
    told = curate("classifiers", "safety", "scores.parquet", "-m", "spam.score=model", "-o", "safety.html")
    assert "spam" in told
    assert "report: safety.html" in told
    found = curate("classifiers", "safety", "scores.parquet", "-m", "spam.score=model", "-o", "s.html", "--json")
    (category,) = json.loads(found[found.index("[") :])
    assert category["by"]["all"][0]["num_rows"] == 400
    assert 0.3 < category["by"]["all"][0]["estimated"]["value"] < 0.5  # 0.4 of them are spam by their words
    assert json.loads((tmp_path / "c.json").read_text())["format"] == "curate-combination"


def test_what_ships_is_listed():
    told = curate("classifiers", "list")
    for name in ("quality_gpt3", "quality_dclm", "quality_llama", "toxicity_en", "toxicity_zh", "spam_en", "linear"):
        assert name in told
    assert yaml.safe_load(curate("classifiers", "list", "spam_en"))["positive"] == "spam"


def test_mistakes_are_told():
    curate("classifiers", "train", "nothing", "-o", "out", fails="unknown training file 'nothing'")
    curate("classifiers", "train", "spam.yaml", "-o", "out", fails="-i messages=PATH")
    curate("classifiers", "train", "spam.yaml", "-i", "mesages=m.jsonl", "-o", "out", fails="Did you mean: messages?")
    curate("classifiers", "train", "spam.yaml", "-i", "m.jsonl", "-o", "out", "--set", "fold=1", fails="mean: folds?")
    curate("classifiers", "score", "nothing", "-i", "m.jsonl", "-o", "s.parquet", fails="no folder of a trained model")
    curate("classifiers", "evaluate", "word_odds", "-i", "m.jsonl", fails="give m.jsonl a name")
    curate("label", "m.jsonl", fails="--output")
    curate("label", "m.jsonl", "-o", "l.jsonl", "--edges", "a,b", fails="numbers with commas")
    curate("label", "--check", "one.jsonl", fails="compares two label files")


def test_files_that_cannot_be_read_are_not_scored(tmp_path):
    curate("classifiers", "train", "spam.yaml", "-i", "messages=m.jsonl", "-o", "model", "--set", "folds=0")
    (tmp_path / "x.csv").write_text("text\none\n")
    unread = "no document could be read: 1 error_unsupported_format"
    curate("classifiers", "score", "model", "-i", "x.csv", "-o", "s.parquet", fails=unread)
