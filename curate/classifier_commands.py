"""`curate classifiers`: train models of one's own examples, judge them, calibrate their scores and apply them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from curate import registry
from curate.arguments import assignment
from curate.progress import Reporter
from curate.safety_command import safety

app = typer.Typer(
    help="Train, judge, calibrate and apply classifiers and language models.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
console = Console()

Examples = Annotated[
    list[str],
    typer.Option(
        "--input",
        "-i",
        help="NAME=PATH of labelled examples: csv, tsv, jsonl, parquet, text, WET; a file, folder, glob or URL.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON in place of tables.")]
Model = Annotated[str, typer.Argument(help="Folder of a trained model, a model file, or a stage.")]


@app.command("list")
def list_trainings(
    show: Annotated[str | None, typer.Argument(help="Print this training file.")] = None,
) -> None:
    """List training files that ship and kinds of models, or print one training file."""
    known = _part("trainings")()
    if show:
        print(_part("training")(show).to_yaml(), end="")
        return
    trainings = Table("training file", "examples to give", "what it trains")
    for name in known:
        training = _part("training")(name)
        trainings.add_row(name, ", ".join(one.name for one in training.examples), training.description)
    console.print(trainings)
    models = Table("model", "what it is")
    for name, entry in registry.MODELS.items():
        models.add_row(name, entry.summary)
    console.print(models)


@app.command()
def train(
    training: Annotated[str, typer.Argument(help="Name of a shipped training file, or a YAML file.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for model, card and report: new or empty.")],
    input: Examples = [],  # noqa: B006
    set: Annotated[
        list[str], typer.Option("--set", help="SETTING=VALUE of the model or the file; split.X, NAME.X of examples.")
    ] = [],  # noqa: B006
    all: Annotated[
        bool, typer.Option("--all", help="Once it is judged, train the model on what was held out too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train a model, judge it on examples that it has not seen, and write both to a folder."""
    settings = _part("training")(training).with_inputs(_named(input)).changed(dict(map(assignment, set)))
    outcome = _part("train")(settings, output, all, Reporter(Console(stderr=True)))
    _show(outcome, as_json)
    if not as_json:
        _say(f"model: {output}   card: {output}/card.md   report: {output}/report.html")


@app.command()
def evaluate(
    model: Model,
    input: Examples,
    training: Annotated[
        str | None, typer.Option(help="Training file that says how examples are read; the model's own by default.")
    ] = None,
    set: Annotated[
        list[str], typer.Option("--set", help="NAME.SETTING=VALUE of examples; SETTING=VALUE of the stage.")
    ] = [],  # noqa: B006
    positive: Annotated[str | None, typer.Option(help="The label that a high score stands for.")] = None,
    threshold: Annotated[float | None, typer.Option(help="The model's own by default.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder for report and scores.")] = None,
    as_json: AsJson = False,
) -> None:
    """Judge a model on labelled files, but for what it was trained on."""
    outcome = _part("evaluate")(
        model,
        _named(input),
        dict(map(assignment, set)),
        _part("training")(training) if training else None,
        positive,
        threshold,
        output,
        Reporter(Console(stderr=True)),
    )
    _show(outcome, as_json)
    if output and not as_json:
        _say(f"report: {output}/report.html   scores: {output}/held_out.parquet")


@app.command()
def calibrate(
    input: Annotated[
        list[str],
        typer.Option(
            "--input", "-i", help="Folder of a trained model, or STAGE.SIGNAL=PATH of one or of held-out scores."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="JSON file for the stage `combine_scores`.")],
    settings: Annotated[str | None, typer.Option(help="YAML file of settings; each score alone by default.")] = None,
    set: Annotated[
        list[str], typer.Option("--set", help="combine=logistic, calibration=ranks, target={precision: 0.9}, …")
    ] = [],  # noqa: B006
    sample: Annotated[
        list[str], typer.Option(help="Parquet with the signals of documents as the corpus has them.")
    ] = [],  # noqa: B006
    positive: Annotated[str | None, typer.Option(help="The positive label; the models' own by default.")] = None,
    seed: Annotated[int, typer.Option(help="Of the folds that figures come from.")] = 0,
    report: Annotated[Path | None, typer.Option(help="Write a page on the combined score here.")] = None,
) -> None:
    """Make scores of several models comparable and one, on documents that none of them was trained on."""
    found = _part("calibrate")(
        _named(input),
        output,
        settings=settings,
        assignments=dict(map(assignment, set)),
        sample=sample,
        positive=positive,
        seed=seed,
        report=report,
        reporter=Reporter(Console(stderr=True)),
    )
    provenance = found.combination.provenance
    table = Table("score", "figure", "value")
    for name, figures in provenance.figures.items():
        for figure, value in figures.items():
            table.add_row(Text(name), figure.replace("_", " "), f"{value:.4f}")
    console.print(table)
    for group, threshold in {
        **found.combination.thresholds.groups,
        "pooled": found.combination.thresholds.pooled,
    }.items():
        _say(f"threshold, {group}: {'none' if threshold is None else format(threshold, '.6g')}")
    for note in provenance.notes:
        _say(f"note: {note}")
    _say(f"combination: {output}" + (f"   report: {report}" if report else ""))


@app.command()
def score(
    model: Model,
    input: Annotated[list[str], typer.Option("--input", "-i", help="Files with text; NAME=PATH names the source.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Parquet file to write: every row, with its score.")],
    set: Annotated[list[str], typer.Option("--set", help="SETTING=VALUE of the stage that applies the model.")] = [],  # noqa: B006
    name: Annotated[str | None, typer.Option(help="Column of the signals; the stage's name by default.")] = None,
    text_column: Annotated[str, typer.Option(help="Column of the text in parquet and jsonl input.")] = "text",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output file if it is there.")] = False,
) -> None:
    """Score files by a trained model. Every row is written, with signals and verdict."""
    from curate import recipe
    from curate.apply import apply_stages, check_readable
    from curate.arguments import parse_inputs

    stage, settings = _part("stage_of")(model, dict(map(assignment, set)))
    step = {stage: settings} | ({"as": name} if name else {})
    steps = recipe.parse({"name": "score", "stages": [step]}).stages
    sources = parse_inputs(input, text_column=text_column)
    with Reporter(Console(stderr=True)).bar("scoring", 1.0) as show:
        counts = apply_stages(
            steps, sources, output, overwrite=overwrite, show=lambda share, done: show(share, f"{done:,} documents")
        )
    check_readable(counts)
    table = Table("verdict", "documents")
    for reason, count in counts.items():
        table.add_row(Text(reason), f"{count:,}")
    console.print(table)
    _say(f"{sum(counts.values()):,} rows → {output}, signals in column {steps[0].name}")


app.command("safety")(safety)


def _named(inputs: list[str]) -> dict[str, list[str]]:
    """`NAME=PATH` options by name; "" is the name of those without one."""
    found: dict[str, list[str]] = {}
    for item in inputs:
        match = re.match(r"([A-Za-z0-9][A-Za-z0-9._-]*)=(.+)", item, re.DOTALL)
        name, path = (match[1], match[2]) if match else ("", item)
        found.setdefault(name, []).append(path)
    return found


def _show(outcome: Any, as_json: bool) -> None:
    if as_json:
        found = {"title": outcome.title, "examples": outcome.examples.counts, "notes": outcome.judged.notes}
        print(json.dumps({**found, **outcome.judged.evaluation.as_json()}, indent=1, ensure_ascii=True))
        return
    for table in _part("tables")(outcome):
        console.print(table)
    for note in outcome.card.limits if outcome.card else outcome.judged.notes:
        _say(f"note: {note}")


def _say(text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _part(name: str) -> Any:
    return registry.load(registry.CLASSIFIERS, name, what="command")
