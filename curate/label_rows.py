"""Rows of parquet files as a sample of documents is drawn from them: an id, a stratum, a score, and a place.

A stratum is what documents share, each part in words: source, language, verdict, a band of a score.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import types

from curate.document import doc_id
from curate.errors import InputError
from curate.readers.source import Source, filesystem, list_files
from curate.report.reading import dropped_files, kept_files
from curate.rundir import RunDir
from curate.stored_signals import holds_run

STRATA = ("source", "language", "verdict", "score")
_COLUMNS = ("doc_id", "source", "language", "drop_stage", "drop_reason")


class Place(NamedTuple):
    """Where a row lies."""

    path: str
    group: int  # row group
    row: int  # in it


class Candidate(NamedTuple):
    """A document that may be drawn."""

    doc_id: str
    stratum: str
    score: float | None
    place: Place


def parquet_files(inputs: Sequence[str], with_dropped: bool) -> list[str]:
    """Parquet files of a run or those that are named, in order."""
    if len(inputs) == 1 and holds_run(inputs[0]):
        run = RunDir(inputs[0])
        paths = [*kept_files(run, None), *(dropped_files(run, None) if with_dropped else ())]
        return [run.fs.unstrip_protocol(path) if not run.is_local else path for path in paths]
    return [file.path for file in list_files(Source(name="documents", paths=tuple(inputs), format="parquet"))]


@contextmanager
def _opened(path: str) -> Iterator[Any]:
    """A parquet file with texts. InputError where it is none."""
    fs, inner = filesystem(path)
    try:
        with fs.open(inner, "rb") as file:
            parquet = pq.ParquetFile(file)
            if "text" not in parquet.schema_arrow.names:
                raise InputError(f"{path} has no column 'text'; it has: {', '.join(parquet.schema_arrow.names)}")
            yield parquet
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"cannot read {path} as parquet: {error}") from error


def _there(schema: pa.Schema, columns: Sequence[str]) -> list[str]:
    return [name for name in columns if name.partition(".")[0] in schema.names]


def candidates(path: str, by: Sequence[str], score: str | None, edges: Sequence[float]) -> Iterator[Candidate]:
    """Each document of a file.

    by: parts of `STRATA`; score: `stage.signal` or a column; edges: bounds between its bands. InputError where the file
    is no parquet, or lacks text or score.
    """
    for group, table in _tables(path, score):
        ids = _ids(table)
        scores = _scores(table, score, path)
        columns = {name: _strings(table, name) for name in ("source", "language")}
        stages, reasons = _strings(table, "drop_stage"), _strings(table, "drop_reason")
        verdicts = ["kept" if r is None else f"{s}: {r}" for s, r in zip(stages, reasons, strict=True)]
        bands = _bands(scores, edges)
        parts = {**columns, "verdict": verdicts, "score": bands}
        names = zip(*(parts[name] for name in by), strict=True) if by else [()] * len(ids)
        for row, (identity, stratum) in enumerate(zip(ids, names, strict=True)):
            name = " · ".join(part or "unknown" for part in stratum) or "all"
            yield Candidate(identity, name, scores[row], Place(path, group, row))


def _tables(path: str, score: str | None) -> Iterator[tuple[int, pa.Table]]:
    """The row groups of a file with what a stratum is made of; texts only where they give the id."""
    with _opened(path) as parquet:
        columns = _there(parquet.schema_arrow, (*_COLUMNS, *([score] if score else [])))
        for group in range(parquet.num_row_groups):
            table = parquet.read_row_group(group, columns=columns)
            if "doc_id" not in columns or table["doc_id"].null_count:
                table = parquet.read_row_group(group, columns=[*columns, "text"])
            yield group, table


def _ids(table: pa.Table) -> list[str]:
    """The ids; by its text where a row has none."""
    given = _strings(table, "doc_id")
    if "text" not in table.schema.names:
        return [identity or "" for identity in given]
    texts = _strings(table, "text")
    return [doc_id(text) if one is None else one for one, text in zip(given, texts, strict=True)]


def _scores(table: pa.Table, score: str | None, path: str) -> list[float | None]:
    if score is None:
        return [None] * table.num_rows
    column, _, signal = score.partition(".")
    if column not in table.schema.names or (signal and not _has(table[column].type, signal)):
        raise InputError(f"{path} has no {score}: score the documents first, or name another --score")
    values = pc.struct_field(table[column], signal) if signal else table[column]
    kind = values.type
    if not any(is_kind(kind) for is_kind in (types.is_integer, types.is_floating, types.is_decimal, types.is_null)):
        raise InputError(f"{score} of {path} is no number but {kind}: name another --score")
    found = pc.cast(values, pa.float64()).to_pylist()
    return [None if value is None or value != value else value for value in found]


def _has(kind: pa.DataType, field: str) -> bool:
    return bool(types.is_struct(kind) and kind.get_field_index(field) >= 0)


def _strings(table: pa.Table, name: str) -> list[str | None]:
    """Values of a column as strings; bytes that are no UTF-8 are replaced."""
    if name not in table.schema.names:
        return [None] * table.num_rows
    values = table[name]
    if types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pa.types.is_primitive(values.type):  # a number, a day
        values = pc.cast(values, pa.string())
    raw = values.cast(pa.large_binary()).to_pylist()
    return [None if value is None else value.decode("utf-8", "replace") for value in raw]


def texts_at(places: Sequence[Place]) -> dict[Place, tuple[str | None, ...]]:
    """Text, URL and language at these places."""
    wanted: dict[str, dict[int, list[Place]]] = {}
    for place in sorted(places):
        wanted.setdefault(place.path, {}).setdefault(place.group, []).append(place)
    found: dict[Place, tuple[str | None, ...]] = {}
    for path, groups in wanted.items():
        with _opened(path) as parquet:
            columns = _there(parquet.schema_arrow, ("text", "url", "language"))
            for group, inside in groups.items():
                rows = parquet.read_row_group(group, columns=columns).take(pa.array([place.row for place in inside]))
                values = zip(*(_strings(rows, name) for name in ("text", "url", "language")), strict=True)
                found.update(zip(inside, values, strict=True))
    return found


def _bands(scores: Sequence[float | None], edges: Sequence[float]) -> list[str]:
    """`score 0.2 to 0.5`: the lower bound is inside the band, the upper one in the next."""
    digits = next((n for n in range(4, 17) if len({f"{edge:.{n}g}" for edge in edges}) == len(edges)), 17)
    names = [f"{edge:.{digits}g}" for edge in edges]
    bands = ["score all"] if not edges else [f"score below {names[0]}"]
    bands += [f"score {low} to {high}" for low, high in pairwise(names)]
    bands += [f"score from {names[-1]}"] if edges else []
    return [
        "not scored" if score is None else bands[int(np.searchsorted(edges, score, side="right"))] for score in scores
    ]
