"""Documents that mean harm, through the whole path: each becomes a row, the run ends well, the page stays safe."""

from __future__ import annotations

import gzip
import json

import pyarrow.parquet as pq
import pytest

from curate import recipe as recipes
from curate.pipeline import run, with_sources
from curate.readers.source import Source

HOSTILE = "<script>alert('curate')</script>"


def response(url: str, body: bytes, content_type: str = "text/html") -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n\r\n".encode()
    lines = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nContent-Length: {len(head) + len(body)}\r\n\r\n"
    )
    return gzip.compress(lines.encode() + head + body + b"\r\n\r\n", 1)


@pytest.mark.spark
@pytest.mark.slow
def test_every_hostile_document_is_a_row_and_the_run_ends_well(spark, tmp_path):
    sentence = "The people of the town have been with the king and that is to be the end of it. "
    bodies = {
        "empty": b"",
        "huge": b"<p>" + b"a" * (100 * 2**20),
        "deep": b"<div>" * 100_000 + b"text",
        "many": b"<p>" * 600_000,
        "attribute": b'<a title="' + b"x" * 400_000 + b'">link</a>',
        "binary": bytes(range(256)) * 500,
        "nul": b"<p>" + sentence.encode() * 5 + b"\0" * 1000,
        "utf16": (f"<html><body><p>{sentence * 5}").encode("utf-16"),
        "no-charset": ("<html><body><p>" + "早上好，今天天气很好。" * 20).encode("gb18030"),
        "script": f"<title>{HOSTILE}</title><p>&lt;script&gt;alert('curate')&lt;/script&gt; {sentence * 5}".encode(),
        "escapes": ("<p>\x1b[2J\x1b]0;title\x07 " + sentence * 5).encode(),
        "one-word": b"<p>" + b"word " * 200_000,
    }
    records = b"".join(response(f"https://h.example/{name}?{HOSTILE}x", body) for name, body in bodies.items())
    (tmp_path / "hostile.warc.gz").write_bytes(
        records + b"\x1f\x8b garbage" + response("https://h.example/last", b"<p>x")
    )
    (tmp_path / "lines.jsonl").write_text(
        json.dumps({"text": HOSTILE}) + "\n{not json\n" + '{"text": "\\ud800 lone"}\n'
    )
    sources = [
        Source(name="web", paths=(str(tmp_path / "hostile.warc.gz"),)),
        Source(name="lines", paths=(str(tmp_path / "lines.jsonl"),)),
    ]
    recipe = with_sources(recipes.load("web"), sources)
    record = run(recipe, str(tmp_path / "out"), spark)

    funnel = record["funnel"]
    assert record["status"] == "finished"
    assert funnel["read"] == funnel["kept"] + funnel["dropped"] >= len(bodies) + 3
    tables = [pq.read_table(path) for path in (tmp_path / "out").glob("dropped/**/*.parquet")]
    why = {row["url"]: row["drop_reason"] for table in tables for row in table.to_pylist() if row["url"]}

    def reason(name):
        return why.get(f"https://h.example/{name}?{HOSTILE}x")

    assert reason("empty") == "payload_empty"
    assert reason("huge") == "payload_too_large"
    assert reason("deep") == "language_score_below_min"  # read like any page; its one word is of no language
    assert reason("many") == "error_too_many_tags"
    tables.append(pq.read_table(tmp_path / "out/documents"))
    texts = {row["url"]: row["text"] or "" for table in tables for row in table.to_pylist()}
    assert sentence.strip() in texts[f"https://h.example/utf16?{HOSTILE}x"]
    assert "今天天气很好" in texts[f"https://h.example/no-charset?{HOSTILE}x"]
    page = (tmp_path / "out/report.html").read_text()
    assert HOSTILE not in page
