"""Probabilities against the library's own, for every loss, kind of n-gram and kind of file."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pytest
from fasttext_models import HAM, SPAM, corpus, library_probabilities, trained
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.fasttext_lines import LineRules
from curate.kernels.fasttext_scores import label_probabilities
from curate.scoring.fasttext_file import read_fasttext

TEXTS = [
    *SPAM,
    *HAM,
    None,
    "",
    " \n",
    "unknown words only é 中文 ≠",
    "call\u00a0now</s>__label__spam later",
    "x" * 100,
    "win " * 100,
    "\0free\0",
]
MANY = [line.replace("__label__", f"__label__{n % 4}", 1) for n, line in enumerate(corpus())]


def probabilities(path, texts=TEXTS):
    model = read_fasttext(str(path))
    return label_probabilities(pa.array(texts, pa.string()), model.lines, LineRules()), model.labels


@pytest.mark.parametrize(
    ("loss", "ngrams", "chars", "training", "dim"),
    [
        *itertools.product(["softmax", "hs"], [1, 2, 4], [(0, 0), (2, 4)], [corpus()], [8]),
        *itertools.product(["softmax", "hs"], [2], [(1, 3)], [MANY], [8, 3]),
    ],
)
def test_the_library_says_the_same(tmp_path, loss, ngrams, chars, training, dim):
    """dim 3 is less than the eight labels, so that rows are not multiplied beforehand."""
    path = tmp_path / "model.bin"
    settings = {"loss": loss, "wordNgrams": ngrams, "minn": chars[0], "maxn": chars[1], "dim": dim}
    model = trained(path, training, **settings)
    ours, labels = probabilities(path)
    expected = library_probabilities(model, TEXTS, labels)
    # Below 1e-5 the library leaves a label of hierarchical softmax out: on the bound it may fall to either side.
    apart = np.abs(ours - expected)
    apart[np.minimum(ours, expected) == 0] -= 1.001e-5
    assert apart.max() < 1e-6


@pytest.mark.parametrize("loss", ["ova", "ns"])
def test_independent_answers(tmp_path, loss):
    """The library reads these from a table in steps of 1/32: one step is the most that rounding can do."""
    path = tmp_path / "model.bin"
    model = trained(path, loss=loss, wordNgrams=2)
    ours, labels = probabilities(path)
    apart = np.abs(ours - library_probabilities(model, TEXTS, labels))
    assert np.median(apart) < 1e-7
    assert apart.max() < 0.008
    assert (apart > 1e-6).mean() < 0.1


@pytest.mark.parametrize("chars", [(0, 0), (2, 4)])
@pytest.mark.parametrize(
    "quantize", [{}, {"qnorm": True}, {"cutoff": 300, "retrain": True}, {"qnorm": True, "dsub": 3}]
)
def test_quantised_models(tmp_path, quantize, chars):
    path = tmp_path / "model.ftz"
    model = trained(path, quantize=quantize, wordNgrams=2, minn=chars[0], maxn=chars[1])
    ours, labels = probabilities(path)
    assert np.abs(ours - library_probabilities(model, TEXTS, labels)).max() < 1e-6


def test_long_texts_are_nearer_to_the_truth_than_the_library(tmp_path):
    """Adding a row to itself 20,000 times in single precision takes the library 5e-6 off."""
    library = trained(tmp_path / "model.bin", wordNgrams=1, minn=2, maxn=4)
    rows, output = library.get_input_matrix().astype(float), library.get_output_matrix().astype(float)
    text = "x" * 5000 + " win" * 3000
    numbers = [number for word in [*text.split(), "</s>"] for number in library.get_subwords(word)[1]]
    answers = output @ rows[numbers].mean(axis=0)
    truth = np.exp(answers) / np.exp(answers).sum() + 1e-5
    ours, labels = probabilities(tmp_path / "model.bin", [text])
    assert np.abs(ours[0] - truth).max() < 2e-7
    assert np.abs(library_probabilities(library, [text], labels)[0] - truth).max() < 2e-5


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.bin"
    return trained(path, wordNgrams=3, minn=2, maxn=3), path


@given(texts=st.lists(st.text(st.sampled_from("winfreöcal 中</s>\n!\0") | st.characters(exclude_categories=["Cs"]))))
def test_any_text(model, texts):
    library, path = model
    ours, labels = probabilities(path, texts)
    assert np.abs(ours - library_probabilities(library, texts, labels)).max(initial=0) < 1e-6


def test_rows_do_not_know_their_neighbours(model):
    whole, _ = probabilities(model[1])
    one_by_one = np.concatenate([probabilities(model[1], [text])[0] for text in TEXTS])
    np.testing.assert_array_equal(whole, one_by_one)


def test_probabilities_add_up_but_for_what_the_library_adds(model):
    ours, labels = probabilities(model[1])
    np.testing.assert_allclose(ours.sum(axis=1), 1 + 1e-5 * len(labels), atol=1e-12)


def test_no_known_token_no_answer(tmp_path):
    """With a high `minCount` even the end of a line is unknown; without n-grams nothing is left."""
    path = tmp_path / "model.bin"
    library = trained(path, corpus(), minCount=390, wordNgrams=1)
    assert "</s>" in library.words
    ours, _ = probabilities(path, ["zzz", ""])
    assert not np.isnan(ours).any()
    # Taken out of the dictionary, as a pruned model may have it.
    model = read_fasttext(str(path))
    silent = model.lines._replace(line_end=-1)
    ours = label_probabilities(pa.array(["zzz", ""]), silent, LineRules())
    assert np.isnan(ours).all()
