"""One document read is one `Row`; rows become Arrow batches of `curate.document.RAW_SCHEMA`.

A row is cheap and immutable; only the batch knows Arrow. A row that could not be read carries a reason and no payload,
so that what was met and what was kept always add up. Nothing here opens a file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from posixpath import basename
from typing import NamedTuple

import pyarrow as pa

from curate.document import RAW_SCHEMA, doc_id

READ_STAGE = "read"  # the value of `drop_stage` for what a reader drops
MAX_META_CHARS = 1_000  # a metadata value is a label, not a second text
MAX_META_KEYS = 64
MAX_URL_CHARS = 8_192  # longer ones are traps; browsers and servers stop at about this length


class Row(NamedTuple):
    """One document, the columns of `RAW_SCHEMA` in order. `meta` values are short strings."""

    doc_id: str
    text: str | None = None
    url: str | None = None
    source: str | None = None
    dump: str | None = None
    date: str | None = None
    language: str | None = None
    language_score: float | None = None
    token_count: int | None = None
    meta: Mapping[str, str] | None = None
    file_path: str | None = None
    offset: int | None = None
    payload: bytes | None = None
    content_type: str | None = None
    charset: str | None = None
    drop_stage: str | None = None
    drop_reason: str | None = None


class ReadStats:
    """Counts of what a reader met, by kind: record types, and every drop reason. Pass one in to keep it.

    `documents` are the rows without a reason; `skipped` things never become rows (warcinfo, request, revisit, …).
    """

    def __init__(self) -> None:
        self.records: Counter[str] = Counter()  # by WARC record type, or "row" of a table
        self.reasons: Counter[str] = Counter()  # by drop reason
        self.documents = 0

    def count(self, row: Row) -> None:
        """Count one row that was given out."""
        if row.drop_reason is None:
            self.documents += 1
        else:
            self.reasons[row.drop_reason] += 1

    @property
    def errors(self) -> int:
        """How many rows have a reason that starts with `error_`."""
        return sum(n for reason, n in self.reasons.items() if reason.startswith("error_"))


def error_row(reason: str, *, source: str, path: str, offset: int, part: int = 0, url: str | None = None) -> Row:
    """A row for something that could not be read. Its id is that of the place: file name, offset, part and reason.

    `part` tells apart the records of one compressed member, which share its offset.
    """
    identity = doc_id(basename(path), str(offset), str(part), reason)
    return Row(
        identity, url=url, source=source, file_path=path, offset=offset, drop_stage=READ_STAGE, drop_reason=reason
    )


def dropped(row: Row, reason: str) -> Row:
    """The same document, dropped for `reason` and without its bytes, which nobody will look at again."""
    return row._replace(text=None, payload=None, drop_stage=READ_STAGE, drop_reason=reason)


def valid_text(text: str) -> str:
    """The text with what UTF-8 cannot carry (lone surrogates, as in the JSON escape of half a pair) replaced.

    >>> valid_text("a\\ud800b")
    'a?b'
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode("utf-8")
    return text


def bounded_meta(pairs: Iterable[tuple[str, object]]) -> dict[str, str] | None:
    """Short strings of scalar values, at most 64 of 1,000 characters each; None where there is nothing to say."""
    meta: dict[str, str] = {}
    for key, value in pairs:
        if value is None or len(meta) >= MAX_META_KEYS:
            continue
        meta[valid_text(key[:MAX_META_CHARS])] = valid_text(str(value)[:MAX_META_CHARS])
    return meta or None


def row_bytes(row: Row) -> int:
    """About how much memory the row's content takes: payload bytes plus text characters."""
    return len(row.payload or b"") + len(row.text or "") + 200


def to_batch(rows: list[Row]) -> pa.RecordBatch:
    """Rows as one record batch of `RAW_SCHEMA`."""
    columns = zip(*rows, strict=True) if rows else ([] for _ in RAW_SCHEMA)
    arrays = [
        pa.array(
            [None if value is None else list(value.items()) for value in column]
            if pa.types.is_map(field.type)
            else list(column),
            type=field.type,
        )
        for field, column in zip(RAW_SCHEMA, columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=RAW_SCHEMA)


def batched(rows: Iterable[Row], *, batch_rows: int, batch_bytes: int, stats: ReadStats) -> Iterator[pa.RecordBatch]:
    """Batches of at most `batch_rows` rows, each closed as soon as it holds `batch_bytes`. No empty batch."""
    pending: list[Row] = []
    size = 0
    for row in rows:
        stats.count(row)
        pending.append(row)
        size += row_bytes(row)
        if len(pending) >= batch_rows or size >= batch_bytes:
            yield to_batch(pending)
            pending, size = [], 0
    if pending:
        yield to_batch(pending)
