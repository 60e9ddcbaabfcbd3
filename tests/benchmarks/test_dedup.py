"""The corpus with planted duplicates, and the arithmetic of recall and precision, against slow and obvious counts."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.append(str(BENCHMARKS))  # as when one of them is run

from dedup_corpus import KINDS, Maker, Stock, identity, layout, stocks, version  # noqa: E402
from dedup_same import shuffled, split_by_date  # noqa: E402
from dedup_truth import (  # noqa: E402
    Band,
    band_table,
    natural_truth,
    pair_jaccards,
    precision,
    recall,
    shortfall,
    word_jaccard,
    word_shingles,
)

from curate.kernels.shingles import shingle_sets  # noqa: E402

WORDS = " ".join(f"word{n}" for n in range(60))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker(stocks(None, tmp_path_factory.mktemp("cache")), layout(400))


@given(st.integers(1, 5_000), st.integers(0, 3))
def test_every_document_has_one_place_in_the_layout(documents: int, seed: int) -> None:
    plan = layout(documents, seed)
    families = plan.families()
    assert sorted(itertools.chain(*families)) == list(range(plan.template.start))
    assert all(2 <= len(family) <= 20 for family in families)
    assert plan.template.stop <= documents
    assert [plan.family(family[-1]) for family in families] == list(range(len(families)))
    assert plan.family(documents) == -1
    assert sorted(plan.order()) == list(range(documents))


def test_a_text_is_a_function_of_seed_and_number(made: Maker) -> None:
    again = Maker(made.stocks, layout(400))
    for number in (0, 1, made.plan.template.start, 399):
        assert made.row(number) == again.row(number)
    assert Maker(made.stocks, layout(400, seed=1)).text(399) != made.text(399)
    assert len({identity(0, number) for number in range(400)}) == 400


def test_what_was_not_planted_has_little_in_common(made: Maker) -> None:
    sets = shingle_sets(pa.array([made.text(number) for number in range(made.plan.template.stop, 400)]))
    left, right = np.triu_indices(len(sets.num_shingles), 1)
    assert pair_jaccards(sets, left, right).max() < 0.3


def test_families_reach_from_alike_to_equal_and_a_template_is_alike_throughout(made: Maker) -> None:
    for numbers in made.plan.families():
        sets = shingle_sets(pa.array([made.text(number) for number in numbers]))
        zeros = np.zeros(len(numbers) - 1, np.int64)
        assert pair_jaccards(sets, zeros, zeros + np.arange(1, len(numbers))).min() > 0.35
    pages = shingle_sets(pa.array([made.text(number) for number in made.plan.template]))
    left, right = np.triu_indices(len(pages.num_shingles), 1)
    found = pair_jaccards(pages, left, right)
    assert found.min() > 0.6
    assert found.max() < 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wanted", [0.5, 0.8, 0.95])
def test_a_version_is_about_as_similar_as_it_should_be(kind: str, wanted: float) -> None:
    draw = np.random.default_rng(1)
    stock = Stock(draw.permutation(20_000).astype(np.int32), [f"w{n} " for n in range(20_000)])
    base = stock.ids[:4_000]
    texts = [" ".join(map(str, words)) for words in (base, version(base, kind, wanted, stock, draw))]
    found = word_jaccard(*map(word_shingles, texts))
    assert found == pytest.approx(1 if kind in ("copied", "respaced") else wanted, abs=0.05)


@given(st.lists(st.text(alphabet="ab ,", max_size=30), min_size=2, max_size=6))
def test_jaccards_of_pairs_are_those_of_python_sets(texts: list[str]) -> None:
    left, right = np.triu_indices(len(texts), 1)
    found = pair_jaccards(shingle_sets(pa.array(texts)), left, right).tolist()
    for a, b, jaccard in zip(left, right, found, strict=True):
        if texts[a].strip(" ,") and texts[b].strip(" ,"):  # a text without words is similar to nothing
            assert jaccard == pytest.approx(word_jaccard(word_shingles(texts[a]), word_shingles(texts[b])))


def test_a_pair_is_found_unless_both_stay() -> None:
    pairs = pa.table({"a": ["1", "3", "5", "7"], "b": ["2", "4", "6", "8"], "jaccard": [0.8, 0.8, 0.79, 1.0]})
    bands = recall(pairs, pa.array(["1", "2", "3", "5"]))
    assert [(band.low, band.pairs, band.found) for band in bands if band.pairs] == [(0.7, 1, 1), (0.8, 2, 1), (1, 1, 1)]
    assert bands[3].recall == 0.5
    assert bands[0].recall is None
    assert bands[3].predicted == pytest.approx(2 * (1 - (1 - 0.8**8) ** 14))
    assert "0.500" in band_table({"who": bands})


@pytest.mark.parametrize(("found", "points"), [(92, 0), (91, 1), (100, -8), (0, 92)])
def test_the_shortfall_counts_points_behind_the_curve(found: int, points: float) -> None:
    below = Band(0.7, 0.8, 10, 0, 7)
    assert shortfall([below, Band(0.8, 0.9, 100, found, 92.0)]) == pytest.approx(points)
    assert shortfall([below]) is None


def test_a_removal_needs_a_document_that_stays_and_is_near_enough() -> None:
    cut = " ".join(WORDS.split()[:30])
    texts = pa.table({"id": ["a", "b", "c", "d", "e"], "text": [WORDS, WORDS + " more", cut, "x " + WORDS, WORDS]})
    families = {"a": 0, "b": 0, "c": 0, "d": 1, "e": 1}
    found = precision(texts, families, {"a", "z"}, documents=8)
    # b has a; c is half of a; nothing of the family of d and e stays; of three others two went
    assert found == (6, 6, 1, 2)
    assert found.share == 1 / 6
    assert precision(texts, families, set(families), documents=5).share is None


@pytest.mark.parametrize(("shared", "justified"), [(39, 0), (40, 1), (41, 1)])
def test_a_removal_on_the_bound_is_justified(shared: int, justified: int) -> None:
    """50 shingles in one text, so many of which are all that the other has."""
    words = [f"w{n}" for n in range(54)]
    texts = pa.table({"id": ["a", "b"], "text": [" ".join(words), " ".join(words[: shared + 4])]})
    assert precision(texts, {"a": 0, "b": 0}, {"a"}, 2).justified == justified


def test_natural_pairs_are_compared_one_with_another(tmp_path: Path) -> None:
    texts = [WORDS, WORDS + " more", "something else that has nothing in common with it"]
    pq.write_table(pa.table({"id": ["x/1", "x/2", "x/3"], "text": texts}), tmp_path / "documents.parquet")
    truth = natural_truth(tmp_path / "documents.parquet", tmp_path / "input")
    (pair,) = truth.pairs.to_pylist()
    assert (pair["a"], pair["b"]) == ("000000", "000001")
    assert pair["jaccard"] == pytest.approx(56 / 57)
    assert truth.findable == 1
    assert (truth.missed(pa.array(["000000", "000001"])), truth.missed(pa.array(["000000", "000002"]))) == (1, 0)
    assert pq.read_table(tmp_path / "input" / "documents.parquet")["text"].to_pylist() == texts


def test_dumps_and_shuffled_files_hold_every_row_once(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    dates = [f"2026-01-{1 + n % 28:02d}" for n in range(90)]
    pq.write_table(pa.table({"id": list(map(str, range(90))), "date": dates}), tmp_path / "corpus" / "part.parquet")
    dumps = split_by_date(tmp_path / "corpus", tmp_path, 3)
    parts = [pq.read_table(dump) for dump in dumps]
    shuffled(tmp_path / "corpus", tmp_path / "shuffled", None)
    for rows in (pa.concat_tables(parts), pq.read_table(tmp_path / "shuffled")):
        assert sorted(rows["id"].to_pylist(), key=int) == list(map(str, range(90)))
    days = [part["date"].to_pylist() for part in parts]
    assert max(days[0]) < min(days[1])
    assert max(days[1]) < min(days[2])
    assert all(20 <= part.num_rows <= 40 for part in parts)
