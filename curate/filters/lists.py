"""Lists of domains, URLs or words that a user names: one entry a line, UTF-8, gzip or not, a file on every worker.

A list loads once in each Python worker, and again where the file has changed. No list is fetched or shipped.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

from curate.errors import InputError
from curate.models import load_once

#: Entries of one line of a list, or None for a line that has none.
Entry = Callable[[str], str | None]


def load_lists(paths: Sequence[str], entry: Entry) -> tuple[frozenset[str], ...]:
    """The entries of each list, in the order of `paths`. A file that ends in `.gz` is gzip.

    InputError where a list is missing, is not text, or has no entry: a filter with an empty list would keep everything
    silently.
    """
    return tuple(_load(path, entry) for path in paths)


def _load(path: str, entry: Entry) -> frozenset[str]:
    if not Path(path).is_file():
        raise InputError(f"no list at {path}. Give the path of a text file with one entry a line")
    return load_once(f"list of {entry.__name__}", path, lambda name: _read(name, entry))


def _read(path: str, entry: Entry) -> frozenset[str]:
    try:
        with gzip.open(path) if path.endswith(".gz") else open(path, "rb") as raw:
            lines = io.TextIOWrapper(raw, encoding="utf-8-sig")
            entries = frozenset(found for line in lines if (found := entry(line)) is not None)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as a list: {error}. It must be UTF-8 text, gzipped or not") from None
    if not entries:
        raise InputError(f"{path} has no entry. Lists hold one entry a line; lines that begin with # are comments")
    return entries
