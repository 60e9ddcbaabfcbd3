"""The form of a text whose equality makes two documents exact duplicates, and its 128-bit digest.

- `none`: the characters as they are.
- `whitespace`: NFC, every run of white space one space, none at the ends. What a reader sees stays: case, punctuation
  and numbers count. Our choice for the default, because what differs in those is the business of near duplicates.
- `caseless`: NFKC and full case folding (Unicode 3.13, D146 without a second folding) before the same.

NFC costs the square of a run of combining marks (160,000 marks: 14.5 s with CPython 3.11), so a run is broken after 30
of them as UAX #15 §13 does for its stream-safe format. The digest names the form, so two forms never share a digest.

`normalized` and `digest` say what is meant, a text at a time. `digests` gives the same for a column: what is in NFC
already, nearly all text, is put in order by a kernel and hashed where it lies; the rest goes through the former.
"""

from __future__ import annotations

import hashlib
import re
import sys
import unicodedata
from functools import lru_cache
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.quick_check import MAX_MARKS, point_table, spaced
from curate.kernels.utf8 import Bytes, Offsets, utf8

Normalization = Literal["none", "whitespace", "caseless"]

#: Raise it when a form changes what it gives: it is part of the digest.
VERSION = 1

_DIGEST_BYTES = 16
_COMBINING_GRAPHEME_JOINER = "\u034f"  # a starter without a look, which the same section inserts


@lru_cache(maxsize=1)
def _marks() -> NDArray[np.bool_]:
    """Whether a code point is a combining mark: bool[0x110000].

    Characters whose decomposition begins with a mark count too (U+0344 and few others), so that NFKC is bounded.
    """
    return np.fromiter((_is_mark(chr(point)) for point in range(sys.maxunicode + 1)), np.bool_)


@lru_cache(maxsize=1)
def _long_run() -> re.Pattern[str]:
    """A run of `MAX_MARKS` combining marks with one more behind it."""
    one = "[" + "".join(re.escape(chr(point)) for point in np.flatnonzero(_marks())) + "]"
    return re.compile(f"{one}{{{MAX_MARKS}}}(?={one})")


def _is_mark(char: str) -> bool:
    return unicodedata.combining(unicodedata.normalize("NFKD", char)[0]) != 0


def stream_safe(text: str) -> str:
    """`text` with a U+034F after every 30 combining marks in a row, so that normalising it takes linear time."""
    if text.isascii() or not _has_long_run(text):
        return text
    return _long_run().sub(lambda run: run[0] + _COMBINING_GRAPHEME_JOINER, text)


def _has_long_run(text: str) -> bool:
    """Whether more than `MAX_MARKS` marks stand in a row. It spares nearly every text the pattern: 12 MB/s."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    at = np.flatnonzero(_marks()[points])
    return bool((at[MAX_MARKS:] - at[:-MAX_MARKS] == MAX_MARKS).any())


def normalized(text: str, form: Normalization) -> str:
    """`text` in one of the forms above.

    >>> normalized(" Cafe\\u0301 \\n au  lait", "whitespace") == "Café au lait"
    True
    """
    if form == "none":
        return text
    if form == "caseless":
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", stream_safe(text)).casefold())
    elif not text.isascii():
        text = unicodedata.normalize("NFC", stream_safe(text))
    return " ".join(text.split())


def digest(text: str | None, form: Normalization) -> bytes:
    """16 bytes of BLAKE2b over the form's name, its version and the normalised text. A null text counts as "".

    >>> digest("a  b", "whitespace") == digest("a b", "whitespace") != digest("a b", "none")
    True
    """
    body = normalized(text or "", form).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(body, digest_size=_DIGEST_BYTES, person=_person(form)).digest()


def digests(texts: pa.StringArray, form: Normalization) -> NDArray[np.int64]:
    """`digest` of each text as two numbers: int64[len(texts), 2]. A byte that is no UTF-8 is a character of its own."""
    data, offsets = utf8(texts)
    body, bounds, passed = _passing(texts, data, offsets, form)
    empty = hashlib.blake2b(digest_size=_DIGEST_BYTES, person=_person(form))
    hashes = []
    for row, (start, end) in enumerate(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)):
        if passed[row]:
            hashed = empty.copy()
            hashed.update(body[start:end])
            hashes.append(hashed.digest())
        else:
            text = bytes(data[offsets[row] : offsets[row + 1]]).decode("utf-8", "surrogateescape")
            hashes.append(digest(text, form))
    return np.frombuffer(b"".join(hashes), np.int64).reshape(len(texts), 2)


def _passing(
    texts: pa.StringArray, data: Bytes, offsets: Offsets, form: Normalization
) -> tuple[memoryview, Offsets, NDArray[np.bool_]]:
    """Texts in normal form, where they begin and end, and which of them could be made without `normalized`."""
    if form == "none":
        return data.data, offsets, np.full(len(texts), _is_utf8(texts))
    out, ends = np.empty(int(offsets[-1] - offsets[0]), np.uint8), np.zeros(len(offsets), np.int64)
    passed = np.zeros(len(texts), np.bool_)
    spaced(data, offsets, point_table(), form == "caseless", out, ends, passed)
    return out.data, ends, passed


def _is_utf8(texts: pa.StringArray) -> bool:
    """Whether all are UTF-8, which Spark does not ask of a string column."""
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _person(form: Normalization) -> bytes:
    return f"{form}/{VERSION}".encode()
