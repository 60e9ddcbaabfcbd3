"""The file of a linear model: what goes in comes out, and nothing that is wrong gets to a kernel."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from curate.errors import EnvironmentProblem, OutputError
from curate.kernels.linear_terms import term_counts
from curate.scoring.linear_model import Features, LinearModel, load, margins, probabilities, save

NGRAMS = {"terms": "ngrams", "words": (1, 2), "chars": (1, 3)}


def model(num_features=50, dtype=np.float64, **features):
    random = np.random.default_rng(0)
    weights, scale = (random.normal(size=num_features).astype(dtype) for _ in range(2))
    made = Features(num_features=num_features, **features)
    return LinearModel(made, weights, -0.25, scale if made.norm == "l2" else None, {"c": 1.5, "note": "中文"})


def npz(path, **changed):
    """The file of a model with other arrays in it, or without those that are None."""
    save(model(), path)
    with np.load(path) as stored:
        arrays = dict(stored) | changed
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            if array is not None:
                content = BytesIO()
                np.lib.format.write_array(content, array)
                archive.writestr(name + ".npy", content.getvalue())
    return path


def facts(**changed):
    made = {"format": "curate.linear", "version": 1, "bias": 0.0, "trained": {}}
    made["features"] = Features(num_features=50).model_dump(mode="json")
    return np.frombuffer(json.dumps(made | changed).encode(), np.uint8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("features", [{}, NGRAMS, {**NGRAMS, "norm": "l2", "tf": "log"}])
def test_a_model_comes_back_as_it_was(tmp_path, features, dtype):
    made = model(dtype=dtype, **features)
    save(made, tmp_path / "m.npz")
    found = load(tmp_path / "m.npz")
    assert (found.features, found.bias, found.trained) == (made.features, made.bias, made.trained)
    assert found.weights.dtype == dtype
    assert found.weights.tobytes() == made.weights.tobytes()
    assert (found.scale is None) == (made.scale is None)


def test_the_same_model_gives_the_same_bytes(tmp_path):
    for name in "ab":
        save(model(), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_probability_is_the_sigmoid_of_bias_and_weights():
    made = model()
    texts = pa.array(["a b b", "", None, "c"])
    starts, places, counts = term_counts(texts, made.features.kernel_terms)
    for row, found in enumerate(probabilities(made, texts)):
        part = slice(starts[row], starts[row + 1])
        assert np.isclose(found, 1 / (1 + np.exp(0.25 - counts[part] @ made.weights[places[part]])), atol=1e-15)


def test_log_odds_beyond_all_bounds_are_probabilities_of_0_and_1():
    made = model()._replace(weights=np.full(50, 1e6))
    assert probabilities(made, pa.array(["a"])).tolist() == [1.0]
    assert probabilities(made._replace(weights=-made.weights), pa.array(["a"])).tolist() == [0.0]


def test_only_the_beginning_is_read_where_that_is_wanted():
    made = model()
    assert (
        margins(made, pa.array(["ab cd"]), 2) == margins(made, pa.array(["ab"])) != margins(made, pa.array(["ab cd"]))
    )


@pytest.mark.parametrize(
    "settings",
    [
        *({"terms": "ngrams"}, {"words": (1, 2)}, {"terms": "ngrams", "words": (2, 1)}, {"num_features": 0}),
        *({"terms": "ngrams", "chars": (0, 2)}, {"terms": "ngrams", "chars": (1, 17)}, {"num_features": 2**24 + 1}),
    ],
)
def test_features_that_make_no_sense_are_refused(settings):
    with pytest.raises(ValidationError):
        Features(**settings)


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"weights": np.zeros(49)}, "49"),
        ({"weights": np.zeros(50, np.int64)}, "int64"),
        ({"weights": np.zeros((50, 1))}, "50"),
        ({"weights": np.full(50, np.nan)}, "no numbers"),
        ({"weights": None}, "damaged"),
        ({"scale": np.ones(50)}, "scale without a norm"),
        ({"facts": None}, "damaged"),
        ({"facts": np.frombuffer(b"[1]", np.uint8)}, "no object"),
        ({"facts": np.frombuffer(b"\xff{", np.uint8)}, "damaged"),
        ({"facts": facts(version=2)}, "version 2"),
        ({"facts": facts(format="other")}, "other"),
        ({"facts": facts(features={"terms": "letters"})}, "unknown to this version"),
        ({"facts": facts(bias=None)}, "lacks"),
        ({"facts": facts(bias=10**400)}, "lacks"),
        ({"facts": facts(trained=3)}, "lacks"),
        ({"scale": None}, "damaged"),
    ],
)
def test_a_file_that_is_wrong_says_how(tmp_path, changed, what):
    with pytest.raises(EnvironmentProblem, match=what):
        load(npz(tmp_path / "m.npz", **changed))


def test_a_pickle_is_never_opened(tmp_path):
    path = tmp_path / "m.npz"
    np.savez(path, facts=facts(), weights=np.array([{}] * 50, object), scale=np.zeros(0))
    with pytest.raises(EnvironmentProblem):
        load(path)


def test_a_file_that_is_cut_short_is_refused(tmp_path):
    save(model(), tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    for size in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut").write_bytes(whole[:size])
        with pytest.raises(EnvironmentProblem):
            load(tmp_path / "cut")


def test_an_unsound_model_is_not_written(tmp_path):
    for made in (model()._replace(bias=float("nan")), model()._replace(weights=np.full(50, np.inf))):
        with pytest.raises(ValueError, match="no number"):
            save(made, tmp_path / "m.npz")
    with pytest.raises(OutputError):
        save(model(), tmp_path / "absent" / "m.npz")
