from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from curate.spark.context import CorpusContext

Documents = Callable[..., Any]


@pytest.fixture
def context(spark: Any, tmp_path: Path) -> CorpusContext:
    """Saves evidence as parquet and gives back what was written."""

    def save(name: str, relation: Any) -> Any:
        relation.write.parquet(str(tmp_path / name))
        return spark.read.parquet(str(tmp_path / name))

    return CorpusContext(spark=spark, seed=0, save=save)


@pytest.fixture
def documents(spark: Any) -> Documents:
    """Documents out of (doc_id, text) or (doc_id, text, date), with `part` and `row` as a runner gives them."""

    def make(rows: Iterable[tuple[str | None, ...]], partitions: int = 2) -> Any:
        full = [
            (n % 3, n // 3, row[0], row[1], f"https://example.org/{row[0]}", row[2] if len(row) > 2 else None)
            for n, row in enumerate(rows)
        ]
        schema = "part int, row long, doc_id string, text string, url string, date string"
        return spark.createDataFrame(full, schema).repartition(partitions)

    return make
