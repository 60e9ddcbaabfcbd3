"""Read one split into Arrow batches of `curate.document.RAW_SCHEMA`. It needs no Spark: a notebook can call it.

Memory is bounded by one batch and one document. A fault of a document or of a file's content is a row. What is
raised is a fault of the recipe (`InputError`) or of the machine (OSError of the file system: a scheduler may retry).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from typing import IO

import pyarrow as pa

from curate.errors import InputError
from curate.readers.jsonl import jsonl_rows
from curate.readers.parquet import parquet_rows
from curate.readers.rows import ReadStats, Row, batched, error_row
from curate.readers.source import Source, filesystem
from curate.readers.splits import Split
from curate.readers.warc import warc_rows
from curate.readers.whole_file import whole_file_rows

Reader = Callable[[IO[bytes], Split, Source, ReadStats], Iterator[Row]]


def unsupported_rows(file: IO[bytes], split: Split, source: Source, stats: ReadStats) -> Iterator[Row]:
    """One row that says that nobody knows this format."""
    yield error_row("error_unsupported_format", source=source.name, path=split.path, offset=0)


READERS: dict[str, Reader] = {
    "warc": warc_rows,
    "parquet": parquet_rows,
    "jsonl": jsonl_rows,
    "text": whole_file_rows,
    "html": whole_file_rows,
    "unknown": unsupported_rows,
}


def read(
    split: Split,
    source: Source,
    *,
    batch_rows: int = 1024,
    batch_bytes: int = 16 * 2**20,
    stats: ReadStats | None = None,
) -> Iterator[pa.RecordBatch]:
    """Batches of the documents of one split, in file order.

    A batch has 1 to `batch_rows` rows and closes once it holds `batch_bytes` of text and payload. The same split gives
    the same rows each time. `stats`, where given, is counted up. InputError where the file cannot be opened.
    """
    rows = read_rows(split, source, stats := stats or ReadStats())
    yield from batched(rows, batch_rows=batch_rows, batch_bytes=batch_bytes, stats=stats)


def read_rows(split: Split, source: Source, stats: ReadStats) -> Iterator[Row]:
    """The documents of one split as rows, uncounted but for record types."""
    fs, inner = filesystem(split.path)
    try:
        file = fs.open(inner, "rb")
    except OSError as error:
        raise InputError(f"cannot open {split.path} of source {source.name!r}: {error}") from error
    with file if file.seekable() else _seekable_copy(file) as seekable:
        yield from READERS[split.format](seekable, split, source, stats)


def _seekable_copy(file: IO[bytes]) -> IO[bytes]:
    """The content in a temporary file: web servers without ranges can only be read from front to back."""
    copy = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
    with file:
        shutil.copyfileobj(file, copy, 1 << 20)
    copy.seek(0)
    return copy
