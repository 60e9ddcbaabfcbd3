from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from curate.errors import EnvironmentProblem
from curate.fused import run_steps
from curate.kernels.importance_ngrams import Ngrams
from curate.models import file_digest
from curate.recipe import Step
from curate.scoring.importance import Importance
from curate.scoring.importance_model import ImportanceModel, save_importance

TEXTS = ["one", "one two one", "", None, "…", "one two " * 50, "one two " * 49 + "one"]


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A model of one bucket: each n-gram adds 0.5, so a text of n tokens weighs n - 0.5."""
    counts = np.array([3], np.int64)
    save_importance(ImportanceModel(Ngrams(num_buckets=1), np.array([0.5]), counts, counts), tmp_path / "model.npz")
    return str(tmp_path / "model.npz")


def batch(texts: list[str | None]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"text": pa.array(texts, pa.string())})


def reasons(stage: Importance, texts: list[str | None]) -> list[str | None]:
    return run_steps(batch(texts), [Step(name="importance", stage=stage)]).column("drop_reason").to_pylist()


def test_a_weight_is_a_sum_over_unigrams_and_bigrams(path: str) -> None:
    found = Importance(model_path=path).annotate(batch(TEXTS))
    assert found.type == Importance(model_path=path).signals
    assert found.field("log_weight").to_pylist() == [0.5, 2.5, 0.0, None, 0.5, 99.5, 98.5]
    assert found.field("num_tokens").to_pylist() == [1, 3, 0, None, 1, 100, 99]


def test_weights_may_be_means(path: str) -> None:
    weights = Importance(model_path=path, per_token=True).annotate(batch(TEXTS)).field("log_weight")
    assert weights.to_pylist() == pytest.approx([0.5, 2.5 / 3, 0.0, None, 0.5, 0.995, 98.5 / 99])


def test_short_texts_are_dropped(path: str) -> None:
    short = "num_tokens_below_min"
    assert reasons(Importance(model_path=path), TEXTS) == [short, short, short, None, short, None, short]
    assert reasons(Importance(model_path=path, min_tokens=99), TEXTS)[5:] == [None, None]
    assert reasons(Importance(model_path=path, min_tokens=None), TEXTS) == [None] * len(TEXTS)


def test_a_bound_on_the_weight(path: str) -> None:
    bound = Importance(model_path=path, min_tokens=None, min_log_weight=2.5)
    low = "log_weight_below_min"
    assert reasons(bound, TEXTS) == [low, None, low, None, low, None, None]
    above = bound.model_copy(update={"min_log_weight": math.nextafter(2.5, 3)})
    assert reasons(above, TEXTS)[1] == low


def test_the_file_is_pinned_by_its_digest(path: str) -> None:
    stage = Importance(model_path=path, model_sha256=file_digest(path))
    assert stage.files == (path,)
    assert stage.annotate(batch(["one"])).field("log_weight").to_pylist() == [0.5]
    with pytest.raises(EnvironmentProblem, match="wanted SHA-256"):
        Importance(model_path=path, model_sha256="0" * 64).annotate(batch(["one"]))


def test_an_empty_batch(path: str) -> None:
    assert Importance(model_path=path).annotate(batch([])).type == Importance(model_path=path).signals
