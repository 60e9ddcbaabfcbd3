from __future__ import annotations

import math
import statistics

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate import document
from curate.distributions import Distribution, Distributions, sample_keys

numbers = st.lists(st.none() | st.floats(-1e6, 1e6), min_size=1, max_size=60)


def ids(count: int) -> list[str]:
    return [document.doc_id(str(n)) for n in range(count)]


def measured(values: list[float | None], *, batch: int = 7, max_values: int = 1000) -> Distributions:
    found = Distributions(["s.x"], max_values)
    names = ids(len(values))
    for start in range(0, len(values), batch):
        part = slice(start, start + batch)
        found.add(pa.array(names[part]), None, [pa.array(values[part], pa.float64())])
    return found


@given(numbers, st.integers(1, 70))
def test_figures_are_those_of_all_values(values, batch):
    there = [value for value in values if value is not None]
    found = measured(values, batch=batch).pooled.summary(0)
    assert found.n == len(there)
    if not there:
        assert math.isnan(found.median)
        return
    assert (found.minimum, found.maximum) == (min(there), max(there))
    assert found.median == pytest.approx(statistics.median(there))
    assert found.mean == pytest.approx(statistics.fmean(there), abs=1e-6)
    spread = statistics.stdev(there) if len(there) > 1 else 0.0
    assert found.sd == pytest.approx(spread, rel=1e-6, abs=1e-6)


def test_percentiles_are_those_of_all_values_while_they_fit():
    values = [float(n * n % 101) for n in range(500)]
    found = measured(values).pooled.summary(0)
    assert [found.p1, found.p99] == np.percentile(values, [1, 99]).tolist()


def test_a_constant_far_from_zero_has_no_spread():
    """The sum of squares would cancel."""
    assert measured([1e9 + 0.25] * 1000).pooled.summary(0).sd == 0


def test_null_nan_and_infinite_values_are_not_measured():
    found = measured([1.0, None, math.nan, math.inf, -math.inf, 3.0]).pooled.summary(0)
    assert (found.n, found.minimum, found.maximum, found.mean) == (2, 1, 3, 2)


def test_the_sample_is_bounded_and_the_same_in_any_order():
    values = np.arange(5000.0)
    keys = sample_keys(pa.array(ids(5000)))
    samples = []
    for order in (np.arange(5000), np.arange(5000)[::-1], np.random.default_rng(0).permutation(5000)):
        one = Distribution(1, max_values=200)
        for part in np.array_split(order, 13):
            one.add(keys[part], values[part][:, None])
            assert one._held <= 250 + len(part)
        samples.append(sorted(one.values(0).tolist()))
    assert samples[0] == samples[1] == samples[2]
    assert len(samples[0]) == 200
    assert set(samples[0]) == set(values[np.argsort(keys)[:200]].tolist())


def test_a_sample_is_spread_over_the_values():
    values = [float(n) for n in range(20_000)]
    found = measured(values, batch=1000, max_values=1000).pooled.summary(0)
    assert found.n == 20_000
    assert (found.minimum, found.maximum) == (0, 19_999)
    assert abs(found.median - 10_000) < 1500  # 5 standard errors of the median of 1,000


def test_signals_share_the_bound():
    one = Distribution(10, max_values=200)
    one.add(sample_keys(pa.array(ids(100))), np.zeros((100, 10)))
    assert len(one.sample()) == 20


def test_groups_are_apart_and_together():
    found = Distributions(["s.x"])
    groups = pa.array(["en", "de", None, "en"])
    found.add(pa.array(ids(4)), groups, [pa.array([1, 10, 100, 3], pa.int64())])
    assert found.groups["en"].summary(0).mean == 2
    assert found.groups["de"].summary(0).n == 1
    assert set(found.groups) == {"en", "de"}
    assert found.pooled.summary(0).n == found.num_documents == 4


def test_keys_are_the_end_of_the_id():
    assert sample_keys(pa.array(["0" * 16 + "00000000000000ff", "f" * 16 + "0" * 16])).tolist() == [255, 0]
    assert sample_keys(pa.array([], pa.string())).tolist() == []
