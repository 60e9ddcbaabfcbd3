"""One stage on local files, every row kept with its signals and verdict: the way to try a stage."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from curate import document
from curate.errors import OutputError
from curate.fused import batch_table, run_steps, to_batch
from curate.readers.read import read
from curate.readers.source import Source, list_files
from curate.readers.splits import plan_splits
from curate.recipe import Recipe, Step
from curate.stage import CorpusStage


def apply_stage(step: Step, sources: Sequence[Source], output: Path, *, overwrite: bool = False) -> dict[str, int]:
    """Write one parquet file of all rows and return how many were kept and dropped for each reason.

    A document stage runs in this process, without Spark; a corpus stage on a local session.
    """
    from curate.spark.parts import PartWriter

    if output.exists() and not overwrite:
        raise OutputError(f"{output} is there already. Choose another --output, or say --overwrite")
    if not output.parent.is_dir():
        raise OutputError(f"there is no folder {output.parent} to write {output.name} to. Make it first")
    schema = pa.schema([*document.FIELDS, pa.field(step.name, step.stage.signals), *document.VERDICT_FIELDS])
    writer = PartWriter(str(output.parent.absolute()), output.name, schema)
    counts: Counter[str] = Counter()
    batches = _from_run(step, sources) if isinstance(step.stage, CorpusStage) else _from_files(step, sources)
    for batch in batches:
        done = to_batch(batch_table(batch, schema))
        counts.update(reason or "kept" for reason in done.column("drop_reason").to_pylist())
        writer.write(done)
    writer.close(0, "")
    return dict(sorted(counts.items(), key=lambda item: (item[0] != "kept", -item[1], item[0])))


def _from_files(step: Step, sources: Sequence[Source]) -> Iterator[pa.RecordBatch]:
    for source in sources:
        for split in plan_splits(list_files(source), source, 2**62):
            for batch in read(split, source):
                yield run_steps(batch, [step])


def _from_run(step: Step, sources: Sequence[Source]) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    from curate.pipeline import run
    from curate.spark.session import session

    with tempfile.TemporaryDirectory(prefix="curate-") as folder:
        run(Recipe(name="apply", stages=(step,), sources=tuple(sources)), folder, session())
        for path in sorted(Path(folder).glob("documents/*/*.parquet")) + sorted(
            Path(folder).glob("dropped/**/*.parquet")
        ):
            yield from pq.ParquetFile(path).iter_batches()
