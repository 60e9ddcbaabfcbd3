"""Words as texts are compared by them, against a slow oracle of Python strings."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_texts import BYTES, TEXTS, as_text, raw_array

from curate.kernels.match_words import same_ngrams, word_places, word_table
from curate.kernels.utf8 import utf8

_SINGLE, _IGNORED = 1 << 31, 0xFFFF_FFFF


def words_of(text: str) -> list[str]:
    """Folded words; what cannot be UTF-8 separates."""
    table, words, open_word = word_table(), [], ""
    for char in text:
        entry = 0 if 0xD800 <= ord(char) < 0xE000 else int(table[ord(char)])
        if entry == _IGNORED:
            continue
        if entry == 0 or entry & _SINGLE:
            words += [open_word] if open_word else []
            open_word = ""
        if entry & _SINGLE:
            words.append(chr(entry & ~_SINGLE))
        elif entry:
            open_word += chr(entry)
    return words + ([open_word] if open_word else [])


@given(st.lists(TEXTS | st.none(), max_size=5))
def test_words_are_those_of_the_oracle(texts):
    column = pa.array(texts, pa.string())
    found = word_places(column)
    data, _ = utf8(column)
    for row, text in enumerate(texts):
        mine = slice(found.offsets[row], found.offsets[row + 1])
        spelt = [words_of(bytes(data[a:b]).decode()) for a, b in zip(found.place[mine], found.stop[mine], strict=True)]
        assert spelt == [[word] for word in words_of(text or "")]


@given(TEXTS, TEXTS)
def test_equal_words_have_equal_hashes_and_others_do_not(a, b):
    hashes = word_places(pa.array([a, b])).hash.tolist()
    words = words_of(a) + words_of(b)
    for i, one in enumerate(words):
        assert [hashes[i] == other for other in hashes] == [one == other for other in words]


@given(st.lists(BYTES, max_size=4))
def test_bytes_that_are_no_utf8_separate_and_do_no_harm(values):
    found = word_places(raw_array(values))
    assert np.diff(found.offsets).tolist() == [len(words_of(as_text(value))) for value in values]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't STOP", ["don", "t", "stop"]),
        ("a _ b, snake_case ____", ["a", "b", "snake", "case"]),
        ("Café\u00ad au\u200blait", ["cafe", "aulait"]),
        ("中文 ab", ["中", "文", "ab"]),
        ("x²＋１", ["x2", "1"]),
        ("", []),
        ("…!?", []),
    ],
)
def test_what_a_word_is(text, words):
    assert words_of(text) == words
    assert len(word_places(pa.array([text])).hash) == len(words)


def test_numbers_and_single_characters_are_marked():
    found = word_places(pa.array(["3rd of 12 中 x"]))
    assert found.number.tolist() == [True, False, True, False, False]
    assert found.single.tolist() == [False, False, False, True, False]


def test_ngrams_are_compared_character_by_character():
    texts = pa.array(["The Blue, CAFÉ", "the blue cafe", "the blue cafes"])
    places = word_places(texts)
    first, other = np.array([0, 0, 3, 0]), np.array([3, 6, 6, 0])
    assert same_ngrams(texts, places, first, other, np.array([3, 3, 2, 3])).tolist() == [True, False, True, True]


def test_the_last_word_of_a_text_ends_with_it():
    """The texts of a column lie one behind the other."""
    texts = pa.array(["one wet", "wetter one wet", "x"])
    places = word_places(texts)
    assert same_ngrams(texts, places, np.array([0]), np.array([3]), np.array([2])).tolist() == [True]
