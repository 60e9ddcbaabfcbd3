"""Gopher repetition: each published bound keeps what lies on it and drops what lies beyond."""

from __future__ import annotations

import pytest

from curate.filters.gopher_repetition import GopherRepetition

PUBLISHED = {  # Rae et al. 2021, table A1
    "dup_line_frac": 0.30,
    "dup_paragraph_frac": 0.30,
    "dup_line_char_frac": 0.20,
    "dup_paragraph_char_frac": 0.20,
    "top_2gram_char_frac": 0.20,
    "top_3gram_char_frac": 0.18,
    "top_4gram_char_frac": 0.16,
    "dup_5gram_char_frac": 0.15,
    "dup_6gram_char_frac": 0.14,
    "dup_7gram_char_frac": 0.13,
    "dup_8gram_char_frac": 0.12,
    "dup_9gram_char_frac": 0.11,
    "dup_10gram_char_frac": 0.10,
}


def only(signal):
    """The stage with one of its bounds on."""
    return GopherRepetition(**{f"max_{name}": None for name in PUBLISHED if name != signal})


def names(number, start=0):
    """`number` different words of five letters."""
    return [f"w{i:04d}" for i in range(start, start + number)]


def test_the_bounds_are_the_published_ones():
    assert {limit.signal: limit.value for limit in GopherRepetition().limits} == PUBLISHED


@pytest.mark.parametrize("copies", [2, 3, 4])
@pytest.mark.parametrize(("signal", "separator"), [("dup_line_frac", "\n"), ("dup_paragraph_frac", "\n\n")])
def test_three_copies_of_ten_are_kept(reasons, signal, separator, copies):
    text = separator.join([*names(10 - copies), *["w0000"] * copies])
    assert reasons(only(signal), text) == ([f"{signal}_above_max"] if copies > 3 else [])


@pytest.mark.parametrize("copies", [19, 20, 21])
@pytest.mark.parametrize(("signal", "separator"), [("dup_line_char_frac", "\n"), ("dup_paragraph_char_frac", "\n\n")])
def test_a_fifth_of_the_characters_is_kept(reasons, signal, separator, copies):
    text = separator.join([*names(100 - copies), *["w0000"] * copies])
    assert reasons(only(signal), text) == ([f"{signal}_above_max"] if copies > 20 else [])


@pytest.mark.parametrize("beyond", [-1, 0, 1])
@pytest.mark.parametrize("n", [2, 3, 4])
def test_the_top_ngram_may_take_its_share(reasons, n, beyond):
    """The n-gram twelve times, in a text of just as many words of equal length as keep it within its share."""
    signal = f"top_{n}gram_char_frac"
    repeated = [word for i in range(12) for word in [*names(n), f"s{i:04d}"]]
    total = round(12 * n / PUBLISHED[signal])
    assert 12 * n / total <= PUBLISHED[signal] < 12 * n / (total - 1)
    text = " ".join(repeated + names(total - beyond - len(repeated), start=100))
    assert reasons(only(signal), text) == ([f"{signal}_above_max"] if beyond > 0 else [])


@pytest.mark.parametrize("copied", [-1, 0, 1])
@pytest.mark.parametrize("n", [5, 6, 7, 8, 9, 10])
def test_duplicate_ngrams_may_take_their_share(reasons, n, copied):
    """In 1,000 words of equal length, the first so many come once more at the end: share = copied words / 1,000."""
    signal = f"dup_{n}gram_char_frac"
    again = round(1000 * PUBLISHED[signal]) + copied
    text = " ".join(names(1000 - again) + names(again))
    assert reasons(only(signal), text) == ([f"{signal}_above_max"] if copied > 0 else [])


def test_null_and_empty_texts_are_kept(reasons):
    assert reasons(GopherRepetition(), None) == []
    assert reasons(GopherRepetition(), "") == []


def test_a_page_of_one_word_breaks_every_ngram_rule(reasons):
    broken = reasons(GopherRepetition(), "buy " * 100)
    assert broken == [f"{name}_above_max" for name in PUBLISHED if "gram" in name]
