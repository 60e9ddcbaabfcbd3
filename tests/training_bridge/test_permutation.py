from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training_bridge.permutation import Permutation


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 700), st.text(max_size=8))
def test_every_index_is_met_once(size, key):
    order = Permutation(size, key)
    assert sorted(order[index] for index in range(size)) == list(range(size))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 255, 256, 257])
def test_sizes_around_powers_of_two_are_covered(size):
    order = Permutation(size, "k")
    assert {order[index] for index in range(size)} == set(range(size))


def test_indices_outside_are_refused():
    order = Permutation(10, "k")
    for index in (-1, 10):
        with pytest.raises(IndexError):
            order[index]


def test_the_key_decides_the_order():
    def listed(key):
        order = Permutation(100, key)
        return [order[index] for index in range(100)]

    assert listed("a") == listed("a")
    assert listed("a") != listed("b")


def test_it_needs_no_table_for_a_huge_size():
    order = Permutation(10**15, "k")
    found = {order[index] for index in range(1000)}
    assert len(found) == 1000
    assert max(found) > 10**14


def test_places_are_spread_evenly():
    # Over 2,000 keys each place of 20 is expected 100 times; the chi-square of 19 degrees is below 43.8 at p = 0.001.
    counts = np.bincount([Permutation(20, f"key {number}")[7] for number in range(2000)], minlength=20)
    assert ((counts - 100) ** 2 / 100).sum() < 43.8
