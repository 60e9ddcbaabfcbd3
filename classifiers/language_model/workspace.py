"""Arrays kept on disk while a model is estimated, so that memory holds one part of one order at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Workspace:
    """Named groups of arrays in a folder, one file for each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._kinds: dict[tuple[str, str], np.dtype[Any]] = {}

    def save(self, group: str, **arrays: Array) -> None:
        """Keep arrays under a group's name; those of the same names give way."""
        self.remove(group, *arrays)
        self.append(group, **arrays)

    def append(self, group: str, **arrays: Array) -> None:
        """Put arrays behind those of their names."""
        for name, array in arrays.items():
            self._kinds[group, name] = array.dtype
            with self._path(group, name).open("ab") as file:
                array.tofile(file)

    def load(self, group: str, *names: str, first: int = 0, count: int = -1) -> list[Array]:
        """Arrays of a group, in the order asked for; of each `count` items from `first` on, all by default."""
        kinds = [self._kinds[group, name] for name in names]
        return [
            np.fromfile(self._path(group, name), kind, count, offset=first * kind.itemsize)
            for name, kind in zip(names, kinds, strict=True)
        ]

    def remove(self, group: str, *names: str) -> None:
        """Forget arrays of a group, where they are there."""
        for name in names:
            self._path(group, name).unlink(missing_ok=True)

    def _path(self, group: str, name: str) -> Path:
        return self.folder / f"{group}.{name}"
