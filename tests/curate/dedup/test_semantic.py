"""Semantic deduplication end to end on Spark: verdicts against brute force, and the same for any partitioning."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError
from tiny_encoder import save_encoder

from curate.dedup.semantic import REASON, SemanticDedup
from curate.document import doc_id
from curate.kernels.hashed_terms import document_frequencies, embedded, idf

pytestmark = pytest.mark.spark

EVIDENCE = ("semantic_pairs", "semantic_clusters")


def families(seed: int = 0) -> list[tuple[str, str | None]]:
    """Pages around base texts, each with some words changed or the order of its sentences."""
    draw = random.Random(seed)
    pages: list[tuple[str, str | None]] = []
    for family in range(15):
        base = [f"{draw.choice('abcdefgh')}{draw.randrange(400)}" for _ in range(120)]
        for _ in range(draw.randrange(1, 8)):
            page = list(base)
            for _ in range(draw.randrange(14)):
                page[draw.randrange(120)] = f"x{draw.randrange(10**6)}"
            draw.shuffle(page)
            text = " ".join(page)
            pages.append((doc_id(str(family), text), text))
    pages += [(doc_id("none", str(n)), text) for n, text in enumerate(("", None, "?!"))]
    return pages


PAGES = families()


def verdicts(stage: SemanticDedup, documents: Any, context: Any) -> dict[str, dict[str, Any]]:
    """By doc_id."""
    nodes = {row.node: row.doc_id for row in documents.frame("doc_id").collect()}
    rows = [row.asDict() for row in stage.apply(documents, context).collect()]
    assert len({row["node"] for row in rows}) == len(rows)
    return {nodes[row.pop("node")]: row for row in rows}


def evidence(folder: Path, name: str) -> list[dict[str, Any]]:
    """Rows without nodes, in an order of their own."""
    rows = [{k: v for k, v in row.items() if k not in ("a", "b")} for row in pq.read_table(folder / name).to_pylist()]
    return sorted(rows, key=str)


def vectors(pages: list[tuple[str, str | None]], seed: int = 0) -> np.ndarray:
    texts = pa.array([text for _, text in pages])
    return embedded(texts, idf(*document_frequencies(texts, 18, 1 << 20)), 256, seed, 1 << 20)


def brute_force(pages: list[tuple[str, str | None]], bound: float) -> dict[str, str]:
    """Which page goes, and for which: in order, a page stays unless one that stays is as similar."""
    rows = vectors(pages).astype(np.float64)
    order = sorted(range(len(pages)), key=lambda n: (-len(pages[n][1] or ""), pages[n][0]))
    stays: list[int] = []
    gone = {}
    for n in order:
        if rows[n].any():
            similar = [m for m in stays if rows[n] @ rows[m] >= bound]
            if similar:
                gone[pages[n][0]] = pages[max(similar, key=lambda m: float(rows[n] @ rows[m]))][0]
            else:
                stays.append(n)
    return gone


def test_within_one_cluster_the_verdicts_are_those_of_brute_force(documents: Any, context: Any, tmp_path: Path) -> None:
    stage = SemanticDedup(num_clusters=1, min_cosine=0.9)
    found = verdicts(stage, documents(PAGES), context)
    expected = brute_force(PAGES, 0.9)
    assert {name: row["duplicate_of"] for name, row in found.items() if row["drop_reason"]} == expected
    assert 5 < len(expected) < len(PAGES) - 20
    assert {row["drop_reason"] for row in found.values()} == {None, REASON}
    assert set(found) == {name for name, text in PAGES if text not in ("", None, "?!")}
    gone = [row for row in found.values() if row["drop_reason"]]
    assert all(row["cosine"] >= 0.9 and row["num_similar"] >= 1 for row in gone)
    assert {row["cluster_size"] for row in found.values()} == {len(found)}
    pairs = evidence(tmp_path, "semantic_pairs")
    assert {(p["b_doc_id"], p["a_doc_id"]) for p in pairs if p["place"] == 0} == set(expected.items())
    assert sum(row["num_similar"] for row in gone) == len(pairs)
    assert sum(row["num_similar"] for row in found.values() if not row["drop_reason"]) == len(pairs)
    assert pairs[0]["a_url"] == f"https://example.org/{pairs[0]['a_doc_id']}"


def test_every_removal_is_tied_to_a_document_that_stays(documents: Any, context: Any) -> None:
    found = verdicts(SemanticDedup(num_clusters=4, min_cosine=0.8), documents(PAGES), context)
    rows, place = vectors(PAGES).astype(np.float64), {name: n for n, (name, _) in enumerate(PAGES)}
    for name, row in found.items():
        if row["drop_reason"]:
            kept = found[row["duplicate_of"]]
            assert kept["drop_reason"] is None
            assert kept["cluster"] == row["cluster"]
            assert row["cosine"] == pytest.approx(rows[place[name]] @ rows[place[row["duplicate_of"]]], abs=1e-6)
            assert row["cosine"] >= 0.8


def test_nothing_depends_on_partitions_or_on_the_order_of_the_input(
    documents: Any, context: Any, tmp_path: Path
) -> None:
    stage = SemanticDedup(num_clusters=5, min_cosine=0.85, sample_size=40)
    first = verdicts(stage, documents(PAGES, parts=3), context)
    saved = [evidence(tmp_path, name) for name in EVIDENCE]
    assert all(saved)
    for parts, partitions in ((1, 1), (4, 4), (32, 32)):
        pages = random.Random(parts).sample(PAGES, len(PAGES))
        again = verdicts(stage, documents(pages, parts=parts, partitions=partitions), context)
        assert again == first  # floats too
        assert [evidence(tmp_path, name) for name in EVIDENCE] == saved


def test_clusters_are_described_by_their_leading_terms(documents: Any, context: Any, tmp_path: Path) -> None:
    kinds = {"sea": "wave ship harbour sailor anchor", "garden": "rose tulip soil spade 花园"}
    pages = [
        (doc_id(kind, str(n)), f"the {words} the page number n{n} of {kind}")
        for kind, words in kinds.items()
        for n in range(12)
    ]
    found = verdicts(SemanticDedup(num_clusters=2, min_cosine=1.0), documents(pages), context)
    clusters = evidence(tmp_path, "semantic_clusters")
    assert sorted(row["size"] for row in clusters) == [12, 12]
    names = dict(pages)
    for row in clusters:
        assert len(row["examples"]) == 5
        assert {found[name]["cluster"] for name in row["examples"]} == {row["cluster"]}
        kind = names[row["examples"][0]].rsplit(" ", 1)[1]
        assert set(kinds[kind].split()) < {*row["terms"]} | {"花园"}
        assert 0.5 < row["mean_cosine"] <= 1


def test_equal_texts_keep_one_by_the_policy(documents: Any, context: Any) -> None:
    pages = [(doc_id("copy", str(n)), "one and the same text", f"2020-01-0{9 - n}") for n in range(4)]
    found = verdicts(SemanticDedup(keep="earliest"), documents(pages), context)
    assert [name for name, row in found.items() if not row["drop_reason"]] == [pages[3][0]]


@pytest.mark.parametrize(("by", "most"), [("farthest", min), ("nearest", max)])
def test_the_distance_from_the_centroid_may_decide_first(documents: Any, context: Any, by: Any, most: Any) -> None:
    stage = SemanticDedup(num_clusters=1, min_cosine=0.05, keep_by_centroid=by)
    found = verdicts(stage, documents(PAGES), context)
    kept = [row["centroid_cosine"] for row in found.values() if not row["drop_reason"]]
    assert most(kept) == most(row["centroid_cosine"] for row in found.values())
    assert len(kept) < len(found)


def test_a_corpus_without_a_term_gives_no_verdicts(documents: Any, context: Any) -> None:
    assert verdicts(SemanticDedup(), documents([("a", ""), ("b", None)]), context) == {}


def test_a_model_of_the_user_decides_by_its_own_vectors(documents: Any, context: Any, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    save_encoder(tmp_path)
    pages = [("a", "river stone water"), ("b", "water  stone river"), ("c", "中 文 中 文 中 文"), ("d", "")]
    stage = SemanticDedup(embedding={"model": f"onnx:{tmp_path}"}, min_cosine=0.999, keep="smallest_id")
    found = verdicts(stage, documents(pages), context)
    assert {name: row["duplicate_of"] for name, row in found.items()} == {"a": None, "b": "a", "c": None}
    assert evidence(tmp_path, "semantic_clusters")[0]["terms"] is None
    assert [Path(path).name for path in stage.files] == ["model.onnx", "tokenizer.json"]


def test_settings_out_of_range_are_refused() -> None:
    for settings in ({"min_cosine": 0}, {"min_cosine": 1.1}, {"num_clusters": 0}, {"keep_by_centroid": "random"}):
        with pytest.raises(ValidationError):
            SemanticDedup(**settings)
    assert set(SemanticDedup(keep={"highest": "edu.score"}).requires) == {"text", "url", "doc_id", "edu.score"}
