"""Which format a file has: by its name, then by its first bytes.

The name decides where it says something, so that planning opens no file. Names that say nothing are looked into. What
neither tells is `unknown`: reading it gives one row with `error_unsupported_format`, so that it is seen and counted.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from typing import IO, Any, Literal

import zstandard

Format = Literal["warc", "parquet", "jsonl", "text", "html", "unknown"]
Compression = Literal["none", "gzip", "zstd", "bz2", "xz"]

_SUFFIXES: dict[str, Format] = {
    ".warc": "warc",
    ".wet": "warc",  # a WET file is a WARC of `conversion` records
    ".wat": "warc",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",  # dumps of this field name JSON lines so; a JSON array becomes one row with a reason
    ".txt": "text",
    ".text": "text",
    ".html": "html",
    ".htm": "html",
}
_COMPRESSED = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd", ".bz2": "bz2", ".xz": "xz"}
_MAGIC: tuple[tuple[bytes, Compression], ...] = (
    (b"\x1f\x8b\x08", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
)
PEEK_BYTES = 4_096
#: What the decoders raise on damaged input. `EOFError` is a cut gzip stream.
DECODE_ERRORS = (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError, zstandard.ZstdError)


def format_of_name(name: str) -> Format | None:
    """The format that a file name tells, or None.

    >>> format_of_name("a/b.WARC.gz"), format_of_name("part-0.zst")
    ('warc', None)
    """
    name = name.rpartition("/")[2].partition("?")[0].lower()
    for suffix in _COMPRESSED:
        name = name.removesuffix(suffix)
    stem, dot, last = name.rpartition(".")
    return _SUFFIXES.get(dot + last) if stem or dot else None


def is_compressed_name(name: str) -> bool:
    """Whether the name ends in the suffix of a compressor."""
    return name.lower().endswith(tuple(_COMPRESSED))


def compression_of(head: bytes) -> Compression:
    """The compression that the first bytes tell.

    A zstd file may start with a skippable frame (0x184D2A50-5F), which is where the dictionary of a WARC lies.
    """
    for magic, compression in _MAGIC:
        if head.startswith(magic):
            return compression
    return "zstd" if is_skippable(head) else "none"


def is_skippable(head: bytes) -> bool:
    """Whether a zstd skippable frame starts here (RFC 8878, section 3.1.2)."""
    return len(head) >= 4 and 0x50 <= head[0] <= 0x5F and head[1:4] == b"\x2a\x4d\x18"


def format_of_bytes(head: bytes) -> Format:
    """The format of a file whose name says nothing, by at most 4 KiB of its start."""
    if head.startswith(b"PAR1"):
        return "parquet"
    plain = decompressed_head(head).lstrip(b"\xef\xbb\xbf \t\r\n")
    if plain.startswith(b"WARC/"):
        return "warc"
    if plain.startswith(b"{"):
        return "jsonl"
    if plain[:9].lower() == b"<!doctype" or plain[:5].lower() == b"<html":
        return "html"
    return "unknown"


def decompressed_head(head: bytes) -> bytes:
    """What the start of a file decompresses to, as far as it goes; empty where it is damaged."""
    try:
        with open_decompressed(io.BytesIO(head), compression_of(head)) as stream:
            return stream.read(512)
    except (*DECODE_ERRORS, OSError):
        return _gzip_head(head)


def _gzip_head(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(head, 512)  # gives what is there where the module `gzip` wants all
    except zlib.error:
        return b""


def open_decompressed(file: IO[bytes], compression: Compression) -> IO[bytes]:
    """A buffered byte stream of the whole content, across gzip members and zstd frames.

    Reading it may raise one of `DECODE_ERRORS` (or OSError from bz2) where the file is damaged.
    """
    opened: Any = file
    if compression == "gzip":
        opened = gzip.GzipFile(fileobj=file, mode="rb")
    elif compression == "zstd":
        opened = zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(file, read_across_frames=True)
    elif compression == "bz2":
        opened = bz2.BZ2File(file)
    elif compression == "xz":
        opened = lzma.LZMAFile(file)  # noqa: SIM115  # closed with the stream that is returned
    return io.BufferedReader(opened, 1 << 17)  # fsspec's remote files have no bounded `readline`, this has
