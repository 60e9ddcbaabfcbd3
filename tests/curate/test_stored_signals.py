from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import InputError, RecipeError
from curate.stored_signals import limited_fields, open_stored, row_groups, signals_of

STAGES = {"stages": ["lengths", "letters", "exact_dedup"]}


def test_only_signals_that_verdicts_depend_on_are_read(run_of):
    stored = open_stored(run_of(STAGES, ["abc", "a longer text"]))
    fields = limited_fields(stored.steps)
    assert fields == {
        "lengths": ("chars", "digit_frac"),
        "letters": ("letters", "shouting", "error"),
        "exact_dedup": ("duplicate_of",),
    }
    (first, *_) = row_groups(stored.run, stored.kept(), {"lengths": ("chars",)})
    assert set(first.batch.schema.names) == {"doc_id", "source", "language", "lengths", "drop_stage", "drop_reason"}
    assert [field.name for field in first.batch.schema.field("lengths").type] == ["chars"]


def test_row_groups_are_one_at_a_time_and_counted(run_of):
    stored = open_stored(run_of(STAGES, ["fine text"] * 40, parts=2))
    seen: list[float] = []
    groups = list(row_groups(stored.run, stored.kept(), {}, seen.append))
    assert max(group.batch.num_rows for group in groups) == 7
    assert seen[-1] == sum(group.batch.num_rows for group in groups) == 40


def test_a_step_that_a_file_lacks_is_null(run_of):
    """What the first pass drops has no column of a later one."""
    stored = open_stored(run_of(STAGES, ["no"]))
    paths = [path for path in stored.dropped() if pq.ParquetFile(path).metadata.num_rows]
    (group,) = row_groups(stored.run, paths, limited_fields(stored.steps))
    signals = signals_of(group.batch, stored.steps[2])
    assert signals.null_count == len(signals) == 1


def test_a_signal_that_another_version_did_not_measure_is_an_error(run_of):
    folder = run_of(STAGES, ["a longer text"])
    for path in Path(folder).glob("documents/*/*.parquet"):
        table = pq.ParquetFile(path).read()
        older = pa.array([{"chars": 13}] * table.num_rows, pa.struct([("chars", pa.int32())]))
        pq.write_table(table.set_column(table.schema.get_field_index("lengths"), "lengths", older), path)
    stored = open_stored(folder)
    with pytest.raises(InputError, match=r"has no lengths\.digit_frac: another version"):
        list(row_groups(stored.run, stored.kept(), limited_fields(stored.steps)))


def test_steps_are_known_by_name(run_of):
    stored = open_stored(run_of(STAGES, ["abc"]))
    assert [step.name for step in stored.named(["letters", "letters"])] == ["letters"]
    with pytest.raises(RecipeError, match="Did you mean: letters"):
        stored.named(["leters"])
