"""What benchmarks of whole runs share: a child process of its own cores, a table with ratios, bars, and a result file.

Each contestant runs in a fresh process, so that none inherits another's loaded models, warmed caches or memory, and
neither contestant nor the processes that it starts (Java, workers) see more cores than they are given.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")

RESULTS = Path(__file__).with_name("results")


class Row(NamedTuple):
    """One contestant."""

    name: str
    cores: int
    seconds: float  # of work, without the start
    documents: int
    start_seconds: float | None = None  # imports, models, session; None where it is not known
    note: str = ""

    @property
    def rate(self) -> float:
        """Documents a second of work."""
        return self.documents / self.seconds


class Bar(NamedTuple):
    """Something that a figure must reach, or stay within."""

    what: str
    value: float | None  # None: not measured
    bound: float
    at_least: bool = True

    def line(self) -> str:
        """`pass`, `FAIL` or `-`, with the figure and its bound."""
        sign = "at least" if self.at_least else "at most"
        if self.value is None:
            return f"   -   {self.what}: not measured ({sign} {self.bound:g})"
        good = self.value >= self.bound if self.at_least else self.value <= self.bound
        return f" {'pass' if good else 'FAIL'}  {self.what}: {self.value:.4g} ({sign} {self.bound:g})"


def on_cores(cores: int, work: Callable[..., T], *arguments: Any) -> T:
    """What `work` (a function of a module's top level) returns from a fresh process that has only so many cores."""
    with ProcessPoolExecutor(
        1, mp_context=multiprocessing.get_context("spawn"), initializer=pin, initargs=(cores,)
    ) as pool:
        return pool.submit(work, *arguments).result()


def pin(cores: int) -> None:
    """Limit this process and its children to the first `cores` that it may use. Linux only; elsewhere it says so."""
    if not hasattr(os, "sched_setaffinity"):
        print(f"this system cannot pin a process to cores: the figures are not those of {cores}")
        return
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < cores:
        raise SystemExit(f"{cores} cores are wanted and {len(allowed)} may be used")
    os.sched_setaffinity(0, allowed[:cores])


def machine() -> str:
    """Processor, cores, and how busy it is: a figure from a machine with other work is a rough one."""
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{model}, {os.cpu_count()} cores{load}, Python {platform.python_version()}"


def table(rows: Sequence[Row], peer: str) -> str:
    """The rows as text, each with its rate as a multiple of the peer's."""
    base = next(row.rate for row in rows if row.name == peer)
    lines = [f"{'':<34} cores   start s    work s    docs/s     ratio"]
    for row in rows:
        start = "-" if row.start_seconds is None else f"{row.start_seconds:.1f}"
        figures = f"{row.cores:5} {start:>9} {row.seconds:9.1f} {row.rate:9.2f} {row.rate / base:9.2f}"
        lines.append(f"{row.name:<34} {figures}  {row.note}".rstrip())
    return "\n".join(lines)


def save(name: str, result: dict[str, Any]) -> Path:
    """Write a result with machine and time to `benchmarks/results/`, which git ignores. Returns the file."""
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    path = RESULTS / f"{name}-{now:%Y%m%dT%H%M%SZ}.json"
    record = {"benchmark": name, "at": now.isoformat(timespec="seconds"), "machine": machine(), **result}
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return path
