"""Drop documents whose signals lie outside of what is usual for their language: limits fitted to data, from a file.

`curate thresholds` fits the file to a sample of the corpus itself; fixed bounds of one language fit another badly. It
measures nothing: it reads signals that earlier stages of the recipe have stored, and it refuses a file that names a
stage or a signal which is not there. A signal that was not measured is not judged.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from curate.filters.bounds import without
from curate.filters.earlier_signal import earlier_signal
from curate.filters.fitted_limits import FittedLimits, load_limits
from curate.stage import Filter, Limit

SIDES = ("low", "high")


class Outliers(Filter):
    """Keep documents within the fitted ranges, ends included, of their language or source, or of all together."""

    limits_path: str  # a file of `curate.filters.fitted_limits`; there is no published one

    @property
    def requires(self) -> tuple[str, ...]:  # type: ignore[override]  # the file says which, not the class
        """The fitted signals, as `stage.signal`."""
        return self._fitted().signals

    @property
    def files(self) -> tuple[str, ...]:
        """The file of limits."""
        return (self.limits_path,)

    @property
    def signals(self) -> pa.StructType:
        """`judged_by`: the group whose ranges judge, `pooled`, or null for none; for each bound whether it is broken.

        A bound's name is `<stage>_<signal>_too_low` or `…_too_high`, and the drop reason with it. It is null where the
        signal is, or where the group has no such bound.
        """
        bounds = [pa.field(_broken_name(*bound), pa.bool_()) for bound in _bounds(self._fitted())]
        return pa.struct([pa.field("judged_by", pa.string()), *bounds])

    @property
    def limits(self) -> tuple[Limit, ...]:
        return tuple(limit for bound in _bounds(self._fitted()) for limit in without(_broken_name(*bound)))

    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        """Signals of type `signals`. RecipeError where the batch lacks a stage or a signal that the file names."""
        fitted = self._fitted()
        rows = _range_of_row(batch, fitted)
        broken = []
        for signal, side in _bounds(fitted):
            values = earlier_signal(batch, signal, f"outliers of {self.limits_path}")
            # In the signal's own precision, as limits are: 0.3 as float32 is more than 0.3.
            kind = values.type if pa.types.is_floating(values.type) else pa.float64()
            ranges = [fitted.range(group, signal) for group in fitted.groups] + [fitted.range_otherwise(signal)]
            bounds = pa.array([getattr(one, side) for one in ranges], pa.float64()).cast(kind).take(rows)
            inside = pc.greater_equal if side == "low" else pc.less_equal
            broken.append(pc.invert(inside(values.cast(kind, safe=False), bounds)))  # so that NaN is outside
        names = [*fitted.groups, "pooled" if fitted.otherwise == "pooled" else None]
        return pa.StructArray.from_arrays([pa.array(names, pa.string()).take(rows), *broken], fields=list(self.signals))

    def _fitted(self) -> FittedLimits:
        return load_limits(self.limits_path)


def _bounds(fitted: FittedLimits) -> list[tuple[str, str]]:
    """(signal, side) of every bound that some group has, in the file's order."""
    ranges = [*fitted.groups.values(), fitted.pooled]
    return [
        (signal, side)
        for signal in fitted.signals
        for side in SIDES
        if any(signal in one and getattr(one[signal], side) is not None for one in ranges)
    ]


def _broken_name(signal: str, side: str) -> str:
    return f"{signal.replace('.', '_')}_too_{side}"


def _range_of_row(batch: pa.RecordBatch, fitted: FittedLimits) -> pa.Int32Array:
    """For each row the number of its group, or the number after the last for a row of no group."""
    if fitted.by == "none":
        return pa.array([len(fitted.groups)] * batch.num_rows, pa.int32())
    places = pc.index_in(batch.column(fitted.by).cast(pa.string()), value_set=pa.array(fitted.groups, pa.string()))
    return pc.fill_null(places, len(fitted.groups))
