"""A linear model over hashed terms, in one file: weights, bias, and how a text becomes terms.

The score of a text is sigmoid(bias + sum over its terms of value · weight). The file is an NPZ of a JSON header and one
or two arrays, and all of it is checked before a kernel sees it, because kernels look nothing up twice: a file that is
cut short, or made to do harm, is an `EnvironmentProblem` and never a read outside of an array. Nothing is unpickled,
and no array is larger than `MAX_BYTES`. The same model gives the same bytes: no dates, no names of machines.
"""

from __future__ import annotations

import json
import math
import os
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.lib import format as npy
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from curate.errors import OutputError
from curate.kernels.linear_terms import BINARY, COUNT, EVERYTHING, LOG, MAX_N, Terms, Weights, term_sums
from curate.models import load_once

#: Of one array. The largest number of places, 2**24, takes 128 MiB in float64.
MAX_BYTES = (128 << 20) + 4096

FORMAT, VERSION = "curate.linear", 1
_HEADER, _WEIGHTS, _SCALE = "header", "weights", "scale"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that a ZIP can have
#: What a damaged archive, or a damaged array in it, makes of their readers.
_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, tokenize.TokenError, EOFError, KeyError, TypeError, ValueError)
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
    path = Path(path)
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        unfinished.write_bytes(_as_bytes(model))
        os.replace(unfinished, path)
    except OSError as error:
        raise OutputError(f"cannot write the model {path}: {error.strerror}. Choose another place.") from error


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


def _as_bytes(model: LinearModel) -> bytes:
    header = {
        "format": FORMAT,
        "version": VERSION,
        "features": model.features.model_dump(mode="json"),
        "bias": float(model.bias),
        "trained": dict(model.trained),
    }
    text = json.dumps(header, ensure_ascii=False, sort_keys=True, allow_nan=False).encode()
    arrays = {_HEADER: np.frombuffer(text, np.uint8), _WEIGHTS: model.weights, _SCALE: model.scale}
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, array in arrays.items():
            if array is None:
                continue
            content = BytesIO()
            npy.write_array(content, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(name + ".npy", _EPOCH), content.getvalue(), zipfile.ZIP_DEFLATED, 6)
    return whole.getvalue()


def _read(path: str) -> LinearModel:
    try:
        with zipfile.ZipFile(path) as archive:
            header = json.loads(_array(archive, _HEADER).tobytes())
            if header.get("format") != FORMAT or header.get("version") != VERSION:
                found = f"{header.get('format')!r} version {header.get('version')!r}"
                raise ValueError(f"it is {found}, and this version reads {FORMAT!r} version {VERSION}")
            scaled = _SCALE + ".npy" in archive.namelist()
            model = LinearModel(
                Features.model_validate(header["features"]),
                _array(archive, _WEIGHTS),
                float(header["bias"]),
                _array(archive, _SCALE) if scaled else None,
                dict(header["trained"]),
            )
            wrong = faults(model)
    except ValidationError as error:
        raise ValueError(f"its features are unknown to this version ({error.errors()[0]['msg']})") from error
    except (*_DAMAGE, AttributeError, NotImplementedError, RecursionError) as error:
        raise ValueError(f"it is damaged ({error})") from error
    if wrong:
        raise ValueError(f"it has {wrong}")
    return model


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """An array of the archive. Memory is taken for what is there, not for what a header says."""
    entry = archive.getinfo(name + ".npy")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} is compressed in another way")
    with archive.open(entry) as stored:
        content = stored.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"{name} is larger than {MAX_BYTES} bytes")
    stream = BytesIO(content)
    if npy.read_magic(stream) != (1, 0):
        raise ValueError(f"{name} is no array of version 1.0")
    shape, _, dtype = npy.read_array_header_1_0(stream)
    body = content[stream.tell() :]
    if len(shape) != 1 or dtype.hasobject or shape[0] * dtype.itemsize != len(body):
        raise ValueError(f"{name} has {len(body)} bytes for {dtype}{list(shape)}")
    return np.array(np.frombuffer(body, dtype), dtype.newbyteorder("="))
