"""The token shard: raw tokens in one file, a table of its documents beside it, a manifest over all.

`train-00000.bin` holds documents end to end, each followed by the end-of-text id, as little-endian uint16 (at most
65,536 ids) or uint32, without header: what nanoGPT, OLMo and datatrove read as it is. `train-00000.documents.parquet`
says which document lies where. It refuses to split a document between shards.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from curate.tokens.encoding import TokenIds

FORMAT = "curate-tokens"
VERSION = 1
SPLITS = ("train", "val")

DOCUMENTS_SCHEMA = pa.schema(
    [
        pa.field("doc_id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("start", pa.int64(), nullable=False),  # of its first token in the shard, in tokens
        pa.field("num_tokens", pa.int64(), nullable=False),  # with the end-of-text id
        pa.field("num_bytes", pa.int64(), nullable=False),  # of its text in UTF-8
        pa.field("epoch", pa.int32(), nullable=False),  # 0 the first time a document comes
    ]
)

_ROW_GROUP = 2**16  # fixed, so that the table's bytes depend on its rows alone


class Counts(NamedTuple):
    """How much of something there is."""

    num_tokens: int = 0
    num_documents: int = 0  # a repeated document counts each time
    num_bytes: int = 0

    def __add__(self, other: object) -> Counts:
        assert isinstance(other, Counts)
        return Counts(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


def shard_name(split: str, shard: int) -> str:
    """`train-00000`, without suffix."""
    return f"{split}-{shard:05d}"


class ShardWriter:
    """Writes one shard in a staging folder and moves it to its place on `close`: what fails leaves nothing there."""

    def __init__(self, folder: str, staging: str, split: str, shard: int, attempt: str) -> None:
        self.split, self.shard = split, shard
        name = shard_name(split, shard)
        self._final = (Path(folder, f"{name}.bin"), Path(folder, f"{name}.documents.parquet"))
        self._temporary = tuple(Path(staging, f"{path.name}.{attempt}") for path in self._final)
        self._payload = open(self._temporary[0], "wb")  # noqa: SIM115 - open across calls, closed in `close`
        self._table = pq.ParquetWriter(str(self._temporary[1]), DOCUMENTS_SCHEMA, compression="zstd")
        self._rows: list[tuple[str, str, int, int, int, int]] = []
        self._sha256 = hashlib.sha256()
        self.num_tokens = 0
        self.sources: dict[str, Counts] = {}

    def add(self, doc_id: str, source: str, num_bytes: int, epoch: int, ids: TokenIds) -> None:
        """Append a document; `ids` end with the end-of-text id."""
        data = ids.tobytes()
        self._payload.write(data)
        self._sha256.update(data)
        self._rows.append((doc_id, source, self.num_tokens, len(ids), num_bytes, epoch))
        self.num_tokens += len(ids)
        self.sources[source] = self.sources.get(source, Counts()) + Counts(len(ids), 1, num_bytes)
        if len(self._rows) == _ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        columns = zip(*self._rows, strict=True)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, DOCUMENTS_SCHEMA, strict=True)]
        self._table.write_table(pa.Table.from_arrays(arrays, schema=DOCUMENTS_SCHEMA), row_group_size=_ROW_GROUP)
        self._rows.clear()

    def close(self) -> str:
        """Put the files in place; the payload's sha256."""
        if self._rows:
            self._flush()
        self._table.close()
        self._payload.close()
        for temporary, final in zip(self._temporary, self._final, strict=True):
            os.replace(temporary, final)
        return self._sha256.hexdigest()


def shard_entry(split: str, shard: int, counts: Counts, sha256: str) -> dict[str, Any]:
    """A shard's line in the manifest."""
    name = shard_name(split, shard)
    return {"file": f"{name}.bin", "documents": f"{name}.documents.parquet", **counts._asdict(), "sha256": sha256}
