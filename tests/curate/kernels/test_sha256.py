from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.compiled import compiled
from curate.kernels.sha256 import scratch_sha256, sha256_bucket, sha256_constants

CONSTANTS = (*sha256_constants(), scratch_sha256())


@compiled
def bucket_of(data, first, end, num_buckets, start, rounds, scratch):
    return sha256_bucket(data, first, end, num_buckets, start, rounds, scratch)


def bucket(content: bytes, num_buckets: int) -> int:
    around = np.frombuffer(b"before" + content + b"behind", np.uint8)
    return int(bucket_of(around, 6, 6 + len(content), num_buckets, *CONSTANTS))


def by_hashlib(content: bytes, num_buckets: int) -> int:
    return int(hashlib.sha256(content).hexdigest(), 16) % num_buckets


@given(st.binary(max_size=300), st.integers(1, 2**31 - 1))
def test_it_is_the_remainder_of_the_hash(content: bytes, num_buckets: int) -> None:
    assert bucket(content, num_buckets) == by_hashlib(content, num_buckets)


@pytest.mark.parametrize("length", [0, 1, 3, 54, 55, 56, 57, 63, 64, 65, 118, 119, 120, 128, 1 << 20])
def test_padding_ends_where_it_should(length: int) -> None:
    content = bytes(i % 251 for i in range(length))
    assert bucket(content, 2**31 - 1) == by_hashlib(content, 2**31 - 1)
