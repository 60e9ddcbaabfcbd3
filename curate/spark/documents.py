"""The documents that a corpus stage judges, where they lie: parts on disk, read by the workers that look at them.

A stage says which columns it wants and what to do with them; reading and doing are one trip through Python, so text
crosses into Java only if the stage hands it on. Between its relations a stage knows a document by its node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_type

from curate.node import ROW_BITS, ROW_MASK, Nodes, nodes
from curate.spark.document_pass import keep_loaded
from curate.spark.parts import Layer, PartFile, part_batches

Batches = Iterator[pa.RecordBatch]
Function = Callable[[pa.RecordBatch], pa.RecordBatch]
PartFunction = Callable[[int, Batches], Batches]

#: Text that a function sees at a time, unless one document has more: hashes of characters take 8 bytes each.
MAX_TEXT_BYTES = 16 << 20
TARGET_BYTES = 64 << 20  # of a shuffled relation in one partition, as Spark advises itself


@dataclass(frozen=True)
class Documents:
    """The documents still kept after the layers, as a stage that requires `columns` may ask for them."""

    spark: SparkSession
    parts: tuple[PartFile, ...]
    layers: tuple[Layer, ...]
    types: dict[str, pa.DataType]  # of the columns that may be asked for
    num_partitions: int | None = None

    def map(self, columns: Sequence[str], function: Function, schema: str) -> DataFrame:
        """What `function` makes of every document: a relation with the columns of `schema`, in Spark's notation.

        The function is given batches of `node` and `columns`, of `MAX_TEXT_BYTES` of text or one document, in the order
        in which they lie; it may give any number of rows for them.
        """
        return self.map_parts(columns, lambda _, batches: map(function, batches), schema)

    def map_parts(self, columns: Sequence[str], function: PartFunction, schema: str) -> DataFrame:
        """The same by a function that is given the number of a part and all its batches, one part after the other."""
        read, present = self._reader(columns), [(part.part, part.path) for part in self.parts if part.rows]

        def run(batches: Iterable[pa.RecordBatch]) -> Batches:
            for batch in batches:
                for number in batch.column("id").to_pylist():
                    part, path = present[number]
                    yield from function(part, read(part, path, None))
            keep_loaded()

        slices = max(1, min(self.num_partitions or len(present), len(present)))
        return self.spark.range(0, len(present), 1, slices).mapInArrow(run, schema)

    def at(self, nodes: DataFrame, columns: Sequence[str], function: Function, schema: str) -> DataFrame:
        """The same for the documents of `nodes` alone, a relation with a column `node` without repetitions.

        Nodes travel to the parts, not texts to the nodes; row groups without any of them are not read.
        """
        read, paths = self._reader(columns), {part.part: part.path for part in self.parts}

        def run(batches: Iterable[pa.RecordBatch]) -> Batches:
            for part, rows in by_part(batches):
                yield from map(function, read(part, paths[part], rows))
            keep_loaded()

        slices = max(1, min(len(self.parts), self.partitions(0)))
        located = nodes.select("node").repartition(slices, part_of("node")).sortWithinPartitions("node")
        return located.mapInArrow(run, schema)

    def frame(self, *columns: str) -> DataFrame:
        """node and the columns as they are."""
        fields = ", ".join(f"`{name}` {from_arrow_type(self.types[name]).simpleString()}" for name in columns)
        return self.map(columns, lambda batch: batch, f"node long, {fields}")

    def partitions(self, bytes_per_document: int) -> int:
        """How many partitions to shuffle a relation of so many bytes a document over."""
        cores = self.spark.sparkContext.defaultParallelism
        total = bytes_per_document * sum(part.rows for part in self.parts)
        return max(2 * cores, -(-total // TARGET_BYTES))

    def _reader(self, columns: Sequence[str]) -> Callable[[int, str, Nodes | None], Batches]:
        layers = self.layers
        added = {layer.name for layer in layers}
        stored = [name for name in columns if name not in added]

        def read(part: int, path: str, rows: Nodes | None) -> Batches:
            for first, batch in part_batches(part, path, layers, stored, rows):
                numbers = np.arange(first, first + batch.num_rows)
                numbered = batch.select(columns).add_column(0, "node", pa.array(nodes(part, numbers)))
                kept = pc.is_null(batch.column("drop_reason"))
                if rows is not None:
                    kept = pc.and_(kept, pa.array(np.isin(numbers, rows)))
                yield from chunks(numbered.filter(kept))

        return read


def part_of(node: str) -> Column:
    """The part that a node lies in, its generation included."""
    return F.shiftright(node, ROW_BITS)


def row_of(node: str) -> Column:
    """The row of its part."""
    return F.col(node).bitwiseAND(ROW_MASK)


def chunks(batch: pa.RecordBatch) -> Batches:
    """The batch in runs of rows of `MAX_TEXT_BYTES` of text at most; a longer text is a run of its own."""
    if "text" not in batch.schema.names or batch.column("text").nbytes <= MAX_TEXT_BYTES:
        if batch.num_rows:
            yield batch
        return
    ends = np.cumsum(pc.fill_null(pc.binary_length(batch["text"]), 0).to_numpy(zero_copy_only=False), dtype=np.int64)
    start = 0
    while start < batch.num_rows:
        before = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + MAX_TEXT_BYTES, side="right")))
        yield batch.slice(start, stop - start)
        start = stop


def by_part(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[int, Nodes]]:
    """(generation and part, rows) out of sorted nodes."""
    part = -1
    waiting: list[Nodes] = []
    for batch in batches:
        found = batch.column("node").to_numpy()
        parts = found >> ROW_BITS
        for number in np.unique(parts).tolist():
            if number != part and waiting:
                yield part, np.concatenate(waiting)
                waiting = []
            part = number
            waiting.append(found[parts == number] & ROW_MASK)
    if waiting:
        yield part, np.concatenate(waiting)
