"""Frames on a pipe: two lengths, then a head (JSON) and a body (bytes). Both ends are ours, so there is no version."""

from __future__ import annotations

import struct
from typing import IO

_LENGTHS = struct.Struct(">QQ")


def write_frame(pipe: IO[bytes], head: bytes, body: bytes | memoryview = b"") -> None:
    """Write one frame. The caller flushes. BrokenPipeError where nobody reads any more."""
    pipe.write(_LENGTHS.pack(len(head), len(body)))
    pipe.write(head)
    pipe.write(body)


def read_frame(pipe: IO[bytes]) -> tuple[bytes, bytes] | None:
    """The next frame; None at the end of the pipe, also where it ends within a frame."""
    lengths = pipe.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    head_bytes, body_bytes = _LENGTHS.unpack(lengths)
    head = pipe.read(head_bytes)
    body = pipe.read(body_bytes)
    if len(head) < head_bytes or len(body) < body_bytes:
        return None
    return head, body
