from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curate.array_file import write_arrays
from curate.errors import EnvironmentProblem
from curate.kernels.importance_ngrams import Ngrams
from curate.scoring.importance_model import ImportanceModel, load_importance, save_importance

MODEL = ImportanceModel(
    Ngrams(3, 4, "characters", "sha256"),
    np.array([0.5, -1.0, 0.0, 2.0]),
    np.array([1, 0, 3, 4], np.int64),
    np.array([5, 6, 7, 0], np.int64),
    {"smoothing": 1e-8},
)


def test_a_model_comes_back_and_its_bytes_are_its_content(tmp_path: Path) -> None:
    for name in ("one.npz", "two.npz"):
        save_importance(MODEL, tmp_path / name)
    found = load_importance(tmp_path / "one.npz")
    assert (found.how, found.training) == (MODEL.how, MODEL.training)
    for ours, theirs in zip(MODEL[1:4], found[1:4], strict=True):
        assert np.array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"how": MODEL.how._replace(num_buckets=5)}, "for 5 buckets"),
        ({"how": MODEL.how._replace(num_buckets=0)}, "num_buckets is 0"),
        ({"how": MODEL.how._replace(num_buckets=1 << 25)}, "num_buckets is"),
        ({"how": MODEL.how._replace(ngrams=6)}, "ngrams is 6"),
        ({"how": MODEL.how._replace(ngrams="2")}, "ngrams is '2'"),
        ({"how": MODEL.how._replace(ngrams=True)}, "ngrams is True"),
        ({"how": MODEL.how._replace(hashing="md5")}, "hashing is 'md5', none of fast, sha256"),
        ({"how": MODEL.how._replace(tokens=[])}, r"tokens is \[\]"),
        ({"log_ratio": np.zeros(4, np.float32)}, "log_ratio is float32"),
        ({"log_ratio": np.array([0, 0, 0, np.nan])}, "no numbers|numbers that are none"),
        ({"raw_counts": np.zeros((4, 1), np.int64)}, r"raw_counts is int64\[4, 1\]"),
    ],
)
def test_what_kernels_must_not_see_is_neither_written_nor_read(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    unsound = MODEL._replace(**change)
    path = tmp_path / "model.npz"
    with pytest.raises(ValueError, match=message):
        save_importance(unsound, path)
    facts = {"format": "curate-importance 1", **unsound.how._asdict(), "training": {}}
    write_arrays(path, facts, dict(zip(("log_ratio", "target_counts", "raw_counts"), unsound[1:4], strict=True)))
    with pytest.raises(EnvironmentProblem, match=message):
        load_importance(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    arrays = dict(zip(("log_ratio", "target_counts", "raw_counts"), MODEL[1:4], strict=True))
    write_arrays(path, {"format": "something else"}, arrays)
    with pytest.raises(EnvironmentProblem, match="its format is 'something else'"):
        load_importance(path)
    write_arrays(path, {"format": "curate-importance 1", "ngrams": 2}, arrays)
    with pytest.raises(EnvironmentProblem, match="lacks what a model has"):
        load_importance(path)
    with pytest.raises(EnvironmentProblem, match="cannot read the model file"):
        load_importance(tmp_path / "none.npz")


def test_damage_is_found_or_does_no_harm(tmp_path: Path) -> None:
    save_importance(MODEL, tmp_path / "sound.npz")
    content = (tmp_path / "sound.npz").read_bytes()
    random.seed(3)
    for number in range(150):
        damaged = bytearray(content)
        if number % 3 == 0:
            del damaged[random.randrange(len(damaged)) :]
        else:
            damaged[random.randrange(len(damaged))] ^= 1 << random.randrange(8)
        path = tmp_path / f"{number}.npz"
        path.write_bytes(damaged)
        try:
            found = load_importance(path)
        except EnvironmentProblem:
            continue
        assert found.log_ratio.shape == (found.how.num_buckets,)
