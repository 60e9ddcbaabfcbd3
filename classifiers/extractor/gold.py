"""Pages whose main text a person has marked: crawled pages joined with their gold texts.

Pages are WARC files, gzip or not, or parquet with `payload` (the page's bytes), `url` and, where it is known, `charset`
(as the HTTP response declared it). Gold texts are parquet with `url` and `main_content`; they may have `html_sha1` (the
SHA-1 of the payload as hex digits), `page_type` and `language`. A page takes the gold text of its digest, else the
first one of its URL. Pages without gold text are left out, and gold texts without a page; nothing is decoded or judged
here.

Files are read whole: a labelled set is thousands of pages, not millions.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tldextract
from fastwarc.warc import ArchiveIterator, WarcRecordType
from numpy.typing import NDArray

from curate.document import uniform
from curate.errors import InputError

WARC_SUFFIXES = (".warc", ".warc.gz", ".warc.zst", ".warc.lz4")
_RESERVED = frozenset(("example", "invalid", "localhost", "test"))  # RFC 2606, section 2
_NAME = re.compile(r"(?:^|[/_])((?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24})(?=[/_]|$)")  # in the path of a URL
_REGISTERED = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)  # the list that is installed, never fetched


class GoldPage(NamedTuple):
    """A page and what a person took for its main text."""

    url: str
    host: str  # the registered domain (a.b.example.co.uk: example.co.uk), or the host where there is none; "" without
    charset: str | None  # as the HTTP response declared it
    payload: bytes
    gold: str
    page_type: str | None
    language: str | None
    source: str  # the gold file's name without its suffix


class _RawPage(NamedTuple):
    url: str
    charset: str | None
    payload: bytes


def read_gold(pages: Sequence[str], gold: Sequence[str]) -> list[GoldPage]:
    """The pages of these files that have a gold text, in the order of the files of pages. A null gold text is "".

    InputError where a file cannot be read, a column is missing, or nothing joins.

    A page that stands twice in the files is there twice; where gold texts of two files are for one page, it has that of
    the first.
    """
    texts = _GoldTexts()
    for path in gold:
        texts.add(path)
    joined, num_pages = [], 0
    for path in pages:
        for page in _warc_pages(path) if path.endswith(WARC_SUFFIXES) else _parquet_pages(path):
            num_pages += 1
            found = texts.of(page)
            if found is not None:
                joined.append(_gold_page(page, *found))
    if not joined:
        raise InputError(
            f"none of {num_pages} pages in {', '.join(pages) or 'no files'} has one of the {texts.num} gold texts in "
            f"{', '.join(gold) or 'no files'}: they join by `html_sha1` (the SHA-1 of the page's bytes), else by `url`"
        )
    return joined


def folds(pages: Sequence[GoldPage], num: int) -> NDArray[np.int32]:
    """A fold for each page, int32[pages] in [0, num): a hash of its host, so that no host lies in two folds.

    A page without a host (its URL says none) goes by its URL. The fold of a host depends on nothing but `num`.
    """
    return np.array([int(num * uniform(page.host or page.url, 0, "fold")) for page in pages], np.int32)


def host_of(url: str) -> str:
    """The registered domain of a URL, the host itself where it has none (an address, a local name), "" without one.

    Collections keep pages under names of their own, with the page's host in the path: where a host's top level is
    reserved (RFC 2606), the first name in the path that has a registered domain counts.

    >>> host_of("https://www.news.bbc.co.uk:8080/a"), host_of("http://127.0.0.1/"), host_of("a page")
    ('bbc.co.uk', '127.0.0.1', '')
    >>> host_of("https://collection.example/20120106_www.rp.pl_849dd4")
    'rp.pl'
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:  # brackets that hold no address
        return ""
    inner = _NAME.findall(parts.path) if host.rpartition(".")[2] in _RESERVED else ()
    found = (_REGISTERED(name).top_domain_under_public_suffix for name in (host, *inner))
    return next(filter(None, found), host)


class _GoldTexts:
    """Gold texts by the SHA-1 of their page, and by URL."""

    def __init__(self) -> None:
        self.num = 0
        self._by_digest: dict[str, tuple[dict[str, Any], str]] = {}
        self._by_url: dict[str, tuple[dict[str, Any], str]] = {}

    def add(self, path: str) -> None:
        table = _table(path, ("url", "main_content"), ("html_sha1", "page_type", "language"))
        source = Path(path).name.removesuffix(".parquet")
        for row in table.to_pylist():
            self.num += 1
            if row.get("html_sha1"):
                self._by_digest.setdefault(row["html_sha1"].lower(), (row, source))
            if row["url"]:
                self._by_url.setdefault(row["url"], (row, source))

    def of(self, page: _RawPage) -> tuple[dict[str, Any], str] | None:
        found = self._by_digest.get(hashlib.sha1(page.payload, usedforsecurity=False).hexdigest())
        return found or self._by_url.get(page.url)


def _gold_page(page: _RawPage, row: dict[str, Any], source: str) -> GoldPage:
    return GoldPage(
        page.url,
        host_of(page.url),
        page.charset,
        page.payload,
        row["main_content"] or "",
        row.get("page_type"),
        row.get("language"),
        source,
    )


def _warc_pages(path: str) -> Iterator[_RawPage]:
    """Bodies of the responses of a WARC file, transfer and content encodings undone."""
    try:
        with open(path, "rb") as stream:
            for record in ArchiveIterator(stream, record_types=WarcRecordType.response, auto_decode="all"):
                url = record.headers.get("WARC-Target-URI") or ""
                yield _RawPage(url.removeprefix("<").removesuffix(">"), record.http_charset, record.reader.read())
    except OSError as error:
        raise InputError(f"cannot read the pages of {path}: {error}") from error


def _parquet_pages(path: str) -> Iterator[_RawPage]:
    for batch in _table(path, ("payload", "url"), ("charset",)).to_batches(max_chunksize=1024):
        for row in batch.to_pylist():
            yield _RawPage(row["url"] or "", row.get("charset"), row["payload"] or b"")


def _table(path: str, wanted: Sequence[str], optional: Sequence[str]) -> pa.Table:
    """These columns of a parquet file, of `optional` those that it has. InputError with what is missing and there."""
    try:
        there = pq.read_schema(path).names
        missing = [name for name in wanted if name not in there]
        if missing:
            raise InputError(f"{path} has no column {', '.join(missing)}; it has {', '.join(there)}")
        return pq.read_table(path, columns=[name for name in (*wanted, *optional) if name in there])
    except (OSError, pa.ArrowException) as error:
        kinds = f"parquet with {', '.join(wanted)}" + (f" or {', '.join(WARC_SUFFIXES)}" * ("payload" in wanted))
        raise InputError(f"cannot read {path} ({error}); wanted: {kinds}") from error
