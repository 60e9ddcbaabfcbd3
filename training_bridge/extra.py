"""Say what to install where torch or safetensors is missing: they belong to the `train` extra."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from curate.errors import EnvironmentProblem

PACKAGES = ("torch", "safetensors", "tokenizers")


@contextmanager
def train_extra() -> Iterator[None]:
    """Turn the missing import of a training package into an EnvironmentProblem that says how to install it."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in PACKAGES:
            raise
        message = f"training needs the package {package}, which is not installed: pip install 'curate[train]'"
        raise EnvironmentProblem(message) from error
