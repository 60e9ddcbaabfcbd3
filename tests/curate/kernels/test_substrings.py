"""The automaton against `str.find`, through the one function that walks it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels import substrings
from curate.kernels.key_set import KeySet
from curate.kernels.keyword_match import WordList, has_any, matches
from curate.kernels.substrings import automaton

#: Few letters, so that entries overlap, repeat and stand one in another.
SHORT = st.text(alphabet="ab\0é", min_size=1, max_size=4)


def places(entry, text):
    return sum(text.startswith(entry, at) for at in range(len(text)))


@pytest.mark.parametrize("dense", [1, 2, 4096])
@given(
    entries=st.lists(SHORT | st.text(min_size=1, max_size=3), max_size=12),
    text=st.text(alphabet="ab\0éx", max_size=40) | st.text(),
)
def test_every_occurrence_is_counted_whatever_stands_in_what(dense, entries, text):
    words = WordList(KeySet.of(entries))
    before, substrings.DENSE_STATES = substrings.DENSE_STATES, dense
    try:
        found = matches(pa.array([text]), words, True)
    finally:
        substrings.DENSE_STATES = before
    text = "".join(lowered(char) for char in text)
    counts = {entry: places(entry, text) for entry in words.entries}
    assert found.num_matches[0] == sum(counts.values())
    assert found.num_entries[0] == sum(map(bool, counts.values()))
    ends = [(text.index(entry) + len(entry), -len(entry), entry) for entry, count in counts.items() if count]
    assert (words.entries.entry(found.first[0]) if found.first[0] >= 0 else None) == (min(ends)[2] if ends else None)


def lowered(char):
    return {"İ": "i", "ς": "σ", "Σ": "σ"}.get(char, char.lower())


def test_a_match_never_splits_a_character():
    """ "é" is C3 A9 and "Щ" D0 A9: their last byte is no match of the one in the other."""
    words = WordList(KeySet.of(["é", "。"]))
    assert matches(pa.array(["щ ã 、 。 é"]), words, True).num_matches.tolist() == [2]


def test_entries_of_a_whole_alphabet_are_found_at_once():
    words = WordList(KeySet.of(chr(point) for point in range(0x4E00, 0x5E00)))
    assert matches(pa.array(["一丁丂abc", "abc"]), words, True).num_entries.tolist() == [3, 0]


def test_a_state_takes_13_bytes_and_a_dense_one_a_kibibyte_more():
    entries = KeySet.of(f"{i:x}" * 3 for i in range(5000)).strings()
    made = automaton(entries)
    states = len({text[:i] for text in entries.to_pylist() for i in range(len(text) + 1)})
    assert len(made.label) == states > substrings.DENSE_STATES
    assert made.dense.nbytes == substrings.DENSE_STATES * 1024
    assert sum(array.nbytes for array in made) - made.dense.nbytes == states * 13 + 4 + len(entries) * 12


def test_no_entries_are_found_nowhere():
    assert automaton(pa.array([], pa.large_string())).label.tolist() == [0]
    assert has_any(pa.array(["a", None]), WordList(KeySet.of([])), True).to_pylist() == [False, None]


def test_a_chain_of_suffixes_costs_no_more_than_the_text():
    words = WordList(KeySet.of("a" * n for n in range(1, 500)))
    found = matches(pa.array(["a" * 200_000]), words, True)
    assert found.num_matches[0] == sum(200_000 - n + 1 for n in range(1, 500))
    assert found.num_entries[0] == 499
    assert np.isclose(found.char_frac[0], 1)
