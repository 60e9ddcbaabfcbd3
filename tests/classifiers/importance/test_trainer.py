"""The trainer against the published estimator: shares of hashed n-grams, smoothed, and their log ratio."""

from __future__ import annotations

import hashlib
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from classifiers.importance.trainer import ImportanceTrainer
from classifiers.trainer import EXAMPLES
from curate.errors import InputError
from curate.scoring.importance import Importance
from curate.scoring.importance_model import load_importance

TARGET = ["Stars burn hydrogen, and stars are hot.", "A star's light is old light."]
RAW = ["Buy shoes now! Shoes are cheap.", "Hot shoes, hot prices.", "The light is on."]


def examples(target: list[str], raw: list[str]) -> pa.Table:
    labelled = [("good", text) for text in target] + [("raw", text) for text in raw]
    rows = [
        {"doc_id": f"{n:032x}", "text": text, "label": label, "group": str(n), "source": label}
        for n, (label, text) in enumerate(labelled)
    ]
    return pa.Table.from_pylist(rows, schema=EXAMPLES)


def counts_of(texts: list[str]) -> np.ndarray:
    """Slow: as `get_ngram_counts` of data-selection 1.0.3 defines them."""
    counts = np.zeros(10_000)
    for text in texts:
        words = re.findall(r"\w+|[^\w\s]+", text.lower())
        for ngram in (*words, *map(" ".join, pairwise(words))):
            counts[int(hashlib.sha256(ngram.encode()).hexdigest(), 16) % 10_000] += 1
    return counts


def weights(path: Path, texts: list[str]) -> list[float]:
    batch = pa.RecordBatch.from_pydict({"text": texts})
    found: list[float] = Importance(model_path=str(path)).annotate(batch).field("log_weight").to_pylist()
    return found


def test_weights_are_the_published_ones(tmp_path: Path) -> None:
    ImportanceTrainer(hashing="sha256").train(examples(TARGET, RAW), "good", tmp_path / "model.npz", 0)
    target, raw = counts_of(TARGET), counts_of(RAW)
    log_ratio = np.log(target / target.sum() + 1e-8) - np.log(raw / raw.sum() + 1e-8)
    expected = [float(counts_of([text]) @ log_ratio) for text in (*TARGET, *RAW, "something else")]
    assert weights(tmp_path / "model.npz", [*TARGET, *RAW, "something else"]) == pytest.approx(expected, rel=1e-12)


def test_the_same_examples_give_the_same_bytes(tmp_path: Path) -> None:
    whole = examples(TARGET, RAW)
    chunked = pa.concat_tables([whole.slice(0, 1), whole.slice(1, 3), whole.slice(4)])
    for number, table in enumerate((whole, whole, chunked)):
        ImportanceTrainer().train(table, "good", tmp_path / f"{number}.npz", number)
    assert len({(tmp_path / f"{number}.npz").read_bytes() for number in range(3)}) == 1


def test_settings_are_those_of_the_model(tmp_path: Path) -> None:
    trainer = ImportanceTrainer(ngrams=1, num_buckets=50, tokens="characters", max_raw_ngrams=8, smoothing=0.01)
    trainer.train(examples(TARGET, RAW), "good", tmp_path / "model.npz", 0)
    model = load_importance(tmp_path / "model.npz")
    assert model.how == (1, 50, "characters", "fast")
    assert (model.target_counts.sum(), model.raw_counts.sum()) == (18, 14)  # tokens; of raw texts two, 8 and 6
    assert model.training["raw_ngrams"] == 14
    assert model.training["settings"]["smoothing"] == 0.01
    shares = model.target_counts / 18 + 0.01, model.raw_counts / 14 + 0.01
    assert model.log_ratio == pytest.approx(np.log(shares[0]) - np.log(shares[1]))


def test_a_target_is_told_from_the_rest(tmp_path: Path, shared_data: Path) -> None:
    def texts(name: str) -> list[str]:
        column = pq.read_table(shared_data / "text" / f"{name}.parquet", columns=["text"])["text"]
        return [text[:5_000] for text in column.slice(0, 120).to_pylist()]

    manuals, news = texts("manuals_en"), texts("news_en")
    ImportanceTrainer().train(examples(manuals[:60], news[:60]), "good", tmp_path / "model.npz", 0)
    held_out = np.array(weights(tmp_path / "model.npz", [*manuals[60:], *news[60:]]))
    split = len(manuals) - 60
    right = np.mean(held_out[:split, None] > held_out[None, split:])
    assert right > 0.95  # the area under the ROC curve


@pytest.mark.parametrize(
    ("target", "raw", "message"),
    [([], RAW, "label 'good'"), (TARGET, [], "any label but 'good'"), (["", " \n"], RAW, "no text of the label")],
)
def test_both_corpora_must_be_there(tmp_path: Path, target: list[str], raw: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        ImportanceTrainer().train(examples(target, raw), "good", tmp_path / "model.npz", 0)
    assert not (tmp_path / "model.npz").exists()


@pytest.mark.parametrize("settings", [{"ngrams": 6}, {"num_buckets": 0}, {"smoothing": 0}, {"hashing": "md5"}])
def test_settings_out_of_range_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ImportanceTrainer(**settings)


def test_positive_may_be_a_bound_of_numbers(tmp_path: Path) -> None:
    table = examples(TARGET, RAW)
    numbers = pa.array(["10" if label == "good" else "2" for label in table["label"].to_pylist()])
    numbered = table.set_column(2, EXAMPLES.field("label"), numbers)
    ImportanceTrainer().train(table, "good", tmp_path / "named.npz", 0)
    ImportanceTrainer().train(numbered, ">=3", tmp_path / "bound.npz", 0)
    assert (tmp_path / "named.npz").read_bytes() == (tmp_path / "bound.npz").read_bytes()
