from __future__ import annotations

from typing import Any

import pytest

from curate.dedup.exact import ExactDedup

pytestmark = pytest.mark.spark


def verdicts(stage: ExactDedup, frame: Any, context: Any) -> set[tuple[Any, ...]]:
    rows = stage.apply(frame, context).collect()
    return {(r.part * 1 + r.row * 3, r.drop_reason, r.duplicate_of, r.cluster_size) for r in rows}


def test_equal_texts_leave_the_earliest_then_the_smallest_id(documents: Any, context: Any) -> None:
    frame = documents(
        [
            ("d", "same  text", "2024-02-01"),
            ("c", "same text ", "2024-01-01"),
            ("b", "same\ntext", "2024-01-01"),
            ("a", "same text", None),
            ("e", "Same text", "2020-01-01"),
        ]
    )
    assert verdicts(ExactDedup(), frame, context) == {
        (0, "exact_duplicate", "b", 4),
        (1, "exact_duplicate", "b", 4),
        (2, None, None, 4),
        (3, "exact_duplicate", "b", 4),
    }


def test_settings_decide_what_is_equal_and_who_stays(documents: Any, context: Any) -> None:
    frame = documents([("b", "TEXT", "2020-01-01"), ("a", "text", "2024-01-01")])
    assert verdicts(ExactDedup(), frame, context) == set()
    by_id = ExactDedup(normalization="caseless", keep="smallest_id")
    assert verdicts(by_id, frame, context) == {(0, "exact_duplicate", "a", 2), (1, None, None, 2)}


def test_empty_and_null_texts_are_equal(documents: Any, context: Any) -> None:
    frame = documents([("a", ""), ("b", None), ("c", " \n"), ("d", "x")])
    assert verdicts(ExactDedup(), frame, context) == {
        (0, None, None, 3),
        (1, "exact_duplicate", "a", 3),
        (2, "exact_duplicate", "a", 3),
    }


def test_one_of_two_identical_records_stays(documents: Any, context: Any) -> None:
    frame = documents([("a", "twice"), ("z", "other"), ("a", "twice")])
    assert verdicts(ExactDedup(), frame, context) == {(0, None, None, 2), (2, "exact_duplicate", "a", 2)}


def test_bytes_that_are_not_utf8_stop_nothing(documents: Any, context: Any) -> None:
    frame = documents([("a", "x"), ("b", "x"), ("c", "y")]).selectExpr(
        "part", "row", "doc_id", "date", "cast(concat(unhex('ff'), cast(text as binary)) as string) as text"
    )
    assert verdicts(ExactDedup(), frame, context) == {(0, None, None, 2), (1, "exact_duplicate", "a", 2)}


@pytest.mark.parametrize("partitions", [1, 8])
def test_partitioning_changes_nothing(documents: Any, context: Any, partitions: int) -> None:
    rows = [(f"{n:03}", f"text {n % 20}") for n in range(60)]
    expected = {(n, None if n < 20 else "exact_duplicate", None if n < 20 else f"{n % 20:03}", 3) for n in range(60)}
    assert verdicts(ExactDedup(), documents(rows, partitions), context) == expected


def test_the_verdict_has_the_declared_signals(documents: Any, context: Any) -> None:
    found = ExactDedup().apply(documents([("a", "x")]), context)
    assert found.columns == ["part", "row", "drop_reason", *ExactDedup().signals.names]
    assert [kind for _, kind in found.dtypes] == ["int", "bigint", "string", "string", "bigint"]
