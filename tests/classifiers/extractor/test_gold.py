"""Pages and gold texts: how they join, what is said where they do not, and folds that keep hosts together."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.extractor.gold import GoldPage, folds, host_of, read_gold
from curate.errors import InputError

A, B = b"<p>first", b"<p>second"


def sha1(payload: bytes) -> str:
    return hashlib.sha1(payload).hexdigest()


def record(url: str, body: bytes, headers: str = "", kind: str = "response") -> bytes:
    block = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=koi8-r\r\n{headers}\r\n".encode() + body
    lines = f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\nContent-Type: application/http\r\n"
    return gzip.compress(f"{lines}Content-Length: {len(block)}\r\n\r\n".encode() + block + b"\r\n\r\n")


def warc(folder: Path, *records: bytes) -> str:
    (folder / "pages.warc.gz").write_bytes(b"".join(records))
    return str(folder / "pages.warc.gz")


def parquet(folder: Path, name: str, rows: list[dict[str, Any]]) -> str:
    pq.write_table(pa.Table.from_pylist(rows), folder / f"{name}.parquet")
    return str(folder / f"{name}.parquet")


def test_pages_of_a_warc_join_by_url(tmp_path: Path) -> None:
    pages = warc(tmp_path, record("http://a.test/", b"", kind="request"), record("http://a.test/", A))
    gold = parquet(tmp_path, "mine", [{"url": "http://a.test/", "main_content": "first", "language": "en"}])
    assert read_gold([pages], [gold]) == [
        GoldPage("http://a.test/", "a.test", "koi8-r", A, "first", None, "en", "mine"),
    ]


def test_a_url_that_recurs_joins_by_the_digest(tmp_path: Path) -> None:
    pages = warc(tmp_path, *(record("http://a.test/", body) for body in (B, A, b"<p>third")))
    rows = [
        {"url": "http://a.test/", "main_content": "first", "html_sha1": sha1(A), "page_type": "article"},
        {"url": "http://a.test/", "main_content": "second", "html_sha1": sha1(B).upper(), "page_type": None},
    ]
    found = read_gold([pages], [parquet(tmp_path, "gold", rows)])
    assert [(page.payload, page.gold) for page in found] == [(B, "second"), (A, "first"), (b"<p>third", "first")]
    assert [page.page_type for page in found] == [None, "article", "article"]


def test_a_digest_joins_whatever_the_url(tmp_path: Path) -> None:
    pages = parquet(tmp_path, "pages", [{"url": None, "payload": A}, {"url": "http://b.test/", "payload": None}])
    gold = parquet(tmp_path, "gold", [{"url": "x", "main_content": None, "html_sha1": sha1(A)}])
    assert [(page.url, page.host, page.charset, page.gold) for page in read_gold([pages], [gold])] == [
        ("", "", None, "")
    ]


def test_several_files_are_one_set_and_the_first_gold_text_counts(tmp_path: Path) -> None:
    pages = parquet(tmp_path, "pages", [{"url": url, "payload": A, "charset": "utf-8"} for url in ("u1", "u2", "u3")])
    first = parquet(tmp_path, "first", [{"url": "u1", "main_content": "1"}])
    second = parquet(tmp_path, "second", [{"url": "u1", "main_content": "2"}, {"url": "u2", "main_content": "2"}])
    found = read_gold([pages, warc(tmp_path, record("u2", B))], [first, second])
    assert [(page.url, page.gold, page.source) for page in found] == [
        ("u1", "1", "first"),
        ("u2", "2", "second"),
        ("u2", "2", "second"),
    ]


def test_encodings_of_the_transport_are_undone(tmp_path: Path) -> None:
    pages = warc(tmp_path, record("u", gzip.compress(A), "Content-Encoding: gzip\r\n"))
    gold = parquet(tmp_path, "gold", [{"url": "other", "main_content": "first", "html_sha1": sha1(A)}])
    assert [page.payload for page in read_gold([pages], [gold])] == [A]


@pytest.mark.parametrize(
    ("pages", "gold", "message"),
    [
        ([{"payload": A}], [{"url": "u", "main_content": "x"}], "no column url; it has payload"),
        ([{"payload": A, "url": "u"}], [{"url": "u", "text": "x"}], "no column main_content; it has url, text"),
        ([{"payload": A, "url": "u"}] * 3, [{"url": "v", "main_content": "x"}] * 2, "none of 3 pages .* 2 gold texts"),
    ],
)
def test_what_does_not_fit_is_said(tmp_path: Path, pages: Any, gold: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_gold([parquet(tmp_path, "pages", pages)], [parquet(tmp_path, "gold", gold)])


@pytest.mark.parametrize("name", ["pages.warc.gz", "pages.parquet", "pages.html", "absent.warc", "absent.parquet"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    gold = parquet(tmp_path, "gold", [{"url": "u", "main_content": "x"}])
    if not name.startswith("absent"):
        (tmp_path / name).write_bytes(b"\x1f\x8b nothing of the kind")
    with pytest.raises(InputError, match=name):
        read_gold([str(tmp_path / name)], [gold])


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://www.example.co.uk/a", "example.co.uk"),
        ("http://EXAMPLE.com.:80", "example.com"),
        ("http://localhost:8000/x", "localhost"),
        ("http://[::1]/x", "::1"),
        ("http://[broken", ""),
        ("urn:isbn:0451450523", ""),
        ("", ""),
        ("https://set.example/20111121_news.goodcontents.net_3bac60d1", "goodcontents.net"),
        ("https://set.example/www.tanea.gr/a_page.html", "tanea.gr"),
        ("https://set.example/a_page.html", "set.example"),
        ("https://www.bbc.co.uk/www.tanea.gr/", "bbc.co.uk"),  # a real host is the page's own
    ],
)
def test_the_host_of_a_page_is_its_registered_domain(url: str, host: str) -> None:
    assert host_of(url) == host


def page(url: str) -> GoldPage:
    return GoldPage(url, host_of(url), None, b"", "", None, None, "")


@given(st.lists(st.sampled_from([f"http://www{n % 3}.host{n}.com/{n % 5}" for n in range(40)]), max_size=60))
def test_pages_of_a_host_lie_in_one_fold(urls: list[str]) -> None:
    pages = [page(url) for url in urls]
    numbers = folds(pages, 4)
    assert numbers.dtype == np.int32
    assert len(set(zip((one.host for one in pages), numbers.tolist(), strict=True))) == len({p.host for p in pages})
    assert folds(pages[::-1], 4).tolist() == numbers.tolist()[::-1]


def test_hosts_are_spread_over_the_folds() -> None:
    counts = np.bincount(folds([page(f"http://host{n}.org/") for n in range(2_000)], 5), minlength=5)
    assert counts.size == 5
    assert counts.min() > 340


def test_pages_without_a_host_are_spread_too() -> None:
    assert set(folds([page(f"page {n}") for n in range(50)], 3).tolist()) == {0, 1, 2}


def test_the_real_sets_join_whole(shared_data: Path) -> None:
    web = shared_data / "web"
    news = read_gold([str(web / "daniel_dev.warc.gz")], [str(web / "daniel_dev_gold.parquet")])
    assert len(news) == 1_115
    assert {one.language for one in news} == {"English", "Chinese", "Russian", "Greek", "Polish"}
    assert len({one.host for one in news}) > 300
