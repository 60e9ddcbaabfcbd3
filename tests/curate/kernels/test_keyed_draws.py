from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.document import uniform
from curate.kernels.keyed_draws import draws

IDS = st.lists(st.none() | st.text(max_size=80), max_size=10)


@given(IDS, st.integers(-5, 2**63), st.sampled_from(["", "select-tie", "p" * 127, "é" * 200]))
def test_draws_are_those_of_the_document(ids: list[str | None], seed: int, purpose: str) -> None:
    found = draws(pa.array(ids, pa.string()), seed, purpose)
    assert (found / 2.0**64).tolist() == [uniform(doc_id or "", seed, purpose) for doc_id in ids]


@pytest.mark.parametrize("length", [*range(118, 124), *range(246, 252), 5000])
def test_blocks_end_where_they_should(length: int) -> None:
    """The key has six bytes before the id, and a block 128."""
    doc_id = "x" * length
    assert (draws(pa.array([doc_id]), 1, "abc") / 2.0**64).tolist() == [uniform(doc_id, 1, "abc")]


def test_a_slice_and_an_empty_array() -> None:
    ids = pa.array(["a", "b", "c"])
    assert np.array_equal(draws(ids.slice(1), 0, "x"), draws(ids, 0, "x")[1:])
    assert draws(ids[:0], 0, "x").tolist() == []
