"""Hashed n-grams against the regular expression and hashlib, which is what the published code is made of."""

from __future__ import annotations

import hashlib
import re
import sys
import unicodedata
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.kernels import importance_ngrams
from curate.kernels.importance_ngrams import Ngrams, count_ngrams, log_weights
from curate.kernels.scan import MAX_BYTES

EXACT, FAST = Ngrams(hashing="sha256"), Ngrams()
RATIO = np.random.default_rng(0).normal(size=10_000)


def tokens_of(text: str) -> list[str]:
    """Slow: WordPunct, as NLTK had it up to 3.9."""
    return re.findall(r"\w+|[^\w\s]+", text.lower())


def counts_of(text: str, ngrams: int = 2, num_buckets: int = 10_000) -> np.ndarray:
    """Slow: as `get_ngram_counts` of data-selection 1.0.3 defines them."""
    counts, words = np.zeros(num_buckets, np.int64), tokens_of(text)
    for n in range(1, ngrams + 1):
        for i in range(len(words) - n + 1):
            digest = hashlib.sha256(" ".join(words[i : i + n]).encode()).hexdigest()
            counts[int(digest, 16) % num_buckets] += 1
    return counts


def counted(texts: list[str | None], how: Ngrams) -> np.ndarray:
    counts = np.zeros(how.num_buckets, np.int64)
    assert count_ngrams(pa.array(texts, pa.string()), counts, how) == len(texts)
    return counts


PIECES = (
    "a The cat's 3.14 __init__ ... ?! Σ ΑΣ ΟΔΥΣΣΕΥΣ İ ẞ ﬁ e\u0301 हिन्दी 中文 。「 \x00 \u200d Ⱥ 𝒳 \ue000 \x85 \n".split(
        " "
    )
)
TEXTS = st.lists(st.sampled_from([*PIECES, " "]), max_size=25).map("".join) | st.text(max_size=60)


@given(TEXTS)
def test_counts_are_the_published_ones(text: str) -> None:
    assert np.array_equal(counted([text], EXACT), counts_of(text))


@given(TEXTS, st.integers(1, 5), st.sampled_from([1, 7, 10_000, 1 << 24]))
def test_so_are_those_of_other_sizes(text: str, ngrams: int, num_buckets: int) -> None:
    how = Ngrams(ngrams, min(num_buckets, 50_000), "wordpunct", "sha256")
    assert np.array_equal(counted([text], how), counts_of(text, ngrams, how.num_buckets))


@given(st.lists(TEXTS, max_size=4))
def test_a_weight_is_the_sum_over_the_ngrams_and_does_not_depend_on_neighbours(texts: list[str]) -> None:
    weights, num_tokens = log_weights(pa.array(texts, pa.string()), RATIO, EXACT)
    assert weights.tolist() == pytest.approx([float(counts_of(text) @ RATIO) for text in texts], abs=1e-9)
    assert num_tokens.tolist() == [len(tokens_of(text)) for text in texts]
    for how in (EXACT, FAST):
        together = log_weights(pa.array(texts, pa.string()), RATIO, how)[0].tolist()
        assert together == [log_weights(pa.array([text]), RATIO, how)[0][0] for text in texts]


@settings(max_examples=10)
@given(TEXTS)
def test_the_fast_hash_counts_the_same_ngrams_in_other_buckets(text: str) -> None:
    wide = Ngrams(num_buckets=1 << 24)
    fast, exact = counted([text], wide), counted([text], wide._replace(hashing="sha256"))
    assert sorted(fast[fast > 0]) == sorted(exact[exact > 0])


def test_real_texts(real_texts: list[str]) -> None:
    for text in real_texts[::5]:
        assert np.array_equal(counted([text], EXACT), counts_of(text))


@pytest.mark.skipif(unicodedata.unidata_version != "14.0.0", reason="other versions of Unicode have other letters")
def test_every_character_is_what_python_takes_it_for() -> None:
    table = importance_ngrams._table(False)
    known = [point for point in range(sys.maxunicode + 1) if not 0xD800 <= point < 0xE000]
    for point in known:
        char = chr(point)
        kind = 1 if re.match(r"\w", char) else 0 if char.isspace() else 2
        assert table[point] >> 24 == kind, hex(point)
        assert chr(table[point] & 0xFFFFFF) == char.lower() or char == "İ"


def test_letters_of_scripts_without_spaces_are_tokens_if_asked_for() -> None:
    how = Ngrams(tokens="characters", hashing="sha256")
    spaced = {
        "我们爱ABC，你。": "我 们 爱 ABC ， 你 。",
        "ที่นี่": "ที่ นี่",  # with their marks
        "हिन्दी e\u0301te": None,  # words keep their marks
        "\u0301a \u0301": None,
    }
    for text, tokens in spaced.items():
        expected = np.zeros(10_000, np.int64)
        words = (tokens or text).lower().split(" ")
        for ngram in (*words, *map(" ".join, pairwise(words))):
            expected[int(hashlib.sha256(ngram.encode()).hexdigest(), 16) % 10_000] += 1
        assert np.array_equal(counted([text], how), expected), text


def test_null_and_empty_texts_have_nothing() -> None:
    weights, num_tokens = log_weights(pa.array([None, "", " \n", "a"]), RATIO, FAST)
    assert weights.tolist()[:3] == [0, 0, 0]
    assert num_tokens.tolist() == [0, 0, 0, 1]
    assert log_weights(pa.array([], pa.string()), RATIO, FAST)[0].tolist() == []


def test_a_slice_is_read_where_it_lies() -> None:
    texts = pa.array(["first text", "ΑΣ second", None, "last one"])
    whole, part = log_weights(texts, RATIO, EXACT), log_weights(texts.slice(1), RATIO, EXACT)
    assert [column[1:].tolist() for column in whole] == [column.tolist() for column in part]


def test_counting_stops_behind_the_text_that_passes_the_limit() -> None:
    texts = pa.array(["a b"] * 5)  # three n-grams each
    for limit, expected in ((None, 5), (14, 5), (15, 5), (6, 3), (5, 2), (0, 1)):
        counts = np.zeros(10_000, np.int64)
        assert count_ngrams(texts, counts, FAST, limit) == expected
        assert counts.sum() == 3 * expected
    assert count_ngrams(texts, counts, FAST, 1) == 0


def test_a_long_text_is_read_up_to_its_last_whole_character() -> None:
    text = "é" * (MAX_BYTES // 2 - 1) + "x€ never"
    assert np.array_equal(counted([text], EXACT), counts_of(text[: MAX_BYTES // 2]))
    signs = ("a." * (MAX_BYTES // 2))[: MAX_BYTES + 2]
    assert log_weights(pa.array([signs + "b" * 10]), RATIO, FAST)[1].tolist() == [MAX_BYTES]


def test_bytes_that_are_no_text_do_no_harm() -> None:
    broken = pa.array([b"\xff\xfe a\xf0\x9f", b"\xc3", b"\xce\xa3\xff"], pa.binary()).view(pa.string())
    for how in (EXACT, FAST):
        _, num_tokens = log_weights(broken.slice(0, 2), RATIO, how)
        assert num_tokens.tolist() == [3, 1]
    assert log_weights(broken, RATIO, FAST)[1].tolist() == [3, 1, 2]


def test_no_kernel_looks_outside_of_its_arrays(bounds_checked) -> None:
    bounds_checked(
        """
import numpy as np, pyarrow as pa
from curate.kernels.importance_ngrams import Ngrams, count_ngrams, log_weights
from curate.kernels.keyed_draws import draws
texts = ["", None, "a", "a.", ".", "x" * 31 + " y", "x" * 32 + " y", "\\u023a." * 9, "\\u023a" * 9, "ab " * 99]
texts += ["\\u6211" * 50, "\\u0391\\u03a3", "\\U0001d4b3.", "x" * 200]
for order in (texts, texts[::-1], *([text] for text in texts)):
    for hashing in ("fast", "sha256"):
        for tokens in ("wordpunct", "characters"):
            for size in (1, 2, 5):
                how = Ngrams(size, 100, tokens, hashing)
                log_weights(pa.array(order, pa.string()), np.ones(100), how)
                count_ngrams(pa.array(order, pa.string()), np.zeros(100, np.int64), how)
    draws(pa.array(order, pa.string()), 0, "purpose")
"""
    )


def test_nor_where_bytes_are_no_text_and_each_is_read_as_three(bounds_checked) -> None:
    """Alone, as it is the longest text of a batch that room is made for."""
    bounds_checked(
        """
import numpy as np, pyarrow as pa
from curate.kernels.importance_ngrams import Ngrams, count_ngrams, log_weights
ratio = np.arange(100.0)
for content in (b"\\x80", b"\\x80a", b"a\\x80", b"\\x80\\x80a", b"\\x80 ", b"\\x80\\xc8\\xba", b"a."):
    for content in (content, content * 99, content * 99 + b"\\x80"):
        broken = pa.array([content], pa.binary()).view(pa.string())
        read = pa.array([content.decode("utf-8", "replace")])
        for how in (Ngrams(2, 100, "wordpunct", "fast"), Ngrams(2, 100, "characters", "sha256")):
            assert log_weights(broken, ratio, how) == log_weights(read, ratio, how), content
            count_ngrams(broken, np.zeros(100, np.int64), how)
"""
    )
