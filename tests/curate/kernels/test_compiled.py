from __future__ import annotations

import numba
import numpy as np
import pytest

import curate.kernels.compiled as module
from curate.kernels.compiled import borrowing, compiled


def test_a_compiled_function_gives_what_python_gives() -> None:
    @compiled
    def cubed(x: int) -> int:
        return x * x * x

    assert cubed(7) == 343


def test_a_function_that_borrows_arrays_reads_and_writes_them() -> None:
    @borrowing
    def doubled(values: np.ndarray) -> int:
        for i in range(values.size):
            values[i] *= 2
        return values.sum()

    values = np.arange(4)
    assert doubled(values) == 12
    assert values.tolist() == [0, 2, 4, 6]


def test_a_function_that_makes_an_array_cannot_borrow() -> None:
    @borrowing
    def made(size: int) -> np.ndarray:
        return np.zeros(size)

    with pytest.raises(numba.core.errors.NumbaError):
        made(3)


def test_the_cache_is_that_of_these_sources(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    module.cache_folder.cache_clear()
    first = module.cache_folder()
    monkeypatch.setattr(module, "_digest", lambda: "another")
    module.cache_folder.cache_clear()
    assert first.parent == module.cache_folder().parent
    assert first != module.cache_folder()
    module.cache_folder.cache_clear()


@pytest.mark.parametrize("how", [compiled, borrowing])
def test_a_kernel_still_compiles_where_nothing_can_be_cached(monkeypatch: pytest.MonkeyPatch, how: object) -> None:
    def njit(*functions: object, cache: bool = False, **options: object) -> object:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return numba.njit(*functions, **options)

    monkeypatch.setattr(module, "njit", njit)
    assert how(lambda x: x + 1)(1) == 2
