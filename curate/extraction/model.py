"""The learned extractor's model in one file: trees for blocks, trees for page types, and a lexicon.

The file is an NPZ (`curate.array_file`), and everything in it is checked before a kernel sees it, because kernels look
nothing up twice: a file that is cut short, or made to do harm, is an `EnvironmentProblem` and never a read outside of
an array. So is one that was trained for other features than this version computes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.array_file import read_arrays, write_arrays
from curate.kernels.page_features import FEATURES, PAGE_TYPES
from curate.kernels.page_profile import PROFILE
from curate.kernels.page_traits import LEXICON_SIZE
from curate.kernels.trees import Trees, faults
from curate.models import load_once

_LEXICON = "lexicon"
_GROUPS = ("block_trees", "type_trees")
_ARRAYS = Trees._fields[:5]


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
    facts = {
        "feature_names": model.feature_names,
        "page_types": model.page_types,
        "settings": dict(model.settings),
        "shapes": {name: getattr(model, name)[5:] for name in _GROUPS},
    }
    trees = {f"{group}.{name}": getattr(getattr(model, group), name) for group in _GROUPS for name in _ARRAYS}
    write_arrays(path, facts, {_LEXICON: model.lexicon, **trees})


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


def _read(path: str) -> ExtractorModel:
    names = [_LEXICON, *(f"{group}.{name}" for group in _GROUPS for name in _ARRAYS)]
    facts, arrays = read_arrays(path, names)
    try:
        block_trees, type_trees = (_trees(arrays, group, facts["shapes"][group]) for group in _GROUPS)
        own = tuple(facts["feature_names"]), tuple(facts["page_types"]), dict(facts["settings"])
        found = model_faults(model := ExtractorModel(block_trees, type_trees, arrays[_LEXICON], *own))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"it is damaged ({error})") from error
    if found:
        raise ValueError(found)
    return model


def _trees(arrays: Mapping[str, NDArray[Any]], group: str, shape: list[int]) -> Trees:
    num_features, num_classes = shape
    if type(num_features) is not int or type(num_classes) is not int:
        raise ValueError("sizes that are no whole numbers")
    return Trees._make([*(arrays[f"{group}.{name}"] for name in _ARRAYS), num_features, num_classes])
