from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from document_nodes import no_files, number_of
from pydantic import ValidationError

from curate.dedup.banding import candidate_probability
from curate.dedup.near import NearDedup
from curate.spark.context import CorpusContext
from curate.spark.documents import Documents

pytestmark = pytest.mark.spark


def numbers(*spans: range) -> str:
    return " ".join(str(n) for span in spans for n in span)


def verdicts(stage: NearDedup, documents: Documents, context: Any) -> dict[int, tuple[Any, ...]]:
    """By position in the list of documents: reason, survivor, jaccard, cluster, its size."""
    rows = stage.apply(documents, context).collect()
    assert len(rows) == len({row.node for row in rows})
    return {number_of(row.node, len(documents.parts)): tuple(row)[1:] for row in rows}


def chinese(seed: int) -> str:
    return "".join(chr(0x4E00 + n) for n in random.Random(seed).sample(range(20_000), 300))


def pair_with(jaccard_of: int, first: int) -> tuple[str, str]:
    """Two texts of 90 common words and `jaccard_of` - 90 others, half of them in each."""
    own = (jaccard_of - 90) // 2
    common = range(first, first + 90)
    return (
        numbers(common, range(first + 200, first + 200 + own)),
        numbers(common, range(first + 400, first + 400 + own)),
    )


#: Families that have nothing in common with each other, so that one run answers for all.
FAMILIES: dict[str, list[str | None]] = {
    "above": [*pair_with(108, 10_000)],
    "bound": [*pair_with(110, 20_000)],
    "below": [*pair_with(112, 30_000)],
    "longest": [numbers(range(40_100, 40_200))] * 2 + [numbers(range(40_100, 40_202))],
    # chain0 ~ chain1 ~ chain2, but the ends are only 80 / 120 alike. The last is the longest.
    "chain": [numbers(range(50_000, 50_100)), numbers(range(50_010, 50_110)), numbers(range(50_020, 50_120)) + "  "],
    "short": ["Hello, you", "hello you!", "salut me"],
    "empty": ["", None, "", "?!"],
    "chinese": [chinese(0), "。".join(chinese(0)[n : n + 20] for n in range(0, 300, 20)), chinese(1)[:9]],
}
ONE_RUN = NearDedup(ngram_size=1, num_bands=64, rows_per_band=1, min_jaccard=90 / 110)


@pytest.fixture(scope="module")
def one_run(spark: Any, documents: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, ...]]:
    """Verdicts over all families by doc_id, which is the family's name and a number; "twin" occurs twice as it is."""
    folder = tmp_path_factory.mktemp("evidence")

    def save(name: str, relation: Any) -> Any:
        relation.write.parquet(str(folder / name))
        return spark.read.parquet(str(folder / name))

    pages = [(f"{name}{n}", text) for name, texts in FAMILIES.items() for n, text in enumerate(texts)]
    pages += [("twin", numbers(range(60_000, 60_050)))] * 2
    found = verdicts(ONE_RUN, documents(pages), CorpusContext(spark, 0, save, no_files))
    twins = {number: verdict for number, verdict in found.items() if pages[number][0] == "twin"}
    assert sorted(str(verdict[0]) for verdict in twins.values()) == ["None", "near_duplicate"]
    return {pages[number][0]: verdict for number, verdict in found.items() if number not in twins}


def family(one_run: dict[str, tuple[Any, ...]], name: str) -> dict[str, tuple[Any, ...]]:
    return {doc_id: verdict for doc_id, verdict in one_run.items() if doc_id.startswith(name)}


def test_the_bound_itself_is_a_duplicate(one_run: dict[str, tuple[Any, ...]]) -> None:
    assert family(one_run, "above")["above1"] == ("near_duplicate", "above0", 90 / 108, "above0", 2)
    assert family(one_run, "bound")["bound1"] == ("near_duplicate", "bound0", 90 / 110, "bound0", 2)
    assert family(one_run, "below") == {}


def test_the_longest_stays_and_the_cluster_is_named_by_its_smallest_id(one_run: dict[str, tuple[Any, ...]]) -> None:
    gone = ("near_duplicate", "longest2", 100 / 102, "longest0", 3)
    assert family(one_run, "longest") == {
        "longest0": gone,
        "longest1": gone,
        "longest2": (None, None, None, "longest0", 3),
    }


def test_a_document_goes_only_for_one_that_stays_and_is_itself_similar(one_run: dict[str, tuple[Any, ...]]) -> None:
    found = family(one_run, "chain")
    assert {k: v[:2] for k, v in found.items()} == {
        "chain0": (None, None),
        "chain1": ("near_duplicate", "chain2"),
        "chain2": (None, None),
    }
    assert {v[3:] for v in found.values()} == {("chain0", 3)}


def test_short_texts_are_compared_and_empty_ones_never(one_run: dict[str, tuple[Any, ...]]) -> None:
    assert {k: v[:2] for k, v in family(one_run, "short").items()} == {
        "short0": (None, None),
        "short1": ("near_duplicate", "short0"),
    }
    assert family(one_run, "empty") == {}


def test_chinese_near_duplicates_are_found(one_run: dict[str, tuple[Any, ...]]) -> None:
    assert {k: v[:3] for k, v in family(one_run, "chinese").items()} == {
        "chinese0": ("near_duplicate", "chinese1", 1.0),
        "chinese1": (None, None, None),
    }


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


@pytest.mark.parametrize("parts", [1, 4, 32])
def test_survivors_are_those_of_brute_force_for_any_partitioning(documents: Any, context: Any, parts: int) -> None:
    pages = noisy_families()
    random.Random(parts).shuffle(pages)
    found = verdicts(NearDedup(num_bands=60, rows_per_band=4), documents(pages, parts), context)
    dropped = {n for n, v in found.items() if v[0]}
    assert dropped == greedy(pages, 0.8)
    assert dropped


def test_one_document_a_cluster_where_that_is_asked_for(documents: Any, context: Any) -> None:
    chain = FAMILIES["chain"]
    stage = ONE_RUN.model_copy(update={"remove": "by_cluster"})
    found = verdicts(stage, documents([(f"chain{n}", text) for n, text in enumerate(chain)]), context)
    assert found[0] == ("near_duplicate", "chain2", None, "chain0", 3)  # never compared as similar: no Jaccard
    assert found[1][:2] == ("near_duplicate", "chain2")
    assert found[2][:2] == (None, None)


def test_a_part_of_a_longer_text_is_a_duplicate_where_containment_is_asked_for(documents: Any, context: Any) -> None:
    whole, part = numbers(range(1000, 1300)), numbers(range(1000, 1200))
    pages = [("whole", whole), ("part", part), ("other", numbers(range(5000, 5100)))]
    stage = NearDedup(ngram_size=1, num_bands=64, rows_per_band=1)
    assert verdicts(stage, documents(pages), context) == {}
    found = verdicts(stage.model_copy(update={"min_containment": 1.0}), documents(pages), context)
    assert found[1] == ("near_duplicate", "whole", 2 / 3, "part", 2)


def test_the_better_score_stays(documents: Any, context: Any) -> None:
    text = numbers(range(70_000, 70_100))
    scores = pa.array([{"score": 0.1}, {"score": 0.9}, {"score": None}], pa.struct([("score", pa.float64())]))
    pages = documents([("a", text), ("b", text), ("c", text + " more")], signals={"quality": scores})
    stage = NearDedup.model_validate({"keep": {"highest": "quality.score"}})
    assert stage.requires == ("text", "doc_id", "url", "meta", "quality.score")
    assert {n: v[1] for n, v in verdicts(stage, pages, context).items()} == {0: "b", 1: None, 2: "b"}


def test_bands_for_a_target_similarity() -> None:
    assert NearDedup().banding == (14, 8)
    chosen = NearDedup(lsh_threshold=0.7).banding
    assert chosen == (14, 9)  # datasketch's optimum for 128 hashes


def test_a_template_of_many_pages_keeps_one(documents: Any, context: Any, tmp_path: Path) -> None:
    template = numbers(range(1000, 1200))
    pages = [(f"{n:04}", f"{template} page {n:04}") for n in range(400)]
    found = verdicts(NearDedup(), documents(pages), context)
    assert len(found) == 400
    assert [n for n, v in found.items() if v[0] is None] == [0]
    pairs = context.spark.read.parquet(str(tmp_path / "pairs"))
    assert pairs.count() < 400 * 32 < 400 * 399 / 2  # 16 for a member of one bucket; buckets of bands differ
    pair = pairs.first()
    assert (pair.a_url, pair.b_url) == (f"https://example.org/{pair.a_doc_id}", f"https://example.org/{pair.b_doc_id}")
    assert 0 < pair.estimated_jaccard <= 1
    assert pair.jaccard <= pair.containment <= 1
    assert 0 <= pair.band < 14
    assert 1 <= pair.num_bands <= 14


def test_nothing_similar_gives_no_verdicts(documents: Any, context: Any) -> None:
    found = NearDedup().apply(documents([("a", "one two three four five six"), ("b", "seven eight nine")]), context)
    assert found.collect() == []
    assert found.columns == ["node", "drop_reason", *NearDedup().signals.names]


@pytest.mark.parametrize("wrong", [{"min_jaccard": 0.0}, {"min_jaccard": 1.1}, {"ngram_size": 0}, {"bands": 3}])
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NearDedup(**wrong)


def test_real_pages_every_pair_as_its_similarity_and_the_s_curve_say(
    shared_data: Path, documents: Any, context: Any, tmp_path: Path
) -> None:
    pages = pq.read_table(shared_data / "neardup" / "documents.parquet").to_pylist()
    truth = pq.read_table(shared_data / "neardup" / "pairs.parquet").to_pylist()
    NearDedup().apply(documents([(page["id"], page["text"]) for page in pages]), context).collect()
    rows = context.spark.read.parquet(str(tmp_path / "pairs")).collect()
    found = {frozenset((r.a_doc_id, r.b_doc_id)): r.jaccard for r in rows}
    by_pair = {frozenset((pair["a"], pair["b"])): pair["jaccard_5gram"] for pair in truth}
    shared = found.keys() & by_pair.keys()
    assert max(abs(found[pair] - by_pair[pair]) for pair in shared) < 0.011  # they keep diacritics apart
    assert all(j < 0.81 for pair, j in by_pair.items() if pair not in found)
    expected = sum(candidate_probability(j, 14, 8) for j in by_pair.values())
    spread = sum(p * (1 - p) for p in (candidate_probability(j, 14, 8) for j in by_pair.values())) ** 0.5
    assert abs(len(shared) - expected) < 4 * spread
