"""Copies by the size or score of a cluster: FineWeb-2's table, the power rule, draws by doc_id."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from curate.document import uniform
from curate.filters.cluster_sample import FINEWEB2_WEIGHTS, ClusterSample, copies_of


def batch(sizes: list[float | None], stage: str = "near_dedup", signal: str = "cluster_size") -> pa.RecordBatch:
    values = pa.array(sizes, pa.int64() if all(s is None or s == int(s) for s in sizes) else pa.float64())
    ids = pa.array([f"{n:032x}" for n in range(len(sizes))])
    return pa.RecordBatch.from_pydict({"doc_id": ids, stage: pa.StructArray.from_arrays([values], [signal])})


def copies(stage: ClusterSample, sizes: list[float | None]) -> list[int]:
    found: list[int] = stage.annotate(batch(sizes)).field("copies").to_pylist()
    return found


def weights(stage: ClusterSample, sizes: list[float | None]) -> list[float]:
    found: list[float] = stage.annotate(batch(sizes)).field("weight").to_pylist()
    return found


def test_fineweb2_copies_on_and_beside_each_bound() -> None:
    sizes = [1, 2, 3, 4, 5, 99, 100, 999, 1000, 10**6]
    assert copies(ClusterSample(), sizes) == [1, 2, 3, 3, 5, 5, 8, 8, 1, 1]
    assert copies(ClusterSample(weights=FINEWEB2_WEIGHTS), sizes) == [1, 2, 3, 3, 5, 5, 8, 8, 1, 1]


def test_what_was_not_measured_comes_once() -> None:
    assert copies(ClusterSample(weights={2: 0}), [None, 2]) == [1, 0]
    assert copies(ClusterSample(target=1), [None]) == [1]


def test_a_value_below_the_table_has_the_lowest_weight() -> None:
    assert copies(ClusterSample(weights={3: 2, 5: 0}), [-1, 0, 3, 4, 5]) == [2, 2, 2, 2, 0]


def test_a_table_may_be_over_a_score() -> None:
    stage = ClusterSample(signal="edu.score", weights={0: 0, 2.5: 1, 4: 3})
    found = stage.annotate(batch([0.0, 2.4, 2.5, 3.9, 4.0], "edu", "score"))
    assert found.field("copies").to_pylist() == [0, 0, 1, 1, 3]
    assert stage.requires == ("doc_id", "edu.score")


def test_no_copies_is_a_reason_to_drop() -> None:
    stage = ClusterSample(weights={1: 0, 10: 1})
    (limit,) = stage.limits
    assert limit.reason == "copies_below_min"
    assert limit.broken_by(stage.annotate(batch([1, 9, 10, None]))).to_pylist() == [True, True, False, False]


def test_diversity_keeps_about_the_target_of_each_large_cluster() -> None:
    stage = ClusterSample(target=100)
    assert weights(stage, [1, 99, 100, 200, 400]) == pytest.approx([1, 1, 1, 0.5, 0.25])
    for size in (1000, 10_000):
        assert sum(copies(stage, [size] * size)) == pytest.approx(100, abs=40)


def test_alpha_leaves_large_clusters_some_of_their_lead() -> None:
    assert weights(ClusterSample(target=100, alpha=0.5), [100, 400, 10_000]) == pytest.approx([1, 0.5, 0.1])


def test_small_clusters_may_be_repeated_up_to_a_limit() -> None:
    assert weights(ClusterSample(target=8, max_weight=3), [1, 2, 4, 8, 16]) == pytest.approx([3, 3, 2, 1, 0.5])


def test_draws_depend_on_the_id_and_the_seed_alone() -> None:
    whole = batch([200] * 50)
    stage = ClusterSample(target=100)
    one_by_one = [stage.annotate(whole.slice(n, 1)).field("copies")[0].as_py() for n in range(50)]
    assert stage.annotate(whole).field("copies").to_pylist() == one_by_one
    assert one_by_one == [int(uniform(f"{n:032x}", 0, "cluster-sample") < 0.5) for n in range(50)]
    assert one_by_one != ClusterSample(target=100, seed=1).annotate(whole).field("copies").to_pylist()


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 1, exclude_max=True))))
def test_copies_are_within_one_of_the_weight(pairs: list[tuple[float, float]]) -> None:
    found = copies_of(np.array([w for w, _ in pairs]), [d for _, d in pairs])
    for (weight, _), count in zip(pairs, found.tolist(), strict=True):
        assert int(weight) <= count <= int(weight) + (weight != int(weight))


def test_an_empty_batch_has_the_type_of_the_signals() -> None:
    stage = ClusterSample()
    assert stage.annotate(batch([])).type == stage.signals


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValidationError, match="not both"):
        ClusterSample(weights={1: 1}, target=5)
    with pytest.raises(ValidationError, match="empty"):
        ClusterSample(weights={})
    for settings in ({"weights": {1: -1}}, {"weights": {1: 1001}}, {"target": 0}, {"alpha": 0}, {"signal": "size"}):
        with pytest.raises(ValidationError):
            ClusterSample(**settings)
