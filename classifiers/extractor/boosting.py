"""Train gradient-boosted trees with LightGBM (Ke et al. 2017), for `curate.kernels.trees` to evaluate.

LightGBM is wanted in training alone: what is kept of a model are its thresholds and leaves, read from LightGBM's own
text. The same rows and settings give the same trees, on any number of threads (`deterministic`).

It refuses what the kernel could not evaluate: missing values, categories, linear leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from curate.errors import EnvironmentProblem
from curate.kernels.trees import MAX_LEAVES, Rows, Tree, Trees, packed

Float64s = NDArray[np.float64]

#: Called with how many rounds of trees are grown.
Progress = Callable[[int], None]

#: What is this near to zero is zero for LightGBM, in training and in prediction (kZeroThreshold).
ZERO = np.float32(1e-35)


class Boosting(BaseModel):
    """How trees are grown. Defaults are our choice, or LightGBM's where it says so; what is not here stays as LightGBM
    has it. What the extractor is trained with is in `classifiers.extractor.settings`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    num_trees: int = Field(default=180, ge=1, le=10_000)  # of each class
    num_leaves: int = Field(default=31, ge=2, le=MAX_LEAVES)  # LightGBM's default
    learning_rate: float = Field(default=0.07, gt=0, le=1)
    min_leaf_rows: int = Field(default=20, ge=1)  # LightGBM's default
    feature_frac: float = Field(default=1.0, gt=0, le=1)  # of the features, drawn anew for each tree
    row_frac: float = Field(default=1.0, gt=0, le=1)  # of the rows, drawn anew for each tree
    l2: float = Field(default=0.0, ge=0)
    max_bin: int = Field(default=255, ge=2, le=65_535)  # LightGBM's default: values of a feature that are told apart
    seed: int = Field(default=0, ge=0, lt=2**31)
    num_threads: int = Field(default=0, ge=0)  # 0: as many as there are cores

    def parameters(self) -> dict[str, Any]:
        """In LightGBM's words."""
        return {
            "num_leaves": self.num_leaves,
            "learning_rate": self.learning_rate,
            "min_data_in_leaf": self.min_leaf_rows,
            "feature_fraction": self.feature_frac,
            "bagging_fraction": self.row_frac,
            "bagging_freq": int(self.row_frac < 1),
            "lambda_l2": self.l2,
            "max_bin": self.max_bin,
            "seed": self.seed,
            "num_threads": self.num_threads,
            "use_missing": False,
            "deterministic": True,
            "force_row_wise": True,  # otherwise the layout is chosen by a timing, and the sums differ with it
            "verbosity": -1,
        }


def fit_binary(
    rows: Rows,
    labels: Float64s,
    weights: Float64s | None = None,
    settings: Boosting | None = None,
    progress: Progress = lambda num_trees: None,
) -> Trees:
    """Trees whose sum is the log-odds of a row's label.

    rows: float32[num_rows, num_features], all finite; labels: in [0, 1], where a share between is a soft label
    (LightGBM's objective is then `cross_entropy`, otherwise `binary`); weights: at least 0, None for all alike.
    ValueError for other input, EnvironmentProblem where LightGBM is missing.
    """
    labels = np.asarray(labels, np.float64)
    if not ((labels >= 0) & (labels <= 1)).all():
        raise ValueError("labels are shares between 0 and 1")
    hard = np.isin(labels, (0, 1)).all()
    objective = {"objective": "binary" if hard else "cross_entropy"}
    return trees_of(train(rows, labels, weights, settings, objective, progress))


def fit_classes(
    rows: Rows,
    classes: NDArray[np.integer[Any]],
    num_classes: int,
    weights: Float64s | None = None,
    settings: Boosting | None = None,
) -> Trees:
    """Trees whose sums are the logarithms of the odds of at least two classes, for `softmax`.

    classes: int[num_rows], below num_classes; a class without rows is allowed. For the rest see `fit_binary`.
    """
    labels = np.asarray(classes, np.float64)
    if num_classes < 2 or not ((labels >= 0) & (labels < num_classes) & (labels % 1 == 0)).all():
        raise ValueError(f"classes are whole numbers from 0 to {num_classes - 1}, at least two")
    return trees_of(train(rows, labels, weights, settings, {"objective": "multiclass", "num_class": num_classes}))


def train(
    rows: Rows,
    labels: Float64s,
    weights: Float64s | None,
    settings: Boosting | None,
    objective: dict[str, Any],
    progress: Progress = lambda num_trees: None,
) -> Any:
    """A LightGBM booster."""
    if rows.ndim != 2 or not len(rows) or len(labels) != len(rows) or not np.isfinite(rows).all():
        raise ValueError(f"rows are at least one, finite and each with a label; came {rows.shape} and {labels.shape}")
    if weights is not None and not (len(weights) == len(rows) and (np.asarray(weights) >= 0).all()):
        raise ValueError("weights are numbers of at least 0, one for each row")
    settings, lightgbm = settings or Boosting(), lightgbm_module()
    parameters = settings.parameters() | objective
    data = lightgbm.Dataset(np.ascontiguousarray(rows, np.float32), labels, weight=weights, params=parameters)
    return lightgbm.train(parameters, data, settings.num_trees, callbacks=[lambda grown: progress(grown.iteration + 1)])


def lightgbm_module() -> Any:
    """The `lightgbm` module. EnvironmentProblem, with what to install, where it cannot be imported."""
    try:
        return import_module("lightgbm")
    except ImportError as error:
        raise EnvironmentProblem(
            f"training an extractor needs LightGBM, which cannot be imported ({error}). Install it: "
            "pip install 'curate[extractor]'"
        ) from error
    except OSError as error:  # its wheel holds no OpenMP library, and takes the system's
        raise EnvironmentProblem(
            f"LightGBM is installed, but not the OpenMP library that it needs ({error}). Install it: "
            "apt-get install libgomp1 (Debian, Ubuntu), dnf install libgomp (Fedora), brew install libomp (macOS)"
        ) from error


def trees_of(booster: Any) -> Trees:
    """Trees that decide as a booster does for every row of float32. ValueError for what the kernel cannot evaluate."""
    head, *blocks = booster.model_to_string().split("\nTree=")
    facts = dict(line.partition("=")[::2] for line in head.splitlines())
    trees = [_tree(dict(line.partition("=")[::2] for line in block.splitlines())) for block in blocks]
    return packed(trees, int(facts["max_feature_idx"]) + 1, int(facts["num_class"]))


def _tree(fields: dict[str, str]) -> Tree:
    def numbers(name: str, dtype: Literal["int64", "float64"]) -> Any:
        return np.array(fields.get(name, "").split(), dtype)

    # Bit 0 is a category, bit 1 which side a missing value takes, bits 2 and 3 what counts as missing.
    if (numbers("decision_type", "int64") & ~2).any() or fields.get("is_linear", "0") != "0":
        raise ValueError("a tree with missing values, categories or linear leaves")
    threshold = at_most_float32(numbers("threshold", "float64"))
    left, right = numbers("left_child", "int64"), numbers("right_child", "int64")
    return Tree(
        numbers("split_feature", "int64"), threshold, left, right, numbers("leaf_value", "float64").astype(np.float32)
    )


def at_most_float32(thresholds: Float64s) -> NDArray[np.float32]:
    """For each threshold the largest float32 not above it, so that x <= threshold is the same for every x of float32.

    >>> at_most_float32(np.array([0.5, 1.5000000000000002])).tolist()
    [0.5, 1.5]
    """
    with np.errstate(over="ignore"):  # beyond all float32: infinite here, the largest of them below
        nearest = thresholds.astype(np.float32)
        rounded = np.where(nearest > thresholds, np.nextafter(nearest, np.float32(-np.inf)), nearest)
    # The bound of what is less than zero: -ZERO itself counts as zero, and is above it.
    return np.where(rounded == -ZERO, np.nextafter(-ZERO, np.float32(-1)), rounded)
