from __future__ import annotations

from itertools import groupby

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.dedup.streams import firsts, whole_groups

#: Sorted keys with a number each, and where batches end.
keys = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=30).map(sorted)


def batches(rows: list[tuple[int, int]], size: int) -> list[pa.RecordBatch]:
    columns = {"a": [a for a, _ in rows], "b": [b for _, b in rows], "number": range(len(rows))}
    whole = pa.RecordBatch.from_pydict({name: pa.array(values, pa.int64()) for name, values in columns.items()})
    return [whole.slice(at, size) for at in range(0, len(rows), size)] + [whole.slice(len(rows))]


@given(keys, st.integers(1, 7))
def test_every_row_comes_once_with_the_first_of_its_group(rows: list[tuple[int, int]], size: int) -> None:
    expected = [rows.index(row) for row in rows]
    found = []
    for held, first, news in firsts(batches(rows, size), ("a", "b")):
        numbers = held["number"].to_numpy()
        found += list(zip(numbers[news].tolist(), numbers[first[news]].tolist(), strict=True))
    assert found == list(enumerate(expected))


def test_a_group_of_any_size_is_held_as_one_row() -> None:
    equal = pa.RecordBatch.from_pydict({"a": pa.array(np.zeros(1000, np.int64))})
    sizes = [rows.num_rows for rows, _, _ in firsts((equal for _ in range(200)), ("a",))]
    assert max(sizes) == 1001


@given(keys, st.integers(1, 7))
def test_whole_groups_are_the_same_rows_and_no_group_is_in_two(rows: list[tuple[int, int]], size: int) -> None:
    found = [batch["a"].to_pylist() for batch in whole_groups(batches(rows, size), "a")]
    assert [a for batch in found for a in batch] == [a for a, _ in rows]
    assert [a for batch in found for a, _ in groupby(batch)] == sorted({a for a, _ in rows})


@pytest.mark.parametrize("stream", [lambda: firsts([], ("a",)), lambda: whole_groups([], "a")])
def test_an_empty_relation(stream: object) -> None:
    assert list(stream()) == []  # type: ignore[operator]
