"""A bound of None is no bound."""

from __future__ import annotations

from curate.filters.bounds import within, without
from curate.stage import absent, at_least, at_most


def test_each_end_is_there_only_where_it_has_a_value():
    assert within("x", 1, 2) == (at_least("x", 1), at_most("x", 2))
    assert within("x", low=0) == (at_least("x", 0),)
    assert within("x", high=0) == (at_most("x", 0),)
    assert within("x") == ()


def test_a_switch_that_is_off_forbids_nothing():
    assert without("x") == (absent("x"),)
    assert without("x", False) == ()
