"""The signals and verdicts that a run has stored, read back one row group at a time, and never a text.

Every row of a run is in `documents/` or in `dropped/`, with what each stage measured of it. A row group of at most
10,000 rows is in memory at once, of the columns asked for only. Refuses a run that has not written its documents:
what is not there cannot be counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa

from curate.document import VERDICT_FIELDS
from curate.errors import InputError, RecipeError
from curate.fused import to_batch, with_verdict
from curate.plan import Plan, plan
from curate.recipe import Step
from curate.report.reading import dropped_files, kept_files, open_parquet, read_recipe, read_record
from curate.rundir import RunDir
from curate.stage import DocumentStage

_PLAIN = ("doc_id", "source", "language")
#: Called after each row group with the rows read so far.
Show = Callable[[float], None]


class RowGroup(NamedTuple):
    """Rows of one row group: `doc_id`, `source`, `language`, the verdict, and a struct column for each step."""

    path: str
    group: int
    batch: pa.RecordBatch


@dataclass(frozen=True)
class StoredRun:
    """A run that has written its documents."""

    run: RunDir
    record: dict[str, Any]
    plan: Plan

    @property
    def steps(self) -> tuple[Step, ...]:
        return self.plan.recipe.stages

    @property
    def num_read(self) -> int:
        """Documents that the run read."""
        return int(self.record["funnel"]["read"])

    @property
    def num_dropped(self) -> int:
        """Documents that the run dropped."""
        return int(self.record["funnel"]["dropped"])

    def check_whole(self, rows: int, expected: int) -> None:
        """InputError where a trip over the files met another number of documents than the run has."""
        if rows != expected:
            raise InputError(
                f"{self.run.root} holds {rows:,} documents where its run.json counts {expected:,}: files are missing "
                "or do not belong here. Give the run's command once more"
            )

    def named(self, names: Sequence[str]) -> tuple[Step, ...]:
        """Steps by their names. RecipeError with the nearest ones for a name that the run does not have."""
        known = {step.name: step for step in self.steps}
        for name in names:
            if name not in known:
                raise RecipeError.unknown("stage", name, known, where=f"the run {self.run.root}")
        return tuple(known[name] for name in dict.fromkeys(names))

    def kept(self, max_files: int | None = None) -> list[str]:
        """Files of kept documents."""
        return kept_files(self.run, max_files)

    def dropped(self, max_files: int | None = None) -> list[str]:
        """Files of dropped documents."""
        return dropped_files(self.run, max_files)


def holds_run(folder: str) -> bool:
    """Whether a path is a run folder."""
    return RunDir(folder).exists("run.json")


def open_stored(folder: str) -> StoredRun:
    """A run folder by its path. InputError where it holds no run, or one whose documents are not written yet."""
    if not holds_run(folder):
        raise InputError(f"{folder} holds no run of curate (run.json). Give the --output of a run")
    run = RunDir(folder)
    record = read_record(run)
    if not record["passes"] or not record["passes"][-1]["name"].endswith("-documents"):
        raise InputError(f"{folder} has no documents yet: the run is {record['status']}. Give its command once more")
    text, recipe = read_recipe(run)
    if recipe is None:
        why = "names a list, model or setting that is not there" if text else "is missing"
        raise InputError(f"{folder}/recipe.yaml {why}, so the run's stages are not known. Put it back")
    return StoredRun(run, record, plan(recipe))


def limited_fields(steps: Sequence[Step]) -> dict[str, tuple[str, ...]]:
    """Step → the signals that verdicts depend on: those with a limit and `error`; of another step its first one.

    The first one tells whether a step has seen a document at all.
    """
    wanted: dict[str, tuple[str, ...]] = {}
    for step in steps:
        names = [field.name for field in step.stage.signals]
        limits = step.stage.limits if isinstance(step.stage, DocumentStage) else ()
        used = {limit.signal for limit in limits} | {limit.group for limit in limits} | ({"error"} & set(names))
        wanted[step.name] = tuple(name for name in names if name in used) or tuple(names[:1])
    return wanted


def row_groups(
    run: RunDir, paths: Sequence[str], fields: Mapping[str, Sequence[str]], show: Show = lambda rows: None
) -> Iterator[RowGroup]:
    """Row groups of run files in order, with these signals of these steps. A step that a file lacks is null.

    InputError where a file has a step without one of its signals: another version of the stage measured it.
    """
    done = 0
    for path in paths:
        with open_parquet(run, path) as parquet:
            for group in range(parquet.num_row_groups):
                batch = _read(parquet, path, group, fields)
                done += batch.num_rows
                yield RowGroup(path, group, batch)
                show(done)


def _read(parquet: Any, path: str, group: int, fields: Mapping[str, Sequence[str]]) -> pa.RecordBatch:
    schema = parquet.schema_arrow
    verdict = [field.name for field in VERDICT_FIELDS if field.name in schema.names]
    leaves = []
    for step, names in fields.items():
        if step not in schema.names:
            continue
        for name in names:
            if schema.field(step).type.get_field_index(name) < 0:
                raise InputError(
                    f"{path} has no {step}.{name}: another version of the stage measured it. Run the recipe again"
                )
            leaves.append(f"{step}.{name}")
    table: pa.Table = parquet.read_row_group(group, columns=[*_PLAIN, *verdict, *leaves])
    place = table.schema.get_field_index("source")  # a dictionary in documents/
    table = table.set_column(place, "source", table["source"].cast(pa.string()))
    return with_verdict(to_batch(table))


def signals_of(batch: pa.RecordBatch, step: Step) -> pa.StructArray:
    """A step's signals in a row group; null where the file lacks the step."""
    if step.name in batch.schema.names:
        return batch.column(step.name)
    return pa.nulls(batch.num_rows, step.stage.signals)


def read_rows(run: RunDir, path: str, group: int, rows: Sequence[int], columns: Sequence[str]) -> pa.Table:
    """These rows of a row group, of the columns that the file has."""
    with open_parquet(run, path) as parquet:
        there = [name for name in columns if name in parquet.schema_arrow.names]
        return parquet.read_row_group(group, columns=there).take(pa.array(rows, pa.int64()))
