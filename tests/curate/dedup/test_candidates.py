from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from curate.dedup.candidates import band_hashes, candidate_pairs

pytestmark = pytest.mark.spark


def pairs(spark: Any, rows: list[tuple[int, int, str]], first: int, before: int) -> dict[tuple[str, str], Any]:
    """Candidate pairs of (band, hash, doc_id) by ids, with (band, num_bands)."""
    schema = "band int, hash long, node struct<rank:long,doc_id:string,part:int,row:long>"
    frame = spark.createDataFrame([(band, h, (0, doc_id, 0, 0)) for band, h, doc_id in rows], schema)
    found = candidate_pairs(frame, first, before).collect()
    assert len(found) == len({(r.a, r.b) for r in found})
    return {(r.a.doc_id, r.b.doc_id): (r.band, r.num_bands) for r in found}


def test_a_pair_shares_a_hash_in_the_same_band(spark: Any) -> None:
    rows = [(0, 1, "a"), (0, 1, "b"), (1, 1, "c"), (1, 2, "a"), (1, 3, "b"), (2, 9, "b"), (2, 9, "a"), (3, 4, "a")]
    assert pairs(spark, rows, 8, 8) == {("a", "b"): (0, 2)}


@pytest.mark.parametrize("size", [2, 4, 6])
def test_a_small_bucket_gives_all_its_pairs(spark: Any, size: int) -> None:
    ids = "abcdef"[:size]
    assert set(pairs(spark, [(0, 0, i) for i in ids], 2, 3)) == set(combinations(ids, 2))


def test_a_large_bucket_gives_linearly_many(spark: Any) -> None:
    ids = [f"{n:04}" for n in range(500)]
    found = pairs(spark, [(0, 0, i) for i in ids], 2, 3)
    wanted = {(ids[a], ids[b]) for b in range(500) for a in {0, 1, *range(max(0, b - 3), b)} if a < b}
    assert set(found) == wanted
    assert len(found) < 500 * 5


def test_every_document_has_every_band(spark: Any) -> None:
    frame = spark.createDataFrame(
        [(0, 7, "a", 10, [5, 6])], "part int, row long, doc_id string, num_chars long, bands array<long>"
    )
    rows = band_hashes(frame, "longest").collect()
    assert [(r.band, r.hash, r.node.doc_id, r.node.row) for r in rows] == [(0, 5, "a", 7), (1, 6, "a", 7)]
