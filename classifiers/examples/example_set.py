"""A named set of labelled files, as a training file lists it, and the rows that it gives.

Files are csv, tsv, jsonl, parquet, plain text (one document a file) and the text records of WET, compressed or not,
wherever fsspec reaches. Raw pages are refused: text is taken out of HTML by `curate run` or `curate apply extract`,
whose output is read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from classifiers.examples.delimited import Delimited, delimited_rows
from curate.errors import RecipeError
from curate.kernels.passage_texts import passage_texts
from curate.kernels.passages import Unit, passages
from curate.readers.formats import is_compressed_name
from curate.readers.read import read_rows
from curate.readers.rows import ReadStats, Row
from curate.readers.source import Source, list_files
from curate.readers.splits import plan_splits

OTHER = "*"  # of `labels`: what every value stands for that is not listed
_SEPARATORS = {"csv": ",", "tsv": "\t"}


class ExampleSet(BaseModel):
    """A named set of labelled files, and how they are read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    paths: tuple[str, ...] = ()  # or `-i NAME=PATH`
    format: Literal["auto", "csv", "tsv", "jsonl", "parquet", "text", "wet"] = "auto"  # auto: by the name
    columns: tuple[str, ...] | None = None  # names of the columns of a csv or tsv file that begins without them
    quoted: bool | None = None  # values in double quotes; None: in csv yes, in tsv no
    encoding: str = "utf-8"  # of csv and tsv

    text_column: str = "text"
    label_column: str = "label"
    doc_id_column: str = "doc_id"
    url_column: str = "url"
    language_column: str = "language"
    group_column: str | None = None  # an author, a thread: overrides `group`

    label: str | None = None  # of all documents, in place of a column
    labels: Mapping[str, str | None] = {}  # value → label, null: left out; "*" for all others; empty: as they are
    language: str | None = None  # of documents that do not say theirs
    group: Literal["host", "document"] = "host"  # host: the registered domain of the URL, the document without one
    # What is an example: whole texts, or their passages. A model that is to judge sentences learns from sentences.
    unit: Literal["document"] | Unit = "document"
    max_per_label: int | None = Field(default=None, ge=1)  # drawn by document id and seed

    licence: str = "not stated"  # for the model's card, like `origin`
    origin: str = "not stated"

    @field_validator("labels", mode="before")
    @classmethod
    def _as_texts(cls, value: Any) -> Any:
        """YAML reads the values 0 and true as a number and a truth; files hold them as text."""
        if not isinstance(value, Mapping):
            return value
        return {plain_value(str(k)): as_label(v) for k, v in value.items()}

    @field_validator("label", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return as_label(value)

    @model_validator(mode="after")
    def _one_label(self) -> ExampleSet:
        if self.label is not None and self.labels:
            raise RecipeError(f"examples {self.name}: `label` is for all documents, `labels` for a column; give one")
        return self

    def label_of(self, value: str | None) -> str | None:
        """The label that a value of the label column stands for; None where there is none or it is left out."""
        if self.label is not None:
            return self.label
        if value is None or not value.strip():
            return None
        plain = plain_value(value)
        if not self.labels:
            return plain
        return self.labels[plain] if plain in self.labels else self.labels.get(OTHER)


def plain_value(value: str) -> str:
    """A value as `labels` lists it: whole numbers held as floats are those numbers, and truths are in lower case.

    >>> plain_value(" 1.0"), plain_value("1.5"), plain_value("True")
    ('1', '1.5', 'true')
    """
    value = value.strip()
    if value.lower() in ("true", "false"):
        return value.lower()
    return value[:-2] if re.fullmatch(r"-?[0-9]+\.0", value) else value


def as_label(value: Any) -> Any:
    """A label of YAML as text; what is none stays for a check to refuse.

    >>> as_label(1), as_label(True)
    ('1', 'true')
    """
    return plain_value(str(value)) if isinstance(value, str | int | float) else value


def rows_of(one: ExampleSet, **settings: Any) -> Iterator[Row]:
    """The rows of a set's files, files in order of their paths. What is not text or URL is in `meta`."""
    wanted = {one.label_column, one.group_column or one.label_column, one.doc_id_column} - {"doc_id"}
    shared = one.model_dump(include={"name", "paths", "text_column", "url_column", "language_column"})
    known = "auto" if one.format in _SEPARATORS else one.format
    source = Source.model_validate({"format": known, "meta_columns": tuple(sorted(wanted)), **shared, **settings})
    for file in list_files(source):
        form = _delimited(file.path, one)
        if form is not None:
            yield from delimited_rows(file.path, source, form)
        else:
            for split in plan_splits([file], source):
                yield from read_rows(split, source, ReadStats())


def passages_of(one: ExampleSet, row: Row) -> Iterator[tuple[Row, int | None]]:
    """A row's passages as rows, each with its number; the row itself where documents are the unit, or it has none."""
    if one.unit == "document" or not (row.text or "").strip():
        yield row, None
        return
    texts = pa.array([row.text], pa.string())
    found = passages(texts, one.unit, "none")
    num = len(found.spans)
    for number, text in enumerate(passage_texts(texts, found, np.zeros(num, np.int64), 0, num).to_pylist()):
        yield row._replace(text=text), number


def _delimited(path: str, one: ExampleSet) -> Delimited | None:
    """How a file is separated, None where it is of another format."""
    kind = one.format
    if kind == "auto":
        name = path.lower()
        kind = (name.rpartition(".")[0] if is_compressed_name(name) else name).rpartition(".")[2]  # type: ignore[assignment]  # any suffix
    if kind not in _SEPARATORS:
        return None
    quoted = kind == "csv" if one.quoted is None else one.quoted
    return Delimited(_SEPARATORS[kind], quoted, one.columns, one.encoding)
