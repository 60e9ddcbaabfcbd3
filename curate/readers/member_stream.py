"""Decompressed bytes of a WARC with their place in the file: gzip members, zstd frames, or plain.

FastWARC parses records off this stream. Tried with FastWARC 2.0.1: its own gzip reading gives a wrong
`stream_pos` inside a file-long gzip stream, ends in silence where a member is cut, and cannot go on after damage. So
members are walked here: each byte's member is known, damage is reported as `fault`, and a reader can scan on.

A stream never raises for what the file holds; an I/O error of the file system does pass through.
"""

from __future__ import annotations

import re
import zlib
from collections import deque
from typing import IO, Any, NamedTuple

import zstandard

from curate.readers.formats import Compression, compression_of, is_skippable

_RAW_BYTES = 1 << 18
_SLICE_BYTES = {"gzip": 1 << 14, "zstd": 1 << 10}  # per call; zstd may grow 4 bytes to 128 KiB and has no output bound
_MAX_OUT_BYTES = 1 << 20
_RECENT_BYTES = 1 << 18  # covers FastWARC's reading ahead (64 KiB) and the longest header
_DICTIONARY_FRAME = b"\x5d\x2a\x4d\x18"  # IIPC "WARC with zstd" 1.0: the dictionary is the first frame
_MAX_DICTIONARY_BYTES = 64 * 2**20
HEADER = re.compile(rb"(?:^|\n)(WARC/\d+\.\d+[\r\n])")


class Place(NamedTuple):
    """Where a record starts: the offset of its member (or of itself, uncompressed), and how far into that member."""

    offset: int
    within: int


class MemberStream:
    """A forward-only stream from the member at `start`, for FastWARC: `read` and `tell` of decompressed bytes."""

    def __init__(self, file: IO[bytes], start: int, compression: Compression) -> None:
        self.fault: str | None = None  # truncated_gzip, corrupt_zstd, …: nothing can be read beyond
        self.fault_offset = start
        self._file = file
        self._compression = compression
        self._dictionary = read_dictionary(file) if compression == "zstd" else None
        self._start = start
        self._raw, self._raw_at, self._raw_offset = b"", 0, start  # bytes read, next one to use, offset of the first
        self._file.seek(start)
        self._decoder: Any = None
        self._members: deque[tuple[int, int]] = deque([(0, start)])  # (decompressed position, file offset)
        self._out = b""
        self._out_at = 0
        self._recent: deque[bytes] = deque()
        self._recent_bytes = 0
        self._position = 0

    def tell(self) -> int:
        """How many decompressed bytes were given out."""
        return self._position

    def read(self, size: int = -1) -> bytes:
        """At most `size` (and at most 1 MiB) bytes; empty at the end or at a fault."""
        while self._out_at >= len(self._out):
            self._out, self._out_at = self._more(), 0
            if not self._out:
                return b""
        stop = len(self._out) if size < 0 else self._out_at + size
        data = self._out[self._out_at : stop]
        self._out_at += len(data)
        self._position += len(data)
        self._remember(data)
        return data

    def place_of(self, position: int) -> Place:
        """Where the byte at a decompressed position lies. Positions must not decrease from call to call."""
        if self._compression == "none":
            return Place(self._start + position, 0)
        while len(self._members) > 1 and self._members[1][0] <= position:
            self._members.popleft()
        begin, offset = self._members[0]
        return Place(offset, position - begin)

    def skip_to_header(self, position: int) -> bool:
        """Go on at the first WARC header line after `position`. False where the stream ends without one."""
        self.rewind(position)
        window = b""
        while data := self.read(1 << 16):
            window += data
            found = HEADER.search(window, 1)
            if found and len(window) - found.start(1) >= 16:
                self.rewind(self._position - len(window) + found.start(1))
                return True
            window = window[-64:]
        return False

    def rewind(self, position: int) -> None:
        """Give out again what was given out from `position` on, or all that is remembered of it."""
        recent = b"".join(self._recent)
        back = min(max(self._position - position, 0), len(recent))
        self._out, self._out_at = recent[len(recent) - back :] + self._out[self._out_at :], 0
        self._position -= back
        self._recent, self._recent_bytes = deque([recent[: len(recent) - back]]), len(recent) - back

    def _remember(self, data: bytes) -> None:
        self._recent.append(data)
        self._recent_bytes += len(data)
        while self._recent_bytes - len(self._recent[0]) > _RECENT_BYTES:
            self._recent_bytes -= len(self._recent.popleft())

    def _fill(self) -> bool:
        """Make sure that unused raw bytes are there. False at the end of the file."""
        if self._raw_at < len(self._raw):
            return True
        self._raw_offset += len(self._raw)
        self._raw, self._raw_at = self._file.read(_RAW_BYTES), 0
        return bool(self._raw)

    def _more(self) -> bytes:
        """The next decompressed bytes; empty at the end or at a fault."""
        if self.fault:
            return b""
        if self._compression == "none":
            if not self._fill():
                return b""
            self._raw_at = len(self._raw)
            return self._raw
        try:
            return self._decode()
        except (zlib.error, zstandard.ZstdError):
            return self._fail("corrupt")

    def _decode(self) -> bytes:
        while True:
            if self._decoder is None:
                if not self._begin_member():
                    return b""
            elif self._decoder.eof:
                self._raw_at -= len(self._decoder.unused_data)
                self._decoder = None
                continue
            pending = getattr(self._decoder, "unconsumed_tail", b"")
            if pending:
                data = self._decoder.decompress(pending, _MAX_OUT_BYTES)
            elif self._fill():
                data = self._feed()
            else:
                return self._fail("truncated")
            if data:
                return bytes(data)

    def _feed(self) -> bytes:
        piece = self._raw[self._raw_at : self._raw_at + _SLICE_BYTES[self._compression]]
        self._raw_at += len(piece)
        bounds = (_MAX_OUT_BYTES,) if self._compression == "gzip" else ()
        data: bytes = self._decoder.decompress(piece, *bounds)
        return data

    def _begin_member(self) -> bool:
        """Start on the next member. Zero bytes between members are padding (tapes, block devices)."""
        while self._fill():
            stripped = self._raw[self._raw_at :].lstrip(b"\0")
            self._raw_at = len(self._raw) - len(stripped)
            if stripped and not (self._compression == "zstd" and self._skip_frame()):
                break
        else:
            return False
        decompressed = self._position + len(self._out) - self._out_at
        self._members.append((decompressed, self._raw_offset + self._raw_at))
        self._decoder = new_decoder(self._compression, self._dictionary)
        return True

    def _skip_frame(self) -> bool:
        """Pass over a skippable frame: the dictionary, or the seek table of seekable zstd."""
        offset = self._raw_offset + self._raw_at
        if len(self._raw) - self._raw_at < 8:
            self._raw, self._raw_at, self._raw_offset = self._raw[self._raw_at :] + self._file.read(8), 0, offset
        head = self._raw[self._raw_at : self._raw_at + 8]
        if len(head) < 8 or not is_skippable(head):
            return False
        self._raw, self._raw_at, self._raw_offset = b"", 0, offset + 8 + int.from_bytes(head[4:], "little")
        self._file.seek(self._raw_offset)
        return True

    def _fail(self, how: str) -> bytes:
        self.fault = f"{how}_{self._compression}"
        self.fault_offset = self._members[-1][1]
        return b""


def new_decoder(compression: Compression, dictionary: Any = None) -> Any:
    """A decoder of one gzip member or one zstd frame: `decompress(data)`, `eof`, `unused_data`."""
    if compression == "gzip":
        return zlib.decompressobj(31)
    return zstandard.ZstdDecompressor(dict_data=dictionary, max_window_size=2**27).decompressobj()


def read_dictionary(file: IO[bytes]) -> Any:
    """The zstd dictionary that a WARC carries in its first frame (itself compressed or not), or None."""
    file.seek(0)
    head = file.read(8)
    size = int.from_bytes(head[4:8], "little")
    if head[:4] != _DICTIONARY_FRAME or size > _MAX_DICTIONARY_BYTES:
        return None
    data = file.read(size)
    try:
        if compression_of(data) == "zstd":
            data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
        return zstandard.ZstdCompressionDict(data)
    except zstandard.ZstdError:
        return None
