"""The records of an evaluation set's files, whatever their format: each a mapping from column to value.

The file's name says the format, its first bytes the compression (gzip, zstd, bzip2, xz). A set is small and is held in
memory; records that cannot be read are an error, because an item that is not looked for would pass unseen.
"""

from __future__ import annotations

import csv
import glob
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curate.errors import InputError
from curate.readers.formats import DECODE_ERRORS, PEEK_BYTES, compression_of, open_decompressed

Record = Mapping[str, Any]

MAX_FILE_BYTES = 1 << 28  # our choice, decompressed: an index of it takes the driver some 4 GiB while it is built
_COMPRESSED = (".gz", ".zst", ".zstd", ".bz2", ".xz")


def item_files(path: str) -> tuple[str, ...]:
    """The files of a path or a glob, sorted. InputError where there is none."""
    files = [path] if Path(path).is_file() else sorted(found for found in glob.glob(path) if Path(found).is_file())
    if not files:
        raise InputError(f"no evaluation set at {path}. Give the path of a file, or a pattern such as mmlu/*.csv")
    return tuple(files)


def records(path: str, *, header: Sequence[str] | None = None, lines_per_item: int = 1) -> list[Record]:
    """All records of one file, in order.

    header: the columns of a CSV file that does not name them. lines_per_item: of a text file; its columns are `line_1`,
    `line_2`, …, and blank lines do not count.

    InputError where the file cannot be read, with what is wrong.
    """
    suffix = _suffix(path)
    try:
        if suffix == ".parquet":
            return list(pq.read_table(path).to_pylist())
        text = _content(path).decode("utf-8-sig")
        if suffix in (".csv", ".tsv"):
            return _table(text, "\t" if suffix == ".tsv" else ",", header)
        if suffix == ".txt":
            return _blocks(text, lines_per_item)
        return _FORMATS[suffix](text)
    except KeyError:
        known = ", ".join(sorted({*_FORMATS, ".parquet", ".csv", ".tsv", ".txt"}))
        raise InputError(f"{path} is no evaluation set by its name: it ends in {suffix!r}. Known: {known}") from None
    except (*DECODE_ERRORS, OSError, ValueError, RecursionError, csv.Error, pa.ArrowException) as error:
        raise InputError(f"{path} cannot be read as {suffix[1:]}: {error}") from error


def _suffix(path: str) -> str:
    name = Path(path).name.lower()
    for compressed in _COMPRESSED:
        name = name.removesuffix(compressed)
    return Path(name).suffix


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        compression = compression_of(file.read(PEEK_BYTES))
        file.seek(0)
        content = open_decompressed(file, compression).read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise ValueError(f"it has more than {MAX_FILE_BYTES >> 20} MiB. Give a part of the set")
    return content


def _json_lines(text: str) -> list[Record]:
    found = []
    for number, line in enumerate(io.StringIO(text, newline="\n"), 1):  # no other mark ends a line in JSON lines
        if line.strip():
            try:
                found.append(_object(json.loads(line)))
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from None
    return found


def _json(text: str) -> list[Record]:
    """A list of objects; an object with one list of them (SQuAD's `data`); or lines, as many dumps are named."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return _json_lines(text)
    if isinstance(value, dict):
        lists = [one for one in value.values() if isinstance(one, list) and one and isinstance(one[0], dict)]
        value = lists[0] if len(lists) == 1 else [value]
    return [_object(one) for one in value]


def _object(value: object) -> Record:
    if not isinstance(value, dict):
        raise ValueError(f"an item is an object with columns, not {type(value).__name__}")
    return value


def _table(text: str, delimiter: str, header: Sequence[str] | None) -> list[Record]:
    rows = csv.DictReader(io.StringIO(text, newline=""), header, delimiter=delimiter, restkey="…", strict=True)
    return list(rows)


def _blocks(text: str, lines_per_item: int) -> list[Record]:
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) % lines_per_item:
        raise ValueError(f"{len(lines):,} lines are no whole items of {lines_per_item} lines")
    blocks = (lines[i : i + lines_per_item] for i in range(0, len(lines), lines_per_item))
    return [{f"line_{number}": line for number, line in enumerate(block, 1)} for block in blocks]


_FORMATS: dict[str, Callable[[str], list[Record]]] = {
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".json": _json,
}
