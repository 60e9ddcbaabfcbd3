"""Progress while something runs: a moving line on a terminal, a plain line now and then in a log."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

#: Called with how much is done, in the unit of the total, and what to say about it.
Show = Callable[[float, str], None]

PLAIN_SECONDS = 15.0  # between two lines in a log


class Reporter:
    """Where a run says how far it is. Silent unless given a console."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console

    def say(self, text: str) -> None:
        """One line, as it is: no markup is read in it, for it may hold names that others chose."""
        if self.console is not None:
            self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def bar(self, label: str, total: float) -> Iterator[Show]:
        """A bar up to `total`, with the time that is left."""
        if self.console is None:
            yield lambda done, detail: None
        elif not self.console.is_terminal:
            yield self._plain(label, total)
        else:
            columns = (
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                BarColumn(20),
                TaskProgressColumn(),
                TextColumn("{task.fields[detail]}", markup=False),
                TimeRemainingColumn(),
            )
            with Progress(*columns, console=self.console) as progress:
                bar = progress.add_task(label, total=max(total, 1), detail="")
                yield lambda done, detail: progress.update(bar, completed=done, detail=detail)

    def _plain(self, label: str, total: float) -> Show:
        started = last = time.monotonic()

        def show(done: float, detail: str) -> None:
            nonlocal last
            now = time.monotonic()
            if done >= total or now - last >= PLAIN_SECONDS:
                last = now
                left = f", about {(now - started) * (total - done) / done:.0f} s left" if 0 < done < total else ""
                self.say(f"  {label}: {done / max(total, 1):.0%}, {detail}{left}")

        return show


def document_rates(sums: Counter[str], num_tasks: int, seconds: float) -> str:
    """`3/8 tasks, 1,204 documents, 980 kept, 311/s, 4.1 MB/s`."""
    seconds = max(seconds, 1e-3)
    return (
        f"{sums['tasks']}/{num_tasks} tasks, {sums['documents']:,} documents, {sums['kept']:,} kept, "
        f"{sums['documents'] / seconds:,.0f}/s, {sums['bytes'] / seconds / 1e6:.1f} MB/s"
    )
