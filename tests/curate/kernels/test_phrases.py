"""Phrases in any case, against `re` on lower-cased text."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.phrases import any_phrase_end, find_phrase, phrases
from curate.kernels.unicode_tables import char_table

ALPHABET = "abAB .é\u212aK中"


def find(text, *wanted, any_char=""):
    """Where the first phrase begins and ends, in characters; (-1, -1) where there is none."""
    data = np.frombuffer(text.encode() + b"\0", np.uint8)
    size, table, made = len(data) - 1, char_table(), phrases(wanted, any_char)
    start = find_phrase(data, 0, size, table, made)
    if start < 0:
        return -1, -1
    end = any_phrase_end(data, start, size, table, made)
    return len(bytes(data[:start]).decode()), len(bytes(data[:end]).decode())


@given(st.text(ALPHABET, max_size=20), st.lists(st.text(ALPHABET, min_size=1, max_size=3), min_size=1, max_size=3))
def test_the_first_place_and_there_the_first_phrase(text, wanted):
    pattern = "|".join(re.escape(one.lower()) for one in wanted)
    match = re.search(pattern, text.lower())
    assert find(text, *wanted) == (match.span() if match else (-1, -1))


@given(st.text(ALPHABET, max_size=20), st.text("ab.", min_size=1, max_size=4))
def test_a_character_may_stand_for_any(text, wanted):
    match = re.search(wanted.replace(".", r"[\s\S]"), text.lower())
    assert find(text, wanted, any_char=".") == (match.span() if match else (-1, -1))


def test_no_phrases_are_nowhere_and_empty_ones_are_none():
    assert find("text") == find("text", "") == (-1, -1)
    assert find("", "a") == (-1, -1)


def test_case_is_unicodes_simple_one():
    assert find("ΤΕΛΟΣ ΣΑΣ", "σασ") == (6, 9)
    assert find("5 \u212a", "k") == (2, 3)  # the Kelvin sign
