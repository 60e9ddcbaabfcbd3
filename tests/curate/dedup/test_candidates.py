from __future__ import annotations

import random
from itertools import combinations
from typing import Any

import pytest

from curate.dedup.candidates import candidate_pairs

pytestmark = pytest.mark.spark
BANDS = 1 << 10


def pairs(spark: Any, rows: list[tuple[int, int, int]], first: int, before: int) -> dict[tuple[int, int], Any]:
    """Candidate pairs of (band, hash, priority) by priority, with (band, num_bands); nodes count down."""
    schema = "hash long, `order` struct<rank_0: long, id: long>, node long"
    frame = spark.createDataFrame([(h * BANDS + band, (rank, 0), 1000 - rank) for band, h, rank in rows], schema)
    found = candidate_pairs(frame.repartition(3), first, before, 4).collect()
    assert len(found) == len({(r.a, r.b) for r in found})
    return {(1000 - r.a, 1000 - r.b): (r.band, r.num_bands) for r in found}


def test_a_pair_shares_a_hash_in_the_same_band(spark: Any) -> None:
    rows = [(0, 1, 1), (0, 1, 2), (1, 1, 3), (1, 2, 1), (1, 3, 2), (2, 9, 2), (2, 9, 1), (3, 4, 1)]
    assert pairs(spark, rows, 8, 8) == {(1, 2): (0, 2)}


@pytest.mark.parametrize("size", [2, 4, 6])
def test_a_small_bucket_gives_all_its_pairs(spark: Any, size: int) -> None:
    ranks = random.Random(size).sample(range(100), size)
    assert set(pairs(spark, [(0, 0, rank) for rank in ranks], 2, 3)) == set(combinations(sorted(ranks), 2))


def test_a_large_bucket_gives_linearly_many(spark: Any) -> None:
    found = pairs(spark, [(0, 0, rank) for rank in range(500)], 2, 3)
    wanted = {(a, b) for b in range(500) for a in {0, 1, *range(max(0, b - 3), b)} if a < b}
    assert set(found) == wanted
    assert len(found) < 500 * 5
