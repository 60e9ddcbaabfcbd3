from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pyarrow as pa
import pytest
from pydantic import model_validator

from curate import document, registry
from curate import recipe as recipes
from curate.errors import RecipeError
from curate.filters.fineweb import FineWeb
from curate.limit_settings import Change, changed_settings, limit_settings, noting
from curate.stage import DocumentStage, Filter, Limit, Modifier, at_least, at_most

TEXTS = [
    "The cat sat on the mat, and the dog with the bone went to the river that we have to cross.\n" * 4,
    "MENU\nHome\nHome\nContact: jane.doe@example.com\n- one\n- two\n{ brace } lorem ipsum …",
    "大型语言模型的能力来自它们的训练数据。网页经过正文提取，才能成为可用的语料。" * 3,
    "",
    "x" * 3000,
]


class Measured(Filter):
    """One signal. `limit` only decides, `scale` only measures, `both` does both."""

    limit: float | None = 1.0
    scale: float = 2.0
    both: float = 3.0

    @property
    def signals(self) -> pa.StructType:
        return pa.struct([("size", pa.float64())])

    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        return pa.array([{"size": self.scale + self.both}] * batch.num_rows, self.signals)

    @property
    def limits(self) -> tuple[Limit, ...]:
        low = () if self.limit is None else (at_least("size", self.limit),)
        return (*low, at_most("size", self.both))


class Checked(Measured):
    """A validator that compares settings measures nothing."""

    @model_validator(mode="after")
    def _ordered(self) -> Checked:
        if self.limit is not None and self.limit > self.both:
            raise ValueError("limit above both")
        return self


class Deep(Measured):
    """The parent's limit is used for one kind of text only, in a function within a method."""

    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        def of(text: str | None) -> dict[str, float]:
            return {"size": self.limit or 0.0 if text == "never seen" else 1.0}

        return pa.array([of(text) for text in batch["text"].to_pylist()], self.signals)


class HandedOn(Measured):
    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        values = {name: getattr(self, name) for name in ("scale",)}
        return pa.array([{"size": values["scale"]}] * batch.num_rows, self.signals)


class Dumped(Measured):
    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        return pa.array([{"size": float(len(self.model_dump()))}] * batch.num_rows, self.signals)


class Above(Measured):
    """`super()` in limits."""

    more: int = 4

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (*super().limits, at_most("size", self.more))


class ByName(Measured):
    @property
    def limits(self) -> tuple[Limit, ...]:
        return tuple(at_least("size", getattr(self, name)) for name in ("limit",))


@pytest.mark.parametrize(
    ("cls", "settings"),
    [
        (Measured, {"limit"}),
        (Checked, {"limit"}),
        (Above, {"limit", "more"}),
        (ByName, {"limit"}),
        (Deep, set()),
        (HandedOn, set()),
        (Dumped, set()),
    ],
)
def test_a_setting_is_limit_only_where_limits_alone_reads_it(cls, settings):
    assert limit_settings(cls()) == settings


def test_a_limit_that_is_off_is_still_a_limit():
    assert limit_settings(Measured(limit=None)) == {"limit"}


def test_a_class_without_source_has_no_limit_settings():
    module = ModuleType("typed_in")
    module.__dict__.update(Measured=Measured, __name__="typed_in")
    sys.modules["typed_in"] = module
    exec("class Typed(Measured):\n    def annotate(self, batch):\n        return None\n", module.__dict__)
    assert limit_settings(module.Typed()) == frozenset()


def test_a_corpus_stage_has_none():
    assert limit_settings(registry.stage_class("near_dedup")()) == frozenset()


def shipped() -> list[Any]:
    stages = []
    for name in registry.STAGES:
        cls = registry.stage_class(name)
        needs_file = any(field.is_required() for field in cls.model_fields.values())
        if issubclass(cls, DocumentStage) and not needs_file and limit_settings(cls()):
            stages.append(pytest.param(cls(), id=name))
    return stages


def batch() -> pa.RecordBatch:
    rows = [{"doc_id": document.doc_id(text), "text": text, "url": "https://example.org/a?adult=1"} for text in TEXTS]
    return pa.RecordBatch.from_pylist(rows, schema=document.RAW_SCHEMA)


def measured(stage: Any) -> dict[str, Any]:
    if isinstance(stage, Modifier):
        done = stage.modify(batch())
        return {"signals": done.signals.to_pylist(), **{name: c.to_pylist() for name, c in done.columns.items()}}
    return {"signals": stage.annotate(batch()).to_pylist()}


def others(value: Any) -> list[Any]:
    """Values that a setting may have in place of this one."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int | float):
        return [None, value * 2 + 1, value / 2 if isinstance(value, float) else value // 2]
    return [("en",), None]


@pytest.mark.parametrize("stage", shipped())
def test_the_stages_that_ship_do_not_read_limit_settings_while_they_measure(stage):
    noted, read = noting(stage)
    assert repr(measured(noted)) == repr(measured(stage))  # repr: a NaN equals itself
    assert read & limit_settings(stage) == set()


@pytest.mark.parametrize("stage", shipped())
def test_another_limit_measures_the_same(stage):
    before = repr(measured(stage))
    for name in sorted(limit_settings(stage)):
        for value in others(getattr(stage, name)):
            assert repr(measured(stage.model_copy(update={name: value}))) == before, name


def test_settings_of_fineweb_that_only_decide():
    assert limit_settings(FineWeb()) == {
        "max_dup_line_char_frac", "max_newline_word_ratio", "max_short_line_frac", "min_line_punct_frac",
    }  # fmt: skip


def recipe(**fineweb: Any) -> recipes.Recipe:
    return recipes.parse({"stages": [{"fineweb": fineweb}, "near_dedup"]})


def test_changes_are_named_with_both_values():
    new = recipe(max_short_line_frac=0.7, min_line_punct_frac=None)
    assert changed_settings(recipe(), new) == [
        Change("fineweb", "min_line_punct_frac", 0.12, None),
        Change("fineweb", "max_short_line_frac", 0.67, 0.7),
    ]


@pytest.mark.parametrize(
    ("new", "message"),
    [
        (recipe(), "nothing is changed"),
        (
            recipe(max_short_line_chars=20),
            "max_short_line_chars changes what is measured.*max_short_line_frac",
        ),
        (recipe(max_short_line_frac=0.7).model_copy(update={"seed": 1}), "seed is no limit"),
        (recipes.parse({"stages": ["fineweb", {"near_dedup": {"min_jaccard": 0.5}}]}), "documents together"),
        (recipes.parse({"stages": ["fineweb"]}), "stages themselves"),
        (recipes.parse({"stages": [{"fineweb": {}, "languages": ["en"]}, "near_dedup"]}), "stages themselves"),
    ],
)
def test_whatever_is_no_limit_is_refused(new, message):
    with pytest.raises(RecipeError, match=message):
        changed_settings(recipe(), new)
