"""Cutting a batch of texts is what cutting each text with `str` methods gives, whatever the batch looks like."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.kernels.segments import by_chunks, split_lines, split_paragraphs, split_words

TEXTS = st.lists(
    st.none() | st.text(max_size=60) | st.text(alphabet="ab \t\n\r\u2028\u3000.", max_size=60), min_size=0, max_size=8
)


def in_rows(segments):
    rows = [[] for _ in range(segments.num_rows)]
    for row, value in zip(segments.rows.tolist(), segments.values.to_pylist(), strict=True):
        rows[row].append(value)
    return rows


def lines_of(text):
    return [line.strip() for line in (text or "").split("\n") if line.strip()]


def paragraphs_of(text):
    paragraphs = [[]]
    for line in (text or "").split("\n"):
        if line.strip():
            paragraphs[-1].append(line.strip())
        else:
            paragraphs.append([])
    return ["\n".join(lines) for lines in paragraphs if lines]


@settings(deadline=None)
@given(TEXTS)
def test_words_are_what_str_split_gives(texts):
    assert in_rows(split_words(pa.array(texts, pa.string()))) == [(text or "").split() for text in texts]


@settings(deadline=None)
@given(TEXTS)
def test_lines_end_at_newline_alone_and_are_stripped_and_never_blank(texts):
    assert in_rows(split_lines(pa.array(texts, pa.string()))) == [lines_of(text) for text in texts]


@settings(deadline=None)
@given(TEXTS)
def test_paragraphs_are_runs_of_lines_without_a_blank_one(texts):
    assert in_rows(split_paragraphs(pa.array(texts, pa.string()))) == [paragraphs_of(text) for text in texts]


@settings(deadline=None)
@given(TEXTS, st.integers(0, 7))
def test_a_slice_of_a_batch_is_cut_as_the_rows_it_has(texts, start):
    array = pa.array(texts, pa.string())
    for split in (split_words, split_lines, split_paragraphs):
        assert in_rows(split(array.slice(start))) == in_rows(split(array))[start:]


@settings(deadline=None)
@given(TEXTS)
def test_joined_lines_come_back_for_each_row(texts):
    joined = split_lines(pa.array(texts, pa.string())).joined("\n").to_pylist()
    assert joined == ["\n".join(lines_of(text)) for text in texts]


@settings(deadline=None)
@given(TEXTS, st.integers(1, 50), st.sampled_from([pa.string(), pa.large_string()]))
def test_the_size_of_the_chunks_changes_nothing(texts, max_bytes, type_):
    array = pa.array(texts, type_)
    copied = by_chunks(array, lambda part: part, pa.string(), max_bytes=max_bytes)
    assert copied.to_pylist() == texts
    assert copied.type == pa.string()


def test_chunks_are_bounded_unless_one_text_alone_is_longer():
    sizes = []

    def measure(part):
        sizes.append([len(text) for text in part.to_pylist()])
        return part

    by_chunks(pa.array(["aaaa", "bbbb", "c" * 9, "d", "e"]), measure, pa.string(), max_bytes=8)
    assert sizes == [[4, 4], [9], [1, 1]]


@pytest.mark.parametrize(("chars", "seen"), [(7, 7), (8, 8), (9, 8)])
def test_a_text_longer_than_the_bound_is_measured_by_its_beginning(chars, seen):
    measured = by_chunks(pa.array(["é" * chars]), lambda part: part, pa.string(), max_chars=8)
    assert measured.to_pylist() == ["é" * seen]


def test_the_last_word_does_not_keep_a_blank_that_follows_it():
    """What pyarrow 26 gets wrong: `.\\x85` and `...\\u2028` came out as words, depending on the neighbouring rows."""
    texts = ["\u3000", "x\x85a\u3000\x1c", "\u2029 \n\x1c\u2029.\r\u2029\x85.", "\x1cax\x1c\u2028\u3000\x85\x1c\u2029"]
    texts.append("x. \x85\u2028.\x85")
    assert in_rows(split_words(pa.array(texts, pa.string()))) == [text.split() for text in texts]
