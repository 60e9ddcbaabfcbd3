from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from curate.dedup.recurring_keys import recurring_keys
from curate.kernels.bloom import BLOCK_BYTES, contains
from curate.kernels.key_slices import NUM_SLICES, rounded

pytestmark = pytest.mark.spark


def keys_of(batch: pa.RecordBatch) -> np.ndarray:
    """A well mixed key of each number that a text consists of."""
    numbers = [int(word) for text in batch["text"].to_pylist() for word in (text or "").split()]
    with np.errstate(over="ignore"):
        mixed = (np.array(numbers, np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        return (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xD6E8FEB86659FD93)


def numbers(first: int, last: int) -> str:
    return " ".join(map(str, range(first, last)))


def key(first: int, last: int) -> np.ndarray:
    return rounded(keys_of(pa.RecordBatch.from_pydict({"text": [numbers(first, last)]})))


def test_the_filter_holds_what_recurs_anywhere_and_little_else(documents: Any, context: Any) -> None:
    texts = [numbers(0, 20_000), numbers(15_000, 40_000), "50000 50000", None, "", numbers(60_000, 80_000)]
    corpus = documents([(str(n), text) for n, text in enumerate(texts)])
    known = recurring_keys(corpus, ["text"], keys_of, context, 1 << 20).value
    assert contains(known, key(15_000, 20_000)).all()  # in two documents
    assert contains(known, key(50_000, 50_001)).all()  # twice in one
    assert contains(known, key(0, 15_000)).mean() < 0.02
    assert contains(known, key(90_000, 99_000)).mean() < 0.02
    bounded = recurring_keys(corpus, ["text"], keys_of, context, 1).value
    assert bounded.blocks.nbytes == NUM_SLICES * BLOCK_BYTES  # a block a slice is the least
    assert contains(bounded, key(15_000, 20_000)).all()


def test_nothing_recurs(documents: Any, context: Any) -> None:
    known = recurring_keys(documents([("a", numbers(0, 99)), ("b", "")]), ["text"], keys_of, context, 1 << 20).value
    assert not contains(known, key(0, 99)).any()
