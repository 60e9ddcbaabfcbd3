"""Presidio's AnalyzerEngine, built once per process, asked about windows of a text only.

No language model stands behind it: Presidio's own no-op engine takes its place, and scores are not raised by words
around a hit, so that a span depends on nothing but itself and a window is as good as the whole text.
Names, addresses and whatever else needs a model are not looked for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

os.environ.setdefault("PRESIDIO_DEVICE", "cpu")  # read at import: else Presidio opens a GPU

from presidio_analyzer import AnalyzerEngine, RecognizerRegistry, RecognizerResult
from presidio_analyzer.context_aware_enhancers import ContextAwareEnhancer
from presidio_analyzer.nlp_engine import NoOpNlpEngine

from curate.pii.recognizers import build
from curate.pii.spans import Span
from curate.pii.windows import NUMBER_TABLE, Window, spaced, windows

_LANGUAGE = "en"  # Presidio wants one; the patterns belong to none
#: Windows are joined by line breaks, which no pattern crosses, to pay Presidio's cost per call once. Not more than this
#: at a time: phonenumbers copies the rest of the text wherever it meets what could be a time of day.
_JOINED_CHARS = 16_384


class _NoContext(ContextAwareEnhancer):  # type: ignore[misc]  # Presidio ships partial types: its classes are Any to us
    """Leaves scores as the recognisers gave them. Presidio's own copies every result first."""

    def __init__(self) -> None:
        super().__init__(0.0, 0.0, 0, 0)

    def enhance_using_context(
        self,
        text: str,
        raw_results: list[RecognizerResult],
        nlp_artifacts: object,
        recognizers: object,
        context: list[str] | None = None,
    ) -> list[RecognizerResult]:
        """The results."""
        return raw_results


class Bounds(NamedTuple):
    """What a search may cost."""

    window_chars: int
    phone_chars: int  # of windows in which phone numbers are looked for


class Found(NamedTuple):
    """Spans, which may overlap, in no order; and how many characters of windows were not searched for phone numbers."""

    spans: list[Span]
    unchecked_chars: int


@lru_cache(maxsize=8)
def engine(entities: tuple[str, ...], regions: tuple[str, ...], keep_private_ips: bool) -> AnalyzerEngine:
    """The analyzer for these settings, once per process."""
    recognizers = [build(entity, regions, keep_private_ips) for entity in entities]
    return AnalyzerEngine(
        registry=RecognizerRegistry(recognizers=recognizers, supported_languages=[_LANGUAGE]),
        nlp_engine=NoOpNlpEngine([{"lang_code": _LANGUAGE, "model_name": "none"}]),
        supported_languages=[_LANGUAGE],
        context_aware_enhancer=_NoContext(),
    )


def find_whole(analyzer: AnalyzerEngine, text: str, min_score: float, *, phones: bool = True) -> list[Span]:
    """What Presidio finds in a text; spans may overlap. Slow (0.3 MB/s): the reference for `find`."""
    entities = [e for e in analyzer.get_supported_entities() if phones or e != "PHONE_NUMBER"]
    if not entities:
        return []
    results = analyzer.analyze(spaced(text), _LANGUAGE, entities, score_threshold=min_score)
    return [Span(r.start, r.end, r.entity_type, r.score) for r in results]


def find(analyzer: AnalyzerEngine, text: str, min_score: float, bounds: Bounds) -> Found:
    """What `find_whole` finds, by looking at windows only.

    The same, but for a text made to differ: an entity longer than a window's overlap, an extension that stands more
    than 64 blanks behind its phone number, a line without a space that is longer than a window, more numbers than
    `bounds.phone_chars`.
    """
    spans: list[Span] = []
    chars = unchecked = 0
    for group in _groups(windows(text, bounds.window_chars)):
        size = sum(window.end - window.start for window in group)
        phones = chars + size <= bounds.phone_chars
        spans += _ask(analyzer, text, group, min_score, phones)
        chars += size
        unchecked += sum(_table_chars(text, window) for window in group) if phones else size
    return Found(spans, min(unchecked, len(text)))  # the pieces of a long window overlap


def _table_chars(text: str, window: Window) -> int:
    return sum(table.end() - table.start() for table in NUMBER_TABLE.finditer(text, window.start, window.end))


def _groups(found: list[Window]) -> Iterator[list[Window]]:
    group: list[Window] = []
    chars = 0
    for window in found:
        if group and chars + window.end - window.start > _JOINED_CHARS:
            yield group
            group, chars = [], 0
        group.append(window)
        chars += window.end - window.start
    if group:
        yield group


def _ask(analyzer: AnalyzerEngine, text: str, group: list[Window], min_score: float, phones: bool) -> Iterator[Span]:
    """Spans of a group of windows, in characters of the text. What touches a cut edge is not believed."""
    joined = "\n".join(text[window.start : window.end] for window in group)
    spans = sorted(find_whole(analyzer, joined, min_score, phones=phones))
    index, window_at = 0, 0  # where the current window starts in the joined text
    for span in spans:
        while span.start > window_at + group[index].end - group[index].start:
            window_at += group[index].end - group[index].start + 1
            index += 1
        window = group[index]
        moved = span._replace(start=span.start - window_at + window.start, end=span.end - window_at + window.start)
        at_cut = (window.cut_start and moved.start == window.start) or (window.cut_end and moved.end == window.end)
        if not at_cut:
            yield moved
