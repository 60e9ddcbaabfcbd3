"""CCNet's paragraphs and its 300 characters."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.filters.ccnet import CCNet


def result(stage, *texts):
    modified = stage.modify(pa.record_batch({"text": pa.array(texts, pa.string())}))
    return modified.columns["text"].to_pylist(), modified.signals.to_pylist()


@pytest.mark.parametrize(("chars", "expected"), [(299, ["char_count_below_min"]), (300, []), (301, [])])
@pytest.mark.parametrize("char", ["a", "é", "中"])
def test_300_characters_are_enough(reasons, chars, expected, char):
    assert reasons(CCNet(), char * chars) == expected
    assert reasons(CCNet(min_char_count=None), char * chars) == []


def test_characters_are_counted_after_blank_lines_and_white_space_are_gone(reasons):
    assert reasons(CCNet(), "a" * 149 + " \n\n \t\n" + "b" * 150) == []  # with the newline between them
    assert reasons(CCNet(), "a" * 149 + "\n" * 9 + "b" * 149) == ["char_count_below_min"]


def test_short_paragraphs_stay(reasons):
    text = "\n".join(["a"] * 150) + "\nbc"
    assert reasons(CCNet(), text) == []
    assert result(CCNet(), text)[0] == [text]
    assert reasons(CCNet(min_paragraph_count=152), text) == ["paragraph_count_below_min"]
    assert reasons(CCNet(min_paragraph_count=151), text) == []


def test_the_first_paragraph_of_a_wet_record_is_its_title():
    text = "\n Title \n First. \n\nSecond.\n"
    assert result(CCNet(), text)[0] == ["Title\nFirst.\nSecond."]
    (left,), (signals,) = result(CCNet(drop_first_paragraph=True), text)
    assert left == "First.\nSecond."
    assert signals == {"char_count": 14, "paragraph_count": 2, "blank_line_count": 2}


def oracle(text):
    return "\n".join(filter(None, (line.strip() for line in text.split("\n"))))


@given(st.lists(st.text("a \n\té中\r\u00a0\0", max_size=30), max_size=5))
def test_paragraphs_are_stripped_lines(texts):
    left, signals = result(CCNet(), *texts)
    assert left == [oracle(text) for text in texts]
    assert [one["char_count"] for one in signals] == [len(text) for text in left]
    assert [one["paragraph_count"] for one in signals] == [len(list(filter(None, text.split("\n")))) for text in left]
    assert result(CCNet(), *left)[0] == left


@pytest.mark.parametrize("name", ["news_en", "zh"])
def test_real_texts(shared_data, name):
    texts = pq.read_table(shared_data / "text" / f"{name}.parquet", columns=["text"])["text"].slice(0, 50).to_pylist()
    assert result(CCNet(), *texts)[0] == list(map(oracle, texts))


def test_null_stays_null(reasons):
    assert result(CCNet(), None, "")[0] == [None, ""]
    assert reasons(CCNet(), None) == []
