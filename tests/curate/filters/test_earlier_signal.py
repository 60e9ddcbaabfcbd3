"""A stored signal is found, or it is said what there is."""

from __future__ import annotations

import pyarrow as pa
import pytest

from curate.errors import RecipeError
from curate.filters.earlier_signal import earlier_signal

LENGTHS = pa.array([{"chars": 3, "share": 0.5, "is_long": True, "name": "x"}, {"chars": None}, None])
BATCH = pa.record_batch({"text": ["a", "b", "c"], "lengths": LENGTHS})


@pytest.mark.parametrize(("signal", "value"), [("chars", 3), ("share", 0.5), ("is_long", True)])
def test_what_was_not_measured_is_null(signal, value):
    assert earlier_signal(BATCH, f"lengths.{signal}", "here").to_pylist() == [value, None, None]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("length.chars", r"unknown stage 'length'.*lengths"),
        ("lengths.char", r"unknown signal 'char'.*chars"),
        ("lengths", r"unknown signal ''"),
        ("text.x", r"unknown stage 'text'"),
        ("lengths.name", r"here wants a number, and lengths.name is of type string"),
    ],
)
def test_what_is_not_there_or_no_number_is_told_with_what_there_is(name, told):
    with pytest.raises(RecipeError, match=told) as error:
        earlier_signal(BATCH, name, "here")
    assert "here" in str(error.value)


def test_without_any_stage_before_the_order_is_told():
    with pytest.raises(RecipeError, match=r"here wants lengths\.chars.*put lengths before it"):
        earlier_signal(BATCH.select(["text"]), "lengths.chars", "here")
