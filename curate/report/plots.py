"""The report's figures, drawn by plotly. Each function takes plain numbers and gives a figure, or None for nothing.

Bars stand on numbered places with the names as tick labels: as categories two names that look alike would become one
bar, and a name that reads like a number or a date would move.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import plotly.graph_objects as go
from markupsafe import Markup

KEPT, DROPPED, BOUND = "#2f6f9f", "#d98032", "#b3261e"
_COLOURS = (
    "#d98032",
    "#5a8f4e",
    "#a8505c",
    "#7a65a8",
    "#b59a3c",
    "#4fa3a5",
    "#8a6f4d",
    "#6b7a8f",
    "#c27ba0",
    "#999999",
)
_MAX_GROUPS = 15  # languages, sources: the rest is summed as "other"
_MAX_REASONS = 25
_LABEL_CHARS = 44


def drop_reasons(funnel: Mapping[str, Any]) -> go.Figure | None:
    """The most frequent drop reasons, coloured by the stage that gave them."""
    stages = [stage["stage"] for stage in funnel["stages"] if stage["dropped"]]
    counts = {(s["stage"], reason): n for s in funnel["stages"] for reason, n in s["reasons"].items()}
    top = sorted(counts, key=lambda key: (-counts[key], stages.index(key[0]), key[1]))[:_MAX_REASONS]
    series = {stage: [counts[key] if key[0] == stage else 0 for key in top] for stage in stages}
    series = {stage: numbers for stage, numbers in series.items() if any(numbers)}
    colours = [_stage_colours(funnel)[stage] for stage in series]
    return _stacked([reason for _, reason in top], series, "documents", colours=colours) if top else None


def by_language(funnel: Mapping[str, Any]) -> go.Figure | None:
    """For each language, how many documents were kept and which stages dropped the others.

    A document's language is what was known when it went: none before it was identified.
    """
    return _kept_and_dropped(funnel, "language", "not identified", "stage", _stage_colours(funnel))


def duplicates_by_source(funnel: Mapping[str, Any]) -> go.Figure | None:
    """For each source, documents that were kept and those that went as duplicates."""
    rows = [row for row in funnel["dropped_by"] if "duplicate" in row["reason"]]
    if not rows:
        return None
    colours = dict(zip(dict.fromkeys(row["reason"] for row in rows), cycle(_COLOURS), strict=False))
    return _kept_and_dropped({**funnel, "dropped_by": rows}, "source", "no source", "reason", colours)


def token_shares(sources: Mapping[str, Mapping[str, Any]]) -> go.Figure | None:
    """Share of each source in the training tokens: what the mix asked for beside what the shards hold."""
    names = sorted(sources, key=lambda name: (-sources[name]["num_tokens"], name))[:_MAX_GROUPS]
    if not names:
        return None
    figure = go.Figure()
    for key, title, colour in (("asked_share", "asked", "#b9c4cf"), ("delivered_share", "delivered", KEPT)):
        shares = [sources[name].get(key) for name in names]
        figure.add_bar(y=list(range(len(names))), x=shares, name=title, orientation="h", marker_color=colour)
    figure.update_layout(barmode="group", height=90 + 40 * len(names))
    figure.update_xaxes(title="share of training tokens", tickformat=".0%", rangemode="tozero")
    return styled(_named(figure, names))


def training(metrics: Sequence[Mapping[str, Any]], model: Mapping[str, Any]) -> go.Figure | None:
    """Training and validation loss by step, with the entropy of the tokens without context as a line."""
    figure = go.Figure()
    for kind, name, colour, mode in (("train", "training", "#8fb3cf", "lines"), ("val", "validation", KEPT, "")):
        points = [(m["step"], m["loss"]) for m in metrics if m.get("kind") == kind and _is_number(m.get("loss"))]
        if points:
            steps, losses = zip(*_thinned(points), strict=True)
            figure.add_scatter(x=steps, y=losses, name=name, mode=mode or "lines+markers", line_color=colour)
    if not figure.data:
        return None
    for key, name, dash in (
        ("unigram_loss", "unigram model of the training tokens", "dot"),
        ("own_unigram_loss", "unigram entropy of the validation tokens", "dash"),
    ):
        if _is_number(model.get(key)):
            ends = [min(min(one.x) for one in figure.data), max(max(one.x) for one in figure.data)]
            figure.add_scatter(x=ends, y=[model[key]] * 2, name=name, mode="lines", line={"color": BOUND, "dash": dash})
    figure.update_layout(height=380)
    figure.update_xaxes(title="step", rangemode="tozero")
    figure.update_yaxes(title="loss, nats a token")
    return styled(figure)


def seconds(stages: Mapping[str, float], corpus_stages: Mapping[str, float]) -> go.Figure | None:
    """Seconds of each stage: of document stages summed over workers, of corpus stages by the clock."""
    names = [name for name, value in {**stages, **corpus_stages}.items() if value > 0]
    if not names:
        return None
    series = {
        "document stages, summed over workers": [stages.get(name, 0) for name in names],
        "corpus stages, by the clock": [corpus_stages.get(name, 0) for name in names],
    }
    drawn = {name: numbers for name, numbers in series.items() if any(numbers)}
    return _stacked(names, drawn, "seconds", number=".1f", colours=(KEPT, "#7a65a8"))


def label(text: str | None, max_chars: int = _LABEL_CHARS) -> str:
    """Text as plotly shows it unchanged: plotly reads a small HTML of its own in labels. Long names are cut."""
    text = text or ""
    return str(Markup.escape(text if len(text) <= max_chars else text[: max_chars - 1] + "…"))


def _stage_colours(funnel: Mapping[str, Any]) -> dict[str, str]:
    """Stage → colour, the same in every figure; stages that dropped nothing need none."""
    return dict(zip((s["stage"] for s in funnel["stages"] if s["dropped"]), cycle(_COLOURS), strict=False))


def _kept_and_dropped(
    funnel: Mapping[str, Any], key: str, missing: str, series_key: str, colours: Mapping[str, str]
) -> go.Figure | None:
    """Bars of the largest groups by `key`: kept, then dropped documents by `series_key`, in the order of `colours`."""
    series: dict[str, Counter[str]] = {"kept": Counter(), **{name: Counter() for name in colours}}
    total: Counter[str] = Counter()
    for row in (*funnel["kept_by"], *funnel["dropped_by"]):
        group = row[key] or missing
        series[row.get(series_key, "kept")][group] += row["documents"]
        total[group] += row["documents"]
    top = [name for name, _ in sorted(total.items(), key=lambda item: (-item[1], item[0]))[:_MAX_GROUPS]]
    if not top:
        return None
    numbers = {name: [counts[group] for group in top] for name, counts in series.items()}
    if len(total) > len(top):
        top.append(f"{len(total) - len(top)} others")
        for name, counts in series.items():
            numbers[name].append(sum(counts.values()) - sum(numbers[name]))
    names = {name: "kept" if name == "kept" else f"dropped: {name}" for name in numbers}
    return _stacked(top, {names[n]: v for n, v in numbers.items()}, "documents", colours=(KEPT, *colours.values()))


def _stacked(
    names: Sequence[str],
    series: Mapping[str, Sequence[float]],
    unit: str,
    number: str = ",",
    colours: Sequence[str] = _COLOURS,
) -> go.Figure:
    """Horizontal bars, one for each name, stacked of the series; the total stands at the end of the bar."""
    places = list(range(len(names)))
    figure = go.Figure()
    for index, (name, numbers) in enumerate(series.items()):
        figure.add_bar(
            y=places,
            x=list(numbers),
            name=label(name),
            orientation="h",
            marker_color=colours[index % len(colours)],
            hovertemplate="%{x:" + number + "}",
        )
    totals = [sum(numbers[place] for numbers in series.values()) for place in places]
    figure.add_scatter(
        x=totals,
        y=places,
        text=[f" {total:{number}}" for total in totals],
        mode="text",
        textposition="middle right",
        cliponaxis=False,
        showlegend=False,
        hoverinfo="skip",
    )
    figure.update_layout(barmode="stack", height=100 + 26 * len(names), showlegend=len(series) > 1, bargap=0.25)
    figure.update_xaxes(title=unit, tickformat=",", rangemode="tozero", range=[0, 1.12 * max([*totals, 1e-9])])
    return styled(_named(figure, names))


def _named(figure: go.Figure, names: Sequence[str]) -> go.Figure:
    """Numbered places from top to bottom with their names."""
    ticks = {"tickvals": list(range(len(names))), "ticktext": [label(name) for name in names]}
    ends = [len(names) - 0.5, -0.5]
    return figure.update_yaxes(**ticks, range=ends, showgrid=False, zeroline=False, ticks="outside", tickcolor="white")


def _thinned(points: Sequence[tuple[float, float]], max_points: int = 2000) -> list[tuple[float, float]]:
    """Every n-th point and the last one."""
    step = -(-len(points) // max_points)
    return [*points[:-1:step], points[-1]]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def styled(figure: go.Figure) -> go.Figure:
    """One look for all."""
    figure.update_layout(
        template="plotly_white",
        margin={"l": 60, "r": 24, "t": 36, "b": 44},
        font={"family": "system-ui, sans-serif", "size": 12, "color": "#222"},
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom", "traceorder": "normal"},
        hoverlabel={"namelength": -1},
        dragmode=False,
    )
    return figure.update_yaxes(automargin=True)
