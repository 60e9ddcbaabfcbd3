"""Which rules drop what, and which drop the same: an audited run's rules against each other.

In a run with `audit: true` every stage of a pass measures every document, so all rules that a document breaks are
known, not only the first. For each rule:

- **total**: documents that break it;
- **first**: documents that the run attributes to it, as the first broken one in the run's order. They add up to all
  that were dropped;
- **unique**: documents that break it and no other rule. They are its marginal effect: what would be kept, as far as
  the run measured, were this rule alone switched off;
- **shared**: the others, total less unique. Another rule drops them anyway.

What a pass drops, later passes and corpus stages never see: rules of different passes share nothing by construction.
A kept document breaks no rule, so only what was dropped is read, its signals and not its texts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.errors import InputError
from curate.stage import DocumentStage
from curate.stored_signals import Show, StoredRun, limited_fields, row_groups
from curate.verdicts import KEPT, Codes, Mask, Rule, Rules

Counts = NDArray[np.int64]


class RuleCounts(NamedTuple):
    """What one rule does. Counts are documents; what they mean is said above."""

    stage: str
    reason: str
    total: int
    first: int
    unique: int
    shared: int


@dataclass(frozen=True)
class Audit:
    """Rules in the order of the run; those that no document breaks too."""

    rules: list[RuleCounts]
    stages: list[RuleCounts]  # the rules of a stage as one, with an empty reason
    both: Counts  # int64[rules, rules]: documents that break both; total on the diagonal
    num_dropped: int  # documents looked at
    num_read: int  # documents of the run

    def jaccard(self) -> NDArray[np.float64]:
        """float64[rules, rules]: documents that break both over those that break either; 0 where none breaks any."""
        total = np.diagonal(self.both)
        either = total[:, None] + total[None, :] - self.both
        similar: NDArray[np.float64] = np.divide(self.both, either, out=np.zeros(self.both.shape), where=either > 0)
        return similar

    def as_json(self) -> dict[str, Any]:
        """Everything, for `--json`. Pairs of rules without a common document are left out."""
        similar = self.jaccard()
        pairs = [
            {"a": _name(self.rules[i]), "b": _name(self.rules[j]), "both": both, "jaccard": float(similar[i, j])}
            for i, j in np.argwhere(np.triu(self.both, 1) > 0).tolist()
            for both in [int(self.both[i, j])]
        ]
        return {
            "read": self.num_read,
            "dropped": self.num_dropped,
            "rules": [rule._asdict() for rule in self.rules],
            "stages": [{k: v for k, v in stage._asdict().items() if k != "reason"} for stage in self.stages],
            "overlap": sorted(pairs, key=lambda pair: (-pair["both"], pair["a"], pair["b"])),
        }


def audit_run(stored: StoredRun, *, max_files: int | None = None, show: Show = lambda rows: None) -> Audit:
    """Count an audited run's rules, over all dropped documents or those of a sample of the files.

    InputError where the run was not audited: then a document was not measured after the first broken rule.
    """
    if not stored.plan.recipe.audit:
        raise InputError(
            f"{stored.run.root} was run without `audit: true`: of each document only the first broken rule is known. "
            "Run the recipe with --set audit=true, into this folder or another; it is measured again"
        )
    found = _Counting(stored).run(stored.dropped(max_files), show)
    if max_files is None:
        stored.check_whole(found.num_dropped, stored.num_dropped)
    return found


class _Counting:
    """One trip over dropped documents."""

    def __init__(self, stored: StoredRun) -> None:
        self.stored, self.rules = stored, Rules(stored.plan)
        for step in stored.steps:  # numbers in the order of the run, before any document is seen
            for limit in step.stage.limits if isinstance(step.stage, DocumentStage) else ():
                self.rules.code(step.name, limit.reason)
        self.both: Counts = np.zeros((0, 0), np.int64)
        self.first: Counts = np.zeros(0, np.int64)
        self.unique: Counts = np.zeros(0, np.int64)
        self.stage_total: Counter[str] = Counter()
        self.stage_unique: Counter[str] = Counter()
        self.num_dropped = 0

    def run(self, paths: list[str], show: Show) -> Audit:
        for one in row_groups(self.stored.run, paths, limited_fields(self.stored.steps), show):
            stored = self.rules.stored(one.batch)
            broken = self._broken(one.batch, stored)
            self._grow()
            if broken:
                self._count(broken, stored)
        self._grow()
        order = sorted(range(len(self.rules.rules)), key=lambda code: self.rules.place[self.rules.rules[code].stage])
        counts = [self._counts(code) for code in order]
        stages = [self._stage_counts(stage, counts) for stage in dict.fromkeys(rule.stage for rule in counts)]
        return Audit(counts, stages, self.both[np.ix_(order, order)], self.num_dropped, self.stored.num_read)

    def _broken(self, batch: pa.RecordBatch, stored: Codes) -> dict[int, Mask]:
        """Rule → bool[rows] where it is broken, of all rules that any row breaks."""
        broken: dict[int, Mask] = {}
        given = self.rules.verdicts(batch, self.stored.steps, stored)
        self.rules.check(given, stored)
        for step in self.stored.steps:
            if isinstance(step.stage, DocumentStage):
                for code, mask in self.rules.broken(batch, step, stored):
                    broken[code] = broken[code] | mask if code in broken else mask
        for code in np.unique(stored[stored != KEPT]).tolist():
            here = stored == code  # what no limit decides: a reader's error, a duplicate, a missing text
            broken[code] = broken[code] | here if code in broken else here
        return broken

    def _grow(self) -> None:
        """Room for the rules that came up, such as an error nobody had met before."""
        more = len(self.rules.rules) - len(self.first)
        self.both = np.pad(self.both, (0, more))
        self.first, self.unique = np.pad(self.first, (0, more)), np.pad(self.unique, (0, more))

    def _count(self, broken: dict[int, Mask], stored: Codes) -> None:
        codes = list(broken)
        matrix = np.stack([broken[code] for code in codes])
        as_numbers = matrix.astype(np.float32)  # exact: a row group has far fewer than 2**24 rows
        self.both[np.ix_(codes, codes)] += (as_numbers @ as_numbers.T).astype(np.int64)
        self.unique[codes] += (matrix & (matrix.sum(axis=0) == 1)).sum(axis=1)
        names = np.array([self.rules.rules[code].stage for code in codes])
        stages = np.unique(names).tolist()
        by_stage = np.stack([matrix[names == stage].any(axis=0) for stage in stages])
        alone = by_stage & (by_stage.sum(axis=0) == 1)
        self.stage_total.update(dict(zip(stages, by_stage.sum(axis=1).tolist(), strict=True)))
        self.stage_unique.update(dict(zip(stages, alone.sum(axis=1).tolist(), strict=True)))
        self.first += np.bincount(stored[stored != KEPT], minlength=len(self.first))
        self.num_dropped += int((stored != KEPT).sum())

    def _counts(self, code: int) -> RuleCounts:
        rule: Rule = self.rules.rules[code]
        total, unique = int(self.both[code, code]), int(self.unique[code])
        return RuleCounts(*rule, total, int(self.first[code]), unique, total - unique)

    def _stage_counts(self, stage: str, rules: list[RuleCounts]) -> RuleCounts:
        total, unique = self.stage_total[stage], self.stage_unique[stage]
        first = sum(rule.first for rule in rules if rule.stage == stage)
        return RuleCounts(stage, "", total, first, unique, total - unique)


def _name(rule: RuleCounts) -> str:
    return f"{rule.stage}.{rule.reason}"
