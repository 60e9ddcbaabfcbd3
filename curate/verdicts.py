"""Verdicts from stored signals: what limits make of documents that were measured before.

The walk is the run's own: stages in order, in each an error before its limits, the first broken limit names the reason.
What limits do not decide stays as it was: errors, texts that were missing at the end of a pass, and the duplicates that
a corpus stage found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.errors import InputError
from curate.plan import Plan
from curate.readers.rows import READ_STAGE
from curate.recipe import Step
from curate.stage import DocumentStage
from curate.stored_signals import signals_of

KEPT = -1  # the code of no rule

Codes = NDArray[np.int32]
Mask = NDArray[np.bool_]


class Rule(NamedTuple):
    """What can drop a document: a stage and its reason."""

    stage: str
    reason: str


class Rules:
    """The rules of a run, numbered as they are met, and where in the run each stage stands."""

    def __init__(self, plan: Plan) -> None:
        self.order: list[str] = [READ_STAGE]  # what a verdict may name, in the order of the run
        for one in plan.passes:
            self.order += [*(step.name for step in one.steps), one.name]  # `no_text` is judged when a pass ends
        self.place = {name: index for index, name in enumerate(self.order)}
        self.rules: list[Rule] = []
        self._codes: dict[Rule, int] = {}

    def code(self, stage: str, reason: str) -> int:
        """The number of a rule. InputError for a stage that the recipe does not have."""
        rule = Rule(stage, reason)
        if rule not in self._codes:
            if stage not in self.place:
                raise InputError(f"a document was dropped by {stage!r}, which recipe.yaml does not have. Run it again")
            self._codes[rule] = len(self.rules)
            self.rules.append(rule)
        return self._codes[rule]

    def of(self, code: int) -> Rule | None:
        """The rule of a code, None for `KEPT`."""
        return None if code == KEPT else self.rules[code]

    def places(self, codes: Codes) -> NDArray[np.int64]:
        """Where each verdict fell; after everything for a kept document."""
        known = np.array([self.place[rule.stage] for rule in self.rules] + [len(self.order)], dtype=np.int64)
        return known[codes]  # KEPT is -1: the last one

    def stored(self, batch: pa.RecordBatch) -> Codes:
        """The verdict that the run wrote, as a rule's code: int32[rows]."""
        codes = np.full(batch.num_rows, KEPT, np.int32)
        pairs = pa.table([batch.column("drop_stage"), batch.column("drop_reason")], ["stage", "reason"])
        for pair in pairs.group_by(["stage", "reason"]).aggregate([]).to_pylist():
            if pair["stage"] is not None:
                here = pc.and_(pc.equal(pairs["stage"], pair["stage"]), pc.equal(pairs["reason"], pair["reason"]))
                codes[mask_of(here)] = self.code(pair["stage"], pair["reason"])
        return codes

    def broken(self, batch: pa.RecordBatch, step: Step, stored: Codes) -> list[tuple[int, Mask]]:
        """(rule, bool[rows] where it is broken) of a document step, in the order in which they name the reason."""
        raised = [code for code, rule in enumerate(self.rules) if rule.stage == step.name and is_error(rule)]
        found = [(code, stored == code) for code in raised]
        signals = signals_of(batch, step)
        if signals.type.get_field_index("error") >= 0:
            told = pc.struct_field(signals, "error")
            names = pc.unique(told.drop_null()).to_pylist()
            found += [(self.code(step.name, f"error_{name}"), mask_of(pc.equal(told, name))) for name in names]
        assert isinstance(step.stage, DocumentStage)
        limits = step.stage.limits
        found += [(self.code(step.name, limit.reason), mask_of(limit.broken_by(signals))) for limit in limits]
        return found

    def verdicts(self, batch: pa.RecordBatch, steps: Sequence[Step], stored: Codes) -> Codes:
        """The verdict that the limits of `steps` give: int32[rows] of rule codes."""
        by_name = {step.name: step for step in steps if isinstance(step.stage, DocumentStage)}
        codes = np.full(batch.num_rows, KEPT, np.int32)
        places = self.places(stored)
        for place, name in enumerate(self.order):
            if name in by_name:
                for code, mask in self.broken(batch, by_name[name], stored):
                    codes[mask & (codes == KEPT)] = code
            else:
                here = (places == place) & (codes == KEPT)
                codes[here] = stored[here]
        return codes

    def check(self, given: Codes, stored: Codes) -> None:
        """InputError where the recipe's own limits do not give back what the run decided."""
        (wrong,) = np.nonzero(given != stored)
        if len(wrong):
            was, now = self.of(int(stored[wrong[0]])), self.of(int(given[wrong[0]]))
            raise InputError(
                f"the stored signals do not give back the run's own verdicts: a document has {_told(was)}, by its "
                f"signals {_told(now)}. Another version of curate, or another recipe, made this folder. Run it again"
            )


def is_error(rule: Rule) -> bool:
    """Whether a stage raised, or told of an error: no limit decides that."""
    return rule.reason.startswith("error_")


def mask_of(values: pa.Array | pa.ChunkedArray) -> Mask:
    """A boolean Arrow array as bool[n]; null is False."""
    return np.asarray(pc.fill_null(values, False).to_numpy(zero_copy_only=False), dtype=np.bool_)


def _told(rule: Rule | None) -> str:
    return "been kept" if rule is None else f"gone by {rule.stage}: {rule.reason}"
