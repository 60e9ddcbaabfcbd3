from __future__ import annotations

from typing import Any

import pytest

from curate.dedup.priority import Keep, priority

ROWS = [("b", 5, "2024-01-02"), ("a", 5, None), ("c", 9, "2024-01-01"), ("a", 5, None)]


@pytest.mark.spark
@pytest.mark.parametrize(
    ("keep", "order"),
    [("longest", "c0 a1 a3 b0"), ("earliest", "c0 b0 a1 a3"), ("smallest_id", "a1 a3 b0 c0")],
)
def test_who_stays_first(spark: Any, keep: Keep, order: str) -> None:
    rows = [(0, n if doc_id == "a" else 0, doc_id, chars, date) for n, (doc_id, chars, date) in enumerate(ROWS)]
    frame = spark.createDataFrame(rows, "part int, row long, doc_id string, num_chars long, date string")
    found = frame.select(priority(keep).alias("node")).orderBy("node").collect()
    assert [f"{r.node.doc_id}{r.node.row}" for r in found] == order.split()
