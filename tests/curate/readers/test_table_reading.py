"""Parquet, JSON lines and whole files as documents."""

from __future__ import annotations

import bz2
import datetime
import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curate.document import doc_id
from curate.errors import InputError
from curate.readers.read import read
from curate.readers.source import Source, list_files
from curate.readers.splits import plan_splits


def rows_of(path: Path, split_bytes: int = 1 << 60, **settings: object) -> list[dict]:
    source = Source(name="s", paths=(str(path),), **settings)
    splits = plan_splits(list_files(source), source, split_bytes)
    return [row for split in splits for batch in read(split, source) for row in batch.to_pylist()]


def rows_of_lines(tmp_path: Path, *lines: str | bytes, **settings: object) -> list[dict]:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines))
    return rows_of(path, **settings)


def test_a_line_becomes_a_document(tmp_path: Path):
    line = {"text": "Hi", "url": "http://a/", "date": "2024", "language": "en", "n": 3, "deep": {"x": 1}, "none": None}
    (row,) = rows_of_lines(tmp_path, json.dumps(line))
    assert (row["text"], row["url"], row["date"], row["language"]) == ("Hi", "http://a/", "2024", "en")
    assert dict(row["meta"]) == {"n": "3"}
    assert row["doc_id"] == doc_id("http://a/", "2024", "Hi")
    assert row["source"] == "s"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{not json", "error_not_json"),
        ("[" * 100_000, "error_not_json"),
        ('{"text": 1' + "0" * 10_000 + "}", "error_not_json"),
        ("[1]", "error_not_an_object"),
        ('{"txt": "x"}', "error_no_text"),
        ('{"text": null}', "error_no_text"),
        ('{"text": 3}', "error_no_text"),
        ('{"text": ""}', None),
        ('{"text": "\\ud800 \\u0000"}', None),
        (b'{"text": "\xff\xfe"}', None),
    ],
)
def test_a_bad_line_is_a_row_with_a_reason_and_the_next_is_read(line: str | bytes, reason: str | None, tmp_path: Path):
    first, second = rows_of_lines(tmp_path, line, '{"text": "after"}')
    assert first["drop_reason"] == reason
    assert first["drop_stage"] == ("read" if reason else None)
    assert second["text"] == "after"


def test_columns_are_configurable(tmp_path: Path):
    line = json.dumps({"body": "<p>x", "link": "http://a/", "when": "2020", "lang": "de", "a": 1, "b": 2})
    (row,) = rows_of_lines(
        tmp_path, line, html_column="body", url_column="link", date_column="when", language_column="lang",
        meta_columns=("b",),
    )  # fmt: skip
    assert (row["payload"], row["text"], row["content_type"]) == (b"<p>x", None, "text/html")
    assert (row["url"], row["date"], row["language"]) == ("http://a/", "2020", "de")
    assert dict(row["meta"]) == {"b": "2"}


def test_metadata_is_bounded(tmp_path: Path):
    (row,) = rows_of_lines(tmp_path, json.dumps({"text": "x"} | {f"k{i}": "v" * 5_000 for i in range(100)}))
    meta = dict(row["meta"])
    assert len(meta) == 64
    assert {len(value) for value in meta.values()} == {1_000}


def test_the_toolkits_own_output_keeps_its_ids_and_metadata(tmp_path: Path):
    own = {"doc_id": "0" * 32, "text": "x", "meta": {"title": "T"}, "drop_reason": None, "offset": 5, "source": "old"}
    foreign = {"doc_id": "not one", "text": "x"}
    first, second = rows_of_lines(tmp_path, json.dumps(own), json.dumps(foreign))
    assert first["doc_id"] == "0" * 32
    assert dict(first["meta"]) == {"title": "T"}
    assert second["doc_id"] == doc_id(None, None, "x")


def test_the_bound_on_documents_is_inclusive(tmp_path: Path):
    lines = [json.dumps({"text": "a" * n}) for n in (100, 101, 5_000_000, 1)]
    rows = rows_of_lines(tmp_path, *lines, max_document_bytes=100)
    assert [row["drop_reason"] for row in rows] == [None, "payload_too_large", "payload_too_large", None]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(max_size=30), max_size=20), split_bytes=st.integers(1, 200), newline=st.booleans())
def test_every_line_is_read_exactly_once_for_any_split_size(
    texts: list[str], split_bytes: int, newline: bool, tmp_path: Path
):
    path = tmp_path / "a.jsonl"
    lines = [json.dumps({"text": text}, ensure_ascii=False).encode("utf-8", "surrogatepass") for text in texts]
    path.write_bytes(b"\n".join(lines) + (b"\n" if newline else b""))
    rows = rows_of(path, split_bytes)
    assert rows == rows_of(path)
    assert len(rows) == len(texts)
    assert [row["text"] for row in rows] == [text.encode("utf-8", "replace").decode() for text in texts]


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [(".gz", gzip.compress), (".zst", zstandard.compress), (".bz2", bz2.compress), ("", gzip.compress)],
)
def test_compressed_lines_are_read_and_a_cut_is_a_row(suffix: str, pack, tmp_path: Path):
    data = b"".join(json.dumps({"text": f"{i} {'x' * (i * 7919 % 101)}"}).encode() + b"\n" for i in range(2_000))
    path = tmp_path / f"a.jsonl{suffix}"
    path.write_bytes(pack(data))
    assert len(rows_of(path, split_bytes=500)) == 2_000
    path.write_bytes(pack(data)[:-400] + b"\0" * 200)
    rows = rows_of(path)
    assert rows[-1]["drop_reason"].startswith("error_")


def test_parquet_rows_have_their_row_numbers_for_any_split_size(tmp_path: Path):
    path = tmp_path / "a.parquet"
    table = pa.table(
        {
            "text": [f"text {i}" for i in range(1_000)],
            "url": [f"http://a/{i}" if i % 2 else None for i in range(1_000)],
            "date": [datetime.date(2024, 1, 1)] * 1_000,
            "score": [i / 7 for i in range(1_000)],
            "nested": [[1]] * 1_000,
        }
    )
    pq.write_table(table, path, row_group_size=90)
    rows = rows_of(path)
    assert [row["offset"] for row in rows] == list(range(1_000))
    assert rows[1]["url"] == "http://a/1"
    assert (rows[1]["date"], dict(rows[1]["meta"])) == ("2024-01-01", {"score": str(1 / 7)})
    for split_bytes in (100, 5_000):
        assert rows_of(path, split_bytes) == rows


def test_parquet_text_may_be_null_dictionary_encoded_or_no_utf8(tmp_path: Path):
    path = tmp_path / "a.parquet"
    text = pa.StringArray.from_buffers(
        3, pa.py_buffer(b"\0\0\0\0\2\0\0\0\3\0\0\0\3\0\0\0"), pa.py_buffer(b"ok\xff"), pa.py_buffer(b"\x03")
    )
    pq.write_table(pa.table({"text": text, "url": pa.array(["u", "u", None]).dictionary_encode()}), path)
    rows = rows_of(path)
    assert [row["text"] for row in rows] == ["ok", "\ufffd", None]
    assert [row["url"] for row in rows] == ["u", "u", None]
    assert rows[2]["drop_reason"] == "error_no_text"


def test_a_missing_text_column_says_what_is_there(tmp_path: Path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"content": ["x"]}), path)
    with pytest.raises(InputError, match=r"no column 'text'.*content.*text_column"):
        rows_of(path)
    assert rows_of(path, text_column="content")[0]["text"] == "x"


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1 no parquet at all PAR1"])
def test_a_damaged_parquet_file_is_one_row(data: bytes, tmp_path: Path):
    path = tmp_path / "a.parquet"
    path.write_bytes(data)
    assert [row["drop_reason"] for row in rows_of(path, split_bytes=5)] == ["error_corrupt_parquet"]


def test_damage_inside_a_row_group_is_one_row(tmp_path: Path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": [f"{i} word " * 20 for i in range(500)]}), path, row_group_size=250)
    data = bytearray(path.read_bytes())
    data[40:400] = b"\xff" * 360
    path.write_bytes(bytes(data))
    rows = rows_of(path)
    assert [row["drop_reason"] for row in rows if row["drop_reason"]] == ["error_corrupt_parquet"]
    assert sum(row["drop_reason"] is None for row in rows) >= 250


def test_a_text_file_is_one_document(tmp_path: Path):
    (tmp_path / "a.txt").write_bytes("\ufeffGrüße\n".encode() + b"\xff")
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(b"zipped"))
    (tmp_path / "c.html").write_bytes(b"<p>x")
    (tmp_path / "d.bin").write_bytes(b"\0\1")
    rows = rows_of(tmp_path)
    assert [row["text"] for row in rows] == ["Grüße\n\ufffd", "zipped", None, None]
    assert (rows[2]["payload"], rows[2]["content_type"]) == (b"<p>x", "text/html")
    assert rows[3]["drop_reason"] == "error_unsupported_format"


def test_a_cut_text_file_and_a_too_long_one_are_rows_with_reasons(tmp_path: Path):
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"zipped" * 100)[:-5])
    (tmp_path / "b.txt").write_bytes(b"x" * 101)
    (tmp_path / "c.txt").write_bytes(b"x" * 100)
    rows = rows_of(tmp_path, max_document_bytes=100)
    assert rows[0]["drop_reason"] in ("error_corrupt_gzip", "payload_too_large")
    assert [row["drop_reason"] for row in rows[1:]] == ["payload_too_large", None]


def test_real_parquet_reads_in_full(shared_data: Path):
    path = shared_data / "text" / "books_en.parquet"
    rows = rows_of(path)
    assert len(rows) == 40
    assert all(row["text"] and row["drop_reason"] is None for row in rows)
