"""What the words of a command line mean: inputs as sources, `--set` as a changed recipe."""

from __future__ import annotations

import re
from typing import Any

import yaml

from curate import recipe as recipes
from curate.errors import RecipeError


def parse_inputs(inputs: list[str], unnamed: str = "web", **settings: Any) -> list[Any]:
    """`NAME=PATH` options as sources; those without a name are one source, `unnamed`."""
    from curate.readers.source import Source

    by_name: dict[str, list[str]] = {}
    for item in inputs:
        match = re.match(r"([A-Za-z][A-Za-z0-9_-]*)=(.+)", item, re.DOTALL)
        name, path = (match[1], match[2]) if match else (unnamed, item)
        by_name.setdefault(name, []).append(path)
    return [Source(name=name, paths=tuple(paths), **settings) for name, paths in by_name.items()]


def with_inputs(recipe: recipes.Recipe, inputs: list[str]) -> recipes.Recipe:
    """The recipe with these inputs in place of its own, if any are given."""
    from curate.pipeline import with_sources

    return with_sources(recipe, parse_inputs(inputs))


def change(recipe: recipes.Recipe, assignments: list[str]) -> recipes.Recipe:
    """The recipe with `STAGE.SETTING=VALUE` and `SECTION.SETTING=VALUE` carried out; values are YAML."""
    if not assignments:
        return recipe
    tree = recipe.model_dump(mode="json")
    by_name = {step.name: entry[step.use] for step, entry in zip(recipe.stages, tree["stages"], strict=True)}
    for text in assignments:
        target, value = assignment(text)
        section, _, setting = target.rpartition(".")
        if not section:
            tree[setting] = value
        elif section in by_name:
            by_name[section][setting] = value
        elif section in ("tokenizer", "train") and tree.get(section):
            next(iter(tree[section].values()))[setting] = value
        elif section in ("mix", "tokens"):
            tree[section] = {**(tree.get(section) or {}), setting: value}
        else:
            raise RecipeError.unknown("stage or section", section, [*by_name, "tokenizer", "mix", "tokens", "train"])
    return recipes.parse(tree)


def assignment(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise RecipeError(f"--set takes NAME=VALUE, got {text!r}")
    try:
        return name.strip(), yaml.safe_load(value)
    except yaml.YAMLError:
        raise RecipeError(f"--set {name}: {value!r} is not a YAML value") from None
