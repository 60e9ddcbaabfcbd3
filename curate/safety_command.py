"""`curate classifiers safety`: how much of a corpus is toxic, spam, … as scores have it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from curate import registry
from curate.errors import OutputError
from curate.progress import Reporter

console = Console()


def safety(
    scored: Annotated[str, typer.Argument(help="A run folder, or parquet with scores.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="HTML page to write.")],
    category: Annotated[
        list[str],
        typer.Option("--category", "-c", help="NAME=STAGE.SIGNAL:THRESHOLD; `:<=THRESHOLD` where less of it is worse."),
    ] = [],  # noqa: B006
    model: Annotated[
        list[str],
        typer.Option(
            "--model",
            "-m",
            help="NAME=FOLDER of the trained model behind a category, for its errors, and its threshold where none is "
            "given; NAME may be that of the stage in the recipe.",
        ),
    ] = [],  # noqa: B006
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the page if it is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of tables.")] = False,
) -> None:
    """Report how much of a corpus is toxic, spam, … by source and language, as its scores have it.

    With a trained model's folder the true share is estimated too, from the model's errors on held-out examples.
    """
    if output.exists() and not overwrite:
        raise OutputError(f"{output} is there already. Choose another --output, or say --overwrite")
    if not output.parent.is_dir():
        raise OutputError(f"there is no folder {output.parent} to write {output.name} to. Make it, or choose another")
    with Reporter(Console(stderr=True)).bar("reading", 1.0) as show:
        reports = _part("safety")(scored, category, model, output, show)
    if as_json:
        print(json.dumps(_part("safety_json")(reports), indent=1, ensure_ascii=True))
        return
    for report in reports:
        console.print(_table(report))
    console.print(f"report: {output}", markup=False, highlight=False, soft_wrap=True)


def _table(report: Any) -> Table:
    category = report.category
    title = f"{category.name}: {category.signal} {'≥' if category.more_is_worse else '≤'} {category.threshold:.5g}"
    everything = report.by["all"][0]
    if everything.num_without_score:
        title += f"   ({everything.num_without_score:,} rows without a score)"
    judged = category.recall is not None and category.false_positive_rate is not None
    table = Table(title=Text(title), title_justify="left", box=SIMPLE)
    table.add_column("", overflow="fold")
    for heading in ("rows", "called so", "% called so", *(("% true, estimated",) if judged else ())):
        table.add_column(heading, justify="right")
    for column, rows in report.by.items():
        if column != "all" and len(rows) > 1:
            table.add_row(f"by {column}")
        for row in rows if column == "all" or len(rows) > 1 else ():
            name = Text(row.name if column == "all" else f"  {row.name}")
            cells = [f"{row.num_rows:,}", f"{row.num_called:,}", _percent(row.called)]
            if judged:
                cells.append(_percent(row.estimated) if row.unlike is None else "unlike the examples")
            table.add_row(name, *cells)
    return table


def _percent(figure: Any) -> str:
    if figure.value is None:
        return "–"
    span = f" ({100 * figure.low:.2f}–{100 * figure.high:.2f})" if figure.low is not None else ""
    return f"{100 * figure.value:.2f}{span}"


def _part(name: str) -> Any:
    return registry.load(registry.CLASSIFIERS, name, what="command")
