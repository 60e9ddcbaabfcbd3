"""What a report may read of a run folder: the files of its last finished run, a bounded number of them.

Texts are cut in Arrow before they become Python strings, and bytes that are no UTF-8 are replaced, so that one document
of 100 MB or of garbage costs what any other does. Refuses to look at passes that run.json does not name: they are what
an earlier recipe left behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from curate import recipe as recipes
from curate.errors import CurateError, InputError
from curate.recipe import Recipe
from curate.rundir import RunDir

MAX_FILES = 32  # of kept and of dropped documents each: a run of a thousand files is sampled, not read
MAX_TEXT_CHARS = 1200  # of a text that is shown in a report


def read_record(run: RunDir) -> dict[str, Any]:
    """run.json, with an empty funnel where the run failed before its first pass. InputError where there is none."""
    record = run.read_json("run.json")
    if not isinstance(record, dict) or "status" not in record:
        raise InputError(f"{run.root} holds no run of curate (run.json). Give the --output of a run")
    empty = {"read": 0, "kept": 0, "dropped": 0, "stages": [], "dropped_by": [], "kept_by": []}
    return {"passes": [], "versions": {}, "funnel": empty, **record}


def read_recipe(run: RunDir) -> tuple[str, Recipe | None]:
    """recipe.yaml as text and as a recipe; ("", None) without one, None where a list or model it names has moved."""
    if not run.exists("recipe.yaml"):
        return "", None
    with run.fs.open(run.path("recipe.yaml"), "rb") as file:
        text = file.read().decode("utf-8", "replace")
    try:
        recipe = recipes.parse(yaml.safe_load(text) or {})
        _ = [getattr(step.stage, "limits", ()) for step in recipe.stages]  # some are in a file
        return text, recipe
    except (CurateError, OSError, yaml.YAMLError):
        return text, None


def kept_folder(run: RunDir) -> str | None:
    """Where the documents lie that were kept so far: `documents`, or the last document pass of a run that failed."""
    for name in reversed(_passes(run)):
        if run.exists("passes", name):
            return f"passes/{name}"
        if name.endswith("-documents") and run.exists("documents"):
            return "documents"
    return None


def kept_files(run: RunDir, max_files: int | None = MAX_FILES) -> list[str]:
    """Parquet files of kept documents, spread over the sources."""
    folder = kept_folder(run)
    return [] if folder is None else _spread([_parquets(run, folder, name) for name in run.names(folder)], max_files)


def dropped_files(run: RunDir, max_files: int | None = MAX_FILES) -> list[str]:
    """Parquet files of dropped documents, spread over the passes."""
    return _spread([_parquets(run, "dropped", name) for name in _passes(run)], max_files)


def evidence_files(run: RunDir, pass_name: str, what: str, max_files: int = 8) -> list[str]:
    """Parquet files of what a corpus stage saved beside its verdicts: `pairs`, `clusters`."""
    return _spread([_parquets(run, f"dedup/{pass_name}", what)], max_files)


def part_file(run: RunDir, pass_name: str, part: int) -> str | None:
    """The file of one part of a document pass, in whatever wave it was written."""
    for wave in run.names("passes", pass_name):
        path = f"passes/{pass_name}/{wave}/part-{part:05d}.parquet"
        if not wave.startswith("_") and run.exists(path):
            return run.path(path)
    return None


def _passes(run: RunDir) -> list[str]:
    return [str(entry["name"]) for entry in read_record(run)["passes"]]


def _parquets(run: RunDir, folder: str, name: str) -> list[str]:
    if name.startswith("_") or not run.exists(folder, name):
        return []
    if name.endswith(".parquet"):
        return [run.path(folder, name)]
    found = sorted(str(path) for path in run.fs.find(run.path(folder, name)))
    start = len(run.path(folder, name))
    return [path for path in found if path.endswith(".parquet") and "/_" not in path[start:]]


def _spread(groups: Sequence[list[str]], max_files: int | None) -> list[str]:
    """Up to `max_files` paths: as many of each group as of any other, evenly spaced within it."""
    groups = [group for group in groups if group]
    if max_files is None or sum(map(len, groups)) <= max_files:
        return [path for group in groups for path in group]
    groups = _evenly(groups, max_files)
    return [path for group in groups for path in _evenly(group, max_files // len(groups))]


def _evenly(items: Any, count: int) -> Any:
    return items if len(items) <= count else [items[index * len(items) // count] for index in range(count)]


@contextmanager
def open_parquet(run: RunDir, path: str) -> Iterator[Any]:
    """A parquet file. InputError where it is no such file."""
    with run.fs.open(path, "rb") as file:
        try:
            yield pq.ParquetFile(file)
        except pa.ArrowInvalid as error:
            raise InputError(f"{path} cannot be read: {error}. Run the recipe again") from None


def readable_rows(table: pa.Table, max_chars: int = MAX_TEXT_CHARS) -> list[dict[str, Any]]:
    """Rows as dicts, `num_chars` of the whole text among them; every string column cut at `max_chars`."""
    columns: dict[str, list[Any]] = {}
    for name in table.schema.names:
        column = table[name]
        if pa.types.is_dictionary(column.type):
            column = column.cast(pa.string())
        columns[name] = readable(column, max_chars) if pa.types.is_string(column.type) else column.to_pylist()
    if "text" in table.schema.names:
        columns["num_chars"] = pc.fill_null(pc.utf8_length(table["text"]), 0).to_pylist()
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def without_gaps(text: str) -> str:
    """A text to look at: no blank lines at its beginning, one at most between others."""
    return re.sub(r"\n(?:[^\S\n]*\n){2,}", "\n\n", text).lstrip()


def readable(column: Any, max_chars: int) -> list[str | None]:
    """A string column as Python strings of at most `max_chars`; bytes that are no UTF-8 become U+FFFD."""
    pieces = pc.binary_slice(column.cast(pa.binary()), 0, 4 * max_chars)
    return [piece if piece is None else piece.decode("utf-8", "replace")[:max_chars] for piece in pieces.to_pylist()]
