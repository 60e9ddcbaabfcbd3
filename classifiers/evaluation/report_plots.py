"""Figures of the page of an evaluation, drawn by plotly. The page gives them its colours of text and lines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

from classifiers.evaluation.metrics import Bin, Evaluation, Histogram
from classifiers.evaluation.ranking import CurvePoint
from classifiers.evaluation.regression import Level

POSITIVE, OTHERS, CHANCE = "#d98032", "#2f7fb8", "#8c8c86"


def drawn(evaluation: Evaluation) -> dict[str, go.Figure]:
    """The figures that there is something to draw of, by the ids of their places in the page."""
    prevalence = evaluation.num_positive / evaluation.num_examples if evaluation.num_examples else 0.0
    figures = {
        "precision_recall": precision_recall(evaluation.curve, prevalence, evaluation.threshold),
        "roc": roc(evaluation.curve, evaluation.threshold),
        "reliability": reliability(evaluation.reliability),
        "histogram": histogram(evaluation.histogram, evaluation.threshold),
        "levels": levels(evaluation.regression.levels if evaluation.regression else ()),
    }
    return {name: figure for name, figure in figures.items() if figure is not None}


def precision_recall(curve: Sequence[CurvePoint], prevalence: float, threshold: float | None) -> go.Figure | None:
    """Precision by recall, with thresholds on hover; what chance gives is a dotted line."""
    points = [(point.recall, point.precision, point.threshold) for point in curve]
    return _curve(points, "recall", "precision", ((0, prevalence), (1, prevalence)), threshold)


def roc(curve: Sequence[CurvePoint], threshold: float | None) -> go.Figure | None:
    """Recall by the share of others that are called positive, with thresholds on hover."""
    points = [(point.false_positive_rate, point.recall, point.threshold) for point in curve]
    return _curve(
        [(0.0, 0.0, None), *points] if points else [], "false-positive rate", "recall", ((0, 0), (1, 1)), threshold
    )


def reliability(bins: Sequence[Bin]) -> go.Figure | None:
    """Share of positives by mean probability, with 95 % intervals; larger bins are larger dots."""
    if not bins:
        return None
    largest = max(one.num_examples for one in bins)
    figure = go.Figure()
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=_dotted(), hoverinfo="skip")
    figure.add_scatter(
        x=[one.mean_score for one in bins],
        y=[one.positive_frac for one in bins],
        error_y={
            "array": [one.high - one.positive_frac for one in bins],
            "arrayminus": [one.positive_frac - one.low for one in bins],
            "width": 0,
        },
        mode="markers",
        marker={
            "color": OTHERS,
            "opacity": 1,
            "line": {"width": 0},
            "size": [6 + 12 * (one.num_examples / largest) ** 0.5 for one in bins],
        },
        customdata=[one.num_examples for one in bins],
        hovertemplate="score %{x:.3f}, positive %{y:.3f}, %{customdata:,} examples<extra></extra>",
    )
    figure.update_xaxes(title="mean score", range=[-0.02, 1.02])
    figure.update_yaxes(title="share of positives", range=[-0.02, 1.04])
    return _styled(figure)


def histogram(found: Histogram | None, threshold: float | None) -> go.Figure | None:
    """Positives above the axis and others below it, as shares of their kind, by score; the threshold is a line."""
    if found is None:
        return None
    middles = [(low + high) / 2 for low, high in pairwise(found.edges)]
    ranges = [f"{low:.3g} to {high:.3g}" for low, high in pairwise(found.edges)]
    figure = go.Figure()
    for name, counts, colour, side in (("positive", found.positive, POSITIVE, 1), ("others", found.others, OTHERS, -1)):
        figure.add_bar(
            x=middles,
            y=[side * count / max(sum(counts), 1) for count in counts],
            name=name,
            marker_color=colour,
            customdata=[f"{span}: {count:,} {name}" for span, count in zip(ranges, counts, strict=True)],
            hovertemplate="%{customdata}<extra></extra>",
        )
    if threshold is not None and found.edges[0] <= threshold <= found.edges[-1]:
        figure.add_vline(x=threshold, line={"color": CHANCE, "dash": "dot", "width": 1.5})
    figure.update_xaxes(title="score", showgrid=False)
    peak = max(max(counts) / max(sum(counts), 1) for counts in (found.positive, found.others))
    step = next((step for step in (0.01, 0.02, 0.05, 0.1, 0.2) if peak <= 4 * step), 0.5)
    ticks = [number * step for number in range(-5, 6)]
    figure.update_yaxes(title="share of its kind", tickvals=ticks, ticktext=[f"{abs(tick):.0%}" for tick in ticks])
    figure.update_layout(barmode="relative", bargap=0.06)
    return _styled(figure, legend=True)


def levels(found: Sequence[Level]) -> go.Figure | None:
    """What examples of each label are scored: the mean, and the middle 80 %."""
    if not found:
        return None
    ends = [min(level.label for level in found), max(level.label for level in found)]
    figure = go.Figure()
    figure.add_scatter(x=ends, y=ends, mode="lines", line=_dotted(), hoverinfo="skip")
    figure.add_scatter(
        x=[level.label for level in found],
        y=[level.score for level in found],
        error_y={
            "array": [level.high - level.score for level in found],
            "arrayminus": [level.score - level.low for level in found],
            "width": 0,
        },
        mode="markers",
        marker={"color": OTHERS, "opacity": 1, "size": 9},
        customdata=[level.num_examples for level in found],
        hovertemplate="label %{x:.3g}, score %{y:.3g}, %{customdata:,} examples<extra></extra>",
    )
    figure.update_xaxes(title="label")
    figure.update_yaxes(title="score: mean and middle 80 %")
    return _styled(figure)


def _curve(
    points: Sequence[tuple[float, float, float | None]],
    x: str,
    y: str,
    chance: tuple[tuple[float, float], tuple[float, float]],
    threshold: float | None,
) -> go.Figure | None:
    if not points:
        return None
    figure = go.Figure()
    figure.add_scatter(
        x=[end[0] for end in chance], y=[end[1] for end in chance], mode="lines", line=_dotted(), hoverinfo="skip"
    )
    figure.add_scatter(
        x=[point[0] for point in points],
        y=[point[1] for point in points],
        mode="lines",
        line={"color": OTHERS, "width": 2},
        customdata=["none" if point[2] is None else f"{point[2]:.4g}" for point in points],
        hovertemplate=f"threshold %{{customdata}}: {x} %{{x:.3f}}, {y} %{{y:.3f}}<extra></extra>",
    )
    at = [point for point in points if point[2] is not None]
    if threshold is not None and at:
        nearest = min(at, key=lambda point: abs((point[2] or 0.0) - threshold))
        figure.add_scatter(
            x=[nearest[0]], y=[nearest[1]], mode="markers", marker={"color": POSITIVE, "size": 10}, hoverinfo="skip"
        )
    figure.update_xaxes(title=x, range=[-0.01, 1.01])
    figure.update_yaxes(title=y, range=[-0.01, 1.03])
    return _styled(figure)


def _dotted() -> dict[str, Any]:
    return {"color": CHANCE, "dash": "dot", "width": 1}


def _styled(figure: go.Figure, legend: bool = False) -> go.Figure:
    """One look for all, on whatever ground the page has."""
    figure.update_layout(
        template="none",
        height=300,
        margin={"l": 56, "r": 12, "t": 10, "b": 44},
        font={"family": "system-ui, sans-serif", "size": 12},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=legend,
        legend={"orientation": "h", "x": 0, "y": 1.08},
        dragmode=False,
    )
    return figure.update_xaxes(zeroline=False).update_yaxes(zeroline=False)
