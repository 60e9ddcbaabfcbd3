"""Recipes: what is written is checked, and what is wrong is named with its nearest right name."""

from __future__ import annotations

import json

import pytest
import yaml

from curate import recipe as recipes
from curate import registry
from curate.errors import RecipeError
from curate.plan import plan
from curate.stage import Stage


def parse(text):
    return recipes.parse(yaml.safe_load(text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stages: [gopher_qualty]", "unknown stage 'gopher_qualty'.*gopher_quality"),
        ("stages: [{gopher_quality: {min_word_cout: 3}}]", "unknown setting 'min_word_cout'.*min_word_count"),
        ("stages: [{gopher_quality: {min_word_count: many}}]", "min_word_count.*got 'many'"),
        ("stags: []", "unknown section 'stags'.*stages"),
        ("stages: [pii, pii]", "two stages are named pii"),
        ("stages: [{pii: {}, exact_dedup: {}}]", "one name"),
        ("stages: [{pii: {}, as: text}]", "is a document column"),
        ("stages: [{pii: {}, as: ../../etc}]", "letters, digits and _ only"),
        ("{sources: [{name: a/b, paths: [x]}]}", "name"),
        ("tokenizer: bpee", "unknown tokenizer 'bpee'.*bpe"),
        ("tokens: {}", "needs a `tokenizer:`"),
        ("{tokenizer: bpe, train: compact}", "needs `tokens:`"),
        ("{sources: [{name: a, paths: [x]}], stages: [{pii: {}, sources: [b]}]}", "unknown source 'b'"),
        ("[1, 2]", "a recipe is a mapping"),
        ("seed: much", "seed"),
    ],
)
def test_a_mistake_is_named(text, message):
    with pytest.raises(RecipeError, match=message):
        parse(text)


def test_a_recipe_written_out_loads_back_equal():
    for name in recipes.shipped():
        recipe = recipes.load(name)
        again = parse(recipes.to_yaml(recipe))
        assert again == recipe
        assert recipes.fingerprint(again) == recipes.fingerprint(recipe)


def test_every_shipped_recipe_can_be_planned(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("news_domains.txt", "questions.txt"):  # lists that are the user's own
        (tmp_path / name).write_text("example.org\n", "utf-8")
    assert {"fineweb", "web", "demo"} <= set(recipes.shipped())
    for name in recipes.shipped():
        assert plan(recipes.load(name)).passes


def test_every_name_of_the_menu_leads_to_a_class():
    for name in registry.STAGES:
        stage = registry.stage_class(name)
        assert issubclass(stage, Stage)
        if not any(field.is_required() for field in stage.model_fields.values()):
            assert stage().signals.num_fields > 0
    for table in (registry.TOKENIZERS, registry.TRAINERS):
        for name in table:
            assert registry.load(table, name)()


def test_a_step_may_be_renamed_and_limited():
    recipe = parse("stages: [{gopher_quality: {min_word_count: 9}, as: short, languages: [en]}]")
    (step,) = recipe.stages
    assert (step.name, step.languages, step.stage.min_word_count) == ("short", ("en",), 9)


def test_fingerprints_tell_settings_apart():
    one, two = (parse(f"stages: [{{gopher_quality: {{min_word_count: {n}}}}}]") for n in (1, 2))
    assert recipes.fingerprint(one) != recipes.fingerprint(two)
    assert recipes.fingerprint(one) == recipes.fingerprint(one.model_copy())


def test_missing_files_and_broken_yaml_are_recipe_errors(tmp_path):
    with pytest.raises(RecipeError, match="no recipe file"):
        recipes.load(str(tmp_path / "no.yaml"))
    with pytest.raises(RecipeError, match=r"unknown recipe 'finweb'.*fineweb"):
        recipes.load("finweb")
    broken = tmp_path / "broken.yaml"
    broken.write_text("stages: [")
    with pytest.raises(RecipeError, match="is not YAML"):
        recipes.load(str(broken))


def test_the_json_schema_accepts_what_the_parser_accepts():
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(json.dumps(recipes.json_schema()))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for text in recipes.shipped().values():
        assert not list(validator.iter_errors(yaml.safe_load(text)))
    assert list(validator.iter_errors({"stages": [{"gopher_quality": {"min_word_cout": 3}}]}))
    assert list(validator.iter_errors({"stags": []}))
