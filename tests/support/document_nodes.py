"""Which document a node is, for tests that make documents out of a list (see the fixture `documents`)."""

from __future__ import annotations

from pathlib import Path

from curate.node import ROW_BITS, ROW_MASK


def node_of(number: int, parts: int = 3) -> int:
    """The node of the document that was given as number so and so."""
    return (number % parts) << ROW_BITS | number // parts


def number_of(node: int, parts: int = 3) -> int:
    """The same back."""
    return (node & ROW_MASK) * parts + (node >> ROW_BITS)


def no_files(name: str, path: Path) -> None:
    """For a context of stages that save relations alone."""
    raise AssertionError(f"{path} is saved as {name}")
