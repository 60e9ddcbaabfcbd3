"""Parts: the parquet files that passes are made of, written and read by Python workers.

A pass writes one part for each of its tasks, whatever partition the task runs in, so its bytes do not depend on
partitioning. `part` is the task number, `row` the place in the file: a document's key between passes.
Verdicts of corpus stages lie beside the parts they judge and are applied when a part is read: text never moves.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from curate.fused import replace, with_verdict
from curate.kernels.cuts import cut

#: The signal of a corpus stage that takes passages out: list<struct<start, end>>, UTF-8 byte offsets into the text.
CUTS = "cuts"
ROW_GROUP_ROWS = 10_000
ROW_GROUP_BYTES = 64 * 2**20  # what a worker holds while it writes; a reader holds one row group too


class PartFile(BaseModel):
    """A written part."""

    model_config = ConfigDict(frozen=True)

    part: int
    path: str  # within its wave's folder as it is written down, whole where a run holds it
    source: str
    rows: int
    bytes: int
    sha256: str


class Layer(BaseModel):
    """Verdicts of one corpus stage over the parts of the pass before it."""

    model_config = ConfigDict(frozen=True)

    name: str  # the step
    path: str
    fields: tuple[str, ...]  # its signals; their types are in the verdict files


class _DigestFile(io.RawIOBase):
    """A file to write to that takes the digest of what passes."""

    def __init__(self, file: Any) -> None:
        self.file, self.digest, self.size = file, hashlib.sha256(), 0

    def write(self, data: Any) -> int:
        self.digest.update(data)
        self.size += len(data)
        self.file.write(data)
        return len(data)

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.size

    def close(self) -> None:
        if not self.closed:
            self.file.close()
        super().close()


class PartWriter:
    """Write batches to one parquet file, whole or not at all. The same rows give the same bytes."""

    def __init__(
        self,
        folder: str,
        name: str,
        schema: pa.Schema,
        compression: str = "zstd",
        row_group_rows: int | None = None,
    ) -> None:
        self.fs, self.path = fsspec.core.url_to_fs(f"{folder}/{name}")
        self.name, self.schema, self.rows = name, schema, 0
        self.compression, self.row_group_rows = compression, row_group_rows or ROW_GROUP_ROWS
        self._temporary = f"{os.path.dirname(self.path)}/_{uuid.uuid4().hex}"
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = self._waiting_bytes = 0
        self._file: _DigestFile | None = None
        self._parquet: Any = None

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows; columns are picked by name."""
        self.rows += batch.num_rows
        self._waiting.append(batch.select(self.schema.names).cast(self.schema))
        self._waiting_rows += batch.num_rows
        self._waiting_bytes += self._waiting[-1].nbytes
        if self._waiting_rows >= self.row_group_rows or self._waiting_bytes >= ROW_GROUP_BYTES:
            self._flush()

    def close(self, part: int, source: str) -> PartFile:
        """Finish the file and move it to its name."""
        self._flush()
        self._parquet.close()
        assert self._file is not None
        self._file.close()
        self.fs.mv(self._temporary, self.path)
        return PartFile(
            part=part,
            path=self.name,
            source=source,
            rows=self.rows,
            bytes=self._file.size,
            sha256=self._file.digest.hexdigest(),
        )

    def _flush(self) -> None:
        if self._file is None:
            self.fs.makedirs(os.path.dirname(self.path), exist_ok=True)
            self._file = _DigestFile(self.fs.open(self._temporary, "wb"))
            self._parquet = pq.ParquetWriter(self._file, self.schema, compression=self.compression)
        if self._waiting:
            table = pa.Table.from_batches(self._waiting, self.schema)
            self._parquet.write_table(table, row_group_size=max(1, table.num_rows))
            self._waiting, self._waiting_rows, self._waiting_bytes = [], 0, 0


def literal(path: str) -> str:
    """A path as Spark reads it: where it looks for patterns, these characters are meant as they are."""
    return re.sub(r"([\\{}\[\]*?])", r"\\\1", path)


def part_batches(
    part: int,
    path: str,
    layers: Sequence[Layer],
    columns: Sequence[str] | None = None,
    rows: NDArray[np.int64] | None = None,
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """(first row, batch) for each row group of a part, with the layers' signals and verdicts in place.

    `columns`: only these document columns, beside what the layers add. `rows`: only row groups with one of these,
    which are sorted.
    """
    verdicts = [(layer, read_verdicts(layer, part)) for layer in layers]
    with fsspec.open(path, "rb") as file:
        parquet = pq.ParquetFile(file)
        first = 0
        for group in range(parquet.num_row_groups):
            end = first + parquet.metadata.row_group(group).num_rows
            if rows is None or np.searchsorted(rows, first) < np.searchsorted(rows, end):
                table = parquet.read_row_group(group, columns=list(columns) if columns is not None else None)
                at = first
                for batch in table.combine_chunks().to_batches():
                    yield at, apply_layers(with_verdict(batch), at, verdicts)
                    at += batch.num_rows
            first = end


def read_verdicts(layer: Layer, part: int) -> pa.Table:
    """Verdicts on one part, ordered by row. The files are sorted by part, so that a filter reads little of them."""
    fs, path = fsspec.core.url_to_fs(layer.path)
    table = ds.dataset(path, format="parquet", filesystem=fs).to_table(filter=pc.field("part") == part)
    return table.sort_by("row")


def apply_layers(batch: pa.RecordBatch, first_row: int, verdicts: Sequence[tuple[Layer, pa.Table]]) -> pa.RecordBatch:
    """A batch of consecutive rows with the signals column and the verdict of each layer."""
    rows = pa.array(range(first_row, first_row + batch.num_rows), pa.int64())
    for layer, table in verdicts:
        places = pc.index_in(rows, value_set=table["row"].combine_chunks().cast(pa.int64()))
        fields = [table.schema.field(name) for name in layer.fields]
        signals = pa.StructArray.from_arrays(
            [table[field.name].combine_chunks() for field in fields], fields=[f.with_nullable(True) for f in fields]
        )
        reasons = table["drop_reason"].combine_chunks().take(places)
        batch = batch.append_column(layer.name, signals.take(places))
        new = pc.and_(pc.is_valid(reasons), pc.is_null(batch.column("drop_reason")))
        batch = replace(batch, "drop_stage", pc.if_else(new, layer.name, batch.column("drop_stage")))
        batch = replace(batch, "drop_reason", pc.if_else(new, reasons, batch.column("drop_reason")))
        if CUTS in layer.fields and "text" in batch.schema.names:
            spans = pc.struct_field(batch.column(layer.name), CUTS)
            kept = pc.is_null(batch.column("drop_reason"))  # the text of a dropped document stays whole
            spans = pc.if_else(kept, spans, pa.scalar(None, spans.type))
            batch = replace(batch, "text", cut(batch.column("text"), spans))
    return batch
