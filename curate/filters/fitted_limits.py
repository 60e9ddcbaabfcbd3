"""Limits that were fitted to data: the file that `curate thresholds` writes and the stage `outliers` applies.

YAML, made to be read and changed by hand:

    format: curate-limits
    version: 1
    by: language            # or source, or none: what the groups are
    otherwise: pooled       # what judges a group, or a signal in it, without a range: pooled, or unmeasured for nothing
    groups:
      en: {gopher_quality.word_count: {low: 31, high: 9800}}
    pooled: {gopher_quality.word_count: {low: 25, high: 12000}}

A bound that is absent or null is off. Refuses what is not of this form: a wrong name or a bound that is no number must
not keep everything in silence.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from curate.errors import InputError
from curate.models import load_once


def _finite(value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise ValueError("a bound is a finite number; leave it out to turn it off")
    return value


Bound = Annotated[float | None, AfterValidator(_finite)]
#: A signal by its step and its name: `gopher_quality.word_count`.
SignalName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*\.[A-Za-z][A-Za-z0-9_]*$")]


class Range(BaseModel):
    """What a kept document's signal is within, both ends inclusive; None is no bound."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: Bound = None
    high: Bound = None

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}: nothing would be kept")
        return self


class FittedLimits(BaseModel):
    """Ranges of signals for each group, and for all documents together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["curate-limits"]
    version: Literal[1]
    by: Literal["language", "source", "none"]
    otherwise: Literal["pooled", "unmeasured"] = "pooled"
    groups: dict[str, dict[SignalName, Range]] = {}
    pooled: dict[SignalName, Range] = {}
    method: str = ""  # how they were fitted, for people
    documents: dict[str, int] = {}  # group → documents that they were fitted on, for people
    settings: dict[str, dict[str, Any]] = {}  # step → the settings that it measured with, for people

    @property
    def signals(self) -> tuple[str, ...]:
        """Every signal that has a range, in order of first mention: groups, then pooled."""
        return tuple(dict.fromkeys(name for ranges in (*self.groups.values(), self.pooled) for name in ranges))

    def range(self, group: str, signal: str) -> Range:
        """What judges a signal in a group that the file has: its own range, or the pooled one where it has none."""
        own = self.groups[group].get(signal)
        return own if own is not None else self.range_otherwise(signal)

    def range_otherwise(self, signal: str) -> Range:
        """What judges a signal where a group has no range for it."""
        return self.pooled.get(signal, Range()) if self.otherwise == "pooled" else Range()

    def to_yaml(self) -> str:
        """The file; it loads back equal."""
        return yaml.safe_dump(
            self.model_dump(mode="json", exclude_none=True), sort_keys=False, allow_unicode=True, width=100
        )


def load_limits(path: str) -> FittedLimits:
    """The limits of a file, once in each worker and again where it has changed. InputError where it is no such file."""
    if not Path(path).is_file():
        raise InputError(f"no limits file at {path}. `curate thresholds … --output {path}` writes one")
    return load_once("fitted limits", path, _read)


def _read(path: str) -> FittedLimits:
    try:
        content = yaml.safe_load(Path(path).read_text("utf-8"))
        limits = FittedLimits.model_validate(content)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not YAML: {error}") from None
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()[:3])
        raise InputError(f"{path} holds no fitted limits: {faults}") from None
    if not limits.signals:
        raise InputError(f"{path} limits no signal: a filter without limits would keep everything")
    return limits
