"""The HTTP response inside a WARC record: status, media type, charset, and the body with its codings undone.

Own code, because FastWARC 2.0.1 was tried: it swallows the body where header lines end in a bare LF (ClueWeb09), keeps
the quotes of `charset="gbk"`, ends the whole file at a long header, and undoes codings without a bound. Crawlers often
store the decoded body under the original headers, so a coding that the body plainly does not have is passed over.
Charsets are read off the header only; what a page says of itself is the extractor's business.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable
from typing import NamedTuple

import zstandard
from fastwarc.stream_io import BrotliReader

_MAX_HEADER_BYTES = 1 << 16
_MAX_CODINGS = 4  # more of them is an attack
_BLANK_LINE = re.compile(rb"\n[\r\t ]*\n")
_STATUS = re.compile(rb"\s*[A-Za-z]+[^\s]*[ \t]+(\d{3})(?!\d)")  # HTTP/1.1, and the HTTP/2, ICY, HTTPX that exist
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:+\-]{1,40})", re.IGNORECASE)
_CHUNK = re.compile(rb"(?:\r?\n)?([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]{0,1024})?\r?\n")
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+\-]+/[a-z0-9!#$&^_.+\-]+")
_HTML = re.compile(rb"<(?:!doctype|html|head|body|title|meta|script|div|table|p|a|h1|br|!--)[\s>/-]", re.IGNORECASE)
_BINARY = (b"%PDF", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"PK\x03\x04", b"\x1f\x8b", b"RIFF", b"BZh", b"\x7fELF")
_SNIFF_BYTES = 1_445  # as many as the WHATWG MIME sniffing standard looks at
#: Media types that say nothing (WHATWG MIME Sniffing, section 7): the body is looked at instead.
_SAYS_NOTHING = frozenset({"unknown/unknown", "application/unknown", "*/*"})


class BadBodyError(Exception):
    """A body that cannot be decoded; `reason` is a drop reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Response(NamedTuple):
    """A parsed HTTP response. `body` is as it was sent, still coded."""

    status: int
    headers: dict[str, str]  # names in lower case; the first of a repeated one
    body: bytes


def parse_response(block: bytes) -> Response:
    """The response in a WARC block. BadBodyError(`error_http_header`) without a status line or end of headers."""
    head = block[:_MAX_HEADER_BYTES]
    status = _STATUS.match(head)
    blank = _BLANK_LINE.search(head)
    if status is None or (blank is None and len(block) > len(head)):
        raise BadBodyError("error_http_header")
    stop, begin = (blank.start(), blank.end()) if blank else (len(head), len(head))
    headers: dict[str, str] = {}
    for line in head[:stop].decode("latin-1").split("\n")[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers.setdefault(name.strip().lower(), value.strip())
    return Response(int(status[1]), headers, block[begin:])


def media_type(value: str | None) -> str | None:
    """The media type in lower case without parameters; None where there is none that says something.

    >>> media_type('Text/HTML; charset="GBK"'), media_type("html"), media_type("*/*")
    ('text/html', None, None)
    """
    kind = (value or "").partition(";")[0].partition(",")[0].strip().lower()
    if kind in _SAYS_NOTHING or len(kind) > 127:
        return None
    return kind if _MEDIA_TYPE.fullmatch(kind) else None


def charset(value: str | None) -> str | None:
    """The charset parameter of a Content-Type value in lower case, or None.

    >>> charset('text/html; charset="GBK"; x=y')
    'gbk'
    """
    found = _CHARSET.search((value or "")[:1_024])
    return found[1].lower() if found else None


def sniff(body: bytes) -> str:
    """`text/html`, `text/plain` or `application/octet-stream`, by the first 1,445 bytes.

    >>> sniff(b"<!DOCTYPE html><p>hi"), sniff(b"hi"), sniff(b"%PDF-1.4")
    ('text/html', 'text/plain', 'application/octet-stream')
    """
    head = body[:_SNIFF_BYTES]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):  # UTF-16 with its mark: NULs are letters there
        head = head.replace(b"\0", b"")
    elif head.startswith(_BINARY) or re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", head):
        return "application/octet-stream"
    return "text/html" if _HTML.search(head) else "text/plain"


def decoded_body(response: Response, max_bytes: int) -> bytes:
    """The body after transfer and content codings. At most `max_bytes` long, else BadBodyError(`payload_too_large`).

    A body cut at its end keeps what was there. BadBodyError(`error_transfer_encoding`, `error_content_encoding`) where
    it is damaged, or where an unknown coding leaves no text.
    """
    body = response.body
    if "chunked" in response.headers.get("transfer-encoding", "").lower():
        body = dechunked(body)
    codings = [coding.strip().lower() for coding in response.headers.get("content-encoding", "").split(",")]
    codings = [coding for coding in codings if coding and coding != "identity"]
    if len(codings) > _MAX_CODINGS:
        raise BadBodyError("error_content_encoding")
    for coding in reversed(codings):
        body = _undone(coding, body, max_bytes)
    if len(body) > max_bytes:
        raise BadBodyError("payload_too_large")
    return body


def dechunked(body: bytes) -> bytes:
    """The body without chunk sizes; as it is where it does not start with one.

    >>> dechunked(b"3\\r\\nabc\\r\\n2;x=1\\r\\nde\\r\\n0\\r\\n\\r\\n"), dechunked(b"<html>")
    (b'abcde', b'<html>')
    """
    first = _CHUNK.match(body)
    if first is None or not _ends_well(body, first):
        return body
    chunks: list[bytes] = []
    at = 0
    while at < len(body):
        line = _CHUNK.match(body, at)
        if line is None:
            if len(body) - at < 12:  # cut within a size line
                break
            raise BadBodyError("error_transfer_encoding")
        size = int(line[1], 16)
        if size == 0:
            break
        chunks.append(body[line.end() : line.end() + size])
        at = line.end() + size
    return b"".join(chunks)


def _ends_well(body: bytes, line: re.Match[bytes]) -> bool:
    """Whether a chunk is followed by a line end or by nothing: tells a size from text that looks like one."""
    after = line.end() + int(line[1], 16)
    return after >= len(body) or body[after : after + 1] in (b"\r", b"\n")


def _undone(coding: str, body: bytes, max_bytes: int) -> bytes:
    decode = _DECODERS.get(coding)
    if coding in ("gzip", "x-gzip") and not body.startswith(b"\x1f\x8b"):
        decode = None  # stored decoded
    if decode is not None:
        try:
            decoded = decode(body, max_bytes + 1)
        except (zlib.error, zstandard.ZstdError, OSError, EOFError):
            decoded = None
        if decoded is not None:
            if len(decoded) > max_bytes:
                raise BadBodyError("payload_too_large")
            return decoded
    if body.startswith(b"\x1f\x8b") or sniff(body) == "application/octet-stream":
        raise BadBodyError("error_content_encoding")
    return body


def _gunzip(body: bytes, limit: int) -> bytes:
    return zlib.decompressobj(31).decompress(body, limit)


def _inflate(body: bytes, limit: int) -> bytes:
    """`deflate` is zlib by the standard and raw deflate in the wild."""
    try:
        return zlib.decompressobj(15).decompress(body, limit)
    except zlib.error:
        return zlib.decompressobj(-15).decompress(body, limit)


def _unbrotli(body: bytes, limit: int) -> bytes:
    return _read_up_to(BrotliReader(io.BytesIO(body)), limit)


def _unzstd(body: bytes, limit: int) -> bytes:
    return _read_up_to(zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(body), limit)


def _read_up_to(stream: object, limit: int) -> bytes:
    chunks: list[bytes] = []
    while limit > 0 and (chunk := stream.read(min(limit, 1 << 20))):  # type: ignore[attr-defined]  # untyped readers
        chunks.append(chunk)
        limit -= len(chunk)
    return b"".join(chunks)


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _inflate,
    "br": _unbrotli,
    "zstd": _unzstd,
}
