"""The `curate` command. Errors that a person can put right are one message on stderr and exit status 2."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from curate import distillation_commands, registry  # noqa: F401  # the first adds commands to `classifiers`
from curate import recipe as recipes
from curate.arguments import assignment, change, parse_inputs, with_inputs
from curate.classifier_commands import app as classifiers_app
from curate.errors import CurateError, OutputError, RecipeError
from curate.extractor_commands import app as extractor_app
from curate.label_command import label
from curate.progress import Reporter

app = typer.Typer(
    help="Turn the raw web into training data for language models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(extractor_app, name="extractor")
app.add_typer(classifiers_app, name="classifiers")
app.command("label")(label)
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

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON in place of tables.")]
TextColumn = Annotated[str, typer.Option(help="Column of the text in parquet and jsonl input.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the output file if it is there.")]


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
    from curate.spark.session import Starting

    starting = Starting(master, memory_gib=memory, scratch=scratch)
    from curate.pipeline import Options, Runner, execute  # takes as long as Java does to start

    reporter = Reporter(console)
    options = Options(partitions=partitions, wave_bytes=int(wave_gib * 2**30), limit=limit)
    runner = Runner(recipe, output, reporter, options)  # whatever is wrong with recipe or input is said before Spark's
    reporter.say(f"{recipe.name}: {len(runner.tasks)} tasks over {len(recipe.sources)} sources → {output}")
    record = execute(runner, starting.session())
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
    stages: Annotated[
        str, typer.Argument(help="A stage, else a shipped recipe, or a YAML file; see `curate recipes`.")
    ],
    input: Input,
    output: Annotated[Path, typer.Option("--output", "-o", help="Parquet file to write: every row, kept or not.")],
    set: Annotated[list[str], typer.Option("--set", help="SETTING=VALUE of a stage; STAGE.SETTING=VALUE.")] = [],  # noqa: B006
    text_column: TextColumn = "text",
    audit: Annotated[bool, typer.Option("--audit", help="Measure every stage on every document.")] = False,
    overwrite: Overwrite = False,
) -> None:
    """Run a stage, or a recipe's stages, on local files. Every row is written, with signals and verdict."""
    from curate.apply import apply_stages, named_stages

    steps = named_stages(stages, set).stages
    sources = parse_inputs(input, text_column=text_column)
    with _reading("applying") as show:
        counts = apply_stages(steps, sources, output, audit=audit, overwrite=overwrite, show=show)
    table = Table("verdict", "documents")
    for reason, count in counts.items():
        table.add_row(reason, f"{count:,}")
    console.print(table)
    console.print(f"{sum(counts.values()):,} rows → {output}", markup=False)


@app.command()
def dedup(
    input: Input,
    output: Output,
    config: Annotated[str, typer.Option(help="Recipe to run: a shipped one, or a YAML file.")] = "dedup",
    set: Set = [],  # noqa: B006
    text_column: TextColumn = "text",
    limit: Limit = None,
    master: Master = None,
    memory: Memory = None,
    scratch: Scratch = None,
) -> None:
    """Deduplicate parquet or jsonl: exact, then near duplicates, with the evidence for each."""
    from curate.pipeline import with_sources
    from curate.report.dedup import banding_lines

    sources = parse_inputs(input, text_column=text_column)
    recipe = change(with_sources(recipes.load(config), sources), set)
    for line in banding_lines(recipe):
        console.print(line, markup=False, highlight=False)
    run_recipe(recipe, output, limit=limit, master=master, memory=memory, scratch=scratch)


@app.command()
def compare(
    names: Annotated[list[str], typer.Argument(metavar="RECIPE RECIPE…", help="Shipped recipes or YAML files.")],
    input: Input,
    samples: Annotated[int, typer.Option(help="Documents to show for each kind of disagreement.")] = 2,
    text_column: TextColumn = "text",
    json: AsJson = False,
) -> None:
    """Show where recipes decide differently on local files."""
    from curate.apply import documents, named_stages
    from curate.compare import compare as compare_recipes
    from curate.report.comparison import show_comparison

    sources = parse_inputs(input, text_column=text_column)
    with _reading("comparing") as show:
        found = compare_recipes(list(map(named_stages, names)), documents(sources, show), max_samples=samples)
    print_found(found.as_json()) if json else show_comparison(found, console)


@app.command()
def inspect(
    run: Annotated[str, typer.Argument(help="A run folder.")],
    stage: Annotated[str | None, typer.Option(help="Only what this stage dropped.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only what was dropped for this reason.")] = None,
    samples: Annotated[int, typer.Option(help="Documents to show for each reason.")] = 2,
    doc: Annotated[str | None, typer.Option(help="Show this document, by its id or the beginning of it.")] = None,
    cluster: Annotated[str | None, typer.Option(help="Show the documents of this cluster of duplicates.")] = None,
) -> None:
    """Show a run's funnel and samples, one document, or one cluster of duplicates."""
    from curate.report.inspect import show_cluster, show_document, show_run

    if doc:
        show_document(run, doc, console)
    elif cluster:
        show_cluster(run, cluster, console)
    else:
        show_run(run, console, stage=stage, reason=reason, samples=samples)


@app.command("what-if")
def what_if(
    run: Annotated[str, typer.Argument(help="A run folder.")],
    set: Set = [],  # noqa: B006
    samples: Annotated[int, typer.Option(help="Documents to show near each changed bound, in each direction.")] = 3,
    json: AsJson = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the changed recipe here.")] = None,
    overwrite: Overwrite = False,
) -> None:
    """Show what other limits would keep and drop, from a run's stored signals alone."""
    from curate.report.decisions import show_what_if
    from curate.stored_signals import open_stored
    from curate.what_if import what_if as judge_again

    stored = open_stored(run)
    recipe = change(stored.plan.recipe, set)
    with _counting(stored.num_read) as show:
        found = judge_again(stored, recipe, samples=samples, show=show)
    print_found(found.as_json()) if json else show_what_if(found, console)
    if output:
        write_new(output, recipes.to_yaml(recipe), overwrite)


@app.command()
def audit(
    run: Annotated[str, typer.Argument(help="Folder of a run with `audit: true`.")], json: AsJson = False
) -> None:
    """Show which rules drop what, alone and together."""
    from curate.audit import audit_run
    from curate.report.decisions import show_audit
    from curate.stored_signals import open_stored

    stored = open_stored(run)
    with _counting(stored.num_dropped) as show:
        found = audit_run(stored, show=show)
    print_found(found.as_json()) if json else show_audit(found, console)


@app.command()
def thresholds(
    input: Annotated[list[str], typer.Argument(help="A run folder, or files with text; NAME=PATH names a source.")],
    stage: Annotated[list[str], typer.Option(help="Stage whose signals are fitted. May be given more than once.")],
    method: Annotated[str, typer.Option(help="percentile or sigma.")] = "percentile",
    low: Annotated[float, typer.Option(help="Lower percentile.")] = 1.0,
    high: Annotated[float, typer.Option(help="Upper percentile.")] = 99.0,
    sigma: Annotated[float, typer.Option(help="Standard deviations on either side of the mean.")] = 3.0,
    by: Annotated[str, typer.Option(help="language, source or none: what gets limits of its own.")] = "language",
    signal: Annotated[list[str], typer.Option(help="Fit it, on both sides; by default those with limits.")] = [],  # noqa: B006
    min_documents: Annotated[int, typer.Option(help="Fewer documents get the limits of all together.")] = 100,
    otherwise: Annotated[str, typer.Option(help="Judges a group without limits: pooled or unmeasured.")] = "pooled",
    set: Annotated[list[str], typer.Option("--set", help="STAGE.SETTING=VALUE where texts are measured.")] = [],  # noqa: B006
    text_column: TextColumn = "text",
    json: AsJson = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write limits for `outliers` here.")] = None,
    overwrite: Overwrite = False,
) -> None:
    """Propose limits from the distributions of signals, language by language."""
    from curate.report.decisions import show_thresholds
    from curate.thresholds import Method, propose

    how = Method(_one_of("--method", method, ("percentile", "sigma")), low, high, sigma)
    group = _one_of("--by", by, ("language", "source", "none"))
    fallback = _one_of("--otherwise", otherwise, ("pooled", "unmeasured"))
    steps, signals, measured = _distributions(input, stage, signal, group, set, text_column)
    found = propose(measured, signals, steps, group, how, min_documents)
    print_found(found.as_json()) if json else show_thresholds(found, console)
    if output:
        write_new(output, found.limits(fallback).to_yaml(), overwrite)


@app.command("words")
def list_words() -> None:
    """List what each language's words are cut by, and what of it is installed here."""
    from curate.words.segmenters import language_words

    table = Table("languages", "words", "installed", box=None)
    for entry in language_words():
        names = entry.library.split(" + ") if entry.library else []
        installed = [f"{name} {version or 'missing'}" for name, version in zip(names, entry.versions, strict=True)]
        words = f"{entry.segmenter}: {entry.note}" if entry.segmenter else entry.note
        table.add_row(", ".join(entry.languages), words, ", ".join(installed))
    console.print(table)


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
    part = recipes.Part.parse({"compact": dict(map(assignment, set))}, registry.TRAINERS, "trainer")
    summary = train_model(part, folder, output, Reporter(console))
    for line in training_lines({"model": summary}):
        console.print(line, markup=False, highlight=False)


# --------------------------------------------------------------------------------------------------------------------


@contextmanager
def _counting(total: int) -> Iterator[Callable[[float], None]]:
    """Progress over documents, on stderr, so that what a command prints can be piped."""
    with Reporter(Console(stderr=True)).bar("reading signals", total) as show:
        yield lambda done: show(done, f"{done:,.0f} documents")


@contextmanager
def _reading(label: str) -> Iterator[Callable[[float, int], None]]:
    """Progress over files."""
    with Reporter(Console(stderr=True)).bar(label, 1.0) as share:
        yield lambda part, done: share(part, f"{done:,} documents")


def _distributions(
    inputs: list[str], stages: list[str], names: list[str], by: Any, assignments: list[str], text_column: str
) -> tuple[Any, Any, Any]:
    """Steps, signals to fit, and their distributions: of what a run has stored, or of texts that are measured now."""
    from curate import measure
    from curate.stored_signals import holds_run, open_stored
    from curate.thresholds import signals_to_fit

    if len(inputs) == 1 and holds_run(inputs[0]):
        if assignments:
            raise RecipeError("--set is for texts that are measured now; the signals of a run were measured already")
        stored = open_stored(inputs[0])
        steps = stored.named(stages)
        signals = signals_to_fit(steps, names)
        with _counting(stored.num_read) as show:
            return steps, signals, measure.stored_distributions(stored, steps, signals, by, show=show)
    steps = change(recipes.parse({"stages": stages}), assignments).stages
    signals = signals_to_fit(steps, names)
    sources = parse_inputs(inputs, text_column=text_column)
    with _reading("measuring") as show:
        found = measure.file_distributions(steps, sources, signals, by, show=show)
    return steps, signals, found


def _one_of(option: str, value: str, known: tuple[str, ...]) -> Any:
    if value not in known:
        raise RecipeError.unknown("value", value, known, where=option)
    return value


def print_found(found: dict[str, Any]) -> None:
    """A result as JSON on stdout."""
    print(json.dumps(found, indent=1, ensure_ascii=True, default=str))


def write_new(path: Path, text: str, overwrite: bool) -> None:
    """A text file that was not there. OutputError where it was, or cannot be written."""
    if path.exists() and not overwrite:
        raise OutputError(f"{path} is there already. Choose another --output, or say --overwrite")
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None
    Reporter(Console(stderr=True)).say(f"written: {path}")


def print_summary(record: dict[str, Any], output: str) -> None:
    """What each stage did, and where everything lies."""
    from curate.report.dedup import dedup_lines
    from curate.report.inspect import funnel_table, training_lines

    console.print(funnel_table(record))
    for line in dedup_lines(output):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    for line in training_lines(record):
        console.print(line, markup=False, highlight=False)
    for alarm in record.get("alarms", []):
        console.print(f"ALARM: {alarm['text'].replace('RUN', output)}", style="bold red", markup=False, highlight=False)
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
