from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from labelled_sites import labelled_pages
from typer.testing import CliRunner

from classifiers.extractor import boosting
from classifiers.extractor.command import read_pairs
from curate.cli import app
from curate.errors import EnvironmentProblem, InputError, OutputError, RecipeError
from curate.extraction.model import load
from curate.extraction.model_card import load_card

pytest.importorskip("lightgbm")

FEW = ["--set", "blocks.num_trees=5", "--set", "types.num_trees=2", "--set", "num_folds=2"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Options for a file of pages and one of their gold texts."""
    folder, pages = tmp_path_factory.mktemp("labelled"), labelled_pages()
    columns = {"url": [p.url for p in pages], "payload": [p.payload for p in pages]}
    pq.write_table(pa.table(columns), folder / "pages.parquet")
    gold = {"url": columns["url"], "main_content": [p.gold for p in pages]}
    gold |= {"page_type": [p.page_type for p in pages], "language": [p.language for p in pages]}
    pq.write_table(pa.table(gold), folder / "sites.parquet")
    return ["--pages", str(folder / "pages.parquet"), "--gold", str(folder / "sites.parquet")]


def run(*words: object):
    return CliRunner().invoke(app, ["extractor", *map(str, words)])


@pytest.fixture(scope="module")
def trained(files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "model"
    done = run("train", *files, "-o", folder, *FEW, "--licence", "CC0", "--learning-curve", "--leave-out", "page_type")
    assert done.exit_code == 0, done.output
    return folder, done.output


def test_a_training_writes_model_card_and_cross_validation(trained):
    folder, _ = trained
    model, card = load(folder / "model.npz"), load_card(folder / "model.npz")
    assert model.settings["blocks"]["num_trees"] == card.settings["blocks.num_trees"] == 5
    assert [(data.name, data.pages, data.licence) for data in card.data] == [("sites", 48, "CC0")]
    assert card.overall["sites"].pages == 48
    assert set(card.by_type) == {"article", "forum"}
    assert "Trained without the page_type forum" in (folder / "card.md").read_text("utf-8")


def test_the_cross_validation_has_every_page(trained):
    folder, _ = trained
    found = json.loads((folder / "cross_validation.json").read_text("utf-8"))
    assert len(found["pages"]) == found["overall"]["pages"] == 48
    assert found["overall"]["f1"] == pytest.approx(sum(page["f1"] for page in found["pages"]) / 48)
    assert {"url", "page_type", "language", "fold", "f1", "precision", "recall", "expected_f1"} <= set(
        found["pages"][0]
    )
    assert [point["frac"] for point in found["learning_curve"]] == [0.125, 0.25, 0.5, 1.0]
    assert found["learning_curve"][-1]["f1"] == pytest.approx(found["overall"]["f1"])


def test_what_was_found_is_shown(trained):
    _, output = trained
    for part in ("F1 by page type", "F1 by language", "Learning curve", "Trained without one page type"):
        assert part in output


def test_a_folder_that_is_not_empty_is_left_alone(files, trained):
    assert isinstance(run("train", *files, "-o", trained[0], *FEW).exception, OutputError)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--set", "num_folds=1"], "num_folds"),
        (["--leave-out", "langauge"], "Did you mean: language"),
        (["--licence", "a", "--licence", "b"], "one for each"),
    ],
)
def test_wrong_words_are_said_before_anything_is_read(files, tmp_path, words, message):
    error = run("train", *files, "-o", tmp_path / "new", *words).exception
    assert isinstance(error, RecipeError)
    assert message in str(error)
    assert not (tmp_path / "new").exists()


def test_missing_lightgbm_is_said_with_what_to_install(files, tmp_path, monkeypatch):
    def missing(name):
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(boosting, "import_module", missing)
    error = run("train", *files, "-o", tmp_path / "new").exception
    assert isinstance(error, EnvironmentProblem)
    assert "pip install 'curate[extractor]'" in str(error)


def test_pages_and_gold_texts_come_in_pairs():
    with pytest.raises(InputError, match="2 files of pages and 1 of gold"):
        read_pairs(["a.warc", "b.warc"], ["a.parquet"])


def test_a_trained_model_is_compared_with_other_extractors(files, trained):
    words = ["--extractor", "learned", "--extractor", "resiliparse", "--model", trained[0] / "model.npz", "--json"]
    found = json.loads(run("evaluate", *files, *words).stdout)
    assert list(found["extractors"]) == ["learned", "resiliparse"]
    assert found["extractors"]["learned"]["f1"] > 0.8
    assert found["extractors"]["learned"]["failed"] == 0


def test_a_limit_takes_fewer_pages(files):
    done = run("evaluate", *files, "--extractor", "resiliparse", "--limit", "10")
    assert "10 pages" in done.output
