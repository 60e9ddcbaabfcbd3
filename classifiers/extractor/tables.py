"""A report of extractors as tables for the terminal, and as JSON.

Three tables: all extractors with quality and speed; F1 by page type and by language, where the gold texts say them; and
each extractor beside the baseline, page by page.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from classifiers.extractor.evaluate import Report, Result
from classifiers.extractor.scores import GroupMean, group_means, interval

GROUPINGS = ("page_type", "language", "source")


def tables(report: Report) -> list[Table]:
    """What a person reads."""
    found = [overall(report)]
    found += [by_group(report, column) for column in GROUPINGS if _groups(report, column)]
    return [*found, differences(report)] if len(report.results) > 1 else found


def overall(report: Report) -> Table:
    """F1 with its interval, precision, recall, pages a second, and how many times the baseline's speed that is."""
    size = sum(len(page.payload) for page in report.pages)
    title = f"{len(report.pages)} pages, {size / 1e6:.1f} MB, {size / 1e3 / len(report.pages):.0f} KB each"
    table = _table(title, "extractor", "F1", "95 % of F1", "precision", "recall", "pages/s", "ratio", "failed")
    for result in report.results:
        row = summary(report, result)
        speed, ratio = row["pages_per_second"], row["speed_ratio"]
        table.add_row(
            escape(result.name),
            f"{row['f1']:.4f}",
            f"{row['f1_low']:.3f}–{row['f1_high']:.3f}",
            f"{row['precision']:.3f}",
            f"{row['recall']:.3f}",
            "-" if speed is None else f"{speed:.1f}",
            "-" if ratio is None else f"{ratio:.2f}",
            str(result.num_failed),
        )
    return table


def by_group(report: Report, column: str) -> Table:
    """Mean F1 of each group of pages, extractors side by side."""
    rows = [_means(report, result, column) for result in report.results]
    table = _table(
        f"F1 by {column.replace('_', ' ')}", "", "pages", *(escape(result.name) for result in report.results)
    )
    for groups in zip(*rows, strict=True):
        best = max(group.mean for group in groups)
        cells = (f"[bold]{group.mean:.4f}[/]" if group.mean == best else f"{group.mean:.4f}" for group in groups)
        table.add_row(escape(groups[0].group), str(groups[0].num_pages), *cells)
    return table


def differences(report: Report) -> Table:
    """Mean difference of F1 to the baseline with its interval, and on how many pages it is for the better or worse."""
    base = report.baseline()
    table = _table(f"F1 less that of {escape(base.name)}, page by page", "extractor", "mean", "95 %", "better", "worse")
    for result in report.results:
        if result is not base:
            found = report.against_baseline(result)
            span = f"{found.low:+.4f} to {found.high:+.4f}"
            table.add_row(
                escape(result.name), f"{found.difference:+.4f}", span, str(found.num_better), str(found.num_worse)
            )
    return table


def as_json(report: Report) -> dict[str, Any]:
    """Everything that the tables show, and F1 page by page: {"pages", "baseline", "extractors"}. Plain JSON."""
    pages = [{"url": page.url, **{name: getattr(page, name) for name in GROUPINGS}} for page in report.pages]
    extractors = {}
    for result in report.results:
        extractors[result.name] = {
            **summary(report, result),
            "against_baseline": report.against_baseline(result)._asdict(),
            "groups": {
                column: {row.group: row._asdict() for row in _means(report, result, column)}
                for column in GROUPINGS
                if _groups(report, column)
            },
            "f1_by_page": [round(score.f1, 6) for score in result.scores],
        }
    return {"pages": pages, "baseline": report.baseline().name, "extractors": extractors}


def summary(report: Report, result: Result) -> dict[str, Any]:
    """Means over all pages and speed. `pages_per_second` and `speed_ratio` are None where there is no time."""
    precision, recall, f1 = np.mean(result.scores, axis=0).tolist()
    low, high = interval([score.f1 for score in result.scores])
    speed, base = result.pages_per_second, report.baseline().pages_per_second
    return {
        "f1": f1,
        "f1_low": low,
        "f1_high": high,
        "precision": precision,
        "recall": recall,
        "pages_per_second": speed,
        "speed_ratio": speed / base if speed and base else None,
        "failed": result.num_failed,
    }


def _groups(report: Report, column: str) -> set[str]:
    """The groups of a column, none where they would say no more than all pages do."""
    found = {getattr(page, column) for page in report.pages}
    return {group for group in found if group is not None} if len(found) > 1 else set()


def _means(report: Report, result: Result, column: str) -> list[GroupMean]:
    groups = [getattr(page, column) for page in report.pages]
    return group_means([score.f1 for score in result.scores], groups)[1:]


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right")
    return table


def lines(found: Sequence[Table], width: int = 120) -> str:
    """Tables as plain text, for a file or a log."""
    out = StringIO()
    console = Console(file=out, width=width)
    for table in found:
        console.print(table)
    return out.getvalue()
