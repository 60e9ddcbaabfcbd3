"""Word scores, their means and their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.extractor.scores import compare, group_means, interval, word_score, words

texts = st.text(alphabet="abA一二 .", max_size=30)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Two Words", ["two", "words"]),
        ("snake_case, 3.14", ["snake_case", "3", "14"]),
        ("数据清洗 of 文本", ["数", "据", "清", "洗", "of", "文", "本"]),
        ("第2号", ["第", "2", "号"]),
        ("かな", ["かな"]),  # kana run on
        ("ΟΔΟΣ", ["οδος"]),
        ("!?", []),
    ],
)
def test_words_are_runs_and_each_han_character_is_one(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "gold", "precision", "recall", "f1"),
    [
        ("a b", "a b", 1, 1, 1),
        ("b a", "a b", 1, 1, 1),  # order counts for nothing
        ("a a", "a", 0.5, 1, 2 / 3),  # but how often does
        ("a", "a a", 1, 0.5, 2 / 3),
        ("c", "a", 0, 0, 0),
        ("", "", 1, 1, 1),
        ("...", "", 1, 1, 1),
        ("a", "", 0, 0, 0),
        ("", "a", 0, 0, 0),
    ],
)
def test_scores_are_those_of_multisets(text: str, gold: str, precision: float, recall: float, f1: float) -> None:
    assert word_score(text, gold) == pytest.approx((precision, recall, f1))


@given(texts, texts)
def test_f1_is_symmetric_and_the_harmonic_mean(text: str, gold: str) -> None:
    here, there = word_score(text, gold), word_score(gold, text)
    assert here == (there.recall, there.precision, there.f1)
    if here.f1:
        assert here.f1 == pytest.approx(2 * here.precision * here.recall / (here.precision + here.recall))


def test_means_are_of_all_and_of_each_group() -> None:
    rows = group_means([1, 0, 0.5, 0.5], ["b", "b", "a", None])
    assert [(row.group, row.num_pages, row.mean) for row in rows] == [("all", 4, 0.5), ("a", 1, 0.5), ("b", 2, 0.5)]
    assert (rows[1].low, rows[1].high) == (0.5, 0.5)
    assert (rows[2].low, rows[2].high) == (0, 1)


def test_one_group_of_all_pages_is_not_shown_twice() -> None:
    assert [row.group for row in group_means([0.1, 0.2], ["x", "x"])] == ["all"]
    assert [row.group for row in group_means([0.1, 0.2], ["x", None])] == ["all", "x"]
    assert group_means([], []) == []


def test_an_interval_is_that_of_the_mean() -> None:
    values = np.random.default_rng(1).normal(0.8, 0.1, 400)
    low, high = interval(values)
    error = 1.96 * values.std() / 20  # of a mean, by the central limit
    assert (low, high) == pytest.approx((values.mean() - error, values.mean() + error), abs=0.002)
    assert interval(values) == (low, high)
    with pytest.raises(ValueError, match="at least one page"):
        interval([])


@pytest.mark.parametrize(("ours", "better", "worse"), [(0.52, 0, 0), (0.5201, 1, 0), (0.48, 0, 0), (0.4799, 0, 1)])
def test_a_difference_on_the_bound_is_none(ours: float, better: int, worse: int) -> None:
    found = compare([ours, 0.3], [0.5, 0.3])
    assert (found.num_better, found.num_worse) == (better, worse)
    assert found.difference == pytest.approx((ours - 0.5) / 2)
    assert found.low <= found.difference <= found.high


def test_pairs_are_compared_page_by_page() -> None:
    """What differs from page to page more than the extractors do does not widen the interval."""
    theirs = np.linspace(0, 0.9, 50)
    found = compare(theirs + 0.05, theirs)
    assert (found.low, found.high) == pytest.approx((0.05, 0.05))
    assert (found.num_better, found.num_worse) == (50, 0)
