"""Compile a function with numba, with its machine code kept on disk where that is possible.

Two traps are the reason for this file. Numba raises while a module is imported when it finds no folder for its cache,
which is so on a worker with a read-only installation and no home. And its cache looks at the source file of the
function alone: a constant taken from another module stays what it was when the code was compiled. So a kernel gets
what it depends on from its own file or as an argument.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """`function` as machine code, compiled at its first call or read from the cache (`NUMBA_CACHE_DIR` moves it)."""
    try:
        fast: Function = njit(cache=True)(function)
    except RuntimeError:  # "no locator available": nowhere to write, so every process compiles for itself
        fast = njit(function)
    return fast
