"""The `curate` command. Errors that a person can put right are one message on stderr and exit status 2."""

from __future__ import annotations

import json
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from curate import recipe as recipes
from curate import registry
from curate.errors import CurateError, RecipeError
from curate.progress import Reporter

app = typer.Typer(
    help="Turn the raw web into training data for language models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
console = Console()

Input = Annotated[
    list[str],
    typer.Option(
        "--input",
        "-i",
        help="File, folder, glob, URL or list of paths; NAME=PATH names the source. May be given more than once.",
    ),
]
Output = Annotated[str, typer.Option("--output", "-o", help="Run folder: new, empty, or that of the run to finish.")]
Set = Annotated[list[str], typer.Option("--set", help="STAGE.SETTING=VALUE or SECTION.SETTING=VALUE.")]
Master = Annotated[str | None, typer.Option(help="Spark master; all cores of this machine by default.")]
Memory = Annotated[float | None, typer.Option(help="GiB for Spark's virtual machine; by default as fits the machine.")]
Scratch = Annotated[str | None, typer.Option(help="Folder that Spark may spill to.")]
Limit = Annotated[int | None, typer.Option(help="Read at most this many documents of each source, the first ones.")]


@app.callback(invoke_without_command=True)
def curate(version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False) -> None:
    """Turn the raw web into training data for language models."""
    if version:
        print(metadata.version("curate"))
        raise typer.Exit


@app.command()
def run(
    recipe: Annotated[str, typer.Argument(help="Name of a shipped recipe, or a YAML file.")],
    output: Output,
    input: Input = [],  # noqa: B006  # the option's name; typer copies it
    set: Set = [],  # noqa: B006
    limit: Limit = None,
    master: Master = None,
    memory: Memory = None,
    scratch: Scratch = None,
    partitions: Annotated[int | None, typer.Option(help="Spark partitions of a pass; one a task by default.")] = None,
    wave_gib: Annotated[float, typer.Option(help="Input of one wave: what a killed run repeats at most.")] = 1.0,
) -> None:
    """Run a recipe, from raw input to documents or a model."""
    run_recipe(
        change(with_inputs(recipes.load(recipe), input), set),
        output,
        limit=limit,
        master=master,
        memory=memory,
        scratch=scratch,
        partitions=partitions,
        wave_gib=wave_gib,
    )


def run_recipe(
    recipe: recipes.Recipe,
    output: str,
    *,
    limit: int | None = None,
    master: str | None = None,
    memory: float | None = None,
    scratch: str | None = None,
    partitions: int | None = None,
    wave_gib: float = 1.0,
) -> dict[str, Any]:
    """Start Spark, run, print the summary. What `curate run`, `curate demo` and the pipelines share."""
    from curate.pipeline import Options, Runner, execute
    from curate.spark.session import session

    reporter = Reporter(console)
    options = Options(partitions=partitions, wave_bytes=int(wave_gib * 2**30), limit=limit)
    runner = Runner(recipe, output, reporter, options)  # whatever is wrong with recipe or input is said before Spark
    reporter.say(f"{recipe.name}: {len(runner.tasks)} tasks over {len(recipe.sources)} sources → {output}")
    record = execute(runner, session(master, memory_gib=memory, scratch=scratch))
    print_summary(record, output)
    return record


@app.command()
def plan(
    recipe: Annotated[str, typer.Argument(help="Name of a shipped recipe, or a YAML file.")],
    set: Set = [],  # noqa: B006
) -> None:
    """Show stages, passes, and columns in and out. Nothing runs."""
    from curate.plan import plan as make_plan

    for one in make_plan(change(recipes.load(recipe), set)).passes:
        console.print(f"{one.name}{'' if one.steps else '  (writes what is kept)'}", style="bold", highlight=False)
        for step in one.steps:
            only = [*(step.sources or ()), *(step.languages or ())]
            changed = f", replaces {', '.join(step.stage.writes)}" if step.stage.writes else ""
            limited = f", only {', '.join(only)}" if only else ""
            name = step.name if step.name == step.use else f"{step.name} ({step.use})"
            console.print(f"  {name}: reads {', '.join(step.stage.requires)}{changed}{limited}", highlight=False)
            fields = ", ".join(field.name for field in step.stage.signals)
            console.print(Padding(f"signals {fields}", (0, 0, 0, 6)), style="dim", highlight=False)


@app.command("recipes")
def list_recipes(
    show: Annotated[str | None, typer.Argument(help="Print this one as resolved YAML.")] = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of recipe files, for editors.")
    ] = False,
) -> None:
    """List shipped recipes and stages, or print one recipe."""
    if schema:
        print(json.dumps(recipes.json_schema(), indent=1))
        return
    if show:
        print(recipes.to_yaml(recipes.load(show)), end="")
        return
    table = Table("recipe", "what it is")
    for name in recipes.shipped():
        table.add_row(name, recipes.load(name).description)
    console.print(table)
    stages = Table("stage", "what it does")
    for name, entry in registry.STAGES.items():
        stages.add_row(name, entry.summary)
    console.print(stages)


@app.command()
def apply(
    stage: Annotated[str, typer.Argument(help="A stage's name; `curate recipes` lists them.")],
    input: Input,
    output: Annotated[Path, typer.Option("--output", "-o", help="Parquet file to write: every row, kept or not.")],
    set: Annotated[list[str], typer.Option("--set", help="SETTING=VALUE.")] = [],  # noqa: B006
    text_column: Annotated[str, typer.Option(help="Column of the text in parquet and jsonl input.")] = "text",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output file if it is there.")] = False,
) -> None:
    """Run one stage on local files. Every row is written, with the stage's signals and its verdict."""
    from curate.apply import apply_stage

    settings = dict(map(_assignment, set))
    step = recipes.Step.model_validate({stage: settings}) if stage in registry.STAGES else None
    if step is None:
        raise RecipeError.unknown("stage", stage, registry.STAGES)
    counts = apply_stage(step, parse_inputs(input, text_column=text_column), output, overwrite=overwrite)
    table = Table("verdict", "documents")
    for reason, count in counts.items():
        table.add_row(reason, f"{count:,}")
    console.print(table)
    console.print(f"{sum(counts.values()):,} rows → {output}", markup=False)


@app.command()
def inspect(
    run: Annotated[str, typer.Argument(help="A run folder.")],
    stage: Annotated[str | None, typer.Option(help="Only what this stage dropped.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only what was dropped for this reason.")] = None,
    samples: Annotated[int, typer.Option(help="Documents to show for each reason.")] = 2,
    doc: Annotated[str | None, typer.Option(help="Show this document, by its id or the beginning of it.")] = None,
) -> None:
    """Show a run's funnel and samples, or one document."""
    from curate.report.inspect import show_document, show_run

    if doc:
        show_document(run, doc, console)
    else:
        show_run(run, console, stage=stage, reason=reason, samples=samples)


@app.command()
def report(run: Annotated[str, typer.Argument(help="A run folder.")]) -> None:
    """Write report.html again from what a run holds."""
    from curate.report.page import write_report
    from curate.rundir import RunDir

    console.print(f"report: {write_report(RunDir(run))}", markup=False)


@app.command()
def demo(
    output: Annotated[str, typer.Option("--output", "-o", help="Folder for the run.")] = "demo/run",
    inputs: Annotated[Path, typer.Option(help="Folder for the demo's input.")] = Path("demo/input"),
    steps: Annotated[int | None, typer.Option(help="Training steps; the recipe's by default.")] = None,
) -> None:
    """The whole path on pages of this Python environment."""
    from curate.demo import run_demo

    run_demo(output, inputs, steps)


@app.command()
def tokenize(
    documents: Annotated[str, typer.Argument(help="A run folder, or parquet files with documents.")],
    output: Annotated[str, typer.Option("--output", "-o", help="Folder for tokenizer/ and tokens/: new or empty.")],
    vocab_size: Annotated[int, typer.Option(help="Size of the vocabulary to train.")] = 8192,
    tokenizer: Annotated[str | None, typer.Option(help="Use this tokenizer.json; none is trained.")] = None,
    set: Annotated[list[str], typer.Option("--set", help="tokenizer, mix or tokens: SECTION.SETTING=VALUE.")] = [],  # noqa: B006
    master: Master = None,
) -> None:
    """Train a tokenizer and write token shards."""
    from curate.training import tokenize_documents

    settings = {"tokenizer": {"bpe": {"vocab_size": vocab_size}}, "tokens": {}}
    recipe = change(recipes.parse(settings), set)
    manifest = tokenize_documents(documents, output, tokenizer, recipe, master, Reporter(console))
    for split, sums in manifest["splits"].items():
        console.print(f"{split}: {sums['num_tokens']:,} tokens in {sums['num_documents']:,} documents", highlight=False)
    console.print(f"shards: {output}/tokens", markup=False, highlight=False)


@app.command()
def train(
    tokens: Annotated[str, typer.Argument(help="Folder of token shards, or a folder with tokens/ in it.")],
    output: Annotated[str, typer.Option("--output", "-o", help="Folder for the model; one begun there is resumed.")],
    set: Annotated[list[str], typer.Option("--set", help="SETTING=VALUE of the trainer.")] = [],  # noqa: B006
) -> None:
    """Train the compact model on token shards."""
    from curate.report.inspect import training_lines
    from curate.rundir import RunDir
    from curate.training import train as train_model

    inside = RunDir(tokens)
    folder = inside.path("tokens") if inside.exists("tokens", "manifest.json") else inside.root
    part = recipes.Part.parse({"compact": dict(map(_assignment, set))}, registry.TRAINERS, "trainer")
    summary = train_model(part, folder, output, Reporter(console))
    for line in training_lines({"model": summary}):
        console.print(line, markup=False, highlight=False)


# --------------------------------------------------------------------------------------------------------------------


def parse_inputs(inputs: list[str], **settings: Any) -> list[Any]:
    """`NAME=PATH` options as sources; without a name they are one source, `web`."""
    from curate.readers.source import Source

    by_name: dict[str, list[str]] = {}
    for item in inputs:
        match = re.match(r"([A-Za-z][A-Za-z0-9_-]*)=(.+)", item, re.DOTALL)
        name, path = (match[1], match[2]) if match else ("web", item)
        by_name.setdefault(name, []).append(path)
    return [Source(name=name, paths=tuple(paths), **settings) for name, paths in by_name.items()]


def with_inputs(recipe: recipes.Recipe, inputs: list[str]) -> recipes.Recipe:
    """The recipe with these inputs in place of its own, if any are given."""
    from curate.pipeline import with_sources

    return with_sources(recipe, parse_inputs(inputs))


def change(recipe: recipes.Recipe, assignments: list[str]) -> recipes.Recipe:
    """The recipe with `STAGE.SETTING=VALUE` and `SECTION.SETTING=VALUE` carried out; values are YAML."""
    if not assignments:
        return recipe
    tree = recipe.model_dump(mode="json")
    by_name = {step.name: entry[step.use] for step, entry in zip(recipe.stages, tree["stages"], strict=True)}
    for text in assignments:
        target, value = _assignment(text)
        section, _, setting = target.rpartition(".")
        if not section:
            tree[setting] = value
        elif section in by_name:
            by_name[section][setting] = value
        elif section in ("tokenizer", "train") and tree.get(section):
            next(iter(tree[section].values()))[setting] = value
        elif section in ("mix", "tokens"):
            tree[section] = {**(tree.get(section) or {}), setting: value}
        else:
            raise RecipeError.unknown("stage or section", section, [*by_name, "tokenizer", "mix", "tokens", "train"])
    return recipes.parse(tree)


def _assignment(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise RecipeError(f"--set takes NAME=VALUE, got {text!r}")
    try:
        return name.strip(), yaml.safe_load(value)
    except yaml.YAMLError:
        raise RecipeError(f"--set {name}: {value!r} is not a YAML value") from None


def print_summary(record: dict[str, Any], output: str) -> None:
    """What each stage did, and where everything lies."""
    from curate.report.inspect import funnel_table, training_lines

    console.print(funnel_table(record))
    for line in training_lines(record):
        console.print(line, markup=False, highlight=False)
    console.print(f"documents: {output}/documents   report: {output}/report.html", markup=False, highlight=False)


def main() -> None:
    """Entry point of the `curate` script."""
    try:
        app()
    except CurateError as error:
        print(f"curate: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
