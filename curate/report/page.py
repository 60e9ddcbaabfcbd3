"""report.html: one self-contained file. Every text that came from outside is escaped by the template engine."""

from __future__ import annotations

import json
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from curate.report import plots
from curate.report.samples import dropped_samples, kept_samples, signal_values, text_lengths
from curate.rundir import RunDir


def write_report(run: RunDir) -> str:
    """Write report.html of a run from what its folder holds, and return its path."""
    record = run.read_json("run.json")
    metrics = _metrics(run)
    figures = [
        ("Where documents went", plots.funnel(record)),
        ("Drops by language", plots.drops_by_language(record)),
        ("Duplicates by source", plots.duplicates_by_source(record)),
        ("Length of kept documents", plots.lengths(text_lengths(run))),
        ("Signals", plots.signals(signal_values(run))),
        ("Tokens by source", plots.tokens_by_source(record)),
        ("Training", plots.training(metrics, record)),
    ]
    environment = Environment(
        loader=PackageLoader("curate.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page = environment.get_template("report.html.jinja").render(
        record=record,
        figures=[(title, plots.html(figure)) for title, figure in figures if figure is not None],
        plotly=plots.library(),
        kept=kept_samples(run),
        dropped=dropped_samples(run),
        model=record.get("model", {}),
    )
    run.write_text(page, "report.html")
    return run.path("report.html")


def _metrics(run: RunDir) -> list[dict[str, Any]]:
    """Lines of the trainer's metrics, those that were cut off by a kill left out."""
    if not run.exists("model", "metrics.jsonl"):
        return []
    lines = []
    with run.fs.open(run.path("model", "metrics.jsonl"), "rt") as file:
        for line in file:
            try:
                lines.append(json.loads(line))
            except json.JSONDecodeError:
                continue
    return lines
