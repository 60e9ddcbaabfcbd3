"""Unicode words are letters and digits; a letter of a script without spaces stands alone."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_texts import BYTES, TEXTS, raw_array

from curate.kernels.compiled import compiled
from curate.kernels.scan import scan, scratch_lines, scratch_words, text_bytes
from curate.kernels.unicode_tables import char_table
from curate.kernels.utf8 import utf8
from curate.kernels.words import room, unicode, words_of


@compiled
def _words(data, offsets, table, source, words, lines, others):
    text = text_bytes(data, offsets, 0)
    num, _ = scan(text, table, False, words, lines)
    return words_of(text, 0, table, source, words, num, others)


def unicode_words(array):
    data, offsets = utf8(array)
    others = scratch_words(offsets, room(unicode(), offsets))
    found, num = _words(data, offsets, char_table(), unicode(), scratch_words(offsets), scratch_lines(offsets), others)
    text = data[offsets[0] : offsets[1]].tobytes()
    return [text[found.start[i] : found.end[i]] for i in range(num)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, world!", ["Hello", "world"]),
        ("don't can’t rock'n'roll 'tis dogs'", ["don't", "can’t", "rock'n'roll", "tis", "dogs"]),
        ("3.14 1,000 2:30 1. ,5", ["3.14", "1,000", "2", "30", "1", "5"]),
        ("e.g. U.S.A. example.com a.1", ["e.g", "U.S.A", "example.com", "a", "1"]),
        ("snake_case _x x_", ["snake_case", "x", "x_"]),
        ("well-known — dash/slash", ["well", "known", "dash", "slash"]),
        ("漢字とABC", ["漢", "字", "と", "ABC"]),
        ("ที่นี่", ["ที่", "นี่"]),  # marks go with the letter before them
        ("e\u0301te\u0301", ["e\u0301te\u0301"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("R2D2 4x4 ½", ["R2D2", "4x4", "½"]),
        ("... !!! 🙂", []),
    ],
)
def test_words_of(text, words):
    assert [word.decode() for word in unicode_words(pa.array([text]))] == words


@given(TEXTS)
def test_every_letter_and_digit_lies_in_one_word_and_words_begin_with_one(text):
    words = [word.decode() for word in unicode_words(pa.array([text]))]
    assert all(word[0].isalpha() or word[0].isnumeric() for word in words)
    assert "".join(c for word in words for c in word if c.isalpha()) == "".join(c for c in text if c.isalpha())


@given(st.lists(BYTES, min_size=1, max_size=1))
def test_any_bytes_are_cut(values):
    for word in unicode_words(raw_array(values)):
        assert word in values[0]
