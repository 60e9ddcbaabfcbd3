"""JSON lines, plain or compressed. A line that is not an object with a text becomes a row with a reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO, NamedTuple

from curate.readers.formats import DECODE_ERRORS, PEEK_BYTES, compression_of, open_decompressed
from curate.readers.rows import ReadStats, Row, error_row
from curate.readers.source import Source
from curate.readers.splits import Split
from curate.readers.tables import table_row

_SKIP_BYTES = 1 << 20
_ROOM = 1 << 20  # a line is longer than its text by the other values


class Line(NamedTuple):
    """One line: where it starts in the (decompressed) file, and its bytes, None where it is longer than the bound."""

    offset: int
    data: bytes | None


def jsonl_rows(file: IO[bytes], split: Split, source: Source, stats: ReadStats) -> Iterator[Row]:
    """The rows of one split: lines whose first byte lies in it. Damage of the compression ends it with one row."""
    compression = compression_of(file.read(PEEK_BYTES))
    file.seek(0)
    if compression != "none" and split.start:
        return  # it was cut by its name, but is one compressed stream: the first split reads it all
    end = split.end if compression == "none" else None
    max_bytes = 2 * source.max_document_bytes + _ROOM  # JSON escapes
    offset = split.start
    try:
        stream = open_decompressed(file, compression)
        for line in lines_between(stream, split.start, end, max_bytes):
            offset = line.offset
            if line.data is not None and not line.data.strip(b" \t\r\n\x00\xef\xbb\xbf"):
                continue  # blank lines are no documents
            stats.records["row"] += 1
            yield _row(line, split, source)
    except DECODE_ERRORS:
        yield error_row(f"error_corrupt_{compression}", source=source.name, path=split.path, offset=offset)
    except OSError as error:
        if compression not in ("bz2", "gzip") or error.errno is not None:  # bz2 raises a bare OSError for bad data
            raise
        yield error_row(f"error_corrupt_{compression}", source=source.name, path=split.path, offset=offset)


def lines_between(stream: IO[bytes], start: int, end: int | None, max_bytes: int) -> Iterator[Line]:
    """Lines that start in [start, end). The line over `start` belongs to the split before."""
    at = start
    if start:
        stream.seek(start - 1)
        at = start - 1 + _skip_line(stream)
    while end is None or at < end:
        data = stream.readline(max_bytes)
        if not data:
            return
        length = len(data)
        whole = data.endswith(b"\n") or length < max_bytes
        if not whole:
            length += _skip_line(stream)
        yield Line(at, data if whole else None)
        at += length


def _skip_line(stream: IO[bytes]) -> int:
    """Read past the next line end; how many bytes that was. Holds no more than 1 MiB."""
    skipped = 0
    while piece := stream.readline(_SKIP_BYTES):
        skipped += len(piece)
        if piece.endswith(b"\n"):
            break
    return skipped


def _row(line: Line, split: Split, source: Source) -> Row:
    if line.data is None:
        return error_row("payload_too_large", source=source.name, path=split.path, offset=line.offset)
    try:
        values = json.loads(line.data.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):  # ValueError: not JSON, or a number of thousands of digits
        return error_row("error_not_json", source=source.name, path=split.path, offset=line.offset)
    if not isinstance(values, dict):
        return error_row("error_not_an_object", source=source.name, path=split.path, offset=line.offset)
    return table_row(values, source, split.path, line.offset)
