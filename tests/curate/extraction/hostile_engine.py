"""Functions for the sandbox's child that do what hostile pages make parsers do. Bodies say what happens."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Mapping
from typing import Any

_calls = 0


def act(payload: bytes, request: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Do what the payload says; otherwise echo it, with the process id and how many calls this process has had."""
    global _calls  # a process' own count is what is tested
    _calls += 1
    if payload == b"segfault":
        ctypes.string_at(0)
    if payload == b"loop":
        while True:
            pass
    if payload == b"wait":
        time.sleep(3600)
    if payload == b"allocate":
        return {"size": len(bytearray(1 << 40))}
    if payload == b"recurse":
        return act(payload, request, settings)
    if payload == b"raise":
        raise LookupError("no such thing")
    if payload == b"print":
        print("to standard output" * 100_000)
        os.write(1, b"and to its descriptor")
    if payload == b"segfault in a used process" and _calls > 1:
        ctypes.string_at(0)
    text = payload.decode("utf-8", "replace")
    return {"text": text, "echo": dict(request), "settings": dict(settings), "pid": os.getpid(), "calls": _calls}


def segfault(payload: bytes, request: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """A page that says CRASH crashes; others are extracted as usual."""
    from curate.extraction.page import extract_page

    if b"CRASH" in payload:
        ctypes.string_at(0)
    return extract_page(payload, request, settings)
