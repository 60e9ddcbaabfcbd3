"""WARC files, whole and split, good and damaged, as batches of documents. The oracle for good files is FastWARC."""

from __future__ import annotations

import gzip
import io
from collections import Counter
from pathlib import Path

import pytest
import zstandard
from fastwarc.stream_io import BrotliWriter
from fastwarc.warc import ArchiveIterator, WarcRecordType
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.document import RAW_SCHEMA, doc_id
from curate.readers.read import read
from curate.readers.rows import ReadStats
from curate.readers.source import InputFile, Source, list_files
from curate.readers.splits import plan_splits
from curate.readers.warc_records import Fault, read_records

PAGE = b"<html><body><p>Hello, world</p></body></html>"


def http(body: bytes = PAGE, *headers: str, status: str = "200 OK", content_type: str = "text/html") -> bytes:
    lines = [f"HTTP/1.1 {status}", *([f"Content-Type: {content_type}"] if content_type else []), *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def record(block: bytes, kind: str = "response", url: str = "http://a.example/", length: int | None = None) -> bytes:
    content_type = {"response": "application/http; msgtype=response", "conversion": "text/plain"}.get(kind, "text/html")
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Date: 2024-01-02T03:04:05Z\r\nWARC-Target-URI: {url}\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(block) if length is None else length}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def zstd_file(records: list[bytes]) -> bytes:
    return b"".join(zstandard.ZstdCompressor().compress(r) for r in records)


CONTAINERS = {
    "plain": b"".join,
    "gzip member per record": lambda records: b"".join(gzip.compress(r) for r in records),
    "one gzip stream": lambda records: gzip.compress(b"".join(records)),
    "two records per gzip member": lambda records: b"".join(
        gzip.compress(b"".join(records[i : i + 2])) for i in range(0, len(records), 2)
    ),
    "record over two gzip members": lambda records: b"".join(
        gzip.compress(r[:90]) + gzip.compress(r[90:]) for r in records
    ),
    "zstd frame per record": zstd_file,
}


def rows_of(
    path: Path, *, split_bytes: int = 1 << 60, stats: ReadStats | None = None, **settings: object
) -> list[dict]:
    source = Source(name="web", paths=(str(path),), **settings)
    splits = plan_splits(list_files(source), source, split_bytes)
    return [row for split in splits for batch in read(split, source, stats=stats) for row in batch.to_pylist()]


def rows_of_bytes(tmp_path: Path, data: bytes, **settings: object) -> list[dict]:
    path = tmp_path / "a.warc"
    path.write_bytes(data)
    return rows_of(path, **settings)


def one(tmp_path: Path, block: bytes, kind: str = "response", **settings: object) -> dict:
    (row,) = rows_of_bytes(tmp_path, record(block, kind), **settings)
    return row


def test_a_page_becomes_a_row_with_its_raw_columns(tmp_path: Path):
    row = one(tmp_path, http(content_type='Text/HTML; charset="GBK"'))
    assert row["payload"] == PAGE
    assert row["text"] is None
    assert (row["content_type"], row["charset"]) == ("text/html", "gbk")
    assert (row["url"], row["date"], row["source"]) == ("http://a.example/", "2024-01-02T03:04:05Z", "web")
    assert dict(row["meta"]) == {"http_status": "200"}
    assert row["doc_id"] == doc_id("http://a.example/", "2024-01-02T03:04:05Z", PAGE)
    assert row["offset"] == 0
    assert row["drop_reason"] is None


def test_batches_have_the_documents_schema_and_keep_to_their_bounds(tmp_path: Path):
    path = tmp_path / "a.warc"
    path.write_bytes(b"".join(record(http(PAGE * 100)) for _ in range(10)))
    source = Source(name="web", paths=(str(path),))
    (split,) = plan_splits(list_files(source), source)
    assert [b.num_rows for b in read(split, source, batch_rows=4)] == [4, 4, 2]
    assert [b.num_rows for b in read(split, source, batch_bytes=2 * len(PAGE) * 100)] == [2, 2, 2, 2, 2]
    assert all(b.schema.equals(RAW_SCHEMA) for b in read(split, source))


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_record_is_read_exactly_once_for_any_split_size(container: str, tmp_path: Path):
    records = [record(http(PAGE + b"%d " % i * (i % 7) * 40), url=f"http://a.example/{i}") for i in range(40)]
    path = tmp_path / "a.warc"
    path.write_bytes(CONTAINERS[container](records))
    expected = [f"http://a.example/{i}" for i in range(40)]
    for split_bytes in (1 << 60, 4_000, 701, 100, 37):
        rows = rows_of(path, split_bytes=split_bytes)
        assert [row["url"] for row in rows] == expected, split_bytes
        assert not any(row["drop_reason"] for row in rows)


@settings(max_examples=60, deadline=None)
@given(
    container=st.sampled_from(sorted(CONTAINERS)),
    bodies=st.lists(st.binary(max_size=400) | st.just(b"\r\n\r\nWARC/1.0\r\n\r\n"), min_size=1, max_size=8),
    split_bytes=st.integers(20, 3_000),
)
def test_splitting_never_changes_what_is_read(container: str, bodies: list[bytes], split_bytes: int):
    data = CONTAINERS[container]([record(http(body)) for body in bodies])
    bounds = [*range(0, len(data), split_bytes)]
    read_back = []
    for start, end in zip(bounds, [*bounds[1:], None], strict=True):
        read_back += read_records(io.BytesIO(data), start, end, 1 << 20)
    assert [item.block for item in read_back] == [http(body) for body in bodies]


@settings(max_examples=150, deadline=None)
@given(
    container=st.sampled_from(sorted(CONTAINERS)),
    cuts=st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=12)), min_size=1, max_size=3),
    stop=st.floats(0, 1),
)
def test_damage_anywhere_raises_nothing(container: str, cuts: list[tuple[float, bytes]], stop: float):
    data = CONTAINERS[container]([record(http(PAGE * 3)) for _ in range(6)])
    for at, junk in cuts:
        place = int(at * len(data))
        data = data[:place] + junk + data[place + len(junk) // 2 :]
    for start, end in ((0, None), (0, len(data) // 2), (len(data) // 2, None)):
        list(read_records(io.BytesIO(data[: int(stop * len(data))]), start, end, 1 << 20))


@pytest.mark.parametrize("container", ["plain", "gzip member per record", "zstd frame per record"])
def test_reading_goes_on_after_damage_with_one_error_row(container: str, tmp_path: Path):
    records = [record(http(PAGE + bytes([65 + i]) * 300), url=f"http://a.example/{i}") for i in range(5)]
    members = [CONTAINERS[container]([r]) for r in records]
    members[2] = members[2][: len(members[2]) // 2] + b"\0garbage\xff" * 3
    path = tmp_path / "a.warc"
    path.write_bytes(b"".join(members))
    for split_bytes in (1 << 60, len(members[0])):
        rows = rows_of(path, split_bytes=split_bytes)
        kept = [row["url"][-1] for row in rows if row["drop_reason"] is None]
        broken = [row for row in rows if row["drop_reason"]]
        assert {"0", "1", "4"} <= set(kept)
        assert broken
        assert all(row["drop_reason"].startswith("error_") for row in broken)
        assert all(row["file_path"] == str(path) and row["payload"] is None for row in broken)


def test_a_cut_gzip_file_ends_with_one_row(tmp_path: Path):
    data = b"".join(gzip.compress(record(http(PAGE + bytes([65 + i]) * 50))) for i in range(3))
    path = tmp_path / "cut.warc.gz"
    path.write_bytes(data[:-20])
    assert [row["drop_reason"] for row in rows_of(path)] == [None, None, "error_truncated_gzip"]


def test_error_rows_have_ids_that_depend_on_the_place_alone(tmp_path: Path):
    first, second = (rows_of_bytes(tmp_path, record(http(), length=10_000)) for _ in range(2))
    assert first == second
    assert first[0]["drop_reason"] == "error_truncated_record"


def test_a_dictionary_in_the_first_zstd_frame_is_used(tmp_path: Path):
    records = [record(http(PAGE + b"%d" % i * 20), url=f"http://a.example/{i}") for i in range(200)]
    dictionary = zstandard.train_dictionary(4_096, records)
    packed = dictionary.as_bytes()
    frames = [zstandard.ZstdCompressor(dict_data=dictionary).compress(r) for r in records]
    path = tmp_path / "a.warc.zst"
    path.write_bytes(b"\x5d\x2a\x4d\x18" + len(packed).to_bytes(4, "little") + packed + b"".join(frames))
    for split_bytes in (1 << 60, 3_000):
        assert [row["url"] for row in rows_of(path, split_bytes=split_bytes)] == [
            f"http://a.example/{i}" for i in range(200)
        ]


@pytest.mark.parametrize("kind", ["warcinfo", "request", "metadata", "revisit", "continuation"])
def test_records_that_are_no_documents_are_counted_and_skipped(kind: str, tmp_path: Path):
    path = tmp_path / "a.warc"
    path.write_bytes(record(b"x: y\r\n", kind))
    stats = ReadStats()
    assert rows_of(path, stats=stats) == []
    assert stats.records == {kind: 1}


def test_a_wet_record_is_text(tmp_path: Path):
    row = one(tmp_path, "Grüße\xff 你好".encode() + b"\xff", "conversion")
    assert row["text"] == "Grüße\xff 你好\ufffd"
    assert row["payload"] is None
    assert row["content_type"] == "text/plain"


def test_a_resource_is_its_bytes(tmp_path: Path):
    row = one(tmp_path, PAGE, "resource")
    assert (row["payload"], row["content_type"]) == (PAGE, "text/html")


@pytest.mark.parametrize(
    ("status", "reason"),
    [("199 x", "http_status_not_ok"), ("200 OK", None), ("204", None), ("299 x", None), ("300 x", "http_status_not_ok"),
     ("404 Not Found", "http_status_not_ok")],
)  # fmt: skip
def test_only_2xx_is_kept(status: str, reason: str | None, tmp_path: Path):
    row = one(tmp_path, http(status=status))
    assert row["drop_reason"] == reason
    assert dict(row["meta"])["http_status"] == status[:3]
    assert row["drop_stage"] == ("read" if reason else None)


@pytest.mark.parametrize(
    ("content_type", "body", "reason"),
    [
        ("text/plain", b"plain", None),
        ("application/xhtml+xml", PAGE, None),
        ("application/pdf", b"%PDF-1.4", "content_type_not_text"),
        ("image/png", b"\x89PNG", "content_type_not_text"),
        ("text/css", b"p {}", "content_type_not_text"),
        ("", PAGE, None),
        ("", b"%PDF-1.4", "content_type_not_text"),
        ("html", PAGE, None),
        ("text/html", b"", "payload_empty"),
    ],
)
def test_the_media_type_decides_and_is_sniffed_where_missing(
    content_type: str, body: bytes, reason: str | None, tmp_path: Path
):
    row = one(tmp_path, http(body, content_type=content_type))
    assert row["drop_reason"] == reason
    assert (row["payload"] is None) == (reason is not None)


def test_the_policy_on_media_types_is_a_setting(tmp_path: Path):
    pdf = http(b"%PDF-1.4", content_type="application/pdf")
    assert one(tmp_path, pdf, content_types=("application/pdf",))["drop_reason"] is None


def brotli(data: bytes) -> bytes:
    out = io.BytesIO()
    with BrotliWriter(out) as writer:
        writer.write(data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (["Content-Encoding: gzip"], gzip.compress(PAGE, mtime=0)),
        (["Content-Encoding: br"], brotli(PAGE)),
        (["Content-Encoding: zstd"], zstandard.compress(PAGE)),
        (["Content-Encoding: gzip"], PAGE),  # stored decoded, as crawlers do
        (["Content-Encoding: utf-8"], PAGE),
        (["Transfer-Encoding: chunked"], b"5\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (PAGE[:5], len(PAGE) - 5, PAGE[5:])),
        (["Transfer-Encoding: chunked"], PAGE),
    ],
)  # fmt: skip
def test_codings_are_undone(headers: list[str], body: bytes, tmp_path: Path):
    assert one(tmp_path, http(body, *headers))["payload"] == PAGE


@pytest.mark.parametrize(
    ("headers", "body", "reason"),
    [
        (["Content-Encoding: gzip"], gzip.compress(PAGE, mtime=0)[:10] + b"\xff" * 40, "error_content_encoding"),
        (["Content-Encoding: br"], b"\x01\x02\x03\x04" * 9, "error_content_encoding"),
        (["Content-Encoding: gzip,gzip,gzip,gzip,gzip"], PAGE, "error_content_encoding"),
        (["Transfer-Encoding: chunked"], b"2\r\nab\r\nnot a chunk size at all\r\n", "error_transfer_encoding"),
    ],
)
def test_a_bad_coding_is_a_row_with_a_reason(headers: list[str], body: bytes, reason: str, tmp_path: Path):
    assert one(tmp_path, http(body, *headers))["drop_reason"] == reason


def test_a_block_that_is_no_http_is_a_row_with_a_reason(tmp_path: Path):
    assert one(tmp_path, b"\x00\x01\x02")["drop_reason"] == "error_http_header"


def test_the_bound_on_documents_is_inclusive_and_holds_after_decoding(tmp_path: Path):
    bound = {"max_document_bytes": 1_000}
    assert one(tmp_path, http(b"a" * 1_000), **bound)["drop_reason"] is None
    assert one(tmp_path, http(b"a" * 1_001), **bound)["drop_reason"] == "payload_too_large"
    assert one(tmp_path, http(b"a" * 200_000), **bound)["drop_reason"] == "payload_too_large"
    bomb = gzip.compress(b"a" * 50_000_000)
    row = one(tmp_path, http(bomb, "Content-Encoding: gzip"), max_document_bytes=100_000)
    assert (row["drop_reason"], row["payload"]) == ("payload_too_large", None)


def test_header_names_in_any_case_and_folded_are_read(tmp_path: Path):
    lower = record(http(), url="http://b.example/").replace(b"Content-Length:", b"content-length:\r\n ")
    rows = rows_of_bytes(tmp_path, record(http()) + lower + record(http()))
    assert [row["url"] for row in rows] == ["http://a.example/", "http://b.example/", "http://a.example/"]
    assert [row["payload"] for row in rows] == [PAGE] * 3


@pytest.mark.parametrize(
    "data", [b"", b"\r\n\r\n", b"WARC", b"filedesc://x 0.0.0.0 1 text/plain 3\n", b"\x1f\x8b\x08\0"]
)
def test_no_file_is_silent(data: bytes, tmp_path: Path):
    rows = rows_of_bytes(tmp_path, data)
    assert len(rows) == 1
    assert rows[0]["drop_reason"].startswith("error_")


def test_a_flood_of_faults_is_bounded():
    items = list(read_records(io.BytesIO(b"\n\nWARC/9.9\r\n\r\n" * 20_000), 0, None, 1_000))
    assert all(isinstance(item, Fault) for item in items)
    assert items[-1].reason == "too_many_faults"


def test_every_broken_file_gives_rows_or_counts(shared_data: Path):
    source = Source(name="broken", paths=(str(shared_data / "web" / "broken"),))
    files = list_files(source)
    assert len(files) > 100
    for split in plan_splits(files, source, 1 << 60):
        stats = ReadStats()
        rows = sum(batch.num_rows for batch in read(split, source, stats=stats))
        assert rows + sum(stats.records.values()) >= 1, split.path
        assert rows == stats.documents + sum(stats.reasons.values())


@pytest.mark.parametrize("name", ["clueweb-quirk.warc.gz", "example-iana.org-chunked.warc", "dupes.warc.gz"])
def test_broken_files_read_the_same_in_splits(name: str, shared_data: Path):
    path = shared_data / "web" / "broken" / name
    assert rows_of(path, split_bytes=1_500) == rows_of(path)


@pytest.mark.parametrize("name", ["commoncrawl_small.warc.gz", "commoncrawl_2008_2010.warc.gz", "one_page.warc"])
def test_real_crawls_agree_with_fastwarc_and_with_their_splits(name: str, shared_data: Path):
    path = shared_data / "web" / name
    rows = rows_of(path)
    with path.open("rb") as file:
        responses = [
            (r.headers.get("WARC-Target-URI"), r.reader.read())
            for r in ArchiveIterator(file, auto_decode="all")
            if r.record_type == WarcRecordType.response
        ]
    bodies = {(row["url"], row["payload"]) for row in rows if row["drop_reason"] is None}
    assert len(rows) == len(responses)
    assert bodies <= set(responses)
    assert len(bodies) > 0
    expected = Counter(row["doc_id"] for row in rows)
    for split_bytes in (5_000, 100_000):
        assert Counter(row["doc_id"] for row in rows_of(path, split_bytes=split_bytes)) == expected


def test_the_plan_covers_a_file_of_unknown_size():
    source = Source(name="web", paths=("x",), format="warc")
    (split,) = plan_splits([InputFile("x", None, "")], source)
    assert (split.start, split.end) == (0, None)


def test_record_types_of_a_strangers_making_are_counted_together(tmp_path):
    records = b"".join(
        b"WARC/1.0\r\nWARC-Type: %s\r\nContent-Length: 2\r\n\r\nab\r\n\r\n" % kind
        for kind in (b"warcinfo", b"hello", b"<script>")
    )
    (tmp_path / "odd.warc").write_bytes(records)
    source = Source(name="web", paths=(str(tmp_path / "odd.warc"),))
    stats = ReadStats()
    for split in plan_splits(list_files(source), source):
        list(read(split, source, stats=stats))
    assert dict(stats.records) == {"warcinfo": 1, "other": 2}
