from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from document_nodes import number_of

from curate.dedup import sketches as module
from curate.dedup.priority import Keep, order
from curate.dedup.sketches import SKETCH, Sketching, band_rows, sketch, sketches
from curate.kernels import minhash, shingles

SETTINGS = Sketching(ngram_size=2, unit="word", num_bands=3, rows_per_band=4, seed=1)
KEEP: Keep = ("longest",)
TEXTS = ["one two three", None, "", "!?", "日本語", "word"]


def batch(texts: list[str | None]) -> pa.RecordBatch:
    num = len(texts)
    columns = {
        "node": pa.array(range(num), pa.int64()),
        "doc_id": pa.array(map(str, range(num)), pa.string()),
        "url": pa.nulls(num, pa.string()),
        "meta": pa.array([[("id", f"own {n}"), ("x", "y")] if n else None for n in range(num)], _META),
        "text": pa.array(texts, pa.string()),
    }
    return pa.RecordBatch.from_pydict(columns)


_META = pa.map_(pa.string(), pa.string())


def test_columns_hold_what_the_kernels_give() -> None:
    found = sketch(batch(TEXTS), SETTINGS, KEEP)
    assert found.schema.names == ["node", "order", *(column.split()[0] for column in SKETCH.split(", "))]
    sets = shingles.shingle_sets(pa.array(["日本語"]), 2)
    assert found["num_shingles"].to_pylist() == [2, 0, 0, 0, 2, 1]
    assert found["shingles"][4].as_py() == sets.values.tobytes()
    assert found["signature"][4].as_py() == minhash.signatures(sets.values, sets.offsets, 12, 1).tobytes()
    assert found["id"].to_pylist() == [None, *(f"own {n}" for n in range(1, 6))]
    assert found["order"].equals(order(batch(TEXTS), KEEP))


def test_very_long_texts_have_the_same_bands_on_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    text = " ".join(map(str, range(500)))
    cut = shingles.shingle_sets
    monkeypatch.setattr(module.shingles, "shingle_sets", lambda texts, *how: cut(texts, *how, 100))
    found = sketch(batch([text]), SETTINGS, KEEP)
    assert len(found["shingles"][0].as_py()) == 800
    whole = minhash.text_signatures(pa.array([text]), 2, "word", 12, 1).signatures
    assert found["signature"][0].as_py() == whole.tobytes()


@pytest.mark.spark
def test_every_document_with_a_token_has_every_band(documents: Any) -> None:
    pages = documents([(str(n), text) for n, text in enumerate(TEXTS)])
    rows = band_rows(pages, SETTINGS, KEEP).collect()
    assert sorted((number_of(r.node), r.hash & 1023) for r in rows) == [(n, b) for n in (0, 4, 5) for b in range(3)]
    signature = minhash.text_signatures(pa.array(["word"]), 2, "word", 12, 1).signatures
    expected = minhash.band_hashes(signature, 3)[0] & ~np.uint64(1023)
    assert {r.hash & ~1023 for r in rows if number_of(r.node) == 5} == set(expected.view(np.int64).tolist())


@pytest.mark.spark
def test_sketches_of_some_documents(documents: Any) -> None:
    pages = documents([(str(n), text) for n, text in enumerate(TEXTS)])
    wanted = pages.frame("doc_id").where("doc_id in ('0', '4')")
    found = sketches(pages, wanted, SETTINGS, KEEP).collect()
    assert {row.doc_id: row.num_shingles for row in found} == {"0": 2, "4": 2}
