"""The demo's input is real, and the same each time."""

from __future__ import annotations

from collections import Counter

import pyarrow.parquet as pq
import pytest

from curate import demo
from curate.readers.read import read
from curate.readers.source import Source, list_files
from curate.readers.splits import plan_splits


def documents(path):
    source = Source(name="s", paths=(str(path),))
    splits = plan_splits(list_files(source), source)
    return [row for split in splits for batch in read(split, source) for row in batch.to_pylist()]


def test_pages_are_a_warc_of_html_rendered_by_pydoc_the_same_each_time(tmp_path):
    for name in ("a.warc.gz", "b.warc.gz"):
        demo.write_pages(tmp_path / name, 12)
    rows = documents(tmp_path / "a.warc.gz")
    assert len(rows) == 12
    assert all(row["drop_reason"] is None and row["content_type"] == "text/html" for row in rows)
    assert all(row["url"].startswith("pydoc://python/") for row in rows)
    assert all(b"</html>" in row["payload"] for row in rows)
    assert (tmp_path / "a.warc.gz").read_bytes() == (tmp_path / "b.warc.gz").read_bytes()


def test_modules_that_act_when_imported_are_left_out():
    names = demo.module_names()
    assert {"json.decoder", "pyarrow.parquet"} <= set(names)
    assert not {name.split(".")[0] for name in names} & set(demo.NOT_IMPORTED)
    assert names == demo.module_names()


def test_descriptions_and_licences_are_texts_of_installed_packages(tmp_path):
    demo.write_descriptions(tmp_path / "d.jsonl.gz")
    demo.write_licences(tmp_path / "l.jsonl.gz")
    descriptions = documents(tmp_path / "d.jsonl.gz")
    assert any("pydantic" in row["text"].lower() for row in descriptions)
    licences = documents(tmp_path / "l.jsonl.gz")
    assert max(Counter(row["text"] for row in licences).values()) > 1  # there are real duplicates in it


def test_code_is_a_bounded_sample(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "MAX_CODE_BYTES", 200_000)
    demo.write_code(tmp_path / "code.parquet")
    texts = pq.read_table(tmp_path / "code.parquet")["text"].to_pylist()
    assert 0 < sum(map(len, texts)) < 200_000 + demo.MAX_FILE_BYTES
    assert all(len(text.encode()) <= demo.MAX_FILE_BYTES for text in texts)


def test_input_that_is_there_is_kept(tmp_path, monkeypatch):
    for name in ("pages.warc.gz", "descriptions.jsonl.gz", "licences.jsonl.gz", "code.parquet"):
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(demo, "write_pages", lambda path: pytest.fail("rendered again"))
    assert {path.read_text() for path in demo.build_inputs(tmp_path).values()} == {
        "pages.warc.gz",
        "descriptions.jsonl.gz",
        "licences.jsonl.gz",
        "code.parquet",
    }
