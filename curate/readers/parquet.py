"""Parquet: row groups whose first byte lies in the split, column by column as needed, a few rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from curate.document import COLUMNS
from curate.errors import InputError
from curate.readers.rows import ReadStats, Row, error_row
from curate.readers.source import Source
from curate.readers.splits import Split
from curate.readers.tables import table_row

_READ_BYTES = 4 * 2**20  # decoded at a time, about; by 64 rows at a time short documents took twice as long
_MAX_READ_ROWS = 1024


def parquet_rows(file: IO[bytes], split: Split, source: Source, stats: ReadStats) -> Iterator[Row]:
    """The rows of one split; `offset` is the row number in the file.

    InputError where the file has no such text column: that is the recipe's fault and would drop everything. A damaged
    file or row group gives one row with `error_corrupt_parquet`.
    """
    try:
        table = pq.ParquetFile(file)
    except (pa.ArrowException, ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the file system's: the task is tried again
        if split.start == 0:
            yield error_row("error_corrupt_parquet", source=source.name, path=split.path, offset=0)
        return
    columns = _wanted_columns(table.schema_arrow, source, split.path)
    first_row = 0
    for group in range(table.num_row_groups):
        metadata = table.metadata.row_group(group)
        if split.start <= _first_byte(metadata) and (split.end is None or _first_byte(metadata) < split.end):
            yield from _group_rows(table, group, columns, first_row, split, source, stats)
        first_row += metadata.num_rows


def _group_rows(
    table: Any, group: int, columns: list[str], first_row: int, split: Split, source: Source, stats: ReadStats
) -> Iterator[Row]:
    row = first_row
    try:
        rows = _rows_at_once(table.metadata.row_group(group))
        for batch in table.iter_batches(rows, row_groups=[group], columns=columns, use_threads=False):
            for values in _values(batch):
                stats.records["row"] += 1
                yield table_row(values, source, split.path, row)
                row += 1
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        yield error_row("error_corrupt_parquet", source=source.name, path=split.path, offset=row)


def _rows_at_once(metadata: Any) -> int:
    """How many rows of a row group are about `_READ_BYTES`."""
    mean_bytes = metadata.total_byte_size // max(metadata.num_rows, 1)
    return int(min(max(_READ_BYTES // max(mean_bytes, 1), 1), _MAX_READ_ROWS))


def _values(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    """Rows as dictionaries. Strings are taken as bytes first: parquet does not promise that they are UTF-8."""
    columns = []
    for column in batch.columns:
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            raw = column.cast(pa.large_binary()).to_pylist()
            columns.append([None if value is None else value.decode("utf-8", "replace") for value in raw])
        else:
            columns.append(column.to_pylist())
    for row in zip(*columns, strict=True):
        yield dict(zip(batch.schema.names, row, strict=True))


def _wanted_columns(schema: pa.Schema, source: Source, path: str) -> list[str]:
    """Columns to read: ours, the configured ones, and what may go to `meta`. Nested ones are not, but for `meta`."""
    content = source.html_column or source.text_column
    if content not in schema.names:
        setting = "html_column" if source.html_column else "text_column"
        raise InputError(
            f"{path} has no column {content!r}; it has: {', '.join(schema.names)}. "
            f"Set {setting} of source {source.name!r}"
        )
    named = COLUMNS | {content, source.url_column, source.date_column, source.language_column}
    return [
        field.name
        for field in schema
        if field.name == content
        or (field.name == "meta" and pa.types.is_map(field.type))
        or (
            not pa.types.is_nested(field.type)
            and not pa.types.is_large_binary(field.type)
            and not pa.types.is_binary(field.type)
            and (field.name in named or source.meta_columns is None or field.name in source.meta_columns)
        )
    ]


def _first_byte(metadata: Any) -> int:
    """Where the first page of a row group lies. `file_offset` of a row group is not reliable across writers."""
    if not metadata.num_columns:
        return 0
    column = metadata.column(0)
    offsets = [at for at in (column.dictionary_page_offset, column.data_page_offset) if at is not None and at > 0]
    return min(offsets, default=0)
