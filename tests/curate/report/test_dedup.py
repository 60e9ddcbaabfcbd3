"""What deduplication found, read back from evidence as the corpus stages write it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from curate import recipe as recipes
from curate.dedup.banding import candidate_probability
from curate.errors import InputError
from curate.report.dedup import banding_lines, cluster_lines, dedup_lines, document_lines
from curate.report.dedup_plots import cluster_sizes, similarities
from curate.report.inspect import show_cluster
from curate.rundir import RunDir

STAGES = {"stages": [{"near_dedup": {"min_jaccard": 0.8, "num_bands": 9, "rows_per_band": 13}}]}
IDS = {name: name * 32 for name in "abcd"}


def pair(a: str, b: str, jaccard: float) -> dict[str, Any]:
    scores = {"estimated_jaccard": 0.85, "jaccard": jaccard, "containment": 1.0}
    names = {"a_doc_id": IDS[a], "b_doc_id": IDS[b], "a_url": f"https://{a}.example/", "b_url": None}
    return {"a": 0, "b": 1, **names, "band": 3, **scores}


def member(name: str, survivor: str | None, jaccard: float | None) -> dict[str, Any]:
    cluster = {"cluster_id": IDS["a"], "cluster_size": 3}
    return {"node": 0, "doc_id": IDS[name], "url": None, "id": f"own {name}", **cluster} | {
        "duplicate_of": survivor and IDS[survivor],
        "jaccard": jaccard,
    }


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    """A ~ b ~ c with c the longest but not like a, and d, which is not similar enough."""
    made = RunDir(str(tmp_path))
    funnel = {"read": 4, "kept": 3, "dropped": 1, "stages": [{"stage": "read", "reasons": {}}]}
    made.write_json({"status": "finished", "passes": [{"name": "02-near_dedup"}], "funnel": funnel}, "run.json")
    made.write_text(recipes.to_yaml(recipes.parse(STAGES)), "recipe.yaml")
    evidence = {
        "pairs": [pair("a", "b", 0.8), pair("c", "b", 0.9), pair("a", "d", 0.7999)],
        "clusters": [member("a", None, None), member("b", "c", 0.9), member("c", None, None)],
    }
    for name, rows in evidence.items():
        folder = tmp_path / "dedup" / "02-near_dedup" / name
        folder.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(rows), folder / "part-0.parquet")
    return made


def test_one_line_for_a_stage(run: RunDir) -> None:
    assert dedup_lines(run.root) == [
        "near_dedup: 3 candidate pairs, 2 of Jaccard 0.8 and more, 1 clusters of 3 documents"
    ]


def test_what_is_known_of_one_document(run: RunDir) -> None:
    lines = document_lines(run, IDS["b"])
    assert lines[0].startswith(f"near_dedup compared it with {IDS['c']}: jaccard 0.900, containment 1.000")
    assert lines[0].endswith("band 3  https://c.example/")
    assert lines[1].startswith(f"near_dedup compared it with {IDS['a']}: jaccard 0.800")
    assert lines[2] == f"near_dedup cluster {IDS['a']}: 3 documents"
    assert lines[3:] == [
        f"  {IDS['a']} stays  own a",
        f"  {IDS['c']} stays  own c",
        f"  {IDS['b']} dropped for {IDS['c']}, Jaccard 0.900  own b",
    ]
    assert document_lines(run, "0" * 32) == []


def test_test_items_and_runs_of_tokens_in_a_document(run: RunDir) -> None:
    match = {"doc_id": IDS["d"], "set": "mmlu", "item": 7, "item_id": None, "part": "question"}
    match |= {"verdict": "contaminated", "document_text": "What is", "item_text": "what is it"}
    span = {"doc_id": IDS["d"], "start": 1000, "end": 2000, "kept_doc_id": IDS["a"], "text": "It was a dark"}
    sets = {"set": "mmlu", "items": 14042, "items_searchable": 12000, "items_found": 1, "documents": 2}
    for name, row in (("matches", match), ("spans", span), ("decontamination", sets)):
        folder = Path(run.root) / "dedup" / "02-near_dedup" / name
        folder.mkdir()
        pq.write_table(pa.Table.from_pylist([row]), folder / "part-0.parquet")
    lines = document_lines(run, IDS["d"])
    assert lines[0] == "near_dedup found mmlu item 7 (question), contaminated:"
    assert lines[1:3] == ["  here: What is", "  item: what is it"]
    assert lines[3].startswith(f"near_dedup took out bytes 1,000 to 2,000, which stay in {IDS['a']}: It was")
    assert dedup_lines(run.root)[1].startswith("near_dedup: 1 of 14,042 items of mmlu in 2 documents, 12,000 could")


def test_a_cluster_by_its_id(run: RunDir) -> None:
    assert cluster_lines(run, IDS["a"]) == document_lines(run, IDS["b"])[2:]
    with pytest.raises(InputError, match="no cluster"):
        show_cluster(run.root, IDS["d"], Console(quiet=True))


def test_the_curve_of_the_recipe_is_printed() -> None:
    lines = banding_lines(recipes.parse(STAGES))
    assert lines[0] == "near_dedup:"
    assert lines[1].startswith("9 bands of 13 rows")
    assert any("39.9% of those at the threshold 0.8" in line for line in lines)
    assert banding_lines(recipes.parse({"stages": ["exact_dedup"]})) == []


def test_similarities_are_drawn_beside_the_curve(run: RunDir) -> None:
    figure = similarities(run, recipes.parse(STAGES))
    verified, proposed, curve = figure.data
    assert (sum(verified.y), sum(proposed.y)) == (2, 1)
    assert curve.y[80] == candidate_probability(0.8, 9, 13)


def test_cluster_sizes_count_documents(run: RunDir, tmp_path: Path) -> None:
    (bars,) = cluster_sizes(run).data
    assert (list(bars.x), list(bars.y)) == (["2–3"], [3])
    empty = RunDir(str(tmp_path / "empty"))
    empty.write_json({"status": "finished", "passes": []}, "run.json")
    assert cluster_sizes(empty) is None
    assert similarities(empty, None) is None
