"""Main text out of HTML pages: the first stage of a crawl.

A row with a payload gets the main text of its page, its charset found, and what the page's head says about itself in
`meta`. A row without a payload is text already (WET, parquet) and passes unchanged.

Pages are hostile. What is too large, too deep or too full of tags is refused before a parser sees it; the rest is
parsed in a child process, where a page that crashes, loops or swells costs only itself (`curate.extraction.sandbox`).
Bounds on size come first, because they give the same verdict on every machine; the bound on time is the backstop.

It refuses what is no page (`error_not_html`): images, PDF, archives and bytes that are not text in any charset.
"""

from __future__ import annotations

import atexit
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, ClassVar, Literal

import pyarrow as pa
from pydantic import Field

from curate.document import SCHEMA
from curate.extraction.bounds import markup_size
from curate.extraction.sandbox import Job, Limits, Outcome, Sandbox
from curate.stage import Limit, Modified, Modifier, at_least

#: What the child runs.
TARGET = "curate.extraction.page:extract_page"
#: Content types that may hold a page; null and "" are tried too. XML is here for XHTML that is served as such.
HTML_TYPES = frozenset({"text/html", "application/xhtml+xml", "application/xml", "text/xml"})
#: Wall time allowed for each second of CPU time: for a machine that is busy with other things.
_WALL_PER_CPU = 4

_SIGNALS = pa.struct(
    [
        ("text_chars", pa.int64()),  # of the extracted text, or of the text that passed unchanged; null on an error
        ("html_bytes", pa.int64()),  # of the payload; null where there is none
        ("charset", pa.string()),  # Python's name of the codec
        ("charset_from", pa.string()),  # bom, utf8, http, meta, detected, fallback
        ("engine", pa.string()),  # null where no engine ran: text already, text/plain, or an error
        ("error", pa.string()),  # html_too_large, too_many_tags, too_deep, not_html, timeout, crash, out_of_memory, …
    ]
)


class Extract(Modifier):
    """Replace `text` by the main text of the page in `payload`."""

    requires: ClassVar[tuple[str, ...]] = ("payload", "content_type", "charset", "url", "text", "meta")
    writes: ClassVar[tuple[str, ...]] = ("text", "meta")

    engine: Literal["trafilatura", "resiliparse"] = "trafilatura"
    favor: Literal["precision", "balance", "recall"] = "balance"  # trafilatura's default
    fast: bool = False  # trafilatura: skip its fallback extractors. F1 0.828 instead of 0.871, 40 docs/s instead of 29
    tables: bool = True  # trafilatura's default
    comments: bool = True  # trafilatura's default
    #: Our choice: three times the largest of 2,612 real pages (5.3 MB); trafilatura itself gives up at 20 MB.
    max_html_bytes: int = Field(default=16 << 20, ge=1)
    #: Our choice: 6 times the most start tags of the same pages (15,793). trafilatura takes 23 µs for each at best.
    max_tags: int = Field(default=100_000, ge=1)
    #: Our choice: 19 times the deepest of the same pages (53). libxml2 gives up at 256, lexbor is quadratic from 4,000.
    max_depth: int = Field(default=1_000, ge=1)
    max_seconds: float = Field(default=30.0, gt=0)  # of CPU for one page; our choice: 1,000 times the mean page
    max_memory_mib: int = Field(default=2048, ge=256)  # of the child; our choice: 16 MiB of <p> take 0.7 GiB
    min_text_chars: int = Field(default=1, ge=0)  # our choice: only an empty text says nothing about its own quality

    @property
    def signals(self) -> pa.StructType:
        """text_chars, html_bytes, charset, charset_from, engine, error."""
        return _SIGNALS

    @property
    def limits(self) -> tuple[Limit, ...]:
        """A text of at least `min_text_chars` characters."""
        return (at_least("text_chars", self.min_text_chars),)

    def modify(self, batch: pa.RecordBatch) -> Modified:
        """Texts and meta of a batch. A page with an error has null text; one without main text has "".

        EnvironmentProblem where the extraction process cannot start at all.
        """
        payloads = [_view(payload) for payload in batch["payload"]]
        types = batch["content_type"].to_pylist()
        errors = [self._refusal(payload, kind) for payload, kind in zip(payloads, types, strict=True)]
        chosen = [row for row, payload in enumerate(payloads) if payload is not None and errors[row] is None]
        outcomes = dict(zip(chosen, self._outcomes(batch, payloads, chosen), strict=True))

        texts, metas, signals = batch["text"].to_pylist(), batch["meta"].to_pylist(), []
        for row, payload in enumerate(payloads):
            if payload is None:
                signals.append({"text_chars": len(texts[row] or "")})
                continue
            page, error = _page(outcomes[row]) if row in outcomes else (None, errors[row])
            texts[row] = page["text"] if page else None
            metas[row] = _merged(metas[row], page["meta"] if page else {})
            signals.append(self._signal(page, payload, error, types[row]))
        return Modified(
            {"text": pa.array(texts, pa.string()), "meta": pa.array(metas, SCHEMA.field("meta").type)},
            pa.array(signals, _SIGNALS),
        )

    def _refusal(self, payload: memoryview | None, content_type: str | None) -> str | None:
        """Why a page is not given to a parser, None where it is. The same on every machine."""
        if payload is None:
            return None
        if content_type and content_type not in HTML_TYPES and content_type != "text/plain":
            return "not_html"
        if len(payload) > self.max_html_bytes:
            return "html_too_large"
        if content_type == "text/plain":
            return None
        size = markup_size(payload)
        if size.max_depth > self.max_depth:
            return "too_deep"
        return "too_many_tags" if size.num_tags > self.max_tags else None

    def _outcomes(
        self, batch: pa.RecordBatch, payloads: list[memoryview | None], chosen: list[int]
    ) -> Iterator[Outcome]:
        if not chosen:
            return iter(())
        urls, charsets, types = (batch[name].to_pylist() for name in ("url", "charset", "content_type"))
        jobs = [
            Job(payload, {"url": urls[row], "charset": charsets[row], "plain": types[row] == "text/plain"})
            for row in chosen
            if (payload := payloads[row]) is not None
        ]
        settings = {name: getattr(self, name) for name in ("engine", "favor", "fast", "tables", "comments")}
        limits = Limits(self.max_seconds, _WALL_PER_CPU * self.max_seconds, self.max_memory_mib << 20)
        return _sandbox(TARGET, json.dumps(settings, sort_keys=True), limits).run(jobs)

    def _signal(
        self, page: Mapping[str, Any] | None, payload: memoryview, error: str | None, content_type: str | None
    ) -> dict[str, Any]:
        if page is None:
            return {"html_bytes": len(payload), "error": error}
        return {
            "text_chars": len(page["text"]),
            "html_bytes": len(payload),
            "charset": page["charset"],
            "charset_from": page["charset_from"],
            "engine": None if content_type == "text/plain" else self.engine,
        }


@lru_cache(maxsize=4)
def _sandbox(target: str, settings: str, limits: Limits) -> Sandbox:
    """One child for each worker and settings: it outlives batches."""
    sandbox = Sandbox(target, json.loads(settings), limits)
    atexit.register(sandbox.close)
    return sandbox


def _view(payload: pa.BinaryScalar) -> memoryview | None:
    """The bytes of a payload where Arrow holds them."""
    return memoryview(payload.as_buffer()) if payload.is_valid else None


def _page(outcome: Outcome) -> tuple[dict[str, Any] | None, str | None]:
    """A page, or the error that stands for it."""
    if outcome.reply is None:
        return None, outcome.error
    refused = outcome.reply.get("refused")
    return (None, refused) if refused else (outcome.reply, None)


def _merged(meta: list[tuple[str, str]] | None, found: Mapping[str, str]) -> dict[str, str] | None:
    """What the reader knew, and what the page says where the reader knew nothing."""
    return {**found, **dict(meta or ())} if meta or found else None
