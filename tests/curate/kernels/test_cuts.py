"""Texts without byte spans, against slices of Python's."""

from __future__ import annotations

from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.cuts import CUTS, cut


def spans(*pairs):
    return [{"start": start, "end": end} for start, end in pairs]


def cut_one(text, *pairs):
    return cut(pa.array([text], pa.string()), pa.array([spans(*pairs)], CUTS)).to_pylist()[0]


def slowly(text, list_of_spans):
    if text is None or list_of_spans is None:
        return text
    removed = {at for span in list_of_spans for at in range(span["start"], span["end"])}
    return bytes(byte for at, byte in enumerate(text.encode()) if at not in removed).decode()


@st.composite
def row(draw):
    """A text and spans that do not divide a character."""
    text = draw(st.none() | st.text(alphabet="ab \näé中😀\0", max_size=30))
    if draw(st.booleans()):
        return text, None
    chars = draw(st.lists(st.integers(0, len(text or "")), unique=True, max_size=8))
    bounds = [len((text or "")[:at].encode()) for at in sorted(chars)]
    touching = draw(st.booleans())
    pairs = pairwise(bounds) if touching else list(pairwise(bounds))[::2]
    return text, spans(*pairs)


@given(st.lists(row(), max_size=12), st.integers(0, 3))
def test_what_lies_in_a_span_goes_and_the_rest_stays(rows, skipped):
    texts, cuts = pa.array([text for text, _ in rows], pa.string()), pa.array([made for _, made in rows], CUTS)
    found = cut(texts.slice(skipped), cuts.slice(skipped))
    found.validate(full=True)
    assert found.type == pa.string()
    assert found.to_pylist() == [slowly(*each) for each in rows[skipped:]]


def test_a_span_ends_before_its_end_and_counts_bytes():
    assert cut_one("abc", (0, 1)) == "bc"
    assert cut_one("abc", (2, 3)) == "ab"
    assert cut_one("ä中b", (2, 5)) == "äb"
    assert cut_one("abc", (0, 1), (1, 3)) == ""


def test_a_null_or_empty_list_leaves_a_text_and_a_null_text_stays():
    texts = pa.array(["a", None, "b", ""])
    assert cut(texts, pa.array([None, None, None, None], CUTS)) is texts
    assert cut(texts, pa.array([[], [], None, []], CUTS)).to_pylist() == ["a", None, "b", ""]
    assert cut(texts[:0], pa.array([], CUTS)).to_pylist() == []


def test_what_lies_under_a_null_list_cuts_nothing():
    values = pa.array(spans((0, 1), (0, 2), (1, 2)), CUTS.value_type)
    cuts = pa.ListArray.from_arrays(pa.array([0, 1, 2, 3], pa.int32()), values, mask=pa.array([False, True, False]))
    assert cut(pa.array(["ab", "cd", "ef"]), cuts).to_pylist() == ["b", "cd", "e"]


def test_the_end_of_the_text_is_the_last_end():
    assert cut_one("äbcd", (3, 5)) == "äb"
    with pytest.raises(ValueError, match="row 0"):
        cut_one("äbcd", (3, 6))


@pytest.mark.parametrize(
    "pairs", [[(-1, 1)], [(1, 1)], [(2, 1)], [(0, 2), (1, 3)], [(2, 3), (0, 1)], [(None, 1)], [(0, None)], [(0, 9)]]
)
def test_spans_that_cannot_be_are_an_error_that_names_the_row(pairs):
    texts = pa.array(["ab", "abcd", "ab"])
    with pytest.raises(ValueError, match="row 1"):
        cut(texts, pa.array([spans((0, 1)), spans(*pairs), None], CUTS))


def test_a_null_text_has_no_span():
    with pytest.raises(ValueError, match="row 0"):
        cut_one(None, (0, 1))


def test_another_number_of_lists_is_an_error():
    with pytest.raises(ValueError, match="2 texts and 1 lists"):
        cut(pa.array(["a", "b"]), pa.array([[]], CUTS))
