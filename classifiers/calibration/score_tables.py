"""Tables of scores by several models: joined, checked, and in the form in which a run stores signals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curate.errors import InputError


def joined(tables: Mapping[str, pa.Table]) -> pa.Table:
    """Held-out tables of several models as one: those documents that all have, each model's `score` by its signal.

    tables: `stage.signal` → a table with `doc_id`, `label`, `score` (and what else there is; the first one's is kept).
    InputError where a column is missing, no document is in all of them, one is twice in a table, or two give one
    document two labels.
    """
    names = list(tables)
    for name, table in tables.items():
        for column in ("doc_id", "label", "score"):
            if column not in table.schema.names:
                raise InputError(
                    f"the held-out table of {name} has no column {column!r}; it has: {', '.join(table.schema.names)}"
                )
    found = tables[names[0]].rename_columns({"score": names[0]})
    for name in names:
        ids = tables[name]["doc_id"]
        if len(pc.unique(ids)) != len(ids):
            raise InputError(f"the held-out table of {name} has a document twice. Give each one once")
    for name in names[1:]:
        other = tables[name].select(["doc_id", "label", "score"]).rename_columns(["doc_id", "_label", name])
        found = found.join(other, "doc_id", join_type="inner")
        differing = found.filter(pc.not_equal(found["label"], found["_label"]))
        if differing.num_rows:
            raise InputError(
                f"{differing.num_rows} documents have one label in the table of {names[0]} and another in that of "
                f"{name}; the first is {differing['doc_id'][0]}. Models that are combined are judged by the same labels"
            )
        found = found.drop_columns(["_label"])
    if not found.num_rows:
        raise InputError(
            f"no document is held out for all of {', '.join(names)}: split by the same seed and share, or hold out the "
            "same source"
        )
    return found.sort_by("doc_id")


def complete(table: pa.Table, signals: Sequence[str], others: Sequence[str], what: str) -> pa.Table:
    """The rows that have a finite number for every signal, signals as float64. InputError where a column is missing."""
    missing = [name for name in (*signals, *others) if name not in table.schema.names]
    if missing:
        raise InputError(
            f"the {what} documents lack the column {missing[0]}; there are: {', '.join(table.schema.names)}. A score's "
            "column is called as its signal: stage.signal"
        )
    there = np.ones(table.num_rows, bool)
    for name in signals:
        values = pc.cast(table[name], pa.float64(), safe=False)
        table = table.set_column(table.schema.get_field_index(name), name, values)
        there &= np.isfinite(pc.fill_null(values, np.nan).to_numpy())
    found = table.filter(pa.array(there)).combine_chunks()
    if not found.num_rows:
        raise InputError(f"none of the {table.num_rows:,} {what} documents has a number for {', '.join(signals)}")
    return found


def as_signals(table: pa.Table, signals: Sequence[str], by: str) -> pa.RecordBatch:
    """The columns `stage.signal` as a struct column for each stage, and the column that tells groups apart."""
    stages: dict[str, list[str]] = {}
    for name in dict.fromkeys(signals):
        stages.setdefault(name.partition(".")[0], []).append(name)
    columns = {
        stage: pa.StructArray.from_arrays(
            [_whole(table[name]) for name in names], [name.partition(".")[2] for name in names]
        )
        for stage, names in stages.items()
    }
    if by != "none":
        columns[by] = _whole(table[by].cast(pa.string()))
    return pa.record_batch(list(columns.values()), list(columns))


def _whole(column: pa.ChunkedArray) -> pa.Array:
    found = column.combine_chunks()
    return found if isinstance(found, pa.Array) else pa.concat_arrays(found.chunks)
