"""What a conformance run found: the table that ends it, a Markdown report, and the same as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from peers.compare import (
    BAR,
    Outcome,
    Rule,
    first_difference,
    largest_differences,
    number,
    share,
    signal_of,
)

Result = dict[str, Any]


def summarize(
    outcomes: Sequence[Outcome],
    rules: Sequence[Rule],
    mapping: Mapping[str, str],
    documents: Mapping[str, tuple[str | None, str]],
) -> Result:
    """The figures of one pair and language. `documents`: id → URL and text."""
    judged = [outcome for outcome in outcomes if outcome.theirs.keep is not None]
    agreement = share(outcome.same_keep for outcome in judged)
    found = [outcome for outcome in outcomes if outcome.cause]
    return {
        "documents": len(judged),
        "they_raised": len(outcomes) - len(judged),
        "theirs_kept": sum(outcome.theirs.keep is True for outcome in judged),
        "ours_kept": sum(outcome.ours.reason is None for outcome in judged),
        "agreement": agreement,
        "reason_agreement": share(outcome.same_reason for outcome in judged),
        "text_agreement": share(outcome.same_text for outcome in judged),
        "rule_agreement": share(not outcome.differences for outcome in judged),
        "passed": agreement is not None and agreement >= BAR,
        "causes": dict(Counter(outcome.cause for outcome in found).most_common()),
        "rules": dict(Counter(d.reason for outcome in judged for d in outcome.differences).most_common()),
        "unexplained_by_their_figures": sum(not consistent(outcome, rules) for outcome in judged),
        "largest_differences": largest_differences(judged, rules, mapping),
        "disagreements": [disagreement(outcome, rules, mapping, documents[outcome.doc_id]) for outcome in found],
    }


def consistent(outcome: Outcome, rules: Sequence[Rule]) -> bool:
    """True where the figures that we worked out for the peer lead to the verdict that it gave."""
    first = next((rule.reason for rule in rules if rule.broken_by(outcome.theirs.figures.get(rule.reason))), None)
    return first == outcome.theirs.reason


def disagreement(
    outcome: Outcome, rules: Sequence[Rule], mapping: Mapping[str, str], document: tuple[str | None, str]
) -> dict[str, Any]:
    """One document on which both differ, with the figures that decide."""
    theirs, ours, (url, text) = outcome.theirs, outcome.ours, document
    out: dict[str, Any] = {
        "doc_id": outcome.doc_id,
        "url": url,
        "theirs": theirs.reason or ("keep" if theirs.keep else theirs.error or "drop"),
        "ours": ours.reason or "keep",
        "cause": outcome.cause,
        "figures": [difference._asdict() for difference in outcome.differences],
        "nearest": nearest(outcome, rules, mapping),
    }
    if outcome.same_text is False:
        before = text if theirs.text is None else theirs.text
        out["text"] = first_difference(before, text if ours.text is None else ours.text)
    return out


def nearest(outcome: Outcome, rules: Sequence[Rule], mapping: Mapping[str, str], count: int = 3) -> dict[str, float]:
    """Those of our signals that are nearest to the peer's bounds, relative to the bound."""
    gaps = []
    for rule in rules:
        signal = signal_of(mapping.get(rule.reason, ""))
        value = number(outcome.ours.signals.get(signal))
        if value is not None and rule.bound:
            gaps.append((abs(value - rule.bound) / abs(rule.bound), signal, value))
    return {signal: value for _, signal, value in sorted(gaps)[:count]}


def table(results: Sequence[Result]) -> str:
    """One line for each pair and language, with the verdict."""
    head = f"{'ours = theirs':<66} lang   docs  kept by them/us   keep    reason  text    rules   "
    lines = [head]
    for result in results:
        name = f"{result['pair']:<66} {result['language']:<4}"
        if "absent" in result:
            lines.append(f"{name} {result['absent']}")
            continue
        kept = f"{result['theirs_kept']}/{result['ours_kept']}"
        shares = "  ".join(f"{percent(result[key]):>6}" for key in SHARES)
        lines.append(f"{name} {result['documents']:6}  {kept:>15}  {shares}  {'pass' if result['passed'] else 'FAIL'}")
    asked = [result for result in results if not ("absent" in result and result.get("passed"))]
    passed = sum(bool(result.get("passed")) for result in asked)
    lines.append(f"{passed} of {len(asked)} pass (same verdict on {percent(BAR)} % of the documents)")
    return "\n".join(lines)


SHARES = ("agreement", "reason_agreement", "text_agreement", "rule_agreement")


def percent(value: float | None) -> str:
    """A share in percent, rounded down so that 100 means all; "-" for None.

    >>> percent(0.99999), percent(1.0), percent(None)
    ('99.99', '100', '-')
    """
    if value is None:
        return "-"
    return "100" if value == 1 else f"{int(value * 10_000) / 100:.2f}"


def markdown(record: Mapping[str, Any]) -> str:
    """The report for reading."""
    return "\n".join(_markdown(record)) + "\n"


def _markdown(record: Mapping[str, Any]) -> Iterator[str]:
    yield "# Conformance with the peers' own code"
    yield ""
    yield f"{record['at']}, {record['machine']}. Bar: {percent(BAR)} % of the documents get the same verdict."
    yield ""
    yield "keep: same verdict; reason: same reason where both drop; text: same text where both keep; rules: no rule"
    yield "that only one side finds broken, whether or not it decides."
    yield ""
    yield "| ours = theirs | language | documents | kept by them | by us | keep % | reason % | text % | rules % | |"
    yield "|---|---|--:|--:|--:|--:|--:|--:|--:|---|"
    for result in record["results"]:
        if "absent" in result:
            yield f"| {result['pair']} | {result['language']} | {result['absent']} |||||||| |"
            continue
        shares = " | ".join(percent(result[key]) for key in SHARES)
        counts = f"{result['documents']} | {result['theirs_kept']} | {result['ours_kept']}"
        verdict = "pass" if result["passed"] else "**fail**"
        yield f"| {result['pair']} | {result['language']} | {counts} | {shares} | {verdict} |"
    for result in record["results"]:
        if "absent" not in result:
            yield from _section(result)


def _section(result: Result) -> Iterator[str]:
    yield ""
    yield f"## {result['pair']}, {result['language']}"
    yield ""
    if result["they_raised"]:
        yield f"They raised on {result['they_raised']} documents, which count on no side."
    if result["unexplained_by_their_figures"]:
        yield f"Of {result['unexplained_by_their_figures']} documents the figures worked out for the peer do not lead"
        yield "to the verdict that it gave: do not trust its figures there."
    yield "| figure | largest difference | on | share that differs |"
    yield "|---|--:|---|--:|"
    for reason, (gap, doc_id, differing) in result["largest_differences"].items():
        yield f"| {cell(reason)} | {gap:.3g} | {doc_id} | {percent(differing)} % |"
    yield ""
    if result["causes"]:
        yield "Causes: " + ", ".join(f"{cause} {count}" for cause, count in result["causes"].items()) + "."
        yield ""
    for row in result["disagreements"]:
        verdicts = f"theirs {cell(row['theirs'])}, ours {cell(row['ours'])} ({cell(row['cause'])})"
        yield f"- `{row['doc_id']}` {cell(row['url'] or '')}: {verdicts}"
        for figure in row["figures"]:
            yield f"  - {cell(figure['reason'])}: theirs {shown(figure['theirs'])}, ours {shown(figure['ours'])}, " + (
                f"bound {figure['bound']:g} ({figure['cause']})"
            )
        if "text" in row:
            yield f"  - {cell(row['text'])}"
        if row["nearest"]:
            yield "  - nearest: " + ", ".join(f"{name} {value:.6g}" for name, value in row["nearest"].items())


def shown(value: float | None) -> str:
    """A figure, or a dash."""
    return "-" if value is None else f"{value:.6g}"


def cell(text: str) -> str:
    """Text of a page or a URL as it may stand in Markdown: no table, no markup, no HTML."""
    for mark in "\\`*_[]|<>":
        text = text.replace(mark, f"\\{mark}" if mark not in "<>" else {"<": "&lt;", ">": "&gt;"}[mark])
    return " ".join(text.split())
