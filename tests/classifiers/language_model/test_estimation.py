"""Models equal the dictionaries' (tests/support/kneser_ney.py), and are distributions."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kneser_ney import FALLBACK, KneserNey

from classifiers.language_model.counting import count_ngrams
from classifiers.language_model.estimation import Smoothing, estimate
from classifiers.language_model.workspace import Workspace
from curate.errors import InputError
from curate.kernels.ngram_keys import word_at

PLENTY = 1 << 30


def trained(lines, order, folder, prune=None, fallback=FALLBACK, memory=PLENTY):
    """n-gram (words) -> probability, backoff (both log10)."""
    folder.mkdir(exist_ok=True)
    counts = count_ngrams([pa.array(lines)], order, folder, memory)
    model = estimate(counts, Smoothing(prune or [0] * order, fallback), Workspace(folder))
    grams = {}
    for n in range(1, order + 1):
        for block in model.ngrams(n):
            for high, low, prob, backoff in zip(*block[:4], strict=True):
                ids = [word_at(high, low, place, np.uint64(model.bits)) for place in range(n - 1, -1, -1)]
                grams[tuple(model.words.word(i).decode() for i in ids)] = float(prob), float(backoff)
        assert sum(len(gram) == n for gram in grams) == model.num_ngrams[n - 1]
    return grams, model


def corpus(seed=0, num=80, vocabulary="a b c d e f g h", longest=7):
    """Sentences whose words are of very different frequency."""
    draw = random.Random(seed)
    words = vocabulary.split()
    return [
        " ".join(words[min(int(draw.expovariate(0.6)), len(words) - 1)] for _ in range(draw.randint(1, longest)))
        for _ in range(num)
    ]


def assert_equal_to_oracle(lines, order, folder, prune=None, memory=PLENTY):
    grams, _ = trained(lines, order, folder, prune, memory=memory)
    oracle = KneserNey([line.split() for line in lines], order, prune)
    expected = {gram for n in range(1, order + 1) for gram in oracle.counts[n] if oracle.kept(gram)}
    assert set(grams) == expected | {("<unk>",), ("<s>",)}
    for gram, (prob, backoff) in grams.items():
        if gram != ("<s>",):
            assert 10**prob == pytest.approx(oracle.probability(gram[-1], gram[:-1]), rel=2e-5), gram
        own = oracle.backoff(gram) if len(gram) < order and gram[-1] not in ("</s>", "<unk>") else 1
        assert 10**backoff == pytest.approx(own, rel=2e-5), gram


@pytest.mark.parametrize("order", [2, 3, 4, 5, 6])
def test_probabilities_and_backoffs_are_those_of_the_definition(order, tmp_path):
    assert_equal_to_oracle(corpus(order), order, tmp_path)


@pytest.mark.parametrize("prune", [[0, 0, 1], [0, 1, 2], [1, 1, 1], [2, 3, 4], [0, 0, 1000]])
def test_pruned_ngrams_leave_their_mass_to_shorter_contexts(prune, tmp_path):
    assert_equal_to_oracle(corpus(1, 200), 3, tmp_path, prune)


def test_a_small_memory_changes_nothing(tmp_path):
    lines = corpus(2, 300)
    whole, one = trained(lines, 4, tmp_path / "whole", [0, 0, 1, 1])
    parts, many = trained(lines, 4, tmp_path / "parts", [0, 0, 1, 1], memory=15_000)
    assert one.num_parts == 1
    assert many.num_parts > 5
    assert parts == whole


def test_the_order_of_texts_and_their_cutting_into_rows_do_not_matter(tmp_path):
    lines = corpus(3)
    first, _ = trained(lines, 3, tmp_path / "a")
    second, _ = trained(["\n".join(lines[::-1]), "", "\n\n \n", None], 3, tmp_path / "b")
    assert first == second


@given(st.lists(st.lists(st.sampled_from("abcd"), max_size=6), min_size=1, max_size=12), st.integers(2, 4))
@settings(max_examples=25)
def test_probabilities_after_each_context_sum_to_one(tmp_path_factory, sentences, order):
    lines = [" ".join(words) for words in sentences]
    if not any(sentences):
        return
    grams, _ = trained(lines, order, tmp_path_factory.mktemp("model"))
    vocabulary = [gram[0] for gram in grams if len(gram) == 1 and gram != ("<s>",)]

    def log_prob(word, context):
        if (*context, word) in grams:
            return grams[(*context, word)][0]
        return grams.get(context, (0, 0))[1] + log_prob(word, context[1:])

    for context in {gram[:-1] for gram in grams} | {gram for gram in grams if len(gram) < order}:
        assert sum(10 ** log_prob(word, context) for word in vocabulary) == pytest.approx(1, abs=1e-5), context


def test_ngrams_too_alike_have_the_fallbacks_discounts_and_say_so(tmp_path):
    _, model = trained(["a b"] * 3, 2, tmp_path)
    assert model.fallback_orders == (1, 2)
    assert [own.tolist() for own in model.discounts] == [[0, *FALLBACK]] * 2


def test_without_a_fallback_they_are_an_error_that_names_the_order(tmp_path):
    with pytest.raises(InputError, match=r"1-grams.*discount_fallback"):
        trained(["a b"] * 3, 2, tmp_path, fallback=None)


@pytest.mark.parametrize("lines", [[], [""], [None], ["<s> </s>\n<unk>"]])
def test_texts_without_words_are_an_error(lines, tmp_path):
    with pytest.raises(InputError, match="no words"):
        count_ngrams([pa.array(lines, pa.string())], 3, tmp_path, PLENTY)
