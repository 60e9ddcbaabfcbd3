"""Rows of a table (parquet, JSON lines) as documents: one mapping from the user's columns to ours.

The text (or HTML) column is configured; URL, date and language columns are taken where they exist; other scalars go to
`meta` as short strings, nested values and binary are left out. Output of this toolkit is recognised by its `doc_id` and
keeps it.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from typing import Any

from curate.document import COLUMNS, RAW_COLUMNS, VERDICT_COLUMNS, doc_id
from curate.readers.rows import MAX_URL_CHARS, Row, bounded_meta, dropped, error_row, valid_text
from curate.readers.source import Source

_DOC_ID = re.compile(r"[0-9a-f]{32}")
_SCALARS = (str, int, float, bool, datetime.date, datetime.datetime)
#: Of our own output, what is not metadata: it is carried over or measured again.
_OWN = COLUMNS | RAW_COLUMNS | VERDICT_COLUMNS


def table_row(values: Mapping[str, Any], source: Source, path: str, offset: int) -> Row:
    """One row of a table as a document; `offset` is its row number (parquet) or byte offset (JSON lines).

    No text, or text that is not a string, gives a row with `error_no_text`; a longer text than the source allows gives
    one with `payload_too_large`.
    """
    wanted = source.html_column or source.text_column
    content = values.get(wanted)
    url = _label(values.get(source.url_column), MAX_URL_CHARS)
    if not isinstance(content, str | bytes):
        return error_row("error_no_text", source=source.name, path=path, offset=offset, url=url)
    is_html = source.html_column is not None
    text, data = (None, content) if is_html and isinstance(content, bytes) else _text_and_bytes(content)
    date = _label(values.get(source.date_column), 64)
    row = Row(
        _kept_id(values) or doc_id(url, date, data),
        text=None if is_html else text,
        url=url,
        source=source.name,
        dump=source.dump or _label(values.get("dump"), 200),
        date=date,
        language=_label(values.get(source.language_column), 64),
        language_score=_score(values.get("language_score")),
        meta=bounded_meta(_meta(values, source, wanted)),
        file_path=path,
        offset=offset,
        payload=data if is_html else None,
        content_type="text/html" if is_html else None,
        charset="utf-8" if is_html and isinstance(content, str) else None,
    )
    return dropped(row, "payload_too_large") if len(data) > source.max_document_bytes else row


def _text_and_bytes(content: str | bytes) -> tuple[str, bytes]:
    """Both forms of a text, each with what the other cannot carry replaced; bytes stay as they are."""
    if isinstance(content, bytes):
        return content.decode("utf-8", "replace"), content
    try:
        return content, content.encode()
    except UnicodeEncodeError:  # a lone surrogate
        text = valid_text(content)
        return text, text.encode()


def _kept_id(values: Mapping[str, Any]) -> str | None:
    value = values.get("doc_id")
    return value if isinstance(value, str) and _DOC_ID.fullmatch(value) else None


def _label(value: object, max_chars: int) -> str | None:
    """A scalar as a bounded string; dates in ISO 8601; None for anything else and for an empty string."""
    if isinstance(value, datetime.date):  # a datetime too
        return value.isoformat()
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return valid_text(str(value)[:max_chars]) or None
    return None


def _score(value: object) -> float | None:
    return float(value) if isinstance(value, float) and 0.0 <= value <= 1.0 else None


def _meta(values: Mapping[str, Any], source: Source, wanted: str) -> Iterable[tuple[str, object]]:
    """Metadata: `meta` of our own output first, then the columns that have no place of their own."""
    own = _kept_id(values) is not None
    taken = {wanted, source.url_column, source.date_column, source.language_column, "dump", "language_score", "doc_id"}
    carried = values.get("meta")
    if own and isinstance(carried, Mapping):
        yield from carried.items()
    elif own and isinstance(carried, list):  # a map as pyarrow gives it, or the key-value list of `documents/`
        for pair in carried:
            name, value = (pair.get("key"), pair.get("value")) if isinstance(pair, Mapping) else pair
            if isinstance(name, str):
                yield name, value
    for name, value in values.items():
        if source.meta_columns is not None and name not in source.meta_columns:
            continue
        if name not in taken and not (own and name in _OWN) and isinstance(value, _SCALARS):
            yield name, value.isoformat() if isinstance(value, datetime.date) else value
