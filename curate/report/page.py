"""report.html: one self-contained file that needs no network.

Documents are hostile, and so are their titles, URLs and languages. Three walls keep them out of the page: the template
engine escapes every text, figures travel as JSON in which no tag can begin, and the page's content security policy
names its two scripts by digest, so that a script which got in all the same would not run.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from curate.audit import Audit
from curate.recipe import Recipe
from curate.report import dedup_plots, distribution_plots, histograms, plots
from curate.report.audit_section import audit_of, overlap
from curate.report.fitted_models import NAMES, fitted_models
from curate.report.pairs import near_duplicate_pairs
from curate.report.reading import read_recipe, read_record
from curate.report.samples import dropped_samples, kept_samples
from curate.rundir import RunDir
from curate.web_page import plotly_library, script_digest, script_json

MAX_GROUPS = 100  # sources, and pairs of stage and reason, that samples are shown of
MAX_REASONS = 30  # of a stage in the table

_DRAW = """
for (const [id, figure] of Object.entries(JSON.parse(document.getElementById("figures").textContent)))
  Plotly.newPlot(id, figure.data, figure.layout, {displayModeBar: false, responsive: true});
"""


def write_report(run: RunDir) -> str:
    """Write report.html of a run, finished or not, from what its folder holds; returns its path.

    InputError where the folder holds no run.
    """
    # A lone surrogate, which JSON can carry, has no UTF-8.
    run.write_text(render(run).encode("utf-8", "replace").decode("utf-8"), "report.html")
    return run.path("report.html")


def render(run: RunDir) -> str:
    """The page as a string."""
    record = read_record(run)
    recipe_text, recipe = read_recipe(run)
    audit = audit_of(run, recipe)
    drawn = {name: figure for name, figure in _figures(run, record, recipe, audit).items() if figure is not None}
    kept, dropped = kept_samples(run), dropped_samples(run)
    page: str = _template().render(
        record=record,
        stages=_stages(record),
        counts={(s["stage"], reason): n for s in record["funnel"]["stages"] for reason, n in s["reasons"].items()},
        recipe_text=recipe_text,
        train=record.get("tokens", {}).get("splits", {}).get("train", {}),
        val=record.get("tokens", {}).get("splits", {}).get("val", {}),
        model=record.get("model", {}),
        audit=audit,
        kept=dict(list(kept.items())[:MAX_GROUPS]),
        dropped=dict(list(dropped.items())[:MAX_GROUPS]),
        fitted=fitted_models(run),
        fitted_figures=list(NAMES.values()),
        pairs=near_duplicate_pairs(run, recipe),
        drawn=drawn,
        figures=_json(drawn),
        library=plotly_library(),
        draw=Markup(_DRAW),
        digests=[script_digest(plotly_library()), script_digest(_DRAW)],
    )
    return page


def _figures(run: RunDir, record: dict[str, Any], recipe: Recipe | None, audit: Audit | None) -> dict[str, Any]:
    funnel, model = record["funnel"], record.get("model", {})
    stages = {stage["stage"]: float(stage["seconds"]) for stage in funnel["stages"]}
    corpus_passes = [entry for entry in record["passes"] if run.exists("dedup", entry["name"])]
    corpus = {entry["name"].partition("-")[2]: float(entry["seconds"]) for entry in corpus_passes}
    train = record.get("tokens", {}).get("splits", {}).get("train", {})
    return {
        "reasons": plots.drop_reasons(funnel),
        "languages": plots.by_language(funnel),
        "sources": plots.duplicates_by_source(funnel),
        "similarities": dedup_plots.similarities(run, recipe),
        "clusters": dedup_plots.cluster_sizes(run),
        "lengths": distribution_plots.lengths(histograms.length_histogram(run)),
        "signals": distribution_plots.signals(histograms.signal_histograms(run, recipe, funnel)),
        "overlap": overlap(audit),
        "tokens": plots.token_shares(train.get("sources", {})),
        "training": plots.training(_metrics(run), model),
        "seconds": plots.seconds(stages, corpus),
    }


def _stages(record: dict[str, Any]) -> list[dict[str, Any]]:
    """The funnel's stages with their reasons as a bounded list, and what share of all documents is left."""
    total = record["funnel"]["read"]
    stages = []
    for stage in record["funnel"]["stages"]:
        reasons = list(stage["reasons"].items())
        share = stage["kept"] / total if total else 0.0
        stages.append(
            {**stage, "reasons": reasons[:MAX_REASONS], "more": len(reasons[MAX_REASONS:]), "share_left": share}
        )
    return stages


def _metrics(run: RunDir) -> list[dict[str, Any]]:
    """Lines of the trainer's metrics; one that was cut off by a kill is left out."""
    if not run.exists("model", "metrics.jsonl"):
        return []
    lines = []
    with run.fs.open(run.path("model", "metrics.jsonl"), "rb") as file:
        for line in file:
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict) and isinstance(record.get("step"), int):
                lines.append(record)
    return lines


def link(url: str | None) -> str | None:
    """A URL that a page may link to: http or https, nothing else.

    >>> link("https://example.org/"), link("javascript:alert(1)")
    ('https://example.org/', None)
    """
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.netloc and str(url).isprintable() else None


def _json(figures: dict[str, Any]) -> Markup:
    """Figures as JSON for a script element. Plotly escapes it too; this does not lean on its version."""
    parts = (f"{json.dumps(name)}: {figure.to_json()}" for name, figure in figures.items())
    return script_json("{" + ",\n".join(parts) + "}")


@cache
def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("curate.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["link"] = link
    environment.filters["number"] = lambda value: f"{value:,}"
    environment.filters["share"] = lambda value: f"{value:.1%}"
    return environment.get_template("report.html.jinja")
