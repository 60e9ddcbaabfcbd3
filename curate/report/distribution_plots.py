"""Figures of distributions: text lengths, and a small histogram of each signal with the bounds that judge it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from curate.report.histograms import Histogram
from curate.report.plots import BOUND, DROPPED, KEPT, label, styled

_COLUMNS = 3
_SPIKE = 3  # times the next bar: a bar so high is cut


def lengths(measured: Histogram | None) -> go.Figure | None:
    """Characters of documents, kept and dropped."""
    if measured is None:
        return None
    figure = go.Figure(_histogram_bars(measured, show_legend=True))
    figure.update_layout(barmode="stack", bargap=0, height=300)
    figure.update_xaxes(title="characters", **_axis(measured))
    figure.update_yaxes(title="documents")
    return styled(figure)


def signals(measured: Sequence[Histogram]) -> go.Figure | None:
    """A small histogram of each signal, with the recipe's bounds as lines where they lie among the numbers."""
    if not measured:
        return None
    rows = -(-len(measured) // _COLUMNS)
    height = 64 + 210 * rows
    titles = [_signal_title(one) for one in measured]
    figure = make_subplots(rows, _COLUMNS, subplot_titles=titles, vertical_spacing=82 / height, horizontal_spacing=0.06)
    figure.update_annotations(font_size=12)
    for place, one in enumerate(measured):
        cell = {"row": place // _COLUMNS + 1, "col": place % _COLUMNS + 1}
        for bar in _histogram_bars(one, show_legend=place == 0):
            figure.add_trace(bar, **cell)
        figure.update_xaxes(**_axis(one), **cell)
        for bound in one.bounds:
            if bound is not None and one.edges[0] <= bound <= one.edges[-1]:
                figure.add_vline(x=_place(one, bound), line={"color": BOUND, "width": 1.5}, **cell)
        _cut_spike(figure, one, cell)
    figure.update_layout(barmode="stack", bargap=0, height=height)
    figure = styled(figure)
    return figure.update_layout(margin={"t": 84, "l": 40}, legend={"y": 1, "yref": "container", "yanchor": "top"})


def _signal_title(one: Histogram) -> str:
    stage, _, signal = one.name.partition(".")
    broken = f"<br>dropped {one.num_broken:,}" if one.num_broken else ""
    bounds = f" · {one.bounds.told()}" if one.bounds.told() else ""
    return f"<b>{label(signal)}</b><br>{label(stage)}{bounds}{broken}"


def _cut_spike(figure: go.Figure, one: Histogram, cell: dict[str, int]) -> None:
    """Where one bar towers over all others (most texts have none of a fault), cut it and write its height beside it."""
    heights = [kept + dropped for kept, dropped in zip(one.kept, one.dropped, strict=True)]
    *_, second, first = sorted([0, *heights])
    if first <= _SPIKE * max(second, 1):
        return
    figure.update_yaxes(range=[0, 2 * max(second, 1)], **cell)
    index = heights.index(first)
    middle = (_place(one, one.edges[index]) + _place(one, one.edges[index + 1])) / 2
    is_left = index < len(heights) / 2
    figure.add_annotation(
        x=middle,
        y=2 * max(second, 1),
        text=f"▲ {first:,}",
        showarrow=False,
        xanchor="left" if is_left else "right",
        xshift=8 if is_left else -8,
        yanchor="top",
        font={"size": 11, "color": "#555"},
        bgcolor="rgba(255,255,255,0.8)",
        **cell,
    )


def _histogram_bars(one: Histogram, *, show_legend: bool) -> list[go.Bar]:
    edges = [_place(one, edge) for edge in one.edges]
    middles = [(low + high) / 2 for low, high in pairwise(edges)]
    widths = [high - low for low, high in pairwise(edges)]
    spans = [f"{low:,.4g} – {high:,.4g}" for low, high in pairwise(one.edges)]
    return [
        go.Bar(
            x=middles,
            y=counts,
            width=widths,
            customdata=spans,
            name=name,
            legendgroup=name,
            showlegend=show_legend,
            marker={"color": colour, "line": {"width": 0}},
            hovertemplate="%{customdata}: %{y:,}",
        )
        for name, counts, colour in (("kept", one.kept, KEPT), ("dropped", one.dropped, DROPPED))
    ]


def _place(one: Histogram, value: float) -> float:
    """Where a value stands on the axis: logarithms are taken here, since a logarithmic axis cannot show bar widths."""
    return math.log10(max(value, 1)) if one.is_log else value


def _axis(one: Histogram) -> dict[str, Any]:
    ends = [_place(one, one.edges[0]), _place(one, one.edges[-1])]
    if not one.is_log:
        return {"range": ends}
    powers = range(math.floor(ends[0]), math.ceil(ends[1]) + 1)
    return {"range": ends, "tickvals": list(powers), "ticktext": [f"{10**power:,}" for power in powers]}
