"""Word-F1 and speed of the `extract` stage beside `trafilatura.extract` on the same bytes, in the same run.

    python benchmarks/extraction_f1.py --warc pages.warc.gz --gold gold.parquet [--limit 300] [--by language]

The gold parquet has `url` and `main_content`, and may have `html_sha1` (which page, where a URL recurs) and a column to
group by. F1 is that of two multisets of lower-cased words (`\\w+`; every Han character is a word of its own), averaged
over pages; two empty texts agree (1), one empty text scores 0. The sample is the `--limit` pages with the smallest
SHA-1 of their bytes; 0 takes all. Contestants take turns block by block, so that a change in the machine's speed meets
all of them, and each is warmed up by one page; reading the WARC is outside the clock. `in_process` is the stage's own
work without the child process. CPU is that of this process alone: for `stage`, what isolation costs beside the child.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from statistics import mean
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import trafilatura
from fastwarc.warc import ArchiveIterator, WarcRecordType

from curate.document import RAW_SCHEMA
from curate.extraction.extract import Extract
from curate.extraction.page import extract_page

BLOCK = 25
_WORD = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+")


class Page(NamedTuple):
    """A page and what a person took for its main text."""

    url: str
    charset: str | None
    payload: bytes
    gold: str
    group: str


def main() -> None:
    """Print one line for each contestant and group."""
    options = _options()
    logging.disable(logging.CRITICAL)
    pages = read_pages(options.warc, options.gold, options.by)
    pages.sort(key=lambda page: hashlib.sha1(page.payload).digest())
    pages = pages[: options.limit or None]
    stage = Extract(engine=options.engine)
    contestants: dict[str, Callable[[Sequence[Page]], list[str]]] = {
        "stage": lambda block: by_stage(stage, block),
        "in_process": lambda block: [by_page(stage, page) for page in block],
        "trafilatura": lambda block: [trafilatura.extract(page.payload, url=page.url) or "" for page in block],
    }
    texts, seconds, cpu_seconds = race(contestants, pages)
    print(f"{len(pages)} pages, {sum(len(page.payload) for page in pages) / 1e6:.1f} MB, engine {options.engine}")
    report(pages, texts, seconds, cpu_seconds)


def read_pages(warc: str, gold: str, by: str | None) -> list[Page]:
    """Pages of the WARC that have a gold text."""
    rows = pq.read_table(gold).to_pylist()
    by_digest = {row["html_sha1"]: row for row in rows if row.get("html_sha1")}
    by_url = {row["url"]: row for row in rows}
    pages = []
    with open(warc, "rb") as stream:
        for record in ArchiveIterator(stream, record_types=WarcRecordType.response):
            payload, url = record.reader.read(), record.headers["WARC-Target-URI"]
            row = by_digest.get(hashlib.sha1(payload).hexdigest()) or by_url.get(url)
            if row is not None:
                group = str(row[by]) if by else "all"
                pages.append(Page(url, record.http_charset, payload, row["main_content"] or "", group))
    return pages


def by_stage(stage: Extract, pages: Sequence[Page]) -> list[str]:
    """Texts as a run would have them."""
    columns = {field.name: pa.nulls(len(pages), field.type) for field in RAW_SCHEMA}
    columns["payload"] = pa.array([page.payload for page in pages], pa.binary())
    columns["url"] = pa.array([page.url for page in pages], pa.string())
    columns["charset"] = pa.array([page.charset for page in pages], pa.string())
    batch = pa.RecordBatch.from_arrays([columns[name] for name in RAW_SCHEMA.names], names=RAW_SCHEMA.names)
    return [text or "" for text in stage.modify(batch).columns["text"].to_pylist()]


def by_page(stage: Extract, page: Page) -> str:
    """The same work in this process."""
    request = {"url": page.url, "charset": page.charset, "plain": False}
    text: str = extract_page(page.payload, request, stage.model_dump()).get("text", "")
    return text


def race(
    contestants: dict[str, Callable[[Sequence[Page]], list[str]]], pages: Sequence[Page]
) -> tuple[dict[str, list[str]], dict[str, float], dict[str, float]]:
    """Texts, seconds and CPU seconds of this process, of every contestant."""
    texts: dict[str, list[str]] = defaultdict(list)
    seconds: dict[str, float] = defaultdict(float)
    cpu_seconds: dict[str, float] = defaultdict(float)
    for extract in contestants.values():
        extract(pages[:1])
    for start in range(0, len(pages), BLOCK):
        for name, extract in contestants.items():
            before, cpu_before = time.perf_counter(), time.process_time()
            texts[name] += extract(pages[start : start + BLOCK])
            seconds[name] += time.perf_counter() - before
            cpu_seconds[name] += time.process_time() - cpu_before
    return texts, seconds, cpu_seconds


def word_f1(text: str, gold: str) -> float:
    """F1 of two multisets of words, in [0, 1]."""
    found, wanted = Counter(_WORD.findall(text.lower())), Counter(_WORD.findall(gold.lower()))
    if not found or not wanted:
        return float(not found and not wanted)
    return 2 * (found & wanted).total() / (found.total() + wanted.total())


def report(
    pages: Sequence[Page], texts: dict[str, list[str]], seconds: dict[str, float], cpu_seconds: dict[str, float]
) -> None:
    """F1 over all pages and per group, pages per second with the ratio to trafilatura's own, CPU of this process."""
    groups = sorted({page.group for page in pages})
    for name, found in texts.items():
        scores = [word_f1(text, page.gold) for text, page in zip(found, pages, strict=True)]
        parts = [
            f"{group} {mean(s for s, page in zip(scores, pages, strict=True) if page.group == group):.4f}"
            for group in groups
            if len(groups) > 1
        ]
        speed, ratio = len(pages) / seconds[name], seconds["trafilatura"] / seconds[name]
        cpu = 1000 * cpu_seconds[name] / len(pages)
        line = f"{name:<12} F1 {mean(scores):.4f}  {speed:6.1f} docs/s  x{ratio:.2f}  CPU {cpu:6.2f} ms/doc  "
        print(line + "  ".join(parts))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--warc", required=True)
    parser.add_argument("--gold", required=True)
    parser.add_argument("--by", help="a column of the gold parquet, such as language or page_type")
    parser.add_argument("--limit", type=int, default=300, help="0 takes every page")
    parser.add_argument("--engine", default="trafilatura", choices=["trafilatura", "resiliparse"])
    return parser.parse_args()


if __name__ == "__main__":
    main()
