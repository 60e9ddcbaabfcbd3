"""Rows that hold many records, as kernels write and read them.

Most passages of a corpus occur once, so that a row of Spark's for each would cost more than the work on it. A row here
holds up to a thousand records of one kind, for one bucket of hashes or one batch of documents; Spark sorts and shuffles
rows and does not look into them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

#: What a row is. Copies and repeats of passages are sent to a bucket; marks and layouts to a batch of documents. The
#: rows of a bucket or batch are sorted by it.
COPIES, REPEATS, MARKS, LAYOUT, SAMPLE = range(5)

#: `base` is the first node of the batch of documents that a row comes from or goes to; `node` is a document's.
SENT = "bucket int, kind tinyint, base long, node long, data binary"
MARKED = "base long, kind tinyint, node long, copies long, hash long, data binary"

MAX_RECORDS = 1000  # of a row, because Spark hands a thousand rows to Python at a time

Number = TypeVar("Number", bound=np.generic)
Words = NDArray[np.uint64]  # records: a row of 64-bit numbers each
Numbers = NDArray[np.int64]

_HALF = np.uint64(32)


def packed(records: NDArray[np.generic], begins: Numbers) -> pa.BinaryArray:
    """The rows of a matrix as bytes, in pieces that begin at some of them; the first begins at 0."""
    offsets = (np.append(begins, len(records)) * records.itemsize * records.shape[1]).astype(np.int32)
    body = pa.py_buffer(np.ascontiguousarray(records))
    return pa.BinaryArray.from_buffers(pa.binary(), len(begins), [None, pa.py_buffer(offsets), body])


def unpacked(data: pa.BinaryArray, dtype: type[Number], width: int) -> tuple[NDArray[Number], Numbers]:
    """The matrix of rows of `width` numbers, and where each piece's begin: int64[num_pieces + 1]."""
    offsets = np.frombuffer(data.buffers()[1], np.int32)[data.offset : data.offset + len(data) + 1].astype(np.int64)
    body = np.frombuffer(data.buffers()[2] or b"", np.uint8)[offsets[0] : offsets[-1]]
    records = np.require(body.view(dtype), requirements="A").reshape(-1, width)
    return records, (offsets - offsets[0]) // (np.dtype(dtype).itemsize * width)


def sent_rows(buckets: Numbers, kind: int, base: int, nodes: Numbers, data: pa.BinaryArray) -> pa.RecordBatch:
    """Rows of `SENT`."""
    size = len(buckets)
    columns = (buckets.astype(np.int32), np.full(size, kind, np.int8), np.full(size, base), nodes)
    return pa.RecordBatch.from_arrays([*map(pa.array, columns), data], ["bucket", "kind", "base", "node", "data"])


def in_buckets(records: Words, kind: int, base: int, num_buckets: int) -> pa.RecordBatch:
    """Rows of `SENT` with records, sorted by bucket: the high bits of the first word, a hash, tell which."""
    buckets = ((records[:, 0] >> _HALF) * np.uint64(num_buckets) >> _HALF).astype(np.int64)
    by_bucket = np.argsort(buckets, kind="stable")
    buckets, records = buckets[by_bucket], records[by_bucket]
    begins = np.flatnonzero(np.diff(buckets, prepend=-1))
    within = np.arange(len(buckets)) - np.repeat(begins, np.diff(begins, append=len(buckets)))
    pieces = np.flatnonzero(within % MAX_RECORDS == 0)
    return sent_rows(buckets[pieces], kind, base, np.full(len(pieces), base), packed(records, pieces))


def marked_rows(
    kind: int,
    bases: Numbers,
    nodes: Numbers,
    data: pa.BinaryArray,
    copies: Numbers | None = None,
    hashes: Numbers | None = None,
) -> pa.RecordBatch:
    """Rows of `MARKED`."""
    none = pa.nulls(len(bases), pa.int64())
    columns = (bases, np.full(len(bases), kind, np.int8), nodes, copies, hashes)
    arrays = [none if column is None else pa.array(column) for column in columns]
    return pa.RecordBatch.from_arrays([*arrays, data], ["base", "kind", "node", "copies", "hash", "data"])


def runs(batch: pa.RecordBatch, *names: str) -> Iterator[tuple[tuple[int, ...], pa.RecordBatch]]:
    """Runs of rows that are equal in the columns of these names, and what they are equal in."""
    columns = [batch[name].to_numpy() for name in names]
    changes = np.flatnonzero(np.any([column[1:] != column[:-1] for column in columns], axis=0)) + 1
    for start, end in pairwise([0, *changes.tolist(), batch.num_rows] if batch.num_rows else []):
        yield tuple(int(column[start]) for column in columns), batch.slice(start, end - start)
