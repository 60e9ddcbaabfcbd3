from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.key_slices import NUM_SLICES, recurring, restored, rounded, slices

#: Few different ones, in few slices.
keys = st.lists(st.builds(lambda top, low: top << 54 | low << 22, st.sampled_from([0, 1, 1023]), st.integers(0, 5)))


def found(batches: list[list[int]]) -> Counter[int]:
    """How often each key comes out, put together again."""
    counts: Counter[int] = Counter()
    for batch in batches:
        numbers, parts = slices(np.array(batch, np.uint64))
        assert numbers.to_pylist() == sorted(set(numbers.to_pylist()))
        for number, blob in zip(numbers.to_pylist(), parts.to_pylist(), strict=True):
            counts.update(restored(number, np.frombuffer(blob, np.uint32)).tolist())
    return counts


@given(st.lists(keys, max_size=3))
def test_each_batch_hands_on_each_key_at_most_twice(batches: list[list[int]]) -> None:
    expected: Counter[int] = Counter()
    for batch in batches:
        expected.update({key: min(2, times) for key, times in Counter(batch).items()})
    assert found(batches) == expected


def test_keys_are_told_apart_by_their_highest_42_bits() -> None:
    key = 0x0123_4567_89AB_CDEF
    [together] = rounded(np.array([key], np.uint64)).tolist()
    assert together == key >> 22 << 22
    assert found([[key, key + 1]]) == {together: 2}
    assert found([[key, key + (1 << 22)]]) == {together: 1, together + (1 << 22): 1}
    numbers, _ = slices(np.array([2**64 - 1], np.uint64))
    assert numbers.to_pylist() == [NUM_SLICES - 1]


@given(st.lists(st.integers(0, 8)))
def test_recurring_values(values: list[int]) -> None:
    expected = sorted(value for value, times in Counter(values).items() if times > 1)
    assert recurring(np.array(values, np.uint32)).tolist() == expected
