from __future__ import annotations

import random
from collections import defaultdict
from typing import Any

import pyarrow as pa
import pytest
from document_nodes import no_files, number_of
from pydantic import ValidationError

from curate.dedup.exact import ExactDedup
from curate.kernels.normalize import normalized
from curate.kernels.url_key import UrlRules, url_key
from curate.spark.context import CorpusContext
from curate.spark.documents import Documents

spark_test = pytest.mark.spark


def verdicts(stage: ExactDedup, documents: Documents, context: Any) -> dict[int, tuple[Any, ...]]:
    """By position in the list of documents: reason, survivor, size of the group."""
    rows = stage.apply(documents, context).collect()
    assert len(rows) == len({row.node for row in rows})
    return {number_of(row.node, len(documents.parts)): tuple(row)[1:] for row in rows}


#: Groups that have nothing in common with each other, so that one run answers for all: (doc_id, text, date).
PAGES: list[tuple[str | None, ...]] = [
    ("spaced1", "same  text", "2024-02-01"),
    ("spaced2", "same text ", "2024-01-01"),
    ("spaced3", "same\ntext", "2024-01-01"),
    ("spaced4", "same text", None),
    ("case", "Same text", "2020-01-01"),
    ("composed", "Cafe\u0301 au lait", "2024-01-02"),
    ("composed2", "Caf\u00e9 au lait", "2024-01-01"),
    ("empty1", ""),
    ("empty2", None),
    ("empty3", " \n\u3000"),
    ("twin", "twice"),
    ("twin", "twice"),
    ("alone", "once"),
]


@pytest.fixture(scope="module")
def one_run(spark: Any, documents: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[int, Any], list[Any]]:
    """Verdicts and the evidence over all groups."""
    folder = str(tmp_path_factory.mktemp("evidence") / "clusters")

    def save(name: str, relation: Any) -> Any:
        relation.write.parquet(folder)
        return spark.read.parquet(folder)

    found = verdicts(ExactDedup(), documents(PAGES), CorpusContext(spark, 0, save, no_files))
    return found, spark.read.parquet(folder).collect()


@spark_test
def test_equal_texts_leave_the_earliest_then_the_smallest_id(one_run: tuple[dict[int, Any], list[Any]]) -> None:
    found, _ = one_run
    assert [found[n] for n in range(4)] == [
        ("exact_duplicate", "spaced2", 4),
        (None, None, 4),
        ("exact_duplicate", "spaced2", 4),
        ("exact_duplicate", "spaced2", 4),
    ]
    assert 4 not in found
    assert 12 not in found


@spark_test
def test_composition_does_not_count(one_run: tuple[dict[int, Any], list[Any]]) -> None:
    assert [one_run[0][n] for n in (5, 6)] == [("exact_duplicate", "composed2", 2), (None, None, 2)]


@spark_test
def test_empty_and_null_texts_are_equal(one_run: tuple[dict[int, Any], list[Any]]) -> None:
    duplicate = ("exact_duplicate", "empty1", 3)
    assert [one_run[0][n] for n in (7, 8, 9)] == [(None, None, 3), duplicate, duplicate]


@spark_test
def test_one_of_two_identical_records_stays(one_run: tuple[dict[int, Any], list[Any]]) -> None:
    assert {one_run[0][10], one_run[0][11]} == {(None, None, 2), ("exact_duplicate", "twin", 2)}


@spark_test
def test_the_evidence_has_every_document_of_a_group(one_run: tuple[dict[int, Any], list[Any]]) -> None:
    found, evidence = one_run
    assert {number_of(row.node): (row.duplicate_of, row.cluster_size) for row in evidence} == {
        number: verdict[1:] for number, verdict in found.items()
    }
    smallest = {"spaced": "spaced1", "composed": "composed", "empty": "empty1", "twin": "twin"}
    assert {row.cluster_id: row.doc_id.rstrip("1234") for row in evidence} == {v: k for k, v in smallest.items()}


@spark_test
def test_the_verdict_has_the_declared_signals(documents: Any, context: Any) -> None:
    found = ExactDedup().apply(documents([("a", "x")]), context)
    assert found.columns == ["node", "drop_reason", *ExactDedup().signals.names]
    assert [kind for _, kind in found.dtypes] == ["bigint", "string", "string", "bigint"]
    assert found.count() == 0


@spark_test
def test_settings_decide_what_is_equal_and_who_stays(documents: Any, context: Any) -> None:
    pages = documents([("b", "TEXT", "2020-01-01"), ("a", "text", "2024-01-01"), ("c", "text.", "2024-01-01")])
    by_id = ExactDedup(normalization="caseless", keep="smallest_id")
    assert verdicts(by_id, pages, context) == {0: ("exact_duplicate", "a", 2), 1: (None, None, 2)}
    earliest = ExactDedup(normalization="caseless")
    assert verdicts(earliest, pages, context) == {0: (None, None, 2), 1: ("exact_duplicate", "b", 2)}


@spark_test
def test_visits_of_one_page(documents: Any, context: Any) -> None:
    urls = [
        "http://www.a.org/x?b=1&a=2",
        "https://a.org/x/?a=2&b=1&utm_source=feed",
        "https://a.org/x?a=2&b=1#top",
        "https://a.org/y",
        None,
        None,
        "",
        " ",
    ]
    dates = ["2024-01-01", "2024-03-01", "2024-02-01"]
    pages = documents(
        {"doc_id": f"{n}", "text": "same", "url": url, "date": dates[n] if n < 3 else None}
        for n, url in enumerate(urls)
    )
    latest = ExactDedup(key="url", keep="latest")
    assert verdicts(latest, pages, context) == {
        0: ("url_duplicate", "1", 3),
        1: (None, None, 3),
        2: ("url_duplicate", "1", 3),
    }
    strict = ExactDedup(key="url", strip_www=False, sort_query=False, drop_params=())
    assert verdicts(strict, pages, context) == {}


@spark_test
@pytest.mark.parametrize("key", ["text", "url"])
@pytest.mark.parametrize("parts", [1, 4, 32])
def test_order_and_partitioning_change_nothing(documents: Any, context: Any, key: Any, parts: int) -> None:
    rng = random.Random(parts)
    pages = [
        {
            "doc_id": f"{n:03}",
            "text": rng.choice(["{}", " {}\n", "{}  "]).format(f"text {n * 7 % 50}"),
            "url": f"http{rng.choice(['', 's'])}://a.org/{n * 7 % 50}{rng.choice(['', '/', '#x'])}",
            "date": f"2024-01-{1 + n % 3:02}",
        }
        for n in range(160)
    ]
    rng.shuffle(pages)
    found = verdicts(ExactDedup(key=key), documents(pages, parts, partitions=min(parts, 4)), context)
    groups = defaultdict(list)
    for page in pages:
        form = normalized(page["text"], "whitespace") if key == "text" else url_key(page["url"], UrlRules())
        groups[form].append(page)
    best = {form: min(group, key=lambda page: (page["date"], page["doc_id"])) for form, group in groups.items()}
    by_id = {pages[number]["doc_id"]: verdict for number, verdict in found.items()}
    for form, group in groups.items():
        for page in group:
            survivor = best[form]["doc_id"]
            stays = page["doc_id"] == survivor
            expected = (
                None if stays else f"{'exact' if key == 'text' else 'url'}_duplicate",
                None if stays else survivor,
            )
            assert by_id[page["doc_id"]] == (*expected, len(group))


def test_bytes_that_are_not_utf8_are_told_apart() -> None:
    texts = pa.array([b"\xff x", b"\xff  x", b"\xfe x", b"x"], pa.binary()).view(pa.string())
    columns = {"node": [0, 1, 2, 3], "text": texts, "doc_id": ["a", "b", "c", "d"], "date": pa.nulls(4, pa.string())}
    hashed = ExactDedup()._hasher()(pa.RecordBatch.from_pydict(columns))
    first, second, *others = zip(hashed["hash_0"].to_pylist(), hashed["hash_1"].to_pylist(), strict=True)
    assert first == second
    assert len({first, *others}) == 3


def test_it_asks_for_what_it_reads() -> None:
    assert set(ExactDedup().requires) == {"text", "doc_id", "date"}
    assert set(ExactDedup(key="url", keep="smallest_id").requires) == {"url", "doc_id"}
    assert set(ExactDedup(key="url", keep="longest").requires) == {"url", "doc_id", "text"}


@pytest.mark.parametrize("name", ["", "*", "a b", "Utm_source", "utm_*x", "a=b"])
def test_a_parameter_that_no_url_has_is_an_error(name: str) -> None:
    with pytest.raises(ValidationError):
        ExactDedup(key="url", drop_params=(name,))
