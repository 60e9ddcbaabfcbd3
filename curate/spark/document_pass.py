"""A document pass: tasks in, parts out. Each task reads one split of the input, or parts of the pass before, runs the
fused stages over it batch by batch, and writes its kept and its dropped rows. Only counts come back to the driver.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from threading import Event, Thread
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict
from pyspark import AccumulatorParam
from pyspark.sql import SparkSession

from curate import errors
from curate.document import VERDICT_FIELDS
from curate.errors import CurateError
from curate.fused import batch_table, replace, run_steps, to_batch
from curate.readers.read import read
from curate.readers.rows import ReadStats
from curate.readers.source import Source
from curate.readers.splits import Split
from curate.recipe import Step
from curate.spark.parts import Layer, PartFile, PartWriter, part_batches

#: Keys of a task's tally: (source, language, drop_stage, drop_reason) → documents, UTF-8 bytes of text.
TALLY = ("source", "language", "drop_stage", "drop_reason")


class Task(BaseModel):
    """What one task reads: splits of input files, or parts of the pass before."""

    model_config = ConfigDict(frozen=True)

    part: int
    source: str
    splits: tuple[Split, ...] = ()
    checksums: tuple[str, ...] = ()  # of the splits' files, so that a changed file is read again
    limit: int | None = None  # documents to read at most
    parts: tuple[tuple[int, str], ...] = ()  # (part, path)
    size: int = 0  # bytes to read, for progress


class Work(BaseModel):
    """What every task of a pass does; travels to the workers as JSON."""

    model_config = ConfigDict(frozen=True)

    name: str
    steps: tuple[Step, ...]
    audit: bool
    keep_dropped_text: bool
    sources: tuple[Source, ...]
    layers: tuple[Layer, ...]
    kept_folder: str
    dropped_folder: str
    by_source: bool  # kept parts lie in a folder source=… each


class Done(BaseModel):
    """What one task did."""

    part: int
    read: int
    kept: PartFile
    dropped: PartFile | None
    tally: list[list[Any]]  # [source, language, drop_stage, drop_reason, documents, bytes]
    seconds: dict[str, float]
    records: dict[str, int]  # WARC records by type, those that are no documents too


def run_task(task: Task, work: Work, schema: pa.Schema) -> Done:
    """Read, run the stages, write. Rows read = rows kept + rows dropped, or it is our own mistake."""
    name = f"part-{task.part:05d}.parquet"
    kept = PartWriter(work.kept_folder, f"source={task.source}/{name}" if work.by_source else name, schema)
    dropped_schema = pa.schema([*schema, *VERDICT_FIELDS])
    dropped = PartWriter(work.dropped_folder, name, dropped_schema)
    seconds: Counter[str] = Counter()
    tally: Counter[tuple[Any, ...]] = Counter()
    sizes: Counter[tuple[Any, ...]] = Counter()
    skipped = ReadStats()
    num_read = 0
    started = time.perf_counter()
    for batch in _batches(task, work, skipped):
        num_read += batch.num_rows
        done = _no_text(run_steps(batch, work.steps, audit=work.audit, seconds=seconds), work.name)
        _count(done, tally, sizes)
        alive = pc.is_null(done.column("drop_reason"))
        kept.write(done.filter(alive).select(schema.names))
        if pc.any(pc.invert(alive), min_count=0).as_py():
            lost = done.filter(pc.invert(alive))
            if not work.keep_dropped_text:
                lost = replace(lost, "text", pa.nulls(lost.num_rows, pa.string()))
            dropped.write(to_batch(batch_table(lost, dropped_schema)))
    assert num_read == kept.rows + dropped.rows, (num_read, kept.rows, dropped.rows)
    seconds["read and write"] = time.perf_counter() - started - sum(seconds.values())  # type: ignore[assignment]
    return Done(
        part=task.part,
        read=num_read,
        kept=kept.close(task.part, task.source),
        dropped=dropped.close(task.part, task.source) if dropped.rows else None,
        tally=[[*key, tally[key], sizes[key]] for key in sorted(tally, key=str)],
        seconds={name: round(float(value), 4) for name, value in seconds.items()},
        records=dict(skipped.records),
    )


def _batches(task: Task, work: Work, skipped: ReadStats) -> Iterator[pa.RecordBatch]:
    left = task.limit if task.limit is not None else sys.maxsize
    for split in task.splits:
        (source,) = (source for source in work.sources if source.name == task.source)
        for batch in read(split, source, stats=skipped):
            yield batch.slice(0, left)
            left -= batch.num_rows
            if left <= 0:
                return
    for part, path in task.parts:
        for _, batch in part_batches(part, path, work.layers):
            yield batch


def _no_text(batch: pa.RecordBatch, pass_name: str) -> pa.RecordBatch:
    """A kept row must have text by the end of a pass: raw bytes are not carried on."""
    missing = pc.and_(pc.is_null(batch.column("drop_reason")), pc.is_null(batch.column("text")))
    batch = replace(batch, "drop_stage", pc.if_else(missing, pass_name, batch.column("drop_stage")))
    return replace(batch, "drop_reason", pc.if_else(missing, "no_text", batch.column("drop_reason")))


def _count(batch: pa.RecordBatch, tally: Counter[tuple[Any, ...]], sizes: Counter[tuple[Any, ...]]) -> None:
    table = pa.table({name: batch.column(name) for name in TALLY})
    table = table.append_column("bytes", pc.fill_null(pc.binary_length(batch.column("text")), 0))
    for row in table.group_by(list(TALLY)).aggregate([("bytes", "count"), ("bytes", "sum")]).to_pylist():
        key = tuple(row[name] for name in TALLY)
        tally[key] += row["bytes_count"]
        sizes[key] += row["bytes_sum"]


class _Sums(AccumulatorParam[Counter[str]]):
    """Counts that workers add to while a job runs."""

    def zero(self, value: Counter[str]) -> Counter[str]:
        return Counter()

    def addInPlace(self, value1: Counter[str], value2: Counter[str]) -> Counter[str]:  # noqa: N802  # Spark's name
        value1.update(value2)
        return value1


def run_tasks(
    spark: SparkSession,
    tasks: Sequence[Task],
    work: Work,
    schema: pa.Schema,
    *,
    num_partitions: int | None = None,
    progress: Callable[[Counter[str]], None] | None = None,
) -> list[Done]:
    """Run tasks on Spark and return what each did, by part. One `mapInArrow`; only counts come back.

    `progress` is called about twice a second with sums over finished tasks: tasks, documents, bytes.
    """
    if not tasks:
        return []
    work_json, schema_bytes = work.model_dump_json(), schema.serialize().to_pybytes()
    task_texts = [task.model_dump_json() for task in tasks]
    sums = spark.sparkContext.accumulator(Counter(), _Sums())

    def run_partition(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        worker_work = Work.model_validate_json(work_json)
        worker_schema = pa.ipc.read_schema(pa.py_buffer(schema_bytes))
        for batch in batches:
            for index in batch.column("id").to_pylist():
                task = Task.model_validate_json(task_texts[index])
                answer: dict[str, Any]
                try:
                    done = run_task(task, worker_work, worker_schema)
                    answer = {"done": done.model_dump(mode="json")}
                    sums.add(Counter(tasks=1, documents=done.read, kept=done.kept.rows, bytes=task.size))
                except CurateError as error:  # a person can put it right: carry it to the driver as it is
                    answer = {"problem": [type(error).__name__, str(error)]}
                yield pa.RecordBatch.from_pydict({"answer": [json.dumps(answer)]})
        keep_loaded()

    # Numbers of tasks, not tasks: a frame of Python rows would be made by a second Python worker for each task.
    frame = spark.range(0, len(tasks), 1, max(1, min(num_partitions or len(tasks), len(tasks))))
    with _reporting(sums, progress):
        answers = [json.loads(row[0]) for row in frame.mapInArrow(run_partition, "answer string").collect()]
    for answer in answers:
        if "problem" in answer:
            name, message = answer["problem"]
            raise getattr(errors, name, CurateError)(message)
    return sorted((Done.model_validate(answer["done"]) for answer in answers), key=lambda done: done.part)


@cache
def keep_loaded() -> None:
    """Once in a worker: hide from the garbage collector what the worker has loaded by now.

    pyspark collects all garbage after each task, and with pandas, numba and the stages loaded that takes 60 ms.
    """
    gc.collect()
    gc.freeze()


class _reporting:  # noqa: N801  # a context manager, read as a phrase
    """Call `progress` with an accumulator's value while the body runs."""

    def __init__(self, sums: Any, progress: Callable[[Counter[str]], None] | None) -> None:
        self.sums, self.progress, self.stop = sums, progress, Event()

    def __enter__(self) -> None:
        if self.progress is not None:
            self.thread = Thread(target=self._poll, daemon=True)
            self.thread.start()

    def _poll(self) -> None:
        assert self.progress is not None
        while not self.stop.wait(0.5):
            with suppress(RuntimeError):  # the accumulator changed while it was copied: next time
                self.progress(Counter(self.sums.value))

    def __exit__(self, *exc: object) -> None:
        self.stop.set()
        if self.progress is not None:
            self.thread.join()
            self.progress(Counter(self.sums.value))
