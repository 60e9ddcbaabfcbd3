"""The learned extractor's model in one file: trees for blocks, trees for page types, and a lexicon.

The file is an NPZ, and everything in it is checked before a kernel sees it, because kernels look nothing up twice: a
file that is cut short, or made to do harm, is an `EnvironmentProblem` and never a read outside of an array. So is one
that was trained for other features than this version computes. Nothing is unpickled, and no array is larger than
`MAX_BYTES`. The same model gives the same bytes: no dates, no names of machines.
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
from typing import Any, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from curate.errors import OutputError
from curate.kernels.page_features import FEATURES, PAGE_TYPES
from curate.kernels.page_profile import PROFILE
from curate.kernels.page_traits import LEXICON_SIZE
from curate.kernels.trees import Trees, faults
from curate.models import load_once

#: Of one array. The largest of a model of 1,000 trees has 128 KB, its lexicon 256 KB.
MAX_BYTES = 64 << 20

_FACTS, _LEXICON = "facts", "lexicon"
_GROUPS = ("block_trees", "type_trees")
_ARRAYS = Trees._fields[:5]
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that a ZIP can have
#: What a damaged archive, or a damaged array in it, makes of their readers.
_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, tokenize.TokenError, EOFError, KeyError, TypeError, ValueError)


class ExtractorModel(NamedTuple):
    """All that the extractor has learned."""

    block_trees: Trees  # log-odds that a block is main text, from `FEATURES`
    type_trees: Trees  # scores of `PAGE_TYPES`, from `PROFILE`
    lexicon: NDArray[np.float32]  # float32[LEXICON_SIZE]: log-odds of hashed words of classes and of first words
    feature_names: tuple[str, ...] = FEATURES
    page_types: tuple[str, ...] = PAGE_TYPES
    settings: Mapping[str, Any] = {}  # what it was trained with, as JSON has it


def save(model: ExtractorModel, path: str | Path) -> None:
    """Write the model. ValueError where it could not be loaded again, OutputError where the place cannot be written."""
    if found := model_faults(model):
        raise ValueError(f"the model is not sound: {found}")
    path = Path(path)
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        unfinished.write_bytes(_as_bytes(model))
        os.replace(unfinished, path)
    except OSError as error:
        raise OutputError(f"cannot write the model {path}: {error.strerror}. Choose another place.") from error


def load(path: str | Path, *, digest: str | None = None) -> ExtractorModel:
    """A model from its file, once per worker.

    digest: the SHA-256 that the file must have, as hex digits; None accepts the file that is there.
    EnvironmentProblem where the file is missing, is another one, is damaged, or is of another version's features.
    """
    return load_once("extractor", path, _read, digest=digest)


def model_faults(model: ExtractorModel) -> str:
    """Why kernels must not see this model; "" where they may."""
    if model.feature_names != FEATURES or model.page_types != PAGE_TYPES:
        own, ours = (*model.feature_names, *model.page_types), (*FEATURES, *PAGE_TYPES)
        differing = next((pair for pair in zip(own, ours, strict=False) if pair[0] != pair[1]), (len(own), len(ours)))
        return "it is of other features: {!r} where this version has {!r}. Train it again".format(*differing)
    sizes = ("block_trees", len(FEATURES), 1), ("type_trees", len(PROFILE), len(PAGE_TYPES))
    for name, num_features, num_classes in sizes:
        trees: Trees = getattr(model, name)
        if (trees.num_features, trees.num_classes) != (num_features, num_classes):
            return f"{name} are for {trees.num_features} features and {trees.num_classes} classes"
        if found := faults(trees):
            return f"{name} have {found}"
    if model.lexicon.dtype != np.float32 or model.lexicon.shape != (LEXICON_SIZE,):
        return f"a lexicon of {model.lexicon.dtype}{list(model.lexicon.shape)}, not float32[{LEXICON_SIZE}]"
    return "" if np.isfinite(model.lexicon).all() else "a lexicon with entries that are no numbers"


def _as_bytes(model: ExtractorModel) -> bytes:
    facts = {
        "feature_names": model.feature_names,
        "page_types": model.page_types,
        "settings": dict(model.settings),
        "shapes": {name: getattr(model, name)[5:] for name in _GROUPS},
    }
    text = json.dumps(facts, ensure_ascii=False, sort_keys=True, allow_nan=False).encode()
    arrays = {_FACTS: np.frombuffer(text, np.uint8), _LEXICON: model.lexicon}
    arrays |= {f"{group}.{name}": getattr(getattr(model, group), name) for group in _GROUPS for name in _ARRAYS}
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, array in arrays.items():
            content = BytesIO()
            npy.write_array(content, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
            entry = zipfile.ZipInfo(name + ".npy", _EPOCH)
            archive.writestr(entry, content.getvalue(), zipfile.ZIP_DEFLATED, 9)
    return whole.getvalue()


def _read(path: str) -> ExtractorModel:
    try:
        with zipfile.ZipFile(path) as archive:
            facts = json.loads(_array(archive, _FACTS).tobytes())
            block_trees, type_trees = (_trees(archive, group, facts["shapes"][group]) for group in _GROUPS)
            model = ExtractorModel(
                block_trees,
                type_trees,
                _array(archive, _LEXICON),
                tuple(facts["feature_names"]),
                tuple(facts["page_types"]),
                dict(facts["settings"]),
            )
            found = model_faults(model)
    except _DAMAGE as error:
        raise ValueError(f"it is damaged ({error})") from error
    if found:
        raise ValueError(found)
    return model


def _trees(archive: zipfile.ZipFile, group: str, shape: list[int]) -> Trees:
    num_features, num_classes = shape
    if type(num_features) is not int or type(num_classes) is not int:
        raise ValueError("sizes that are no whole numbers")
    return Trees._make([*(_array(archive, f"{group}.{name}") for name in _ARRAYS), num_features, num_classes])


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
    shape, by_columns, dtype = npy.read_array_header_1_0(stream)
    body = content[stream.tell() :]
    if (by_columns and len(shape) > 1) or dtype.hasobject or math.prod(shape) * dtype.itemsize != len(body):
        raise ValueError(f"{name} has {len(body)} bytes for {dtype}{list(shape)}")
    return np.array(np.frombuffer(body, dtype).reshape(shape), dtype.newbyteorder("="))
