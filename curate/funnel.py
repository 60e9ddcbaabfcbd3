"""The funnel: how many documents came in, what each stage dropped and why, and the proof that none is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from curate.errors import RunError
from curate.plan import Pass

if TYPE_CHECKING:
    from curate.spark.document_pass import Done


class Funnel:
    """Counts of a run, pass by pass."""

    def __init__(self, steps: Sequence[str]) -> None:
        self.steps = list(steps)
        self.num_read = 0
        self.num_kept = 0
        self.dropped: Counter[tuple[str, str, str, str]] = Counter()  # source, language, stage, reason → documents
        self.dropped_bytes: Counter[tuple[str, str, str, str]] = Counter()
        self.kept: Counter[tuple[str, str]] = Counter()  # source, language → documents after the last pass
        self.kept_bytes: Counter[tuple[str, str]] = Counter()
        self.seconds: Counter[str] = Counter()
        self.records: Counter[str] = Counter()
        self._started = False

    def add(self, done: Sequence[Done], expected: int | None) -> None:
        """Take in a pass. `expected`: rows that the pass before had kept; None for the first pass."""
        num_read = sum(d.read for d in done)
        num_kept = sum(d.kept.rows for d in done)
        num_dropped = sum(d.dropped.rows for d in done if d.dropped)
        if num_read != num_kept + num_dropped or (expected is not None and num_read != expected):
            came = f"{expected:,} came, " if expected is not None else ""
            raise RunError(
                f"documents are missing: {came}{num_read:,} were read, {num_kept:,} kept, {num_dropped:,} dropped. "
                "Remove the folder of this pass and run again; if it comes back, it is a fault of curate"
            )
        if not self._started:
            self.num_read, self._started = num_read, True
        self.num_kept = num_kept
        self.kept.clear()
        self.kept_bytes.clear()
        for d in done:
            self.records.update(d.records)
            for name, value in d.seconds.items():
                self.seconds[name] += value  # type: ignore[assignment]  # float seconds
            for source, language, stage, reason, count, size in d.tally:
                place = (source or "", language or "")
                if reason is None:
                    self.kept[place] += count
                    self.kept_bytes[place] += size
                else:
                    self.dropped[(*place, stage, reason)] += count
                    self.dropped_bytes[(*place, stage, reason)] += size

    def check(self) -> None:
        """Rows read = rows kept + rows dropped over the whole run; RunError otherwise."""
        num_dropped = sum(self.dropped.values())
        if self.num_read != self.num_kept + num_dropped:
            raise RunError(
                f"documents are missing: {self.num_read:,} read, {self.num_kept:,} kept, {num_dropped:,} dropped"
            )

    def check_errors(self, current: Pass, done: Sequence[Done], max_error_frac: float) -> None:
        """RunError when a pass's own stages raised on a larger share of its documents (100 at least)."""
        names = {step.name for step in current.steps}
        errors: Counter[str] = Counter()
        for d in done:
            for _, _, stage, reason, count, _ in d.tally:
                if stage in names and (reason or "").startswith("error_"):
                    errors[f"{stage}: {reason}"] += count
        num_read = sum(d.read for d in done)
        if num_read >= 100 and sum(errors.values()) > max_error_frac * num_read:
            worst, count = errors.most_common(1)[0]
            raise RunError(
                f"{sum(errors.values()):,} of {num_read:,} documents raised an error in {current.name}, more than "
                f"max_error_frac = {max_error_frac:g} allows; most often {worst} ({count:,}). The documents are under "
                f"dropped/{current.name}. If they are as they should be, raise max_error_frac in the recipe"
            )

    def stages(self) -> list[dict[str, Any]]:
        """One entry for each stage in order: documents in, kept, dropped, and reasons with their counts."""
        by_stage: dict[str, Counter[str]] = {}
        for (_, _, stage, reason), count in self.dropped.items():
            by_stage.setdefault(stage, Counter())[reason] += count
        order = ["read", *self.steps]
        order[1:1] = sorted(set(by_stage) - set(order))  # `no_text`: judged when the first pass ends
        entries, left = [], self.num_read
        for stage in order:
            reasons = by_stage.get(stage, Counter())
            dropped = sum(reasons.values())
            entries.append(
                {
                    "stage": stage,
                    "documents_in": left,
                    "kept": left - dropped,
                    "dropped": dropped,
                    "reasons": dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
                    "seconds": round(float(self.seconds.get(stage, 0)), 2),
                }
            )
            left -= dropped
        return entries

    def as_json(self) -> dict[str, Any]:
        """Everything, for run.json."""
        return {
            "read": self.num_read,
            "kept": self.num_kept,
            "dropped": sum(self.dropped.values()),
            "stages": self.stages(),
            "dropped_by": [
                {"source": s, "language": lang, "stage": stage, "reason": reason, "documents": n, "bytes": b}
                for (s, lang, stage, reason), n in sorted(self.dropped.items())
                for b in [self.dropped_bytes[s, lang, stage, reason]]
            ],
            "kept_by": [
                {"source": s, "language": lang, "documents": n, "bytes": self.kept_bytes[s, lang]}
                for (s, lang), n in sorted(self.kept.items())
            ],
            "seconds": {name: round(float(value), 2) for name, value in sorted(self.seconds.items())},
            "records": dict(sorted(self.records.items())),
        }
