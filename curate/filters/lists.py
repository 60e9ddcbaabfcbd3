"""Lists of domains, URLs or words that a user names: one entry a line, UTF-8, gzip or not, a file on every worker.

Files of millions of lines are read block by block into one compact set. A list loads once in each Python worker, and
again where a file has changed. No list is fetched or shipped.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Sequence, Set
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from curate.errors import InputError
from curate.kernels.key_set import KeySet
from curate.kernels.keyword_match import WordList
from curate.kernels.list_entries import Entry, line_entries, phrase_entry
from curate.models import file_digest

#: No domain, URL or phrase worth a line is longer; a file with a longer line is no list.
MAX_LINE_BYTES = 16_384
_BLOCK_BYTES = 8 << 20
_BUILT_IN = "built in"


def load_list(paths: Sequence[str], entry: Entry, built_in: Set[str] = frozenset()) -> KeySet | None:
    """The entries of all lists together, with those built in, each with the name of its file. None where none is named.

    A file that ends in `.gz` is gzip; lines that `entry` answers with None are left out.

    InputError where a list is missing, is not text, holds a line longer than `MAX_LINE_BYTES`, or has no entry: a
    filter with an empty list would keep everything silently.
    """
    if not paths and not built_in:
        return None
    return _entries(_with_digests(paths), entry, frozenset(built_in))


def load_words(paths: Sequence[str], entry: Entry = phrase_entry, built_in: Set[str] = frozenset()) -> WordList | None:
    """The same for entries that are sought in texts."""
    if not paths and not built_in:
        return None
    return _words(_with_digests(paths), entry, frozenset(built_in))


def _with_digests(paths: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Each path with the digest of what is there now, so that a changed file is read again."""
    for path in paths:
        if not Path(path).is_file():
            raise InputError(f"no list at {path}. Give the path of a text file with one entry a line")
    return tuple((path, file_digest(path)) for path in paths)


@lru_cache(maxsize=64)
def _entries(files: tuple[tuple[str, str], ...], entry: Entry, built_in: frozenset[str]) -> KeySet:
    parts = [_read(path, entry) for path, _ in files]
    names = [Path(path).name for path, _ in files]
    if built_in:
        parts, names = [pa.array(sorted(built_in), pa.large_string()), *parts], [_BUILT_IN, *names]
    try:
        return KeySet(parts, names)
    except ValueError as error:
        raise InputError(f"{', '.join(path for path, _ in files)}: {error}. Split the list over two stages") from None
    finally:
        del parts
        pa.default_memory_pool().release_unused()  # what the blocks took would stay with the worker


@lru_cache(maxsize=64)
def _words(files: tuple[tuple[str, str], ...], entry: Entry, built_in: frozenset[str]) -> WordList:
    return WordList(_entries.__wrapped__(files, entry, built_in))


def _read(path: str, entry: Entry) -> pa.LargeStringArray:
    try:
        entries = pa.concat_arrays(
            [pa.array([], pa.large_string()), *(line_entries(lines, entry) for lines in _line_blocks(path))]
        )
    except (OSError, EOFError, zlib.error, ValueError) as error:  # ValueError: no UTF-8, no such entry, a long line
        raise InputError(f"{path} cannot be read as a list: {error}. It must be UTF-8 text, gzipped or not") from None
    if not len(entries):
        raise InputError(f"{path} has no entry. Lists hold one entry a line; lines that begin with # are comments")
    return entries


def _line_blocks(path: str) -> Iterator[pa.LargeStringArray]:
    """The lines of a file in columns of bounded size. A byte-order mark is left out."""
    with gzip.open(path) if path.endswith(".gz") else open(path, "rb") as file:
        rest = file.read(3).removeprefix("\ufeff".encode())
        while block := file.read(_BLOCK_BYTES):
            # A "\r" ends a line too; where "\n" follows, it leaves a blank one.
            whole, _, rest = (rest + block).replace(b"\r", b"\n").rpartition(b"\n")
            if len(rest) > MAX_LINE_BYTES:
                raise ValueError(f"a line of more than {MAX_LINE_BYTES:,} bytes")
            yield _lines(whole)
        yield _lines(rest.replace(b"\r", b"\n"))


def _lines(block: bytes) -> pa.LargeStringArray:
    block.decode()  # a UnicodeDecodeError where it is no UTF-8
    breaks = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n"))
    ends = np.append(breaks, len(block)) - np.arange(len(breaks) + 1)  # once the breaks are gone
    offsets = np.concatenate(([0], ends))
    if np.diff(offsets).max() > MAX_LINE_BYTES:
        raise ValueError(f"a line of more than {MAX_LINE_BYTES:,} bytes")
    bare = block.replace(b"\n", b"")
    return pa.LargeStringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(bare))
