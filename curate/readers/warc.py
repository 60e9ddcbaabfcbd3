"""WARC and WET: which records are documents, and what becomes of the others.

`response` (HTTP), `resource` and `conversion` records are documents; all others are counted and skipped. Of documents,
an HTTP status outside 2xx, a media type that is not text, an empty or a too long body each make a dropped row.
Everything that is broken makes a row with `error_…`. No character decoding of pages happens here (the extractor does
that), and `revisit` records are not resolved to the record that they repeat.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

from curate.document import doc_id
from curate.readers.formats import PEEK_BYTES, compression_of
from curate.readers.http import BadBodyError, Response, charset, decoded_body, media_type, parse_response, sniff
from curate.readers.record_starts import next_start
from curate.readers.rows import MAX_URL_CHARS, ReadStats, Row, bounded_meta, dropped, error_row, valid_text
from curate.readers.source import Source
from curate.readers.splits import Split
from curate.readers.warc_records import Fault, Record, read_records

DOCUMENT_RECORDS = frozenset({"response", "resource", "conversion"})
#: Of ISO 28500, section 5.5.
RECORD_TYPES = DOCUMENT_RECORDS | {"warcinfo", "request", "metadata", "revisit", "continuation"}
_DUMP = re.compile(r"CC-(?:MAIN|NEWS)-\d{4}(?:-\d{2})?")
_ROOM = 1 << 16  # the block is longer than the body by the HTTP header


def warc_rows(file: IO[bytes], split: Split, source: Source, stats: ReadStats) -> Iterator[Row]:
    """The rows of one split. A first split in which nothing is found gives one row: no file is silent."""
    nothing = True
    for item in read_records(file, split.start, split.end, source.max_document_bytes + _ROOM):
        nothing = False
        if isinstance(item, Fault):
            yield error_row(
                f"error_{item.reason}",
                source=source.name,
                path=split.path,
                offset=item.place.offset,
                part=item.place.within,
            )
            continue
        stats.records[item.kind if item.kind in RECORD_TYPES else "other"] += 1  # any text may stand there
        row = _row(item, split, source, stats)
        if row is not None:
            yield row
    if nothing and split.start == 0 and not _begins_later(file, split.end):
        file.seek(0)
        reason = "error_no_records" if file.read(1) else "error_empty_file"
        yield error_row(reason, source=source.name, path=split.path, offset=0)


def _begins_later(file: IO[bytes], end: int | None) -> bool:
    """Whether records start behind the first split: a zstd dictionary can be longer than a split."""
    if end is None:
        return False
    file.seek(0)
    compression = compression_of(file.read(PEEK_BYTES))
    return next_start(file, end, None, compression) is not None


def _row(record: Record, split: Split, source: Source, stats: ReadStats) -> Row | None:
    """The row of one record, None where it is not a document."""
    if record.fault is None and record.kind not in DOCUMENT_RECORDS:
        return None
    url = record_url(record)
    if record.fault is not None:
        return _error(f"error_{record.fault}", record, split, source, url)
    if record.block is None:
        return _error("payload_too_large", record, split, source, url)
    row = Row(
        "",
        url=url,
        source=source.name,
        dump=source.dump or _dump_of(split.path),
        date=_short(record.headers.get("WARC-Date")),
        file_path=split.path,
        offset=record.place.offset,
    )
    try:
        if record.kind != "response":
            return _plain_row(row, record, source)
        if not _is_http(record):
            stats.records["response_other"] += 1  # DNS look-ups, FTP
            return None
        return _http_row(row, record, parse_response(record.block), source)
    except BadBodyError as bad:
        return _error(bad.reason, record, split, source, url)


def _http_row(row: Row, record: Record, response: Response, source: Source) -> Row:
    """A crawled page. The body of a page that is dropped for its status is not decoded."""
    ok = 200 <= response.status < 300
    declared = response.headers.get("content-type")
    body = decoded_body(response, source.max_document_bytes) if ok else response.body
    kind = media_type(declared)
    meta = (("http_status", response.status), *_notes(record), ("content_type_sniffed", None if kind else "true"))
    row = row._replace(
        doc_id=doc_id(row.url, row.date, body),
        payload=body,
        content_type=kind or sniff(body),
        charset=charset(declared),
        meta=bounded_meta(meta),
    )
    return _judged(row, source) if ok else dropped(row, "http_status_not_ok")


def _plain_row(row: Row, record: Record, source: Source) -> Row:
    """A `resource` (bytes as they are) or a `conversion` (plain text in UTF-8, as in WET)."""
    block = record.block or b""
    if len(block) > source.max_document_bytes:
        raise BadBodyError("payload_too_large")
    declared = record.headers.get("Content-Type")
    row = row._replace(
        doc_id=doc_id(row.url, row.date, block),
        content_type=media_type(declared) or sniff(block),
        charset=charset(declared),
        payload=block,
        meta=bounded_meta(_notes(record)),
    )
    row = _judged(row, source)
    if record.kind == "conversion" and row.drop_reason is None:
        row = row._replace(text=block.decode("utf-8", "replace"), payload=None)
    return row


def _judged(row: Row, source: Source) -> Row:
    """The row, dropped where its body is empty or of a media type that the source does not take."""
    kind = row.content_type or ""
    if not row.payload:
        return dropped(row, "payload_empty")
    if not kind.startswith(source.content_types) or kind.startswith(source.not_content_types):
        return dropped(row, "content_type_not_text")
    return row


def _notes(record: Record) -> tuple[tuple[str, object], ...]:
    """What the record's headers add: how it was cut, what the crawler took it for, its place in a shared member."""
    headers = record.headers
    return (
        ("warc_truncated", headers.get("WARC-Truncated")),
        ("identified_type", headers.get("WARC-Identified-Payload-Type") or None),
        ("identified_language", headers.get("WARC-Identified-Content-Language") or None),
        ("offset_in_member", record.place.within or None),
    )


def record_url(record: Record) -> str | None:
    """WARC-Target-URI, without the angle brackets that wget 1.14 wrote; None where there is none."""
    url = (record.headers.get("WARC-Target-URI") or "").strip().removeprefix("<").removesuffix(">").strip()
    return valid_text(url[:MAX_URL_CHARS]) or None


def _is_http(record: Record) -> bool:
    declared = (record.headers.get("Content-Type") or "").lower()
    return declared.startswith("application/http") or (record.block or b"")[:5] == b"HTTP/"


def _error(reason: str, record: Record, split: Split, source: Source, url: str | None) -> Row:
    place = record.place
    return error_row(reason, source=source.name, path=split.path, offset=place.offset, part=place.within, url=url)


def _dump_of(path: str) -> str | None:
    found = _DUMP.search(path)
    return found[0] if found else None


def _short(value: str | None) -> str | None:
    return valid_text(value.strip()[:64]) or None if value else None
