"""Compare extractors on pages with gold text: how good the texts are, and how fast they come.

An extractor is a function of a page's bytes, its URL and the charset that the HTTP response declared, to its main text.
Pages lie in memory, decoding belongs to the work, and one process does it on one core. Extractors take turns block by
block, so that a change in the machine's speed meets all of them, and each does one page before the clock runs. An
exception of an extractor is an empty text, and is counted: this is the one place where any exception is caught.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import NamedTuple, cast

from classifiers.extractor.gold import GoldPage
from classifiers.extractor.scores import Comparison, Score, compare, word_score
from curate.document import uniform
from curate.errors import RecipeError

Extractor = Callable[[bytes, str | None, str | None], str | None]

#: Those that need nothing but what we depend on, each imported when it is asked for.
EXTRACTORS = {
    "learned": "curate.extraction.learned:extract_text",
    "trafilatura": "classifiers.extractor.evaluate:trafilatura_text",
    "trafilatura_fast": "classifiers.extractor.evaluate:trafilatura_fast_text",
    "resiliparse": "classifiers.extractor.evaluate:resiliparse_text",
}
#: Pages that an extractor has before it is the next one's turn. Our choice: a second of trafilatura's work.
BLOCK = 25
#: Speeds and differences are shown beside this one, where it takes part.
BASELINE = "trafilatura"


class Answers(NamedTuple):
    """What an extractor made of some pages."""

    texts: list[str]
    seconds: float
    num_failed: int  # pages on which it raised an exception


#: Anything that does pages and knows how long it took: an extractor in this process, or a peer in another one.
Contestant = Callable[[Sequence[GoldPage]], Answers]


class Result(NamedTuple):
    """One extractor on all pages, in their order."""

    name: str
    texts: list[str]
    scores: list[Score]
    seconds: float | None  # None: not timed
    num_failed: int = 0

    @property
    def pages_per_second(self) -> float | None:
        """None where it was not timed."""
        return len(self.texts) / self.seconds if self.seconds else None


class Report(NamedTuple):
    """Extractors on the same pages."""

    pages: Sequence[GoldPage]
    results: list[Result]

    def baseline(self) -> Result:
        """The one that the others are shown beside: trafilatura where it takes part, else the first."""
        return next((result for result in self.results if result.name == BASELINE), self.results[0])

    def against_baseline(self, result: Result) -> Comparison:
        """F1 of `result` less that of the baseline, page by page."""
        return compare([score.f1 for score in result.scores], [score.f1 for score in self.baseline().scores])


def evaluate(pages: Sequence[GoldPage], extractors: Sequence[str] | Mapping[str, Contestant]) -> Report:
    """Run extractors on pages, by turns, and score their texts.

    `extractors` names some of `EXTRACTORS`, or functions as "module:function"; or it gives contestants by name.
    RecipeError where a name is unknown. ValueError where there are no pages or no extractors.
    """
    if not pages or not extractors:
        raise ValueError("an evaluation needs at least one page and one extractor")
    if not isinstance(extractors, Mapping):
        extractors = {name: contestant(name) for name in extractors}
    texts: dict[str, list[str]] = {name: [] for name in extractors}
    seconds, failed = dict.fromkeys(extractors, 0.0), dict.fromkeys(extractors, 0)
    with _quiet():
        for extract in extractors.values():
            extract(pages[:1])
        for start in range(0, len(pages), BLOCK):
            for name, extract in extractors.items():
                answers = extract(pages[start : start + BLOCK])
                texts[name] += answers.texts
                seconds[name] += answers.seconds
                failed[name] += answers.num_failed
    return Report(pages, [scored(name, texts[name], pages, seconds[name], failed[name]) for name in extractors])


def scored(
    name: str, texts: list[str], pages: Sequence[GoldPage], seconds: float | None = None, num_failed: int = 0
) -> Result:
    """A result of texts that are there already, one for each page."""
    scores = [word_score(text, page.gold) for text, page in zip(texts, pages, strict=True)]
    return Result(name, texts, scores, seconds, num_failed)


def sample(pages: Sequence[GoldPage], num: int, seed: int = 0) -> list[GoldPage]:
    """`num` pages, all where it is 0 or there are no more: by a hash of URL and seed, so the same ones in any order."""
    chosen = sorted(pages, key=lambda page: (uniform(page.url, seed, "evaluate"), page.payload))
    return chosen[: num or None]


def contestant(extract: str | Extractor) -> Contestant:
    """An extractor, or that of this name, in this process. RecipeError where there is none."""
    return partial(_answers, extractor(extract) if isinstance(extract, str) else extract)


def extractor(name: str) -> Extractor:
    """An extractor by its name in `EXTRACTORS` or as "module:function". RecipeError where there is none of the kind."""
    target = EXTRACTORS.get(name, name)
    module, colon, function = target.partition(":")
    if not colon:
        raise RecipeError.unknown("extractor", name, [*EXTRACTORS, "module:function"])
    try:
        found = getattr(import_module(module), function, None)
    except ImportError as error:
        raise RecipeError(f"cannot import the extractor {target}: {error}") from error
    if not callable(found):
        raise RecipeError(f"{module} has no function {function!r}: an extractor takes (payload, url, charset)")
    return cast(Extractor, found)


def trafilatura_text(payload: bytes, url: str | None, charset: str | None) -> str | None:
    """Main text by trafilatura with its defaults. It takes bytes and finds the charset by itself."""
    from trafilatura import extract

    return cast("str | None", extract(payload, url=url))


def trafilatura_fast_text(payload: bytes, url: str | None, charset: str | None) -> str | None:
    """The same without its fallback extractors."""
    from trafilatura import extract

    return cast("str | None", extract(payload, url=url, fast=True))


def resiliparse_text(payload: bytes, url: str | None, charset: str | None) -> str | None:
    """Main content by resiliparse, with the charset that it detects."""
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.encoding import bytes_to_str, detect_encoding

    html = bytes_to_str(payload, detect_encoding(payload) or "utf-8")
    return cast("str | None", extract_plain_text(html, main_content=True))


def _answers(extract: Extractor, pages: Sequence[GoldPage]) -> Answers:
    texts, num_failed = [], 0
    begin = time.perf_counter()
    for page in pages:
        try:
            texts.append(extract(page.payload, page.url, page.charset) or "")
        except Exception:  # noqa: BLE001  # the document boundary: what an extractor does with a page is its score
            texts.append("")
            num_failed += 1
    return Answers(texts, time.perf_counter() - begin, num_failed)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what libraries log about single pages, which would be most of the output."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
