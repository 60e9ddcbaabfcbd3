"""Stages on local files, every row kept with its signals and verdict: the way to try a stage or a recipe."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from curate import document, recipe, registry
from curate.arguments import assignment, change
from curate.errors import InputError, OutputError, RecipeError
from curate.fused import batch_table, run_steps, to_batch
from curate.readers.read import read
from curate.readers.source import Source, list_files
from curate.readers.splits import plan_splits
from curate.recipe import Recipe, Step
from curate.stage import CorpusStage

#: Told the share of the input that is read, and how many documents.
Show = Callable[[float, int], None]
SPLIT_BYTES = 32 << 20


def named_stages(name: str, assignments: Sequence[str] = ()) -> Recipe:
    """A stage by its name, or all stages of a recipe by its name or file, with settings changed.

    A name that both have (`fineweb`) is the stage's. The settings of a single stage may be assigned without its name.
    """
    if name in registry.STAGES:
        settings = dict(assignment(text.removeprefix(f"{name}.")) for text in assignments)
        return recipe.parse({"name": name, "stages": [{name: settings}]})
    return change(_recipe(name), list(assignments))


def _recipe(name: str) -> Recipe:
    if name.endswith((".yaml", ".yml")) or name in recipe.shipped():
        return recipe.load(name)
    raise RecipeError.unknown("stage or recipe", name, {*registry.STAGES, *recipe.shipped()})


def apply_stages(
    steps: Sequence[Step],
    sources: Sequence[Source],
    output: Path,
    *,
    audit: bool = False,
    overwrite: bool = False,
    show: Show = lambda share, done: None,
) -> dict[str, int]:
    """Write one parquet file of all rows and return how many were kept and dropped for each reason.

    A row that one step drops has null signals of the later ones, unless `audit`. Document stages run in this process,
    without Spark; corpus stages on a local session.
    """
    from curate.spark.parts import PartWriter

    if output.exists() and not overwrite:
        raise OutputError(f"{output} is there already. Choose another --output, or say --overwrite")
    if not output.parent.is_dir():
        raise OutputError(f"there is no folder {output.parent} to write {output.name} to. Make it first")
    signals = [pa.field(step.name, step.stage.signals) for step in steps]
    schema = pa.schema([*document.FIELDS, *signals, *document.VERDICT_FIELDS])
    writer = PartWriter(str(output.parent.absolute()), output.name, schema)
    counts: Counter[str] = Counter()
    for batch in _batches(steps, sources, audit, show):
        done = to_batch(batch_table(batch, schema))
        for stage, reason in zip(done["drop_stage"].to_pylist(), done["drop_reason"].to_pylist(), strict=True):
            counts[(f"{stage}: {reason}" if len(steps) > 1 else reason) if reason else "kept"] += 1
        writer.write(done)
    writer.close(0, "")
    return dict(sorted(counts.items(), key=lambda item: (item[0] != "kept", -item[1], item[0])))


def documents(sources: Sequence[Source], show: Show = lambda share, done: None) -> Iterator[pa.RecordBatch]:
    """The documents of files in order, batch by batch."""
    splits = [(split, source) for source in sources for split in plan_splits(list_files(source), source, SPLIT_BYTES)]
    done = 0
    for number, (split, source) in enumerate(splits):
        for batch in read(split, source):
            yield batch
            done += batch.num_rows
            show(number / len(splits), done)
    show(1.0, done)


def check_readable(reasons: Mapping[str, int]) -> None:
    """InputError where each document has an error of reading, as files of a kind that is not read have."""
    if reasons and all(reason.startswith("error_") for reason in reasons):
        told = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())
        raise InputError(
            f"no document could be read: {told}. Give parquet, jsonl or another kind that `curate run` reads"
        )


def _batches(steps: Sequence[Step], sources: Sequence[Source], audit: bool, show: Show) -> Iterator[pa.RecordBatch]:
    if any(isinstance(step.stage, CorpusStage) for step in steps):
        yield from _from_run(steps, sources, audit)
    else:
        yield from (run_steps(batch, steps, audit=audit) for batch in documents(sources, show))


def _from_run(steps: Sequence[Step], sources: Sequence[Source], audit: bool) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    from curate.pipeline import run
    from curate.spark.session import session

    with tempfile.TemporaryDirectory(prefix="curate-") as folder:
        run(Recipe(name="apply", stages=tuple(steps), sources=tuple(sources), audit=audit), folder, session())
        for path in sorted(Path(folder).glob("documents/*/*.parquet")) + sorted(
            Path(folder).glob("dropped/**/*.parquet")
        ):
            yield from pq.ParquetFile(path).iter_batches()
