"""The audit of a run in its report: what each rule drops alone and with others, and which rules drop the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from curate.audit import Audit, audit_run
from curate.errors import CurateError
from curate.recipe import Recipe
from curate.report.plots import label, styled
from curate.report.reading import MAX_FILES
from curate.rundir import RunDir
from curate.stored_signals import open_stored

MAX_RULES = 24  # in the heat map: those that most documents break

_LABEL_CHARS = 52
_COLOURS = [[0, "#ffffff"], [1, "#2f6f9f"]]


def audit_of(run: RunDir, recipe: Recipe | None) -> Audit | None:
    """The audit of a run, of at most `MAX_FILES` files of dropped documents.

    None where the run was not audited, has no documents yet, or cannot be judged again: a report is drawn all the same,
    and `curate audit` says why.
    """
    if recipe is None or not recipe.audit:
        return None
    try:
        return audit_run(open_stored(run.url()), max_files=MAX_FILES)
    except CurateError:
        return None


def overlap(found: Audit | None) -> go.Figure | None:
    """A heat map of Jaccard similarities between rules; None where fewer than two drop anything."""
    if found is None:
        return None
    broken = [index for index, rule in enumerate(found.rules) if rule.total]
    most = sorted(broken, key=lambda index: (-found.rules[index].total, index))[:MAX_RULES]
    chosen = sorted(most)  # in the order of the run, so that a stage's rules stand together
    if len(chosen) < 2:
        return None
    similar, both = (matrix[np.ix_(chosen, chosen)] for matrix in (found.jaccard(), found.both))
    names = [label(f"{found.rules[i].stage}: {found.rules[i].reason}", _LABEL_CHARS) for i in chosen]
    places = list(range(len(chosen)))
    hover = [
        [f"{a}<br>{b}<br>{n:,} documents break both" for b, n in zip(names, row, strict=True)]
        for a, row in zip(names, both.tolist(), strict=True)
    ]
    figure = go.Figure(
        go.Heatmap(
            x=places,
            y=places,
            z=similar.round(4).tolist(),
            zmin=0,
            zmax=1,
            colorscale=_COLOURS,
            text=hover,
            hovertemplate="%{text}<br>Jaccard %{z:.3f}<extra></extra>",
            xgap=1,
            ygap=1,
            colorbar={"title": "Jaccard", "thickness": 12},
        )
    )
    ticks: dict[str, Any] = {"tickvals": places, "ticktext": names, "showgrid": False, "zeroline": False}
    figure.update_layout(height=260 + 22 * len(chosen))
    figure = styled(figure)
    figure.update_xaxes(**ticks, tickangle=-60, automargin=True)
    return figure.update_yaxes(**ticks, autorange="reversed")
