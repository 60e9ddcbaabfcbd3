"""Main text out of HTML pages: the first stage of a crawl.

A row with a payload gets the main text of its page, its charset found, and what the page's head says about itself in
`meta`. A row without a payload is text already (WET, parquet) and passes unchanged.

Three extractors are known. `learned` is our own (`curate.extraction.learned`): memory-safe and linear in the page, it
runs in this process, and bounds on the page's size are all it needs. `trafilatura` and `resiliparse` are others'
parsers, and pages are hostile: what is too deep or too full of tags is refused before they see it; the rest is parsed
in a child process, where a page that crashes, loops or swells costs only itself (`curate.extraction.sandbox`). Bounds
on size come first, because they give the same verdict on every machine; the bound on time is the backstop.

It refuses what is no page (`error_not_html`): images, PDF, archives and bytes that are not text in any charset.
"""

from __future__ import annotations

import atexit
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, ClassVar, Literal, Self

import pyarrow as pa
from pydantic import Field, model_validator

from curate.document import SCHEMA
from curate.errors import RecipeError
from curate.extraction.bounds import has_many_tags, markup_size
from curate.extraction.page import extract_page
from curate.extraction.sandbox import Job, Limits, Outcome, Sandbox
from curate.models import file_digest
from curate.stage import Limit, Modified, Modifier, at_least

#: What the child runs.
TARGET = "curate.extraction.page:extract_page"
#: Content types that may hold a page; null and "" are tried too. XML is here for XHTML that is served as such.
HTML_TYPES = frozenset({"text/html", "application/xhtml+xml", "application/xml", "text/xml"})
#: Wall time allowed for each second of CPU time: for a machine that is busy with other things.
_WALL_PER_CPU = 4

#: Which extractor knows a setting. `favor` is known to all, the bounds on tags and time to those of the sandbox.
_KNOWN_TO = {
    "format": ("learned", "trafilatura"),
    "model_path": ("learned",),
    "model_sha256": ("learned",),
    "fast": ("trafilatura",),
    "tables": ("trafilatura",),
    "comments": ("trafilatura", "resiliparse"),
}

#: `learned` takes time and memory for each "<" of a page: 16 MiB of "<p>" take 5 s and 0.9 GB, the worst page within
#: this bound 0.8 s and 0.3 GB. Our choice: 24 times the most of 2,612 real pages (21,646).
MAX_LEARNED_TAGS = 1 << 19

_SIGNALS = pa.struct(
    [
        ("text_chars", pa.int64()),  # of the extracted text, or of the text that passed unchanged; null on an error
        ("html_bytes", pa.int64()),  # of the payload; null where there is none
        ("charset", pa.string()),  # Python's name of the codec
        ("charset_from", pa.string()),  # bom, utf8, http, meta, detected, fallback
        ("extractor", pa.string()),  # which one ran; null where none did: text already, text/plain, or an error
        # Of `learned` alone, null for the others:
        ("page_type", pa.string()),  # article, forum, product, collection, listing, documentation, service
        ("quality", pa.float32()),  # the word-F1 that it expects of its text, [0, 1]
        ("num_blocks", pa.int32()),  # blocks of text on the page, or in the data
        ("num_chosen", pa.int32()),  # of these, how many it takes for main text
        ("fallback", pa.string()),  # discourse, json_ld: the page's data that the text comes from; null: its blocks
        ("mojibake_count", pa.int32()),  # suspicious sequences of characters in the text
        ("mojibake_repaired", pa.int32()),  # of these, how many stood in lines that were repaired
        ("error", pa.string()),  # html_too_large, too_many_tags, too_deep, not_html, timeout, crash, out_of_memory, …
    ]
)


#: Signals that `extract_page` gives under their own names.
_FROM_PAGE = [field.name for field in _SIGNALS][2:-1]


class Extract(Modifier):
    """Replace `text` by the main text of the page in `payload`."""

    requires: ClassVar[tuple[str, ...]] = ("payload", "content_type", "charset", "url", "text", "meta")
    writes: ClassVar[tuple[str, ...]] = ("text", "meta")
    version: ClassVar[int] = 2

    extractor: Literal["learned", "trafilatura", "resiliparse"] = "learned"
    favor: Literal["precision", "balance", "recall"] = "balance"  # trafilatura's default; learned: beta 0.5, 1, 2
    format: Literal["text", "markdown"] = "text"  # resiliparse: text only
    model_path: str | None = None  # learned: a model of your own (`curate extractor train`)
    model_sha256: str | None = None  # learned: pins the model's file
    fast: bool = False  # trafilatura: skip its fallback extractors. F1 0.828 instead of 0.871, 40 docs/s instead of 29
    tables: bool = True  # trafilatura's default
    comments: bool = True  # trafilatura's default, which resiliparse is given too
    #: Our choice: three times the largest of 2,612 real pages (5.3 MB); trafilatura itself gives up at 20 MB.
    max_html_bytes: int = Field(default=16 << 20, ge=1)
    #: The following bounds are for trafilatura and resiliparse.
    #: Our choice: 6 times the most start tags of the same pages (15,793). trafilatura takes 23 µs for each at best.
    max_tags: int = Field(default=100_000, ge=1)
    #: Our choice: 19 times the deepest of the same pages (53). libxml2 gives up at 256, lexbor is quadratic from 4,000.
    max_depth: int = Field(default=1_000, ge=1)
    max_seconds: float = Field(default=30.0, gt=0)  # of CPU for one page; our choice: 1,000 times the mean page
    max_memory_mib: int = Field(default=2048, ge=256)  # of the child; our choice: 16 MiB of <p> take 0.7 GiB
    min_text_chars: int = Field(default=1, ge=0)  # our choice: only an empty text says nothing about its own quality

    @model_validator(mode="after")
    def _known(self) -> Self:
        """A setting that the extractor does not know would be ignored in silence."""
        for name, extractors in _KNOWN_TO.items():
            if self.extractor not in extractors and getattr(self, name) != type(self).model_fields[name].default:
                raise RecipeError(
                    f"extract.{name} is a setting of {' and '.join(extractors)}, not of {self.extractor}. "
                    f"Leave it out, or name another `extractor:`"
                )
        return self

    @property
    def files(self) -> tuple[str, ...]:
        """The model's file, the one that ships with the package where none is named."""
        return (self._model_path(),) if self.extractor == "learned" else ()

    @property
    def signals(self) -> pa.StructType:
        """What was found out about each page: see the comments on `_SIGNALS`."""
        return _SIGNALS

    @property
    def limits(self) -> tuple[Limit, ...]:
        """A text of at least `min_text_chars` characters."""
        return (at_least("text_chars", self.min_text_chars),)

    def modify(self, batch: pa.RecordBatch) -> Modified:
        """Texts and meta of a batch. A page with an error has null text; one without main text has "".

        EnvironmentProblem where the model is missing or another, or the extraction process cannot start at all.
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
            signals.append(_signal(page, payload, error))
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
        if self.extractor == "learned":
            return "too_many_tags" if has_many_tags(payload, MAX_LEARNED_TAGS) else None
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
        settings = {name: getattr(self, name) for name in ("extractor", "favor", *_KNOWN_TO)}
        if self.extractor == "learned":
            path = self._model_path()
            settings |= {"model_path": path, "model_sha256": self.model_sha256 or file_digest(path)}
            return (Outcome(extract_page(bytes(job.payload), job.request, settings), None) for job in jobs)
        limits = Limits(self.max_seconds, _WALL_PER_CPU * self.max_seconds, self.max_memory_mib << 20)
        return _sandbox(TARGET, json.dumps(settings, sort_keys=True), limits).run(jobs)

    def _model_path(self) -> str:
        from curate.extraction.learned import shipped_model  # compiled code, of no use to other extractors

        return self.model_path or str(shipped_model())


@lru_cache(maxsize=4)
def _sandbox(target: str, settings: str, limits: Limits) -> Sandbox:
    """One child for each worker and settings: it outlives batches."""
    sandbox = Sandbox(target, json.loads(settings), limits)
    atexit.register(sandbox.close)
    return sandbox


def _view(payload: pa.BinaryScalar) -> memoryview | None:
    """The bytes of a payload where Arrow holds them."""
    return memoryview(payload.as_buffer()) if payload.is_valid else None


def _signal(page: Mapping[str, Any] | None, payload: memoryview, error: str | None) -> dict[str, Any]:
    if page is None:
        return {"html_bytes": len(payload), "error": error}
    found = {name: page[name] for name in _FROM_PAGE if name in page}
    return {"text_chars": len(page["text"]), "html_bytes": len(payload), **found}


def _page(outcome: Outcome) -> tuple[dict[str, Any] | None, str | None]:
    """A page, or the error that stands for it."""
    if outcome.reply is None:
        return None, outcome.error
    refused = outcome.reply.get("refused")
    return (None, refused) if refused else (outcome.reply, None)


def _merged(meta: list[tuple[str, str]] | None, found: Mapping[str, str]) -> dict[str, str] | None:
    """What the reader knew, and what the page says where the reader knew nothing."""
    return {**found, **dict(meta or ())} if meta or found else None
