"""Rows of comma- and tab-separated files, as the readers of `curate.readers` give those of other formats.

A file may be compressed and may lie wherever fsspec reaches. Bytes that are not of the encoding are replaced. A row
with more or fewer values than there are columns is one with a reason: a quote or a separator was misread, and its label
cannot be trusted. So is one whose quote is not closed before the file ends: the rows behind it are in its value.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from curate.errors import InputError
from curate.readers.formats import DECODE_ERRORS, PEEK_BYTES, compression_of, open_decompressed
from curate.readers.rows import Row, error_row
from curate.readers.source import Source, filesystem
from curate.readers.tables import table_row

#: A quote that is never closed makes one value of the rest of the file; above this the file is refused.
_MAX_VALUE_CHARS = 1 << 30


class Delimited(NamedTuple):
    """How the values of a file are told apart."""

    separator: str
    quoted: bool  # whether a value may stand in double quotes, and then hold separators and line ends
    columns: Sequence[str] | None = None  # their names where the file has no header
    encoding: str = "utf-8"


def delimited_rows(path: str, source: Source, form: Delimited) -> Iterator[Row]:
    """The rows of one file; `offset` is the number of the row's last line, from 1; of its first if a quote stays open.

    InputError where the file cannot be opened or decoded, or has no column of the source's text.
    """
    csv.field_size_limit(_MAX_VALUE_CHARS)
    fs, inner = filesystem(path)
    try:
        with fs.open(inner, "rb") as file:
            compression = compression_of(file.read(PEEK_BYTES))
            file.seek(0)
            encoding = "utf-8-sig" if form.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else form.encoding
            stream = io.TextIOWrapper(open_decompressed(file, compression), encoding, errors="replace", newline="")
            yield from _rows(stream, path, source, form)
    except (*DECODE_ERRORS, OSError, LookupError, csv.Error) as error:
        raise InputError(f"cannot read {path} of {source.name!r}: {error}") from error


def _rows(stream: io.TextIOWrapper, path: str, source: Source, form: Delimited) -> Iterator[Row]:
    at_end = False

    def fed() -> Iterator[str]:
        nonlocal at_end
        yield from stream
        at_end = True

    lines = csv.reader(fed(), delimiter=form.separator, quoting=csv.QUOTE_MINIMAL if form.quoted else csv.QUOTE_NONE)
    columns = list(form.columns) if form.columns else next(lines, [])
    if source.text_column not in columns:
        raise InputError(
            f"{path} has no column {source.text_column!r}; it has: {', '.join(map(repr, columns))}. Set text_column of "
            f"{source.name!r}, or its columns where the file begins without their names"
        )
    first = lines.line_num + 1
    for values in lines:
        begins, first = first, lines.line_num + 1
        if not values:
            continue  # a blank line
        if at_end:  # a row ends with its line, if no quote is open
            yield error_row("error_quote_not_closed", source=source.name, path=path, offset=begins)
        elif len(values) != len(columns):
            yield error_row("error_wrong_number_of_values", source=source.name, path=path, offset=lines.line_num)
        else:
            yield table_row(dict(zip(columns, values, strict=True)), source, path, lines.line_num)
