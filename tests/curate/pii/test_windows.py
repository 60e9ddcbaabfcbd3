"""Windows hold whatever Presidio would find, and never cost more than the text is long."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import phonenumberutil

from curate.pii.windows import DIGIT_CHAIN, NUMBER_TABLE, OVERLAP, PHONE_PUNCTUATION, spaced, windows


def test_phone_punctuation_is_that_of_phonenumbers() -> None:
    theirs = re.compile(f"[{phonenumberutil._VALID_PUNCTUATION}]", re.IGNORECASE)
    ours = re.compile(f"[{PHONE_PUNCTUATION}]")
    assert [chr(c) for c in range(0x11000) if theirs.match(chr(c))] == [
        chr(c) for c in range(0x11000) if ours.match(chr(c))
    ]


def test_prose_has_no_windows() -> None:
    assert windows("In 1999 he was 30, @home, at 12:30: nothing.", 2048) == []


@pytest.mark.parametrize(
    "held", ["a@b.com", "2125550123", "8.8.8.8", "::1", "a:b:c:d:e:f:a:b", "GB82 WEST 1234", "+1 (212) 555-01"]
)
def test_each_trigger_opens_a_window_around_its_token(held: str) -> None:
    text = "word " * 100 + held + " word" * 100
    (window,) = windows(text, 2048)
    assert held in text[window.start : window.end]
    assert not window.cut_start
    assert not window.cut_end


def test_seven_digits_are_a_chain_and_six_are_none() -> None:
    assert DIGIT_CHAIN.fullmatch("123-4567")
    assert not DIGIT_CHAIN.search("123-456")
    assert not DIGIT_CHAIN.search("123-----4567"), "more than four characters between digits"


def test_a_table_of_numbers_has_120_digits_in_a_chain() -> None:
    assert NUMBER_TABLE.search("12 " * 60)
    assert not NUMBER_TABLE.search("12 " * 59 + "1")


def test_windows_stay_within_their_lines() -> None:
    (window,) = windows("before\na@b.com\nafter", 2048)
    assert (window.start, window.end) == (7, 14)


def test_a_token_without_end_is_cut_and_the_cut_is_marked() -> None:
    (window,) = windows("a" * 5000 + "@" + "b" * 5000, 2048)
    assert window.cut_start
    assert window.cut_end
    assert window.end - window.start < 1000


@given(st.text(alphabet="a@1 .:\n-电", max_size=300).map(lambda t: t * 8))
def test_windows_are_ordered_bounded_and_overlap_only_at_cuts(text: str) -> None:
    found = windows(text, 2 * OVERLAP + 100)
    for before, after in pairwise(found):
        assert before.start < after.start
        assert before.end <= after.start or (before.cut_end and after.cut_start)
    assert all(0 <= w.start < w.end <= len(text) and w.end - w.start <= 2 * OVERLAP + 100 for w in found)


@given(st.text(max_size=50))
def test_spacing_keeps_the_length_and_all_ascii(text: str) -> None:
    assert len(spaced(text)) == len(text)
    assert all(b in (a, "。") and (b == a or not a.isascii()) for a, b in zip(text, spaced(text), strict=True))
