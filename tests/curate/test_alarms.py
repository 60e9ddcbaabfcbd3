from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.alarms import Alarm, cluster_alarms, source_alarms
from curate.rundir import RunDir


def funnel(**sources: tuple[int, int, int]) -> dict[str, Any]:
    """Sources with documents dropped before near_dedup, by it, and kept."""
    rows = [
        {"source": name, "stage": stage, "documents": count}
        for name, counts in sources.items()
        for stage, count in zip(("exact_dedup", "near_dedup"), counts[:2], strict=True)
        if count
    ]
    return {
        "stages": [{"stage": name} for name in ("read", "exact_dedup", "near_dedup", "pii")],
        "dropped_by": rows,
        "kept_by": [{"source": name, "documents": counts[2]} for name, counts in sources.items() if counts[2]],
    }


def test_a_source_that_loses_nearly_all_to_one_stage() -> None:
    found = funnel(web=(500, 90, 10), wiki=(0, 89, 11), books=(0, 100, 0))
    assert source_alarms(found, "near_dedup") == [
        Alarm("near_dedup", "source", "books", 100, 100),
        Alarm("near_dedup", "source", "web", 90, 100),
    ]
    assert source_alarms(found, "exact_dedup") == []


def test_a_small_source_gives_no_alarm() -> None:
    assert source_alarms(funnel(web=(0, 99, 0)), "near_dedup") == []


def write_clusters(folder: Path, sizes: dict[str, tuple[int, int]]) -> RunDir:
    """Evidence of clusters: id → documents, how many of them stay."""
    rows = [
        {"cluster_id": name, "cluster_size": size, "duplicate_of": None if n < stay else f"{name}0"}
        for name, (size, stay) in sizes.items()
        for n in range(size)
    ]
    target = folder / "dedup" / "02-near_dedup" / "clusters"
    target.mkdir(parents=True)
    schema = pa.schema([("cluster_id", pa.string()), ("cluster_size", pa.int64()), ("duplicate_of", pa.string())])
    pq.write_table(pa.Table.from_pylist(rows, schema), target / "part-0.parquet", row_group_size=700)
    return RunDir(str(folder))


@pytest.mark.parametrize(("documents", "alarms"), [(119_999, 1), (120_000, 0)])
def test_a_cluster_that_takes_a_good_part_of_the_corpus(tmp_path: Path, documents: int, alarms: int) -> None:
    run = write_clusters(tmp_path, {"a": (1200, 3), "b": (40, 1)})
    found = cluster_alarms(run, "02-near_dedup", "near_dedup", documents)
    assert found == [Alarm("near_dedup", "cluster", "a", 1197, 1200)][:alarms]


def test_small_clusters_and_no_evidence_give_no_alarm(tmp_path: Path) -> None:
    run = write_clusters(tmp_path, {"a": (999, 1)})
    assert cluster_alarms(run, "02-near_dedup", "near_dedup", 1000) == []
    assert cluster_alarms(run, "03-exact_dedup", "exact_dedup", 1000) == []


def test_an_alarm_says_where_to_look() -> None:
    assert Alarm("near_dedup", "source", "web", 1000, 1001).text == (
        "near_dedup dropped 1,000 of 1,001 documents of source web: `curate inspect RUN --stage near_dedup` shows some"
    )
    assert "--cluster abc" in Alarm("near_dedup", "cluster", "abc", 1, 2).text
