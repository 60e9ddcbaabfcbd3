"""Cohen's kappa by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.label_agreement import agreement


def judged(labels):
    return [{"doc_id": str(n), "label": label} for n, label in enumerate(labels)]


def test_kappa_is_agreement_beyond_chance():
    # Both yes 20, both no 15, first yes and second no 5, the other way 10: observed 0.7, chance 0.5 * 0.6 + 0.5 * 0.4
    first = judged(["yes"] * 20 + ["no"] * 15 + ["yes"] * 5 + ["no"] * 10)
    second = judged(["yes"] * 20 + ["no"] * 15 + ["no"] * 5 + ["yes"] * 10)
    found = agreement(first, second)
    assert found.num_both == 50
    assert found.observed == pytest.approx(0.7)
    assert found.kappa == pytest.approx(0.4)
    half = 1.959964 * math.sqrt(0.7 * 0.3 / 50) / 0.5
    assert (found.low, found.high) == (pytest.approx(0.4 - half), pytest.approx(0.4 + half))
    assert found.pairs == {("yes", "yes"): 20, ("no", "no"): 15, ("yes", "no"): 5, ("no", "yes"): 10}
    assert found.differing == tuple(map(str, range(35, 50)))


def test_only_documents_that_both_have_judged_count():
    first = [{"doc_id": "a", "label": "x"}, {"doc_id": "b", "label": None}, {"doc_id": "c", "label": "x"}]
    second = [{"doc_id": "a", "label": "x"}, {"doc_id": "b", "label": "x"}, {"doc_id": "d", "label": " "}]
    found = agreement(first, second)
    assert (found.num_both, found.num_first_only, found.num_second_only) == (1, 1, 1)
    assert found.observed == 1.0
    assert found.kappa is None  # one label only: chance alone would make them equal
    nothing = agreement([], second)
    assert (nothing.num_both, nothing.observed, nothing.kappa) == (0, None, None)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=40))
def test_kappa_is_symmetric_and_at_most_one(pairs):
    first, second = (judged(side) for side in zip(*pairs, strict=True))
    one, other = agreement(first, second), agreement(second, first)
    assert (one.kappa is None) == (other.kappa is None)
    if one.kappa is not None:
        assert one.kappa == pytest.approx(other.kappa)
        assert one.low <= one.kappa <= one.high <= 1
        assert (one.kappa == 1) == all(a == b for a, b in pairs)
