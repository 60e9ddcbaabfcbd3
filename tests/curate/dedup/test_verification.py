from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from curate.dedup.candidates import candidate_pairs
from curate.dedup.near import paired
from curate.dedup.sketches import Sketching, band_rows, sketches
from curate.dedup.verification import _score, scored_pairs
from curate.kernels.shingles import shingle_sets

TEXTS = {"a": "1 2 3 4 5 6 7 8 9 10", "b": "1 2 3 4 5 6 7 8 9 11", "c": "1 2 3 4 5 20 21 22 23 24", "d": "1 2"}


def test_sliced_binary_columns_are_read_from_where_they_begin() -> None:
    blobs = [shingle_sets(pa.array([text]), 1).values.tobytes() for text in ("x y z", "a b", "a b c", "")]
    column, signature = pa.array(blobs, pa.binary()), pa.array([b"\0" * 8, b"\1" * 8, b"\1" * 4 + b"\2" * 4, b"\3" * 8])
    columns = {
        "a": pa.array([7, 8]),
        "a_shingles": column.slice(1, 2),
        "b_shingles": column.slice(2, 2),
        "a_signature": signature.slice(1, 2),
        "b_signature": signature.slice(2, 2),
    }
    [scored] = _score([pa.RecordBatch.from_pydict(columns)])
    assert scored.to_pydict() == {
        "a": [7, 8],
        "estimated_jaccard": [0.5, 0.0],
        "jaccard": [2 / 3, 0.0],
        "containment": [1.0, 0.0],
    }


@pytest.mark.spark
def test_pairs_have_the_similarity_of_brute_force(documents: Any) -> None:
    pages, settings = documents(TEXTS.items()), Sketching(2, "word", 40, 1, 0)
    candidates = candidate_pairs(band_rows(pages, settings, ("smallest_id",)), 8, 8, 2)
    found = sketches(pages, paired(candidates), settings, ("smallest_id",))
    pairs = scored_pairs(candidates, found).collect()
    assert {(r.a_doc_id, r.b_doc_id) for r in pairs} >= {("a", "b"), ("a", "c"), ("b", "c")}
    sets = {name: set(zip(text.split(), text.split()[1:], strict=False)) for name, text in TEXTS.items()}
    for r in pairs:
        a, b = sets[r.a_doc_id], sets[r.b_doc_id]
        assert r.jaccard == len(a & b) / len(a | b)
        assert r.containment == len(a & b) / min(len(a), len(b))
        assert abs(r.estimated_jaccard - r.jaccard) < 0.4
        assert (r.a_url, r.b_url) == (f"https://example.org/{r.a_doc_id}", f"https://example.org/{r.b_doc_id}")
