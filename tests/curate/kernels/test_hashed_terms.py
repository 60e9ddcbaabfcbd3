"""Hashed TF-IDF under random projection, against sums over the terms themselves."""

from __future__ import annotations

import math
import re
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.hashed_terms import document_frequencies, embedded, idf, top_terms

BITS = 18
ONES = np.ones(1 << BITS, np.float32)
WIDE = 1 << 20


def terms_of(text: str) -> list[str]:
    """Slow: words, and of each run of Han two characters that follow each other, or the one there is."""
    found = []
    for run in re.findall(r"[一-鿿]+|[0-9a-z_]+", text.lower()):
        han = "一" <= run[0] <= "鿿"
        found += [run[i : i + 2] for i in range(max(1, len(run) - 1))] if han else [run]
    return found


def vectors(texts: list[str | None], weights: np.ndarray = ONES, dimensions: int = 256, seed: int = 0) -> np.ndarray:
    return embedded(pa.array(texts, pa.string()), weights, dimensions, seed, WIDE)


def by_hand(text: str, weight_of: dict[str, float] | None = None) -> np.ndarray:
    """The weighted sum of the rows of signs of the terms; a text of one term is that term's row."""
    total = np.zeros(256)
    for term, count in Counter(terms_of(text)).items():
        total += (1 + math.log(count)) * (weight_of or {}).get(term, 1.0) * vectors([term])[0]
    norm = float(np.linalg.norm(total))
    return total / norm if norm else total


WORDS = st.lists(st.sampled_from("the a river stone 中 文字 中文 1984 x_y . , \n".split(" ")), max_size=30).map(
    " ".join
)


@given(WORDS)
def test_a_vector_is_the_weighted_sum_of_its_terms(text: str) -> None:
    assert vectors([text])[0] == pytest.approx(by_hand(text), abs=1e-5)


@given(WORDS)
def test_the_terms_are_words_and_pairs_of_characters(text: str) -> None:
    found = top_terms(pa.array([text]), ONES, 1000, WIDE)
    counts = Counter(terms_of(text))
    assert sorted(found.terms) == sorted(counts)
    expected = {term: 1 + math.log(count) for term, count in counts.items()}
    assert dict(zip(found.terms, found.weights.tolist(), strict=True)) == pytest.approx(expected)


def test_a_row_of_signs_is_of_equal_numbers_and_depends_on_the_seed() -> None:
    first, again, other = vectors(["river"])[0], vectors(["river"])[0], vectors(["river"], seed=1)[0]
    assert set(np.abs(first).tolist()) == {1 / 16}
    assert (first == again).all()
    assert 0.3 < (first == other).mean() < 0.7
    assert abs(float(first @ vectors(["stone"])[0])) < 5 / 16


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The River", "the river"),
        ("naïve café", "naive cafe"),
        ("ｆｕｌｌ", "full"),
        ("a-b", "a b"),
        ("soft\u00adhyphen", "softhyphen"),
        ("中文\u200b字", "中文字"),
        ("b a", "a b"),
    ],
)
def test_texts_of_the_same_terms_are_alike(one: str, other: str) -> None:
    a, b = vectors([one, other])
    assert float(a @ b) == pytest.approx(1, abs=1e-6)


def test_separators_part_characters_too() -> None:
    a, b = vectors(["中文。字", "中文 字"])
    assert (a == b).all()
    assert not (a == vectors(["中文字"])[0]).all()


def test_texts_without_a_term_are_zero() -> None:
    assert not vectors(["", None, "?! …", "\x00\n"]).any()
    assert vectors([]).shape == (0, 256)


def test_a_vector_does_not_depend_on_its_neighbours(real_texts: list[str]) -> None:
    together = vectors(list(real_texts))
    assert all((vectors([text])[0] == row).all() for text, row in zip(real_texts[::5], together[::5], strict=True))
    norms = np.linalg.norm(together.astype(np.float64), axis=1)
    assert norms == pytest.approx(1, abs=1e-6)


def test_frequencies_count_texts_and_not_occurrences() -> None:
    texts = pa.array(["river river stone", "river", None, "...", "中文 中文"])
    frequencies, num_texts = document_frequencies(texts, BITS, WIDE)
    assert num_texts == 3
    assert sorted(frequencies[frequencies > 0].tolist()) == [1, 1, 2]


def test_rare_terms_weigh_more() -> None:
    counts = np.zeros(1 << BITS, np.int64)
    counts[:3] = [0, 9, 99]
    assert idf(counts, 99)[:3] == pytest.approx([math.log(100) + 1, math.log(10) + 1, 1])
    texts = ["the river", "the stone", "the the the"]
    frequencies, num_texts = document_frequencies(pa.array(texts), BITS, WIDE)
    weights = idf(frequencies, num_texts)
    by_term = {"the": math.log(4 / 4) + 1, "river": math.log(4 / 2) + 1, "stone": math.log(4 / 2) + 1}
    for text, vector in zip(texts, vectors(list(texts), weights), strict=True):
        assert vector == pytest.approx(by_hand(text, by_term), abs=1e-5)
    assert top_terms(pa.array(["the river"]), weights, 1, WIDE).terms == ["river"]


def test_cosines_are_those_of_the_weights(real_texts: list[str]) -> None:
    texts = [text for text in real_texts if len(text) > 500][:60]
    rows = [Counter(terms_of(text)) for text in texts]
    vocabulary = {term: number for number, term in enumerate(sorted({term for row in rows for term in row}))}
    exact = np.zeros((len(texts), len(vocabulary)))
    for place, row in enumerate(rows):
        for term, count in row.items():
            exact[place, vocabulary[term]] = 1 + math.log(count)
    latin = [n for n, text in enumerate(texts) if not re.search(r"[^\x00-\x7f一-鿿，。]", text)]
    assert len(latin) > 20
    exact = exact[latin] / np.linalg.norm(exact[latin], axis=1, keepdims=True)
    found = vectors([texts[n] for n in latin], dimensions=1024)
    truth = exact @ exact.T
    error = found @ found.T - truth
    assert np.abs(error / np.maximum((1 - truth**2) / 32, 1e-4)).max() < 6  # standard deviations


def test_a_long_text_is_read_as_far_as_asked() -> None:
    text = "中文 river stone"  # 6 bytes of Han
    whole = embedded(pa.array([text, text[:2], text[:8]]), ONES, 256, 0, WIDE)
    assert (embedded(pa.array([text]), ONES, 256, 0, 6)[0] == whole[1]).all()
    assert (embedded(pa.array([text]), ONES, 256, 0, 12)[0] == whole[2]).all()
    assert embedded(pa.array([text]), ONES, 256, 0, 5).any()  # a character that is cut separates


@given(st.binary(max_size=60))
def test_any_bytes_are_met_without_harm(data: bytes) -> None:
    offsets, body = pa.py_buffer(np.array([0, len(data)], np.int32)), pa.py_buffer(data)
    texts = pa.StringArray.from_buffers(1, offsets, body)
    found = embedded(texts, ONES, 64, 0, WIDE)
    assert np.isfinite(found).all()
    assert len(top_terms(texts, ONES, 5, WIDE).terms) <= 5
