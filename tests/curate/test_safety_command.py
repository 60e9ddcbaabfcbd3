"""`curate classifiers safety` as a person meets it, on the scores of a small trained model."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from spam_messages import spam_rows
from typer.testing import CliRunner

from classifiers.training_file import parse
from curate import registry
from curate.errors import CurateError
from curate.progress import Reporter
from curate.safety_command import safety

TRAINING = {"name": "junk", "description": "what is bought", "model": "word_odds", "positive": "spam", "folds": 0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A trained model, and a corpus with the step names that a recipe may give its scores."""
    with pytest.MonkeyPatch.context() as patch:
        small_model(patch)
        place = tmp_path_factory.mktemp("safety")
        (place / "m.jsonl").write_text("".join(json.dumps(row) + "\n" for row in spam_rows(400)))
        examples = [{"name": "messages", "paths": [str(place / "m.jsonl")]}]
        train = registry.load(registry.CLASSIFIERS, "train")
        train(parse({**TRAINING, "examples": examples}), place / "model", False, Reporter())
    held_out = pq.read_table(place / "model" / "held_out.parquet")
    scores = pa.StructArray.from_arrays([held_out["score"].combine_chunks()], ["score"])
    columns = {"doc_id": held_out["doc_id"], "source": held_out["source"], "word_odds": scores, "spam": scores}
    words = pa.StructArray.from_arrays([pa.array(range(held_out.num_rows))], ["match_count"])
    pq.write_table(pa.table({**columns, "bad_words": words}), place / "scored.parquet")
    return place


def small_model(patch):
    patch.setitem(registry.MODELS, "word_odds", registry.Entry("word_odds:WordOddsTrainer", "words counted"))
    patch.setitem(registry.STAGES, "word_odds", registry.Entry("word_odds:WordOdds", "words counted"))


@pytest.fixture(autouse=True)
def at_work(folder, monkeypatch):
    small_model(monkeypatch)
    monkeypatch.chdir(folder)


def run(*words, fails=None):
    app = typer.Typer()
    app.command()(safety)
    found = CliRunner().invoke(app, ["scored.parquet", *words], env={"COLUMNS": "160"})
    if fails:
        assert isinstance(found.exception, CurateError), found.output
        assert fails in str(found.exception)
    else:
        assert found.exception is None, found.output
    return found.stdout


def categories(*words):
    return json.loads(run(*words, "-o", "page.html", "--overwrite", "--json"))


def test_a_threshold_and_a_signal_are_enough(folder):
    told = run("-c", "bad words=bad_words.match_count:30", "-o", "words.html")
    assert "bad words: bad_words.match_count ≥ 30" in told
    assert "estimated" not in told
    assert "report: words.html" in told
    assert "bad words" in (folder / "words.html").read_text("utf-8")


def test_with_its_model_a_category_has_its_errors():
    (alone,) = categories("-c", "spam=word_odds.score:0.9")
    (judged,) = categories("-c", "spam=word_odds.score:0.9", "-m", "spam=model")
    assert alone["category"]["recall"] is None
    assert alone["by"]["all"][0]["estimated"]["value"] is None
    counts = judged["by"]["all"][0]
    assert counts["num_called"] == alone["by"]["all"][0]["num_called"]
    # The corpus is what was held out, so the estimate must give the share of spam in it, by whatever threshold.
    labels = pq.read_table("model/held_out.parquet")["label"].to_pylist()
    assert counts["estimated"]["value"] == pytest.approx(labels.count("spam") / len(labels))
    assert 0 < judged["category"]["recall"]["value"] < 1


def test_without_a_threshold_it_is_the_models_own(folder):
    own = json.loads((folder / "model" / "card.json").read_text())["threshold"]
    (found,) = categories("-c", "spam=word_odds.score", "-m", "spam=model")
    assert found["category"]["threshold"] == own


@pytest.mark.parametrize(
    ("name", "category", "signal"),
    [
        ("spam=model", "spam", "spam.score"),
        ("spam.score=model", "spam.score", "spam.score"),
        ("model", "junk", "word_odds.score"),
    ],
)
def test_a_model_alone_makes_a_category(name, category, signal):
    (found,) = categories("-m", name)
    assert (found["category"]["name"], found["category"]["signal"]) == (category, signal)
    assert found["category"]["recall"]["value"] > 0.5


def test_one_score_at_several_thresholds_and_from_below():
    found = categories(
        "-c",
        "all=spam.score:0",
        "-c",
        "some=spam.score:>=0.5",
        "-c",
        "some=spam.score:0.9",
        "-c",
        "no=spam.score:<=0.5",
    )
    called = [one["by"]["all"][0]["num_called"] for one in found]
    assert called[0] > called[1] >= called[2] > 0
    assert called[1] + called[3] == called[0]  # no score is 0.5
    assert [one["category"]["more_is_worse"] for one in found] == [True, True, True, False]


def test_mistakes_are_told_before_anything_is_read(folder):
    run("-o", "x.html", fails="which categories?")
    for text in ("spam", "spam:0.5", "=a.b:1", "spam=:1", "spam=a.b:", "spam=a.b:>1", "spam=a.b:1:2"):
        run("-o", "x.html", "-c", text, fails="NAME=STAGE.SIGNAL:THRESHOLD")
    for text in ("much", "nan", "inf"):
        run("-o", "x.html", "-c", f"spam=a.b:{text}", fails="a number is wanted")
    run("-o", "x.html", "-c", "spam=spam.score", fails="from which value on is it spam?")
    run("-o", "x.html", "-m", "spam=nowhere", fails="nowhere holds no trained model")
    run("-o", "x.html", "-m", "spam=model", "-m", "spam=other", fails="two models for spam")
    run("-o", "x.html", "-c", "s=spam.score:<=0.5", "-m", "s=model", fails="Give the threshold as spam.score:0.5")
    run("-o", "x.html", "-c", "s=spam.scores:0.5", fails="no column spam.scores. Numbers in it: word_odds.score")
    run("-o", "nowhere/x.html", "-m", "spam=model", fails="there is no folder nowhere to write x.html to")
    (folder / "there.html").write_text("mine")
    run("-o", "there.html", "-m", "spam=model", fails="there.html is there already")
    assert (folder / "there.html").read_text() == "mine"
    run("-o", "there.html", "-m", "spam=model", "--overwrite")
    assert not (folder / "x.html").exists()
