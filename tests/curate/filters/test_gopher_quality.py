"""Gopher quality: each published bound keeps what lies on it and drops what lies beyond."""

from __future__ import annotations

import re

import pytest

from curate.filters.gopher_quality import GopherQuality

STAGE = GopherQuality()


def words(number, other=()):
    """`number` words in all, two stop words and `other` among them, the rest of five letters."""
    return " ".join(["the", "and", *other, *["lorem"] * (number - 2 - len(other))])


def lines(number, other, marked):
    """`number` lines of 14 words; `marked` of them are as `other` makes them."""
    line = words(14)
    return "\n".join([other(line)] * marked + [line] * (number - marked))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (words(50), []),
        (words(51), []),
        (words(49), ["word_count_below_min"]),
        (words(100_000), []),
        (words(100_001), ["word_count_above_max"]),
    ],
)
def test_50_to_100_000_words_are_kept(reasons, text, expected):
    assert reasons(STAGE, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the and " * 30 + "a", ["mean_word_length_below_min"]),
        ("the and " * 30, []),
        ("the and " * 30 + "of ipsum", []),
        (" ".join(["the", "and", "x" * 23, *["x" * 10] * 97]), []),  # 999 characters in 100 words
        (" ".join(["the", "and", "x" * 24, *["x" * 10] * 97]), []),  # 1,000
        (" ".join(["the", "and", "x" * 25, *["x" * 10] * 97]), ["mean_word_length_above_max"]),
    ],
)
def test_words_of_3_to_10_characters_in_the_mean_are_kept(reasons, text, expected):
    assert reasons(STAGE, text) == expected


@pytest.mark.parametrize(
    ("symbols", "reason"), [(["#"], "hash_symbol_frac_above_max"), (["a..."], "ellipsis_symbol_frac_above_max")]
)
def test_a_symbol_for_every_tenth_word_is_kept(reasons, symbols, reason):
    assert reasons(STAGE, words(100, symbols * 9)) == []
    assert reasons(STAGE, words(100, symbols * 10)) == []
    assert reasons(STAGE, words(100, symbols * 11)) == [reason]


@pytest.mark.parametrize("bullet", ["•", "-", "*", "‣"])
def test_nine_bullet_lines_of_ten_are_kept(reasons, bullet):
    assert reasons(STAGE, lines(10, lambda line: f"  {bullet} {line}", 8)) == []
    assert reasons(STAGE, lines(10, lambda line: f"{bullet}{line}", 9)) == []
    assert reasons(STAGE, lines(10, lambda line: f"{bullet} {line}", 10)) == ["bullet_line_frac_above_max"]


@pytest.mark.parametrize("ellipsis", ["...", "…", " ... "])
def test_three_lines_of_ten_may_end_in_an_ellipsis(reasons, ellipsis):
    assert reasons(STAGE, lines(10, lambda line: line + ellipsis, 2)) == []
    assert reasons(STAGE, lines(10, lambda line: line + ellipsis, 3)) == []
    assert reasons(STAGE, lines(10, lambda line: line + ellipsis, 4)) == ["ellipsis_line_frac_above_max"]


def test_eighty_words_of_a_hundred_must_have_a_letter(reasons):
    assert reasons(STAGE, words(100, ["2,026"] * 19)) == []
    assert reasons(STAGE, words(100, ["2,026"] * 20)) == []
    assert reasons(STAGE, words(100, ["2,026"] * 21)) == ["alphabetic_word_frac_below_min"]


def test_two_different_stop_words_are_needed(reasons):
    body = "lorem " * 60
    assert reasons(STAGE, body + "the and of") == []
    assert reasons(STAGE, body + "The (of)") == []
    assert reasons(STAGE, body + "the the") == ["stop_word_count_below_min"]


def test_stop_words_of_another_language_are_a_setting(reasons):
    text = "der Hund und die Katze " * 12
    assert "stop_word_count_below_min" in reasons(STAGE, text)
    assert reasons(GopherQuality(stop_words=("der", "und", "die")), text) == []


def test_null_is_kept_and_empty_is_too_short(reasons):
    assert reasons(STAGE, None) == []
    assert reasons(STAGE, "")[0] == "word_count_below_min"


def test_none_turns_a_bound_off(reasons):
    assert reasons(GopherQuality(min_word_count=None), words(5)) == []
    off = {name: None for name in GopherQuality.model_fields if re.match("(min|max)_(?!short_line_chars)", name)}
    assert GopherQuality(**off).limits == ()
