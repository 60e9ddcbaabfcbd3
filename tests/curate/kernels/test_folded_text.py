"""Folding against `str.lower`, and kinds of characters against `re`."""

from __future__ import annotations

import re
import sys
import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.folded_text import CONTINUED, IN_SPACE, IN_WORD, PYTHON_WORD, WORD, fold, folded, letters, room

ALL = [chr(point) for point in range(sys.maxunicode + 1) if not 0xD800 <= point < 0xE000]


def lower(text):
    return "".join({"İ": "i"}.get(char, char.lower()) for char in text).replace("ς", "σ")


def folding(text, parts):
    source = text if isinstance(text, bytes) else text.encode()
    into = room(len(source))
    size = fold(np.frombuffer(source, np.uint8), parts, into)
    return bytes(into.text[:size]), into.kind[:size]


def test_every_character_becomes_its_simple_lower_case():
    assert "".join(folded(pa.array(ALL)).to_pylist()) == lower("".join(ALL))


@given(st.lists(st.none() | st.text()))
def test_each_string_is_folded_alone_and_twice_is_once(texts):
    once = folded(pa.array(texts, pa.string()))
    assert once.to_pylist() == [lower(text or "") for text in texts]
    assert folded(once).equals(once)


@pytest.mark.parametrize(
    ("word", "underscore", "pattern"), [(PYTHON_WORD, True, r"\w"), (PYTHON_WORD, False, r"[^\W_]"), (WORD, True, None)]
)
def test_what_is_part_of_a_word(word, underscore, pattern):
    for char in ALL:
        if char in "İς" or unicodedata.category(char) in ("Co", "Cn"):
            continue
        text, kind = folding(char, letters(word, underscore))
        in_word = re.fullmatch(pattern or r"\w", char) is not None
        in_word |= pattern is None and unicodedata.category(char)[0] == "M"
        flags = IN_WORD * in_word | IN_SPACE * char.isspace()
        assert kind.tolist() == [flags] + [flags | CONTINUED] * (len(text) - 1)


@given(st.binary())
def test_bytes_that_are_no_utf8_stay_as_they_are(data):
    expected = b"".join(
        lower(part).encode() if i % 2 == 0 else bytes(ord(c) - 0xDC00 for c in part)
        for i, part in enumerate(re.split("([\udc80-\udcff]+)", data.decode("utf-8", "surrogateescape")))
    )
    assert folding(data, letters())[0] == expected
