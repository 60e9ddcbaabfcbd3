from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.bloom import Size, add, contains, empty, expected_rate, sized


def keys(number: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**64, number, np.uint64)


@pytest.mark.parametrize(("num_keys", "rate"), [(100_000, 0.3), (100_000, 0.01), (300_000, 0.001), (300_000, 1e-4)])
def test_false_positives_are_as_many_as_theory_says(num_keys: int, rate: float) -> None:
    size = sized(num_keys, rate, 1 << 30)
    bloom, asked = empty(size), 3_000_000
    add(bloom, keys(num_keys, 1))
    found = int(contains(bloom, keys(asked, 2)).sum())
    expected = expected_rate(num_keys, size) * asked
    assert expected <= rate * asked
    assert abs(found - expected) < 5 * expected**0.5 + 0.05 * expected


@given(st.lists(st.integers(0, 2**64 - 1), max_size=50), st.integers(1, 40), st.integers(1, 14))
def test_what_was_put_in_is_in(values: list[int], num_blocks: int, num_probes: int) -> None:
    bloom, given = empty(Size(num_blocks, num_probes)), np.array(values, np.uint64)
    assert not contains(bloom, given).any()
    add(bloom, given)
    assert contains(bloom, given).all()


def test_pieces_make_the_filter_that_is_filled_at_once() -> None:
    given, size = keys(5000, 3), Size(64, 7)
    whole = empty(size)
    add(whole, given)
    pieces = [empty(Size(8, 7)) for _ in range(8)]
    for number, piece in enumerate(pieces):
        add(piece, given[given >> np.uint64(61) == number], number, 8)
    assert np.concatenate([piece.blocks for piece in pieces]).tolist() == whole.blocks.tolist()


def test_a_filter_is_as_small_as_its_rate_allows_and_never_larger_than_it_may_be() -> None:
    size = sized(1_000_000, 0.01, 1 << 30)
    assert size.num_blocks * 512 / 1_000_000 == pytest.approx(9.585, rel=0.05)  # an unblocked filter's bits per key
    assert expected_rate(1_000_000, Size(size.num_blocks - 1, size.num_probes)) > 0.01
    bounded = sized(1_000_000, 0.01, 64_000)
    assert bounded.num_blocks == 1000
    assert bounded.num_probes == 1
    assert 0.8 < expected_rate(1_000_000, bounded) <= 1
    assert sized(0, 0.01, 1 << 20, 16).num_blocks == 16
    assert sized(1_000_000, 0.01, 1 << 30, 1024).num_blocks % 1024 == 0


def test_no_keys_and_all_blocks_full() -> None:
    assert expected_rate(0, Size(4, 7)) == 0
    assert expected_rate(10**7, Size(1, 7)) == pytest.approx(1)
