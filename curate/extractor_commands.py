"""`curate extractor`: train the learned extractor on pages of one's own, and compare extractors on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from curate import registry
from curate.arguments import assignment
from curate.progress import Reporter

app = typer.Typer(
    help="Train and evaluate extractors of main text.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
console = Console()

Pages = Annotated[
    list[str],
    typer.Option(help="Pages: WARC, or parquet with payload, url and, if known, charset. May be given more than once."),
]
Gold = Annotated[
    list[str],
    typer.Option(
        help="Their gold texts: parquet with url and main_content, and html_sha1, page_type, language if any."
    ),
]
Limit = Annotated[
    int, typer.Option(help="At most this many pages of each file, drawn by their URLs; 0 for all.", min=0)
]


@app.command()
def train(
    pages: Pages,
    gold: Gold,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for model and card: new or empty.")],
    set: Annotated[list[str], typer.Option("--set", help="SETTING=VALUE; blocks.SETTING=VALUE of the trees.")] = [],  # noqa: B006
    name: Annotated[str, typer.Option(help="What the model's card calls it.")] = "extractor",
    licence: Annotated[list[str], typer.Option(help="Licence of each --gold, for the card.")] = [],  # noqa: B006
    learning_curve: Annotated[bool, typer.Option("--learning-curve", help="Train on fewer pages too.")] = False,
    leave_out: Annotated[
        list[str], typer.Option(help="language, page_type or source: train without each of them too.")
    ] = [],  # noqa: B006
    limit: Limit = 0,
) -> None:
    """Train an extractor on pages whose main text is known, with cross-validation by host."""
    trained = _part("train")(
        pages,
        gold,
        output,
        settings=dict(map(assignment, set)),
        name=name,
        licences=licence,
        with_curve=learning_curve,
        left_out=leave_out,
        limit=limit,
        reporter=Reporter(Console(stderr=True)),
    )
    for table in _part("train_tables")(trained):
        console.print(table)
    console.print(
        f"model: {output}/model.npz   card: {output}/card.md   errors: {output}/report.html",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


@app.command()
def evaluate(
    pages: Pages,
    gold: Gold,
    extractor: Annotated[
        list[str], typer.Option(help="learned, trafilatura, trafilatura_fast, resiliparse or module:function.")
    ] = ["learned", "trafilatura", "resiliparse"],  # noqa: B006
    model: Annotated[Path | None, typer.Option(help="What `learned` is: a trained model.npz.")] = None,
    limit: Limit = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of tables.")] = False,
) -> None:
    """Compare extractors on pages whose main text is known: quality, and pages a second on one core."""
    report = _part("evaluate")(pages, gold, extractor, model, limit)
    if as_json:
        print(json.dumps(_part("evaluate_json")(report), indent=1, ensure_ascii=True))
    else:
        for table in _part("evaluate_tables")(report):
            console.print(table)


def _part(name: str) -> Any:
    return registry.load(registry.EXTRACTOR_TRAINING, name, what="command")
