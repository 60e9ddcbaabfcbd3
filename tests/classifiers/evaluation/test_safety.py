"""A safety report counts every row of a corpus, by source and language, however its files are cut."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from classifiers.evaluation.intervals import Figure
from classifiers.evaluation.metrics import evaluate
from classifiers.evaluation.safety import (
    MAX_GROUPS,
    NUM_SAMPLES,
    OTHERS,
    UNKNOWN,
    Category,
    as_json,
    category_of,
    estimated_share,
    safety,
    write_safety,
)
from classifiers.evaluation.score_mixture import mixture_of
from curate.errors import InputError

HATE = Category("hate", "toxicity.score", 0.5)


def documents(scores, **columns):
    n = len(scores)
    signals = pa.StructArray.from_arrays([pa.array(scores, pa.float32()), pa.array([1] * n)], ["score", "other"])
    made = {
        "doc_id": pa.array([f"{(i * 7919) % 10007:05}" for i in range(n)]),
        "text": pa.array([f"text {i}" for i in range(n)], pa.string()),
        "source": pa.array(["web", "books"] * (n // 2) + ["web"] * (n % 2)).dictionary_encode(),  # as a run has it
        "language": pa.array(["en"] * n, pa.string()),
        "toxicity": signals,
    }
    return pa.table({**made, **columns})


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    pq.write_table(documents([0.9, 0.5, 0.49, None, 0.1]), tmp_path / "part.parquet")
    return tmp_path


def test_every_row_is_counted_and_the_bound_is_called(corpus):
    (report,) = safety(corpus, [HATE])
    (everything,) = report.by["all"]
    assert (everything.num_rows, everything.num_without_score, everything.num_called) == (4, 1, 2)
    assert everything.called.value == 0.5
    web, books = report.by["source"]
    assert (web.name, web.num_rows, web.num_called) == ("web", 3, 1)
    assert (books.name, books.num_rows, books.num_without_score, books.num_called) == ("books", 1, 1, 1)
    assert {one.text for one in report.samples} == {"text 0", "text 1"}
    assert {one.source for one in report.samples} == {"web", "books"}


def test_where_less_is_worse_the_bound_is_from_above(corpus):
    (report,) = safety(corpus, [HATE._replace(more_is_worse=False)])
    assert report.by["all"][0].num_called == 3  # 0.5, 0.49 and 0.1; without a score none


def test_counts_flags_and_nulls_are_numbers_too(tmp_path):
    table = pa.table({"doc_id": list("abc"), "count": [0, 2, 5], "flag": [True, False, None], "none": pa.nulls(3)})
    pq.write_table(table, tmp_path / "x.parquet")
    found = safety(tmp_path, [Category("a", "count", 2), Category("b", "flag", 1), Category("c", "none", 0)])
    everything = [report.by["all"][0] for report in found]
    assert [(one.num_rows, one.num_called) for one in everything] == [(3, 2), (2, 1), (0, 0)]


@pytest.mark.parametrize("rows_per_group", [1, 7, 1000])
def test_files_and_row_groups_make_no_difference(tmp_path, rows_per_group):
    scores = np.random.default_rng(0).random(200).tolist()
    table = documents(scores)
    pq.write_table(table, tmp_path / "one.parquet")
    (tmp_path / "many").mkdir()
    pq.write_table(table.slice(0, 33), tmp_path / "many" / "b.parquet", row_group_size=rows_per_group)
    pq.write_table(table.slice(33), tmp_path / "many" / "a.parquet", row_group_size=rows_per_group)
    (one,), (many,) = safety(tmp_path / "one.parquet", [HATE]), safety(str(tmp_path / "many"), [HATE])
    assert one == many
    called = sorted(row for row, score in zip(table["doc_id"].to_pylist(), scores, strict=True) if score >= 0.5)
    assert [sample.doc_id for sample in one.samples] == called[:NUM_SAMPLES]


def test_files_are_read_once_for_all_categories(tmp_path, monkeypatch):
    scores = np.random.default_rng(1).random(60)
    signals = pa.StructArray.from_arrays([pa.array(scores), pa.array(range(60))], ["score", "other"])
    pq.write_table(documents([0.0] * 60, toxicity=signals), tmp_path / "x.parquet", row_group_size=20)
    asked = [
        HATE,
        HATE._replace(name="surely", threshold=0.9),
        HATE._replace(name="little", threshold=0.1, more_is_worse=False),
        Category("odd", "toxicity.other", 50),
    ]
    alone = [safety(tmp_path, [one])[0] for one in asked]
    read = []

    class Noting(pq.ParquetFile):
        def read_row_group(self, number, columns):
            read.append((number, "text" in columns))
            return super().read_row_group(number, columns=columns)

    monkeypatch.setattr(pq, "ParquetFile", Noting)
    said = []
    assert safety(tmp_path, asked, lambda done, detail: said.append((done, detail))) == alone
    assert sorted(read) == [(number, text) for number in range(3) for text in (False, True)]
    assert said == [(1.0, "60 rows")]


def test_of_a_run_the_documents_are_read_and_unfinished_files_are_not(tmp_path):
    places = ("documents/source=a [1]/x", "documents/source=b/_x", "documents/_tmp/x", "passes/0/x")
    for count, place in enumerate(places, 1):
        path = tmp_path / "run" / f"{place}.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(documents([0.9] * count), path)
    assert safety(tmp_path / "run", [HATE])[0].by["all"][0].num_rows == 1


def test_small_groups_are_summed_and_nothing_is_lost(tmp_path):
    sources = [f"s{i:02}" for i in range(MAX_GROUPS + 4)] + ["s00", None]
    n = len(sources)
    pq.write_table(documents([0.9] * n, source=pa.array(sources)), tmp_path / "x.parquet")
    rows = safety(tmp_path, [HATE])[0].by["source"]
    assert (rows[0].name, rows[0].num_called) == ("s00", 2)
    assert rows[-1].name == OTHERS
    assert UNKNOWN in {row.name for row in rows}
    assert sum(row.num_called for row in rows) == n


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_the_true_share_is_found_again(share, recall, rate):
    called = share * recall + (1 - share) * rate
    found = estimated_share(called, recall, rate)
    if recall <= rate:
        assert found is None
    elif recall - rate > 1e-3:
        assert found == pytest.approx(share, abs=1e-9)


@pytest.mark.parametrize(("called", "expected"), [(0.05, 0.0), (0.01, 0.0), (0.9, 1.0), (0.99, 1.0)])
def test_a_share_beyond_what_the_score_can_say_is_clipped(called, expected):
    assert estimated_share(called, 0.9, 0.05) == expected


def test_an_evaluation_gives_recall_and_false_positive_rate(tmp_path):
    rows = [("hate", 0.9)] * 80 + [("hate", 0.1)] * 20 + [("fine", 0.9)] * 10 + [("fine", 0.1)] * 90
    judged = pa.table(
        {"label": [r[0] for r in rows], "score": [r[1] for r in rows], "group": [str(i) for i in range(200)]}
    )
    category = category_of("hate", "toxicity.score", evaluate(judged, "hate"))
    assert (category.threshold, category.recall.value, category.false_positive_rate.value) == (0.5, 0.8, 0.1)
    pq.write_table(documents([0.9] * 31 + [0.1] * 69), tmp_path / "x.parquet")
    (everything,) = safety(tmp_path, [category])[0].by["all"]
    assert everything.estimated.value == pytest.approx((0.31 - 0.1) / 0.7)
    assert everything.estimated.low < everything.estimated.value < everything.estimated.high


def test_where_scores_are_unlike_the_examples_nothing_is_estimated(tmp_path):
    rng = np.random.default_rng(3)
    high, low = rng.uniform(0.8, 1, 500), rng.uniform(0, 0.2, 500)
    mixture = mixture_of(np.concatenate([high, low]), np.arange(1000) < 500)
    category = HATE._replace(recall=Figure(0.9, 0.8, 1.0), false_positive_rate=Figure(0.1, 0.0, 0.2), mixture=mixture)
    scores = np.concatenate([rng.choice(high, 100), rng.choice(low, 300), rng.uniform(0.4, 0.6, 300)])
    sources = pa.array(["alike"] * 400 + ["else"] * 300)
    pq.write_table(documents(scores, source=sources), tmp_path / "x.parquet", row_group_size=123)
    reports = safety(tmp_path, [category])
    alike, other = reports[0].by["source"]
    assert (alike.name, alike.unlike) == ("alike", None)
    assert alike.estimated.value == pytest.approx((0.25 - 0.1) / 0.8)
    assert other.unlike > 0.2
    assert other.estimated == Figure(None)
    assert reports[0].by["all"][0].unlike > 0.2
    write_safety(reports, tmp_path / "safety.html", "x")
    assert "scores unlike the examples" in (tmp_path / "safety.html").read_text("utf-8")
    assert as_json(reports)[0]["category"]["mixture"] is None


def test_the_range_of_an_estimate_has_all_that_is_not_known(tmp_path):
    exact = HATE._replace(recall=Figure(0.9, 0.9, 0.9), false_positive_rate=Figure(0.1, 0.1, 0.1))
    for num in (10, 1000):
        pq.write_table(documents([0.9] * num + [0.1] * num), tmp_path / "x.parquet")
        (row,) = safety(tmp_path, [exact])[0].by["all"]
        assert row.estimated.low == pytest.approx(estimated_share(row.called.low, 0.9, 0.1))
        assert row.estimated.high == pytest.approx(estimated_share(row.called.high, 0.9, 0.1))


def test_a_source_without_any_score_is_not_listed(tmp_path):
    sources = pa.array(["web", "web", "books", "books"])
    pq.write_table(documents([0.9, None, None, None], source=sources), tmp_path / "x.parquet")
    (report,) = safety(tmp_path, [HATE])
    assert [row.name for row in report.by["source"]] == ["web"]
    assert report.by["all"][0].num_without_score == 3


def test_without_an_evaluation_nothing_is_estimated(corpus):
    assert safety(corpus, [HATE])[0].by["all"][0].estimated == Figure(None)


def test_a_corpus_without_rows_and_without_columns_is_a_report_too(tmp_path):
    pq.write_table(documents([]), tmp_path / "none.parquet")
    (everything,) = safety(tmp_path, [HATE])[0].by["all"]
    assert (everything.num_rows, everything.called) == (0, Figure(None))
    pq.write_table(pa.table({"doc_id": ["a"], "score": [0.7]}), tmp_path / "none.parquet")
    (report,) = safety(tmp_path, [Category("hate", "score", 0.5)])
    assert list(report.by) == ["all"]
    assert report.samples[0].text == ""


def test_what_is_missing_is_named(corpus, tmp_path):
    with pytest.raises(InputError, match=r"no column hate\.score\. Numbers in it: toxicity\.score, "):
        safety(corpus, [Category("hate", "hate.score", 0.5)])
    with pytest.raises(InputError, match=r"text in .* is string, not a number\. Numbers in it: toxicity\.score"):
        safety(corpus, [Category("hate", "text", 0.5)])
    pq.write_table(pa.table({"score": [0.5]}), tmp_path / "z.parquet")
    with pytest.raises(InputError, match="no column doc_id: it is neither of a run nor"):
        safety(tmp_path / "z.parquet", [Category("hate", "score", 0.5)])
    (tmp_path / "empty").mkdir()
    for place in ("elsewhere", "empty"):
        with pytest.raises(InputError, match="no parquet file"):
            safety(tmp_path / place, [HATE])
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(InputError, match="cannot be read"):
        safety(tmp_path / "broken.parquet", [HATE])
    evaluation = evaluate(pa.table({"label": ["a"], "score": [7.0], "group": ["x"]}), "hate")
    with pytest.raises(InputError, match="no threshold"):
        category_of("hate", "score", evaluation)


def test_the_page_shows_texts_and_runs_nothing(tmp_path):
    hostile = "</pre><script>pwned()</script><img src=x onerror=pwned()>\x00\ud7ff"
    n = 4
    columns = {name: pa.array([hostile] * n) for name in ("text", "source", "url")}
    pq.write_table(documents([0.9, 0.8, 0.2, None], **columns), tmp_path / "x.parquet")
    reports = safety(tmp_path, [HATE._replace(name=hostile)])
    write_safety(reports, tmp_path / "safety.html", hostile)
    tree = html.document_fromstring((tmp_path / "safety.html").read_text("utf-8"))
    assert not tree.xpath("//script | //img | //@onerror | //@src")
    assert "default-src 'none'" in tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    assert "pwned()" in tree.xpath("//pre")[0].text_content()
    assert "66.67%" in tree.text_content()
    json.dumps(as_json(reports), allow_nan=False)
    assert as_json(reports)[0]["samples"] == []


def test_values_that_are_printed_alike_are_counted_together(tmp_path):
    long = "s" * 300
    sources = pa.array([None, UNKNOWN, None, f"{long}a", f"{long}b"])
    pq.write_table(documents([0.9] * 5, source=sources), tmp_path / "x.parquet")
    (report,) = safety(tmp_path, [HATE])
    assert {row.name: row.num_called for row in report.by["source"]} == {UNKNOWN: 3, long[:200]: 2}


def test_ids_and_sources_may_be_numbers(tmp_path):
    numbers = {"doc_id": pa.array([3, 1, 2]), "source": pa.array([7, None, 7]), "language": pa.nulls(3)}
    pq.write_table(documents([0.9, 0.8, 0.1], **numbers), tmp_path / "x.parquet")
    (report,) = safety(tmp_path, [HATE])
    assert [(one.doc_id, one.source) for one in report.samples] == [("1", ""), ("3", "7")]
    assert [(row.name, row.num_rows) for row in report.by["source"]] == [("7", 2), (UNKNOWN, 1)]
