"""A training file: which model is trained of which examples, and how it is judged. YAML in, checked models out.

    name: spam_en
    model:
      linear: {}
    positive: spam
    examples:
      - name: messages
        columns: [label, text]
    split: {test_frac: 0.2}
    folds: 5
    target_precision: 0.9
    baseline: keyword

Paths of examples stand in the file or are given with `-i NAME=PATH`. Every name is checked before anything is read; an
unknown one is a `RecipeError` with the nearest known names. Files ship in `classifiers/recipes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from classifiers.examples.example_set import ExampleSet, as_label
from curate import registry
from curate.errors import RecipeError
from curate.recipe import Part, build, explain

KEYWORD = "keyword"  # `baseline`: the words that tell most, counted on what is trained on


class SplitSettings(BaseModel):
    """What is held out: of all examples a share, or all of some sets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # What lies on one side: groups, which the examples name, or documents, each with all its passages.
    by: Literal["group", "document"] = "group"
    test_frac: float = Field(default=0.2, gt=0, lt=1)
    test: tuple[str, ...] = ()  # names of examples; `test_frac` counts for nothing then
    seed: int = 0

    @field_validator("test", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value


class TrainingFile(BaseModel):
    """Everything that decides a training but the files' content."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(default="classifier", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    description: str = ""
    model: Part  # of `curate.registry.MODELS`
    positive: str  # the label that a high score stands for; ">=3" where labels are numbers
    examples: tuple[ExampleSet, ...] = Field(min_length=1)
    split: SplitSettings = SplitSettings()
    folds: int = Field(default=5, ge=0, le=100)  # of the cross-validation on what is trained on; 0: none
    target_precision: float | None = Field(default=None, gt=0, lt=1)  # the threshold is for it; None: see `evaluate`
    baseline: str | None = None  # a simple score to compare with: `keyword`, or the path of a word list
    seed: int = 0  # of draws of examples, of training and of intervals

    @field_validator("positive", mode="before")
    @classmethod
    def _positive(cls, value: Any) -> Any:
        return as_label(value)

    @field_validator("model", mode="before")
    @classmethod
    def _model(cls, value: Any) -> Part:
        return Part.parse(value, registry.MODELS, "model")

    @field_validator("examples", mode="before")
    @classmethod
    def _examples(cls, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise RecipeError("examples are a list of sets, each with a `name`")
        return [
            one if isinstance(one, ExampleSet) else build(ExampleSet, one, f"examples {_name_of(one, number)}")
            for number, one in enumerate(value, 1)
        ]

    @field_validator("split", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return value if isinstance(value, SplitSettings) else build(SplitSettings, value, "split")

    @model_validator(mode="after")
    def _consistent(self) -> TrainingFile:
        names = [one.name for one in self.examples]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise RecipeError(f"two sets of examples are named {', '.join(twice)}: their files go together in `paths`")
        for name in self.split.test:
            if name not in names:
                raise RecipeError.unknown("examples", name, names, where="split.test")
        if self.split.test and set(self.split.test) == set(names):
            raise RecipeError("split.test names all examples: nothing is left to train on")
        return self

    def with_inputs(self, inputs: Mapping[str, Sequence[str]]) -> TrainingFile:
        """The training with these paths in place of its own, by name of the examples; "" is the only set there is."""
        names = [one.name for one in self.examples]
        given = dict(inputs)
        if "" in given:
            if len(names) > 1:
                raise RecipeError(
                    f"which examples are {given[''][0]}? Give -i NAME=PATH with one of {', '.join(names)}"
                )
            given[names[0]] = [*given.pop(""), *given.get(names[0], ())]
        for name in given:
            if name not in names:
                raise RecipeError.unknown("examples", name, names, where=f"the training {self.name}")
        sets = [one.model_copy(update={"paths": tuple(given.get(one.name, one.paths))}) for one in self.examples]
        return self.model_copy(update={"examples": tuple(sets)})

    def changed(self, assignments: Mapping[str, Any]) -> TrainingFile:
        """The training with settings changed: its own (`folds`), the model's (`num_features` or `model.num_features`),
        `split.seed`, and `NAME.setting` of examples.
        """
        tree = self.model_dump(mode="json")
        settings = next(iter(tree["model"].values()))
        sections = {"model": settings, "split": tree["split"], **{one["name"]: one for one in tree["examples"]}}
        for target, value in assignments.items():
            section, _, setting = target.rpartition(".")
            if section:
                if section not in sections:
                    raise RecipeError.unknown("section", section, sections, where="--set")
                sections[section][setting] = value
            elif setting in TrainingFile.model_fields:
                tree[setting] = value
            elif setting in settings:
                settings[setting] = value
            else:
                raise RecipeError.unknown("setting", setting, [*TrainingFile.model_fields, *settings], where="--set")
        return parse(tree)

    def to_yaml(self) -> str:
        """The training with every default written out; it loads back equal."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=100)


def parse(value: Any) -> TrainingFile:
    """A training from parsed YAML. RecipeError where something in it is wrong."""
    if not isinstance(value, Mapping):
        raise RecipeError(f"a training file is a mapping with `model:` and `examples:`, got {type(value).__name__}")
    for name in value:
        if name not in TrainingFile.model_fields:
            raise RecipeError.unknown("section", str(name), TrainingFile.model_fields, where="the training file")
    try:
        return TrainingFile.model_validate(dict(value))
    except ValidationError as error:
        raise RecipeError(explain(error)) from None


def shipped() -> dict[str, str]:
    """Training files that come with the package: name → YAML text."""
    folder = resources.files("classifiers") / "recipes"
    return {
        entry.name.removesuffix(".yaml"): entry.read_text("utf-8")
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".yaml")
    }


def load(name_or_path: str) -> TrainingFile:
    """A shipped training by its name, or one from a YAML file."""
    path = Path(name_or_path)
    if path.suffix in {".yaml", ".yml"}:
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RecipeError(f"cannot read the training file {path}: {error}") from None
    else:
        known = shipped()
        if name_or_path not in known:
            raise RecipeError.unknown("training file", name_or_path, known)
        text = known[name_or_path]
    try:
        return parse(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise RecipeError(f"{name_or_path} is not YAML: {error}") from None


def _name_of(one: Any, number: int) -> str:
    return str(one["name"]) if isinstance(one, Mapping) and one.get("name") else str(number)
