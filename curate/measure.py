"""Fill distributions of signals: from what a run has stored, or by measuring texts of local files here."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from curate.apply import Show as ShowShare
from curate.apply import documents
from curate.distributions import MAX_VALUES, Distributions
from curate.fused import run_steps
from curate.readers.source import Source
from curate.recipe import Step
from curate.stored_signals import Show, StoredRun, row_groups, signals_of
from curate.thresholds import By, Signal


def stored_distributions(
    stored: StoredRun,
    steps: Sequence[Step],
    signals: Sequence[Signal],
    by: By,
    *,
    max_values: int = MAX_VALUES,
    show: Show = lambda rows: None,
) -> Distributions:
    """Of all documents of a run that the steps have measured, kept or dropped.

    Without `audit: true` those that an earlier stage dropped are not among them.
    """
    found = Distributions([one.full_name for one in signals], max_values)
    fields = {step.name: [one.name for one in signals if one.step == step.name] for step in steps}
    paths = [*stored.kept(), *stored.dropped()]
    for one in row_groups(stored.run, paths, {name: names for name, names in fields.items() if names}, show):
        _add(found, one.batch, steps, signals, by)
    return found


def file_distributions(
    steps: Sequence[Step],
    sources: Sequence[Source],
    signals: Sequence[Signal],
    by: By,
    *,
    max_values: int = MAX_VALUES,
    show: ShowShare = lambda share, done: None,
) -> Distributions:
    """Of all documents of local files, measured by the steps one after another; none is dropped in between."""
    found = Distributions([one.full_name for one in signals], max_values)
    for batch in documents(sources, show):
        _add(found, run_steps(batch, steps, audit=True), steps, signals, by)
    return found


def _add(found: Distributions, batch: pa.RecordBatch, steps: Sequence[Step], signals: Sequence[Signal], by: By) -> None:
    by_name = {step.name: step for step in steps}
    columns = [pc.struct_field(signals_of(batch, by_name[one.step]), one.name) for one in signals]
    found.add(batch.column("doc_id"), None if by == "none" else batch.column(by), columns)
