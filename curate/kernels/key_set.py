"""A set of millions of strings in a few tens of bytes an entry, looked up for a whole column at once.

The bytes of all entries lie in one buffer. An open-addressing table of 64-bit slots holds 32 bits of an entry's hash
and its number; on a hash hit the bytes are compared, so the answer is exact. An entry costs its own bytes, 8 for where
they begin and end, and 12 of the table. The set does not change once it is built, and holds no empty string.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.kernels.compiled import compiled
from curate.kernels.utf8 import Bytes, Offsets, utf8

Numbers = NDArray[np.int64]
Int = int | np.int64  # inside kernels

#: Where an entry begins and ends takes 32 bits.
MAX_SET_BYTES = (1 << 32) - 1
#: 64-bit FNV-1a (draft-eastlake-fnv-17), and the last mixing of MurmurHash3: FNV alone spreads badly in its high bits.
HASH_SEED = np.uint64(0xCBF29CE484222325)
HASH_PRIME = np.uint64(0x100000001B3)
_MIX_1, _MIX_2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
_LOW, _HALF, _33 = np.uint64(0xFFFF_FFFF), np.uint64(32), np.uint64(33)
_DOT = 46


class KeyTable(NamedTuple):
    """What kernels look up. Entry `i` is `data[starts[i]:ends[i]]`; a slot is number + 1 and hash bits, or 0."""

    data: Bytes
    starts: NDArray[np.uint32]
    ends: NDArray[np.uint32]
    slots: NDArray[np.uint64]


class KeySet(Set[str]):
    """Different non-empty strings, each with a number from 0 and the name of the part (the file) it came from first."""

    def __init__(self, parts: Sequence[pa.Array], names: Sequence[str] = ("",)) -> None:
        """Of string columns, one for each name; nulls and empty strings are left out.

        ValueError where the strings have more than `MAX_SET_BYTES` bytes together.
        """
        self.names = tuple(names)
        self.table, self.part_ends = _built([pc.drop_null(part.cast(pa.large_string())) for part in parts])

    @classmethod
    def of(cls, entries: Iterable[str], name: str = "") -> KeySet:
        """Of Python strings, in their order."""
        return cls([pa.array(list(entries), pa.large_string())], [name])

    @classmethod
    def _from_iterable(cls, it: Iterable[Any]) -> Set[Any]:
        return frozenset(it)  # unions and intersections are Python's sets

    def __len__(self) -> int:
        return len(self.table.starts)

    def __iter__(self) -> Iterator[str]:
        return map(self.entry, range(len(self)))

    def __contains__(self, value: object) -> bool:
        return isinstance(value, str) and bool(self.find(pa.array([value], pa.string()))[0] >= 0)

    @property
    def nbytes(self) -> int:
        """Memory of the set."""
        return sum(array.nbytes for array in self.table)

    def entry(self, number: int) -> str:
        """The entry with a number."""
        return bytes(self.table.data[self.table.starts[number] : self.table.ends[number]]).decode()

    def strings(self) -> pa.LargeStringArray:
        """All entries by number."""
        sizes = self.table.ends.astype(np.int64) - self.table.starts
        offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)))
        return pa.LargeStringArray.from_buffers(
            len(self), pa.py_buffer(offsets), pa.py_buffer(_gathered(self.table, offsets))
        )

    def described(self, numbers: Numbers) -> pa.StringArray:
        """For each number its entry, with the name of its part behind it where that has one; null for -1."""
        hits = np.flatnonzero(numbers >= 0)
        which, texts = np.searchsorted(self.part_ends, numbers[hits], side="right"), np.full(len(numbers), None, object)
        for row, part in zip(hits, which, strict=True):
            name, entry = self.names[part], self.entry(numbers[row])
            texts[row] = f"{entry} ({name})" if name else entry
        return pa.array(texts, pa.string())

    def find(self, strings: pa.Array) -> Numbers:
        """The number of each string, -1 for one that is no entry and for null: int64[len(strings)]."""
        return _find_all(self.table, *utf8(strings), False)

    def find_domains(self, hosts: pa.Array) -> Numbers:
        """The number of each host or else of its nearest parent domain, -1 where none is an entry.

        A host costs the square of its length, which the DNS bounds by 253.
        """
        return _find_all(self.table, *utf8(hosts), True)


def with_prefixes(keys: KeySet, starts: Offsets, ends: Offsets) -> KeyTable:
    """The table of a set with more keys of the same bytes, numbered from `len(keys)` on where they are no entries."""
    table = keys.table
    return _inserted(
        table.data,
        np.concatenate((table.starts, starts.astype(np.uint32))),
        np.concatenate((table.ends, ends.astype(np.uint32))),
        [len(table.starts) + len(starts)],
    )[0]


def _built(parts: Sequence[pa.LargeStringArray]) -> tuple[KeyTable, Numbers]:
    entries = pa.concat_arrays(parts) if parts else pa.array([], pa.large_string())
    data, offsets = utf8(entries)
    data, offsets = data[offsets[0] : offsets[-1]], offsets - offsets[0]
    if len(data) > MAX_SET_BYTES:
        raise ValueError(f"{len(data):,} bytes of entries: a list has at most {MAX_SET_BYTES:,}")
    starts, ends = offsets[:-1].astype(np.uint32), offsets[1:].astype(np.uint32)
    return _inserted(data, starts, ends, np.cumsum([len(part) for part in parts]).tolist())


def _inserted(
    data: Bytes, starts: NDArray[np.uint32], ends: NDArray[np.uint32], part_ends: Sequence[int]
) -> tuple[KeyTable, Numbers]:
    """The table of the different keys, and how many there are up to the end of each part."""
    table = KeyTable(data, starts, ends, np.zeros(len(starts) * 3 // 2 + 1, np.uint64))
    kept, begin, kept_ends = 0, 0, []
    for end in part_ends:
        kept, begin = _insert(table, begin, end, kept), end
        kept_ends.append(kept)
    return table._replace(starts=starts[:kept].copy(), ends=ends[:kept].copy()), np.array(kept_ends, np.int64)


@compiled
def next_hash(hashed: np.uint64, byte: Int) -> np.uint64:
    """The hash of a string and one more byte; it begins with `HASH_SEED`."""
    return (hashed ^ np.uint64(byte)) * HASH_PRIME


@compiled
def find_key(table: KeyTable, hashed: np.uint64, text: Bytes, start: Int, end: Int) -> Int:
    """The number of `text[start:end]`, of which `hashed` is the hash; -1 where it is no key."""
    slots = table.slots
    place, tag = _place(hashed, slots.size)
    while slots[place] != 0:
        if slots[place] & _LOW == tag:
            number = np.int64(slots[place] >> _HALF) - 1
            first = np.int64(table.starts[number])
            if np.int64(table.ends[number]) - first == end - start:
                same = 0
                while same < end - start and table.data[first + same] == text[start + same]:
                    same += 1
                if same == end - start:
                    return number
        place = place + 1 if place + 1 < slots.size else 0
    return -1


@compiled
def _place(hashed: np.uint64, num_slots: Int) -> tuple[Int, np.uint64]:
    """Where a key is looked for first, by the high half of its mixed hash, and the half that is kept in the slot."""
    hashed = (hashed ^ (hashed >> _33)) * _MIX_1
    hashed = (hashed ^ (hashed >> _33)) * _MIX_2
    hashed ^= hashed >> _33
    return np.int64(((hashed >> _HALF) * np.uint64(num_slots)) >> _HALF), hashed & _LOW


@compiled
def _hash(text: Bytes, start: Int, end: Int) -> np.uint64:
    hashed = HASH_SEED
    for at in range(start, end):
        hashed = next_hash(hashed, text[at])
    return hashed


@compiled
def _insert(table: KeyTable, begin: int, stop: int, kept: int) -> int:
    """Put keys `begin` to `stop` into the table, those not yet there at numbers from `kept` on; how many there are."""
    slots = table.slots
    for i in range(begin, stop):
        start, end = np.int64(table.starts[i]), np.int64(table.ends[i])
        hashed = _hash(table.data, start, end)
        if start == end or find_key(table, hashed, table.data, start, end) >= 0:
            continue
        place, tag = _place(hashed, slots.size)
        while slots[place] != 0:
            place = place + 1 if place + 1 < slots.size else 0
        table.starts[kept], table.ends[kept] = start, end
        kept += 1
        slots[place] = np.uint64(kept) << _HALF | tag
    return kept


@compiled
def _find_all(table: KeyTable, data: Bytes, offsets: Offsets, parents: bool) -> Numbers:
    found = np.full(offsets.size - 1, -1, np.int64)
    for row in range(found.size):
        start, end = offsets[row], offsets[row + 1]
        while start < end:
            found[row] = find_key(table, _hash(data, start, end), data, start, end)
            if found[row] >= 0 or not parents:
                break
            while start < end and data[start] != _DOT:
                start += 1
            start += 1
    return found


@compiled
def _gathered(table: KeyTable, offsets: Offsets) -> Bytes:
    data = np.empty(offsets[-1], np.uint8)
    for number in range(table.starts.size):
        start = np.int64(table.starts[number])
        size = offsets[number + 1] - offsets[number]
        data[offsets[number] : offsets[number] + size] = table.data[start : start + size]
    return data
