"""From labelled files to a folder with model, card and report, and from a folder to a judgement."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from classifiers import training_file
from classifiers.commands import train as command
from classifiers.evaluation.card import load_card
from classifiers.evaluation.tables import tables
from classifiers.trained_model import not_trained_on, stage_of, training_in
from classifiers.trainer import EXAMPLES
from curate.errors import InputError, OutputError, RecipeError
from curate.progress import Reporter

pytestmark = pytest.mark.usefixtures("word_odds")

FILES = {
    "card.json",
    "card.md",
    "held_out.parquet",
    "metrics.json",
    "model.json",
    "rejected.parquet",
    "report.html",
    "trained_on.parquet",
    "training.yaml",
}


def training(messages, **parts):
    value = {
        "name": "spam",
        "model": "word_odds",
        "positive": "spam",
        "examples": [{"name": "messages", "paths": [str(messages)], "licence": "CC0-1.0", "origin": "made here"}],
        "split": {"test_frac": 0.3},
        "folds": 2,
        "target_precision": 0.8,
        "baseline": "keyword",
    }
    return training_file.parse({**value, **parts})


@pytest.fixture
def trained(messages, tmp_path):
    output = tmp_path / "out"
    return command.train(training(messages), output, False, Reporter()), output


def test_a_training_writes_all_that_is_to_be_kept(trained):
    outcome, output = trained
    assert {path.name for path in output.iterdir()} == FILES
    held_out = pq.read_table(output / "held_out.parquet")
    assert held_out.schema.names == [*(name for name in EXAMPLES.names if name != "text"), "score", "keywords"]
    assert held_out.num_rows == outcome.judged.evaluation.num_examples
    metrics = json.loads((output / "metrics.json").read_text())
    assert metrics["figures"]["roc_auc"]["value"] == outcome.judged.evaluation.figures["roc_auc"].value
    assert metrics["examples"]["messages"]["used"] == 600
    card = load_card(output)
    assert card.licence == "that of the data: CC0-1.0"
    assert card.data[0].name == "messages (made here)"
    assert sum(n for by in card.data[0].counts.values() for n in by.values()) == 600
    assert card.split.num_train + card.split.num_held_out == 600
    assert training_in(output) == training(output.parent / "messages.jsonl")


def test_the_same_training_gives_the_same_bytes(trained, messages, tmp_path):
    _, output = trained
    again = tmp_path / "again"
    command.train(training(messages), again, False, Reporter())
    for name in FILES - {"rejected.parquet"}:
        assert (output / name).read_bytes() == (again / name).read_bytes(), name


def test_a_model_of_all_examples_is_judged_as_one_without_the_held_out_ones(trained, messages, tmp_path):
    _, output = trained
    command.train(training(messages), tmp_path / "all", True, Reporter())
    assert (tmp_path / "all" / "held_out.parquet").read_bytes() == (output / "held_out.parquet").read_bytes()
    assert (tmp_path / "all" / "model.json").read_bytes() != (output / "model.json").read_bytes()
    assert "trained on all examples" in load_card(tmp_path / "all").limits[0]
    assert "trained on all examples" not in " ".join(load_card(output).limits)
    assert pq.read_table(tmp_path / "all" / "trained_on.parquet").num_rows == 600


def test_a_failed_training_leaves_nothing(messages, tmp_path):
    with pytest.raises(InputError, match="no positive"):
        command.train(training(messages, positive="eggs"), tmp_path / "out", False, Reporter())
    assert [path.name for path in tmp_path.iterdir()] == ["messages.jsonl"]


def test_what_is_there_is_not_written_over(trained, messages):
    _, output = trained
    with pytest.raises(OutputError, match="is not empty"):
        command.train(training(messages), output, False, Reporter())
    with pytest.raises(OutputError, match="is a file"):
        command.train(training(messages), messages, False, Reporter())


def test_a_source_is_held_out_whole(messages, tmp_path):
    lines = messages.read_text().splitlines(keepends=True)
    parts = {"one": lines[:400], "two": lines[400:]}
    sets = []
    for name, part in parts.items():
        (tmp_path / f"{name}.jsonl").write_text("".join(part))
        sets.append({"name": name, "paths": [str(tmp_path / f"{name}.jsonl")], "group": "document"})
    own = training(messages, examples=sets, split={"test": "two"}, folds=0, target_precision=None)
    outcome = command.train(own, tmp_path / "out", False, Reporter())
    assert set(outcome.judged.held_out["source"].to_pylist()) == {"two"}
    assert [one.used_for for one in outcome.card.data] == ["training", "evaluation"]
    assert outcome.card.split.how == "all of two"


def test_a_trained_model_is_judged_on_other_files(trained, tmp_path):
    outcome, output = trained
    other = tmp_path / "other.csv"
    other.write_text("klasse,tweet\n1,win cash prize\n1,claim free cash\n0,see you later\n0,home for lunch\n")
    settings = {"other.text_column": "tweet", "other.label_column": "klasse", "other.labels": {"1": "spam", "0": "ham"}}
    found = command.evaluate(
        str(output), {"other": [str(other)]}, settings, None, None, None, tmp_path / "judged", Reporter()
    )
    evaluation = found.judged.evaluation
    assert evaluation.threshold == outcome.judged.evaluation.threshold
    assert evaluation.figures["roc_auc"].value == 1.0
    assert {path.name for path in (tmp_path / "judged").iterdir()} == {
        "held_out.parquet",
        "metrics.json",
        "report.html",
    }
    assert sum(1 for _ in tables(found)) >= 3


def test_what_a_model_was_trained_on_does_not_judge_it(trained, messages):
    outcome, output = trained
    found = command.evaluate(str(output), {"messages": [str(messages)]}, {}, None, None, None, None, Reporter())
    assert sorted(found.judged.held_out["doc_id"].to_pylist()) == sorted(outcome.judged.held_out["doc_id"].to_pylist())
    assert found.judged.evaluation.figures == outcome.judged.evaluation.figures
    assert "were left out: the model was trained on their texts" in found.judged.notes[0]
    assert not_trained_on(messages.parent, found.examples.table) is found.examples.table
    seen = set(outcome.judged.held_out["url"].to_pylist())
    line = next(line for line in messages.read_text().splitlines() if json.loads(line)["url"] not in seen)
    (messages.parent / "own.jsonl").write_text(line + "\n")
    inputs = {"own": [str(messages.parent / "own.jsonl")]}
    with pytest.raises(InputError, match="was trained on every text of own"):
        command.evaluate(str(output), inputs, {}, None, None, None, None, Reporter())


def test_any_stage_with_a_score_is_judged(trained, messages, tmp_path):
    _, output = trained
    settings = {"model_path": str(output / "model.json")}
    found = command.evaluate("word_odds", {"m": [str(messages)]}, settings, None, "spam", 0.9, None, Reporter())
    assert found.judged.evaluation.num_examples == 600
    assert found.judged.evaluation.threshold == 0.9
    with pytest.raises(RecipeError, match="which label is positive"):
        command.evaluate("word_odds", {"m": [str(messages)]}, settings, None, None, None, None, Reporter())
    with pytest.raises(RecipeError, match="gives no score"):
        command.evaluate("c4", {"m": [str(messages)]}, {}, None, "spam", None, None, Reporter())


def test_a_model_is_found_by_folder_file_or_stage(trained, tmp_path):
    _, output = trained
    assert stage_of(str(output), {"min_score": 0.5}) == (
        "word_odds",
        {"model_path": str(output / "model.json"), "min_score": 0.5},
    )
    assert stage_of("word_odds", {"model_path": "x"}) == ("word_odds", {"model_path": "x"})
    (tmp_path / "lid.ftz").write_bytes(b"")
    assert stage_of(str(tmp_path / "lid.ftz"), {}) == ("fasttext_score", {"model_path": str(tmp_path / "lid.ftz")})
    (tmp_path / "some.npz").write_bytes(b"")
    with pytest.raises(InputError, match="what kind of model"):
        stage_of(str(tmp_path / "some.npz"), {})
    with pytest.raises(RecipeError, match="no folder of a trained model"):
        stage_of("nothing", {})
    with pytest.raises(InputError, match="holds no trained model"):
        stage_of(str(tmp_path), {})


def test_hostile_labels_and_texts_are_harmless_in_what_is_written(tmp_path):
    rows = []
    for n in range(200):
        label = "<script>alert(1)</script>" if n % 2 else "a|b"
        text = f"{'bad </script><img src=x onerror=alert(2)>' if n % 2 else 'fine'} n{n}"
        rows.append({"text": text, "label": label, "url": f"https://h{n}.example/<b>"})
    path = tmp_path / "m.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    own = training(path, positive="<script>alert(1)</script>", folds=0, target_precision=None)
    command.train(own, tmp_path / "out", False, Reporter())
    page = (tmp_path / "out" / "report.html").read_text()
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
    assert yaml.safe_load((tmp_path / "out" / "training.yaml").read_text())["positive"] == own.positive


def sentences(path, first, num):
    """Documents of one host with three sentences each; no sentence stands there twice."""
    rows = []
    for n in range(first, first + num):
        spam = f"Win the cash {n}. Claim a prize {n}. All of it is free {n}."
        ham = f"See you at {n}. Home for lunch {n}. I will be later {n}."
        rows.append({"doc_id": f"d{n}", "text": spam if n % 2 else ham, "label": "spam" if n % 2 else "ham"})
        rows[-1]["url"] = f"https://one.example/{n}"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"name": path.stem, "paths": [str(path)], "unit": "sentence"}


@pytest.fixture
def of_sentences(tmp_path):
    sets = [sentences(tmp_path / "messages.jsonl", 0, 60)]
    own = training(tmp_path, examples=sets, split={"by": "document"}, folds=2, target_precision=None)
    return command.train(own, tmp_path / "out", False, Reporter()), tmp_path / "out"


def test_sentences_of_a_document_lie_on_one_side(of_sentences):
    outcome, _ = of_sentences
    held_out = [identity.rpartition("-")[0] for identity in outcome.judged.held_out["doc_id"].to_pylist()]
    assert outcome.examples.table.num_rows == 180
    assert 0 < len(held_out) < 180
    assert {held_out.count(document) for document in held_out} == {3}
    assert outcome.judged.evaluation.num_groups == len(set(held_out))


def test_a_set_that_a_training_does_not_name_has_its_unit(of_sentences, tmp_path):
    outcome, output = of_sentences
    inputs = {"others": [str(tmp_path / "messages.jsonl")]}
    found = command.evaluate(str(output), inputs, {}, None, None, None, None, Reporter())
    assert found.judged.held_out.num_rows == outcome.judged.held_out.num_rows
    assert "were left out: the model was trained on their texts" in found.judged.notes[0]


def test_of_two_units_a_set_must_say_its_own(tmp_path):
    whole = {**sentences(tmp_path / "whole.jsonl", 100, 60), "unit": "document"}
    sets = [sentences(tmp_path / "parts.jsonl", 0, 60), whole]
    own = training(tmp_path, examples=sets, split={"by": "document"}, folds=0, target_precision=None)
    command.train(own, tmp_path / "out", False, Reporter())
    sentences(tmp_path / "new.jsonl", 200, 4)
    inputs = {"new": [str(tmp_path / "new.jsonl")]}
    with pytest.raises(RecipeError, match=r"document and sentence: what is new\? Set new\.unit"):
        command.evaluate(str(tmp_path / "out"), inputs, {}, None, None, None, None, Reporter())
    found = command.evaluate(
        str(tmp_path / "out"), inputs, {"new.unit": "sentence"}, None, None, None, None, Reporter()
    )
    assert found.judged.held_out.num_rows == 12


def test_a_label_that_no_example_has_judges_nothing(trained, messages):
    _, output = trained
    with pytest.raises(InputError, match=r"no example to judge by is nothere: there are [0-9]+ ham, [0-9]+ spam"):
        command.evaluate(str(output), {"messages": [str(messages)]}, {}, None, "nothere", None, None, Reporter())


def test_names_of_sets_may_hold_dots(trained, tmp_path):
    _, output = trained
    (tmp_path / "other.jsonl").write_text('{"text": "win cash", "c": "spam"}\n{"text": "see you", "c": "ham"}\n')
    inputs = {"a.b": [str(tmp_path / "other.jsonl")]}
    found = command.evaluate(str(output), inputs, {"a.b.label_column": "c"}, None, None, None, None, Reporter())
    assert found.judged.evaluation.num_positive == 1


def test_a_word_list_that_cannot_be_read_is_told_before_anything_is(tmp_path):
    own = training(tmp_path / "not there either.jsonl", baseline=str(tmp_path / "nolist.txt"))
    with pytest.raises(InputError, match=r"nolist\.txt"):
        command.train(own, tmp_path / "out", False, Reporter())


def test_the_folder_one_stands_in_is_not_replaced(messages, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for place in (Path(), Path("../here"), tmp_path / "here"):
        with pytest.raises(OutputError, match=r"is in use.*Name a folder inside it"):
            command.train(training(messages), place, False, Reporter())


def test_through_a_link_to_an_empty_folder_the_folder_is_filled(messages, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    command.train(training(messages, folds=0, target_precision=None), tmp_path / "link", False, Reporter())
    assert {path.name for path in (tmp_path / "empty").iterdir()} == FILES
    assert (tmp_path / "link").is_symlink()


def test_a_mount_point_is_refused_before_training(messages, tmp_path, monkeypatch):
    (tmp_path / "disk").mkdir()
    monkeypatch.setattr(Path, "is_mount", lambda path: path.name == "disk")
    with pytest.raises(OutputError, match="is in use"):
        command.train(training(messages), tmp_path / "disk", False, Reporter())
