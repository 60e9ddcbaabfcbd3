"""What makes a score comparable with others: as a probability (isotonic, Platt), as a rank, or as it is.

These are the parts of a combination file, as pydantic models that refuse what is not of their form. A calibrated value
is the better the higher it is, whatever the direction of the score itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

Values = NDArray[np.float64]


class Part(BaseModel):
    """Part of a combination file: frozen, and an unknown name in it is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class Curve(Part):
    """A monotone function by its corners: straight between them, level before the first and behind the last."""

    x: tuple[FiniteFloat, ...] = Field(min_length=1)  # strictly ascending
    y: tuple[Annotated[FiniteFloat, Field(ge=0, le=1)], ...]  # never falling, or never rising

    @model_validator(mode="after")
    def _is_monotone(self) -> Curve:
        if len(self.x) != len(self.y):
            raise ValueError(f"{len(self.x)} x for {len(self.y)} y")
        if any(left >= right for left, right in zip(self.x, self.x[1:], strict=False)):
            raise ValueError("x is not strictly ascending")
        if list(self.y) not in (sorted(self.y), sorted(self.y, reverse=True)):
            raise ValueError("y neither only rises nor only falls")
        return self

    @property
    def rise(self) -> float:
        """Above 0 where it rises, below where it falls."""
        return self.y[-1] - self.y[0]

    def at(self, values: Values) -> Values:
        """The function at each value; NaN at NaN."""
        return np.interp(values, self.x, self.y)


class Isotonic(Curve):
    """The probability of a positive document as a monotone fit over its score (Zadrozny and Elkan 2002)."""

    kind: Literal["isotonic"] = "isotonic"

    def apply(self, values: Values, groups: pa.Array, more_is_better: bool) -> Values:
        """Probabilities."""
        return self.at(values)


class Platt(Part):
    """The probability of a positive document as a logistic function of its score (Platt 1999)."""

    kind: Literal["platt"] = "platt"
    slope: FiniteFloat
    intercept: FiniteFloat

    @property
    def rise(self) -> float:
        """Above 0 where it rises, below where it falls."""
        return self.slope

    def apply(self, values: Values, groups: pa.Array, more_is_better: bool) -> Values:
        """Probabilities: 1 / (1 + exp(-(slope * value + intercept)))."""
        return logistic(self.slope * values + self.intercept)


class Ranks(Part):
    """A score's place among those of a sample of its group: 0 the worst, 1 the best, ties at the middle of theirs."""

    kind: Literal["ranks"] = "ranks"
    groups: Mapping[str, Curve] = {}
    pooled: Curve  # for a group that has none

    @property
    def rise(self) -> float:
        """Above 0 where all rise, below where all fall. ValueError where they do not agree."""
        rises = [curve.rise for curve in (*self.groups.values(), self.pooled)]
        if min(rises) < 0 < max(rises):
            raise ValueError("ranks rise in one group and fall in another")
        return sum(rises)

    def apply(self, values: Values, groups: pa.Array, more_is_better: bool) -> Values:
        """Ranks in [0, 1], by the curve of each row's group."""
        found = self.pooled.at(values)
        for group in pc.unique(groups).to_pylist():  # of the batch, not of the file, which may name a thousand
            if group in self.groups:
                rows = pc.fill_null(pc.equal(groups, group), False).to_numpy(zero_copy_only=False)
                found[rows] = self.groups[group].at(values[rows])
        return found


class Raw(Part):
    """The score as it is, its sign turned where less is better."""

    kind: Literal["none"] = "none"

    @property
    def rise(self) -> float:
        """It has no direction of its own."""
        return 0.0

    def apply(self, values: Values, groups: pa.Array, more_is_better: bool) -> Values:
        """The values, or what they are below zero."""
        return values if more_is_better else -values


Calibration = Annotated[Isotonic | Platt | Ranks | Raw, Field(discriminator="kind")]


def logistic(logits: Values) -> Values:
    """1 / (1 + exp(-logit)), without overflow and exact at both tails."""
    with np.errstate(invalid="ignore"):  # NaN gives NaN
        found: Values = np.exp(-np.logaddexp(0.0, -logits))
    return found
