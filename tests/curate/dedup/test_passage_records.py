"""Records in rows and out of them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from curate.dedup.passage_records import COPIES, MAX_RECORDS, in_buckets, packed, runs, unpacked


@given(st.lists(st.integers(0, 4), max_size=6), st.integers(0, 2))
def test_what_is_packed_comes_back_in_pieces(sizes, skipped):
    ends = np.cumsum([0, *sizes])
    records = np.arange(3 * ends[-1], dtype=np.int32).reshape(-1, 3)
    data = packed(records, ends[:-1]).slice(min(skipped, len(sizes)))
    found, begins = unpacked(data, np.int32, 3)
    first = ends[min(skipped, len(sizes))]
    assert np.array_equal(found, records[first:])
    assert begins.tolist() == (ends[min(skipped, len(sizes)) :] - first).tolist()


@given(st.lists(st.integers(0, 2**64 - 1), max_size=50), st.integers(1, 5))
def test_records_go_to_the_bucket_of_their_hash_in_their_order(hashes, num_buckets):
    records = np.array([(number, n) for n, number in enumerate(hashes)], np.uint64).reshape(-1, 2)
    rows = in_buckets(records, COPIES, 7, num_buckets)
    assert rows["bucket"].to_pylist() == sorted({(number >> 32) * num_buckets >> 32 for number in hashes})
    assert set(rows["base"].to_pylist()) <= {7}
    found, _ = unpacked(rows["data"], np.uint64, 2)
    expected = sorted(records.tolist(), key=lambda record: (record[0] >> 32) * num_buckets >> 32)
    assert found.tolist() == expected


def test_a_row_holds_a_thousand_records_at_most():
    for size, pieces in ((MAX_RECORDS, 1), (MAX_RECORDS + 1, 2)):
        rows = in_buckets(np.ones((size, 3), np.uint64), COPIES, 0, 4)
        assert rows.num_rows == pieces
        assert len(unpacked(rows["data"], np.uint64, 3)[0]) == size


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), max_size=12))
def test_runs_are_of_equal_rows(rows):
    batch = pa.RecordBatch.from_pydict({"a": [a for a, _ in rows], "b": [b for _, b in rows]}, pa.schema(_AB))
    found = [(key, part.num_rows) for key, part in runs(batch, "a", "b")]
    assert [key for key, size in found for _ in range(size)] == rows
    assert all(one[0] != other[0] for one, other in pairwise(found))


_AB = [("a", pa.int64()), ("b", pa.int64())]
