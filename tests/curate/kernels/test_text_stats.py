"""Word and line statistics agree with plain Python over `str`."""

from __future__ import annotations

import unicodedata

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.kernels.text_stats import LINE_SIGNALS, WORD_SIGNALS, line_stats, word_stats

STOP_WORDS = ("the", "be", "to", "of")
BULLETS = "•-*"
END_MARKS = '.!?"。'
# RE2 and Python know different versions of Unicode; they agree on what was a letter long ago.
CHARACTERS = st.characters(max_codepoint=0x2FFF, exclude_categories=["Cs", "Cn"])
PIECES = [
    "the",
    "The,",
    '"to"',
    "of",
    "be.",
    "12",
    "#",
    "...",
    "…",
    "•",
    "- x",
    "\n",
    "\n\n",
    "wörd",
    "字字。",
    "a\u0301",
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=60).map(" ".join) | st.text(CHARACTERS)


def words_of(*texts, stop_words=STOP_WORDS):
    return word_stats(pa.array(texts, pa.string()), stop_words=stop_words, bullets=BULLETS).to_pylist()


def lines_of(*texts):
    return line_stats(pa.array(texts, pa.string()), end_marks=END_MARKS, max_short_line_chars=10).to_pylist()


def is_letter_or_number(character):
    return unicodedata.category(character)[0] in "LN"


def bare(word):
    kept = [i for i, character in enumerate(word) if is_letter_or_number(character)]
    return word[kept[0] : kept[-1] + 1].lower() if kept else ""


def word_oracle(text):
    words = text.split()
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    num_words, num_lines = max(len(words), 1), max(len(lines), 1)
    return {
        "word_count": len(words),
        "mean_word_length": sum(map(len, words)) / num_words,
        "hash_symbol_frac": text.count("#") / num_words,
        "ellipsis_symbol_frac": (text.count("...") + text.count("…")) / num_words,
        "bullet_line_frac": sum(line[0] in BULLETS for line in lines) / num_lines,
        "ellipsis_line_frac": sum(line.endswith(("...", "…")) for line in lines) / num_lines,
        "alphabetic_word_frac": sum(any(unicodedata.category(c)[0] == "L" for c in w) for w in words) / num_words,
        "stop_word_count": len({bare(word) for word in words} & set(STOP_WORDS)),
    }


def line_oracle(text):
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    num_lines = max(len(lines), 1)
    later = [line for i, line in enumerate(lines) if line in lines[:i]]
    return {
        "line_punct_frac": sum(line[-1] in END_MARKS for line in lines) / num_lines,
        "short_line_frac": sum(len(line) <= 10 for line in lines) / num_lines,
        "dup_line_char_frac": sum(map(len, later)) / max(sum(map(len, lines)), 1),
        "newline_word_ratio": text.count("\n") / max(len(text.split()), 1),
    }


@settings(deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_word_statistics_are_those_of_the_obvious_definition(texts):
    assert words_of(*texts) == [word_oracle(text) for text in texts]


@settings(deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_line_statistics_are_those_of_the_obvious_definition(texts):
    assert lines_of(*texts) == [line_oracle(text) for text in texts]


@settings(deadline=None)
@given(st.text())
def test_any_text_is_measured_and_shares_are_in_0_1(text):
    words, lines = words_of(text)[0], lines_of(text)[0]
    for name in ("bullet_line_frac", "ellipsis_line_frac", "alphabetic_word_frac"):
        assert 0 <= words[name] <= 1
    for name in ("line_punct_frac", "short_line_frac", "dup_line_char_frac"):
        assert 0 <= lines[name] <= 1


@pytest.mark.parametrize("name", ["news_en", "manuals_en"])
def test_real_texts_agree_with_the_oracle(shared_data, name):
    texts = pq.read_table(shared_data / "text" / f"{name}.parquet", columns=["text"])["text"].slice(0, 100).to_pylist()
    assert words_of(*texts) == [word_oracle(text) for text in texts]
    assert lines_of(*texts) == [line_oracle(text) for text in texts]


def test_null_is_null_and_nothing_is_zero():
    for measure in (words_of, lines_of):
        null, empty = measure(None, "")
        assert set(null.values()) == {None}
        assert set(empty.values()) == {0}


def test_no_rows_keep_the_types():
    nothing = pa.array([], pa.string())
    assert word_stats(nothing, stop_words=STOP_WORDS, bullets=BULLETS).type == WORD_SIGNALS
    assert line_stats(nothing, end_marks=END_MARKS, max_short_line_chars=10).type == LINE_SIGNALS


def test_stop_words_are_counted_once_each_in_any_case_and_beside_punctuation():
    assert words_of('The the (THE) "to" tomorrow')[0]["stop_word_count"] == 2


def test_without_stop_words_none_is_found():
    assert words_of("the of", stop_words=())[0]["stop_word_count"] == 0


def test_a_longer_row_of_dots_is_an_ellipsis_for_every_three():
    assert words_of("wait....... what")[0]["ellipsis_symbol_frac"] == 2 / 2


def test_scripts_without_spaces_are_measured_though_their_words_mean_little():
    signals = words_of("我们在这里。\n他们在那里。")[0]
    assert signals["word_count"] == 2
    assert signals["alphabetic_word_frac"] == 1
    assert lines_of("我们在这里。\n他们在那里。")[0]["line_punct_frac"] == 1


@pytest.mark.parametrize("text", ["#a#" * 500_000, "." * 1_500_000, "a\n" * 700_000, "!" * 1_000_000 + "the"])
def test_megabytes_of_hostile_text_are_measured(text):
    assert words_of(text)[0]["word_count"] == len(text.split())
    assert lines_of(text)[0]["newline_word_ratio"] == pytest.approx(line_oracle(text[:2000])["newline_word_ratio"])
