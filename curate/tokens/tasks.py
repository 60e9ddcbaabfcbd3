"""What the workers do: encode documents, place them in the training order, write shards.

Three functions over Arrow batches, partial-applied and given to `mapInArrow`. Tokens go from the first to the last
through staging files in the output's own temporary folder, and only a document's numbers go through Spark: the shuffle
stays small, a repeated document costs nothing extra, and one of 100 MB fits.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curate.document import uniform
from curate.errors import InputError
from curate.tokens.encoding import TokenIds, cached_encoder
from curate.tokens.shards import ShardWriter

_BATCH_ROWS = 32  # documents read at once; one may be of 100 MB

#: An encoded document, as Spark sees it.
ENCODED = (
    "doc_id string, source string, part string, offset long, num_tokens long, num_bytes long, digest long, "
    "validation double, repeat double, copies int"
)
#: A document at its place: once for each epoch in which it comes and each of its copies.
PLACED = f"{ENCODED}, split string, epoch int, position double"
#: What one source gave to one shard.
WRITTEN = "split string, shard int, source string, num_tokens long, num_documents long, num_bytes long, sha256 string"

_ENCODED_SCHEMA = pa.schema(
    [
        ("doc_id", pa.string()),
        ("source", pa.string()),
        ("part", pa.string()),  # staging file
        ("offset", pa.int64()),  # in it, in tokens
        ("num_tokens", pa.int64()),  # with the end-of-text id
        ("num_bytes", pa.int64()),
        ("digest", pa.int64()),  # of the tokens: breaks the last ties, so that equal rows are equal documents
        ("validation", pa.float64()),  # key by which documents are held out, [0, 1)
        ("repeat", pa.float64()),  # key by which documents come in the last, partial epoch, [0, 1)
        ("copies", pa.int32()),  # of it in an epoch; none of them is held out
    ]
)
_WRITTEN_SCHEMA = pa.schema(
    [
        ("split", pa.string()),
        ("shard", pa.int32()),
        ("source", pa.string()),
        ("num_tokens", pa.int64()),
        ("num_documents", pa.int64()),
        ("num_bytes", pa.int64()),
        ("sha256", pa.string()),
    ]
)


class RowGroup(NamedTuple):
    """A unit of work: one row group of one parquet file."""

    path: str
    number: int


class EncodeTask(NamedTuple):
    """All that a worker needs to encode."""

    row_groups: Sequence[RowGroup]
    tokenizer: str  # path that every worker can read
    sha256: str
    eos_token: str
    folder: str  # for staging files
    seed: int
    copies: str | None = None  # signal that says how often a document comes in an epoch


def _attempt() -> str:
    """Names this attempt at a task, so that a retry never meets the files of a dead one."""
    from pyspark import TaskContext

    context = TaskContext.get()
    return str(context.taskAttemptId()) if context else "0"


def encode_documents(task: EncodeTask, indices: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Encode the row groups whose numbers come in (column `id`); yields rows of `ENCODED`."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # Spark's workers fill the cores already
    encoder = cached_encoder(task.tokenizer, task.sha256, task.eos_token)
    part = f"{_attempt()}.bin"
    offset = 0
    with open(Path(task.folder, part), "wb") as payload:
        for batch in indices:
            for index in batch.column("id").to_pylist():
                for documents in _read(task.row_groups[index], task.copies):
                    rows = []
                    for doc_id, source, text, copies in zip(*documents.columns, strict=True):
                        ids = encoder.encode(text.as_py() or "")
                        payload.write(ids.tobytes())
                        size = text.as_buffer().size if text.is_valid else 0
                        row = _encoded(doc_id.as_py(), source.as_py(), size, ids, task.seed, part, offset)
                        rows.append({**row, "copies": copies.as_py()})
                        offset += len(ids)
                    yield pa.RecordBatch.from_pylist(rows, schema=_ENCODED_SCHEMA)


def _encoded(
    doc_id: str, source: str | None, num_bytes: int, ids: TokenIds, seed: int, part: str, offset: int
) -> dict[str, Any]:
    digest = hashlib.blake2b(ids.tobytes(), digest_size=8).digest()
    return {
        "doc_id": doc_id,
        "source": source or "unknown",
        "part": part,
        "offset": offset,
        "num_tokens": len(ids),
        "num_bytes": num_bytes,
        "digest": int.from_bytes(digest, "little", signed=True),
        "validation": uniform(doc_id, seed, "validation"),
        "repeat": uniform(doc_id, seed, "mix-repeat"),
    }


def _read(row_group: RowGroup, copies: str | None) -> Iterator[pa.RecordBatch]:
    """Columns doc_id, source, text, copies, a few documents at a time."""
    columns = ["doc_id", "source", "text"]
    wanted = columns if copies is None else [*columns, copies]
    try:
        with fsspec.open(row_group.path, "rb") as handle:
            for batch in pq.ParquetFile(handle).iter_batches(
                batch_size=_BATCH_ROWS, row_groups=[row_group.number], columns=wanted
            ):
                yield batch.select(columns).append_column("copies", _copies(batch, copies))
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"cannot read row group {row_group.number} of {row_group.path}: {error}") from error


def _copies(batch: pa.RecordBatch, signal: str | None) -> pa.Int32Array:
    """How often each document comes: 0 or more, 1 where the signal is null or there is none."""
    if signal is None:
        return pa.repeat(pa.scalar(1, pa.int32()), batch.num_rows)
    stage, _, field = signal.partition(".")
    found = pc.fill_null(pc.struct_field(batch.column(stage), field).cast(pa.int32()), 1)
    return pc.max_element_wise(found, pa.scalar(0, pa.int32()))


Key = tuple[float, str]  # (hash in [0, 1), doc_id): an order of documents without ties between ids


class Placement(NamedTuple):
    """Where the documents of one source go."""

    validation_to: Key | None  # held out up to this key, inclusive
    full_epochs: int
    last_before: Key | None  # in the epoch after the full ones below this key
    epochs: float  # planned, the partial one included


def place_documents(
    placements: Mapping[str, Placement], seed: int, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Give each document its split and, for each epoch and copy, a position in [0, 1); rows of `PLACED`.

    A source is spread evenly over the whole of training, its epochs one after the other and each in an order of its
    own: the mixture is the same from the first step to the last, and no epoch mixes with the next.
    """
    for batch in batches:
        taken: list[int] = []
        places: list[tuple[str, int, float]] = []
        columns = (batch.column(name).to_pylist() for name in ("doc_id", "source", "validation", "repeat", "copies"))
        for row, (doc_id, source, validation, repeat, copies) in enumerate(zip(*columns, strict=True)):
            for place in _places(placements[source], doc_id, validation, repeat, copies, seed):
                taken.append(row)
                places.append(place)
        splits, epochs, positions = zip(*places, strict=True) if places else ((), (), ())
        rows = batch.take(pa.array(taken, pa.int64()))
        new = (pa.array(splits, pa.string()), pa.array(epochs, pa.int32()), pa.array(positions, pa.float64()))
        names = [*rows.schema.names, "split", "epoch", "position"]
        yield pa.RecordBatch.from_arrays([*rows.columns, *new], names=names)


def _places(
    placement: Placement, doc_id: str, validation: float, repeat: float, copies: int, seed: int
) -> Iterator[tuple[str, int, float]]:
    if placement.validation_to is not None and (validation, doc_id) <= placement.validation_to:
        yield "val", 0, uniform(doc_id, seed, "order-validation")
        return
    in_last = placement.last_before is not None and (repeat, doc_id) < placement.last_before
    for epoch in range(placement.full_epochs + in_last):
        length = 1.0 if epoch < placement.full_epochs else placement.epochs - placement.full_epochs
        for copy in range(copies):
            purpose = f"order-{epoch}" if copy == 0 else f"order-{epoch}-{copy}"
            position = (epoch + length * uniform(doc_id, seed, purpose)) / placement.epochs
            yield "train", epoch, min(position, 1 - 2**-53)


def write_shards(folder: str, staging: str, dtype: str, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Write the shards whose documents come in, shard after shard in their order; rows of `WRITTEN`."""
    payloads: dict[str, Any] = {}
    attempt = _attempt()
    writer: ShardWriter | None = None
    for batch in batches:
        names = ("split", "shard", "doc_id", "source", "num_bytes", "epoch", "part", "offset", "num_tokens")
        columns = (batch.column(name).to_pylist() for name in names)
        for split, shard, doc_id, source, num_bytes, epoch, part, offset, num_tokens in zip(*columns, strict=True):
            if writer is None or (writer.split, writer.shard) != (split, shard):
                if writer is not None:
                    yield _closed(writer)
                writer = ShardWriter(folder, staging, split, shard, attempt)
            if part not in payloads:
                payloads[part] = np.memmap(Path(staging, part), dtype, mode="r")
            writer.add(doc_id, source, num_bytes, epoch, payloads[part][offset : offset + num_tokens])
    if writer is not None:
        yield _closed(writer)


def _closed(writer: ShardWriter) -> pa.RecordBatch:
    sha256 = writer.close()
    rows = [
        {"split": writer.split, "shard": writer.shard, "source": source, **counts._asdict(), "sha256": sha256}
        for source, counts in sorted(writer.sources.items())
    ]
    assert sum(counts.num_tokens for counts in writer.sources.values()) == writer.num_tokens
    return pa.RecordBatch.from_pylist(rows, schema=_WRITTEN_SCHEMA)
