"""Where two verdicts on one document differ, and why: pure functions over what both sides said.

A rule is the peer's: its reason, the side on which it drops, its bound, and the figure that it compares. We answer it
with a signal. Two verdicts may agree for different reasons, so rules are compared one by one as well.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

#: The part of the documents that must get the same verdict.
BAR = 0.995
#: Shares that differ by less are the same share, summed in another order or stored with fewer digits.
SAME_FIGURE = 1e-6
NEAR_BOUND = 0.01
#: Signals that depend on what a word is.
COUNTS_WORDS = re.compile("word|gram|symbol")


class Rule(NamedTuple):
    """What the peer drops for: a figure "below" or "above" a bound. The bound itself is kept."""

    reason: str
    side: str
    bound: float

    def broken_by(self, figure: float | None) -> bool:
        """False where there is no figure."""
        if figure is None or math.isnan(figure):
            return figure is not None
        return figure < self.bound if self.side == "below" else figure > self.bound


class Theirs(NamedTuple):
    """The peer's verdict. `keep` is None where it raised; `text` where it kept the text or dropped the document."""

    keep: bool | None
    reason: str | None
    error: str | None
    figures: Mapping[str, float | None]
    text: str | None = None


class Ours(NamedTuple):
    """Our verdict. `broken`: every reason that the signals give, not only the first. `text` where we changed it."""

    reason: str | None
    signals: Mapping[str, Any]
    broken: frozenset[str]
    text: str | None = None


class Difference(NamedTuple):
    """One rule on which two sides disagree."""

    reason: str  # theirs
    theirs: float | None
    ours: float | None
    bound: float
    cause: str


class Outcome(NamedTuple):
    """One document under one filter."""

    doc_id: str
    theirs: Theirs
    ours: Ours
    same_keep: bool
    same_reason: bool | None  # None unless both drop
    same_text: bool | None  # None unless both keep
    differences: tuple[Difference, ...]  # rules that only one side finds broken
    cause: str  # of another verdict or text; "" where all is the same


def compare(
    doc_id: str,
    text: str,
    theirs: Theirs,
    ours: Ours,
    rules: Sequence[Rule],
    mapping: Mapping[str, str],
    same_words: bool | None = None,
) -> Outcome:
    """Both verdicts side by side. `mapping`: their reason → ours. `same_words`: whether both cut the same words."""
    same_keep = theirs.keep is not None and theirs.keep == (ours.reason is None)
    both_drop = theirs.keep is False and ours.reason is not None
    same_reason = mapping.get(str(theirs.reason)) == ours.reason if both_drop else None
    same_text = None
    if theirs.keep and ours.reason is None:
        same_text = (text if theirs.text is None else theirs.text) == (text if ours.text is None else ours.text)
    differences = tuple(rule_differences(theirs, ours, rules, mapping, same_words))
    cause = "" if same_keep and same_text is not False else cause_of(theirs, ours, same_keep, differences, mapping)
    return Outcome(doc_id, theirs, ours, same_keep, same_reason, same_text, differences, cause)


def rule_differences(
    theirs: Theirs, ours: Ours, rules: Sequence[Rule], mapping: Mapping[str, str], same_words: bool | None
) -> Iterable[Difference]:
    """The rules that only one side finds broken. A rule without a counterpart of ours is broken by the peer alone."""
    if theirs.keep is None:
        return
    for rule in rules:
        figure, reason = theirs.figures.get(rule.reason), mapping.get(rule.reason)
        value = number(ours.signals.get(signal_of(reason))) if reason else None
        if rule.broken_by(figure) != (reason in ours.broken):
            same = same_words if reason and COUNTS_WORDS.search(signal_of(reason)) else None
            yield Difference(rule.reason, figure, value, rule.bound, figure_cause(figure, value, rule.bound, same))


def figure_cause(theirs: float | None, ours: float | None, bound: float, same_words: bool | None = None) -> str:
    """Why a rule is broken on one side alone, from both figures.

    >>> figure_cause(0.2003, 0.1998, 0.2)
    'within 1% of the bound'
    """
    if theirs is None or ours is None:
        return f"not measured by {'them' if theirs is None else 'us'}"
    if abs(theirs - ours) <= SAME_FIGURE:
        return "same figure, other comparison"
    if same_words is False:
        return "word tokens differ"
    if max(abs(theirs - bound), abs(ours - bound)) <= NEAR_BOUND * abs(bound):
        return "within 1% of the bound"
    return "figures differ"


def cause_of(
    theirs: Theirs, ours: Ours, same_keep: bool, differences: Sequence[Difference], mapping: Mapping[str, str]
) -> str:
    """Why two verdicts differ, in a few words that can be counted."""
    if theirs.keep is None:
        return f"they raise {str(theirs.error).partition(':')[0]}"
    if ours.reason and ours.reason.startswith("error_"):
        return f"we raise {ours.reason.removeprefix('error_')}"
    if same_keep:
        return "text differs"
    if not theirs.keep and theirs.reason not in mapping:
        return f"a rule of theirs alone: {theirs.reason or 'none named'}"
    if ours.reason and ours.reason not in mapping.values():
        return f"a rule of ours alone: {ours.reason}"
    decisive = [d for d in differences if d.reason == theirs.reason or mapping.get(d.reason) == ours.reason]
    return decisive[0].cause if decisive else "no figure explains it"


def largest_differences(
    outcomes: Iterable[Outcome], rules: Sequence[Rule], mapping: Mapping[str, str]
) -> dict[str, tuple[float, str, float]]:
    """Their reason → largest absolute difference of the figure behind it, on which document, and the part that differs.

    The part is of the documents that both sides measured. A figure that only one side has is not here.
    """
    seen: dict[str, list[tuple[float, str]]] = {}
    for outcome in outcomes:
        for rule in rules:
            figure = outcome.theirs.figures.get(rule.reason)
            value = number(outcome.ours.signals.get(signal_of(mapping.get(rule.reason, ""))))
            if figure is not None and value is not None:
                seen.setdefault(rule.reason, []).append((abs(figure - value), outcome.doc_id))
    return {
        reason: (*max(pairs), sum(gap > SAME_FIGURE for gap, _ in pairs) / len(pairs)) for reason, pairs in seen.items()
    }


def signal_of(reason: str) -> str:
    """The signal that one of our reasons compares.

    >>> signal_of("word_count_below_min"), signal_of("lorem_ipsum")
    ('word_count', 'lorem_ipsum')
    """
    return reason.removesuffix("_below_min").removesuffix("_above_max")


def number(value: Any) -> float | None:
    """A signal as a number; booleans are 0 and 1."""
    return None if value is None else float(value)


def share(values: Iterable[bool | None]) -> float | None:
    """The part that is true of those that are known; None where none is."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def first_difference(theirs: str, ours: str) -> str:
    """The first line in which two texts differ, of both, from a little before the place.

    >>> first_difference("a\\nb", "a\\nc")
    "line 2: theirs 'b', ours 'c'"
    """
    pairs = zip([*theirs.split("\n"), ""], [*ours.split("\n"), ""], strict=False)
    for place, (left, right) in enumerate(pairs, start=1):
        if left != right:
            same = next(
                (i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right))
            )
            start = max(0, same - 20)
            return f"line {place}: theirs {left[start : start + 80]!r}, ours {right[start : start + 80]!r}"
    return f"theirs has {theirs.count(chr(10)) + 1} lines, ours {ours.count(chr(10)) + 1}"
