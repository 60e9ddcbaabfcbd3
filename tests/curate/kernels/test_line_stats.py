"""Line statistics agree with plain Python over `str`, in each toolkit's way of counting."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_texts import BYTES, TEXTS, as_text, raw_array

from curate.kernels.line_stats import SIGNALS, line_stats

END_MARKS = '.!?"。'
COUNTINGS = ("paper", "datatrove")


def measure(*texts, counting="paper"):
    array = texts[0] if isinstance(texts[0], pa.Array) else pa.array(texts, pa.string())
    return line_stats(array, end_marks=END_MARKS, max_short_line_chars=10, counting=counting).to_pylist()


def oracle(text, counting):
    lines = [line if counting == "datatrove" else line.strip() for line in text.split("\n") if line.strip()]
    later, seen = 0, set()
    for line in lines:
        later += len(line) if line in seen else 0
        seen.add(line)
    chars = len(text.replace("\n", "")) if counting == "datatrove" else sum(map(len, lines))
    return {
        "line_punct_frac": sum(line[-1] in END_MARKS for line in lines) / max(len(lines), 1),
        "short_line_frac": sum(len(line) <= 10 for line in lines) / max(len(lines), 1),
        "dup_line_char_frac": later / max(chars, 1),
        "newline_word_ratio": text.count("\n") / max(len(text.split()), 1),
    }


@pytest.mark.parametrize("counting", COUNTINGS)
@given(texts=st.lists(TEXTS, min_size=1, max_size=4))
def test_statistics_are_those_of_the_obvious_definition(counting, texts):
    assert measure(*texts, counting=counting) == [oracle(text, counting) for text in texts]


@given(values=st.lists(BYTES, min_size=1, max_size=4))
def test_bytes_that_are_no_utf8_are_a_character_each(values):
    assert measure(raw_array(values)) == [oracle(as_text(value), "paper") for value in values]


@pytest.mark.parametrize("counting", COUNTINGS)
def test_real_texts_agree_with_the_oracle(real_texts, counting):
    assert measure(*real_texts, counting=counting) == [oracle(text, counting) for text in real_texts]


def test_null_is_null_and_nothing_is_zero():
    null, empty = measure(None, "")
    assert set(null.values()) == {None}
    assert set(empty.values()) == {0}


def test_no_rows_keep_the_type():
    assert line_stats(pa.array([], pa.string()), end_marks=END_MARKS, max_short_line_chars=10).type == SIGNALS


@pytest.mark.parametrize("text", ["#a#" * 500_000, "." * 1_500_000, "a\n" * 700_000])
def test_megabytes_of_hostile_text_are_measured(text):
    assert measure(text)[0] == pytest.approx(oracle(text, "paper"))
