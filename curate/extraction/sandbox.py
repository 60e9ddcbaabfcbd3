"""Run a function over documents in a child process, so that a document can cost no more than itself.

A page can make a C parser crash, never end, or take all memory. Here such a page becomes a reason (`crash`, `timeout`,
`out_of_memory`) and the next one goes on in a new child. Documents travel over pipes in length-prefixed frames of JSON
and bytes, never pickles, and are written ahead by a thread so that the child does not wait for the next one.

The limits are the kernel's own, set by the child on itself (`curate.extraction.child`): CPU and wall timers whose
signal ends the process, and resource limits on memory. They hold inside C code, they need no watching from here, and
they end the child even where this process is gone; otherwise the end of its input does.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any, NamedTuple

from curate.errors import EnvironmentProblem
from curate.extraction.child import OUT_OF_MEMORY_STATUS
from curate.extraction.frames import read_frame, write_frame

#: A child is replaced after this many documents, as C libraries leak; one start costs as much as about 20 documents.
DOCUMENTS_PER_CHILD = 10_000
_PIPE_BYTES = 1 << 20  # what Linux lets an unprivileged process ask for
_F_SETPIPE_SZ = 1031  # fcntl.F_SETPIPE_SZ, Linux only
#: Given to `python -c`: the interpreter's own path first, as it may hold archives that were shipped to a worker.
_BOOT = (
    "import json, sys; start = json.loads(sys.stdin.buffer.readline()); sys.path[:] = start['path'];"
    "from curate.extraction.child import serve; serve(start)"
)

#: What a status of the child says about the document it had.
_REASONS = {-signal.SIGPROF: "timeout", -signal.SIGALRM: "timeout", OUT_OF_MEMORY_STATUS: "out_of_memory"}


class Limits(NamedTuple):
    """What one document may cost."""

    cpu_seconds: float  # CPU time, so that a busy machine does not decide
    wall_seconds: float  # for what waits without computing
    memory_bytes: int  # address space and data of the child


class Job(NamedTuple):
    """One document for the child."""

    payload: bytes | memoryview
    request: Mapping[str, Any]  # plain JSON


class Outcome(NamedTuple):
    """What became of one document: a reply, or why there is none."""

    reply: dict[str, Any] | None
    error: str | None  # crash, timeout, out_of_memory, too_deep, or the name of the exception that the function raised


class Sandbox:
    """A child process that runs `target` ("module:function" of payload, request and settings to a JSON object).

    The child starts with the first document. Not for several threads at once.
    """

    def __init__(self, target: str, settings: Mapping[str, Any], limits: Limits) -> None:
        self.target = target
        self.settings = dict(settings)
        self.limits = limits
        self._child: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()
        self._num_served = 0

    def run(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """One outcome for each job, in order. EnvironmentProblem where the child cannot start at all."""
        position = 0
        retried = False
        while position < len(jobs):
            for reply in self._replies(jobs[position:]):
                yield Outcome(reply.get("ok"), reply.get("error"))
                position += 1
                retried = False
            if position == len(jobs):
                return
            error = self._bury()
            # A child may die of what came before (memory in pieces) or of a signal from outside: only what ends a fresh
            # child too is the document's own doing, and only that is the same on every run.
            if error == "timeout" or retried:
                yield Outcome(None, error)
                position += 1
                retried = False
            else:
                retried = True

    def close(self) -> None:
        """End the child. It starts again with the next document."""
        if self._child is not None and self._owner == os.getpid():  # a fork's copy is not its child
            self._bury(kill=True)

    def _replies(self, jobs: Sequence[Job]) -> Iterator[dict[str, Any]]:
        """Replies of the child as far as it gets: fewer than `jobs` where it ended."""
        child = self._alive()
        assert child.stdin is not None
        assert child.stdout is not None
        writer = threading.Thread(target=_write_ahead, args=(child.stdin, jobs), daemon=True)
        writer.start()
        num_received = 0
        try:
            for _ in jobs:
                frame = read_frame(child.stdout)
                if frame is None:
                    return
                reply: dict[str, Any] = json.loads(frame[0])
                num_received += 1
                self._num_served += 1
                yield reply
        finally:
            if num_received < len(jobs):  # ended early, by the child or by whoever reads: nothing of ours may be left
                child.kill()
                child.wait()
            writer.join()

    def _alive(self) -> subprocess.Popen[bytes]:
        if self._owner != os.getpid():  # forked: the child belongs to the process that started it
            self._child, self._owner = None, os.getpid()
        if self._child is not None and (self._num_served >= DOCUMENTS_PER_CHILD or self._child.poll() is not None):
            self.close()
        if self._child is None:
            self._child, self._num_served = self._start(), 0
        return self._child

    def _start(self) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            [sys.executable, "-c", _BOOT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert child.stdin is not None
        assert child.stdout is not None
        for pipe in (child.stdin, child.stdout):
            with contextlib.suppress(OSError):  # another kernel, or the user's pipe budget is spent: only slower
                fcntl.fcntl(pipe, _F_SETPIPE_SZ, _PIPE_BYTES)
        start = {"path": sys.path, "target": self.target, "settings": self.settings, "limits": self.limits._asdict()}
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(json.dumps(start).encode() + b"\n")
            child.stdin.flush()
        hello = read_frame(child.stdout)
        if hello is None or hello[0] != b"{}":
            child.kill()
            why = json.loads(hello[0])["failed"] if hello else f"it ended with status {child.wait()}"
            raise EnvironmentProblem(
                f"the extraction process could not start {self.target}: {why}. "
                f"Interpreter: {sys.executable}; max_memory_mib is {self.limits.memory_bytes >> 20}"
            )
        return child

    def _bury(self, *, kill: bool = False) -> str:
        """Take leave of the child and name the reason it ended for."""
        child, self._child = self._child, None
        assert child is not None
        if kill:
            child.kill()
        status = child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        return _REASONS.get(status, "crash")


def _write_ahead(pipe: IO[bytes], jobs: Sequence[Job]) -> None:
    """Write every job; the pipe's size bounds how far ahead. A child that ended is noticed by whoever reads replies."""
    with contextlib.suppress(OSError):
        for job in jobs:
            write_frame(pipe, json.dumps(job.request).encode(), job.payload)
        pipe.flush()
