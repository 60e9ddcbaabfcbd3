"""A training file is checked before anything is read, and says what it knows."""

from __future__ import annotations

import pytest
import yaml

from classifiers import training_file
from classifiers.training_file import TrainingFile, load, parse, shipped
from curate import registry
from curate.errors import RecipeError

MINIMAL = {"model": "importance", "positive": "good", "examples": [{"name": "a"}, {"name": "b", "label": "bad"}]}


def changed(**parts):
    return {**MINIMAL, **parts}


def test_a_training_names_model_examples_and_what_is_positive():
    training = parse(MINIMAL)
    assert training.model.use == "importance"
    assert [one.name for one in training.examples] == ["a", "b"]
    assert training.split.test_frac == 0.2
    assert training.folds == 5


@pytest.mark.parametrize("name", sorted(shipped()))
def test_what_ships_loads_and_loads_back_equal(name):
    training = load(name)
    assert training.name == name
    assert training.description
    assert parse(yaml.safe_load(training.to_yaml())) == training
    assert training.model.use in registry.MODELS
    assert all(not one.paths for one in training.examples)


def test_labels_of_what_ships_hold_the_positive_one():
    for name in shipped():
        training = load(name)
        told = {label for one in training.examples for label in (one.label, *one.labels.values()) if label}
        assert not told or training.positive in told


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "a training file is a mapping"),
        (changed(modle="linear"), "unknown section 'modle'.*Did you mean: model"),
        (changed(model="importanse"), "unknown model 'importanse'.*Did you mean: importance"),
        (changed(model={"importance": {"ngram": 3}}), "unknown setting 'ngram'.*Did you mean: ngrams"),
        (changed(examples=[{"name": "a", "text": "tweet"}]), "unknown setting 'text' in examples a.*text_column"),
        (changed(examples=[{"paths": ["x"]}]), "examples 1.*name"),
        (changed(examples=[]), "examples"),
        (changed(examples={"name": "a"}), "a list of sets"),
        (changed(examples=[{"name": "a"}, {"name": "a"}]), "two sets of examples are named a"),
        (changed(split={"tests": "a"}), "unknown setting 'tests' in split.*Did you mean: test"),
        (changed(split={"test": "c"}), "unknown examples 'c' in split.test"),
        (changed(split={"test": ["a", "b"]}), "nothing is left to train on"),
        (changed(split={"test_frac": 1}), "test_frac"),
        (changed(split={"test_frac": 0}), "test_frac"),
        (changed(folds=-1), "folds"),
        (changed(target_precision=1.0), "target_precision"),
        ({"model": "importance", "examples": [{"name": "a"}]}, "positive"),
    ],
)
def test_what_is_wrong_is_said(value, message):
    with pytest.raises(RecipeError, match=f"(?s){message}"):
        parse(value)


def test_paths_are_given_by_name():
    training = parse(MINIMAL).with_inputs({"b": ["x.csv", "y.csv"]})
    assert [one.paths for one in training.examples] == [(), ("x.csv", "y.csv")]
    with pytest.raises(RecipeError, match=r"unknown examples 'c'.*Known: a, b"):
        parse(MINIMAL).with_inputs({"c": ["x"]})


def test_one_set_needs_no_name():
    only = parse(changed(examples=[{"name": "a"}]))
    assert only.with_inputs({"": ["x.csv"]}).examples[0].paths == ("x.csv",)
    with pytest.raises(RecipeError, match=r"which examples are x\.csv"):
        parse(MINIMAL).with_inputs({"": ["x.csv"]})


def test_settings_are_changed_by_their_names():
    training = parse(MINIMAL).changed(
        {"folds": 0, "ngrams": 1, "model.num_buckets": 100, "split.seed": 7, "a.labels": {"1": "good"}, "b.label": "x"}
    )
    assert training.folds == 0
    assert training.model.settings.ngrams == 1
    assert training.model.settings.num_buckets == 100
    assert training.split.seed == 7
    assert training.examples[0].labels == {"1": "good"}
    assert training.examples[1].label == "x"
    for name in ("ngramms", "c.label", "a.lable"):
        with pytest.raises(RecipeError, match="unknown"):
            parse(MINIMAL).changed({name: 1})


def test_a_file_is_loaded_by_path_and_a_shipped_one_by_name(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(MINIMAL))
    assert load(str(path)) == parse(MINIMAL)
    with pytest.raises(RecipeError, match=r"unknown training file 'spam'.*Did you mean: spam_en"):
        load("spam")
    with pytest.raises(RecipeError, match="cannot read the training file"):
        load(str(tmp_path / "none.yaml"))
    path.write_text("a: [")
    with pytest.raises(RecipeError, match="is not YAML"):
        load(str(path))


def test_the_docstring_of_the_format_is_a_training():
    text = (training_file.__doc__ or "").split("\n\n")[1]
    assert isinstance(parse(yaml.safe_load(text)), TrainingFile)


@pytest.mark.parametrize(("value", "text"), [(1, "1"), (True, "true"), ("True", "true"), (">=1", ">=1")])
def test_a_positive_label_of_yaml_is_text(value, text):
    assert parse(changed(positive=value)).positive == text
    assert parse(MINIMAL).changed({"positive": value}).positive == text
