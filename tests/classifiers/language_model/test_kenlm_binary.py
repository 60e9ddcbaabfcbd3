"""KenLM's binary file: the module that reads it cannot tell it from the ARPA file of the same model."""

from __future__ import annotations

import kenlm
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from classifiers.language_model.arpa import write_arpa
from classifiers.language_model.counting import count_ngrams
from classifiers.language_model.estimation import Smoothing, estimate
from classifiers.language_model.kenlm_binary import write_kenlm
from classifiers.language_model.workspace import Workspace


def both(lines, order, prune, folder):
    counts = count_ngrams([pa.array(lines)], order, folder, 1 << 20)
    model = estimate(counts, Smoothing(prune, (0.5, 1, 1.5)), Workspace(folder))
    write_arpa(model, folder / "model.arpa", ["a comment"])
    write_kenlm(model, folder / "model.bin")
    return kenlm.Model(str(folder / "model.arpa")), kenlm.Model(str(folder / "model.bin"))


def everything(model, line):
    """Scores, matched lengths and whether unknown, in sentences and out of them."""
    return [list(model.full_scores(line, bos, eos)) for bos in (True, False) for eos in (True, False)]


@pytest.mark.parametrize(("order", "prune"), [(2, [0, 0]), (3, [0, 0, 1]), (4, [0, 1, 2, 3]), (5, [0] * 5)])
def test_binary_and_text_score_alike(order, prune, shared_data, tmp_path):
    text = pq.read_table(shared_data / "text" / "books_en.parquet", columns=["text"])["text"][3].as_py()
    lines = [line for line in text.split("\n") if line.strip()]
    arpa, binary = both(lines[:2000], order, prune, tmp_path)
    assert arpa.order == binary.order == order
    for line in lines[1900:2100]:
        assert everything(arpa, line) == everything(binary, line)


def test_single_words_and_words_never_seen_score_alike(tmp_path):
    arpa, binary = both(["a b c", "b c d", "猫 é"], 3, [0, 0, 0], tmp_path)
    for line in ["", "a", "zebra", "a zebra b c d", "猫 é", "é 猫"]:
        assert everything(arpa, line) == everything(binary, line)


def test_nine_digits_bring_a_float32_back(tmp_path):
    lines = [" ".join(f"w{(i * i) % 97}" for i in range(first, first + 9)) for first in range(300)]
    counts = count_ngrams([pa.array(lines)], 2, tmp_path, 1 << 30)
    model = estimate(counts, Smoothing([0, 0], (0.5, 1, 1.5)), Workspace(tmp_path))
    write_arpa(model, tmp_path / "model.arpa")
    rows = [line.split("\t") for line in (tmp_path / "model.arpa").read_text().split("\n") if "\t" in line]
    prob = np.concatenate([block.prob for n in (1, 2) for block in model.ngrams(n)])
    assert np.array([row[0] for row in rows], np.float32).tolist() == prob.tolist()
    backoff = model.unigrams.backoff
    assert np.array([row[2] for row in rows[: len(backoff)]], np.float32).tolist() == backoff.tolist()
