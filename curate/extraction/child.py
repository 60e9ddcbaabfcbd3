"""The child's side of `curate.extraction.sandbox`: read a document, run the function under the kernel's limits, reply.

It imports little, so that it starts fast and its memory is the document's. Nothing here trusts what it runs: the reply
pipe is moved away from standard output before any other code can print to it, timers end the process by signal even
inside C code, and memory limits are set once everything is imported.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import IO, Any

from curate.extraction.frames import read_frame, write_frame

#: The exit status by which the child says that memory was not enough.
OUT_OF_MEMORY_STATUS = 77


def serve(start: Mapping[str, Any]) -> None:
    """Answer documents until standard input ends. `start` has target, settings and limits."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    logging.disable(logging.CRITICAL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle; it then closes our input
    for timer in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(timer, signal.SIG_DFL)  # a parent may have had them ignored, and that is inherited
    module, _, name = start["target"].partition(":")
    try:
        function = getattr(import_module(module), name)
    except (ImportError, AttributeError) as problem:
        _reply(replies, {"failed": f"{type(problem).__name__}: {problem}"})
        return
    _bound_memory(start["limits"]["memory_bytes"])
    _reply(replies, {})
    while (frame := read_frame(sys.stdin.buffer)) is not None:
        head, payload = frame
        _set_timers(start["limits"]["cpu_seconds"], start["limits"]["wall_seconds"])
        reply = _answer(function, payload, json.loads(head), start["settings"])
        _set_timers(0, 0)
        _reply(replies, reply)


def _answer(
    function: Callable[[bytes, Mapping[str, Any], Mapping[str, Any]], dict[str, Any]],
    payload: bytes,
    request: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    try:
        return {"ok": function(payload, request, settings)}
    except MemoryError:
        os._exit(OUT_OF_MEMORY_STATUS)  # what is left of this heap is nothing to go on with
    except RecursionError:
        return {"error": "too_deep"}
    except Exception as problem:  # noqa: BLE001  # the document boundary: any fault of an engine becomes a reason
        return {"error": type(problem).__name__}


def _reply(pipe: IO[bytes], reply: Mapping[str, Any]) -> None:
    write_frame(pipe, json.dumps(reply, ensure_ascii=False).encode("utf-8", "replace"))
    pipe.flush()


def _set_timers(cpu_seconds: float, wall_seconds: float) -> None:
    """Let the default action of the timers' signals, which is death, end an overlong document. 0 switches off."""
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    signal.setitimer(signal.ITIMER_REAL, wall_seconds)


def _bound_memory(memory_bytes: int) -> None:
    for limit in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
        _, hard = resource.getrlimit(limit)
        if hard == resource.RLIM_INFINITY or memory_bytes <= hard:
            resource.setrlimit(limit, (memory_bytes, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
