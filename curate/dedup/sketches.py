"""What near deduplication knows of a document instead of its text, computed where the text lies in one trip.

A sketch has the keys, the length, the hashed shingle set, the MinHash signature and its band hashes. Everything after
it moves sketches only. A document without a token (empty, punctuation alone) has no sketch: it is similar to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from curate.kernels import minhash, shingles

SCHEMA = (
    "part int, row long, doc_id string, url string, date string, num_chars long, num_shingles long, "
    "shingles binary, signature binary, bands array<long>"
)
_KEYS = ["part", "row", "doc_id", "url", "date"]

#: Text that is hashed at a time. Hashes take up to 8 bytes for a byte of text where every character is a token.
MAX_CHUNK_BYTES = 16 << 20


class Sketching(NamedTuple):
    """The settings that sketches depend on. Sketches made with different ones cannot be compared."""

    ngram_size: int
    unit: shingles.Unit
    num_bands: int
    rows_per_band: int
    seed: int


def sketches(documents: DataFrame, settings: Sketching) -> DataFrame:
    """One row for each document with a token, of `SCHEMA`; `shingles` holds uint64 and `signature` uint32 as bytes."""
    return documents.select(*_KEYS, "text").mapInArrow(_sketcher(settings), SCHEMA)


def _sketcher(settings: Sketching) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def sketch_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for chunk in _chunks(batch):
                yield sketch(chunk, settings)

    return sketch_batches


def _chunks(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The batch in runs of rows of `MAX_CHUNK_BYTES` of text at most; a longer text is a run of its own."""
    sizes = pc.fill_null(pc.binary_length(batch["text"]), 0).to_numpy(zero_copy_only=False)
    start, filled = 0, 0
    for row, size in enumerate(sizes.tolist()):
        if row > start and filled + size > MAX_CHUNK_BYTES:
            yield batch.slice(start, row - start)
            start, filled = row, 0
        filled += size
    if start < batch.num_rows:
        yield batch.slice(start)


def sketch(batch: pa.RecordBatch, settings: Sketching) -> pa.RecordBatch:
    """Sketches of a batch that has the keys and `text`; rows without a token are left out."""
    sets = shingles.shingle_sets(batch["text"], settings.ngram_size, settings.unit)
    num_hashes = settings.num_bands * settings.rows_per_band
    signatures = minhash.signatures(sets.values, sets.offsets, num_hashes, settings.seed)
    bands = minhash.band_hashes(signatures, settings.num_bands).view(np.int64)
    columns = {name: batch[name] for name in _KEYS}
    columns["num_chars"] = pc.fill_null(pc.utf8_length(batch["text"]), 0).cast(pa.int64())
    columns["num_shingles"] = pa.array(sets.num_shingles)
    columns["shingles"] = _binary(sets.values, sets.offsets * 8)
    columns["signature"] = _binary(signatures, np.arange(len(signatures) + 1) * 4 * num_hashes)
    starts = np.arange(len(bands) + 1, dtype=np.int32) * np.int32(settings.num_bands)
    columns["bands"] = pa.ListArray.from_arrays(pa.array(starts), pa.array(bands.ravel()))
    return pa.RecordBatch.from_pydict(columns).filter(pc.greater(columns["num_shingles"], 0))


def _binary(values: np.ndarray, offsets: np.ndarray) -> pa.BinaryArray:
    positions = pa.py_buffer(offsets.astype(np.int32))
    return pa.BinaryArray.from_buffers(pa.binary(), len(offsets) - 1, [None, positions, pa.py_buffer(values)])
