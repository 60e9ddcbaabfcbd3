"""Find where a WARC record starts, so that a file can be cut at any byte.

Compressed, a start is a gzip member or zstd frame that decompresses to `WARC/`; plain, a header line whose header names
a record type and whose Content-Length leads to another header or to the end of the file. Two neighbouring splits ask
the same question about the same bytes and so agree. What cannot be told apart without an index: a WARC stored as the
body of a record of an uncompressed WARC (or in stored, not deflated, blocks of a member) is taken for records where a
cut falls inside it.
"""

from __future__ import annotations

import re
import zlib
from typing import IO

import zstandard

from curate.readers.formats import Compression
from curate.readers.member_stream import HEADER, new_decoder, read_dictionary

_MAGIC = {"gzip": re.compile(rb"\x1f\x8b\x08[\x00-\x1f]"), "zstd": re.compile(rb"\x28\xb5\x2f\xfd"), "none": HEADER}
_WINDOW_BYTES = 1 << 20
_HEADER_BYTES = 1 << 14  # how much of a candidate is looked at
_LENGTH = re.compile(rb"\ncontent-length:[ \t]*(\d{1,15})[ \t]*\r*\n", re.IGNORECASE)
_TYPE = re.compile(rb"\nwarc-type:", re.IGNORECASE)
_BLANK_LINE = re.compile(rb"\n\r*\n")


def next_start(file: IO[bytes], at: int, limit: int | None, compression: Compression) -> int | None:
    """The offset of the first record start in [at, limit), or None. `limit` None is the end of the file."""
    dictionary = read_dictionary(file) if compression == "zstd" else None
    offset = max(at - 1, 0) if compression == "none" else at  # a header line is known by the line end before it
    carried = b""
    file.seek(offset)
    while data := file.read(_WINDOW_BYTES):
        window = carried + data
        base = offset - len(carried)
        keep = len(window) - _HEADER_BYTES if len(data) == _WINDOW_BYTES else len(window)
        for found in _MAGIC[compression].finditer(window):
            start = found.start(found.lastindex or 0)
            if limit is not None and base + start >= limit:
                return None
            if start < keep and base + start >= at and _verified(file, window, start, base, compression, dictionary):
                return base + start
        offset += len(data)
        carried = window[max(keep - 1, 0) :]
        if limit is not None and offset - len(carried) >= limit:
            return None
        file.seek(offset)
    return None


def is_start(file: IO[bytes], at: int, compression: Compression) -> bool:
    """Whether a record starts at this very offset. The file's position is kept."""
    position = file.tell()
    try:
        return next_start(file, at, at + 1, compression) == at
    finally:
        file.seek(position)


def _verified(
    file: IO[bytes], window: bytes, start: int, base: int, compression: Compression, dictionary: object
) -> bool:
    head = window[start : start + _HEADER_BYTES]
    if compression == "none":
        return _leads_on(file, head, base + start)
    decoder = new_decoder(compression, dictionary)
    try:
        bounds = (64,) if compression == "gzip" else ()
        piece = head if compression == "gzip" else head[: 1 << 10]  # zstd has no bound on its output
        return bool(decoder.decompress(piece, *bounds).lstrip(b"\r\n").startswith(b"WARC/"))
    except (zlib.error, zstandard.ZstdError):
        return False


def _leads_on(file: IO[bytes], head: bytes, offset: int) -> bool:
    """Whether a plain header is one: it has a type, and its length leads to a header or to the end of the file."""
    blank = _BLANK_LINE.search(head)
    if blank is None:
        return False
    header = head[: blank.start() + 1]
    length = _LENGTH.search(header)
    if length is None or not _TYPE.search(header):
        return False
    file.seek(offset + blank.end() + int(length[1]))
    after = file.read(16)
    return len(after) < 5 or after.lstrip(b"\r\n").startswith(b"WARC/")
