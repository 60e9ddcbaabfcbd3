from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.int64_index import MAX_KEYS, empty_slots, fill, forget, numbered

KEYS = st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-5, 5), max_size=60)


def numbers(keys: np.ndarray, slots: np.ndarray, start: int, wanted: list[int]) -> tuple[list[int], int]:
    count, found = start, []
    for key in wanted:
        found.append(int(numbered(keys, slots, start, count, key)))
        count += found[-1] == count - start
    return found, count


def first_seen(wanted: list[int]) -> list[int]:
    order = list(dict.fromkeys(wanted))
    return [order.index(key) for key in wanted]


@given(KEYS, KEYS)
def test_keys_are_numbered_as_they_appear_and_a_forgotten_group_leaves_no_trace(one: list[int], two: list[int]) -> None:
    keys, slots = np.zeros(120, np.int64), empty_slots(60)
    found, count = numbers(keys, slots, 0, one)
    assert found == first_seen(one)
    assert keys[:count].tolist() == list(dict.fromkeys(one))
    forget(keys, slots, 0, count)
    assert not slots.any()
    assert numbers(keys, slots, count, two)[0] == first_seen(two)


@given(KEYS)
def test_larger_slots_hold_the_same_numbers(wanted: list[int]) -> None:
    keys, slots = np.zeros(60, np.int64), empty_slots(60)
    _, count = numbers(keys, slots, 0, wanted)
    larger = empty_slots(90)
    fill(keys, larger, 0, count)
    assert [int(numbered(keys, larger, 0, count, key)) for key in wanted] == first_seen(wanted)


def test_one_slot_is_always_free() -> None:
    """Else a key that is not there would be looked for without end."""
    assert all(len(empty_slots(n)) > n for n in range(50))


def test_more_keys_than_31_bits_number_are_refused() -> None:
    with pytest.raises(ValueError, match="Use more partitions"):
        empty_slots(MAX_KEYS + 1)
