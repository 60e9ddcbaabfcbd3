"""The extract stage: pages become text, each bad one becomes a reason, and nothing else changes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from curate.document import RAW_SCHEMA, uniform
from curate.errors import EnvironmentProblem
from curate.extraction import extract as extract_module
from curate.extraction.extract import Extract
from curate.extraction.model import ExtractorModel, save
from curate.fused import run_steps
from curate.kernels.page_features import FEATURES, PAGE_TYPES
from curate.kernels.page_profile import PROFILE
from curate.kernels.page_traits import LEXICON_SIZE
from curate.kernels.trees import Tree, packed
from curate.readers.read import read
from curate.readers.source import Source, list_files
from curate.readers.splits import plan_splits
from curate.recipe import Step
from curate.stage import Modified

SENTENCE = "The quick brown fox jumps over the lazy dog while the committee discusses the annual budget. "
MARKUP = st.text(st.sampled_from("<>/apdiv =\"'&;#0é"), max_size=200).map(str.encode)
EXTRACTORS = ("learned", "trafilatura", "resiliparse")
LEARNED_ONLY = (
    *("page_type", "quality", "num_blocks", "num_chosen", "fallback"),
    *("mojibake_count", "mojibake_repaired"),
)


def article(body: str = SENTENCE * 8) -> bytes:
    return (
        f"<html lang=en><head><title>News</title></head><body><article><p>{body}</p></article></body></html>".encode()
    )


def documents(payloads: Sequence[bytes | None], **columns: Any) -> pa.RecordBatch:
    """A batch; a column given as one value holds it in every row."""
    size = len(payloads)
    columns = {"payload": list(payloads), "doc_id": "0" * 32, "content_type": "text/html", **columns}
    arrays = [
        pa.array(value if isinstance(value, list) else [value] * size, field.type)
        for field in RAW_SCHEMA
        for value in [columns.get(field.name)]
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=RAW_SCHEMA)


def run(stage: Extract, batch: pa.RecordBatch) -> tuple[list[str | None], list[dict[str, Any]]]:
    modified = stage.modify(batch)
    check(stage, batch, modified)
    return modified.columns["text"].to_pylist(), modified.signals.to_pylist()


def check(stage: Extract, batch: pa.RecordBatch, modified: Modified) -> None:
    assert set(modified.columns) == set(stage.writes)
    for name, column in modified.columns.items():
        assert len(column) == batch.num_rows
        assert column.type == RAW_SCHEMA.field(name).type
    assert len(modified.signals) == batch.num_rows
    assert modified.signals.type == stage.signals


@pytest.mark.parametrize("extractor", EXTRACTORS)
def test_a_page_becomes_its_main_text(extractor: str) -> None:
    (text,), (signals,) = run(Extract(extractor=extractor), documents([article()]))
    assert text is not None
    assert text.strip() == (SENTENCE * 8).strip()
    own = {name: signals.pop(name) for name in LEARNED_ONLY}
    assert signals == {
        "text_chars": len(text),
        "html_bytes": len(article()),
        "charset": "utf-8",
        "charset_from": "utf8",
        "extractor": extractor,
        "error": None,
    }
    if extractor == "learned":
        assert own["page_type"] in PAGE_TYPES
        assert 0 < own["quality"] <= 1
        assert {name: own[name] for name in ("num_blocks", "num_chosen", "fallback")} == {
            "num_blocks": 1,
            "num_chosen": 1,
            "fallback": None,
        }
        assert own["mojibake_count"] == own["mojibake_repaired"] == 0
    else:
        assert set(own.values()) == {None}


def test_mojibake_is_counted_and_repaired() -> None:
    (text,), (signals,) = run(Extract(), documents([article(SENTENCE * 8 + "Henri LÃ©vy")]))
    assert text == SENTENCE * 8 + "Henri Lévy"
    assert signals["mojibake_count"] == signals["mojibake_repaired"] == 1


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Extract:
    """A stage whose model takes all text for main text, so that what is asked does not depend on what was learned."""
    path = tmp_path_factory.mktemp("model") / "everything.npz"
    nothing, leaf = np.zeros(0, np.int64), np.ones(1, np.float32)
    tree = Tree(nothing, np.zeros(0, np.float32), nothing, nothing, leaf)
    blocks, types = packed([tree], len(FEATURES)), packed([tree] * len(PAGE_TYPES), len(PROFILE), len(PAGE_TYPES))
    save(ExtractorModel(blocks, types, np.zeros(LEXICON_SIZE, np.float32)), path)
    return Extract(model_path=str(path))


@pytest.mark.parametrize("extractor", ["learned", "trafilatura"])
def test_markdown_keeps_headings_and_lists(extractor: str, everything: Extract) -> None:
    page = article(
        f"</p><h2>News</h2><p>{SENTENCE * 8}</p><ul><li>{SENTENCE}</li><li>{SENTENCE}</li></ul><p>{SENTENCE}"
    )
    stage = everything if extractor == "learned" else Extract(extractor=extractor)
    (text,), _ = run(stage.model_copy(update={"format": "markdown"}), documents([page]))
    assert text is not None
    assert "## News" in text.splitlines()
    assert text.splitlines().count(f"- {SENTENCE.strip()}") == 2
    (plain,), _ = run(stage, documents([page]))
    assert plain is not None
    assert "#" not in plain


@pytest.mark.parametrize(("num_shown", "is_taken"), [(0, True), (24, True), (25, False), (26, False)])
def test_data_of_a_page_is_taken_where_it_has_more_than_twice_the_words(
    num_shown: int, is_taken: bool, everything: Extract
) -> None:
    body = json.dumps({"@type": "Article", "articleBody": "data " * 50})
    page = f"<title>News</title><script type='application/ld+json'>{body}</script><p>{'shown ' * num_shown}</p>"
    (text,), (signals,) = run(everything, documents([page.encode()]))
    assert text == ("data " * 50 if is_taken else "shown " * num_shown).strip()
    assert signals["fallback"] == ("json_ld" if is_taken else None)


@pytest.mark.parametrize(("num_shown", "is_taken"), [(99, True), (100, False)])
def test_a_page_that_shows_a_text_is_not_asked_for_data(num_shown: int, is_taken: bool, everything: Extract) -> None:
    body = json.dumps({"@type": "Article", "articleBody": "data " * 1000})
    page = f"<script type='application/ld+json'>{body}</script><p>{'shown ' * num_shown}</p>"
    _, (signals,) = run(everything, documents([page.encode()]))
    assert signals["fallback"] == ("json_ld" if is_taken else None)


def test_an_empty_batch_has_the_same_types() -> None:
    assert run(Extract(), documents([])) == ([], [])


def test_text_that_is_there_already_passes_unchanged() -> None:
    batch = documents([None, None, None], text=["from a WET file", "", None], meta=[[("status", "200")], None, []])
    modified = Extract().modify(batch)
    assert modified.columns["text"].equals(batch["text"])
    assert modified.columns["meta"].to_pylist() == [[("status", "200")], None, []]
    signals = modified.signals.to_pylist()
    assert [signal["text_chars"] for signal in signals] == [15, 0, 0]
    assert {signal["extractor"] for signal in signals} == {None}


def test_meta_gains_what_the_head_offers_and_keeps_what_the_reader_knew() -> None:
    batch = documents([article()], meta=[[("title", "from the reader"), ("status", "200")]])
    (meta,) = Extract().modify(batch).columns["meta"].to_pylist()
    assert dict(meta) == {"title": "from the reader", "status": "200", "declared_language": "en"}


@pytest.mark.parametrize("charset", ["windows-1251", None])
def test_the_declared_charset_is_used(charset: str | None) -> None:
    body = "Съешь же ещё этих мягких французских булок, да выпей чаю. " * 8
    page = article(body).decode().encode("cp1251")
    (text,), (signals,) = run(Extract(), documents([page], charset=charset))
    assert text is not None
    assert text.strip() == body.strip()
    assert (signals["charset"], signals["charset_from"]) == ("cp1251", "http" if charset else "detected")


def test_plain_text_is_taken_as_it_is() -> None:
    plain = "a <b> c\n\n" + "<div>" * 5000
    stage = Extract(extractor="resiliparse", max_depth=1)
    (text,), (signals,) = run(stage, documents([plain.encode()], content_type="text/plain"))
    assert text == plain
    assert signals["extractor"] is None


@pytest.mark.parametrize("content_type", ["text/html", "application/xhtml+xml", "", None])
def test_pages_are_served_under_several_types(content_type: str | None) -> None:
    (text,), _ = run(Extract(), documents([article()], content_type=content_type))
    assert text


@pytest.mark.parametrize("content_type", ["application/pdf", "image/png", "video/mp4", "text/css"])
def test_other_types_are_refused(content_type: str) -> None:
    (text,), (signals,) = run(Extract(), documents([article()], content_type=content_type))
    assert (text, signals["error"], signals["text_chars"]) == (None, "not_html", None)


@pytest.mark.parametrize("payload", [b"%PDF-1.7 text", b"\x89PNG\r\n", bytes(range(256)) * 99, b"\x01\x02" * 500])
@pytest.mark.parametrize("extractor", EXTRACTORS)
def test_binary_rubbish_is_no_page(payload: bytes, extractor: str) -> None:
    _, (signals,) = run(Extract(extractor=extractor), documents([payload]))
    assert signals["error"] == "not_html"


@pytest.mark.parametrize("payload", [b"", b" \n", b"<html>", b"\0\0\0", b"<!-- -->", b"<body></body>"])
@pytest.mark.parametrize("extractor", EXTRACTORS)
def test_a_page_without_text_has_an_empty_text(payload: bytes, extractor: str) -> None:
    stage = Extract(extractor=extractor)
    batch = documents([payload])
    (text,), (signals,) = run(stage, batch)
    assert (text, signals["text_chars"], signals["error"]) == ("", 0, None)
    (limit,) = stage.limits
    assert limit.reason == "text_chars_below_min"
    assert limit.broken_by(stage.modify(batch).signals).to_pylist() == [True]


@pytest.mark.parametrize(("num_bytes", "error"), [(999, None), (1000, None), (1001, "html_too_large")])
def test_size_is_bounded(num_bytes: int, error: str | None) -> None:
    _, (signals,) = run(Extract(max_html_bytes=1000), documents([article("").ljust(num_bytes)]))
    assert signals["error"] == error


@pytest.mark.parametrize(("num_tags", "error"), [(99, None), (100, None), (101, "too_many_tags")])
def test_tags_are_bounded(num_tags: int, error: str | None) -> None:
    _, (signals,) = run(Extract(extractor="resiliparse", max_tags=100), documents([b"<p>word</p>" * num_tags]))
    assert signals["error"] == error


@pytest.mark.parametrize(("num_tags", "error"), [(9, None), (10, None), (11, "too_many_tags")])
def test_the_learned_extractor_has_a_bound_on_tags_of_its_own(
    num_tags: int, error: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extract_module, "MAX_LEARNED_TAGS", 10)
    _, (signals,) = run(Extract(max_tags=1, max_depth=1), documents([b"<p>word" * num_tags]))
    assert signals["error"] == error


@pytest.mark.parametrize(("depth", "error"), [(99, None), (100, None), (101, "too_deep")])
def test_depth_is_bounded(depth: int, error: str | None) -> None:
    _, (signals,) = run(Extract(extractor="resiliparse", max_depth=100), documents([b"<div>" * depth + b"word"]))
    assert signals["error"] == error


@pytest.mark.parametrize("extractor", EXTRACTORS)
@pytest.mark.parametrize("tag", ["div", "b", "a", "table", "p", "font", "x-y"])
def test_a_hundred_thousand_nested_tags_are_survived(extractor: str, tag: str) -> None:
    deep = f"<{tag}>".encode() * 100_000 + b"end"
    texts, signals = run(Extract(extractor=extractor), documents([deep, article()]))
    assert signals[0]["error"] in {None, "too_deep"}
    assert texts[1]


def test_a_hundred_megabytes_are_refused_unread() -> None:
    _, (signals,) = run(Extract(), documents([b"<p>" + b"a" * (100 << 20)]))
    assert (signals["error"], signals["html_bytes"]) == ("html_too_large", (100 << 20) + 3)


@pytest.mark.parametrize("extractor", EXTRACTORS)
def test_scripts_are_not_text(extractor: str) -> None:
    page = article(f"{SENTENCE * 8}<script>alert('stolen()')</script><style>.stolen{{}}</style><img onerror=stolen()>")
    (text,), _ = run(Extract(extractor=extractor), documents([page]))
    assert text is not None
    assert "stolen" not in text
    assert "<" not in text


def test_markup_that_a_page_writes_about_stays_text() -> None:
    (text,), _ = run(Extract(), documents([article(SENTENCE * 5 + "&lt;script&gt;alert(1)&lt;/script&gt;")]))
    assert text is not None
    assert "<script>alert(1)</script>" in text


@pytest.mark.parametrize("extractor", EXTRACTORS)
def test_nuls_and_surrogates_do_not_reach_the_text(extractor: str) -> None:
    page = article(SENTENCE * 8 + "&#0; &#xD800; \0 end.")
    (text,), _ = run(Extract(extractor=extractor), documents([page]))
    assert text is not None
    assert "\0" not in text
    assert text.rstrip().endswith("end.")


def test_a_crash_costs_one_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    monkeypatch.setattr(extract_module, "TARGET", "hostile_engine:segfault")
    payloads = [article("first. " * 30), article("CRASH"), None, article("last. " * 30)]
    batch = documents(payloads, text=[None, None, "x", None])
    texts, signals = run(Extract(extractor="trafilatura"), batch)
    assert [text and text.split()[0] for text in texts] == ["first.", None, "x", "last."]
    assert [signal["error"] for signal in signals] == [None, "crash", None, None]


@pytest.mark.parametrize("extractor", EXTRACTORS)
def test_a_document_gives_the_same_in_any_company(extractor: str) -> None:
    pages = [article(f"Number {n}. {SENTENCE * (n % 5 + 1)}") for n in range(12)]
    stage = Extract(extractor=extractor)
    together, _ = run(stage, documents([*pages, *pages]))
    alone = [run(stage, documents([page]))[0][0] for page in reversed(pages)][::-1]
    assert together == [*alone, *alone]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.none() | st.binary(max_size=200) | MARKUP),
    st.sampled_from(["text/html", "text/plain", None]),
    st.sampled_from([None, "utf-8", "gbk", "nonsense"]),
)
def test_any_bytes_give_one_row_each(
    payloads: list[bytes | None], content_type: str | None, charset: str | None
) -> None:
    batch = documents(payloads, content_type=content_type, charset=charset)
    for extractor in ("learned", "resiliparse"):
        texts, signals = run(Extract(extractor=extractor), batch)
        for payload, text, signal in zip(payloads, texts, signals, strict=True):
            assert signal["error"] in {None, "not_html"}
            if payload is not None:
                assert (text is None) == (signal["error"] is not None)
                assert signal["text_chars"] == (None if text is None else len(text))


@pytest.mark.parametrize(
    "wrong",
    [
        {"extractor": "readability"},
        {"engine": "trafilatura"},
        {"max_html_bytes": 0},
        {"max_seconds": 0},
        {"max_memory_mib": 1},
        {"maxdepth": 5},
        {"fast": True},
        {"tables": False},
        {"comments": False},
        {"extractor": "resiliparse", "tables": False},
        {"extractor": "resiliparse", "format": "markdown"},
        {"extractor": "trafilatura", "model_path": "own.npz"},
    ],
)
def test_settings_without_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Extract(**wrong)


def test_the_model_is_a_file_of_the_stage(tmp_path: Path) -> None:
    (shipped,) = Extract().files
    assert Extract(extractor="resiliparse").files == ()
    own = tmp_path / "own.npz"
    own.write_bytes(Path(shipped).read_bytes())
    assert Extract(model_path=str(own)).files == (str(own),)
    texts = [run(stage, documents([article()]))[0] for stage in (Extract(), Extract(model_path=str(own)))]
    assert texts[0] == texts[1]
    with pytest.raises(EnvironmentProblem, match="wanted SHA-256"):
        Extract(model_path=str(own), model_sha256="0" * 64).modify(documents([article()]))
    with pytest.raises(EnvironmentProblem, match="cannot read"):
        Extract(model_path=str(tmp_path / "none.npz")).modify(documents([article()]))


def mutated(page: bytes, other: bytes, number: int) -> bytes:
    """A page that was cut short, spliced with another, or had bytes flipped, by what its number says."""

    def place(purpose: str, size: int) -> int:
        return int(uniform(f"{number:032x}", 0, purpose) * size)

    if number % 3 == 0:
        return page[: place("end", len(page))]
    if number % 3 == 1:
        return page[: place("end", len(page))] + other[place("start", len(other)) :]
    flipped = bytearray(page)
    for flip in range(1 + place("flips", 200)):
        flipped[place(f"where {flip}", len(page))] ^= 1 << place(f"bit {flip}", 8)
    return bytes(flipped)


def test_damaged_pages_have_a_text_or_a_reason(shared_data: Path) -> None:
    payloads, _, _ = records(shared_data / "web" / "commoncrawl_2008_2010.warc.gz")
    payloads = [payload for payload in payloads if payload]
    pages = [mutated(payloads[n % len(payloads)], payloads[(7 * n + 1) % len(payloads)], n) for n in range(100)]
    texts, signals = run(Extract(), documents(pages))
    for text, signal in zip(texts, signals, strict=True):
        assert (text is None) == (signal["error"] == "not_html")
        assert signal["error"] in {None, "not_html"}


def records(path: Path) -> tuple[list[bytes], list[str | None], list[str | None]]:
    """Payloads, content types and charsets of the responses of a WARC."""
    fastwarc = pytest.importorskip("fastwarc.warc")
    payloads, types, charsets = [], [], []
    with path.open("rb") as stream:
        for record in fastwarc.ArchiveIterator(stream, record_types=fastwarc.WarcRecordType.response):
            payloads.append(record.reader.read())
            types.append((record.http_content_type or "").lower() or None)
            charsets.append(record.http_charset)
    return payloads, types, charsets


@pytest.mark.parametrize("extractor", ["learned", "resiliparse"])
def test_real_crawl_records_all_come_back(shared_data: Path, extractor: str) -> None:
    found = [records(shared_data / "web" / f"commoncrawl_{name}.warc.gz") for name in ("2008_2010", "small")]
    payloads, types, charsets = ([value for part in found for value in part[column]] for column in range(3))
    texts, signals = run(Extract(extractor=extractor), documents(payloads, content_type=types, charset=charsets))
    assert {signal["error"] for signal in signals} <= {None, "not_html"}
    assert sum(bool(text) for text in texts) > 0.9 * sum(signal["error"] is None for signal in signals)


def test_broken_archives_give_rows_with_a_text_or_a_reason(shared_data: Path) -> None:
    step = Step.model_validate("extract")
    for path in sorted((shared_data / "web" / "broken").rglob("*")):
        if not path.is_file():
            continue
        source = Source(name="web", paths=(str(path),))
        for split in plan_splits(list_files(source), source, 32 << 20):
            for batch in read(split, source):
                done = run_steps(batch, [step])
                for row in done.select(["text", "drop_reason"]).to_pylist():
                    assert row["text"] or row["drop_reason"], path


@pytest.mark.spark
def test_it_runs_inside_spark_workers(spark: Any) -> None:
    stage = Extract()
    rows = [(n, bytearray(article(f"Number {n}. {SENTENCE * 3}"))) for n in range(10)]

    def extract(batches: Any) -> Any:
        for batch in batches:
            size = batch.num_rows
            given = {"payload": batch["payload"], "content_type": pa.array(["text/html"] * size, pa.string())}
            columns = [given.get(field.name, pa.nulls(size, field.type)) for field in RAW_SCHEMA]
            modified = stage.modify(pa.RecordBatch.from_arrays(columns, names=RAW_SCHEMA.names))
            yield pa.RecordBatch.from_arrays([batch["n"], modified.columns["text"]], names=["n", "text"])

    frame = spark.createDataFrame(rows, "n long, payload binary").repartition(2)
    for _ in range(2):  # the second time the workers are used ones
        found = {row["n"]: row["text"] for row in frame.mapInArrow(extract, "n long, text string").collect()}
        assert sorted(found) == list(range(10))
        assert all(text.startswith(f"Number {n}.") for n, text in found.items())
