"""Compile a function with numba, with its machine code kept on disk where that is possible.

Two traps are the reason for this file. Numba raises while a module is imported when it finds no folder for its cache,
which is so on a worker with a read-only installation and no home. And its cache looks at the source file of the
function alone: a function or a constant taken from another module stays what it was when the code was compiled (a stale
one has read past an array). So the cache's folder is named by a digest of all kernels: whichever of them changes, all
are compiled again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from numba import config, njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """`function` as machine code, compiled at its first call or read from the cache (see `cache_folder`)."""
    return _machine_code(function)


def borrowing(function: Function) -> Function:
    """The same for a function that only looks at the arrays it is given: it makes, slices and returns none of its own.

    Numba counts references to each array of each argument at each call, which costs as much as ten words of text; in
    such a function there is nothing to count (C4's rules ran at 125 MB/s instead of 49). Numba refuses others.
    """
    return _machine_code(function, _nrt=False)


def inlined(function: Function) -> Function:
    """`borrowing` for a function within a hot loop: its code stands wherever it is called.

    The compiler stops doing so by itself once a function is called from several places: with a third call of the one
    that resolves character references, pages were read at 220 MB/s instead of 600.
    """
    return _machine_code(function, _nrt=False, forceinline=True)


def _machine_code(function: Function, **options: bool) -> Function:
    before, config.CACHE_DIR = config.CACHE_DIR, str(cache_folder())
    try:
        fast: Function = njit(cache=True, **options)(function)
    except RuntimeError:  # "no locator available": nowhere to write, so every process compiles for itself
        fast = njit(**options)(function)
    finally:
        config.CACHE_DIR = before
    return fast


@cache
def cache_folder() -> Path:
    """Where machine code is kept: under `NUMBA_CACHE_DIR` if that is set, else under the user's cache folder."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    users = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    return (Path(chosen) if chosen else Path(users) / "curate" / "kernels") / _digest()


def _digest() -> str:
    """Of the sources of all kernels and their tables."""
    digest = hashlib.sha256()
    for file in sorted(resources.files(__package__).iterdir(), key=lambda file: file.name):
        if file.name.endswith((".py", ".npz")):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]
