"""A recipe: sources, stages in order with their settings, tokenizer, mix, tokens, trainer. YAML in, checked models out.

A stage is written by its registry name, with its settings under it and, beside it, what it is limited to:

    stages:
      - extract: {favor: precision}
      - gopher_quality: {min_word_count: 30}
        languages: [en]
      - pii

Every name is checked before anything runs; an unknown one is a `RecipeError` with the nearest known names.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, SerializeAsAny, ValidationError, model_serializer, model_validator

from curate import document, registry
from curate.errors import RecipeError
from curate.mixing.mix import Mix
from curate.readers.source import Source
from curate.stage import Stage
from curate.tokens.settings import Tokens

Model = TypeVar("Model", bound=BaseModel)


class Step(BaseModel):
    """One stage at its place in a recipe."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str  # its signals' column and its name in reasons and reports; `as` in YAML
    use: str  # registry name
    stage: SerializeAsAny[Stage]
    sources: tuple[str, ...] | None = None  # only documents of these sources; others go by unmeasured
    languages: tuple[str, ...] | None = None  # only documents in these languages

    @model_validator(mode="before")
    @classmethod
    def _from_yaml(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and "use" in value:
            value = {value["use"]: value.get("stage"), **{k: v for k, v in value.items() if k not in ("use", "stage")}}
        use, settings, rest = split_named(value, {"as", "name", "sources", "languages"}, "stage")
        name = rest.pop("as", None) or rest.pop("name", None) or use.replace("@", "_")
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", str(name)):
            raise RecipeError(f"stage {use}: `as: {name}` names a column and a folder: letters, digits and _ only")
        if name in document.RAW_SCHEMA.names:
            raise RecipeError(f"stage {use}: {name!r} is a document column. Give the step another name with `as: …`")
        stage = settings if isinstance(settings, Stage) else build(registry.stage_class(use), settings, f"stage {use}")
        return {"name": name, "use": use, "stage": stage, **rest}

    @model_serializer
    def _to_yaml(self) -> dict[str, Any]:
        out: dict[str, Any] = {self.use: self.stage.model_dump(mode="json")}
        if self.name != self.use.replace("@", "_"):
            out["as"] = self.name
        return out | {k: list(v) for k in ("sources", "languages") if (v := getattr(self, k)) is not None}


class Part(BaseModel):
    """A tokenizer or trainer by its registry name, with its settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    use: str
    settings: SerializeAsAny[BaseModel]

    @classmethod
    def parse(cls, value: Any, table: dict[str, registry.Entry], what: str) -> Part:
        """`name` or `{name: settings}` of a registry table."""
        if isinstance(value, cls):
            return value
        use, settings, _ = split_named(value, set(), what)
        return cls(use=use, settings=build(registry.load(table, use, what=what), settings, f"{what} {use}"))

    @model_serializer
    def _to_yaml(self) -> dict[str, Any]:
        return {self.use: self.settings.model_dump(mode="json")}


class Recipe(BaseModel):
    """The whole path from pages to a model. Sections that are absent are not run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "recipe"
    description: str = ""
    seed: int = 0  # of every random choice, always together with the document id
    audit: bool = False  # measure every stage on every document, so that the funnel does not depend on order
    keep_dropped_text: bool = True
    max_error_frac: float = 0.2  # a pass fails when its stages raise on a larger share of at least 100 documents
    sources: tuple[Source, ...] = ()
    stages: tuple[Step, ...] = ()
    tokenizer: Part | None = None
    mix: Mix = Mix()
    tokens: Tokens | None = None
    train: Part | None = None

    @model_validator(mode="before")
    @classmethod
    def _parts(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise RecipeError(f"a recipe is a mapping with `stages:`, got {type(value).__name__}")
        value = dict(value)
        for key, table in (("tokenizer", registry.TOKENIZERS), ("train", registry.TRAINERS)):
            if value.get(key) is not None:
                value[key] = Part.parse(value[key], table, key)
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        names = [step.name for step in self.stages]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise RecipeError(f"two stages are named {', '.join(twice)}. Tell them apart with `as: …`")
        if self.sources:
            self.check_sources()
        if self.tokens is not None and self.tokenizer is None:
            raise RecipeError("`tokens:` needs a `tokenizer:`, for example `tokenizer: bpe`")
        if self.train is not None and self.tokens is None:
            raise RecipeError("`train:` needs `tokens:`, for example `tokens: {}`")
        return self

    def check_sources(self) -> None:
        """RecipeError where a stage names a source that is not among the recipe's."""
        known = {source.name for source in self.sources}
        for step in self.stages:
            for name in (*(step.sources or ()), *step.stage.named_sources):
                if name not in known:
                    raise RecipeError.unknown("source", name, known, where=f"stage {step.name}")


def split_named(value: Any, beside: set[str], what: str) -> tuple[str, Any, dict[str, Any]]:
    """`name` or `{name: settings, …beside}` as (name, settings, what stood beside it)."""
    if isinstance(value, str):
        return value, {}, {}
    if not isinstance(value, Mapping):
        raise RecipeError(f"a {what} is a name or a mapping, got {value!r}")
    rest = {k: v for k, v in value.items() if k in beside}
    named = [k for k in value if k not in beside]
    if len(named) != 1:
        raise RecipeError(
            f"a {what} has one name with its settings under it, got {', '.join(map(str, named)) or 'none'}"
        )
    return str(named[0]), value[named[0]] if value[named[0]] is not None else {}, rest


def build(model: type[Model], settings: Any, where: str) -> Model:
    """A checked model; a wrong setting is a RecipeError that names it, what came, and the nearest known names."""
    if not isinstance(settings, Mapping):
        raise RecipeError(f"{where}: settings are a mapping, got {settings!r}")
    for name in settings:
        if name not in model.model_fields:
            raise RecipeError.unknown("setting", str(name), model.model_fields, where=where)
    try:
        return model.model_validate(dict(settings))
    except ValidationError as error:
        raise RecipeError(f"{where}: {explain(error)}") from None


def explain(error: ValidationError) -> str:
    """A pydantic error in one line per fault: where, what was wanted, what came."""
    faults = []
    for fault in error.errors():
        place = ".".join(str(part) for part in fault["loc"]) or "settings"
        if fault["type"] == "value_error" and isinstance(fault.get("ctx", {}).get("error"), RecipeError):
            faults.append(str(fault["ctx"]["error"]))
        else:
            came = "" if isinstance(fault.get("input"), Mapping) else f", got {fault.get('input')!r}"
            faults.append(f"{place}: {fault['msg'].removeprefix('Value error, ')}{came}")
    return "; ".join(faults)


def parse(value: Any) -> Recipe:
    """A recipe from parsed YAML."""
    if isinstance(value, Mapping):
        for name in value:
            if name not in Recipe.model_fields:
                raise RecipeError.unknown("section", str(name), Recipe.model_fields, where="the recipe")
    try:
        return Recipe.model_validate(value)
    except ValidationError as error:
        raise RecipeError(explain(error)) from None


def shipped() -> dict[str, str]:
    """Recipes that come with the package: name → YAML text."""
    folder = resources.files("pipelines") / "recipes"
    return {
        entry.name.removesuffix(".yaml"): entry.read_text("utf-8")
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".yaml")
    }


def load(name_or_path: str) -> Recipe:
    """A shipped recipe by name, or one from a YAML file."""
    path = Path(name_or_path)
    if path.suffix in {".yaml", ".yml"}:
        if not path.is_file():
            raise RecipeError(f"no recipe file at {path}. `curate recipes` lists the ones that come with the package")
        text = path.read_text("utf-8")
    else:
        known = shipped()
        if name_or_path not in known:
            raise RecipeError.unknown("recipe", name_or_path, known)
        text = known[name_or_path]
    try:
        return parse(yaml.safe_load(text) or {})
    except yaml.YAMLError as error:
        raise RecipeError(f"{name_or_path} is not YAML: {error}") from None


def to_yaml(recipe: Recipe) -> str:
    """The resolved recipe, every default written out; it loads back equal."""
    return yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=100)


def fingerprint(*parts: Any) -> str:
    """sha256 (hex) over what decides a result: models, strings, numbers, lists and mappings of them."""

    def plain(value: Any) -> Any:
        return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)

    text = json.dumps(parts, default=plain, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def json_schema() -> dict[str, Any]:
    """JSON Schema of a recipe file, for editors: every stage with its settings."""
    definitions: dict[str, Any] = {}

    def model(cls: type[BaseModel]) -> dict[str, Any]:
        schema = cls.model_json_schema()
        definitions.update(schema.pop("$defs", {}))
        return {"anyOf": [schema, {"type": "null"}]}

    def named(table: dict[str, registry.Entry], what: str, beside: dict[str, Any]) -> dict[str, Any]:
        settings = {name: model(registry.load(table, name, what=what)) for name in table}
        mapping = {"type": "object", "properties": settings | beside, "additionalProperties": False}
        return {"anyOf": [{"enum": sorted(table)}, mapping, {"type": "null"}]}

    names = {"type": "array", "items": {"type": "string"}}
    own = Recipe.model_json_schema()["properties"]
    steps = named(registry.STAGES, "stage", {"as": {"type": "string"}, "sources": names, "languages": names})
    sections = {
        "sources": {"type": "array", "items": model(Source)},
        "stages": {"type": "array", "items": steps},
        "tokenizer": named(registry.TOKENIZERS, "tokenizer", {}),
        "mix": model(Mix),
        "tokens": model(Tokens),
        "train": named(registry.TRAINERS, "train", {}),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "curate recipe",
        "type": "object",
        "additionalProperties": False,
        "properties": {name: own[name] for name in own if name not in sections} | sections,
        "$defs": definitions,
    }
