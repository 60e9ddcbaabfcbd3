"""Limits proposed from data: percentiles, or a number of deviations around the mean, for each language or source.

Signals come from a run, where they are stored, or are measured here on the texts of local files. A group with too few
documents gets no limits of its own: those of all documents together judge it, and the table and the file say so. A
side is limited only where the stage limits it too: no share of duplicate lines is too small. What is proposed is a
description of the data, not of its quality; look at what it would drop before it is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.distributions import Distribution, Distributions, Summary
from curate.errors import InputError, RecipeError
from curate.filters.fitted_limits import FittedLimits, Range
from curate.limit_settings import limit_settings
from curate.recipe import Step
from curate.stage import DocumentStage, Limit

By = Literal["language", "source", "none"]
MIN_DOCUMENTS = 100  # our choice: a first percentile of fewer is one document
POOLED = "(all)"  # in tables; no language or source is named so

_DIGITS = 6  # of a proposed bound


@dataclass(frozen=True)
class Method:
    """How a range is made of a distribution."""

    name: Literal["percentile", "sigma"] = "percentile"
    low: float = 1.0  # percentiles
    high: float = 99.0
    sigma: float = 3.0  # deviations on either side of the mean

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high <= 100:
            raise RecipeError(f"percentiles are 0 to 100, low below high: got low {self.low:g}, high {self.high:g}")
        if not self.sigma > 0:
            raise RecipeError(f"sigma is more than 0, got {self.sigma:g}")

    def told(self) -> str:
        """In words, for the file."""
        return (
            f"percentiles {self.low:g} to {self.high:g}" if self.name == "percentile" else f"mean ± {self.sigma:g} sd"
        )

    def ends(self, one: Distribution, signal: int) -> tuple[float, float]:
        """Both ends, of a signal with at least one value."""
        if self.name == "percentile":
            low, high = np.percentile(one.values(signal), [self.low, self.high]).tolist()
            return low, high
        reach = self.sigma * float(one.sd[signal])
        return float(one.mean[signal]) - reach, float(one.mean[signal]) + reach


class Signal(NamedTuple):
    """A signal to fit, and which sides of it."""

    step: str
    name: str
    type: pa.DataType
    low: bool
    high: bool

    @property
    def full_name(self) -> str:
        return f"{self.step}.{self.name}"


class Proposal(NamedTuple):
    """One signal in one group: its distribution, and the range that judges it."""

    group: str  # `POOLED` for all documents
    signal: str
    summary: Summary
    range: Range
    from_pooled: bool  # too few documents: the range is that of all
    dropped_frac: float  # share of the group's measured documents, by its sample, that the range drops


@dataclass
class Thresholds:
    """What is proposed."""

    by: By
    method: Method
    min_documents: int
    num_documents: int = 0  # looked at; a signal has those that its stage measured
    proposals: list[Proposal] = field(default_factory=list)  # by group, all documents at last
    dropped_frac: dict[str, float] = field(default_factory=dict)  # group → share that any of the ranges drops
    settings: dict[str, dict[str, object]] = field(default_factory=dict)  # step → what it measured with

    def limits(self, otherwise: Literal["pooled", "unmeasured"] = "pooled") -> FittedLimits:
        """The file that the stage `outliers` applies."""
        groups: dict[str, dict[str, Range]] = {}
        for one in self.proposals:
            if not one.from_pooled:
                groups.setdefault(one.group, {})[one.signal] = one.range
        pooled = groups.pop(POOLED, {})
        documents = {group: max(p.summary.n for p in self.proposals if p.group == group) for group in groups}
        return FittedLimits(
            format="curate-limits",
            version=1,
            by=self.by,
            otherwise=otherwise,
            groups=groups,
            pooled=pooled,
            method=f"{self.method.told()}, at least {self.min_documents} documents in a group",
            documents=documents,
            settings=self.settings,
        )

    def as_json(self) -> dict[str, Any]:
        """Everything, for `--json`: a figure of no value is null."""
        rows = [
            {
                "group": one.group,
                "signal": one.signal,
                **{name: None if value != value else value for name, value in one.summary._asdict().items()},
                **one.range.model_dump(),
                "from_pooled": one.from_pooled,
                "dropped_frac": one.dropped_frac,
            }
            for one in self.proposals
        ]
        told: dict[str, Any] = {"by": self.by, "method": self.method.told(), "min_documents": self.min_documents}
        told |= {"documents": self.num_documents}
        return {**told, "proposals": rows, "dropped_frac": self.dropped_frac, "settings": self.settings}


def signals_to_fit(steps: Sequence[Step], names: Sequence[str] = ()) -> list[Signal]:
    """Numeric signals of steps that have a limit, on the sides that are limited; those in `names` on both sides.

    A limit that is turned off counts: its default says what the rule is about. RecipeError for an unknown name, and
    where nothing is left to fit.
    """
    numeric = {
        f"{step.name}.{f.name}": Signal(step.name, f.name, f.type, True, True)
        for step in steps
        for f in step.stage.signals
        if pa.types.is_floating(f.type) or pa.types.is_integer(f.type)
    }
    if names:
        short = {one.name: one for one in numeric.values()}
        for name in names:
            if name not in numeric and name not in short:
                where = f"the numeric signals of {', '.join(step.name for step in steps)}"
                raise RecipeError.unknown("signal", name, numeric if "." in name else short, where=where)
        return [numeric[name] if name in numeric else short[name] for name in names]
    found = []
    for name, one in numeric.items():
        sides = {limit.op for step in steps if step.name == one.step for limit in _limits(step, one.name)}
        if sides & {"at_least", "at_most"}:
            found.append(numeric[name]._replace(low="at_least" in sides, high="at_most" in sides))
    if not found:
        raise RecipeError(
            f"{', '.join(step.name for step in steps)} limits no number. "
            f"Name one with --signal: {', '.join(numeric) or 'it has none'}"
        )
    return found


def propose(
    measured: Distributions,
    signals: Sequence[Signal],
    steps: Sequence[Step],
    by: By,
    method: Method,
    min_documents: int = MIN_DOCUMENTS,
) -> Thresholds:
    """Ranges for each group of distributions. InputError where all documents together are too few to fit anything."""
    for index, signal in enumerate(signals):
        if (n := int(measured.pooled.n[index])) < min_documents:
            raise InputError(
                f"{signal.full_name} was measured on {n:,} documents; limits are fitted to at least {min_documents:,}. "
                "Give more documents, or lower --min-documents"
            )
    found = Thresholds(by, method, min_documents, measured.num_documents, settings=_measuring_settings(steps))
    pooled = [_fitted(signal, method, measured.pooled, index) for index, signal in enumerate(signals)]
    groups = {name: measured.groups[name] for name in sorted(measured.groups)} | {POOLED: measured.pooled}
    for name, one in groups.items():
        dropped = []
        for index, signal in enumerate(signals):
            is_short = name != POOLED and bool(one.n[index] < min_documents)
            bounds = pooled[index] if is_short or name == POOLED else _fitted(signal, method, one, index)
            outside = _outside(one.sample()[:, index], bounds, signal.type)
            dropped.append(outside)
            share = outside.sum() / max(1, len(one.values(index)))
            found.proposals.append(Proposal(name, signal.full_name, one.summary(index), bounds, is_short, float(share)))
        found.dropped_frac[name] = float(np.any(dropped, axis=0).mean()) if len(one.sample()) else 0.0
    return found


def _fitted(signal: Signal, method: Method, one: Distribution, index: int) -> Range:
    """Rounded outward to six digits: a value on the bound is kept."""
    low, high = method.ends(one, index)
    down, up = (Context(prec=_DIGITS, rounding=mode).create_decimal for mode in (ROUND_FLOOR, ROUND_CEILING))
    return Range(
        low=float(down(repr(low))) if signal.low else None, high=float(up(repr(high))) if signal.high else None
    )


def _outside(values: NDArray[np.float64], bounds: Range, kind: pa.DataType) -> NDArray[np.bool_]:
    """Where a value is outside of a range; the bound in the signal's own precision, as it will be applied."""

    def exact(bound: float) -> float:
        return float(np.float32(bound)) if pa.types.is_float32(kind) else bound

    outside = np.zeros(len(values), np.bool_)  # NaN is not measured, and below or above of nothing
    if bounds.low is not None:
        outside |= values < exact(bounds.low)
    if bounds.high is not None:
        outside |= values > exact(bounds.high)
    return outside


def _limits(step: Step, signal: str) -> list[Limit]:
    """Limits of a signal, as the step has them and as its defaults do."""
    if not isinstance(step.stage, DocumentStage):
        return []
    fields = type(step.stage).model_fields.items()
    defaults = {name: f.get_default(call_default_factory=True) for name, f in fields if not f.is_required()}
    both = (*step.stage.limits, *step.stage.model_copy(update=defaults).limits)
    return [limit for limit in both if limit.signal == signal]


def _measuring_settings(steps: Sequence[Step]) -> dict[str, dict[str, Any]]:
    """What each step measured with: the same signals mean something else under other settings."""
    return {
        step.name: {k: v for k, v in step.stage.model_dump(mode="json").items() if k not in limit_settings(step.stage)}
        for step in steps
    }
