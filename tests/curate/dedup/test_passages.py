"""Duplicate passages go, one copy stays: against strings and dictionaries, in any partitioning and order."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from document_nodes import node_of, number_of
from hypothesis import given
from hypothesis import strategies as st
from passage_oracle import deduplicated, letters, most_frequent
from pydantic import ValidationError

from curate.dedup.passage_copies import marks, sent
from curate.dedup.passage_records import SAMPLE
from curate.dedup.passages import NOTHING_LEFT, PassageDedup
from curate.kernels.cuts import CUTS, cut

SETTINGS = [
    {},
    {"unit": "paragraph"},
    {"unit": "sentence", "window": 1},
    {"unit": "sentence"},
    {"window": 2, "normalization": "whitespace"},
    {"copies": "drop_all", "normalization": "none"},
    {"max_copies": 2},
    {"max_copies": 3, "copies": "drop_all", "window": 2},
    {"min_chars": 2},
    {"keep": "longest"},
]
CORPORA = st.lists(st.text(alphabet="ab\n.\n $", max_size=24), max_size=12)


def named(texts):
    """(doc_id, text), ids in the order of the list."""
    return [(f"{n:016x}" + "0" * 16, text) for n, text in enumerate(texts)]


def streamed(stage, rows, shuffled, num_tasks, size, step):
    """node to verdict, from the functions that Spark runs, in tasks of our own: batches of documents of `size`, rows
    shuffled, sorted by key, handed over `step` at a time."""
    comparing = stage.comparing(num_buckets=3 * num_tasks)
    batches = []
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        columns = {"node": [1000 + start + n for n in range(len(part))]}
        columns |= {"doc_id": [doc_id for doc_id, _ in part], "text": [text for _, text in part]}
        batches.append(sent(pa.RecordBatch.from_pydict(columns), comparing))
    made = _task_by_task(batches, shuffled, num_tasks, step, ["bucket", "kind"], lambda part: marks(part, comparing))
    rest = [batch.filter(pc.not_equal(batch["kind"], SAMPLE)) for batch in made]
    verdicts = _task_by_task(rest, shuffled, num_tasks, step, ["base", "kind", "node"], stage.verdicts)
    return {row["node"] - 1000: row for batch in verdicts for row in batch.to_pylist()}


def _task_by_task(batches, shuffled, num_tasks, step, keys, function):
    out = []
    if not batches:
        return out
    rows = pa.concat_batches(batches)
    order = list(range(rows.num_rows))
    shuffled.shuffle(order)
    rows = rows.take(pa.array(order, pa.int64()))
    for task in range(num_tasks):
        mine = rows.filter(pa.array([key % num_tasks == task for key in rows[keys[0]].to_pylist()], pa.bool_()))
        mine = mine.sort_by([(key, "ascending") for key in keys])
        out += function(mine.slice(start, step) for start in range(0, mine.num_rows, step))
    return out


def check(rows, found, settings):
    """That the verdicts by number of the document are those of the oracle."""
    texts = [text for _, text in rows]
    options = dict(settings)
    longest = options.pop("keep", None) == "longest"
    options["form"] = options.pop("normalization", "ccnet")
    options["drop_all"] = options.pop("copies", "keep_first") == "drop_all"
    options.setdefault("window", 3 if options.get("unit") == "sentence" else 1)
    priority = [(-len(text) if longest else 0, doc_id) for doc_id, text in rows]
    for n, (passages, gone, left) in enumerate(deduplicated(texts, priority, **options)):
        verdict = found.get(n)
        if not passages:
            assert verdict is None
            continue
        assert (verdict["num_passages"], verdict["num_duplicate_passages"]) == (passages, gone)
        assert verdict["drop_reason"] == (NOTHING_LEFT if left is None else None)
        assert verdict["cuts"] is None if left is None or not gone else verdict["cuts"]
        assert left is None or _cut(texts[n], verdict) == left


def _cut(text, verdict):
    return cut(pa.array([text]), pa.array([verdict["cuts"]], CUTS)).to_pylist()[0]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@given(CORPORA, st.randoms(), st.integers(1, 4), st.integers(1, 5), st.integers(1, 5))
def test_what_goes_is_what_strings_and_dictionaries_say(settings, texts, shuffled, num_tasks, size, step):
    rows = named(texts)
    shuffled.shuffle(rows)
    found = streamed(PassageDedup(**settings), rows, shuffled, num_tasks, size, step)
    check(rows, found, settings)


@given(CORPORA, st.integers(1, 4))
def test_what_is_taken_out_stays_whole_in_one_place(texts, window):
    rows = named(texts)
    found = streamed(PassageDedup(window=window), rows, random.Random(0), 2, 4, 3)
    left = [
        "" if found.get(n, {}).get("drop_reason") else _cut(text, found[n]) if n in found else text
        for n, (_, text) in enumerate(rows)
    ]
    assert most_frequent(left).keys() == most_frequent(texts).keys()
    if window == 1:
        assert all(count == 1 for form, count in most_frequent(left).items() if letters(form))


def verdict(stage, *texts):
    """Verdicts in the order of the texts."""
    found = streamed(stage, named(texts), random.Random(0), 1, 10, 10)
    return [found[n] for n in range(len(texts))]


def test_a_document_of_which_too_little_is_left_goes():
    for least, reason in ((3, None), (4, "chars_left_below_min")):
        assert verdict(PassageDedup(min_chars_left=least), "same", "same\nabc")[1]["drop_reason"] == reason


def test_a_document_of_which_too_much_is_a_copy_goes():
    for most, reason in ((0.5, None), (0.49, "duplicate_char_frac_above_max")):
        found = verdict(PassageDedup(max_duplicate_frac=most), "same", "same\nabcd")[1]
        assert (found["duplicate_char_frac"], found["drop_reason"]) == (0.5, reason)
        assert (found["cuts"] is None) == (reason is not None)
    assert verdict(PassageDedup(max_duplicate_frac=0), "same", "other")[1]["drop_reason"] is None
    assert verdict(PassageDedup(max_duplicate_frac=0), "same", "same")[1]["drop_reason"] == NOTHING_LEFT


def test_what_has_neither_letter_nor_digit_stays():
    first, second = verdict(PassageDedup(), "```\ncode\n```", "```\nmore\n```\ncode")
    assert (first["num_duplicate_passages"], second["num_duplicate_passages"]) == (0, 1)
    assert _cut("```\nmore\n```\ncode", second) == "```\nmore\n```"


def test_settings_have_bounds():
    for wrong in ({"window": 0}, {"window": 65}, {"min_chars": -1}, {"max_copies": 0}, {"max_duplicate_frac": 1.1}):
        with pytest.raises(ValidationError):
            PassageDedup(**wrong)


def test_a_policy_that_looks_at_signals_requires_them():
    assert PassageDedup().requires == ("text", "doc_id")
    assert PassageDedup(keep=({"highest": "fineweb_edu.score"}, "earliest")).requires == (
        "text",
        "doc_id",
        "fineweb_edu.score",
        "date",
    )


CORPUS = [
    "Menu\nAbout us\nA first article.\nCopyright 2024",
    "MENU\nAbout us\nA second article.\nCopyright 2023",
    "Menu\nA first article.",
    "",
    None,
    "首页\n这是一篇文章。这是第二句。\n版权所有",
    "首页\n另一篇文章。这是第二句。\n版权所有",
]


@pytest.mark.spark
@pytest.mark.parametrize(("parts", "partitions"), [(1, 1), (4, 4), (7, 32)])
def test_spark_finds_the_same_in_any_partitioning_and_order(documents: Any, context: Any, parts: int, partitions: int):
    texts = [*CORPUS, *(f"{n % 7}\nx{n}\n{n % 5}" for n in range(60))]
    rows = named(texts)
    random.Random(parts).shuffle(rows)
    stage = PassageDedup(normalization="whitespace")
    verdicts = stage.apply(documents(rows, parts, partitions), context)
    found = {number_of(row.node, parts): row.asDict(recursive=True) for row in verdicts.collect()}
    check([(doc_id, text or "") for doc_id, text in rows], found, {"normalization": "whitespace"})


@pytest.mark.spark
def test_the_most_frequent_duplicates_are_kept_as_evidence(documents: Any, context: Any, spark: Any, tmp_path: Path):
    texts = ["Share\nunique", "share!\n" + "long " * 100, "Share\n" + "Long " * 100 + "\nSHARE", "自己\n一"]
    PassageDedup(keep="longest", num_samples=5).apply(documents(named(texts)), context)
    rows = sorted(spark.read.parquet(str(tmp_path / "passages")).collect(), key=lambda row: -row.copies)
    assert [(row.copies, row.documents, row.doc_id[15], row.text) for row in rows] == [
        (4, 3, "2", "Share"),
        (2, 2, "2", ("Long " * 100)[:300]),
    ]
    PassageDedup(copies="drop_all", num_samples=1).apply(documents(named(texts)), context)
    row = spark.read.parquet(str(tmp_path / "passages")).collect()[0]
    assert (row.copies, row.doc_id, row.text) == (4, None, "Share")


@pytest.mark.spark
def test_windows_are_shown_whole_and_ties_are_broken_by_hash(documents: Any, context: Any, spark: Any, tmp_path: Path):
    texts = [f"A{n}.\nB. C.\nD.\nE{n}." for n in range(3)]
    PassageDedup(unit="sentence", normalization="none").apply(documents(named(texts)), context)
    rows = spark.read.parquet(str(tmp_path / "passages")).collect()
    assert [(row.text, row.copies) for row in rows] == [("B. C.\nD.", 3)]


@pytest.mark.spark
def test_a_corpus_without_documents_or_duplicates_has_verdicts_all_the_same(documents: Any, context: Any):
    assert PassageDedup().apply(documents([]), context).collect() == []
    found = PassageDedup().apply(documents([("a", "one\ntwo"), ("b", None)]), context).collect()
    assert [(row.node, row.drop_reason, row.num_passages, row.cuts) for row in found] == [(node_of(0), None, 2, None)]


@pytest.mark.spark
@pytest.mark.parametrize("settings", [{}, {"unit": "sentence"}], ids=str)
def test_real_pages_lose_copies_only(documents: Any, context: Any, shared_data: Path, settings: dict[str, Any]):
    table = pq.read_table(shared_data / "neardup" / "documents.parquet").slice(0, 200)
    texts = [text or "" for text in table["text"].to_pylist()]
    rows = named(texts)
    found = {number_of(row.node): row for row in PassageDedup(**settings).apply(documents(rows), context).collect()}
    assert sum(row.num_duplicate_passages for row in found.values()) > 0
    if not settings:
        check(rows, {n: row.asDict(recursive=True) for n, row in found.items()}, settings)
