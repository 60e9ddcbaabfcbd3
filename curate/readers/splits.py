"""Cut files into splits of about equal size, each readable alone.

The plan depends on the files' names and sizes only, never on the machine. A split is a byte range; a record, line or
parquet row group belongs to the split in which its first byte lies, and the reader finds the first one by itself. So a
split of a file that turns out not to be divisible is empty, and the first one reads on to the end.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from curate.errors import InputError
from curate.readers.formats import PEEK_BYTES, Format, format_of_bytes, format_of_name, is_compressed_name
from curate.readers.source import InputFile, Source, filesystem


class Split(BaseModel):
    """A part of one file: the records that start in bytes [start, end). `end` None means the end of the file."""

    model_config = ConfigDict(frozen=True)

    path: str
    source: str
    format: Format
    start: int = 0
    end: int | None = None
    index: int  # place in the plan of the source, from 0


def plan_splits(
    files: Iterable[InputFile], source: Source, split_bytes: int = 64 * 2**20, *, parquet_bytes: int = 1
) -> list[Split]:
    """The splits of all files, in file order. The same names and sizes give the same plan anywhere.

    A WARC, a parquet file and plain JSON lines are cut every `split_bytes` (at least 1), parquet at `parquet_bytes` at
    the least; other files are one split.
    """
    if split_bytes < 1:
        raise InputError(f"split_bytes must be at least 1, not {split_bytes}")
    splits: list[Split] = []
    for file in files:
        kind = resolve_format(file.path, source)
        least = parquet_bytes if kind == "parquet" else 1
        step = max(split_bytes, least) if _divisible(file, kind) else max(file.size or 1, 1)
        bounds = [*range(0, file.size or 1, step)]
        for start, end in zip(bounds, [*bounds[1:], None], strict=True):
            splits.append(
                Split(path=file.path, source=source.name, format=kind, start=start, end=end, index=len(splits))
            )
    return splits


def resolve_format(path: str, source: Source) -> Format:
    """The format of one file: what the source says, else its name, else its first bytes."""
    if source.format != "auto":
        return "warc" if source.format == "wet" else source.format
    named = format_of_name(path)
    if named is not None:
        return named
    fs, inner = filesystem(path)
    try:
        with fs.open(inner, "rb") as file:
            return format_of_bytes(file.read(PEEK_BYTES))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error}") from error


def _divisible(file: InputFile, kind: Format) -> bool:
    if file.size is None:
        return False
    return kind in ("warc", "parquet") or (kind == "jsonl" and not is_compressed_name(file.path))
