from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate import recipe as recipes
from curate.report.histograms import (
    MAX_SIGNALS,
    NUM_BINS,
    Bounds,
    broken_counts,
    histogram,
    length_histogram,
    limited_signals,
    signal_histograms,
)

NONE = np.empty(0)
FINITE = st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=50)


@given(kept=FINITE, dropped=FINITE)
def test_every_number_is_counted_once_in_few_bins(kept: list[float], dropped: list[float]) -> None:
    found = histogram("x", np.array(kept, float), np.array(dropped, float), Bounds())
    sides = [[n for n in side if abs(n) < 1e300] for side in (kept, dropped)]
    if found is None:
        assert len(set(sides[0] + sides[1])) <= 1
        return
    assert [sum(found.kept), sum(found.dropped)] == [len(side) for side in sides]
    assert len(found.kept) == len(found.edges) - 1 <= NUM_BINS + 1
    assert all(a < b for a, b in zip(found.edges, found.edges[1:], strict=False))


def test_counts_agree_with_a_count_by_hand() -> None:
    found = histogram("x", np.array([0.0, 1, 1, 2, 3]), np.array([3.0, 3]), Bounds())
    assert found is not None
    assert found.edges == [-0.5, 0.5, 1.5, 2.5, 3.5]
    assert (found.kept, found.dropped) == ([1, 2, 1, 1], [0, 0, 0, 2])


def test_one_outlier_does_not_flatten_the_rest() -> None:
    numbers = np.append(np.linspace(0, 1, 1000), 1e9)
    found = histogram("x", numbers, NONE, Bounds())
    assert found is not None
    assert found.edges[-1] < 1.1
    assert sum(found.kept) == 1001


@pytest.mark.parametrize(("bound", "is_inside"), [(50.0, True), (100.0, True), (101.0, False), (-1.0, False)])
def test_axis_reaches_to_a_bound_that_lies_among_the_numbers(bound: float, is_inside: bool) -> None:
    numbers = np.append(np.linspace(0, 10, 10_000), 100.0)
    found = histogram("x", numbers, NONE, Bounds(high=bound))
    assert found is not None
    assert (found.edges[0] <= bound <= found.edges[-1]) is is_inside


def test_counts_over_magnitudes_are_logarithmic_and_shares_are_not() -> None:
    wide = histogram("x", np.array([10.0] * 90 + [5000.0] * 10), NONE, Bounds())
    narrow = histogram("x", np.arange(500.0, 600.0), NONE, Bounds())
    share = histogram("x", np.array([0.001] * 90 + [0.9] * 10), NONE, Bounds())
    assert [one.is_log for one in (wide, narrow, share) if one] == [True, False, False]


def test_bounds_come_from_the_recipe() -> None:
    settings = {"min_word_count": 7, "max_word_count": 9, "max_bullet_line_frac": None}
    found = limited_signals(recipes.parse({"stages": [{"gopher_quality": settings, "as": "q"}]}))
    assert found["q.word_count"] == Bounds(7, 9)
    assert "q.bullet_line_frac" not in found
    assert limited_signals(None) == {}


def test_bounds_are_told_in_words() -> None:
    told = [Bounds(50, 100_000).told(), Bounds(low=0.8).told(), Bounds(high=0.3).told(), Bounds().told()]
    assert told == ["kept from 50 to 100,000", "kept from 0.8", "kept up to 0.3", ""]


def test_signals_with_most_drops_come_first_with_their_number(folder, make_row) -> None:
    rows = [make_row(n, gopher_quality={"word_count": n, "alphabetic_word_frac": n / 100}) for n in range(100)]
    folder.add_kept(rows[80:])
    reasons = ["alphabetic_word_frac_below_min"] * 60 + ["word_count_below_min"] * 20
    gone = [
        {**row, "drop_stage": "gopher_quality", "drop_reason": reason}
        for row, reason in zip(rows[:80], reasons, strict=True)
    ]
    folder.add_dropped(gone)
    run = folder.finish()
    recipe = recipes.parse({"stages": ["gopher_quality"]})
    funnel = run.read_json("run.json")["funnel"]
    found = signal_histograms(run, recipe, funnel)
    assert [(one.name.partition(".")[2], one.num_broken) for one in found] == [
        ("alphabetic_word_frac", 60),
        ("word_count", 20),
    ]
    assert [sum(found[0].kept), sum(found[0].dropped)] == [20, 80]
    assert broken_counts(recipe, funnel)["gopher_quality.word_count"] == 20
    assert signal_histograms(run, None, funnel) == []
    assert len(found) <= MAX_SIGNALS


def test_lengths_are_in_characters_and_empty_texts_are_in_the_first_bin(folder, make_row) -> None:
    folder.add_kept([make_row(1, ""), make_row(2, "é" * 100), make_row(3, "x" * 1000), make_row(4, None)])
    found = length_histogram(folder.finish())
    assert found is not None
    assert sum(found.kept) == 3
    assert found.kept[0] == found.kept[-1] == 1
    place = next(n for n, edge in enumerate(found.edges) if edge > 100) - 1
    assert found.kept[place] == 1
    assert math.isclose(found.edges[0], 1)
