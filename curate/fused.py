"""Run neighbouring document stages over one batch, in one trip: measure, decide, and pass on only what is kept.

This is the document boundary. Whatever a stage raises on a document becomes that document's drop reason
(`error_<type>`), and no other document notices.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from curate.document import VERDICT_FIELDS
from curate.errors import CurateError
from curate.recipe import Step
from curate.stage import Annotator, DocumentStage, Modified, Modifier

_INDEX = "_index"


def run_steps(
    batch: pa.RecordBatch, steps: Sequence[Step], *, audit: bool = False, seconds: Counter[str] | None = None
) -> pa.RecordBatch:
    """The batch with one signals column for each step, and its verdict columns filled.

    Rows, kept and dropped, come back in the order they went in. A row dropped by one step has null signals for the
    later ones, unless `audit`: then every step measures every row and the first broken limit still names the reason.
    `seconds` collects time by step name.
    """
    batch = with_verdict(batch).append_column(_INDEX, pa.array(range(batch.num_rows), pa.int64()))
    settled: list[pa.RecordBatch] = []
    for step in steps:
        if not audit:
            batch = _set_aside(batch, settled)
        start = time.perf_counter()
        batch = run_step(batch, step)
        if seconds is not None:
            seconds[step.name] += time.perf_counter() - start  # type: ignore[assignment]  # Counter of float seconds
    if not settled:
        return batch.drop_columns([_INDEX])
    whole = pa.concat_tables([batch_table(part, batch.schema) for part in (*settled, batch)])
    return to_batch(whole.sort_by(_INDEX).drop_columns([_INDEX]))


def run_step(batch: pa.RecordBatch, step: Step) -> pa.RecordBatch:
    """One step over a batch: its columns replaced, its signals appended, its verdicts written where there is none."""
    stage = step.stage
    assert isinstance(stage, DocumentStage)
    chosen = chosen_rows(batch, step)
    everyone = pc.all(chosen, min_count=0).as_py()  # most steps: then no text is copied
    outcome, errors = _guarded(stage, batch if everyone else batch.filter(chosen))
    columns, signals = outcome.columns, outcome.signals
    reasons = _reasons(stage, signals, errors)
    if not everyone:
        positions = _positions(chosen)
        columns = {name: _merged(batch.column(name), values, positions) for name, values in columns.items()}
        signals, reasons = signals.take(positions), reasons.take(positions)
    for name, values in columns.items():
        batch = replace(batch, name, values)
    batch = batch.append_column(pa.field(step.name, stage.signals), signals)
    new = pc.and_(pc.is_valid(reasons), pc.is_null(batch.column("drop_reason")))
    batch = replace(batch, "drop_stage", pc.if_else(new, step.name, batch.column("drop_stage")))
    return replace(batch, "drop_reason", pc.if_else(new, reasons, batch.column("drop_reason")))


def with_verdict(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with its verdict columns, null where it had none."""
    for field in VERDICT_FIELDS:
        if field.name not in batch.schema.names:
            batch = batch.append_column(field, pa.nulls(batch.num_rows, field.type))
    return batch


def replace(batch: pa.RecordBatch, name: str, values: pa.Array) -> pa.RecordBatch:
    """The batch with other values in one column; the type must stay."""
    index = batch.schema.get_field_index(name)
    field = batch.schema.field(index)
    if values.type != field.type:
        raise TypeError(f"column {name} is {field.type}, not {values.type}")
    return batch.set_column(index, field, values)


def batch_table(batch: pa.RecordBatch, schema: pa.Schema) -> pa.Table:
    """The batch as a table with exactly these columns; those it lacks are null."""
    columns = [
        batch.column(field.name) if field.name in batch.schema.names else pa.nulls(batch.num_rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def to_batch(table: pa.Table) -> pa.RecordBatch:
    """A table as one record batch."""
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)


def _set_aside(batch: pa.RecordBatch, settled: list[pa.RecordBatch]) -> pa.RecordBatch:
    """Move the rows that have a verdict to `settled`; what is left goes on."""
    alive = pc.is_null(batch.column("drop_reason"))
    if not pc.all(alive, min_count=0).as_py():
        settled.append(batch.filter(pc.invert(alive)))
        batch = batch.filter(alive)
    return batch


def chosen_rows(batch: pa.RecordBatch, step: Step) -> pa.BooleanArray:
    """Rows that the step is meant for."""
    chosen = pa.array([True] * batch.num_rows, pa.bool_())
    for column, wanted in (("source", step.sources), ("language", step.languages)):
        if wanted is not None:
            listed = pc.is_in(batch.column(column), value_set=pa.array(wanted, pa.string()))
            chosen = pc.and_(chosen, listed)
    return chosen


def _positions(chosen: pa.BooleanArray) -> pa.Int64Array:
    """For each row its position among the chosen ones, null where it is not chosen."""
    running = pc.cumulative_sum(chosen.cast(pa.int64()))
    return pc.if_else(chosen, pc.subtract(running, 1), pa.scalar(None, pa.int64()))


def _merged(old: pa.Array, new: pa.Array, positions: pa.Int64Array) -> pa.Array:
    """`new[position]` where there is a position, else the old value of the row."""
    picks = pc.coalesce(pc.add(positions, len(old)), pa.array(range(len(old)), pa.int64()))
    return pa.concat_arrays([old, new]).take(picks)


def _run(stage: DocumentStage, batch: pa.RecordBatch) -> Modified:
    if isinstance(stage, Modifier):
        modified = stage.modify(batch)
    else:
        assert isinstance(stage, Annotator)
        modified = Modified({}, stage.annotate(batch))
    for name, values in {**modified.columns, "signals": modified.signals}.items():
        if len(values) != batch.num_rows:
            raise ValueError(f"{type(stage).__name__}: {len(values)} values of {name} for {batch.num_rows} documents")
    return modified


def _guarded(stage: DocumentStage, batch: pa.RecordBatch) -> tuple[Modified, list[str | None]]:
    """The stage's outcome, and for each row the name of the error that it raised. A `CurateError` goes through."""
    try:
        return _run(stage, batch), [None] * batch.num_rows
    except CurateError:
        raise
    except Exception as error:  # noqa: BLE001  # the document boundary: any fault becomes a row with a reason
        if batch.num_rows <= 1:
            untouched = Modified({}, pa.nulls(batch.num_rows, stage.signals))
            return untouched, [_error_name(error)] * batch.num_rows
    # By halves: in a large batch one document that raises costs the others little.
    middle = batch.num_rows // 2
    halves = [batch.slice(0, middle), batch.slice(middle)]
    outcomes, errors = zip(*(_guarded(stage, half) for half in halves), strict=True)
    columns = {
        name: pa.concat_arrays([o.columns.get(name, h.column(name)) for o, h in zip(outcomes, halves, strict=True)])
        for name in {**outcomes[0].columns, **outcomes[1].columns}
    }
    return Modified(columns, pa.concat_arrays([outcome.signals for outcome in outcomes])), errors[0] + errors[1]


def _error_name(error: Exception) -> str:
    """`UnicodeDecodeError` → `unicode_decode`: what follows `error_` in the reason."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(error).__name__).lower()
    return words.removesuffix("_error")


def _reasons(stage: DocumentStage, signals: pa.StructArray, errors: Sequence[str | None]) -> pa.StringArray:
    """Drop reason of each row, null where it is kept."""
    raised = pa.array([error and f"error_{error}" for error in errors], pa.string())
    if signals.type.get_field_index("error") >= 0:
        told = pc.struct_field(signals, "error")
        raised = pc.coalesce(raised, pc.binary_join_element_wise("error", told, "_"))
    for limit in stage.limits:
        raised = pc.coalesce(raised, pc.if_else(limit.broken_by(signals), limit.reason, pa.scalar(None, pa.string())))
    return raised
