"""Cuts around spans: what they take, where they end, what becomes of short pieces."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_texts import BYTES, raw_array

from curate.kernels.contamination import REACH, cuts_around
from curate.kernels.cuts import CUTS, cut

CHARS = st.text(st.sampled_from(list("ab .\n!日。é🙂")), max_size=300)


def cuts_of(text, spans, margin, min_piece=0):
    """Cuts of one text as pairs, with the number of pieces and the bytes left. Spans are characters."""
    at = np.cumsum([0, *(len(char.encode("utf-8", "surrogatepass")) for char in text)])
    spans = sorted(spans)
    starts, ends = (np.array([at[span[side]] for span in spans], np.int64) for side in (0, 1))
    found = cuts_around(pa.array([text]), starts, ends, np.array([0, len(spans)]), margin, min_piece)
    pairs = list(zip(found.start.tolist(), found.end.tolist(), strict=True))
    return pairs, int(found.num_pieces[0]), int(found.left_bytes[0])


@st.composite
def texts_with_spans(draw):
    text = draw(CHARS.filter(bool))
    pairs = st.tuples(st.integers(0, len(text) - 1), st.integers(1, 20))
    return text, [(a, min(a + size, len(text))) for a, size in draw(st.lists(pairs, min_size=1, max_size=5))]


@given(texts_with_spans(), st.integers(0, 30), st.integers(0, 40))
def test_a_cut_takes_the_margin_and_little_more_and_leaves_no_short_piece(case, margin, min_piece):
    text, spans = case
    pairs, _, left = cuts_of(text, spans, margin, min_piece)
    (rest,) = cut(pa.array([text]), pa.array([[{"start": a, "end": b} for a, b in pairs]], CUTS)).to_pylist()
    assert len(rest.encode()) == left
    chars, data, pieces, before = [], text.encode(), [], 0
    for start, end in pairs:
        chars.append((len(data[:start].decode()), len(data[:end].decode())))  # cuts lie between characters
    for start, end in [*chars, (len(text), len(text))]:
        pieces += [start - before] if start > before else []
        before = end
    assert all(size >= min_piece for size in pieces)
    for start, end in spans:
        low, high = max(0, start - margin), min(len(text), end + margin)
        assert any(a <= low and high <= b for a, b in chars)
    if not min_piece:
        near = {i for a, b in spans for i in range(a - margin - REACH, b + margin + REACH)}
        assert all(i in near for a, b in chars for i in range(a, b))


def test_a_cut_ends_at_sentences_where_they_are_near():
    text = "One is here. Two is here. THREE is bad now. Four is here. Five is here."
    start = text.index("THREE")
    assert cuts_of(text, [(start, start + 5)], 0)[0] == [(text.index("THREE"), text.index("Four"))]
    assert cuts_of(text, [(start, start + 5)], 3)[0] == [(text.index("Two"), text.index("Four"))]
    assert cuts_of("第一句。坏的话在这里。第三句。", [(5, 6)], 0)[0] == [(12, 33)]
    assert cuts_of("Title\nbad text\nMore", [(6, 9)], 1)[0] == [(0, 15)]


@pytest.mark.parametrize(("before", "reaches"), [(REACH - 1, True), (REACH, False)])
def test_a_sentence_further_away_than_the_reach_is_not_looked_for(before, reaches):
    text = "End. " + "x" * (before - 2) + " y" + "BAD" + "z " + "z" * 300
    start = text.index("BAD")
    pairs, _, _ = cuts_of(text, [(start, start + 3)], 0)
    assert pairs[0][0] == (5 if reaches else start - 1)


def test_without_spaces_a_cut_ends_between_characters():
    text = "é" * 300
    assert cuts_of(text, [(150, 160)], 10)[0] == [(280, 340)]


def test_pieces_are_counted_before_short_ones_go():
    text = "a" * 150 + "B" + "c" * 20 + "D" + "e" * 150
    spans = [(150, 151), (171, 172)]
    assert cuts_of(text, spans, 0, 20) == ([(150, 151), (171, 172)], 3, 320)
    assert cuts_of(text, spans, 0, 21) == ([(150, 172)], 3, 300)
    assert cuts_of(text, spans, 0, 150) == ([(150, 172)], 3, 300)
    assert cuts_of(text, spans, 0, 151) == ([(0, 322)], 3, 0)


def test_short_pieces_are_measured_in_characters():
    text = "é" * 130 + "BAD" + "è" * 130
    assert cuts_of(text, [(130, 133)], 0, 130)[2] == 520
    assert cuts_of(text, [(130, 133)], 0, 131)[2] == 0


def test_a_text_without_spans_is_one_piece():
    found = cuts_around(pa.array(["short", None, ""]), *(np.zeros(0, np.int64),) * 2, np.zeros(4, np.int64), 200, 200)
    assert len(found.start) == 0
    assert found.left_bytes.tolist() == [5, 0, 0]


@given(BYTES.filter(bool), st.data())
def test_bytes_that_are_no_utf8_are_cut_without_harm(value, data):
    start = data.draw(st.integers(0, len(value) - 1))
    found = cuts_around(raw_array([value]), np.array([start]), np.array([len(value)]), np.array([0, 1]), 5, 3)
    assert 0 <= found.start[0] < found.end[0] <= len(value)
    assert found.left_bytes[0] == len(value) - (found.end[0] - found.start[0])
