"""Records of one split of a WARC, in file order, each exactly once: FastWARC on a stream that knows members and damage.

FastWARC parses the WARC headers and bounds the block; `parse_http` stays off (see `curate.readers.http`).
Damage gives a `Fault` and reading goes on at the next record that can be found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, Any, NamedTuple, cast

from fastwarc.warc import ArchiveIterator

from curate.readers.formats import PEEK_BYTES, Compression, compression_of
from curate.readers.member_stream import MemberStream, Place
from curate.readers.record_starts import is_start, next_start

_MAX_HEADER_BYTES = 1 << 16
_CHUNK_BYTES = 1 << 20
_BLANK_LINE = re.compile(rb"\n\r*\n")
_MAX_FAULTS = 10_000  # per split: a file of nothing but broken headers ends here instead of flooding the output


class Record(NamedTuple):
    """One WARC record. `block` is None where it is longer than the bound."""

    kind: str  # response, conversion, … as in WARC-Type; "unknown" where there is none
    headers: Any  # mapping, any case
    place: Place
    length: int  # bytes of the block that were there
    block: bytes | None
    fault: str | None  # truncated_record, content_length, …: why it is not whole


class Fault(NamedTuple):
    """Damage between records."""

    reason: str
    place: Place


def read_records(file: IO[bytes], start: int, end: int | None, max_bytes: int) -> Iterator[Record | Fault]:
    """Records whose first byte lies in [start, end); those of a member that holds several go with the member."""
    compression = compression_of(_head(file))
    at = 0 if start == 0 else next_start(file, start, end, compression)
    faults = 0
    while at is not None:
        stream = MemberStream(file, at, compression)
        for item in _stream_records(stream, file, end, compression, max_bytes):
            yield item
            faults += isinstance(item, Fault)
            if faults >= _MAX_FAULTS:
                yield Fault("too_many_faults", item.place)
                return
        if stream.fault is None:
            return
        at = next_start(file, stream.fault_offset + 1, end, compression)


def _head(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(PEEK_BYTES)


def _stream_records(
    stream: MemberStream, file: IO[bytes], end: int | None, compression: Compression, max_bytes: int
) -> Iterator[Record | Fault]:
    """Records of one stream, over header faults, until its end, its own fault, or a record that belongs to the next."""
    past = 0  # decompressed position that is surely behind us
    while True:
        whole = True
        past = max(past, stream.tell())
        try:
            for found in _archive(stream):
                position = found.stream_pos
                place = stream.place_of(position)
                if end is not None and place.offset >= end and _starts_next(file, place, compression):
                    return
                misread = _misread_length(found)
                if misread:
                    stream.rewind(position)
                    record = _reread(stream, found.headers, misread, place, max_bytes)
                else:
                    record = _record(found, place, max_bytes, stream)
                past = position + record.length
                whole = record.fault is None
                yield record
                if misread:
                    break
            else:
                if stream.fault and whole:
                    yield Fault(stream.fault, Place(stream.fault_offset, 0))
                return
        except OSError as error:
            if not str(error).startswith(("Invalid WARC", "Maximum header")):
                raise  # the file system's, not FastWARC's: the task fails and is tried again
            if whole or stream.fault is None:
                yield Fault(stream.fault or "invalid_warc_header", stream.place_of(past))
            if not stream.skip_to_header(past):
                return


def _archive(stream: MemberStream) -> Iterator[Any]:
    return ArchiveIterator(
        cast(Any, stream),  # `read` and `tell` are all it calls
        parse_http=False,
        stream_detect=False,
        quirks_mode=False,
        max_header_len=_MAX_HEADER_BYTES,
    )


def _starts_next(file: IO[bytes], place: Place, compression: Compression) -> bool:
    """Whether the next split will begin at or before this record. Line ends before the first header are tolerated."""
    return place.within <= 8 and is_start(file, place.offset, compression)


def _misread_length(found: Any) -> int:
    """The declared length where FastWARC took it for none, else 0.

    FastWARC 2.0.1 knows `Content-Length` only in this case and on one line; the standard allows any case and folding.
    """
    if found.content_length:
        return 0
    declared = (found.headers.get("Content-Length") or "").strip()
    return int(declared) if declared.isascii() and declared.isdigit() and len(declared) <= 15 else 0


def _reread(stream: MemberStream, headers: Any, length: int, place: Place, max_bytes: int) -> Record:
    """The record at the stream's position, by own code: past the header's blank line, then `length` bytes."""
    head = b""
    while (blank := _BLANK_LINE.search(head)) is None and len(head) < _MAX_HEADER_BYTES:
        piece = stream.read(1 << 12)
        if not piece:
            break
        head += piece
    if blank is not None:
        stream.rewind(stream.tell() - len(head) + blank.end())
    return _as_record(headers, place, length, *_block(stream, max_bytes, length), stream)


def _record(found: Any, place: Place, max_bytes: int, stream: MemberStream) -> Record:
    length: int = found.content_length
    return _as_record(found.headers, place, length, *_block(found.reader, max_bytes, length), stream)


def _as_record(
    headers: Any, place: Place, declared: int, block: bytes | None, length: int, stream: MemberStream
) -> Record:
    fault = None
    if length < declared:
        fault = stream.fault or "truncated_record"
    elif not declared and not (headers.get("Content-Length") or "").strip().isdigit():
        fault = "content_length"
    kind = (headers.get("WARC-Type") or "").strip().lower()[:64]
    return Record(kind or "unknown", headers, place, length, block, fault)


def _block(reader: Any, max_bytes: int, declared: int) -> tuple[bytes | None, int]:
    """The block, or None where it is longer than `max_bytes`; and its length. Never holds more than the bound."""
    chunks: list[bytes] = []
    length = 0
    while length < declared and (chunk := reader.read(min(_CHUNK_BYTES, declared - length))):
        length += len(chunk)
        if length <= max_bytes:
            chunks.append(chunk)
        else:
            chunks.clear()
    return (b"".join(chunks) if length <= max_bytes else None), length
