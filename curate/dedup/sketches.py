"""What near deduplication knows of a document instead of its text: band hashes to propose pairs, and for documents in
a pair a sketch to judge them by, which is the hashed shingle set and the MinHash signature.

Band hashes are made of every document in one trip over the corpus, sketches of the few that are in a candidate pair in
a second. A document without a token (empty, punctuation alone) has no band hashes: it is similar to nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark.sql import DataFrame

from curate.dedup.priority import Keep, columns, order, order_ddl
from curate.kernels import minhash, shingles
from curate.spark.documents import Documents

#: Beside `node` and `order`. `id` is what the input calls the document, if it has a column of that name; `shingles`
#: holds uint64 and `signature` uint32 as bytes.
SKETCH = "doc_id string, id string, url string, num_shingles long, shingles binary, signature binary"


class Sketching(NamedTuple):
    """The settings that sketches depend on. Sketches made with different ones cannot be compared."""

    ngram_size: int
    unit: shingles.Unit
    num_bands: int
    rows_per_band: int
    seed: int

    @property
    def num_hashes(self) -> int:
        return self.num_bands * self.rows_per_band


def band_rows(documents: Documents, settings: Sketching, keep: Keep) -> DataFrame:
    """hash long, order struct, node long: one row for each band of each document with a token."""

    def rows(batch: pa.RecordBatch) -> pa.RecordBatch:
        found = minhash.text_signatures(
            batch["text"], settings.ngram_size, settings.unit, settings.num_hashes, settings.seed
        )
        return bands_of(found.signatures, found.num_tokens > 0, batch["node"], order(batch, keep), settings.num_bands)

    schema = f"hash long, `order` {order_ddl(keep)}, node long"
    return documents.map(tuple(dict.fromkeys(("text", *columns(keep)))), rows, schema)


def bands_of(
    signatures: minhash.Signatures, chosen: NDArray[np.bool_], node: pa.Array, order: pa.Array, num_bands: int
) -> pa.RecordBatch:
    """The band rows of the chosen signatures. The number of the band is in the lowest 10 bits of its hash."""
    rows = np.flatnonzero(chosen)
    hashes = minhash.band_hashes(signatures[rows], num_bands)
    hashes = hashes & ~np.uint64(1023) | np.arange(num_bands, dtype=np.uint64)
    each = pa.array(np.repeat(rows, num_bands))
    columns = {"hash": pa.array(hashes.ravel().view(np.int64)), "order": order.take(each), "node": node.take(each)}
    return pa.RecordBatch.from_pydict(columns)


def sketches(documents: Documents, nodes: DataFrame, settings: Sketching, keep: Keep) -> DataFrame:
    """node long, order struct and `SKETCH` of the documents of `nodes`."""
    schema = f"node long, `order` {order_ddl(keep)}, {SKETCH}"
    return documents.at(nodes, sketch_columns(keep), lambda batch: sketch(batch, settings, keep), schema)


def sketch_columns(keep: Keep) -> tuple[str, ...]:
    """The columns that `sketch` reads."""
    return tuple(dict.fromkeys(("text", "url", "meta", *columns(keep))))


def sketch(batch: pa.RecordBatch, settings: Sketching, keep: Keep) -> pa.RecordBatch:
    """Sketches of a batch that has `node` and `sketch_columns`."""
    how = settings.ngram_size, settings.unit
    sets = shingles.shingle_sets(batch["text"], *how)
    # Not of the sets, which are cut where a text is very long: bands and estimates are of all shingles.
    signatures = minhash.text_signatures(batch["text"], *how, settings.num_hashes, settings.seed).signatures
    return pa.RecordBatch.from_pydict(
        {
            "node": batch["node"],
            "order": order(batch, keep),
            "doc_id": batch["doc_id"],
            "id": pc.map_lookup(batch["meta"], pa.scalar("id"), "first"),
            "url": batch["url"],
            "num_shingles": pa.array(sets.num_shingles),
            "shingles": _binary(sets.values, sets.offsets * 8),
            "signature": _binary(signatures, np.arange(len(signatures) + 1) * 4 * settings.num_hashes),
        }
    )


def token_rows(sketches: pa.RecordBatch) -> NDArray[np.bool_]:
    """Which of the sketched documents have a token."""
    return np.asarray(sketches["num_shingles"].to_numpy() > 0)


def _binary(values: NDArray[Any], offsets: NDArray[np.int64]) -> pa.BinaryArray:
    positions = pa.py_buffer(offsets.astype(np.int32))
    return pa.BinaryArray.from_buffers(pa.binary(), len(offsets) - 1, [None, positions, pa.py_buffer(values)])
