"""Figures of the page of errors, drawn by plotly. The page gives them its colours of text and lines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go

from classifiers.extractor.outcome import Outcome
from classifiers.extractor.scores import interval

NUM_BINS = 20  # of F1
NUM_CALIBRATION_BINS = 10
MEASURED, PERFECT = "#2f7fb8", "#8c8c86"


def f1_histogram(outcomes: Sequence[Outcome]) -> go.Figure:
    """Pages by their F1."""
    edges = np.linspace(0, 1, NUM_BINS + 1)
    counts, _ = np.histogram([one.f1 for one in outcomes], bins=edges)
    figure = go.Figure()
    figure.add_bar(
        x=((edges[:-1] + edges[1:]) / 2).tolist(),
        y=counts.tolist(),
        width=0.92 / NUM_BINS,
        marker_color=MEASURED,
        customdata=[f"{low:.2f} to {high:.2f}" for low, high in pairwise(edges)],
        hovertemplate="F1 %{customdata}: %{y:,} pages<extra></extra>",
    )
    figure.update_xaxes(title="F1", range=[0, 1], showgrid=False)
    figure.update_yaxes(title="pages", tickformat=",", rangemode="tozero")
    return _styled(figure)


def calibration(outcomes: Sequence[Outcome]) -> go.Figure | None:
    """Measured F1 by expected F1, means of ten bins with their 95 % intervals; None where nothing was expected."""
    expected = np.array([one.expected_f1 for one in outcomes], np.float64)
    measured = np.array([one.f1 for one in outcomes], np.float64)
    known = np.isfinite(expected)
    if not expected[known].any():
        return None
    expected, measured = expected[known], measured[known]
    bins = np.clip((expected * NUM_CALIBRATION_BINS).astype(int), 0, NUM_CALIBRATION_BINS - 1)
    groups = [bins == number for number in np.unique(bins)]
    means = np.array([measured[group].mean() for group in groups])
    lows, highs = np.array([interval(measured[group]) for group in groups]).T
    sizes = [int(group.sum()) for group in groups]
    widths = [6 + 14 * (size / max(sizes)) ** 0.5 for size in sizes]
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": PERFECT, "dash": "dot", "width": 1}, hoverinfo="skip"
    )
    figure.add_scatter(
        x=[float(expected[group].mean()) for group in groups],
        y=means.tolist(),
        error_y={"array": (highs - means).tolist(), "arrayminus": (means - lows).tolist(), "width": 0},
        mode="markers",
        marker={
            "color": MEASURED,
            "opacity": 1,
            "line": {"width": 0},
            "size": widths,
        },
        customdata=sizes,
        hovertemplate="expected %{x:.3f}, measured %{y:.3f}, %{customdata:,} pages<extra></extra>",
    )
    figure.update_xaxes(title="expected F1", range=[-0.02, 1.02])
    figure.update_yaxes(title="measured F1", range=[-0.02, 1.04])
    return _styled(figure)


def _styled(figure: go.Figure) -> go.Figure:
    """One look for both, on whatever ground the page has."""
    figure.update_layout(
        template="none",
        height=280,
        margin={"l": 52, "r": 12, "t": 10, "b": 42},
        font={"family": "system-ui, sans-serif", "size": 12},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=False,
        dragmode=False,
    )
    return figure.update_xaxes(zeroline=False).update_yaxes(zeroline=False)
