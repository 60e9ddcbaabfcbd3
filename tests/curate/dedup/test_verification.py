from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest

from curate.dedup import verification
from curate.dedup.candidates import candidate_pairs
from curate.dedup.near import paired
from curate.dedup.sketches import Sketching, band_rows, sketches
from curate.dedup.verification import grouped, places, scored_pairs, whole_groups

TEXTS = {"a": "1 2 3 4 5 6 7 8 9 10", "b": "1 2 3 4 5 6 7 8 9 11", "c": "1 2 3 4 5 20 21 22 23 24", "d": "1 2"}


@pytest.mark.parametrize("buffer_bytes", [1, 40, 10_000])
def test_tables_end_where_a_group_does(buffer_bytes: int) -> None:
    draw = random.Random(0)
    groups = [number for number in range(40) for _ in range(draw.choice([1, 2, 30]))]
    rows = pa.RecordBatch.from_pydict({"group": groups, "place": range(len(groups))})
    cuts = [0, *sorted(draw.sample(range(len(groups)), 25)), len(groups)]
    batches = [rows.slice(start, end - start) for start, end in pairwise(cuts)]
    tables = list(whole_groups(batches, buffer_bytes))
    assert [place for table in tables for place in table["place"].to_pylist()] == list(range(len(groups)))
    ends = [(table["group"][0].as_py(), table["group"][-1].as_py()) for table in tables]
    assert all(end < start for (_, end), (start, _) in pairwise(ends))
    assert len(tables) > 1 or buffer_bytes == 10_000


@pytest.mark.spark
@pytest.mark.parametrize("group_documents", [1, 4096])
def test_pairs_have_the_similarity_of_brute_force(
    documents: Any, context: Any, group_documents: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "GROUP_DOCUMENTS", group_documents)
    pages, settings = documents(TEXTS.items()), Sketching(2, "word", 40, 1, 0)
    candidates = context.save("_candidates", candidate_pairs(band_rows(pages, settings, ("smallest_id",)), 8, 8, 2))
    groups = context.save("_groups", grouped(candidates))
    assert groups.count() == candidates.count()
    found = sketches(pages, paired(groups), settings, ("smallest_id",))
    pairs = scored_pairs(groups, found, 3).collect()
    assert {(r.a_doc_id, r.b_doc_id) for r in pairs} >= {("a", "b"), ("a", "c"), ("b", "c")}
    assert len(pairs) == candidates.count()
    sets = {name: set(zip(text.split(), text.split()[1:], strict=False)) for name, text in TEXTS.items()}
    for r in pairs:
        a, b = sets[r.a_doc_id], sets[r.b_doc_id]
        assert r.jaccard == len(a & b) / len(a | b)
        assert r.containment == len(a & b) / min(len(a), len(b))
        assert abs(r.estimated_jaccard - r.jaccard) < 0.4
        assert (r.a_url, r.b_url) == (f"https://example.org/{r.a_doc_id}", f"https://example.org/{r.b_doc_id}")
        assert r.a_order.id < 2**63


@pytest.mark.spark
def test_what_is_connected_is_one_group_unless_it_is_large(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    star = [(0, n) for n in range(1, 40)]
    rows = [(a, b, 0, 1) for a, b in [*star, (100, 101), (101, 102)]]
    candidates = spark.createDataFrame(rows, "a long, b long, band int, num_bands long").localCheckpoint()
    assert grouped(candidates).select("group").distinct().count() == 2
    monkeypatch.setattr(verification, "GROUP_DOCUMENTS", 10)
    groups = grouped(candidates)
    assert groups.select("group").distinct().count() == 4 + 1
    wanted = [row.node for row in places(groups).collect()]
    assert sorted(wanted) == sorted([*[0] * 4, *range(1, 40), 100, 101, 102])
