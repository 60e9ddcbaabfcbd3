from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from curate.dedup.near import NearDedup, clusters, removals, verified_pairs
from curate.kernels.minhash import candidate_probability

pytestmark = pytest.mark.spark

#: Bands of one row: every pair with anything in common becomes a candidate, so that outcomes are certain.
SURE = NearDedup(ngram_size=1, num_bands=64, rows_per_band=1)


def numbers(*spans: range) -> str:
    return " ".join(str(n) for span in spans for n in span)


def verdicts(stage: NearDedup, frame: Any, context: Any) -> dict[int, tuple[Any, ...]]:
    """By position in the list of documents: reason, survivor, jaccard, cluster, its size."""
    rows = stage.apply(frame, context).collect()
    assert len(rows) == len({(r.part, r.row) for r in rows})
    return {r.part + 3 * r.row: tuple(r)[2:] for r in rows}


@pytest.mark.parametrize(("changed", "drops"), [(9, True), (10, True), (11, False)])
def test_the_bound_itself_is_a_duplicate(documents: Any, context: Any, changed: int, drops: bool) -> None:
    # 90 common words of 90 + 2 * changed: 90 / 108, 90 / 110, 90 / 112
    frame = documents([("a", numbers(range(90 + changed))), ("b", numbers(range(90), range(200, 200 + changed)))])
    stage = SURE.model_copy(update={"min_jaccard": 90 / 110})
    assert ("near_duplicate" in [v[0] for v in verdicts(stage, frame, context).values()]) is drops


def test_the_longest_stays_then_the_smallest_id(documents: Any, context: Any) -> None:
    text = numbers(range(100, 200))
    frame = documents([("c", text), ("b", text), ("d", text + " 201 202"), ("a", "unrelated words")])
    gone = ("near_duplicate", "d", 100 / 102, "b", 3)
    assert verdicts(SURE, frame, context) == {0: gone, 1: gone, 2: (None, None, None, "b", 3)}


def test_policies(documents: Any, context: Any, tmp_path: Path) -> None:
    text = numbers(range(100, 200))
    frame = documents([("b", text, "2020-01-01"), ("a", text, None), ("c", text + " 1", "2021-01-01")])
    for keep, survivor in (("earliest", "b"), ("smallest_id", "a")):
        fresh = context.__class__(context.spark, 0, lambda name, df, k=keep: context.save(f"{k}/{name}", df))
        found = verdicts(SURE.model_copy(update={"keep": keep}), frame, fresh)
        assert {v[1] for v in found.values() if v[0]} == {survivor}


def test_a_document_goes_only_for_one_that_stays_and_is_itself_similar(documents: Any, context: Any) -> None:
    # a ~ b ~ c, but a and c are only 80 / 120 alike: dropping c for b, which goes itself, would lose what c alone has.
    a, b, c = numbers(range(0, 103)), numbers(range(10, 111)), numbers(range(20, 120))
    found = verdicts(SURE, documents([("a", a), ("b", b), ("c", c)]), context)
    survivor = "c"  # the most characters
    assert len(c) > len(b) > len(a)
    assert {n: v[:2] for n, v in found.items()} == {0: (None, None), 1: ("near_duplicate", survivor), 2: (None, None)}
    assert {v[3:] for v in found.values()} == {("a", 3)}


def test_short_texts_are_compared_whole_and_empty_ones_never(documents: Any, context: Any) -> None:
    frame = documents([("a", "Hello, you"), ("b", "hello you!"), ("c", "hello me"), ("d", ""), ("e", None), ("f", "")])
    assert {n: v[:3] for n, v in verdicts(NearDedup(), frame, context).items()} == {
        0: (None, None, None),
        1: ("near_duplicate", "a", 1.0),
    }


def test_identical_records_leave_one(documents: Any, context: Any) -> None:
    text = numbers(range(50))
    found = verdicts(NearDedup(), documents([("a", text), ("z", "other"), ("a", text), ("a", text)]), context)
    assert [v[0] for _, v in sorted(found.items())] == [None, "near_duplicate", "near_duplicate"]
    assert {v[4] for v in found.values()} == {3}


def test_chinese_near_duplicates_are_found(documents: Any, context: Any) -> None:
    text = "".join(chr(0x4E00 + n) for n in random.Random(0).sample(range(20_000), 300))
    frame = documents([("a", text), ("b", "。".join(text[n : n + 20] for n in range(0, 280, 20))), ("c", text[::-1])])
    assert {n: v[0] for n, v in verdicts(NearDedup(), frame, context).items()} == {0: None, 1: "near_duplicate"}


def noisy_families(seed: int = 0) -> list[tuple[str, str]]:
    """Families of pages around a base text, each with some words changed."""
    draw = random.Random(seed)
    pages = []
    for family in range(12):
        base = [f"w{draw.randrange(5000)}" for _ in range(150)]
        for _ in range(draw.randrange(1, 9)):
            page = list(base)
            for _ in range(draw.randrange(8)):
                page[draw.randrange(150)] = f"x{draw.randrange(10**6)}"
            pages.append((f"{family}-{draw.randrange(10**6):06}", " ".join(page[: 150 - draw.randrange(3)])))
    return pages


def shingled(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[i : i + 5]) for i in range(max(1, len(words) - 4))}


def jaccard(a: set[Any], b: set[Any]) -> float:
    return len(a & b) / len(a | b)


def greedy(pages: list[tuple[str, str]], bound: float) -> set[int]:
    """Who is dropped, by hand: in order of priority, a page stays unless one that stays is similar."""
    order = sorted(range(len(pages)), key=lambda n: (-len(pages[n][1]), pages[n][0]))
    sets = [shingled(text) for _, text in pages]
    stays: list[int] = []
    for n in order:
        if all(jaccard(sets[n], sets[m]) < bound for m in stays):
            stays.append(n)
    return set(range(len(pages))) - set(stays)


@pytest.mark.parametrize("partitions", [1, 3, 8])
def test_survivors_are_those_of_brute_force_for_any_partitioning(
    documents: Any, context: Any, partitions: int
) -> None:
    pages = noisy_families()
    found = verdicts(NearDedup(num_bands=60, rows_per_band=4), documents(pages, partitions), context)
    dropped = {n for n, v in found.items() if v[0]}
    assert dropped == greedy(pages, 0.8)
    assert dropped


def test_order_of_rows_changes_nothing(documents: Any, context: Any) -> None:
    pages = noisy_families(1)
    found = {pages[n][0]: v for n, v in verdicts(NearDedup(), documents(pages), context).items()}
    shuffled = pages[::-1]
    again = context.__class__(context.spark, 0, lambda name, df: context.save(f"again/{name}", df))
    assert {shuffled[n][0]: v for n, v in verdicts(NearDedup(), documents(shuffled), again).items()} == found


def test_a_template_of_many_pages_keeps_one(documents: Any, context: Any) -> None:
    template = numbers(range(1000, 1200))
    pages = [(f"{n:04}", f"{template} page {n:04}") for n in range(400)]
    found = verdicts(NearDedup(), documents(pages), context)
    assert len(found) == 400
    assert [n for n, v in found.items() if v[0] is None] == [0]
    num_pairs = context.spark.read.parquet(str(evidence(context))).count()
    assert num_pairs < 400 * 16 < 400 * 399 / 2


def evidence(context: Any) -> Path:
    """Where the fixture's save wrote the pairs."""
    folder: Callable[..., Any] = context.save
    return Path(folder.__closure__[1].cell_contents) / "pairs"  # type: ignore[attr-defined]


def test_evidence_has_ids_urls_and_both_similarities(documents: Any, context: Any) -> None:
    text = numbers(range(100, 200))
    NearDedup().apply(documents([("a", text), ("b", text + " 1")]), context).collect()
    [pair] = context.spark.read.parquet(str(evidence(context))).collect()
    assert (pair.a.doc_id, pair.b.doc_id, pair.b_url) == ("b", "a", "https://example.org/a")
    assert pair.jaccard == 96 / 97
    assert 0 < pair.estimated_jaccard <= 1
    assert 1 <= pair.num_bands <= 14


def test_nothing_similar_gives_no_verdicts(documents: Any, context: Any) -> None:
    found = NearDedup().apply(documents([("a", "one two three four five six"), ("b", "seven eight nine")]), context)
    assert found.collect() == []
    assert found.columns == ["part", "row", "drop_reason", *NearDedup().signals.names]


def test_removals_follow_priority_and_name_the_most_similar_survivor(spark: Any) -> None:
    # a > b > c > d > e in priority: b goes for a; c stays, since only b, which went, is like it; d is like a and c.
    edges = {("a", "b"): 0.9, ("b", "c"): 0.95, ("a", "d"): 0.85, ("c", "d"): 0.9, ("d", "e"): 0.99}
    rows = [tuple((0, name, 0, ord(name)) for name in pair) + (score,) for pair, score in edges.items()]
    node = "struct<rank:long,doc_id:string,part:int,row:long>"
    pairs = verified_pairs(spark.createDataFrame(rows, f"a {node}, b {node}, jaccard double"), 0.8)
    found = {r.b.doc_id: (r.duplicate_of, r.jaccard) for r in removals(pairs, clusters(pairs)).collect()}
    assert found == {"b": ("a", 0.9), "d": ("c", 0.9)}


@pytest.mark.parametrize("wrong", [{"min_jaccard": 0.0}, {"min_jaccard": 1.1}, {"ngram_size": 0}, {"bands": 3}])
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NearDedup(**wrong)


def test_real_pages_every_pair_as_its_similarity_and_the_s_curve_say(
    shared_data: Path, documents: Any, context: Any
) -> None:
    pages = pq.read_table(shared_data / "neardup" / "documents.parquet").to_pylist()
    truth = pq.read_table(shared_data / "neardup" / "pairs.parquet").to_pylist()
    NearDedup().apply(documents([(page["id"], page["text"]) for page in pages]), context).collect()
    rows = context.spark.read.parquet(str(evidence(context))).collect()
    found = {frozenset((r.a.doc_id, r.b.doc_id)): r.jaccard for r in rows}
    by_pair = {frozenset((pair["a"], pair["b"])): pair["jaccard_5gram"] for pair in truth}
    shared = found.keys() & by_pair.keys()
    assert max(abs(found[pair] - by_pair[pair]) for pair in shared) < 0.011  # they keep diacritics apart
    assert all(j < 0.81 for pair, j in by_pair.items() if pair not in found)
    expected = sum(candidate_probability(j, 14, 8) for j in by_pair.values())
    spread = sum(p * (1 - p) for p in (candidate_probability(j, 14, 8) for j in by_pair.values())) ** 0.5
    assert abs(len(shared) - expected) < 4 * spread
