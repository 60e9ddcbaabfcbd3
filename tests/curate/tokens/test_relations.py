"""Bounds on running totals against brute force, and even shards by hand."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.document import uniform
from curate.tokens.plan import Crossing
from curate.tokens.relations import crossings, even_shards, num_buckets


def first_to_reach(rows: list[dict[str, Any]], source: str, bound: int) -> Crossing | None:
    """The definition, with everything in one place."""
    total = 0
    mine = sorted((row["key"], row["doc_id"], row["num_tokens"]) for row in rows if row["source"] == source)
    for key, doc_id, tokens in mine:
        total += tokens
        if total >= bound:
            copies = sum(n for k, d, n in mine if (k, d) == (key, doc_id))
            before = sum(n for k, d, n in mine if (k, d) < (key, doc_id))
            return Crossing((key, doc_id), before + copies)
    return None


@pytest.mark.spark
def test_crossings_agree_with_brute_force(spark: Any) -> None:
    rng = random.Random(1)
    rows = [
        {"doc_id": name, "source": source, "num_tokens": rng.randint(1, 9), "key": uniform(name, 0, "test") / 1e4}
        for source in ("a", "b", "c")
        for name in (f"{rng.randrange(150):032x}" for _ in range(200))  # ids repeat, and most share a bucket
    ]
    documents = spark.createDataFrame(pa.Table.from_pylist(rows))
    total = sum(row["num_tokens"] for row in rows if row["source"] == "b")
    for bounds in ({"a": 1, "b": total, "c": 400}, {"a": 73, "b": total + 1}):
        wanted = {source: first_to_reach(rows, source, bound) for source, bound in bounds.items()}
        found = crossings(spark, documents, "key", bounds)
        assert found == {source: crossing for source, crossing in wanted.items() if crossing}


@pytest.mark.parametrize(
    ("tokens", "shard_tokens", "shards"),
    [
        ([10, 10, 10, 10], 20, [0, 0, 1, 1]),
        ([10, 10, 10, 10], 40, [0, 0, 0, 0]),
        ([10, 10, 10, 10], 39, [0, 0, 1, 1]),  # 40 tokens are two shards of 20, not 39 and 1
        ([1, 100, 1, 1], 30, [0, 1, 2, 2]),  # a document larger than a shard has one for itself; numbers have no gaps
        ([7], 1, [0]),
    ],
)
def test_shards_are_equal_parts_of_the_total(tokens: list[int], shard_tokens: int, shards: list[int]) -> None:
    assert even_shards(np.array(tokens, np.int64), shard_tokens).tolist() == shards


@given(st.lists(st.integers(1, 50), min_size=1, max_size=200), st.integers(1, 1_000))
def test_shards_never_fall_have_no_gaps_and_are_even_within_a_bucket(tokens: list[int], shard_tokens: int) -> None:
    sizes = np.array(tokens, np.int64)
    shards = even_shards(sizes, shard_tokens)
    assert shards[0] == 0
    assert set(np.diff(shards).tolist()) <= {0, 1}
    count = -(-sum(tokens) // shard_tokens)
    if shards[-1] + 1 == count:
        for shard in range(count):
            assert abs(sizes[shards == shard].sum() - sum(tokens) / count) <= max(tokens)


@pytest.mark.parametrize(("expected", "buckets"), [(0, 1024), (1600, 1024), (1601, 2048), (3200, 2048), (3201, 4096)])
def test_there_are_64_buckets_for_each_shard_or_more(expected: int, buckets: int) -> None:
    assert num_buckets(expected, shard_tokens=100) == buckets
