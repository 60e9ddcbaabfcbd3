"""A model of examples in memory, as a run trains it."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from word_odds import WordOddsTrainer

from classifiers.evaluation.card import load_card
from classifiers.examples.example_set import ExampleSet
from classifiers.examples.reading import read_examples
from classifiers.examples.splitting import split_by_group
from classifiers.fitting import fit
from curate.errors import InputError

pytestmark = pytest.mark.usefixtures("word_odds")


@pytest.fixture
def examples(messages):
    return read_examples([ExampleSet(name="messages", paths=(str(messages),))]).table


def test_model_card_and_figures_lie_in_the_folder(examples, tmp_path):
    model = fit(examples, WordOddsTrainer(), tmp_path / "out", positive="spam", test_frac=0.3, seed=0)
    assert model == tmp_path / "out" / "model.json"
    names = {path.name for path in model.parent.iterdir()}
    assert names == {"model.json", "card.json", "card.md", "metrics.json", "held_out.parquet", "report.html"}
    split = split_by_group(examples, 0.3, 0)
    card = load_card(model.parent)
    assert (card.split.num_train, card.split.num_held_out) == (split.train.num_rows, split.test.num_rows)
    assert card.data[0].counts == {
        label: {"en": examples["label"].to_pylist().count(label)} for label in ("ham", "spam")
    }
    assert json.loads((model.parent / "metrics.json").read_text())["num_examples"] == split.test.num_rows
    assert "text" not in pq.read_schema(model.parent / "held_out.parquet").names


def test_the_order_of_examples_does_not_matter(examples, tmp_path):
    for name, rows in (("a", examples), ("b", examples.sort_by("text"))):
        fit(rows, WordOddsTrainer(), tmp_path / name, positive="spam", test_frac=0.3, seed=0)
    for path in sorted((tmp_path / "a").iterdir()):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_without_a_held_out_share_the_model_stands_alone(examples, tmp_path):
    model = fit(examples, WordOddsTrainer(), tmp_path / "out", positive="spam", test_frac=0, seed=0)
    assert {path.name for path in model.parent.iterdir()} == {"model.json", "metrics.json"}
    assert json.loads((model.parent / "metrics.json").read_text()) == {
        "notes": ["The model was not judged: test_frac is 0"]
    }


def test_where_one_group_has_all_of_a_label_the_model_is_trained_and_not_judged(examples, tmp_path):
    groups = pa.array(["one" if label == "ham" else f"g{n}" for n, label in enumerate(examples["label"].to_pylist())])
    grouped = examples.set_column(examples.schema.get_field_index("group"), "group", groups)
    model = fit(grouped, WordOddsTrainer(), tmp_path / "out", positive="spam", test_frac=0.3, seed=0)
    (note,) = json.loads((model.parent / "metrics.json").read_text())["notes"]
    assert note.startswith("The model was not judged: ")
    assert model.is_file()


def test_a_side_without_positives_is_refused(examples, tmp_path):
    with pytest.raises(InputError, match="no positive"):
        fit(examples, WordOddsTrainer(), tmp_path / "out", positive="eggs", test_frac=0.3, seed=0)
