"""Figures of deduplication: the S-curve beside the pairs that were met, and how large clusters are."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from curate.dedup.banding import Banding, candidate_probability
from curate.recipe import Recipe
from curate.report.dedup import evidence
from curate.report.plots import BOUND, DROPPED, KEPT, label, styled
from curate.rundir import RunDir

_COLOURS = (DROPPED, "#5a8f4e", "#7a65a8", "#4fa3a5")
_NUM_BINS = 50  # of similarity, 0.02 wide
MAX_PAIRS = 5_000_000  # of a stage that are counted


def similarities(run: RunDir, recipe: Recipe | None) -> go.Figure | None:
    """For each stage that compared pairs: how many of each true similarity, the bound, and the S-curve."""
    stages = {step.name: step.stage for step in recipe.stages} if recipe else {}
    drawn = []
    for found in evidence(run):
        pairs = found.files.get("pairs")
        if pairs is not None and "jaccard" in pairs.schema.names:
            drawn.append((found.stage, _counts(pairs, "jaccard"), stages.get(found.stage)))
    drawn = [one for one in drawn if one[1].any()]
    if not drawn:
        return None
    titles = [label(name) for name, _, _ in drawn]
    figure = make_subplots(
        rows=len(drawn), cols=1, subplot_titles=titles, specs=[[{"secondary_y": True}] for _ in drawn]
    )
    for row, (_, counts, stage) in enumerate(drawn, start=1):
        _add_similarities(figure, row, counts, stage)
    figure.update_layout(height=70 + 300 * len(drawn), bargap=0.05, showlegend=True)
    return styled(figure)


def cluster_sizes(run: RunDir) -> go.Figure | None:
    """For each stage that made clusters: documents in clusters of each size, in classes that double."""
    figure = go.Figure()
    for found in evidence(run):
        clusters = found.files.get("clusters")
        if clusters is None or "cluster_size" not in clusters.schema.names:
            continue
        documents = np.zeros(64, np.int64)
        for batch in clusters.to_batches(columns=["cluster_size"]):
            sizes = batch.column("cluster_size").to_numpy(zero_copy_only=False)
            documents += np.bincount(np.log2(np.maximum(sizes, 1)).astype(int), minlength=64)
        used = np.flatnonzero(documents)
        names = [f"{2**n:,}" if n < 1 else f"{2**n:,}–{2 ** (n + 1) - 1:,}" for n in used]
        if len(used):
            colour = _COLOURS[len(figure.data) % len(_COLOURS)]
            figure.add_bar(x=names, y=documents[used].tolist(), name=label(found.stage), marker_color=colour)
    if not figure.data:
        return None
    figure.update_layout(height=320, barmode="group", showlegend=True)
    figure.update_xaxes(title="documents in the cluster", type="category")
    figure.update_yaxes(title="documents", rangemode="tozero")
    return styled(figure)


def _counts(pairs: Any, name: str) -> NDArray[np.int64]:
    """Pairs in each of `_NUM_BINS` classes of similarity."""
    counts = np.zeros(_NUM_BINS, np.int64)
    for batch in pairs.to_batches(columns=[name]):
        scores = batch.column(name).to_numpy(zero_copy_only=False)
        counts += np.histogram(scores, _NUM_BINS, (0.0, 1.0))[0]
        if counts.sum() >= MAX_PAIRS:
            break
    return counts


def _add_similarities(figure: go.Figure, row: int, counts: NDArray[np.int64], stage: Any) -> None:
    middles = (np.arange(_NUM_BINS) + 0.5) / _NUM_BINS
    bound = getattr(stage, "min_jaccard", None)
    is_above = middles > (bound or 0.0)
    first = row == 1
    for name, colour, chosen in (("verified", DROPPED, is_above), ("proposed, not similar", "#b9c4cf", ~is_above)):
        figure.add_bar(
            x=middles[chosen].tolist(),
            y=counts[chosen].tolist(),
            name=name,
            marker_color=colour,
            showlegend=first,
            row=row,
            col=1,
        )
    banding: Banding | None = getattr(stage, "banding", None)
    if banding is not None:
        x = np.linspace(0, 1, 101)
        y = [candidate_probability(float(one), *banding) for one in x]
        curve = {"name": "chance to be proposed", "mode": "lines", "line_color": KEPT, "showlegend": first}
        figure.add_scatter(x=x.tolist(), y=y, **curve, row=row, col=1, secondary_y=True)
    if bound is not None:
        figure.add_vline(x=bound, line={"color": BOUND, "dash": "dash"}, row=row, col=1)
    figure.update_xaxes(title="Jaccard similarity", range=[0, 1.01], row=row, col=1)
    figure.update_yaxes(title="pairs", rangemode="tozero", row=row, col=1, secondary_y=False)
    figure.update_yaxes(range=[0, 1.05], tickformat=".0%", dtick=0.25, showgrid=False, row=row, col=1, secondary_y=True)
