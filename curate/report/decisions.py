"""What-if, audit and thresholds on the terminal. Names and texts of documents are shown with their control characters
replaced, as in `curate.report.inspect`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from curate.audit import Audit, RuleCounts
from curate.nearest import Sample
from curate.report.inspect import harmless, one_line
from curate.thresholds import POOLED, Thresholds
from curate.verdicts import Rule
from curate.what_if import Move, WhatIf

MAX_ROWS = 12  # of a list under a heading
MAX_PAIRS = 15

_MEANINGS = """
total: break it. first: were dropped for it. unique: break no other rule, and would stay without this one.
shared: break another one too. A stage's rules count as one rule in the first table.
What a pass drops, later passes and corpus stages have not seen.
"""


def show_what_if(found: WhatIf, console: Console) -> None:
    """The new funnel beside the old one, what enters and leaves, and samples."""
    for change in found.changes:
        _say(console, f"{change.stage}.{change.setting}: {change.old} → {change.new}")
    console.print(_funnels(found))
    enters, leaves, other = (found.of_kind(kind) for kind in ("enter", "leave", "reason"))
    _say(console, f"\n{enters.total():,} documents would be kept and were dropped")
    _list_moves(console, enters)
    for names, count in found.not_measured.most_common():
        _say(console, f"  {count:,} of them were not measured by {', '.join(names)}, which may drop them still")
    _say(console, f"{leaves.total():,} documents would be dropped and were kept")
    _list_moves(console, leaves)
    for name, count in found.stood_for_duplicates.items():
        told = "would not come so far: a duplicate of theirs within the limits would stay in their place"
        _say(console, f"  {count:,} documents that {name} kept in place of duplicates {told}")
    _say(console, f"{other.total():,} documents would be dropped for another reason")
    _list_moves(console, other)
    for sample in found.samples:
        _show_sample(console, sample)


def show_audit(found: Audit, console: Console) -> None:
    """Rules with what they drop, alone and with others, and the pairs that overlap most."""
    _say(console, f"{found.num_dropped:,} dropped documents of {found.num_read:,} read")
    for line in aligned(("stage", "total", "first", "unique", "shared"), map(_counted, found.stages)):
        _say(console, line)
    _say(console, "")
    rules = [rule for rule in found.rules if rule.total]
    for line in aligned(("rule", "total", "first", "unique", "shared"), map(_counted, rules)):
        _say(console, line)
    if unused := len(found.rules) - len(rules):
        _say(console, f"{unused} more rules, which no document breaks")
    _say(console, _MEANINGS)
    pairs = found.as_json()["overlap"]
    rows = [(f"{pair['a']} + {pair['b']}", f"{pair['both']:,}", f"{pair['jaccard']:.2f}") for pair in pairs]
    for line in aligned(("break both", "documents", "Jaccard"), rows[:MAX_PAIRS]):
        _say(console, line)
    if len(rows) > MAX_PAIRS:
        _say(console, f"{len(rows) - MAX_PAIRS} more pairs: --json")


def show_thresholds(found: Thresholds, console: Console) -> None:
    """A table for each group: figures of each signal, the proposed bounds, and what they would drop."""
    _say(console, f"{found.num_documents:,} documents; n: those of them that the stage measured\n")
    if found.by != "none" and len(found.dropped_frac) == 1:
        _say(console, f"no document has a {found.by}: there is one group, of all documents\n")
    head = ("signal", "n", "min", "p1", "median", "p99", "max", "mean", "sd", "low", "high", "dropped")
    for group, share in found.dropped_frac.items():
        rows = [
            (
                one.signal + (" *" if one.from_pooled else ""),
                *(number(value) for value in one.summary),
                number(one.range.low),
                number(one.range.high),
                f"{one.dropped_frac:.2%}",
            )
            for one in found.proposals
            if one.group == group
        ]
        title = "all documents" if group == POOLED else f"{found.by} {one_line(group)}"
        _say(console, f"{title}: {found.method.told()}, {share:.2%} would be dropped")
        for line in aligned(head, rows):
            _say(console, line)
        if any(one.group == group and one.from_pooled for one in found.proposals):
            _say(console, f"* fewer than {found.min_documents:,} documents: judged by the limits of all documents")
        _say(console, "")


def number(value: float | None) -> str:
    """A figure in few characters; `-` for none.

    >>> number(10391.0), number(0.0370371), number(None), number(float("nan"))
    ('10,391', '0.03704', '-', '-')
    """
    if value is None or value != value:
        return "-"
    size = abs(value)
    return f"{value:,.0f}" if 1e6 <= size < 1e15 else f"{value:,.6g}" if size >= 1000 else f"{value:.4g}"


def aligned(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table: the first column to the left, the others to the right, as wide as they need to be."""
    table = [tuple(head), *(tuple(one_line(cell) for cell in row) for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    return [
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))])
        for row in table
    ]


def _funnels(found: WhatIf) -> Table:
    """Stages with what they dropped and would drop, and under each the reasons whose counts change."""
    table = Table(title=f"{found.num_read:,} documents", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("stage, reason", overflow="fold")
    for name in ("dropped", "would be", "kept", "would be"):
        table.add_column(name, justify="right", no_wrap=True)
    old = {entry["stage"]: entry for entry in found.stages(found.dropped)}
    new = {entry["stage"]: entry for entry in found.stages(found.would_drop)}
    for stage in [name for name in found.order if name in old or name in new]:
        before, after = (side.get(stage, {"dropped": 0, "reasons": {}}) for side in (old, new))
        kept = [f"{side['kept']:,}" if "kept" in side else "" for side in (before, after)]
        table.add_row(Text(one_line(stage)), f"{before['dropped']:,}", f"{after['dropped']:,}", *kept, style="bold")
        for reason in {**before["reasons"], **after["reasons"]}:
            counts = [side["reasons"].get(reason, 0) for side in (before, after)]
            if counts[0] != counts[1]:
                table.add_row(Text(one_line(f"  {reason}")), *(f"{count:,}" for count in counts))
    return table


def _list_moves(console: Console, moves: Counter[Move]) -> None:
    """Counts by what dropped them and what would, then by source and language."""
    reasons: Counter[str] = Counter()
    places: Counter[str] = Counter()
    for (source, language, was, now), count in moves.items():
        reasons[" → ".join(_told(rule) for rule in (was, now) if rule is not None)] += count
        places[f"{source or 'no source'}, {language or 'language not identified'}"] += count
    for told in (reasons, places):
        for name, count in told.most_common(MAX_ROWS):
            _say(console, f"  {count:,}  {one_line(name)}")
        if len(told) > MAX_ROWS:
            _say(console, f"  {len(told) - MAX_ROWS} more: --json")


def _show_sample(console: Console, sample: Sample) -> None:
    fate = "WOULD BE KEPT" if sample.enters else "WOULD BE DROPPED"
    value = number(sample.value) if isinstance(sample.value, int | float) else sample.value
    console.rule(one_line(f"{fate} {sample.stage}.{sample.signal} = {value}"), characters="-", align="left")
    told = [sample.doc_id, sample.url or "no URL", sample.source, sample.language or "language not identified"]
    _say(console, "  ".join(one_line(item) for item in told))
    _say(console, harmless(sample.text) + "\n")


def _counted(rule: RuleCounts) -> tuple[str, ...]:
    name = f"{rule.stage}: {rule.reason}" if rule.reason else rule.stage
    return (name, *(f"{count:,}" for count in (rule.total, rule.first, rule.unique, rule.shared)))


def _told(rule: Rule) -> str:
    return f"{rule.stage}: {rule.reason}"


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
