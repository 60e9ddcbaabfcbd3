"""Limits: what is inside them, what breaks them, and how the reason is spelled."""

from __future__ import annotations

import pyarrow as pa
import pytest

from curate.stage import Stage, absent, at_least, at_most, one_of


def signals(name, values, type_):
    return pa.StructArray.from_arrays([pa.array(values, type_)], [name])


@pytest.mark.parametrize(("value", "broken"), [(2.9, True), (3.0, False), (3.1, False), (float("nan"), True)])
def test_at_least_drops_below_and_keeps_the_bound(value, broken):
    limit = at_least("x", 3.0)
    assert limit.broken_by(signals("x", [value], pa.float64())).to_pylist() == [broken]
    assert limit.reason == "x_below_min"


@pytest.mark.parametrize(("value", "broken"), [(2.9, False), (3.0, False), (3.1, True), (float("nan"), True)])
def test_at_most_drops_above_and_keeps_the_bound(value, broken):
    limit = at_most("x", 3.0)
    assert limit.broken_by(signals("x", [value], pa.float64())).to_pylist() == [broken]
    assert limit.reason == "x_above_max"


def test_float32_signals_are_compared_with_the_bound_as_written():
    """0.3 as float32 is a little more than 0.3: a share that equals the published bound must not drop."""
    assert at_most("x", 0.3).broken_by(signals("x", [0.3], pa.float32())).to_pylist() == [False]
    assert at_least("x", 0.7).broken_by(signals("x", [0.7], pa.float32())).to_pylist() == [False]


def test_one_of_drops_what_is_not_listed():
    limit = one_of("language", ["en", "zh"])
    assert limit.broken_by(signals("language", ["en", "de", None], pa.string())).to_pylist() == [False, True, False]
    assert limit.reason == "language_not_listed"


def test_absent_drops_where_the_signal_is_true_and_is_named_after_it():
    limit = absent("lorem_ipsum")
    assert limit.broken_by(signals("lorem_ipsum", [True, False, None], pa.bool_())).to_pylist() == [True, False, False]
    assert limit.reason == "lorem_ipsum"


@pytest.mark.parametrize("limit", [at_least("x", 1), at_most("x", 1)])
def test_what_was_not_measured_is_not_judged(limit):
    assert limit.broken_by(signals("x", [None], pa.int64())).to_pylist() == [False]
    whole_row_missing = pa.nulls(1, pa.struct([("x", pa.int64())]))
    assert limit.broken_by(whole_row_missing).to_pylist() == [False]


def test_a_stage_is_frozen_and_refuses_unknown_settings():
    class Example(Stage):
        bound: int = 1

    with pytest.raises(ValueError, match="frozen"):
        Example().bound = 2
    with pytest.raises(ValueError, match="bond"):
        Example(bond=2)


def test_a_bound_by_group_is_that_of_the_row_and_none_where_the_group_has_none():
    signals = pa.array(
        [{"x": 1.0, "g": "a"}, {"x": 2.0, "g": "a"}, {"x": 2.0, "g": "b"}, {"x": 9.0, "g": "c"}, {"x": 9.0, "g": None}]
    )
    limit = at_most("x", {"a": 1.0, "b": 2.0}, "g")
    assert limit.broken_by(signals).to_pylist() == [False, True, False, False, False]
    assert limit.bounds(signals).to_pylist() == [1.0, 1.0, 2.0, None, None]
    assert at_least("x", {"a": 2.0}, "g").broken_by(signals).to_pylist() == [True, False, False, False, False]
