"""Words and lines of a text are those of `str` methods, in any bytes."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from kernel_texts import BYTES, TEXTS, as_text, raw_array

from curate.kernels import scan as module
from curate.kernels.scan import scan, scratch_lines, scratch_words, text_bytes
from curate.kernels.unicode_tables import char_table
from curate.kernels.utf8 import utf8


def scanned(array, *, all_breaks=False):
    """Words and lines of the first text as bytes, beside their numbers."""
    data, offsets = utf8(array)
    words, lines = scratch_words(offsets), scratch_lines(offsets)
    text = text_bytes(data, offsets, 0)
    num_words, num_lines = scan(text, char_table(), all_breaks, words, lines)
    cut = text.tobytes()
    found = [(cut[words.start[i] : words.end[i]], int(words.chars[i])) for i in range(num_words)]
    return found, [
        {
            "line": cut[lines.start[i] : lines.end[i]],
            "chars": int(lines.chars[i]),
            "text": cut[lines.text_start[i] : lines.text_end[i]],
            "text_chars": int(lines.text_chars[i]),
            "words": int(lines.words[i]),
        }
        for i in range(num_lines)
    ]


def expected_lines(lines, encode):
    return [
        {
            "line": encode(line),
            "chars": len(line),
            "text": encode(line.strip()),
            "text_chars": len(line.strip()),
            "words": len(line.split()),
        }
        for line in lines
    ]


def check(array, text, encode):
    words, lines = scanned(array)
    assert words == [(encode(word), len(word)) for word in text.split()]
    assert lines == expected_lines(text.split("\n") if text else [], encode)
    _, lines = scanned(array, all_breaks=True)
    assert lines == expected_lines(text.splitlines(), encode)


@given(TEXTS)
def test_any_text(text):
    check(pa.array([text]), text, str.encode)


@given(BYTES)
def test_any_bytes(value):
    check(raw_array([value]), as_text(value), lambda part: part.encode("utf-8", "surrogateescape"))


def test_real_texts(real_texts):
    for text in real_texts:
        check(pa.array([text]), text, str.encode)


@given(TEXTS)
def test_equal_words_have_equal_keys_and_others_have_not(text):
    data, offsets = utf8(pa.array([text]))
    words, lines = scratch_words(offsets), scratch_lines(offsets)
    num, _ = scan(text_bytes(data, offsets, 0), char_table(), False, words, lines)
    for (i, a), (j, b) in itertools.combinations(enumerate(text.split()), 2):
        assert (words.key[i] == words.key[j]) == (a == b), (num, a, b)


def test_a_text_beyond_the_limit_ends_at_a_whole_character(monkeypatch):
    data = np.frombuffer(("é" * (module.MAX_BYTES // 2 + 10)).encode(), np.uint8)
    shifted = np.concatenate([np.frombuffer(b"a", np.uint8), data])
    text = text_bytes(shifted, np.array([0, len(shifted)], np.int64), 0)
    assert len(text) == module.MAX_BYTES - 1
    assert text.tobytes().decode().endswith("é")


@pytest.mark.parametrize("large", [False, True])
def test_null_texts_slices_and_large_strings_are_read_as_they_are(large):
    array = pa.array(["skip", None, "a b", "c"], pa.large_string() if large else pa.string()).slice(1, 2)
    data, offsets = utf8(array)
    assert [text_bytes(data, offsets, row).tobytes() for row in range(2)] == [b"", b"a b"]
