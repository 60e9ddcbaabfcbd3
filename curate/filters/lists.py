"""Lists of domains, URLs or words that a user names: one entry a line, UTF-8, gzip or not, local or any fsspec URL.

A list loads once in each Python worker, and again where the file has changed. No list is fetched or shipped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import fsspec
from fsspec.core import url_to_fs

from curate.errors import InputError

#: Entries of one line of a list, or None for a line that has none.
Entry = Callable[[str], str | None]


def load_lists(paths: Sequence[str], entry: Entry) -> tuple[frozenset[str], ...]:
    """The entries of each list, in the order of `paths`.

    InputError where a list is missing, is not text, or has lines and no entry among them: a filter with an empty list
    would keep everything silently.
    """
    return tuple(_load(path, entry, _version(path)) for path in paths)


def _version(path: str) -> str:
    """What changes when the file does."""
    try:
        filesystem, name = url_to_fs(path)
        return str(filesystem.ukey(name))
    except (OSError, ValueError, ImportError) as error:
        raise InputError(f"no list at {path}: {error}. Give the path of a text file with one entry a line") from None


@lru_cache(maxsize=32)
def _load(path: str, entry: Entry, version: str) -> frozenset[str]:
    try:
        with fsspec.open(path, "rt", encoding="utf-8-sig", compression="infer") as lines:
            entries = frozenset(found for line in lines if (found := entry(line)) is not None)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as a list: {error}. It must be UTF-8 text, gzipped or not") from None
    if not entries:
        raise InputError(f"{path} has no entry. Lists hold one entry a line; lines that begin with # are comments")
    return entries
