"""A linear model over hashed terms, in one file: weights, bias, and how a text becomes terms.

The score of a text is sigmoid(bias + sum over its terms of value · weight). The file is an NPZ
(`curate.array_file`), and all of it is checked before a kernel sees it, because kernels look nothing up twice:
a file that is cut short, or made to do harm, is an `EnvironmentProblem` and never a read outside of an array.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from curate.array_file import read_arrays, write_arrays
from curate.kernels.linear_terms import BINARY, COUNT, EVERYTHING, LOG, MAX_N, Terms, Weights, term_sums
from curate.models import load_once

FORMAT, VERSION = "curate.linear", 1
_WEIGHTS, _SCALE = "weights", "scale"
_TF = {"count": COUNT, "binary": BINARY, "log": LOG}


class Features(BaseModel):
    """How a text becomes numbers. As it stands: GPT-3's (Brown et al. 2020, appendix A), Spark's words and hashing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    terms: Literal["spark", "ngrams"] = "spark"  # for what a term is see `curate.kernels.linear_terms`
    words: tuple[int, int] | None = None  # n-grams of so many words, from and to; none
    chars: tuple[int, int] | None = None  # n-grams of so many characters
    num_features: int = Field(default=2**18, ge=1, le=2**24)  # Spark ML's default; places that terms are hashed to
    tf: Literal["count", "binary", "log"] = "count"  # as Spark's; 1; 1 + ln of how often a term is there
    norm: Literal["none", "l2"] = (
        "none"  # l2: the numbers of a text as a vector of length 1, so that long ones are no more
    )

    @field_validator("words", "chars")
    @classmethod
    def _lengths(cls, value: tuple[int, int] | None) -> tuple[int, int] | None:
        if value is not None and not 1 <= value[0] <= value[1] <= MAX_N:
            raise ValueError(f"lengths of n-grams from and to, with 1 <= from <= to <= {MAX_N}, not {list(value)}")
        return value

    @model_validator(mode="after")
    def _some_terms(self) -> Features:
        if (self.terms == "ngrams") != (self.words is not None or self.chars is not None):
            raise ValueError("lengths of n-grams, in `words` or `chars` or both, go with `terms: ngrams` and no other")
        return self

    @property
    def kernel_terms(self) -> Terms:
        """The same for the kernel."""
        return Terms(self.terms == "spark", self.words or (1, 0), self.chars or (1, 0), self.num_features)


class LinearModel(NamedTuple):
    """A model as it is applied."""

    features: Features
    weights: Weights  # float32 or float64, one for each place
    bias: float
    scale: Weights | None = None  # with `norm: l2`: what a term's number is multiplied by before the length is taken
    trained: Mapping[str, Any] = {}  # what it was trained with, as JSON has it


def margins(model: LinearModel, texts: pa.Array, max_bytes: int | None = None) -> NDArray[np.float64]:
    """The log-odds that a text is positive: float64[len(texts)], the bias for a null text."""
    features = model.features
    sums = term_sums(
        texts,
        features.kernel_terms,
        model.weights,
        tf=_TF[features.tf],
        scale=model.scale,
        unit=features.norm == "l2",
        max_bytes=EVERYTHING if max_bytes is None else max_bytes,
    )
    return sums + model.bias


def probabilities(model: LinearModel, texts: pa.Array, max_bytes: int | None = None) -> NDArray[np.float64]:
    """The probability of the positive label: float64[len(texts)] in [0, 1]."""
    with np.errstate(over="ignore"):  # exp is infinite and the probability 0, as they should be
        found: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-margins(model, texts, max_bytes)))
    return found


def save(model: LinearModel, path: str | Path) -> None:
    """Write the model. ValueError where it could not be loaded again, OutputError where the place cannot be written."""
    if found := faults(model):
        raise ValueError(f"the model is not sound: {found}")
    facts = {
        "format": FORMAT,
        "version": VERSION,
        "features": model.features.model_dump(mode="json"),
        "bias": float(model.bias),
        "trained": dict(model.trained),
    }
    scale = np.zeros(0) if model.scale is None else model.scale
    write_arrays(path, facts, {_WEIGHTS: model.weights, _SCALE: scale})


def load(path: str | Path, *, digest: str | None = None) -> LinearModel:
    """A model from its file, once per worker.

    digest: the SHA-256 that the file must have, as hex digits; None accepts the file that is there.
    EnvironmentProblem where the file is missing, is another one or is damaged.
    """
    return load_once("linear model", path, _read, digest=digest)


def faults(model: LinearModel) -> str:
    """Why the kernel must not see this model; "" where it may."""
    if not math.isfinite(model.bias):
        return "a bias that is no number"
    for name, array in ((_WEIGHTS, model.weights), (_SCALE, model.scale)):
        if array is None:
            continue
        if array.dtype not in (np.float32, np.float64) or array.shape != (model.features.num_features,):
            return f"{name} of {array.dtype}{list(array.shape)} for {model.features.num_features} features"
        if not np.isfinite(array).all():
            return f"{name} with entries that are no numbers"
    if model.scale is not None and model.features.norm == "none":
        return "a scale without a norm"
    return ""


def _read(path: str) -> LinearModel:
    facts, arrays = read_arrays(path, (_WEIGHTS, _SCALE))
    if facts.get("format") != FORMAT or facts.get("version") != VERSION:
        found = f"{facts.get('format')!r} version {facts.get('version')!r}"
        raise ValueError(f"it is {found}, and this version reads {FORMAT!r} version {VERSION}")
    scale = arrays[_SCALE] if arrays[_SCALE].size else None
    try:
        features = Features.model_validate(facts["features"])
        model = LinearModel(features, arrays[_WEIGHTS], float(facts["bias"]), scale, dict(facts["trained"]))
    except ValidationError as error:
        raise ValueError(f"its features are unknown to this version ({error.errors()[0]['msg']})") from error
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"it lacks what a model has ({error})") from error
    if found := faults(model):
        raise ValueError(f"it has {found}")
    return model
