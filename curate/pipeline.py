"""Run a recipe: passes in waves, each committed by one rename; a run that was killed goes on where it was.

What has been done is known from manifests alone. A wave's manifest names the settings and the digests of what it read;
if both are as before, the wave is not run again. So a changed recipe reruns from the change on, and only as far as
results really differ.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from curate import document
from curate.alarms import alarms
from curate.errors import CurateError, InputError, OutputError, RunError
from curate.funnel import Funnel
from curate.ledger import Ledger
from curate.plan import Pass, Plan, plan
from curate.progress import Reporter, document_rates
from curate.readers.source import Source, list_files
from curate.readers.splits import plan_splits
from curate.recipe import Recipe, fingerprint
from curate.report.page import write_report
from curate.rundir import MANIFEST, RunDir
from curate.spark.corpus_pass import run_corpus_stage
from curate.spark.document_pass import Done, Task, Work, run_tasks
from curate.spark.documents import Documents
from curate.spark.parts import Layer, PartFile
from curate.training import train_on_documents

WAVE_BYTES = 2**30  # of input: what a killed run does again at most
SPLIT_BYTES = 64 * 2**20  # of input: one task of a large run, some thousands of pages
#: A split that holds no row group's beginning is a task for nothing: at 1 MiB half of them were.
PARQUET_SPLIT_BYTES = 4 * 2**20
MIN_SPLIT_BYTES = 2**20
NUM_SPLITS = 64  # wanted at least, so that a small input too keeps all cores busy and shows how far it is
DOCUMENTS_BYTES = 256 * 2**20  # of parquet in one file of documents/


@dataclass(frozen=True)
class Options:
    """How to run. Only `limit` changes what comes out."""

    partitions: int | None = None  # Spark partitions of a pass; one a task by default
    wave_bytes: int = WAVE_BYTES
    split_bytes: int | None = None  # of input, one task; by default as the input is large, never as the machine
    limit: int | None = None  # documents to read of each source, the first ones


@dataclass
class _Corpus:
    """What has been written so far: parts, and verdicts on them that no pass has applied yet."""

    tasks: list[Task]  # of the first pass; empty after it
    parts: list[PartFile] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    digest: list[str] = field(default_factory=list)  # of the layers


class Runner:
    """One run of a recipe into one folder."""

    def __init__(self, recipe: Recipe, output: str, reporter: Reporter, options: Options) -> None:
        self.recipe, self.reporter, self.options = recipe, reporter, options
        self.plan: Plan = plan(recipe)
        self.tasks = input_tasks(recipe.sources, options.split_bytes, options.limit)
        self.run = RunDir(output)
        if recipe.tokenizer is not None and not self.run.is_local:
            raise OutputError(
                f"the recipe trains a tokenizer, and {output} is no folder that workers share. Write documents there "
                "by a recipe without `tokenizer:`, then `curate tokenize` to a shared folder"
            )
        self.ledger = Ledger(self.run, recipe)
        self.funnel = Funnel([step.name for step in recipe.stages])

    def documents(self, spark: SparkSession) -> None:
        """All passes, up to `documents/`."""
        self.spark = spark
        corpus = _Corpus(tasks=self.tasks)
        for current in self.plan.passes:
            started = time.monotonic()
            if current.is_corpus:
                self._corpus_pass(current, corpus)
            else:
                self._document_pass(current, corpus)
            self.ledger.record_pass(current.name, current.fingerprint, time.monotonic() - started, self.funnel)
        self.funnel.check()
        names = {current.name for current in self.plan.passes}
        for place in ("passes", "dropped", "dedup"):
            for name in self.run.names(place):
                if name not in names:
                    self.run.remove(place, name)  # of an earlier recipe

    def _document_pass(self, current: Pass, corpus: _Corpus) -> None:
        is_last = current is self.plan.passes[-1]
        tasks = corpus.tasks or (grouped_tasks(corpus.parts) if is_last else part_tasks(corpus.parts))
        waves = [tasks] if is_last else split_waves(tasks, self.options.wave_bytes)
        home = "documents" if is_last else f"passes/{current.name}"
        if not is_last:
            for place in ("passes", "dropped"):
                self.run.sweep(place, current.name)
        done = [d for index, wave in enumerate(waves) for d in self._wave(current, corpus, home, index, wave)]
        if not is_last:
            for extra in self.run.names("passes", current.name)[len(waves) :]:
                self.run.remove("passes", current.name, extra)
                self.run.remove("dropped", current.name, extra)
        self.funnel.add(done, expected=None if corpus.tasks else sum(part.rows for part in corpus.parts))
        self.funnel.check_errors(current, done, self.recipe.max_error_frac)
        corpus.tasks, corpus.parts = [], [d.kept for d in done]
        corpus.layers, corpus.digest = [], []

    def _wave(self, current: Pass, corpus: _Corpus, home: str, index: int, tasks: list[Task]) -> list[Done]:
        """Run one wave, or read what it did when it ran before."""
        inside = "" if home == "documents" else f"wave-{index:05d}"
        kept_target = f"{home}/{inside}".rstrip("/")
        dropped_target = f"dropped/{current.name}" + (f"/{inside}" if inside else "")
        manifest_name = "_manifest.json" if home == "documents" else MANIFEST
        sha256 = {part.part: part.sha256 for part in corpus.parts}
        read = [
            [task.model_dump(mode="json", exclude={"parts"}), [sha256[part] for part, _ in task.parts]]
            for task in tasks
        ]
        how = [source.model_dump(exclude={"paths"}) for source in self.recipe.sources if corpus.tasks]
        digest = fingerprint(current.fingerprint, read, how, corpus.digest)
        manifest = self.run.read_json(kept_target, manifest_name)
        if manifest and manifest["fingerprint"] == digest:
            self.reporter.say(f"  {current.name}: {kept_target} is done, {len(tasks)} tasks not run again")
            found = [Done.model_validate(item) for item in manifest["done"]]
            return [self._located(d, kept_target, dropped_target) for d in found]
        staged, staged_dropped = self.run.staging(*kept_target.split("/")), self.run.staging(*dropped_target.split("/"))
        work = Work(
            name=current.name,
            steps=current.steps,
            audit=self.recipe.audit,
            keep_dropped_text=self.recipe.keep_dropped_text,
            sources=self.recipe.sources,
            layers=tuple(corpus.layers),
            kept_folder=self.run.url(staged),
            dropped_folder=self.run.url(staged_dropped),
            by_source=home == "documents",
        )
        started = time.monotonic()
        with self.reporter.bar(current.name, sum(task.size for task in tasks)) as show:

            def progress(sums: Counter[str]) -> None:
                show(sums["bytes"], document_rates(sums, len(tasks), time.monotonic() - started))

            done = run_tasks(
                self.spark,
                tasks,
                work,
                self.plan.schema_after(current),
                num_partitions=self.options.partitions,
                progress=progress,
            )
        for folder in (staged, staged_dropped):
            self.run.sweep(folder)  # what attempts of tasks left that did not end well
        self.run.write_json(
            {"fingerprint": digest, "stages": [s.name for s in current.steps], "done": [d.model_dump() for d in done]},
            staged,
            manifest_name,
        )
        self.run.commit(staged_dropped, dropped_target)
        self.run.commit(staged, kept_target)
        return [self._located(d, kept_target, dropped_target) for d in done]

    def _located(self, done: Done, kept: str, dropped: str) -> Done:
        """What a task did, its files with whole paths: a manifest has names only, so that a run folder can be moved."""
        lost = done.dropped and done.dropped.model_copy(update={"path": self.run.url(dropped, done.dropped.path)})
        part = done.kept.model_copy(update={"path": self.run.url(kept, done.kept.path)})
        return done.model_copy(update={"kept": part, "dropped": lost})

    def _corpus_pass(self, current: Pass, corpus: _Corpus) -> None:
        (step,) = current.steps
        target = f"dedup/{current.name}"
        digest = fingerprint(current.fingerprint, [part.sha256 for part in corpus.parts], corpus.digest)
        manifest = self.run.read_json(target, MANIFEST)
        if manifest and manifest["fingerprint"] == digest:
            self.reporter.say(f"  {current.name}: done, not run again")
        else:
            self.run.sweep("dedup")
            self.reporter.say(f"  {current.name}: {sum(part.rows for part in corpus.parts):,} documents …")
            types = {f.name: f.type for f in document.SCHEMA} | dict(self.plan.signal_types(current))
            documents = Documents(self.spark, tuple(corpus.parts), tuple(corpus.layers), types, self.options.partitions)
            staged = self.run.staging("dedup", current.name)
            run_corpus_stage(step, documents, self.run, staged, seed=self.recipe.seed, digest=digest)
            self.run.sweep(staged)  # what the stage saved for itself, not as evidence
            self.run.write_json({"fingerprint": digest, "stage": step.name}, staged, MANIFEST)
            self.run.commit(staged, target)
        fields = tuple(f.name for f in step.stage.signals)
        corpus.layers.append(Layer(name=step.name, path=self.run.url(target, "verdicts"), fields=fields))
        corpus.digest.append(digest)


def split_size(num_bytes: int) -> int:
    """Bytes of a split for an input of so many: a power of two, `MIN_SPLIT_BYTES` to `SPLIT_BYTES`."""
    wanted = 1 << max(0, (num_bytes // NUM_SPLITS).bit_length() - 1)
    return min(max(wanted, MIN_SPLIT_BYTES), SPLIT_BYTES)


def input_tasks(sources: Sequence[Source], split_bytes: int | None = None, limit: int | None = None) -> list[Task]:
    """One task for each split of each source's files, numbered in order. InputError where there is nothing to read.

    With a limit each source is one task, which stops when it has read so many documents.
    """
    if not sources:
        raise InputError("no input: give --input PATH, or name `sources:` in the recipe")
    tasks: list[Task] = []
    listed = {source.name: {file.path: file for file in list_files(source)} for source in sources}
    parquet_bytes = 1
    if split_bytes is None:
        parquet_bytes = PARQUET_SPLIT_BYTES
        split_bytes = split_size(sum(file.size or 0 for files in listed.values() for file in files.values()))
    for source in sources:
        files = listed[source.name]
        splits = plan_splits(files.values(), source, split_bytes, parquet_bytes=parquet_bytes)
        for group in [[split] for split in splits] if limit is None else [splits]:
            size = sum((split.end or files[split.path].size or 0) - split.start for split in group)
            checksums = tuple(files[split.path].checksum for split in group)
            task = Task(part=len(tasks), source=source.name, splits=tuple(group), checksums=checksums, limit=limit)
            tasks.append(task.model_copy(update={"size": size}))
    return tasks


def part_tasks(parts: Sequence[PartFile]) -> list[Task]:
    """One task for each part of the pass before, with its number."""
    return [Task(part=p.part, source=p.source, parts=((p.part, p.path),), size=p.bytes) for p in parts]


def grouped_tasks(parts: Sequence[PartFile]) -> list[Task]:
    """Tasks that each put neighbouring parts of one source into one file of about `DOCUMENTS_BYTES`."""
    groups: list[list[PartFile]] = []
    for part in sorted(parts, key=lambda p: (p.source, p.part)):
        last = groups[-1] if groups else []
        if last and last[0].source == part.source and sum(p.bytes for p in last) + part.bytes <= DOCUMENTS_BYTES:
            last.append(part)
        else:
            groups.append([part])
    return [
        Task(
            part=number,
            source=group[0].source,
            parts=tuple((p.part, p.path) for p in group),
            size=sum(p.bytes for p in group),
        )
        for number, group in enumerate(groups)
    ]


def split_waves(tasks: Sequence[Task], wave_bytes: int) -> list[list[Task]]:
    """Consecutive tasks in waves of about `wave_bytes` of input. One empty wave where there is no task."""
    waves: list[list[Task]] = [[]]
    size = 0
    for task in tasks:
        if waves[-1] and size + task.size > wave_bytes:
            waves.append([])
            size = 0
        waves[-1].append(task)
        size += task.size
    return waves


def with_sources(recipe: Recipe, sources: Sequence[Source]) -> Recipe:
    """The recipe with other inputs. RecipeError where a stage names a source that is not among them."""
    if not sources:
        return recipe
    changed = recipe.model_copy(update={"sources": tuple(sources)})
    changed.check_sources()
    return changed


def execute(runner: Runner, spark: SparkSession) -> dict[str, Any]:
    """Run, or finish an earlier run in the same folder. Returns what run.json holds.

    Raises OutputError before anything is written, RunError when rows do not add up.
    """
    runner.run.claim()
    with runner.run.locked():
        runner.ledger.start()
        try:
            runner.documents(spark)
            found = alarms(runner.run, runner.plan, runner.funnel.as_json())
            runner.ledger.note("alarms", [{**alarm._asdict(), "text": alarm.text} for alarm in found])
            train_on_documents(runner.recipe, runner.run, runner.ledger, spark, runner.reporter)
            record = runner.ledger.finish(runner.funnel)
            write_report(runner.run)
        except (PySparkException, Py4JError) as error:
            told = str(error).strip()[:2000]
            runner.ledger.fail(told)
            raise RunError(f"Spark stopped the job. The same command goes on where it was.\n{told}") from error
        except BaseException as error:
            runner.ledger.fail(error if isinstance(error, CurateError) else f"{type(error).__name__}: {error}"[:2000])
            raise
    return record


def run(
    recipe: Recipe, output: str, spark: SparkSession, *, options: Options = Options(), reporter: Reporter | None = None
) -> dict[str, Any]:
    """Run a recipe into a folder: what the command does, for a program that has a session."""
    return execute(Runner(recipe, output, reporter or Reporter(), options), spark)
