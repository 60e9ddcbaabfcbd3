"""Distributions of a run: text lengths, and the signals that the recipe's limits judge, with the bounds beside them.

Numbers are counted into bins here, so a page holds a few dozen numbers for each signal whatever the size of the run.
Reads a bounded number of rows, spread over the files. Kept and dropped documents are counted apart.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.recipe import Recipe
from curate.report.reading import dropped_files, kept_files, open_parquet
from curate.rundir import RunDir

MAX_ROWS = 50_000  # of kept and of dropped documents each
MAX_LENGTH_BYTES = 256 * 2**20  # of text that is read to be measured
MAX_SIGNALS = 18
NUM_BINS = 40
LOG_SPREAD = 8  # counts whose 99th percentile is so many times their median are drawn on a logarithmic axis

_HUGE = 1e300  # and above, where a range overflows; NaN is not below it either

Numbers = NDArray[np.float64]


class Bounds(NamedTuple):
    """The bounds that a kept document is within, both inclusive; None: no bound."""

    low: float | None = None
    high: float | None = None

    def told(self) -> str:
        """In words: `kept from 50 to 100,000`; nothing where there is no bound."""
        low, high = (f"{bound:,.6g}" if bound is not None else "" for bound in self)
        if low and high:
            return f"kept from {low} to {high}"
        return f"kept from {low}" if low else f"kept up to {high}" if high else ""


class Histogram(NamedTuple):
    """Counts of kept and dropped documents between consecutive edges. The outer bins hold what lies beyond them."""

    name: str
    edges: list[float]
    kept: list[int]
    dropped: list[int]
    is_log: bool
    bounds: Bounds
    num_broken: int = 0  # documents of the whole run that went for one of the bounds


def limited_signals(recipe: Recipe | None) -> dict[str, Bounds]:
    """`stage.signal` → its numeric bounds, in the recipe's order; none where they differ from group to group.

    A model's score is there with or without bounds. Empty without a recipe.
    """
    found: dict[str, Bounds] = {}
    for step in recipe.stages if recipe else ():
        if hasattr(step.stage, "score_signal"):
            found[f"{step.name}.{step.stage.score_signal}"] = Bounds()
        for limit in getattr(step.stage, "limits", ()):
            name = f"{step.name}.{limit.signal}"
            if limit.group is not None:
                found.setdefault(name, Bounds())
            elif limit.op == "at_least":
                found[name] = found.get(name, Bounds())._replace(low=float(limit.value))
            elif limit.op == "at_most":
                found[name] = found.get(name, Bounds())._replace(high=float(limit.value))
    return found


def broken_counts(recipe: Recipe | None, funnel: Mapping[str, Any]) -> Counter[str]:
    """`stage.signal` → documents that its numeric limits dropped."""
    reasons = {stage["stage"]: stage["reasons"] for stage in funnel["stages"]}
    counts: Counter[str] = Counter()
    for step in recipe.stages if recipe else ():
        for limit in getattr(step.stage, "limits", ()):
            counts[f"{step.name}.{limit.signal}"] += reasons.get(step.name, {}).get(limit.reason, 0)
    return counts


def signal_histograms(run: RunDir, recipe: Recipe | None, funnel: Mapping[str, Any]) -> list[Histogram]:
    """Signals that were measured and vary: those first whose limits dropped most documents, at last scores without one.

    At most `MAX_SIGNALS`.
    """
    bounds, broken = limited_signals(recipe), broken_counts(recipe, funnel)
    kept = _values(run, kept_files(run), set(bounds))
    dropped = _values(run, dropped_files(run), set(bounds))
    names = sorted(bounds, key=lambda name: -broken[name]) + sorted((set(kept) | set(dropped)) - set(bounds))
    none = np.empty(0)
    drawn = (histogram(n, kept.get(n, none), dropped.get(n, none), bounds.get(n, Bounds())) for n in names)
    return [one._replace(num_broken=broken[one.name]) for one in drawn if one is not None][:MAX_SIGNALS]


def length_histogram(run: RunDir) -> Histogram | None:
    """Characters of kept and of dropped documents."""
    sides = (_lengths(run, kept_files(run)), _lengths(run, dropped_files(run)))
    return histogram("characters", *sides, Bounds(), is_log=True)


def histogram(
    name: str, kept: Numbers, dropped: Numbers, bounds: Bounds, is_log: bool | None = None
) -> Histogram | None:
    """Bins from the smallest number to the 99th percentile, wider where a bound lies among the numbers beyond.

    None where there is no number, or only one value. NaN, infinities and what is as good as one are left out.
    """
    kept, dropped = kept[np.abs(kept) < _HUGE], dropped[np.abs(dropped) < _HUGE]
    both = np.concatenate([kept, dropped])
    if not len(both) or both.min() == both.max():
        return None
    low, high = float(both.min()), float(np.percentile(both, 99))
    high = max([high, *(bound * 1.05 for bound in bounds if bound is not None and low <= bound <= both.max())])
    high = high if high > low else float(both.max())
    if is_log is None:
        is_log = _spans_magnitudes(both, high, bounds)
    edges = _edges(low, high, is_log, both)
    counts = [np.histogram(np.clip(side, edges[0], edges[-1]), bins=edges)[0].tolist() for side in (kept, dropped)]
    return Histogram(name, edges.tolist(), counts[0], counts[1], is_log, bounds)


def _spans_magnitudes(numbers: Numbers, high: float, bounds: Bounds) -> bool:
    """Whether counts reach so far that the small ones, or a bound among them, would be squeezed into one bar."""
    if numbers.min() < 0 or not np.all(numbers == np.floor(numbers)) or high < 10 * LOG_SPREAD:
        return False
    squeezed = bounds.low is not None and 1 < bounds.low < high / NUM_BINS * 2
    return squeezed or high > LOG_SPREAD * max(1.0, float(np.median(numbers)))


def _edges(low: float, high: float, is_log: bool, numbers: Numbers) -> Numbers:
    if is_log:
        top = math.log10(max(high, 10))
        return np.asarray(np.logspace(math.log10(max(low, 1)), top, NUM_BINS + 1), dtype=np.float64)
    if high - low <= NUM_BINS and bool(np.all(numbers == np.floor(numbers))):  # few whole numbers: a bin for each
        return np.arange(math.floor(low) - 0.5, math.ceil(high) + 1.0)
    return np.linspace(low, high, NUM_BINS + 1)


def _values(run: RunDir, files: Sequence[str], wanted: set[str]) -> dict[str, Numbers]:
    """`stage.signal` → numbers, of the wanted signals and of every score."""
    found: dict[str, list[Numbers]] = {}
    for path in files:
        with open_parquet(run, path) as parquet:
            if not parquet.num_row_groups:
                continue
            names = [name for name in _numeric(parquet.schema_arrow) if name in wanted or _is_score(name)]
            table = parquet.read_row_group(0, columns=names).slice(0, -(-MAX_ROWS // len(files)))
        for name in names:
            stage, _, signal = name.partition(".")
            column = pc.struct_field(table[stage].combine_chunks(), signal).drop_null()
            found.setdefault(name, []).append(np.asarray(column.cast(pa.float64(), safe=False)))
    return {name: np.concatenate(pieces) for name, pieces in found.items()}


def _numeric(schema: Any) -> list[str]:
    structs = [field for field in schema if pa.types.is_struct(field.type) and "." not in field.name]
    return [
        f"{field.name}.{part.name}"
        for field in structs
        for part in field.type
        if pa.types.is_floating(part.type) or pa.types.is_integer(part.type)
    ]


def _is_score(name: str) -> bool:
    return name.endswith(("_score", ".score", ".jaccard"))


def _lengths(run: RunDir, files: Sequence[str]) -> Numbers:
    """Characters of each text in the first row group of each file, until `MAX_LENGTH_BYTES` have been read."""
    pieces: list[Numbers] = [np.empty(0)]
    left = MAX_LENGTH_BYTES
    for path in files:
        with open_parquet(run, path) as parquet:
            if not parquet.num_row_groups or left <= 0:
                continue
            column = parquet.read_row_group(0, columns=["text"])["text"]
        left -= column.nbytes
        lengths = pc.utf8_length(column.slice(0, -(-MAX_ROWS // len(files)))).drop_null()
        pieces.append(np.asarray(lengths.cast(pa.float64())))
    return np.concatenate(pieces)
