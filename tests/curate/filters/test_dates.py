"""Documents are kept from the first day to the last, both included."""

from __future__ import annotations

import pytest

from curate.errors import RecipeError
from curate.filters.dates import Dates
from curate.recipe import parse

SPAN = Dates(earliest="2016-12-01", latest="2019-03-31")


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2016-11-30", ["day_below_min"]),
        ("2016-12-01", []),
        ("2016-12-01T00:00:00Z", []),
        ("2019-03-31T23:59:59+02:00", []),
        ("2019-04-01", ["day_above_max"]),
        ("1066-10-14", ["day_below_min"]),
        ("9999-12-31", ["day_above_max"]),
    ],
)
def test_both_ends_are_inside(reasons, day, expected):
    assert reasons(SPAN, day) == expected


@pytest.mark.parametrize("value", [None, "", "yesterday", "2019-02-30", "31/12/2018", "0000-00-00", "\x00", "2019"])
def test_what_is_no_date_is_kept_unless_asked(reasons, value):
    assert reasons(SPAN, value) == []
    assert reasons(Dates(drop_undated=True), value) == ["undated"]


def test_without_bounds_any_date_is_kept(reasons):
    assert reasons(Dates(), "1066-10-14") == []


def test_a_setting_that_is_no_date_is_an_error():
    with pytest.raises(RecipeError, match="earliest"):
        parse({"stages": [{"dates": {"earliest": "soon"}}]})
