"""Who stays in a cluster, against the rule carried out one document at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.dedup import leaders
from curate.dedup.leaders import MAX_SIMILAR, binary, matrix, with_similar
from curate.kernels.cosines import cosines


def cloud(sizes: list[int], seed: int, spread: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors of some clusters, each around its direction, and their cluster numbers."""
    rng = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(len(sizes)), sizes)
    drawn = rng.normal(size=(len(sizes), 6))[clusters] + spread * rng.normal(size=(len(clusters), 6))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32), clusters


def batches(vectors: np.ndarray, clusters: np.ndarray, size: int) -> list[pa.RecordBatch]:
    columns = {"node": np.arange(len(vectors)) + 100, "cluster": clusters}
    whole = pa.RecordBatch.from_pydict({name: pa.array(values) for name, values in columns.items()})
    whole = whole.append_column("vector", binary(vectors))
    return [whole.slice(start, size) for start in range(0, len(vectors), size)]


def judged(vectors: np.ndarray, clusters: np.ndarray, size: int = 7, bound: float = 0.97, most: int = 10**6) -> Any:
    found = list(with_similar(batches(vectors, clusters, size), bound, most))
    assert all(batch.schema.names == ["node", "cluster", "similar"] for batch in found)
    return [row["similar"] for batch in found for row in batch.to_pylist()]


def one_by_one(vectors: np.ndarray, clusters: np.ndarray, bound: float, most: int = 10**6) -> Any:
    """The rule: compare with the survivors of the cluster, the latest `most` blocks apart."""
    found = []
    survivors: list[int] = []
    for row in range(len(vectors)):
        if row and clusters[row] != clusters[row - 1]:
            survivors = []
        scores = [cosines(vectors, np.array([row]), vectors, np.array([other]))[0] for other in survivors]
        similar = sorted((-c, other) for c, other in zip(scores, survivors, strict=True) if c >= bound)
        found.append([{"node": other + 100, "cosine": -c} for c, other in similar[:MAX_SIMILAR]] or None)
        if not similar:
            survivors = [*survivors, row]
    return found


@given(st.lists(st.integers(0, 30), min_size=1, max_size=4), st.integers(0, 1000), st.integers(1, 40))
def test_survivors_are_those_of_the_rule_for_any_batches(sizes: list[int], seed: int, size: int) -> None:
    vectors, clusters = cloud(sizes, seed)
    assert judged(vectors, clusters, size) == one_by_one(vectors, clusters, 0.97)


@pytest.mark.parametrize("block", [1, 3, 1024])
def test_blocks_do_not_matter(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaders, "BLOCK", block)
    vectors, clusters = cloud([120, 1, 80], 5, spread=0.5)
    found = judged(vectors, clusters, 50)
    assert found == one_by_one(vectors, clusters, 0.97)
    assert 20 < sum(similar is not None for similar in found) < 180


def test_the_most_similar_come_first_and_no_more_than_so_many() -> None:
    angles = np.concatenate([np.linspace(0, 3, 13), [1.49]])  # 13 that stay, and one among them
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    *stay, last = judged(vectors, np.zeros(14, np.int64), bound=0.9695)
    assert stay == [None] * 13
    assert last[0]["node"] == 106  # at 1.5
    assert [s["cosine"] for s in last] == sorted((s["cosine"] for s in last), reverse=True)
    wide = judged(np.tile(vectors[:1], (2, 1)), np.zeros(2, np.int64), bound=1 - 1e-6)
    assert wide[0] is None
    assert wide[1][0]["node"] == 100


def test_clusters_are_judged_apart() -> None:
    same = cloud([1], 0)[0].repeat(4, axis=0)
    assert [s is None for s in judged(same, np.array([0, 0, 1, 1]))] == [True, False, True, False]


def test_memory_is_bounded_by_the_survivors_compared_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaders, "BLOCK", 1)
    different = np.eye(8, dtype=np.float32)
    vectors = np.concatenate([different, different[7:], different[:1]])  # a copy of the last, one of the first
    found = judged(vectors, np.zeros(10, np.int64), most=4)
    assert found[8] is not None
    assert found[9] is None  # forgotten: it may stay, and nothing goes for it
    survivors = leaders.Survivors(0, 8, 4)
    for _ in range(100):
        survivors.add(different, np.arange(8))
    assert survivors.nodes.tolist() == [4, 5, 6, 7]
    assert len(survivors._nodes) <= 24


def test_vectors_come_back_as_they_went() -> None:
    vectors = cloud([9], 1)[0]
    assert (matrix(binary(vectors)) == vectors).all()
    assert (matrix(binary(vectors).slice(3, 4)) == vectors[3:7]).all()
    assert len(binary(np.zeros((3, 0), np.float32))) == 3
    assert matrix(binary(vectors[:0])).size == 0
