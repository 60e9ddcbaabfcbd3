"""What calibration is to fit: which scores, how each is made comparable, how they are combined, what is kept."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from curate.filters.fitted_limits import SignalName
from curate.scoring.combination import Veto

NEEDS_LABELS = ("isotonic", "platt")  # calibrations that are fitted to labels, and give probabilities


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class ScoreSettings(_Settings):
    """One score, and how it is made comparable."""

    signal: SignalName  # and the name of its column in the tables
    calibration: Literal["isotonic", "platt", "ranks", "none"] = "isotonic"
    more_is_better: bool = True  # false: perplexity


class TargetSettings(_Settings):
    """What the thresholds are to give: a precision, on held-out labels, or a share of the corpus, on the sample."""

    precision: Annotated[float | None, Field(gt=0, le=1)] = None
    sure: bool = False  # the lower end of precision's 95 % interval must reach it
    top_frac: Annotated[float | None, Field(gt=0, le=1)] = None

    @model_validator(mode="after")
    def _is_one(self) -> TargetSettings:
        if (self.precision is None) == (self.top_frac is None):
            raise ValueError("a target is either a precision or a top_frac")
        return self


class CalibrationSettings(_Settings):
    """What to fit."""

    inputs: Annotated[tuple[ScoreSettings, ...], Field(min_length=1)]
    combine: Literal["mean", "logistic", "max", "min"] = "mean"
    by: Literal["language", "source", "none"] = "none"  # what ranks and thresholds are told apart by
    veto: tuple[Veto, ...] = ()
    target: TargetSettings | None = None  # None: no thresholds, only a score
    min_group_documents: Annotated[int, Field(ge=1)] = 200  # a smaller group goes by the pooled fit; our choice
    num_knots: Annotated[int, Field(ge=2, le=10001)] = 201  # of ranks: right to half a percent between knots
    num_folds: Annotated[int, Field(ge=2)] = 5  # a logistic: 3 at least

    @model_validator(mode="after")
    def _logistic_has_folds(self) -> CalibrationSettings:
        if self.combine == "logistic" and self.num_folds < 3:
            raise ValueError("a logistic is judged by one fold and fitted across the others: num_folds is 3 at least")
        return self

    @property
    def signals(self) -> tuple[str, ...]:
        """The signals of the inputs."""
        return tuple(one.signal for one in self.inputs)

    @property
    def columns(self) -> tuple[str, ...]:
        """What tells groups apart."""
        return () if self.by == "none" else (self.by,)

    @property
    def needs_labels(self) -> bool:
        """Whether anything of it is fitted to labels."""
        by_precision = self.target is not None and self.target.precision is not None
        return by_precision or self.combine == "logistic" or any(one.calibration in NEEDS_LABELS for one in self.inputs)
