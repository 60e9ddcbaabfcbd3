"""Which keys of documents (hashes of n-grams) occur at least twice in a corpus, as a filter that every worker can hold.

    text -> keys, sliced -> keys that recur -> Bloom filter

What occurs once is most of a text, and of no use to deduplication. The filter keeps it from being shuffled at all: a
second trip over the text hands on only what the filter holds and a group then decides exactly, so a false positive of
the filter costs some shuffling and never decides anything.

Four bytes of each key are moved, in blobs of one batch and slice, and sorted there by a kernel. (A Bloom filter of each
partition merged with the others', the usual way, moves a filter as large as the corpus's for each partition.) The
filter is sized by the keys that were counted, nobody has to guess; where it would be larger than `max_bytes` its rate
of false positives rises instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa
from pyspark import Broadcast
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from curate.dedup.streams import Batches, shuffle_partitions
from curate.kernels.bloom import BLOCK_BYTES, Bloom, Keys, Size, add, empty, sized
from curate.kernels.key_slices import NUM_SLICES, recurring, restored, slices
from curate.spark.context import CorpusContext
from curate.spark.documents import Documents

KeysOf = Callable[[pa.RecordBatch], Keys]

#: Our choice: at one key in a hundred the false positives are few beside what recurs in any corpus of the web.
FALSE_POSITIVE_RATE = 0.01
_SCHEMA = "slice int, keys binary, num_recurring long"


def recurring_keys(
    documents: Documents, columns: Sequence[str], keys_of: KeysOf, context: CorpusContext, max_bytes: int
) -> Broadcast[Bloom]:
    """A filter that holds, `rounded`, every key that `keys_of` gives at least twice over all batches, and few more."""
    found = context.save("_recurring", sliced_keys(documents, columns, keys_of))
    total = found.agg(F.sum("num_recurring")).first()
    num_keys = int((total[0] if total else 0) or 0)
    size = sized(num_keys, FALSE_POSITIVE_RATE, max_bytes, NUM_SLICES)
    return context.spark.sparkContext.broadcast(built(found, size))


def sliced_keys(documents: Documents, columns: Sequence[str], keys_of: KeysOf) -> DataFrame:
    """slice, keys (what recurs of a slice, as uint32), num_recurring: a row for each slice that has any."""

    def cut_up(batch: pa.RecordBatch) -> pa.RecordBatch:
        numbers, parts = slices(keys_of(batch))
        return pa.RecordBatch.from_arrays([numbers, parts], ["slice", "keys"])

    moved = documents.map(columns, cut_up, "slice int, keys binary")
    num_partitions = min(NUM_SLICES, shuffle_partitions(documents, 2))  # stored text takes 2 or 3 bytes a token
    sorted_ = moved.repartition(num_partitions, "slice").sortWithinPartitions("slice")
    return sorted_.mapInArrow(_recurring_by_slice, _SCHEMA)


def _recurring_by_slice(batches: Batches) -> Iterator[pa.RecordBatch]:
    """Batches come sorted by slice: one slice is held at a time."""
    number, waiting = -1, list[np.ndarray]()
    for batch in batches:
        for this, blob in zip(batch["slice"].to_pylist(), batch["keys"], strict=True):
            if this != number and waiting:
                yield _recurring_row(number, waiting)
                waiting = []
            number = this
            waiting.append(np.frombuffer(blob.as_buffer(), np.uint32))
    if waiting:
        yield _recurring_row(number, waiting)


def _recurring_row(number: int, waiting: list[np.ndarray]) -> pa.RecordBatch:
    again = recurring(np.concatenate(waiting))
    row = {"slice": [number], "keys": [again.tobytes()], "num_recurring": [again.size]}
    types = [("slice", pa.int32()), ("keys", pa.binary()), ("num_recurring", pa.int64())]
    return pa.RecordBatch.from_pydict(row, schema=pa.schema(types)).slice(0, int(again.size > 0))


def built(found: DataFrame, size: Size) -> Bloom:
    """The filter of what recurs. Each slice has its own blocks, which one worker fills; they are collected."""
    blocks_per_slice = size.num_blocks // NUM_SLICES

    def fill(batches: Batches) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number, blob in zip(batch["slice"].to_pylist(), batch["keys"], strict=True):
                piece = empty(Size(blocks_per_slice, size.num_probes))
                add(piece, restored(number, np.frombuffer(blob.as_buffer(), np.uint32)), number, NUM_SLICES)
                row = {"slice": pa.array([number], pa.int32()), "blocks": pa.array([piece.blocks.tobytes()])}
                yield pa.RecordBatch.from_pydict(row)

    bloom = empty(size)
    pieces = found.select("slice", "keys").mapInArrow(fill, "slice int, blocks binary")
    for row in pieces.collect():  # `max_bytes` at most
        start = row.slice * blocks_per_slice
        piece = np.frombuffer(row.blocks, np.uint64).reshape(blocks_per_slice, BLOCK_BYTES // 8)
        bloom.blocks[start : start + blocks_per_slice] = piece
    return bloom
