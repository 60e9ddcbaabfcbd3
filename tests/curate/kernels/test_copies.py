"""Groups of equal keys, against a dictionary."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.copies import find, firsts, groups

KEYS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0, 1, 2**63, 2**64 - 1])), max_size=40)


def matrix(keys):
    return np.array(keys, np.uint64).reshape(-1, 2)


@given(KEYS)
def test_keys_are_grouped_as_a_dictionary_does(keys):
    found = groups(matrix(keys))
    known = list(dict.fromkeys(keys))
    assert found.keys.tolist() == [list(key) for key in known]
    assert found.of.tolist() == [known.index(key) for key in keys]


@given(KEYS, KEYS)
def test_a_key_is_found_if_both_its_halves_are(keys, others):
    found = groups(matrix(keys))
    known = list(dict.fromkeys(keys))
    expected = [known.index(key) if key in known else -1 for key in others]
    assert find(matrix(others), found.keys, found.slots).tolist() == expected


def test_one_hash_alone_makes_no_equal_keys():
    assert len(groups(matrix([(7, 1), (7, 2), (8, 1)])).keys) == 3


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-2, 2), st.integers(0, 2)), max_size=30))
def test_members_come_by_group_and_order(rows):
    of, *order = (np.array(column, np.int64) for column in zip(*rows, strict=True)) if rows else [np.zeros(0, int)] * 3
    members, begins = firsts(of, *order)
    assert [rows[i] for i in members] == sorted(rows)
    assert begins.tolist() == [n == 0 or rows[members[n - 1]][0] != rows[i][0] for n, i in enumerate(members)]
