"""`curate label`: documents for people to judge, and how far two people agree."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from curate.errors import RecipeError
from curate.progress import Reporter

console = Console()
_SHOWN = 10  # documents that two people judged differently


def label(
    input: Annotated[list[str], typer.Argument(help="A run folder, or parquet files; with --check two label files.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="JSON lines to write; never overwritten.")
    ] = None,
    per_stratum: Annotated[int, typer.Option(help="Documents to draw of each stratum.", min=1)] = 20,
    by: Annotated[
        str, typer.Option(help="What makes a stratum: source, language, verdict, score.")
    ] = "source,language",
    score: Annotated[str | None, typer.Option(help="STAGE.SIGNAL; it is a stratum too.")] = None,
    bands: Annotated[int, typer.Option(help="Bands of the score, of equally many documents.", min=1)] = 5,
    edges: Annotated[str, typer.Option(help="Bounds between bands in place of --bands: 0.2,0.5.")] = "",
    dropped: Annotated[bool, typer.Option("--dropped", help="Draw of what a run dropped too; by verdict.")] = False,
    labelled: Annotated[list[Path], typer.Option(help="Label file whose documents are not drawn again.")] = [],  # noqa: B006
    seed: Annotated[int, typer.Option(help="Another seed draws other documents.")] = 0,
    max_chars: Annotated[int, typer.Option(help="Characters of a text that are written.", min=1)] = 5_000,
    check: Annotated[bool, typer.Option("--check", help="Compare two label files: Cohen's kappa.")] = False,
) -> None:
    """Draw documents for people to judge: fill `label` in each line, and give the file to `curate classifiers`."""
    if check:
        show_agreement(input)
        return
    if output is None:
        raise RecipeError("where to? Give --output FILE.jsonl")
    from curate.labelling import Sampling, sample

    strata = [name.strip() for name in by.split(",") if name.strip()]
    strata += ["score"] * (score is not None) + ["verdict"] * dropped
    sampling = Sampling(
        tuple(dict.fromkeys(strata)), per_stratum, score, bands, _numbers(edges), seed, max_chars, dropped
    )
    with Reporter(Console(stderr=True)).bar("reading", 1.0) as show:
        found = sample(input, output, sampling, labelled, show)
    table = Table("stratum", "documents", "drawn")
    for name, count in found.documents.items():
        table.add_row(Text(name), f"{count:,}", f"{found.drawn.get(name, 0):,}")
    console.print(table)
    passed = f", {found.num_labelled:,} in other label files" if found.num_labelled else ""
    _say(f"{sum(found.drawn.values()):,} documents to judge{passed} → {output}")


def show_agreement(paths: list[str]) -> None:
    """How far two people agree."""
    from curate.label_agreement import agreement
    from curate.labelling import read_labels

    if len(paths) != 2:
        raise RecipeError(f"--check compares two label files, got {len(paths)}")
    first, second = (read_labels(Path(path)) for path in paths)
    found = agreement(first, second)
    table = Table("first", "second", "documents")
    for (mine, yours), count in sorted(found.pairs.items(), key=lambda item: (-item[1], item[0])):
        table.add_row(Text(mine), Text(yours), f"{count:,}")
    console.print(table)
    _say(
        f"judged by both: {found.num_both:,}; by the first only: {found.num_first_only:,}; by the second only: "
        f"{found.num_second_only:,}"
    )
    if found.observed is not None:
        _say(f"equal: {found.observed:.1%}")
    if found.kappa is None:
        _say("kappa: not defined; both gave one label, or nothing was judged by both")
    else:
        _say(f"Cohen's kappa: {found.kappa:.3f} ({found.low:.3f} to {found.high:.3f})")
    if found.differing:
        more = " …" if len(found.differing) > _SHOWN else ""
        _say(f"differently judged: {', '.join(found.differing[:_SHOWN])}{more}")


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise RecipeError(f"--edges are numbers with commas between them, got {text!r}") from None


def _say(text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
