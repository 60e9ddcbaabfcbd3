"""`curate classifiers prompts` and `distil`: score distillation, from documents to examples that a model is trained on.

Between the two one asks whichever model (or people) one has: nothing here does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from curate import registry
from curate.arguments import parse_inputs
from curate.classifier_commands import app
from curate.progress import Reporter

console = Console()

TextColumn = Annotated[str, typer.Option(help="Column of the text in parquet and jsonl input.")]
_GROUP = "group"  # column that holds together what must not be parted by a split


@app.command()
def prompts(
    input: Annotated[list[str], typer.Argument(help="A run folder, or files with text.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="JSON lines to write; never overwritten.")],
    template: Annotated[Path | None, typer.Option(help="Text file of a prompt with {text} in it.")] = None,
    count: Annotated[int | None, typer.Option(help="Draw so many; by default all are written.", min=1)] = None,
    seed: Annotated[int, typer.Option(help="Another seed draws other documents.")] = 0,
    max_chars: Annotated[int, typer.Option(help="Characters of a text that are written.", min=1)] = 5_000,
    judged: Annotated[list[str], typer.Option(help="Judgements there are: their documents are left out.")] = [],  # noqa: B006
    text_column: TextColumn = "text",
) -> None:
    """Write documents for a large model to judge, a JSON line each. It answers with doc_id and score, or label."""
    with _documents(input, text_column) as documents:
        found = _part("prompts")(
            documents, output, template=template, count=count, seed=seed, max_chars=max_chars, judged=judged
        )
    if found.num_unread:
        _say(f"note: lines of {', '.join(judged)} that say nothing of a document: {found.num_unread:,}")
    left = {"judged already": found.prompts.num_judged, "without text": found.prompts.num_without_text}
    told = "".join(f", {number:,} {name}" for name, number in left.items() if number)
    _say(f"{found.prompts.num_written:,} documents to judge{told} → {output}")
    if count and found.prompts.num_written < count:
        _say(f"note: {count:,} were wanted, and there are no more")


@app.command()
def distil(
    judged: Annotated[list[str], typer.Argument(help="JSON lines of judgements: doc_id or text, score or label.")],
    input: Annotated[list[str], typer.Option("--input", "-i", help="A run folder, or files with the documents.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the examples: new or empty.")],
    kind: Annotated[str, typer.Option(help="What counts of a judgement: score or label.")] = "score",
    lowest: Annotated[float, typer.Option(help="Lowest score that counts.")] = 0.0,
    highest: Annotated[float, typer.Option(help="Highest score that counts.")] = 5.0,
    cut: Annotated[float | None, typer.Option(help="Make two labels of scores: positive from here on, other.")] = None,
    max_unused_frac: Annotated[float, typer.Option(help="More lines of no use are an error.")] = 0.2,
    seed: Annotated[int, typer.Option(help="Of the order of the examples.")] = 0,
    text_column: TextColumn = "text",
) -> None:
    """Make examples of judgements, for `train`: votes on a document are averaged, or counted where they are labels."""
    settings = {"kind": kind, "lowest": lowest, "highest": highest, "max_unused_frac": max_unused_frac}
    with _documents(input, text_column) as documents:
        found = _part("distil")(judged, documents, output, settings=settings, cut=cut, seed=seed)
    _show(found)
    _say(f"examples: {output}/examples.parquet   agreement: {output}/agreement.json")


@contextmanager
def _documents(inputs: list[str], text_column: str) -> Iterator[Any]:
    """The documents of runs and files, with progress over them."""
    from curate.apply import documents

    files = [file for one in inputs for file in _files(one)]
    sources = parse_inputs(files, text_column=text_column, meta_columns=(_GROUP,))
    with Reporter(Console(stderr=True)).bar("documents", 1.0) as show:
        yield _readable(documents(sources, lambda share, done: show(share, f"{done:,} documents")))


def _readable(batches: Iterable[Any]) -> Iterator[Any]:
    """The batches as they are. InputError at their end where no document could be read."""
    from curate.apply import check_readable

    reasons: Counter[str] = Counter()
    for batch in batches:
        reasons.update(reason or "read" for reason in batch.column("drop_reason").to_pylist())
        yield batch
    check_readable(reasons)


def _files(item: str) -> list[str]:
    """Of PATH or NAME=PATH: the files of what a run has kept, anything else as it is."""
    from curate.label_rows import parquet_files
    from curate.stored_signals import holds_run

    if holds_run(item):
        return parquet_files([item], with_dropped=False)
    name, _, path = item.partition("=")
    if path and holds_run(path):
        return [f"{name}={file}" for file in parquet_files([path], with_dropped=False)]
    return [item]


def _show(found: Any) -> None:
    agreement = found.distilled.agreement
    table = Table("judgements", "")
    table.add_row("lines", f"{found.distilled.num_lines:,}")
    for reason, count in found.reasons.items():
        table.add_row(Text(f"of no use: {reason}"), f"{count:,}")
    for name, (votes, mean) in agreement.by_model.items():
        told = "" if mean is None else f", {mean:.2f} on average"
        table.add_row(Text(f"by {name or 'a judge without a name'}"), f"{votes:,}{told}")
    table.add_row("documents", f"{agreement.num_documents:,}")
    table.add_row("judged more than once", f"{agreement.num_voted_twice:,}")
    figures = {
        "votes on one document that are equal": agreement.equal_frac,
        "variance of the votes on one document": agreement.mean_variance,
        "Krippendorff's alpha": agreement.alpha,
    }
    for name, value in figures.items():
        if value is not None:
            table.add_row(name, f"{value:.3f}")
    console.print(table)
    examples = Table("example", "documents")
    for label, count in found.counts.items():
        examples.add_row(Text(label), f"{count:,}")
    console.print(examples)


def _say(text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _part(name: str) -> Any:
    return registry.load(registry.CLASSIFIERS, name, what="command")
