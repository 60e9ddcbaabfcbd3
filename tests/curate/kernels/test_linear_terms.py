"""Hashed terms against slow and obvious ones, and sums against numpy."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.linear_terms import BINARY, COUNT, LOG, Terms, term_counts, term_sums

NONE = (1, 0)
TEXTS = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from(" \n\tabcABC_中文あΣς.,'\u0301\u0e40\u0e31")))


def counts(text, terms):
    _, places, found = term_counts(pa.array([text]), terms)
    return dict(zip(places.tolist(), found.tolist(), strict=True))


def folded(text):
    """Character by character, final sigma as sigma, and dotted I as i."""
    lower = (c.lower() if len(c.lower()) == 1 else "i" if c == "İ" else c for c in text)
    return "".join("σ" if c == "ς" else c for c in lower)


def chars_of(text):
    text = " ".join("".join(" " if c.isspace() else c for c in folded(text)).split(" ")).strip(" ")
    return list(" " + re.sub(" +", " ", text) + " ") if text else []


def grams(items, low, high):
    return Counter(tuple(items[i : i + n]) for n in range(low, high + 1) for i in range(len(items) - n + 1))


def words_of(text):
    """Letters, digits and low lines in runs, marks with them; nothing of scripts without spaces."""
    words, open_ = [], False
    for c in folded(text):
        mark, inside = unicodedata.category(c)[0] == "M", unicodedata.category(c)[0] in "LN" or c == "_"
        if inside and not open_:
            words.append(c)
        elif (inside or mark) and open_:
            words[-1] += c
        open_ = inside or (mark and open_)
    return words


@given(TEXTS, st.integers(1, 3), st.integers(0, 3))
def test_character_ngrams_are_those_of_the_folded_text(text, low, more):
    expected = grams(chars_of(text), low, low + more)
    found = counts(text, Terms(False, NONE, (low, low + more), 2**24))
    assert sorted(found.values()) == sorted(expected.values())


@given(st.text("ab cdé_ΣσЖж1.,-\n\u0301"), st.integers(1, 2), st.integers(0, 2))
def test_word_ngrams_are_those_of_runs_of_letters_and_digits(text, low, more):
    expected = grams(words_of(text), low, low + more)
    found = counts(text, Terms(False, (low, low + more), NONE, 2**24))
    assert sorted(found.values()) == sorted(expected.values())


@pytest.mark.parametrize(
    ("one", "other"),
    [("Hello, WORLD", "hello world"), ("ΟΔΟΣ", "οδος"), ("我们  去", "我 们去"), ("a\u0301b", "A\u0301B")],
)
def test_words_that_are_one_to_the_reader_are_one(one, other):
    terms = Terms(False, (1, 2), NONE, 2**24)
    assert counts(one, terms) == counts(other, terms) != {}


def test_letters_of_scripts_without_spaces_are_words_and_marks_stay_with_them():
    assert len(counts("今天天气", Terms(False, (1, 1), NONE, 2**24))) == 3
    assert len(counts("กำลั", Terms(False, (1, 1), NONE, 2**24))) == 3


def test_word_and_character_ngrams_do_not_share_what_they_are_known_by():
    words, chars = (counts("a", Terms(False, *lengths, 2**24)) for lengths in (((1, 1), NONE), (NONE, (1, 1))))
    assert not set(words) & set(chars)


@pytest.mark.parametrize("num_features", [1, 3, 1000, 2**18, 2**24])
def test_places_are_within_bounds_and_spread(num_features):
    texts = pa.array([" ".join(str(n) for n in range(3000))])
    for terms in (Terms(False, (1, 2), NONE, num_features), Terms(True, NONE, NONE, num_features)):
        _, places, found = term_counts(texts, terms)
        assert places.min() >= 0
        assert places.max() < num_features
        assert found.sum() in (3000, 5999)
        assert len(places) > 0.9 * num_features * (1 - np.exp(-found.sum() / num_features))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("tf", [COUNT, BINARY, LOG])
@pytest.mark.parametrize("unit", [False, True])
@pytest.mark.parametrize("terms", [Terms(True, NONE, NONE, 997), Terms(False, (1, 2), (1, 3), 997)])
def test_sums_are_those_of_the_counts(real_texts, terms, unit, tf, dtype):
    random = np.random.default_rng(0)
    weights, scale = (random.normal(size=terms.num_features).astype(dtype) for _ in range(2))
    texts = pa.array([*real_texts[::9], "", None, " ", "one", "  a  b  "])
    starts, places, found = term_counts(texts, terms)
    expected = []
    for start, end in pairwise(starts):
        values = found[start:end].astype(float)
        values = np.ones_like(values) if tf == BINARY else 1 + np.log(values) if tf == LOG else values
        values *= scale[places[start:end]] if unit else 1.0
        length = np.linalg.norm(values) if unit and len(values) else 1.0
        expected.append(values @ weights[places[start:end]].astype(float) / length)
    sums = term_sums(texts, terms, weights, tf=tf, scale=scale if unit else None, unit=unit)
    assert np.allclose(sums, expected, rtol=1e-12, atol=1e-9)


@given(
    st.lists(st.one_of(st.none(), TEXTS), max_size=6), st.integers(0, 6), st.booleans(), st.sampled_from([COUNT, LOG])
)
def test_a_sum_does_not_depend_on_the_batch(texts, cut, spark, tf):
    terms = Terms(True, NONE, NONE, 101) if spark else Terms(False, (1, 2), (1, 3), 101)
    weights = np.random.default_rng(0).normal(size=101)
    whole = term_sums(pa.array(texts, pa.string()), terms, weights, tf=tf)
    column = pa.array(texts, pa.large_string())
    parts = [term_sums(part, terms, weights, tf=tf) for part in (column[:cut], column[cut:])]
    assert np.concatenate(parts).tobytes() == whole.tobytes()


@pytest.mark.parametrize("num_words", [2047, 4095, 4096, 4097, 9001])
def test_terms_come_in_pieces_without_a_seam(num_words):
    text = " ".join(["ab"] * num_words)
    assert list(counts(text, Terms(True, NONE, NONE, 97)).values()) == [num_words]
    assert sorted(counts(text, Terms(False, (1, 2), NONE, 2**24)).values()) == [num_words - 1, num_words]
    assert sorted(counts(text, Terms(False, NONE, (2, 2), 2**24)).values()) == [num_words] * 3


@pytest.mark.parametrize("max_bytes", range(1, 12))
def test_what_is_read_ends_before_a_character_that_is_cut(max_bytes):
    text = "aé中𝄞b c"
    kept = text.encode()[:max_bytes].decode("utf-8", "ignore")
    for terms in (Terms(True, NONE, NONE, 2**24), Terms(False, (1, 2), (1, 3), 2**24)):
        cut, whole = (term_counts(pa.array([t]), terms, m) for t, m in ((text, max_bytes), (kept, 100)))
        assert all(a.tolist() == b.tolist() for a, b in zip(cut, whole, strict=True))


def test_hostile_bytes_are_met_without_harm(bounds_checked):
    program = """
import numpy as np, pyarrow as pa
from curate.kernels.linear_terms import Terms, term_counts, term_sums, BINARY, COUNT, LOG
random = np.random.default_rng(0)
texts = [bytes(random.integers(0, 256, n, np.uint8)) for n in [*range(40), 5000, 20000]]
texts += ["ΑΣ".encode() * 3000, b"\\xe3", b"a\\xce", "ΑΣ".encode()[:-1], "İ".encode() * 999]
texts += [b" " * 50000 + b"x", b"\\0" * 99]
texts += [text.encode()[:n] for text in ("ΑΣ.\\u200dΣ1,2Σ𐐀Σ", "𐐀Σ中é") for n in range(30)]
offsets = np.cumsum([0, *map(len, texts)]).astype(np.int64)
column = pa.LargeStringArray.from_buffers(len(texts), pa.py_buffer(offsets), pa.py_buffer(b"".join(texts)))
for terms in (Terms(True, (1, 0), (1, 0), 1000), Terms(False, (1, 16), (1, 16), 1000)):
    weights = random.normal(size=1000)
    starts, places, counts = term_counts(column, terms)
    for tf in (COUNT, BINARY, LOG):
        for limit in (1, 7, 2**62):
            term_sums(column, terms, weights, tf=tf, max_bytes=limit)
            term_sums(column, terms, weights, tf=tf, unit=True, max_bytes=limit)
print(len(starts))
"""
    assert int(bounds_checked(program)) > 40
