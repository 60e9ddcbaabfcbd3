from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import curate.dedup.sketches as module
from curate.dedup.sketches import SCHEMA, Sketching, sketch
from curate.kernels import minhash, shingles

SETTINGS = Sketching(ngram_size=2, unit="word", num_bands=3, rows_per_band=4, seed=1)
TEXTS = ["one two three", None, "", "!?", "日本語", "word"]


def batch(texts: list[str | None]) -> pa.RecordBatch:
    num = len(texts)
    columns = {
        "part": pa.array([0] * num, pa.int32()),
        "row": pa.array(range(num), pa.int64()),
        "doc_id": pa.array(map(str, range(num)), pa.string()),
        "url": pa.nulls(num, pa.string()),
        "date": pa.nulls(num, pa.string()),
        "text": pa.array(texts, pa.string()),
    }
    return pa.RecordBatch.from_pydict(columns)


def test_texts_without_a_token_have_no_sketch() -> None:
    found = sketch(batch(TEXTS), SETTINGS)
    assert found["row"].to_pylist() == [0, 4, 5]
    assert found["num_chars"].to_pylist() == [13, 3, 4]
    assert found["num_shingles"].to_pylist() == [2, 2, 1]
    assert found.schema.names == [column.split()[0] for column in SCHEMA.split(", ")]


def test_columns_hold_what_the_kernels_give() -> None:
    found = sketch(batch(TEXTS), SETTINGS)
    sets = shingles.shingle_sets(pa.array(["日本語"]), 2)
    signatures = minhash.signatures(sets.values, sets.offsets, 12, 1)
    assert found["shingles"][1].as_py() == sets.values.tobytes()
    assert found["signature"][1].as_py() == signatures.tobytes()
    assert found["bands"][1].as_py() == minhash.band_hashes(signatures, 3)[0].astype(np.int64).tolist()


def test_chunks_bound_the_text_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = sketch(batch(TEXTS), SETTINGS)
    monkeypatch.setattr(module, "MAX_CHUNK_BYTES", 13)
    parts = list(module._sketcher(SETTINGS)([batch(TEXTS), batch([])]))
    assert len(parts) == 3  # 13 bytes with the empty ones; 2 + 9; 4
    assert pa.Table.from_batches(parts).to_pydict() == pa.Table.from_batches([whole]).to_pydict()
