"""Which settings of a stage are limits only: they decide, and nothing that is measured depends on them.

Derived from the stage itself, so that no list has to be kept beside it: a setting is limit-only where `limits` reads it
and no other method of the class, or of those above it, mentions it. Methods are read as source, because a setting may
be used for one kind of text only. Whatever cannot be followed counts as measuring: a method that hands on the whole
stage (`getattr(self, …)`, `self.model_dump()`, `helper(self)`), and a class whose source is not there.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache
from types import FunctionType
from typing import Any, NamedTuple

from pydantic import BaseModel

from curate.errors import RecipeError
from curate.recipe import Recipe, Step
from curate.stage import CorpusStage, DocumentStage, Stage


class Change(NamedTuple):
    """A setting that is changed."""

    stage: str
    setting: str
    old: Any
    new: Any


def limit_settings(stage: Stage) -> frozenset[str]:
    """Settings of `stage` that may change without measuring again. Empty for a corpus stage, which has no limits.

    >>> from curate.filters.fineweb import FineWeb
    >>> sorted(limit_settings(FineWeb()))
    ['max_dup_line_char_frac', 'max_newline_word_ratio', 'max_short_line_frac', 'min_line_punct_frac']
    """
    if not isinstance(stage, DocumentStage):
        return frozenset()
    measuring = _mentioned_outside_limits(type(stage))
    if measuring is None:
        return frozenset()
    noted, read = noting(stage)
    _ = noted.limits  # for what it reads
    return frozenset(read - measuring)


def changed_settings(old: Recipe, new: Recipe) -> list[Change]:
    """The settings in which two recipes differ. RecipeError unless there is one, and all of them are limits only."""
    for name in Recipe.model_fields:
        if name != "stages" and getattr(old, name) != getattr(new, name):
            raise RecipeError(f"{name} is no limit of a stage: stored signals cannot tell what it changes. Run again")
    if [_place(step) for step in old.stages] != [_place(step) for step in new.stages]:
        raise RecipeError("the stages themselves are others: stored signals cannot tell what that changes. Run again")
    changes: list[Change] = []
    for before, after in zip(old.stages, new.stages, strict=True):
        names = [n for n in type(before.stage).model_fields if getattr(before.stage, n) != getattr(after.stage, n)]
        for name in names:
            if name not in limit_settings(before.stage):
                raise RecipeError(_refusal(before, name))
        changes += [Change(before.name, n, getattr(before.stage, n), getattr(after.stage, n)) for n in names]
    if not changes:
        raise RecipeError("nothing is changed: give --set STAGE.SETTING=VALUE with another value than the run's")
    return changes


def noting(stage: DocumentStage) -> tuple[Any, set[str]]:
    """A stage like this one, and the set in which it notes the names of the settings that are read of it."""
    read: set[str] = set()
    cls = type(stage)

    def get(self: Any, name: str) -> Any:
        if name in cls.model_fields:
            read.add(name)
        return cls.__getattribute__(self, name)

    noted = type(f"Noting{cls.__name__}", (cls,), {"__getattribute__": get, "__module__": __name__})
    made = noted.model_construct(**{name: getattr(stage, name) for name in cls.model_fields})  # type: ignore[attr-defined]  # of BaseModel
    read.clear()
    return made, read


@cache
def _mentioned_outside_limits(cls: type[Stage]) -> frozenset[str] | None:
    """Attributes of `self` that methods other than `limits` and validators mention; None where that cannot be said."""
    names: set[str] = set()
    for owner in cls.__mro__[: cls.__mro__.index(DocumentStage)]:
        if owner.__module__ == Stage.__module__:
            continue  # the contract itself: its methods are empty
        decorated = owner.__pydantic_decorators__  # type: ignore[attr-defined]  # of pydantic's metaclass
        skipped = {"limits", *decorated.model_validators, *decorated.field_validators}
        for name, method in _methods(owner).items():
            mentioned = set() if name in skipped else _mentioned(method)
            if mentioned is None:
                return None
            names |= mentioned
    return frozenset(names)


def _methods(cls: type) -> dict[str, ast.FunctionDef | None]:
    """Functions and properties of a class by name, as syntax; None for one whose source is not in the class."""
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    except (OSError, TypeError, SyntaxError):  # typed in, or made by a program
        body = ast.Pass()
    found = {node.name: node for node in getattr(body, "body", []) if isinstance(node, ast.FunctionDef)}
    defined = [name for name, value in vars(cls).items() if isinstance(value, FunctionType | property)]
    return {name: found.get(name) for name in {*defined, *found} if not name.startswith("__")}


def _mentioned(method: ast.FunctionDef | None) -> set[str] | None:
    """Attributes that a method takes of its first argument; None where it hands that argument on whole."""
    if method is None:
        return None
    if not method.args.args:
        return set()
    this = method.args.args[0].arg
    of_self = [
        node
        for node in ast.walk(method)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == this
    ]
    whole = sum(isinstance(node, ast.Name) and node.id == this for node in ast.walk(method)) - len(of_self)
    names = {node.attr for node in of_self}
    return None if whole or names & set(dir(BaseModel)) else names


def _place(step: Step) -> tuple[object, ...]:
    return step.name, step.use, step.sources, step.languages


def _refusal(step: Step, name: str) -> str:
    where = f"{step.name}.{name}"
    if isinstance(step.stage, CorpusStage):
        return f"{where} decides on documents together, not one by one: stored signals cannot tell what it changes"
    known = sorted(limit_settings(step.stage))
    may = (
        f"Settings of {step.name} that only decide: {', '.join(known)}"
        if known
        else f"{step.name} has no setting that only decides"
    )
    return f"{where} changes what is measured, or the text itself: stored signals cannot tell what comes of it. {may}"
