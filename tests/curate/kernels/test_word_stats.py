"""Word statistics agree with plain Python over `str`, in each toolkit's way of counting."""

from __future__ import annotations

import statistics
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_texts import BYTES, TEXTS, as_text, raw_array

from curate.kernels.word_stats import SIGNALS, SYMBOLS, word_stats

STOP_WORDS = ("the", "be", "to", "of", "και")
BULLETS = "•-*"
COUNTINGS = ("paper", "datatrove", "dolma", "dclm")


def measure(*texts, counting="paper", stop_words=STOP_WORDS):
    array = texts[0] if isinstance(texts[0], pa.Array) else pa.array(texts, pa.string())
    return word_stats(array, stop_words=stop_words, bullets=BULLETS, counting=counting).to_pylist()


def category(character):
    return unicodedata.category(character)[0]


def bare(word):
    kept = [i for i, character in enumerate(word) if category(character) in "LN"]
    return word[kept[0] : kept[-1] + 1] if kept else ""


def lower(word):
    """Simple lower case: what would be two characters stays."""
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in word)


def is_symbol(character):
    return character in SYMBOLS or ord(character) < 32 or 127 <= ord(character) < 160


def paper(text, words):
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    return {
        "word_count": len(words),
        "mean_word_length": sum(map(len, words)) / max(len(words), 1),
        "bullet_line_frac": sum(line[0] in BULLETS for line in lines) / max(len(lines), 1),
        "ellipsis_line_frac": sum(line.endswith(("...", "…")) for line in lines) / max(len(lines), 1),
        "stop_word_count": len({lower(bare(word)) for word in words} & set(STOP_WORDS)),
    }


def datatrove(text, words):
    counted = [word for word in words if not all(map(is_symbol, word))]
    lines = text.splitlines()
    return {
        "word_count": len(counted),
        "mean_word_length": sum(map(len, counted)) / max(len(counted), 1),
        "bullet_line_frac": sum(line.lstrip()[:1] in [*BULLETS] for line in lines) / max(len(lines), 1),
        "ellipsis_line_frac": sum(line.rstrip().endswith(("...", "…")) for line in lines) / max(len(lines), 1),
        "stop_word_count": len(set(words) & set(STOP_WORDS)),
    }


def dolma(text, words):
    lines = text.split("\n") if text else []
    return {
        "word_count": len(words),
        "mean_word_length": sum(map(len, words)) / max(len(words), 1),
        "median_word_length": statistics.median(map(len, words)) if words else 0,
        "symbol_word_ratio": sum("#" in word or "…" in word for word in words) / max(len(words), 1),
        "bullet_line_frac": sum(line[:1] in [*BULLETS] for line in lines) / max(len(lines), 1),
        "ellipsis_line_frac": sum(line.endswith("…") for line in lines) / max(len(lines), 1),
        "stop_word_count": sum(word in STOP_WORDS for word in words),
    }


def dclm(text, words):
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    symbols = sum(map(text.count, ("#", "...", "…", ". . .")))
    ends = ("...", "…", ". . .")
    return {
        "word_count": sum(category(word[0]) in "LN" for word in words),
        "mean_word_length": sum(map(len, words)) / max(len(words), 1),
        "symbol_word_ratio": symbols / max(len(words), 1),
        "ellipsis_symbol_frac": (symbols - text.count("#")) / max(len(words), 1),
        "bullet_line_frac": sum(line[0] in BULLETS for line in lines) / max(len(lines), 1),
        "ellipsis_line_frac": sum(line.endswith(ends) for line in lines) / max(len(lines), 1),
        "stop_word_count": sum(lower(word) in STOP_WORDS for word in words),
    }


def oracle(text, counting):
    words = text.split()
    num_words = max(len(words), 1)
    ellipses = text.count("...") + text.count("…")
    shared = {
        "median_word_length": None,
        "hash_symbol_frac": text.count("#") / num_words,
        "ellipsis_symbol_frac": ellipses / num_words,
        "symbol_word_ratio": (text.count("#") + ellipses) / num_words,
        "alphabetic_word_frac": sum(any(category(c) == "L" for c in word) for word in words) / num_words,
    }
    return shared | {"paper": paper, "datatrove": datatrove, "dolma": dolma, "dclm": dclm}[counting](text, words)


@pytest.mark.parametrize("counting", COUNTINGS)
@given(texts=st.lists(TEXTS, min_size=1, max_size=4))
def test_statistics_are_those_of_the_obvious_definition(counting, texts):
    assert measure(*texts, counting=counting) == [pytest.approx(oracle(text, counting)) for text in texts]


@pytest.mark.parametrize("counting", COUNTINGS)
@given(values=st.lists(BYTES, min_size=1, max_size=4))
def test_bytes_that_are_no_utf8_are_a_character_each(counting, values):
    expected = [pytest.approx(oracle(as_text(value), counting)) for value in values]
    assert measure(raw_array(values), counting=counting) == expected


@pytest.mark.parametrize("counting", COUNTINGS)
def test_real_texts_agree_with_the_oracle(real_texts, counting):
    assert measure(*real_texts, counting=counting) == [pytest.approx(oracle(text, counting)) for text in real_texts]


def test_null_is_null_and_nothing_is_zero():
    null, empty = measure(None, "")
    assert set(null.values()) == {None}
    assert set(empty.values()) == {0, None}


def test_no_rows_keep_the_type():
    assert word_stats(pa.array([], pa.string()), stop_words=STOP_WORDS, bullets=BULLETS).type == SIGNALS


def test_a_slice_of_a_column_is_measured_as_it_is():
    texts = pa.array(["# a", None, "the b", "to # of"])
    assert measure(texts.slice(2)) == measure("the b", "to # of")


def test_stop_words_are_counted_once_each_in_any_case_and_beside_punctuation():
    assert measure('The the (THE) "to" tomorrow')[0]["stop_word_count"] == 2


def test_stop_words_of_any_script_are_found():
    assert measure("ΚΑΙ (και)")[0]["stop_word_count"] == 1


def test_without_stop_words_none_is_found():
    assert measure("the of", stop_words=())[0]["stop_word_count"] == 0


def test_a_longer_row_of_dots_is_an_ellipsis_for_every_three():
    assert measure("wait....... what")[0]["ellipsis_symbol_frac"] == 2 / 2


def test_a_median_between_two_lengths_is_their_mean():
    assert measure("a bb cccc ddddd", counting="dolma")[0]["median_word_length"] == 3


@pytest.mark.parametrize("text", ["#a#" * 500_000, "." * 1_500_000, "a\n" * 700_000, "!" * 1_000_000 + "the"])
def test_megabytes_of_hostile_text_are_measured(text):
    assert measure(text)[0]["word_count"] == len(text.split())
