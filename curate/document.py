"""One row is one document: the columns, once, for Arrow and Spark.

Every pass reads and writes these flat columns. A stage adds one struct column, named after itself, with its signals;
nothing else may add a column. Raw columns (`payload`, …) live only until extraction and are not written to a pass.
"""

from __future__ import annotations

import hashlib

import pyarrow as pa

#: The columns of every document, in order.
FIELDS: tuple[pa.Field, ...] = (
    pa.field("doc_id", pa.string(), nullable=False),  # 128 bits as 32 hex digits, see `doc_id`
    pa.field("text", pa.string()),
    pa.field("url", pa.string()),
    pa.field("source", pa.string()),  # which source of the recipe it came from
    pa.field("dump", pa.string()),  # crawl or release it belongs to, where the input says so
    pa.field("date", pa.string()),  # ISO 8601, as the input or the page gives it
    pa.field("language", pa.string()),  # ISO 639-1 where one exists, else 639-3; "und" when undecided
    pa.field("language_score", pa.float32()),  # [0, 1]
    pa.field("token_count", pa.int64()),
    pa.field("meta", pa.map_(pa.string(), pa.string())),  # title, declared language, http status, …
    pa.field("file_path", pa.string()),  # the input file, as it was named
    pa.field("offset", pa.int64()),  # byte offset (WARC) or row number (parquet, jsonl) in that file
)

#: What a reader gives beside them when the input is not text yet. Dropped once a pass is written.
RAW_FIELDS: tuple[pa.Field, ...] = (
    pa.field("payload", pa.binary()),  # body bytes after transfer and content decoding
    pa.field("content_type", pa.string()),  # of the HTTP response, lower case, without parameters
    pa.field("charset", pa.string()),  # declared by the HTTP response, null where it declares none
)

#: The verdict. Null while the document is kept.
VERDICT_FIELDS: tuple[pa.Field, ...] = (
    pa.field("drop_stage", pa.string()),
    pa.field("drop_reason", pa.string()),
)

SCHEMA = pa.schema(FIELDS)
RAW_SCHEMA = pa.schema((*FIELDS, *RAW_FIELDS, *VERDICT_FIELDS))
COLUMNS = frozenset(SCHEMA.names)
RAW_COLUMNS = frozenset(field.name for field in RAW_FIELDS)
VERDICT_COLUMNS = frozenset(field.name for field in VERDICT_FIELDS)


def doc_id(*parts: str | bytes | None) -> str:
    """The 128-bit id of a document: BLAKE2b over what it is (url, date, payload or text), as 32 hex digits.

    It depends on content alone, so any partitioning, order, retry or copy of the input gives the same id; the same
    record met twice has the same id twice. Parts are length-prefixed, so ("ab", "c") and ("a", "bc") differ.

    >>> doc_id("https://example.org/", b"<p>hi</p>")
    '921d353a93ed2dd3bbbc18b472812238'
    """
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        if part is None:
            digest.update(b"\xff" * 8)
            continue
        data = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


def uniform(doc_id: str, seed: int, purpose: str) -> float:
    """A number in [0, 1) that depends on nothing but its arguments. Every random choice of the toolkit is made of it.

    >>> uniform("00", 0, "sample") == uniform("00", 0, "sample")
    True
    """
    key = f"{purpose}\0{seed}\0{doc_id}".encode()
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "little") / 2**64
