"""Where recipes disagree, on the terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from curate.compare import Comparison
from curate.report.decisions import aligned
from curate.report.inspect import one_line

MAX_ROWS = 12  # kinds of disagreement between two recipes


def show_comparison(found: Comparison, console: Console) -> None:
    """What each recipe keeps, and for each two of them what tells them apart, with samples."""
    kept = [
        (name, f"{found.kept(name):,}", f"{found.kept(name) / max(found.num_documents, 1):.2%}") for name in found.names
    ]
    for line in aligned((f"{found.num_documents:,} documents", "kept", "share"), kept):
        _say(console, line)
    for pair in found.pairs():
        _show_pair(console, pair)


def _show_pair(console: Console, pair: dict[str, Any]) -> None:
    a, b = pair["recipes"]
    apart = sum(row["documents"] for row in pair["apart"])
    _say(console, f"\n{a} and {b} agree on {pair['agree']:,} documents ({pair['agree_frac']:.2%}), not on {apart:,}")
    for row in pair["apart"][:MAX_ROWS]:
        _say(console, f"  {row['documents']:>7,}  {a}: {row[a]}   {b}: {row[b]}")
        for sample in row["samples"]:
            told = " ".join(filter(None, (sample["doc_id"], sample["url"], sample["text"])))
            _say(console, f"           {one_line(told, 110)}")
    if len(pair["apart"]) > MAX_ROWS:
        _say(console, f"  and {len(pair['apart']) - MAX_ROWS} more kinds")


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)
