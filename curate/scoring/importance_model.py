"""The file of an importance model: how often each bucket of n-grams occurs in the target and in the raw data.

It is an NPZ of counts and of the logarithms of their ratios, which are stored so that every machine adds the same
numbers. Everything is checked before a kernel sees it. Nothing is unpickled; the same model gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from curate.array_file import read_arrays, write_arrays
from curate.kernels.importance_ngrams import Hashing, Ngrams, Tokens
from curate.models import load_once

MAX_BUCKETS = 1 << 24
MAX_NGRAMS = 5

_FORMAT = "curate-importance 1"
_ARRAYS = ("log_ratio", "target_counts", "raw_counts")


class ImportanceModel(NamedTuple):
    """A bag of n-grams of the target against one of the raw data."""

    how: Ngrams
    log_ratio: NDArray[np.float64]  # of each bucket: log of its share in the target - log of its share in the raw data
    target_counts: NDArray[np.int64]
    raw_counts: NDArray[np.int64]
    training: Mapping[str, Any] = {}  # how it came about, as JSON has it


def save_importance(model: ImportanceModel, path: str | Path) -> None:
    """Write a model. ValueError where it could not be loaded again, OutputError where the place cannot be written."""
    if found := model_faults(model):
        raise ValueError(f"the model is not sound: {found}")
    facts = {"format": _FORMAT, **model.how._asdict(), "training": dict(model.training)}
    write_arrays(path, facts, dict(zip(_ARRAYS, model[1:4], strict=True)))


def load_importance(path: str | Path, *, digest: str | None = None) -> ImportanceModel:
    """A model from its file, once per worker. EnvironmentProblem where it is missing, another one or damaged."""
    return load_once("importance model", path, _read, digest=digest)


def model_faults(model: ImportanceModel) -> str:
    """Why kernels must not see this model; "" where they may."""
    how = model.how
    sizes = ("ngrams", how.ngrams, MAX_NGRAMS), ("num_buckets", how.num_buckets, MAX_BUCKETS)
    for name, size, most in sizes:
        if type(size) is not int or not 1 <= size <= most:
            return f"{name} is {size!r}, not from 1 to {most}"
    for name, choice, known in (("tokens", how.tokens, Tokens), ("hashing", how.hashing, Hashing)):
        if choice not in get_args(known):
            return f"{name} is {choice!r}, none of {', '.join(get_args(known))}"
    for name, array, dtype in zip(_ARRAYS, model[1:4], (np.float64, np.int64, np.int64), strict=True):
        if array.dtype != dtype or array.shape != (how.num_buckets,):
            return f"{name} is {array.dtype}{list(array.shape)} for {how.num_buckets} buckets"
        if not np.isfinite(array).all():
            return f"{name} has numbers that are none"
    return ""


def _read(path: str) -> ImportanceModel:
    facts, arrays = read_arrays(path, _ARRAYS)
    if facts.get("format") != _FORMAT:
        raise ValueError(f"its format is {facts.get('format')!r}, not {_FORMAT!r}")
    try:
        how = Ngrams(*(facts[name] for name in Ngrams._fields))
        model = ImportanceModel(how, training=dict(facts["training"]), **arrays)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"it lacks what a model has ({error})") from error
    if found := model_faults(model):
        raise ValueError(found)
    return model
