"""What would change if limits were others: the new funnel beside the old one, from stored signals alone.

Only settings that are limits and nothing else can be answered for so; any other is refused with the names of those
that can (`curate.limit_settings`). What stored signals cannot tell is counted apart: a document that had gone early and
would now stay has not been measured by later stages, and no corpus stage has seen it; and where one that stood for
duplicates goes before they were looked for, a duplicate that is within the limits would come back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curate.fused import chosen_rows
from curate.limit_settings import Change, changed_settings
from curate.nearest import Nearest, Sample, fill_in
from curate.recipe import Recipe, Step
from curate.stage import CorpusStage, DocumentStage, Limit
from curate.stored_signals import RowGroup, Show, StoredRun, limited_fields, row_groups, signals_of
from curate.verdicts import KEPT, Codes, Mask, Rule, Rules, mask_of

Move = tuple[str, str, Rule | None, Rule | None]  # source, language, dropped for, would be dropped for


@dataclass
class WhatIf:
    """What would change. Counts are documents."""

    changes: list[Change]
    steps: list[str]  # of the recipe
    order: list[str]  # of what may have dropped a document: steps, and the reader and the ends of passes among them
    num_read: int = 0
    dropped: Counter[Rule] = field(default_factory=Counter)
    would_drop: Counter[Rule] = field(default_factory=Counter)
    moves: Counter[Move] = field(default_factory=Counter)
    not_measured: Counter[tuple[str, ...]] = field(default_factory=Counter)  # of those that enter, by which stages
    stood_for_duplicates: Counter[str] = field(default_factory=Counter)  # corpus stage → documents it would not see
    samples: list[Sample] = field(default_factory=list)

    def stages(self, counts: Counter[Rule]) -> list[dict[str, Any]]:
        """A funnel of `dropped` or of `would_drop`: an entry for each stage, as in run.json."""
        left, entries = self.num_read, []
        for stage in self.order:
            found = sorted((-n, rule.reason) for rule, n in counts.items() if rule.stage == stage)
            reasons = {reason: -n for n, reason in found}
            dropped = sum(reasons.values())
            entry = {"stage": stage, "documents_in": left, "kept": left - dropped, "dropped": dropped}
            left -= dropped
            if stage in self.steps or dropped:
                entries.append({**entry, "reasons": reasons})
        return entries

    def of_kind(self, kind: str) -> Counter[Move]:
        """Moves that `enter` (would be kept), `leave` (would be dropped), or go for another `reason`."""
        return Counter({move: count for move, count in self.moves.items() if _kind(move) == kind})

    def as_json(self) -> dict[str, Any]:
        """Everything, for `--json`."""
        funnels = {"old": self.stages(self.dropped), "new": self.stages(self.would_drop)}
        kinds = {"enters": "enter", "leaves": "leave", "goes_for_another_reason": "reason"}
        moved = {name: _moves_json(self.of_kind(kind)) for name, kind in kinds.items()}
        missing = [{"stages": list(names), "documents": n} for names, n in sorted(self.not_measured.items())]
        return {
            "changes": [change._asdict() for change in self.changes],
            "read": self.num_read,
            "kept": {name: self.num_read - sum(counts.values()) for name, counts in self._sides()},
            "stages": funnels,
            **moved,
            "enters_not_measured_by": missing,
            "stood_for_duplicates": dict(self.stood_for_duplicates),
            "samples": [_sample_json(sample) for sample in self.samples],
        }

    def _sides(self) -> list[tuple[str, Counter[Rule]]]:
        return [("old", self.dropped), ("new", self.would_drop)]


def what_if(stored: StoredRun, recipe: Recipe, *, samples: int = 3, show: Show = lambda rows: None) -> WhatIf:
    """Judge every document of a run by the limits of a changed recipe. `samples`: for each bound and direction.

    RecipeError where a changed setting is no limit, InputError where the run's own verdicts cannot be had again.
    """
    return _Judging(stored, recipe, samples).run(show)


class _Judging:
    """One trip over a run's row groups."""

    def __init__(self, stored: StoredRun, recipe: Recipe, samples: int) -> None:
        self.stored, self.old, self.new = stored, stored.steps, recipe.stages
        self.rules = Rules(stored.plan)
        self.found = WhatIf(
            changed_settings(stored.plan.recipe, recipe), [step.name for step in self.old], self.rules.order
        )
        self.nearest = Nearest(_changed_bounds(self.old, self.new), samples)

    def run(self, show: Show) -> WhatIf:
        fields = {name: set(names) for name, names in limited_fields(self.old).items()}
        for name, names in limited_fields(self.new).items():
            fields[name].update(names)
        paths = [*self.stored.kept(), *self.stored.dropped()]
        wanted = {name: sorted(names) for name, names in fields.items()}
        for one in row_groups(self.stored.run, paths, wanted, show):
            self._take(one)
        self.stored.check_whole(self.found.num_read, self.stored.num_read)
        self.found.samples = fill_in(self.stored.run, self.nearest.found())
        return self.found

    def _take(self, one: RowGroup) -> None:
        rules, batch = self.rules, one.batch
        was = rules.stored(batch)
        rules.check(rules.verdicts(batch, self.old, was), was)
        now = rules.verdicts(batch, self.new, was)
        self.found.num_read += batch.num_rows
        for tally, codes in ((self.found.dropped, was), (self.found.would_drop, now)):
            tally.update({rules.rules[code]: n for code, n in _counts(codes).items() if code != KEPT})
        moved = was != now
        if not moved.any():
            return
        self._count_moves(batch, was, now, moved)
        self._count_not_measured(batch, was, (was != KEPT) & (now == KEPT))
        self._count_survivors(batch, was, now)
        self.nearest.take(one, (was != KEPT) & (now == KEPT), (was == KEPT) & (now != KEPT), rules, was, now)

    def _count_moves(self, batch: pa.RecordBatch, was: Codes, now: Codes, moved: Mask) -> None:
        columns = [batch.column("source"), batch.column("language"), pa.array(was), pa.array(now)]
        table = pa.table(columns, ["source", "language", "was", "now"]).filter(pa.array(moved))
        keys = ["source", "language", "was", "now"]
        for row in table.group_by(keys).aggregate([([], "count_all")]).to_pylist():
            rules = (self.rules.of(row["was"]), self.rules.of(row["now"]))
            self.found.moves[(row["source"] or "", row["language"] or "", *rules)] += row["count_all"]

    def _count_not_measured(self, batch: pa.RecordBatch, was: Codes, enters: Mask) -> None:
        """Stages after the one that had dropped a document, which have no signals of it and were meant for it."""
        if not enters.any():
            return
        places = self.rules.places(was)
        missing = [enters & (places < self.rules.place[step.name]) & _unseen(batch, step) for step in self.stored.steps]
        patterns, counts = np.unique(np.stack(missing)[:, enters], axis=1, return_counts=True)
        for pattern, count in zip(patterns.T, counts.tolist(), strict=True):
            names = tuple(step.name for step, is_missing in zip(self.stored.steps, pattern, strict=True) if is_missing)
            if names:
                self.found.not_measured[names] += count

    def _count_survivors(self, batch: pa.RecordBatch, was: Codes, now: Codes) -> None:
        """Documents that a corpus stage kept in place of others, and that would not come so far."""
        before, after = self.rules.places(was), self.rules.places(now)
        for step in self.stored.steps:
            if isinstance(step.stage, CorpusStage):
                place = self.rules.place[step.name]
                stood = mask_of(pc.is_valid(signals_of(batch, step))) & (before > place) & (after < place)
                self.found.stood_for_duplicates.update({step.name: int(stood.sum())} if stood.any() else {})


def _unseen(batch: pa.RecordBatch, step: Step) -> Mask:
    """Rows that a step was meant for and has no signals of."""
    return mask_of(pc.is_null(signals_of(batch, step))) & mask_of(chosen_rows(batch, step))


def _changed_bounds(old: Sequence[Step], new: Sequence[Step]) -> list[tuple[Step, Limit | None, Step, Limit | None]]:
    """(step, limit) before and after, for each bound that differs; None where it is off."""
    changed = []
    for before, after in zip(old, new, strict=True):
        was, now = _bounds(before), _bounds(after)
        for key in dict.fromkeys([*was, *now]):
            if was.get(key) != now.get(key):
                changed.append((before, was.get(key), after, now.get(key)))  # noqa: PERF401  # clearer than nested
    return changed


def _bounds(step: Step) -> Mapping[tuple[str, str], Limit]:
    limits = step.stage.limits if isinstance(step.stage, DocumentStage) else ()
    return {(limit.signal, limit.op): limit for limit in limits}


def _counts(codes: Codes) -> dict[int, int]:
    values, counts = np.unique(codes, return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))


def _kind(move: Move) -> str:
    _, _, was, now = move
    return "enter" if now is None else "leave" if was is None else "reason"


def _moves_json(moves: Counter[Move]) -> dict[str, Any]:
    rows = [
        {"source": source, "language": language, **_rules_json(was, now), "documents": n}
        for (source, language, was, now), n in moves.most_common()
    ]
    return {"documents": sum(moves.values()), "by": rows}


def _sample_json(sample: Sample) -> dict[str, Any]:
    return {**sample._asdict(), **_rules_json(sample.was, sample.would_be)}


def _rules_json(was: Rule | None, would_be: Rule | None) -> dict[str, Any]:
    return {"was": was and was._asdict(), "would_be": would_be and would_be._asdict()}
