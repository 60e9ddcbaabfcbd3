"""Ids and random numbers depend on content alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from curate.document import COLUMNS, RAW_COLUMNS, SCHEMA, VERDICT_COLUMNS, doc_id, uniform

parts = st.lists(st.one_of(st.none(), st.text(max_size=20), st.binary(max_size=20)), max_size=4)


@given(parts, parts)
def test_different_parts_have_different_ids(left, right):
    def canonical(values):
        return [v.encode("utf-8", "surrogatepass") if isinstance(v, str) else v for v in values]

    assert (doc_id(*left) == doc_id(*right)) == (canonical(left) == canonical(right))


def test_an_id_is_128_bits_as_hex():
    assert len(doc_id("a")) == 32
    assert int(doc_id("a"), 16) >= 0


def test_where_parts_are_cut_matters():
    assert doc_id("ab", "c") != doc_id("a", "bc")


@given(st.text(max_size=30), st.integers(0, 2**31), st.text(max_size=10))
def test_uniform_is_a_number_below_one_and_the_same_each_time(name, seed, purpose):
    value = uniform(name, seed, purpose)
    assert 0 <= value < 1
    assert value == uniform(name, seed, purpose)


def test_uniform_is_spread_evenly():
    values = [uniform(str(n), 7, "test") for n in range(2000)]
    assert 0.45 < sum(values) / len(values) < 0.55
    assert values != [uniform(str(n), 8, "test") for n in range(2000)]


def test_column_groups_do_not_overlap():
    assert not COLUMNS & RAW_COLUMNS
    assert not COLUMNS & VERDICT_COLUMNS
    assert SCHEMA.names[0] == "doc_id"
