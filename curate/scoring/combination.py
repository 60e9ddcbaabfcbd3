"""Several scores made comparable and combined: the file that calibration writes and the stage `combine_scores` applies.

JSON, made to be read, and changed by hand where a bound has to move:

    {"format": "curate-combination", "version": 1,
     "by": "language",                           # or source, or none: what ranks and thresholds are told apart by
     "inputs": [
       {"signal": "linear_score.score", "calibration": {"kind": "isotonic", "x": [0.1, 0.9], "y": [0.02, 0.97]}},
       {"signal": "perplexity.perplexity", "more_is_better": false,
        "calibration": {"kind": "ranks", "groups": {"zh": {"x": […], "y": […]}}, "pooled": {"x": […], "y": […]}}}],
     "combine": {"kind": "mean"},                # or max, min, or logistic with weights and a bias
     "veto": [{"signal": "toxicity.score", "at_most": 0.5}],
     "thresholds": {"groups": {"zh": 0.55}, "pooled": 0.6}}

Refuses what is not of this form, and a calibration that runs against the direction that its input states: it would keep
the worst in silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, FiniteFloat, ValidationError, model_validator

from curate.errors import InputError
from curate.filters.earlier_signal import earlier_signal
from curate.filters.fitted_limits import SignalName
from curate.models import load_once
from curate.scoring.calibrated import Calibration, Part, Ranks, Values, logistic

#: What judges a row whose group has nothing of its own.
POOLED = "pooled"


class Input(Part):
    """One score and what makes it comparable with the others."""

    signal: SignalName
    more_is_better: bool = True
    calibration: Calibration

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that it treats in a way of their own."""
        return tuple(self.calibration.groups) if isinstance(self.calibration, Ranks) else ()

    @property
    def name(self) -> str:
        """Its name among the signals of the combination: `linear_score_score`."""
        return self.signal.replace(".", "_")

    @model_validator(mode="after")
    def _keeps_direction(self) -> Input:
        rise = self.calibration.rise
        if rise < 0 if self.more_is_better else rise > 0:
            found, wanted = ("falls", "rise") if self.more_is_better else ("rises", "fall")
            raise ValueError(
                f"the calibration of {self.signal} {found} where more_is_better: {str(self.more_is_better).lower()} "
                f"wants it to {wanted}"
            )
        return self


class Mean(Part):
    """The mean of the calibrated values: of ranks, the mean rank."""

    kind: Literal["mean"] = "mean"


class Highest(Part):
    """The highest calibrated value: one good score is enough."""

    kind: Literal["max"] = "max"


class Lowest(Part):
    """The lowest calibrated value: all must be good."""

    kind: Literal["min"] = "min"


class Logistic(Part):
    """1 / (1 + exp(-(bias + sum of weight * calibrated value))), weights in the order of the inputs."""

    kind: Literal["logistic"] = "logistic"
    weights: tuple[FiniteFloat, ...]
    bias: FiniteFloat


class Veto(Part):
    """What a kept document's signal is within, both ends inclusive, whatever its score; null is not judged."""

    signal: SignalName
    at_least: FiniteFloat | None = None
    at_most: FiniteFloat | None = None

    @model_validator(mode="after")
    def _judges(self) -> Veto:
        if self.at_least is None and self.at_most is None:
            raise ValueError(f"the veto of {self.signal} has neither at_least nor at_most: it would stop nothing")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least {self.at_least} is above at_most {self.at_most}: nothing would be kept")
        return self

    def bounds(self) -> Iterator[tuple[str, float, bool]]:
        """(name of the signal that says whether it is broken, bound, whether it is a lower one)."""
        name = self.signal.replace(".", "_")
        if self.at_least is not None:
            yield f"{name}_too_low", self.at_least, True
        if self.at_most is not None:
            yield f"{name}_too_high", self.at_most, False


class Thresholds(Part):
    """The lowest combined score that is kept."""

    groups: Mapping[str, FiniteFloat] = {}
    pooled: FiniteFloat | None = None  # for a group that has none; None keeps it all


class Provenance(Part):
    """What it was fitted to and how, for people; nothing depends on it."""

    method: str = ""
    documents: Mapping[str, int] = {}  # of what → how many
    digests: Mapping[str, str] = {}  # of what → SHA-256
    notes: tuple[str, ...] = ()
    figures: Mapping[str, Mapping[str, float]] = {}  # signal, or `combined` → figure → value


class Combination(Part):
    """Scores, what makes them comparable, how they become one, and what is kept by it."""

    format: Literal["curate-combination"] = "curate-combination"
    version: Literal[1] = 1
    by: Literal["language", "source", "none"] = "none"
    inputs: tuple[Input, ...] = Field(min_length=1)
    combine: Annotated[Mean | Highest | Lowest | Logistic, Field(discriminator="kind")] = Mean()
    veto: tuple[Veto, ...] = ()
    thresholds: Thresholds = Thresholds()
    provenance: Provenance = Provenance()

    @model_validator(mode="after")
    def _fits_together(self) -> Combination:
        names = ["score", "judged_by", *(one.name for one in self.inputs), *(name for name, *_ in self.vetoes())]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two of its signals would be called {', '.join(twice)}")
        if isinstance(self.combine, Logistic) and len(self.combine.weights) != len(self.inputs):
            raise ValueError(f"{len(self.combine.weights)} weights for {len(self.inputs)} inputs")
        groups = {*self.thresholds.groups, *(group for one in self.inputs for group in one.groups)}
        if self.by == "none" and groups:
            raise ValueError("groups have something of their own, and `by: none` tells no groups apart")
        if POOLED in groups:
            raise ValueError(f"a group called {POOLED} cannot be told from what judges groups without their own")
        return self

    @property
    def requires(self) -> tuple[str, ...]:
        """The signals it reads, as `stage.signal`, then the column that groups are told apart by."""
        names = dict.fromkeys([one.signal for one in self.inputs] + [one.signal for one in self.veto])
        return (*names, *(() if self.by == "none" else (self.by,)))

    @property
    def signals(self) -> pa.StructType:
        """`score`, then `judged_by`, then each calibrated input, then for each veto whether it is broken."""
        return pa.struct(
            [
                pa.field("score", pa.float64()),
                pa.field("judged_by", pa.string()),
                *(pa.field(one.name, pa.float64()) for one in self.inputs),
                *(pa.field(name, pa.bool_()) for name, *_ in self.vetoes()),
            ]
        )

    def vetoes(self) -> Iterator[tuple[str, Veto, float, bool]]:
        """(name, veto, bound, whether it is a lower one) of every bound of every veto."""
        for veto in self.veto:
            for name, bound, is_lower in veto.bounds():
                yield name, veto, bound, is_lower

    def to_json(self) -> str:
        """The file; it loads back equal, and equal combinations give equal bytes."""
        return self.model_dump_json(indent=1, exclude_none=True) + "\n"


def combined(batch: pa.RecordBatch, combination: Combination, where: str = "the combination") -> pa.StructArray:
    """The combined score of each row and all that led to it: signals of type `combination.signals`.

    A row that lacks any of the inputs has no score: a mean over what happens to be there compares unlike things. A veto
    is null where its signal is. `judged_by` is the group whose threshold applies, `pooled`, or null where none does.
    RecipeError where the batch lacks a stage or a signal that the combination names; `where` says whose it is.
    """
    columns = [earlier_signal(batch, one.signal, where) for one in combination.inputs]
    groups = _groups(batch, combination.by)
    measured = np.ones(batch.num_rows, bool)
    calibrated = []
    for one, column in zip(combination.inputs, columns, strict=True):
        calibrated.append(one.calibration.apply(_floats(column), groups, one.more_is_better))
        measured &= column.is_valid().to_numpy(zero_copy_only=False)
    inputs = [
        pa.array(values, mask=column.is_null().to_numpy(zero_copy_only=False))
        for values, column in zip(calibrated, columns, strict=True)
    ]
    broken = [_broken(batch, veto, bound, lower, where) for _, veto, bound, lower in combination.vetoes()]
    score = pa.array(_combine(combination, calibrated), mask=~measured)
    return pa.StructArray.from_arrays(
        [score, _judges(groups, combination.thresholds), *inputs, *broken], fields=list(combination.signals)
    )


def load_combination(path: str, digest: str | None = None) -> Combination:
    """The combination of a file, once in each worker and again where it has changed.

    digest: the SHA-256 that the file must have. InputError where it is no such file; EnvironmentProblem where its
    digest is another.
    """
    if not Path(path).is_file():
        raise InputError(f"no combination file at {path}. `curate classifiers calibrate … -o {path}` writes one")
    return load_once("combination", path, _read, digest=digest)


def _read(path: str) -> Combination:
    try:
        return Combination.model_validate_json(Path(path).read_bytes())
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()[:3])
        raise InputError(f"{path} holds no combination of scores: {faults}") from None


def _combine(combination: Combination, calibrated: list[Values]) -> Values:
    how = combination.combine
    if isinstance(how, Highest | Lowest):
        found: Values = (np.maximum if isinstance(how, Highest) else np.minimum).reduce(calibrated)
        return found
    if isinstance(how, Logistic):
        logits = np.full(len(calibrated[0]), how.bias)
        for weight, values in zip(how.weights, calibrated, strict=True):
            logits += weight * values
        return logistic(logits)
    mean: Values = np.add.reduce(calibrated) / len(calibrated)
    return mean


def _broken(batch: pa.RecordBatch, veto: Veto, bound: float, is_lower: bool, where: str) -> pa.Array:
    values = earlier_signal(batch, veto.signal, where)
    # In the signal's own precision, as limits are: 0.3 as float32 is more than 0.3.
    kind = values.type if pa.types.is_floating(values.type) else pa.float64()
    inside = pc.greater_equal if is_lower else pc.less_equal
    at = pa.scalar(bound, pa.float64()).cast(kind, safe=False)
    return pc.invert(inside(values.cast(kind, safe=False), at))  # so that NaN is outside


def _groups(batch: pa.RecordBatch, by: str) -> pa.Array:
    if by == "none":
        return pa.nulls(batch.num_rows, pa.string())
    return batch.column(by).cast(pa.string())


def _judges(groups: pa.Array, thresholds: Thresholds) -> pa.Array:
    own = pc.is_in(groups, value_set=pa.array(list(thresholds.groups), pa.string()))
    rest = pa.scalar(None if thresholds.pooled is None else POOLED, pa.string())
    return pc.if_else(own, groups, rest)


def _floats(column: pa.Array) -> Values:
    """float64 with NaN in place of null."""
    return np.asarray(pc.fill_null(column.cast(pa.float64(), safe=False), np.nan).to_numpy(zero_copy_only=False))
