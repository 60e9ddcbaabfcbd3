"""FineWeb's rules: each bound keeps what lies on it and drops what lies beyond."""

from __future__ import annotations

import re

import pytest

from curate.filters.fineweb import FineWeb

STAGE = FineWeb()


def line(i, chars=100, end="."):
    """A line of its own of `chars` characters in words of four letters."""
    return (f"{i:04d} " + "word " * chars)[: chars - len(end) - 1] + "x" + end


def page(number, special, marked):
    return "\n".join(special(i) if i < marked else line(i) for i in range(number))


@pytest.mark.parametrize(("marked", "expected"), [(13, []), (12, []), (11, ["line_punct_frac_below_min"])])
def test_twelve_lines_of_a_hundred_must_end_in_punctuation(reasons, marked, expected):
    assert reasons(STAGE, page(100, lambda i: line(i, end="x"), 100 - marked)) == expected


@pytest.mark.parametrize("mark", list(".!?'\"”’»…。！？؟।"))
def test_marks_of_many_scripts_end_a_line(reasons, mark):
    assert reasons(STAGE, page(10, lambda i: line(i, end=mark), 10)) == []


@pytest.mark.parametrize(("marked", "expected"), [(66, []), (67, []), (68, ["short_line_frac_above_max"])])
def test_sixty_seven_lines_of_a_hundred_may_be_short(reasons, marked, expected):
    assert reasons(STAGE, page(100, lambda i: line(i, chars=30), marked)) == expected


def test_a_line_of_31_characters_is_not_short(reasons):
    assert reasons(STAGE, page(100, lambda i: line(i, chars=31), 100)) == []


@pytest.mark.parametrize(("copies", "expected"), [(9, []), (10, []), (11, ["dup_line_char_frac_above_max"])])
def test_a_tenth_of_the_characters_may_be_in_later_copies(reasons, copies, expected):
    assert reasons(STAGE, page(100, lambda i: line(9999), copies + 1)) == expected


@pytest.mark.parametrize(("copies", "expected"), [(0, []), (1, []), (2, ["dup_line_char_frac_above_max"])])
def test_the_bound_of_the_code_is_a_setting(reasons, copies, expected):
    stage = FineWeb(max_dup_line_char_frac=0.01)
    assert reasons(stage, page(100, lambda i: line(9999), copies + 1)) == expected


@pytest.mark.parametrize(("newlines", "expected"), [(2, []), (3, []), (4, ["newline_word_ratio_above_max"])])
def test_three_newlines_for_ten_words_are_kept(reasons, newlines, expected):
    text = "alphabet " * 5 + "alphabet." + "\n" * newlines + "alphabet alphabet alphabet alphabet."
    assert reasons(STAGE, text) == expected


def test_null_is_kept_and_a_text_without_lines_is_not(reasons):
    assert reasons(STAGE, None) == []
    assert reasons(STAGE, "") == ["line_punct_frac_below_min"]
    assert reasons(STAGE, "\n \n") == ["line_punct_frac_below_min", "newline_word_ratio_above_max"]


def test_none_turns_a_bound_off():
    off = {name: None for name in FineWeb.model_fields if re.match("(min|max)_(?!short_line_chars)", name)}
    assert FineWeb(**off).limits == ()
