"""Progress while Spark works: one line a stage on a terminal, one plain line now and then elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

#: Called with sums over finished tasks: tasks, documents, kept, bytes.
Report = Callable[[Counter[str]], None]


class Reporter:
    """Where a run says how far it is. Silent unless given a console."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console

    def say(self, text: str) -> None:
        """One line, as it is: no markup is read in it, for it may hold names that others chose."""
        if self.console is not None:
            self.console.print(text, markup=False, highlight=False)

    @contextmanager
    def bar(self, label: str, num_tasks: int, num_bytes: int) -> Iterator[Report]:
        """A bar over tasks, with documents, rates and the time that is left."""
        if self.console is None:
            yield lambda sums: None
        elif not self.console.is_terminal:
            yield self._plain(label, num_tasks, num_bytes)
        else:
            columns = (
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                BarColumn(24),
                MofNCompleteColumn(),
                TextColumn("{task.fields[detail]}", markup=False),
                TimeRemainingColumn(),
            )
            started = time.monotonic()
            with Progress(*columns, console=self.console) as progress:
                bar = progress.add_task(label, total=num_tasks, detail="")

                def show(sums: Counter[str]) -> None:
                    detail = rates(sums, time.monotonic() - started)
                    progress.update(bar, completed=sums["tasks"], detail=detail)

                yield show

    def _plain(self, label: str, num_tasks: int, num_bytes: int) -> Report:
        """For logs: a line every 15 seconds, and one at the end."""
        started = last = time.monotonic()

        def show(sums: Counter[str]) -> None:
            nonlocal last
            now = time.monotonic()
            finished = sums["tasks"] >= num_tasks
            if finished or now - last >= 15:
                last = now
                done = max(sums["bytes"], 1) / max(num_bytes, 1)
                left = (now - started) * (1 - done) / done if sums["tasks"] else float("inf")
                eta = "" if finished or left == float("inf") else f", about {left:.0f} s left"
                self.say(f"  {label}: {sums['tasks']}/{num_tasks} tasks, {rates(sums, now - started)}{eta}")

        return show


def rates(sums: Counter[str], seconds: float) -> str:
    """`1,204 documents, 980 kept, 311/s, 4.1 MB/s`."""
    seconds = max(seconds, 1e-3)
    return (
        f"{sums['documents']:,} documents, {sums['kept']:,} kept, "
        f"{sums['documents'] / seconds:,.0f}/s, {sums['bytes'] / seconds / 1e6:.1f} MB/s"
    )
