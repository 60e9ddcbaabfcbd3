"""What can go wrong for a person, as one small tree.

    CurateError
    ├── RecipeError          a recipe or a setting is wrong
    ├── InputError           an input cannot be found or read
    ├── OutputError          an output place cannot be used
    ├── EnvironmentProblem   Java, memory, disk, a model file or a package is missing
    └── RunError             a run cannot go on: rows do not add up, stages fail on too many documents

A message says what was wanted, what came and what to do next. The command line prints it without a stack trace and
exits with status 2. A fault in one document is none of these: it becomes a row with a reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class CurateError(Exception):
    """Anything a user can put right."""


class RecipeError(CurateError, ValueError):
    """A recipe, a stage name or a setting is wrong."""

    @classmethod
    def unknown(cls, what: str, name: str, known: Iterable[str], *, where: str = "") -> RecipeError:
        """An unknown name, with the nearest known ones.

        >>> print(RecipeError.unknown("stage", "gopher_qualty", ["gopher_quality", "pii"]))
        unknown stage 'gopher_qualty'. Did you mean: gopher_quality? Known: gopher_quality, pii
        """
        known = sorted(known)
        near = get_close_matches(name, known, n=3, cutoff=0.5)
        hint = f" Did you mean: {', '.join(near)}?" if near else ""
        place = f" in {where}" if where else ""
        return cls(f"unknown {what} {name!r}{place}.{hint} Known: {', '.join(known)}")


class InputError(CurateError):
    """An input cannot be found or read."""


class OutputError(CurateError):
    """An output place cannot be written, or holds something that is not ours."""


class EnvironmentProblem(CurateError):  # noqa: N818  # EnvironmentError is a name of Python's own
    """The machine lacks something: Java, memory, disk, a model file, a package."""


class RunError(CurateError):
    """A run cannot go on: its rows do not add up, or its stages fail on too many documents."""
