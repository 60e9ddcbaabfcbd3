"""Sentences by marks: the stated rule, case by case and against a regular expression."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.sentences import sentence_counts, sentence_ends
from curate.kernels.unicode_tables import char_table

CLOSING = r"""["'”’»)\]」』）]*"""
END = re.compile(rf"[.!?…؟।]+{CLOSING}(?=\s|\Z)|[。！？]+{CLOSING}")


def ends_of(data: bytes, start=0, end=None):
    text, ends = np.frombuffer(data, np.uint8), np.full(len(data) + 1, -1, np.int64)
    num = sentence_ends(text, start, len(data) if end is None else end, char_table(), ends)
    return ends[:num].tolist()


def oracle(text):
    """Ends in characters."""
    ends = [match.end() for match in END.finditer(text)]
    last = len(text.rstrip())
    return [*ends, last] if last > (ends[-1] if ends else 0) and text[ends[-1] if ends else 0 :].strip() else ends


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("", 0),
        ("  \n", 0),
        ("One.", 1),
        ("One. Two", 2),
        ("One? Two! Three.", 3),
        ('He said: "Go." Then he went.', 2),
        ("It costs 3.14 euros.", 1),
        ("Wait... what?!", 2),
        ("Dr. Who came.", 2),
        ("你好。世界！再见", 3),
        ("「你好。」世界。", 2),
        ("क्या है। हाँ।", 2),
        ("No mark at all", 1),
        ('An "odd"', 1),
        ("...", 1),
        ("(Yes.) No.", 2),
        ("end.\u00a0Next", 2),
        (None, 0),
    ],
)
def test_sentences_are_counted_by_the_stated_rule(line, count):
    assert sentence_counts(pa.array([line], pa.string()))[0] == count


@given(st.text(st.sampled_from("ab .!?…。！\"')」\n\u3000é😀\0")) | st.text())
def test_ends_are_those_of_the_expression(text):
    # str.rstrip and \s know white space as the rule does.
    found = [len(text.encode("utf-8", "replace")[:end].decode("utf-8", "replace")) for end in ends_of(text.encode())]
    assert found == oracle(text)


def test_real_texts_agree_with_the_expression(real_texts):
    for text in real_texts:
        data = text.encode()
        assert [len(data[:end].decode()) for end in ends_of(data)] == oracle(text)


@given(st.binary())
def test_ends_of_any_bytes_ascend_within_the_span(data):
    ends = ends_of(data)
    assert ends == sorted(set(ends))
    assert all(0 < end <= len(data) for end in ends)


def test_only_the_span_is_looked_at():
    assert ends_of(b"One. Two. Three.", 5, 12) == [9, 12]


@pytest.mark.parametrize("unit", [".", '.")', "a.b", "。", "…”"])
def test_megabytes_of_marks_take_no_longer_than_they_are(unit):
    assert sentence_counts(pa.array([unit * 10**6]))[0] >= 1
