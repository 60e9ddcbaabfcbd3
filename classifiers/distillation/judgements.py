"""Judgements of documents by a language model (or by people), read from JSON lines.

One judgement a line: `doc_id` or `text` says of which document, `score` (a number) or `label` (a name) what is said of
it; `model` and `reason`, where they are there, are kept for the report. What else a line has is of no interest.

    {"doc_id": "921d353a93ed2dd3bbbc18b472812238", "score": 4, "reason": "explains photosynthesis", "model": "…"}

A line is one vote, so several lines on one document are several votes. A line that cannot be used is kept with its
number and the reason. Refuses to look for a score in a model's prose: whoever asked it knows in which form it answers.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from curate.document import doc_id
from curate.errors import InputError
from curate.readers.formats import DECODE_ERRORS, PEEK_BYTES, compression_of, open_decompressed
from curate.readers.jsonl import lines_between
from curate.readers.source import filesystem

MAX_LINE_BYTES = 64 << 20  # our choice: a judged text is short
_BLANK = b" \t\r\n\x00\xef\xbb\xbf"
_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,40})?")
_BEGINNING = 200  # bytes of a line that is of no use, for the report


class Judgement(NamedTuple):
    """One vote. Either `identity` or `digest` says on which document."""

    file_path: str
    line: int  # from 1
    identity: str | None  # its doc_id
    digest: str | None  # `curate.document.doc_id` of its text
    score: float | None
    label: str | None
    model: str | None
    beginning: str  # of the line


class Unused(NamedTuple):
    """A line that counts for nothing."""

    file_path: str
    line: int
    reason: str
    beginning: str  # of the line


def read_judgements(paths: Sequence[str]) -> Iterator[Judgement | Unused]:
    """The lines of JSONL files, plain or compressed, in order; blank ones are passed over.

    InputError where a file cannot be read, or its compression is damaged (what it says behind would be missing).
    """
    for path in paths:
        fs, inner = filesystem(path)
        try:
            with fs.open(inner, "rb") as file:
                compression = compression_of(file.read(PEEK_BYTES))
                file.seek(0)
                stream = open_decompressed(file, compression)
                for number, line in enumerate(lines_between(stream, 0, None, MAX_LINE_BYTES), start=1):
                    if line.data is None:
                        yield Unused(path, number, f"the line is longer than {MAX_LINE_BYTES} bytes", "")
                    elif line.data.strip(_BLANK):
                        yield _judgement(path, number, line.data)
        except (OSError, *DECODE_ERRORS) as error:
            raise InputError(f"cannot read the judgements in {path}: {error}") from error


def _judgement(path: str, number: int, data: bytes) -> Judgement | Unused:
    beginning = data[:_BEGINNING].decode("utf-8", "replace").replace("\0", "�").strip()
    try:
        row = json.loads(data.strip(_BLANK).decode("utf-8"))
    except (ValueError, RecursionError) as error:  # ValueError: of JSON, of UTF-8, of numbers with too many digits
        return Unused(path, number, f"no JSON: {str(error)[:200]}", beginning)
    if not isinstance(row, dict):
        return Unused(path, number, "no JSON object", beginning)
    identity, text = row.get("doc_id"), row.get("text")
    if not isinstance(identity, str) or not identity:
        identity = None
    if identity is None and (not isinstance(text, str) or not text):
        return Unused(path, number, "neither doc_id nor text says of which document it is", beginning)
    score, label = _score(row), _label(row)
    if score is None and label is None:
        return Unused(path, number, "it has neither a finite number as score nor a label", beginning)
    model = row.get("model")
    digest = doc_id(text) if identity is None else None
    model = _plain(model) if isinstance(model, str) else None
    return Judgement(path, number, identity, digest, score, label, model, beginning)


def _score(row: dict[str, Any]) -> float | None:
    """`score`, or a `label` that is a number; as a number or as plain text of one."""
    value = row["score"] if row.get("score") is not None else row.get("label")
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value.strip()) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def _label(row: dict[str, Any]) -> str | None:
    """A name, or what else JSON writes without quotes: 1, true."""
    value = row.get("label")
    if isinstance(value, bool | int):
        value = json.dumps(value)
    return (_plain(value) or None) if isinstance(value, str) else None


def _plain(text: str) -> str:
    """Without lone surrogates, which no file of ours could hold."""
    return text.encode("utf-8", "replace").decode("utf-8").strip()
