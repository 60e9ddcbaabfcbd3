"""Sorted relations as streams of batches: groups in memory that does not grow with the relation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.spark.documents import Documents

Batches = Iterable[pa.RecordBatch]
Rows = NDArray[np.int64]


def shuffle_partitions(documents: Documents, bytes_per_byte: float) -> int:
    """How many partitions to shuffle a relation over that takes so many bytes for each byte of the stored parts."""
    num_rows = max(1, sum(part.rows for part in documents.parts))
    return documents.partitions(int(bytes_per_byte * sum(part.bytes for part in documents.parts) / num_rows))


def firsts(batches: Batches, keys: Sequence[str]) -> Iterator[tuple[pa.RecordBatch, Rows, Rows]]:
    """(rows, for each of them the first row of its group, the rows that are new) of batches sorted by integer `keys`.

    Of a group that a batch before began, the first row comes again, at the front and not among the new ones. That row
    is all that is held between batches.
    """
    carried: pa.RecordBatch | None = None
    for batch in batches:
        if batch.num_rows == 0:
            continue
        rows = batch if carried is None else pa.concat_batches([carried, batch])
        is_first = np.zeros(rows.num_rows, np.bool_)
        is_first[0] = True
        for name in keys:
            is_first[1:] |= np.diff(rows[name].to_numpy()) != 0
        first = np.maximum.accumulate(np.where(is_first, np.arange(rows.num_rows), 0))
        yield rows, first, np.arange(0 if carried is None else 1, rows.num_rows)
        carried = rows.slice(int(first[-1]), 1)


def whole_groups(batches: Batches, key: str) -> Iterator[pa.RecordBatch]:
    """The same rows in batches none of which ends within a group of an integer `key`. One group is held at least."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        if batch.num_rows == 0:
            continue
        changes = np.flatnonzero(np.diff(batch[key].to_numpy()))
        if waiting and waiting[-1][key][-1] != batch[key][0]:
            yield pa.concat_batches(waiting)
            waiting = []
        if changes.size:
            end = int(changes[-1]) + 1
            yield pa.concat_batches([*waiting, batch.slice(0, end)])
            waiting, batch = [], batch.slice(end)
        waiting.append(batch)
    if waiting:
        yield pa.concat_batches(waiting)
