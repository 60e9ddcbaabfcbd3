"""Words are left out, and the rest is joined, as plain Python over `str` does it."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_texts import BYTES, TEXTS, as_text, raw_array

from curate.kernels.joined_words import SIGNALS, SPACES, without_words
from curate.kernels.special_chars import special_points

SPECIAL = set(map(chr, special_points()))
SUBSTRINGS = ("http", "//", ".com", "字", "of")
PIECES = st.lists(
    st.sampled_from(
        ["http://a", "x//y", "(//)", "a.com", ".com", "n" * 5, "n" * 6, "--n" * 3, "-" * 9, "\n", "\t", " "]
    )
).map(" ".join)


def rewrite(*texts, substrings=SUBSTRINGS, max_word_chars=5, uniform=True):
    array = texts[0] if isinstance(texts[0], pa.Array) else pa.array(texts, pa.string())
    return without_words(array, substrings=substrings, max_word_chars=max_word_chars, uniform_white_space=uniform)


def bare(word):
    def special(character):
        return character in SPECIAL or "\ud800" <= character <= "\udfff"

    while word and special(word[0]):
        word = word[1:]
    while word and special(word[-1]):
        word = word[:-1]
    return word


def rule_of(word):
    if any(part in bare(word) for part in SUBSTRINGS):
        return 0
    return 1 if len(word) > 5 and not 1 <= len(bare(word)) <= 5 else None


def oracle(text, uniform):
    if uniform:
        text = "".join(" " if c == "\t" or ord(c) in SPACES else c for c in text.strip())
    removed, lines = [0, 0], []
    for line in text.split("\n"):
        cells = []
        for cell in line.split("\t"):
            kept = []
            for word in filter(None, cell.split(" ")):
                rule = rule_of(word)
                if rule is None:
                    kept.append(word)
                else:
                    removed[rule] += 1
            cells += [" ".join(kept)] if kept else []
        lines += ["\t".join(cells)] if cells else []
    return "\n".join(lines), dict(zip(SIGNALS.names, removed, strict=True))


@pytest.mark.parametrize("uniform", [True, False])
@given(texts=st.lists(TEXTS | PIECES, min_size=1, max_size=4))
def test_what_is_left_is_that_of_the_obvious_definition(uniform, texts):
    left, removed = rewrite(*texts, uniform=uniform)
    assert list(zip(left.to_pylist(), removed.to_pylist(), strict=True)) == [oracle(text, uniform) for text in texts]


@pytest.mark.parametrize("uniform", [True, False])
@given(values=st.lists(BYTES, min_size=1, max_size=4))
def test_bytes_that_are_no_utf8_stay_in_their_words(uniform, values):
    left, removed = rewrite(raw_array(values), uniform=uniform)
    texts = [as_text(value.as_buffer().to_pybytes()) for value in left.cast(pa.binary())]
    assert list(zip(texts, removed.to_pylist(), strict=True)) == [oracle(as_text(value), uniform) for value in values]


@pytest.mark.parametrize("uniform", [True, False])
def test_real_texts_agree_with_the_oracle(real_texts, uniform):
    left, removed = rewrite(*real_texts, uniform=uniform)
    expected = [oracle(text, uniform) for text in real_texts]
    assert list(zip(left.to_pylist(), removed.to_pylist(), strict=True)) == expected


@given(text=TEXTS | PIECES)
def test_a_rewritten_text_stays_as_it_is(text):
    once, _ = rewrite(text, uniform=False)
    twice, removed = rewrite(once, uniform=False)
    assert twice == once
    assert set(removed.to_pylist()[0].values()) == {0}


def test_null_is_null_and_empty_is_empty():
    left, removed = rewrite(None, "", " \n")
    assert left.to_pylist() == [None, "", ""]
    assert removed.to_pylist()[0] == dict.fromkeys(SIGNALS.names)


def test_no_rows_and_slices():
    assert len(rewrite(pa.array([], pa.string()))[0]) == 0
    assert rewrite(pa.array(["x", "a  b", None]).slice(1))[0].to_pylist() == ["a b", None]


def test_without_a_limit_on_length_long_words_stay():
    assert rewrite("n" * 99, max_word_chars=None)[0].to_pylist() == ["n" * 99]


@pytest.mark.parametrize(
    "text", ["a " * 700_000, "/" * 2_000_000, "h" * 2_000_000, "\n\t" * 700_000, "a" + "-" * 1_000_000]
)
def test_megabytes_of_hostile_text_are_rewritten(text):
    left = rewrite(text, substrings=("http", "///////x"))[0][0].as_py()
    assert left == " ".join(word for word in re.split("[ \n\t]+", text) if 0 < len(bare(word)) <= 5)
