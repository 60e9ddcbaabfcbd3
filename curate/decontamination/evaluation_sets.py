"""What an evaluation set is: its files, which column is the question, the answer and the passage, and what counts.

An item has three parts. The **question** is what a model is asked, with its context; the **answer** is the right one;
the **passage** is a text that the question is about and that others wrote: Wikipedia's article behind a question of
BoolQ is no contamination. `decided_by` says the parts whose match makes an item contaminated; what else matches is told
and changes nothing:

- `question`: the question, or its end together with the beginning of the answer.
- `question_and_answer`: both of them, or the one running into the other.
- `question_or_answer`: either.
- `any_part`: the passage too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Annotated, Any, Literal, NamedTuple

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from curate.decontamination.item_files import Record, item_files, records
from curate.errors import InputError, RecipeError

DecidedBy = Literal["question", "question_and_answer", "question_or_answer", "any_part"]
NgramSize = Annotated[int, Field(ge=1, le=35)] | Literal["fifth_percentile"]

_BLANK = re.compile(r"_+")


class Part(BaseModel):
    """How the text of a part is found in a record. A column alone may be written as its name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: tuple[str, ...] = Field(min_length=1)  # "a.b" is the field b of the struct a; several are several lines
    choose: str | None = None  # the column that says which of the values it is: a number, a letter, or a label
    labels: str | None = None  # the column with the labels of the values; without it A is the first
    first: int = 0  # the number of the first value
    fills: str | None = None  # the column whose blank ("_") the text fills; the part is then that column's text
    remove: str | None = None  # a regular expression: what it matches is left out

    @field_validator("remove")
    @classmethod
    def _compiles(cls, remove: str | None) -> str | None:
        try:
            re.compile(remove or "")
        except re.error as error:
            raise ValueError(f"remove is a regular expression: {error}") from None
        return remove

    @property
    def all_columns(self) -> tuple[str, ...]:
        """Every column that is looked at."""
        return (*self.columns, *(name for name in (self.choose, self.labels, self.fills) if name is not None))


def _column(value: Any) -> Any:
    return {"columns": (value,)} if isinstance(value, str) else value


AnyPart = Annotated[Part, BeforeValidator(_column)]


class Fields(BaseModel):
    """Which columns hold what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: AnyPart | None = None
    answer: AnyPart | None = None
    passage: AnyPart | None = None
    id: str | None = None
    decided_by: DecidedBy = "question"
    header: tuple[str, ...] | None = None  # of a CSV file without one
    lines_per_item: int = Field(1, ge=1)  # of a text file


class EvaluationSet(BaseModel):
    """A set and what makes a match with its items. Settings that are None are those of the stage."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    path: str  # a file, or a pattern of files
    fields: Fields | str | None = None  # or the name of a ready-made definition; None: the one of the set's name
    decided_by: DecidedBy | None = None  # None: as `fields` have it
    ngram_size: NgramSize | None = None
    min_ngrams: int | None = Field(None, ge=1)
    min_share: float | None = Field(None, ge=0, le=1)

    @property
    def definition(self) -> Fields:
        """The fields. RecipeError where there is no such ready-made definition."""
        if isinstance(self.fields, Fields):
            return self.fields
        name = self.fields or self.name
        if name not in ready_made():
            raise RecipeError.unknown("definition of fields", name, ready_made(), where=f"evaluation set {self.name}")
        return ready_made()[name]


class Item(NamedTuple):
    """One item; a part that it lacks is empty."""

    question: str
    answer: str
    passage: str
    id: str | None


@cache
def ready_made() -> dict[str, Fields]:
    """Definitions for published sets by name: `ready_made.yaml`."""
    text = (resources.files(__package__) / "ready_made.yaml").read_text("utf-8")
    return {name: Fields.model_validate(value) for name, value in yaml.safe_load(text).items()}


def items(evaluation_set: EvaluationSet) -> Iterator[Item]:
    """The items of a set, in the order of its files.

    InputError where a file cannot be read, has no item, lacks a column, or says an answer that is not there.
    """
    fields = evaluation_set.definition
    for path in item_files(evaluation_set.path):
        found = records(path, header=fields.header, lines_per_item=fields.lines_per_item)
        if not found:
            raise InputError(f"{path} of evaluation set {evaluation_set.name} has no items")
        _check_columns(found, fields, path, evaluation_set.name)
        for number, record in enumerate(found):
            try:
                yield _item(record, fields)
            except ValueError as error:
                raise InputError(f"{path}, item {number} of evaluation set {evaluation_set.name}: {error}") from None


def _check_columns(found: list[Record], fields: Fields, path: str, name: str) -> None:
    """A column must be in one record at least: JSON leaves out what is null."""
    parts = [part for part in (fields.question, fields.answer, fields.passage) if part is not None]
    if not parts:
        raise RecipeError(f"the fields of evaluation set {name} name no question, answer or passage")
    there = set().union(*found)
    for column in [column for part in parts for column in part.all_columns] + ([fields.id] if fields.id else []):
        if column.partition(".")[0] not in there:
            known = ", ".join(sorted(map(str, there)))
            raise InputError(
                f"{path} of evaluation set {name} has no column {column!r}; it has: {known}. "
                "Set `fields`, or choose another ready-made definition"
            )


def _item(record: Record, fields: Fields) -> Item:
    question, answer, passage = (
        _text(record, part) if part else "" for part in (fields.question, fields.answer, fields.passage)
    )
    own_id = None if fields.id is None else record.get(fields.id)
    return Item(question, answer, passage, None if own_id is None else str(own_id))


def _text(record: Record, part: Part) -> str:
    values = [text for column in part.columns for text in _strings(_value(record, column))]
    if part.choose is not None:
        values = _chosen(values, _value(record, part.choose), part, record)
    text = "\n".join(values)
    if part.fills is not None:
        blank = "\n".join(_strings(_value(record, part.fills)))
        text = _BLANK.sub(lambda _: text, blank) if text else ""
    return re.sub(part.remove, "", text) if part.remove else text


def _value(record: Any, column: str) -> Any:
    """The value of a column; None where a struct on the way is null, a list where it is a list of structs."""
    for name in column.split("."):
        if isinstance(record, list):
            record = [one.get(name) if isinstance(one, dict) else None for one in record]
        else:
            record = record.get(name) if isinstance(record, dict) else None
    return record


def _strings(value: Any) -> list[str]:
    """The value, or those of a list, as text. What is null or empty is no text, and a truth value says nothing."""
    if isinstance(value, list):
        return [text for one in value for text in _strings(one)]
    if value is None or isinstance(value, bool | dict):
        return []
    # A lone surrogate, as JSON may spell it, is what UTF-8 cannot carry.
    return [str(value).encode("utf-8", "replace").decode()]


def _chosen(values: list[str], key: Any, part: Part, record: Record) -> list[str]:
    """The value that the key says; none where the key is hidden, as in test sets that are kept secret."""
    if key is None or str(key).strip() in ("", "-1"):
        return []
    key = str(key).strip()
    labels = _strings(_value(record, part.labels)) if part.labels else []
    if key in labels:
        number = labels.index(key)
    elif key.isdecimal():
        number = int(key) - part.first
    else:
        number = ord(key) - ord("A") if len(key) == 1 else -1
    if not 0 <= number < len(values):
        raise ValueError(f"{part.choose} is {key!r}, but there are {len(values)} values of {', '.join(part.columns)}")
    return [values[number]]
