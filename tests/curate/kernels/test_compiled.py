from __future__ import annotations

import numba
import pytest

import curate.kernels.compiled as module
from curate.kernels.compiled import compiled


def test_a_compiled_function_gives_what_python_gives() -> None:
    @compiled
    def cubed(x: int) -> int:
        return x * x * x

    assert cubed(7) == 343


def test_a_kernel_still_compiles_where_nothing_can_be_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    def njit(*functions: object, cache: bool = False) -> object:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return numba.njit(*functions)

    monkeypatch.setattr(module, "njit", njit)
    assert compiled(lambda x: x + 1)(1) == 2
