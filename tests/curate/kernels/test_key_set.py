"""The set of strings against Python's own."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels import key_set
from curate.kernels.key_set import KeySet, with_prefixes

STRINGS = st.text(max_size=6) | st.sampled_from(["a", "a.b", "b", "a.b.c", "\0", "日本", "x" * 300])


@given(st.lists(STRINGS), st.lists(STRINGS | st.none()))
def test_it_holds_what_pythons_set_holds(entries, asked):
    keys, expected = KeySet.of(entries), set(entries) - {""}
    assert keys == expected
    assert list(keys) == list(dict.fromkeys(entry for entry in entries if entry))
    found = keys.find(pa.array(asked, pa.string()))
    assert [number >= 0 for number in found] == [one in expected for one in asked]
    assert all(keys.entry(number) == one for number, one in zip(found, asked, strict=True) if number >= 0)
    assert [one in keys for one in asked] == [one in expected for one in asked]
    assert keys.strings().to_pylist() == list(keys)


@given(st.sets(st.sampled_from(["com", "a.com", "b.a.com", "org", "a..b"])), st.text(alphabet="ab.", max_size=9))
def test_a_domain_covers_what_is_below_it_and_the_nearest_one_is_named(entries, start):
    for host in (start + "com", start + ".com", start):
        parents = [host[i:] for i in range(len(host)) if i == 0 or host[i - 1] == "."]
        expected = next((parent for parent in parents if parent in entries), None)
        (found,) = KeySet.of(entries).described(KeySet.of(entries).find_domains(pa.array([host]))).to_pylist()
        assert found == expected


def test_an_entry_is_told_with_the_first_part_it_stands_in():
    keys = KeySet([pa.array(["a", "b"]), pa.array(["b", None, "c", ""]), pa.array([], pa.string())], ["one", "two", ""])
    assert keys.described(np.array([2, -1, 0, 1])).to_pylist() == ["c (two)", None, "a (one)", "b (one)"]
    assert KeySet.of("x").described(np.array([0])).to_pylist() == ["x"]


@pytest.mark.parametrize("values", [[], [None], ["a"]])
def test_an_empty_set_holds_nothing_and_an_empty_column_finds_nothing(values):
    found = KeySet.of([]).find(pa.array(values, pa.string()))
    assert found.tolist() == [-1] * len(values)
    assert len(KeySet.of([])) == 0


def test_bytes_that_are_no_utf8_are_looked_up_without_harm():
    _, offsets, _ = pa.array(["ab", "cd"]).buffers()
    broken = pa.StringArray.from_buffers(2, offsets, pa.py_buffer(b"\xff\xc3cd"))
    assert KeySet.of(["cd", "\ufffd"]).find(broken).tolist() == [-1, 0]


def test_equal_hashes_are_told_apart_by_the_bytes():
    """With one hash for all, every look-up meets every other entry first."""
    words = [f"w{i}" for i in range(50)]
    table = KeySet.of(words).table
    crowded = np.zeros_like(table.slots)
    _, tag = key_set._place(np.uint64(7), crowded.size)
    crowded[: len(words)] = [np.uint64(i + 1 << 32) | tag for i in range(len(words))]
    place, _ = key_set._place(np.uint64(7), crowded.size)
    crowded = np.roll(crowded, place)
    for i, word in enumerate(words):
        text = np.frombuffer(word.encode(), np.uint8)
        assert key_set.find_key(table._replace(slots=crowded), np.uint64(7), text, 0, len(text)) == i
    text = np.frombuffer(b"w99", np.uint8)
    assert key_set.find_key(table._replace(slots=crowded), np.uint64(7), text, 0, len(text)) == -1


def test_an_entry_takes_its_own_bytes_and_a_few_tens_more():
    keys = KeySet.of(f"host{i}.example" for i in range(20_000))
    assert sum(map(len, keys)) < keys.nbytes < sum(map(len, keys)) + 25 * len(keys)


def test_beginnings_come_after_the_entries_and_an_entry_keeps_its_number():
    keys = KeySet.of(["holy cow", "holy", "a b"])
    table = with_prefixes(keys, np.array([0, 12]), np.array([4, 13]))
    assert [bytes(table.data[a:b]) for a, b in zip(table.starts, table.ends, strict=True)] == [
        b"holy cow", b"holy", b"a b", b"a",
    ]  # fmt: skip


def test_more_bytes_than_can_be_numbered_are_refused(monkeypatch):
    monkeypatch.setattr(key_set, "MAX_SET_BYTES", 3)
    assert len(KeySet.of(["abc"])) == 1
    with pytest.raises(ValueError, match="4 bytes"):
        KeySet.of(["abcd"])
