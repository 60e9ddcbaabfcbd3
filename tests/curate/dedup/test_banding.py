from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from datasketch.lsh import _optimal_param
from hypothesis import given
from hypothesis import strategies as st

from curate.dedup.banding import Banding, candidate_probability, optimal_banding, s_curve, s_curve_text
from curate.errors import RecipeError

bandings = st.builds(Banding, st.integers(1, 50), st.integers(1, 30))


@pytest.mark.parametrize("num_hashes", [1, 2, 7, 16, 50, 64, 100])
@pytest.mark.parametrize("threshold", [0.0, 0.1, 0.35, 0.5, 0.63, 0.8, 0.9, 0.99, 1.0])
def test_the_optimum_is_that_of_datasketch(threshold: float, num_hashes: int) -> None:
    assert optimal_banding(threshold, num_hashes) == _optimal_param(threshold, num_hashes, 0.5, 0.5)


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.75, 0.8, 0.85])
@pytest.mark.parametrize("num_hashes", [112, 128])
def test_the_optimum_is_that_of_datasketch_at_usual_sizes(threshold: float, num_hashes: int) -> None:
    assert optimal_banding(threshold, num_hashes) == _optimal_param(threshold, num_hashes, 0.5, 0.5)


@pytest.mark.parametrize("weights", [(0.1, 0.9), (0.3, 0.7), (0.9, 0.1), (1.0, 0.0)])
@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.8, 0.95])
def test_weights_are_those_of_datasketch(threshold: float, weights: tuple[float, float]) -> None:
    assert optimal_banding(threshold, 48, *weights) == _optimal_param(threshold, 48, *weights)


@given(st.floats(0.05, 0.95), st.integers(1, 200))
def test_the_optimum_uses_no_more_hashes_than_there_are(threshold: float, num_hashes: int) -> None:
    assert optimal_banding(threshold, num_hashes).num_hashes <= num_hashes


def test_missed_pairs_that_weigh_more_are_found_earlier() -> None:
    odds = [optimal_banding(0.8, 128, 1 - weight, weight).even_odds for weight in (0.1, 0.5, 0.9)]
    assert odds == sorted(odds, reverse=True)
    assert odds[0] > odds[2]


@pytest.mark.parametrize("num_hashes", [1024, 5000])
def test_many_hashes_make_a_steep_curve_at_the_threshold(num_hashes: int) -> None:
    banding = optimal_banding(0.8, num_hashes)
    assert banding.even_odds == pytest.approx(0.8, abs=0.01)
    below, above = s_curve(banding, [0.7, 0.9])
    assert below < 0.05
    assert above > 0.99


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((-0.1, 8), "between 0 and 1"),
        ((1.1, 8), "between 0 and 1"),
        ((float("nan"), 8), "between 0 and 1"),
        ((0.5, 0), "1 hash at least"),
        ((0.5, 8, -0.1, 1.1), "0 or more"),
        ((0.5, 8, 0.0, 0.0), "0 or more"),
    ],
)
def test_what_cannot_be_chosen_from_is_an_error(arguments: tuple[float, ...], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        optimal_banding(*arguments)


@given(bandings, st.lists(st.floats(0, 1), max_size=20))
def test_the_curve_is_the_probability_of_each(banding: Banding, similarities: list[float]) -> None:
    expected = [candidate_probability(similarity, *banding) for similarity in similarities]
    assert s_curve(banding, similarities).tolist() == pytest.approx(expected, abs=1e-12)


@given(bandings)
def test_the_curve_rises_from_nothing_to_certainty_through_even_odds(banding: Banding) -> None:
    curve = s_curve(banding, np.linspace(0, 1, 50))
    assert (curve[0], curve[-1]) == (0, 1)
    assert all(a <= b for a, b in pairwise(curve.tolist()))
    assert candidate_probability(banding.even_odds, *banding) == pytest.approx(0.5)


def test_the_curve_is_what_drawn_signatures_do() -> None:
    equal = np.random.default_rng(0).random((20_000, 14, 8)) < 0.7
    assert equal.all(axis=2).any(axis=1).mean() == pytest.approx(candidate_probability(0.7, 14, 8), abs=0.015)


def test_the_text_shows_the_table_the_threshold_and_even_odds() -> None:
    text = s_curve_text(Banding(14, 8), 0.8)
    assert "14 bands of 8 rows, 112 hashes" in text
    assert "Jaccard 0.685" in text
    assert "92.4% of those at the threshold 0.8" in text
    [table] = [line for line in text.splitlines() if line.startswith("P(candidate)")]
    assert table.split()[1:] == [
        "<.001",
        "<.001",
        "0.001",
        "0.009",
        "0.053",
        "0.211",
        "0.565",
        "0.924",
        ">.999",
        "1.000",
    ]


@given(bandings, st.floats(0, 1))
def test_the_text_fits_a_terminal(banding: Banding, threshold: float) -> None:
    lines = s_curve_text(banding, threshold).splitlines()
    assert max(map(len, lines)) <= 80
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize(("threshold", "tenth"), [(0.2, 1), (0.5, 4), (0.9, 8)])
def test_the_mark_stands_over_its_tick(threshold: float, tenth: int) -> None:
    lines = s_curve_text(Banding(20, 5), threshold).splitlines()
    marked = {line.index("|", 8) for line in lines if "|" in line[8:]}
    assert marked == {8 + 7 * tenth}
    assert lines[-1].index(f"{threshold:.1f}") + 1 in marked


def test_a_threshold_outside_the_plot_has_no_mark() -> None:
    assert not any("|" in line[8:] for line in s_curve_text(Banding(14, 8), 0.05).splitlines())
