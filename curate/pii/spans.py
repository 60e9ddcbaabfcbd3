"""Spans of personal data: the kinds, and what happens where two of them overlap."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from typing import NamedTuple

#: The kinds that are looked for, by the names that Presidio gives them (the Chinese ones are ours).
ENTITIES: tuple[str, ...] = (
    "EMAIL_ADDRESS",
    "PHONE_NUMBER",
    "IP_ADDRESS",
    "CREDIT_CARD",
    "IBAN_CODE",
    "CN_RESIDENT_ID",
    "CN_MOBILE",
)


class Span(NamedTuple):
    """A place that holds personal data: [start, end) in characters, and how sure the recogniser is."""

    start: int
    end: int
    entity: str
    score: float  # (0, 1]


def resolve(spans: Iterable[Span]) -> list[Span]:
    """Spans that do not overlap, ordered by start: the higher score wins, then the longer, the earlier, the name.

    Touching spans both stay. O(n log n) comparisons.

    >>> resolve([Span(0, 11, "PHONE_NUMBER", 0.4), Span(0, 11, "CN_MOBILE", 0.5), Span(11, 14, "IP_ADDRESS", 0.6)])
    [Span(start=0, end=11, entity='CN_MOBILE', score=0.5), Span(start=11, end=14, entity='IP_ADDRESS', score=0.6)]
    """
    kept: list[Span] = []
    for span in sorted(set(spans), key=lambda s: (-s.score, s.start - s.end, s.start, s.entity)):
        place = bisect_left(kept, span)
        free_before = place == 0 or kept[place - 1].end <= span.start
        free_after = place == len(kept) or kept[place].start >= span.end
        if free_before and free_after:
            insort(kept, span)
    return kept


def replace(text: str, spans: Iterable[Span], placeholder: str) -> str:
    """The text with each span replaced by `placeholder.format(entity=…)`. The spans are ordered and do not overlap."""
    parts: list[str] = []
    position = 0
    for span in spans:
        parts += (text[position : span.start], placeholder.format(entity=span.entity))
        position = span.end
    parts.append(text[position:])
    return "".join(parts)


def in_original(later: Iterable[Span], earlier: list[Span], placeholder: str) -> list[Span]:
    """Spans of the replaced text in the coordinates of the text before, together with the spans replaced there.

    Both are ordered. A later span never overlaps a placeholder: `Pii.placeholder` is checked for that.
    """
    moved: list[Span] = []
    grown, index = 0, 0  # by how much the text before has grown, over earlier[:index]
    for span in later:
        while index < len(earlier):
            before = earlier[index]
            grown_past = grown + len(placeholder.format(entity=before.entity)) - (before.end - before.start)
            if before.end + grown_past > span.start:
                break
            grown, index = grown_past, index + 1
        moved.append(span._replace(start=span.start - grown, end=span.end - grown))
    return sorted([*earlier, *moved])
