"""Words that BigScience left out of OSCAR's texts."""

from __future__ import annotations

import pyarrow as pa
import pytest

from curate.filters.roots_words import RootsWords

STAGE = RootsWords()


def left(text, stage=STAGE):
    modified = stage.modify(pa.record_batch({"text": pa.array([text], pa.string())}))
    assert modified.signals.type == stage.signals
    return modified.columns["text"][0].as_py()


@pytest.mark.parametrize("word", ["http://a.b", "(www.a.b)", "a.com", "href='x'", "a//b"])
def test_words_of_an_address_go(word):
    assert left(f"See {word} now") == "See now"


@pytest.mark.parametrize("word", ["HTTP", "com", "Www", ".com", "//", "a/b"])
def test_other_words_stay(word):
    assert left(f"See {word} now") == f"See {word} now"


@pytest.mark.parametrize(
    ("word", "stays"), [("é" * 25, True), ("é" * 26, False), (f"({'é' * 25})", True), ("-" * 26, False)]
)
def test_words_of_at_most_25_characters_stay(word, stays):
    assert left(f"a {word} b") == (f"a {word} b" if stays else "a b")


def test_the_signals_count_what_went():
    batch = pa.record_batch({"text": pa.array(["www.a www.b " + "x" * 30, None])})
    assert STAGE.modify(batch).signals.to_pylist() == [
        {"substring_words": 2, "long_words": 1},
        {"substring_words": None, "long_words": None},
    ]


def test_lines_are_kept_and_white_space_between_words_is_one_space():
    assert left("a  b\u00a0c\td\n\n \ne ") == "a b c d\ne"
    assert left("a  b\u00a0c\td\n\n \ne ", RootsWords(uniform_white_space=False)) == "a b\u00a0c\td\ne"


def test_none_and_an_empty_list_turn_the_rules_off():
    text = "http://a " + "x" * 30
    assert left(text, RootsWords(substrings=(), max_word_chars=None)) == text


def test_null_stays_null():
    assert left(None) is None
