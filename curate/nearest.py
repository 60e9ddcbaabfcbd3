"""The documents nearest to a changed bound: a bounded number for each bound and direction, whatever the run's size.

Ties go to the smaller document id, which is a hash of the content, so the choice does not depend on how the run was
partitioned. Texts and URLs are read at the end, of the chosen ones only.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.recipe import Step
from curate.report.reading import readable_rows, without_gaps
from curate.rundir import RunDir
from curate.stage import Limit
from curate.stored_signals import RowGroup, read_rows, signals_of
from curate.verdicts import Codes, Mask, Rule, Rules, mask_of

_TEXT_CHARS = 400

#: A step and one of its limits, before and after; None where it is off.
Bound = tuple[Step, Limit | None, Step, Limit | None]


class Sample(NamedTuple):
    """A document near a changed bound."""

    stage: str
    signal: str
    enters: bool  # it would be kept; otherwise it would be dropped
    value: Any  # of the signal
    was: Rule | None
    would_be: Rule | None
    doc_id: str
    source: str = ""
    language: str = ""
    url: str = ""
    text: str = ""  # the beginning of it, "" where the run kept no text of it


class _Candidate(NamedTuple):
    distance: float
    doc_id: str
    path: str
    group: int
    row: int
    sample: Sample


class Nearest:
    """Takes row groups and holds the nearest rows of each changed bound."""

    def __init__(self, bounds: Sequence[Bound], count: int) -> None:
        self.bounds, self.count = bounds, count
        self._held: dict[tuple[int, bool], list[_Candidate]] = defaultdict(list)

    def take(self, one: RowGroup, enters: Mask, leaves: Mask, rules: Rules, was: Codes, now: Codes) -> None:
        """Look at the rows that would be kept and those that would be dropped."""
        for index, (before, old, after, new) in enumerate(self.bounds):
            signals = signals_of(one.batch, before)
            for is_entering, moving, breaking, other in ((True, enters, old, new), (False, leaves, new, old)):
                if breaking is None:
                    continue
                hit = moving & _broken(breaking, signals) & ~_broken(other, signals)
                key = (index, is_entering)
                for row, distance, doc_id in self._closest(one, hit, signals, new or breaking, key):
                    value = pc.struct_field(signals, breaking.signal)[row].as_py()
                    verdicts = (rules.of(int(was[row])), rules.of(int(now[row])))
                    sample = Sample(after.name, breaking.signal, is_entering, value, *verdicts, doc_id)
                    self._held[key].append(_Candidate(distance, doc_id, one.path, one.group, row, sample))
                self._held[key] = sorted(self._held[key], key=lambda held: held[:5])[: self.count]

    def found(self) -> list[_Candidate]:
        """What is held: by bound, those that enter first, the nearest first."""
        keys = sorted(self._held, key=lambda key: (key[0], not key[1]))
        return [candidate for key in keys for candidate in self._held[key]]

    def _closest(
        self, one: RowGroup, hit: Mask, signals: pa.StructArray, limit: Limit, key: tuple[int, bool]
    ) -> list[tuple[int, float, str]]:
        """(row, distance, doc_id) of the rows of a group that are near enough to be held."""
        (rows,) = np.nonzero(hit)
        if not len(rows) or not self.count:
            return []
        distances = _distances(limit, signals)[rows]
        held = self._held[key]
        worst = held[-1].distance if len(held) >= self.count else math.inf
        rows, distances = rows[distances <= worst], distances[distances <= worst]
        ids = one.batch.column("doc_id").take(pa.array(rows)).to_pylist()
        best = sorted(zip(distances.tolist(), ids, rows.tolist(), strict=True))[: self.count]
        return [(row, distance, doc_id) for distance, doc_id, row in best]


def fill_in(run: RunDir, candidates: Sequence[_Candidate]) -> list[Sample]:
    """The samples with their source, URL and the beginning of their text, in the order given."""
    groups: dict[tuple[str, int], list[int]] = defaultdict(list)
    for index, one in enumerate(candidates):
        groups[one.path, one.group].append(index)
    samples = [one.sample for one in candidates]
    for (path, group), indices in groups.items():
        table = read_rows(run, path, group, [candidates[i].row for i in indices], ("source", "language", "url", "text"))
        for index, row in zip(indices, readable_rows(table, _TEXT_CHARS), strict=True):
            samples[index] = samples[index]._replace(
                source=row.get("source") or "",
                language=row.get("language") or "",
                url=row.get("url") or "",
                text=without_gaps(row.get("text") or ""),
            )
    return samples


def _broken(limit: Limit | None, signals: pa.StructArray) -> Mask:
    return np.zeros(len(signals), np.bool_) if limit is None else mask_of(limit.broken_by(signals))


def _distances(limit: Limit, signals: pa.StructArray) -> NDArray[np.float64]:
    """How far each value is from a numeric bound, infinite for NaN; 0 for all where the bound is no number."""
    if limit.op not in ("at_least", "at_most"):
        return np.zeros(len(signals))
    values = pc.fill_null(pc.struct_field(signals, limit.signal).cast(pa.float64(), safe=False), math.inf)
    bounds = limit.value if limit.group is None else limit.bounds(signals, pa.float64())
    distances: NDArray[np.float64] = np.abs(np.asarray(values) - np.asarray(bounds, np.float64))
    return np.nan_to_num(distances, nan=math.inf, posinf=math.inf)
