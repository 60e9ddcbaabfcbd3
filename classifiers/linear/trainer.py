"""Train a linear model over hashed terms: GPT-3's quality classifier, and n-gram classifiers for any language.

As it stands the settings are GPT-3's (Brown et al. 2020, appendix A: Spark's tokenizer, HashingTF and logistic
regression, each with its defaults). `solver: lbfgs` needs no Spark and takes any features. With `weighting: nb` each
feature is first multiplied by its naive-Bayes log-count ratio (Wang and Manning 2012, "Baselines and Bigrams"), which
helps on short texts and costs nothing later: the ratios are folded into the weights.
Refuses regression, more labels than positive and the rest, and examples of only one of the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from classifiers.evaluation.metrics import is_positive
from classifiers.linear.logistic import Settings, fit
from classifiers.linear.spark_ml import fit_with_spark
from classifiers.trainer import Trainer
from curate.errors import InputError
from curate.scoring.linear_model import Features, LinearModel, save


class LinearTrainer(Trainer):
    """Logistic regression over hashed terms, for `linear_score`."""

    stage = "linear_score"
    suffix = ".npz"

    features: Features = Field(default_factory=Features)  # GPT-3's
    solver: Literal["spark", "lbfgs"] = "spark"  # GPT-3: Spark ML's, with its defaults; lbfgs: scikit-learn's
    weighting: Literal["none", "idf", "nb"] = "none"  # of features, by the examples
    nb_smoothing: float = Field(1.0, gt=0.0)  # Wang and Manning 2012, section 2.3: alpha
    c: float | tuple[float, ...] = 1.0  # of lbfgs: inverse strength of the L2 penalty; of several the best is taken
    folds: int = Field(5, ge=2)  # by group, to compare several `c` by their log loss
    class_weight: Literal["none", "balanced"] = "none"  # balanced: each label counts as much as the other
    max_iterations: int = Field(100, ge=1)  # Spark's and scikit-learn's default
    max_bytes: int | None = Field(None, ge=1)  # read of a text, from its beginning

    @field_validator("c")
    @classmethod
    def _positive(cls, value: float | tuple[float, ...]) -> float | tuple[float, ...]:
        if not np.size(value) or not np.all(np.isfinite(value)) or np.min(value) <= 0:
            raise ValueError(f"numbers above 0, not {value}")
        return value

    @model_validator(mode="after")
    def _spark_as_it_is(self) -> LinearTrainer:
        plain = self.features.tf != "log" and self.features.norm == "none" and self.weighting == "none"
        others = self.class_weight == "none" and self.max_bytes is None
        if self.solver == "spark" and not (self.features.terms == "spark" and plain and others):
            raise ValueError(
                "`solver: spark` trains what Spark ML has: `terms: spark` with tf count or binary and no norm, "
                "weighting, class_weight or max_bytes. Use `solver: lbfgs`"
            )
        return self

    def train(self, examples: pa.Table, positive: str, path: Path, seed: int) -> None:
        """Write the model. InputError where a label is missing; EnvironmentProblem where scikit-learn or Java is."""
        labels = is_positive(examples, positive).astype(np.int8)
        num_positive = int(labels.sum())
        if num_positive in (0, len(labels)):
            found = ", ".join(sorted(map(str, pc.unique(examples["label"]).to_pylist()))[:10])
            raise InputError(
                f"a linear model needs examples of {positive!r} and of another label; {num_positive} of {len(labels)} "
                f"are {positive!r}, and the labels are: {found or 'none'}. Add examples, or name another label."
            )
        save(self._fitted(examples, labels, seed), path)

    def _fitted(self, examples: pa.Table, labels: NDArray[np.int8], seed: int) -> LinearModel:
        if self.solver == "spark":
            exact, bias, facts = fit_with_spark(examples["text"], labels, self.features, self.max_iterations)
            return LinearModel(self.features, exact, bias, None, self._trained(labels, facts))
        choices = (self.c,) if isinstance(self.c, float) else self.c
        settings = Settings(
            self.features,
            self.weighting,
            self.nb_smoothing,
            choices,
            self.folds,
            self.class_weight == "balanced",
            self.max_iterations,
            self.max_bytes,
        )
        weights, bias, scale, facts = fit(examples["text"], labels, examples["group"], settings, seed)
        return LinearModel(self.features, weights, bias, scale, self._trained(labels, facts))

    def _trained(self, labels: NDArray[np.int8], facts: Mapping[str, Any]) -> dict[str, Any]:
        counts = {"positive": int(labels.sum()), "negative": int(len(labels) - labels.sum())}
        return {"settings": self.model_dump(mode="json"), "examples": counts, **facts}
