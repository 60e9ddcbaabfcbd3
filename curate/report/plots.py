"""The report's figures, drawn by plotly. Each function takes plain numbers and gives a figure, or None for nothing."""

from __future__ import annotations

from collections import Counter
from typing import Any

import plotly.graph_objects as go
from markupsafe import Markup
from plotly.offline import get_plotlyjs
from plotly.subplots import make_subplots

_COLOURS = ("#2f6f9f", "#d07c2e", "#5a8f4e", "#a8505c", "#7a65a8", "#8a6f4d", "#4fa3a5", "#999999")
_MAX_GROUPS = 12  # languages, reasons: the rest is summed as "other"


def funnel(record: dict[str, Any]) -> go.Figure:
    """Documents kept after each stage, and what the stage dropped, by reason."""
    stages = record["funnel"]["stages"]
    names = [stage["stage"] for stage in stages]
    figure = go.Figure()
    figure.add_bar(y=names, x=[s["kept"] for s in stages], name="kept", orientation="h", marker_color=_COLOURS[0])
    figure.add_bar(
        y=names,
        x=[s["dropped"] for s in stages],
        name="dropped",
        orientation="h",
        marker_color=_COLOURS[1],
        customdata=["<br>".join(f"{plain(r)}: {n:,}" for r, n in list(s["reasons"].items())[:12]) for s in stages],
        hovertemplate="%{y}: %{x:,} dropped<br>%{customdata}<extra></extra>",
    )
    figure.update_layout(barmode="stack", height=70 + 34 * len(names), yaxis={"autorange": "reversed"})
    figure.update_xaxes(title="documents")
    return styled(figure)


def drops_by_language(record: dict[str, Any]) -> go.Figure | None:
    """For each language, how many documents each stage dropped and how many were kept."""
    rows = record["funnel"]["dropped_by"]
    kept: Counter[str] = Counter()
    for row in record["funnel"]["kept_by"]:
        kept[row["language"] or "not identified"] += row["documents"]
    total = Counter(kept)
    for row in rows:
        total[row["language"] or "not identified"] += row["documents"]
    if not total:
        return None
    top = [language for language, _ in total.most_common(_MAX_GROUPS)]

    def group(language: str) -> str:
        language = language or "not identified"
        return language if language in top else "other"

    names = [*top, *(["other"] if len(total) > len(top) else [])]
    series: dict[str, Counter[str]] = {"kept": Counter()}
    for language, count in kept.items():
        series["kept"][group(language)] += count
    for stage in [s["stage"] for s in record["funnel"]["stages"] if s["dropped"]]:
        series[stage] = Counter()
    for row in rows:
        series[row["stage"]][group(row["language"])] += row["documents"]
    return _stacked(names, series)


def duplicates_by_source(record: dict[str, Any]) -> go.Figure | None:
    """Documents of each source that dedup dropped, beside those of the same source that were kept."""
    series: dict[str, Counter[str]] = {"kept": Counter()}
    for row in record["funnel"]["kept_by"]:
        series["kept"][row["source"]] += row["documents"]
    for row in record["funnel"]["dropped_by"]:
        if "duplicate" in row["reason"]:
            series.setdefault(row["reason"], Counter())[row["source"]] += row["documents"]
    names = sorted({name for counts in series.values() for name in counts})
    return _stacked(names, series) if len(series) > 1 else None


def lengths(by_source: dict[str, list[int]]) -> go.Figure | None:
    """Characters of kept documents, on a logarithmic axis."""
    import math

    if not any(by_source.values()):
        return None
    figure = go.Figure()
    for index, (source, numbers) in enumerate(sorted(by_source.items())):
        figure.add_histogram(
            x=[math.log10(max(n, 1)) for n in numbers],
            name=plain(source),
            xbins={"start": 0, "end": 8, "size": 0.1},
            marker_color=_COLOURS[index % len(_COLOURS)],
        )
    ticks = list(range(9))
    figure.update_layout(barmode="stack", height=300)
    figure.update_xaxes(title="characters", tickvals=ticks, ticktext=[f"{10**n:,}" for n in ticks])
    figure.update_yaxes(title="documents")
    return styled(figure)


def signals(values: dict[str, list[float]]) -> go.Figure | None:
    """A histogram of each signal that varies."""
    import numpy as np

    varied = {name: np.asarray(v, dtype=float) for name, v in values.items() if len(set(v[:1000])) > 1}
    if not varied:
        return None
    columns = 4
    rows = -(-len(varied) // columns)
    figure = make_subplots(
        rows, columns, subplot_titles=[plain(name) for name in varied], vertical_spacing=min(0.08, 0.5 / rows)
    )
    for place, numbers in enumerate(varied.values()):
        # One outlier must not flatten the rest: the axis ends at the 99th percentile, what lies beyond is in the last bar.
        low, high = float(numbers.min()), float(np.percentile(numbers, 99))
        counts, edges = np.histogram(np.clip(numbers, low, high), bins=30)
        bar = go.Bar(x=((edges[:-1] + edges[1:]) / 2).tolist(), y=counts.tolist(), marker_color=_COLOURS[0])
        figure.add_trace(bar, row=place // columns + 1, col=place % columns + 1)
    figure.update_layout(showlegend=False, height=60 + 150 * rows, bargap=0)
    figure.update_annotations(font_size=11)
    return styled(figure)


def tokens_by_source(record: dict[str, Any]) -> go.Figure | None:
    """Tokens of each source in the shards, train and validation."""
    splits = record.get("tokens", {}).get("splits", {})
    series = {
        split: Counter({name: s["num_tokens"] for name, s in sums["sources"].items()}) for split, sums in splits.items()
    }
    names = sorted({name for counts in series.values() for name in counts})
    return _stacked(names, series, "tokens") if names else None


def training(metrics: list[dict[str, Any]], record: dict[str, Any]) -> go.Figure | None:
    """Training and validation loss by step, with the unigram entropy that a model without context would reach."""
    if not metrics:
        return None
    figure = go.Figure()
    for key, name, colour in (("loss", "training", _COLOURS[0]), ("val_loss", "validation", _COLOURS[1])):
        points = [(m["step"], m[key]) for m in metrics if m.get(key) is not None]
        if points:
            steps, losses = zip(*points, strict=True)
            figure.add_scatter(x=steps, y=losses, name=name, mode="lines+markers", line_color=colour, marker_size=4)
    unigram = record.get("model", {}).get("unigram_loss")
    if unigram is not None:
        figure.add_hline(y=unigram, line_dash="dot", annotation_text="unigram entropy of the validation tokens")
    figure.update_layout(height=320)
    figure.update_xaxes(title="step")
    figure.update_yaxes(title="nats a token")
    return styled(figure)


def _stacked(names: list[str], series: dict[str, Counter[str]], unit: str = "documents") -> go.Figure:
    figure = go.Figure()
    for index, (label, counts) in enumerate(series.items()):
        figure.add_bar(
            x=[plain(name) for name in names],
            y=[counts[name] for name in names],
            name=plain(label),
            marker_color=_COLOURS[index % len(_COLOURS)],
        )
    figure.update_layout(barmode="stack", height=320)
    figure.update_yaxes(title=unit)
    figure.update_xaxes(type="category")
    return styled(figure)


def styled(figure: go.Figure) -> go.Figure:
    """One look for all."""
    figure.update_layout(
        template="plotly_white", margin={"l": 60, "r": 20, "t": 30, "b": 50}, font={"family": "system-ui, sans-serif"}
    )
    figure.update_yaxes(automargin=True)
    return figure


def plain(text: str) -> str:
    """Text as plotly shows it unchanged: plotly reads a small HTML of its own in labels."""
    return str(Markup.escape(text))


def html(figure: go.Figure) -> Markup:
    """The figure as a piece of the page. Plotly escapes `<` in its JSON, so no text can end the script."""
    return Markup(figure.to_html(full_html=False, include_plotlyjs=False, config={"displayModeBar": False}))


def library() -> Markup:
    """plotly.js itself, so that the page needs no network."""
    return Markup(get_plotlyjs())
