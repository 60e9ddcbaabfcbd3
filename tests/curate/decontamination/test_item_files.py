"""Files of evaluation sets: every format gives the same records, and what is wrong is said."""

from __future__ import annotations

import bz2
import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.decontamination.item_files import item_files, records
from curate.errors import InputError

ROWS = [{"question": "Why,\nthen?", "answer": "3"}, {"question": "日本\u2028は?", "answer": ""}]
LINES = "\n".join(json.dumps(row) for row in ROWS) + "\n\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", LINES.encode()),
        ("a.ndjson", LINES.encode("utf-8-sig")),
        ("a.json", LINES.encode()),
        ("a.json", json.dumps(ROWS).encode()),
        ("a.json", json.dumps({"version": "1", "data": ROWS}).encode()),
        ("a.jsonl.gz", gzip.compress(LINES.encode(), mtime=0)),
        ("a.jsonl.bz2", bz2.compress(LINES.encode())),
        ("a.csv", 'question,answer\n"Why,\nthen?",3\n日本\u2028は?,\n'.encode()),
        ("a.tsv", 'question\tanswer\n"Why,\nthen?"\t3\n日本\u2028は?\t\n'.encode()),
    ],
)
def test_each_format_gives_the_same_records(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert records(str(tmp_path / name)) == ROWS


def test_parquet(tmp_path):
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "a.parquet")
    assert records(str(tmp_path / "a.parquet")) == ROWS


def test_a_table_without_a_header_is_given_one(tmp_path):
    (tmp_path / "a.csv").write_text('"Why, then?",3\n')
    assert records(str(tmp_path / "a.csv"), header=("q", "a")) == [{"q": "Why, then?", "a": "3"}]


def test_lines_of_a_text_file_make_items_and_blank_ones_do_not_count(tmp_path):
    (tmp_path / "a.txt").write_text("\none\n1\n\ntwo\n2\n")
    blocks = [{"line_1": "one", "line_2": "1"}, {"line_1": "two", "line_2": "2"}]
    assert records(str(tmp_path / "a.txt"), lines_per_item=2) == blocks
    with pytest.raises(InputError, match="4 lines are no whole items of 3 lines"):
        records(str(tmp_path / "a.txt"), lines_per_item=3)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.jsonl", b'{"a": 1}\n{broken\n', "line 2"),
        ("a.jsonl", b"[1, 2]\n", "an item is an object"),
        ("a.jsonl", b"\xff\xfe", "codec"),
        ("a.jsonl", b'{"a": ' + b"[" * 100_000, "recursion|Expecting"),
        ("a.jsonl.gz", gzip.compress(LINES.encode(), mtime=0)[:-9], "cannot be read as jsonl"),
        ("a.parquet", b"PAR1 but not more", "cannot be read as parquet"),
        ("a.csv", b'q\n"open', "cannot be read as csv"),
        ("a.docx", b"x", r"ends in '\.docx'.*\.jsonl"),
        ("a", b"x", "Known"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path, name, content, told):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=f"(?s){name}.*({told})"):
        records(str(tmp_path / name))


def test_a_file_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("curate.decontamination.item_files.MAX_FILE_BYTES", len(LINES))
    (tmp_path / "a.jsonl").write_text(LINES)
    assert len(records(str(tmp_path / "a.jsonl"))) == 2
    (tmp_path / "a.jsonl").write_text(LINES + "\n")
    with pytest.raises(InputError, match="more than"):
        records(str(tmp_path / "a.jsonl"))


def test_a_path_is_a_file_or_a_pattern(tmp_path):
    for name in ("b.csv", "a.csv", "[c].csv"):
        (tmp_path / name).write_text("q\n1\n")
    assert item_files(str(tmp_path / "*.csv")) == tuple(str(tmp_path / n) for n in ("[c].csv", "a.csv", "b.csv"))
    assert item_files(str(tmp_path / "[c].csv")) == (str(tmp_path / "[c].csv"),)
    for nothing in ("none.csv", "*.json"):
        with pytest.raises(InputError, match="no evaluation set"):
            item_files(str(tmp_path / nothing))
