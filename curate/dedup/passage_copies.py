"""The copies of every passage of a corpus: counted where their hashes meet, told to the documents they lie in.

A batch of documents sends one record of each of its passages, the first copy and how many there are, to the bucket that
its hash belongs to. So a task holds one record a batch of what stands on every page. The other copies come behind them
and are only looked up as they stream by. Where passages lie goes along, so that nobody reads the text again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.dedup.passage_records import (
    COPIES,
    LAYOUT,
    MARKS,
    REPEATS,
    SAMPLE,
    Numbers,
    Words,
    in_buckets,
    marked_rows,
    packed,
    runs,
    sent_rows,
    unpacked,
)
from curate.dedup.priority import Keep, order
from curate.kernels.copies import Groups, find, firsts, groups
from curate.kernels.passage_cuts import marked
from curate.kernels.passages import Form, Passages, Unit, passages, windows

# Words of a record of COPIES; of REPEATS the first three. A place is document << 32 | passage, both counted from the
# base; counts are copies << 32 | documents; the order's words sort unsigned.
_HASHES, _PLACE, _COUNTS, _ORDER = slice(0, 2), 2, 3, 4
_HALF, _LOW, _SIGN = np.uint64(32), np.uint64(0xFFFF_FFFF), np.uint64(1 << 63)


class Comparing(NamedTuple):
    """The settings on which it depends what a copy is and which of them stays."""

    unit: Unit
    window: int
    normalization: Form
    min_chars: int
    max_copies: int
    keep_first: bool
    keep: Keep
    num_samples: int
    num_buckets: int

    @property
    def num_words(self) -> int:
        """Of a record of COPIES."""
        return _ORDER + 1 + sum(criterion != "smallest_id" for criterion in self.keep)


def sent(batch: pa.RecordBatch, settings: Comparing) -> pa.RecordBatch:
    """Rows of `SENT` for a batch of documents: its passages for their buckets, and each document's layout."""
    found = passages(batch["text"], settings.unit, settings.normalization)
    starts, hashes = windows(found, settings.window, settings.min_chars)
    nodes, ranks = batch["node"].to_numpy(), order(batch, settings.keep)
    rows = np.repeat(np.arange(len(nodes)), np.diff(found.first))[starts]
    place = (nodes[rows] - nodes[0]) << 32 | (starts - found.first[rows])
    is_first, counts = _counted(groups(hashes), rows, ranks)
    keys = [hashes[:, 0], hashes[:, 1], place.view(np.uint64)]
    orders = [_fields(ranks)[n].view(np.uint64) ^ _SIGN for n in range(ranks.type.num_fields)]
    copies = [column[is_first] for column in (*keys, counts, *(words[rows] for words in orders))]
    repeats = [column[~is_first] for column in keys]
    base = int(nodes[0])
    rows_of_records = [
        in_buckets(np.stack(columns, axis=1), kind, base, settings.num_buckets)
        for kind, columns in ((COPIES, copies), (REPEATS, repeats))
    ]
    return pa.concat_batches([*rows_of_records, _layouts(found, nodes, base % settings.num_buckets)])


def _counted(same: Groups, rows: Numbers, ranks: pa.StructArray) -> tuple[NDArray[np.bool_], Words]:
    """Whether a passage of document `rows` is the first of its copies in the batch, and their counts then."""
    rank = np.empty(len(ranks), np.int64)
    rank[np.lexsort(_fields(ranks)[::-1])] = np.arange(len(ranks))  # stable: of equals the smaller node
    is_first, counts = np.ones(len(rows), np.bool_), np.full(len(rows), np.uint64(1 << 32 | 1))
    num_copies = np.bincount(same.of, minlength=len(same.keys))
    several = np.flatnonzero(num_copies[same.of] > 1)
    by_group, begins = firsts(same.of[several], rank[rows[several]], several)
    members = several[by_group]
    is_document = begins | (np.diff(rows[members], prepend=-1) != 0)
    num_documents = np.bincount(same.of[members][is_document], minlength=len(same.keys))
    is_first[members] = begins
    first = members[begins]
    counts[first] = (num_copies[same.of[first]] << 32 | num_documents[same.of[first]]).view(np.uint64)
    return is_first, counts


def _fields(ranks: pa.StructArray) -> list[Numbers]:
    return [field.to_numpy(zero_copy_only=False) for field in ranks.flatten()]


def _layouts(found: Passages, nodes: Numbers, bucket: int) -> pa.RecordBatch:
    """Rows of `SENT` with the spans of each document's passages; any bucket will do."""
    some = np.flatnonzero(np.diff(found.first))
    data = packed(found.spans, found.first[some])
    return sent_rows(np.full(len(some), bucket), LAYOUT, int(nodes[0]), nodes[some], data)


def marks(batches: Iterable[pa.RecordBatch], settings: Comparing) -> Iterator[pa.RecordBatch]:
    """Rows of `MARKED` for rows of `SENT` that come sorted by bucket and kind. Layouts go on as they are."""
    current, bucket = -1, _Bucket(settings)
    for batch in batches:
        for (number, kind), rows in runs(batch, "bucket", "kind"):
            if number != current or kind != COPIES:
                yield from bucket.decide()
            if number != current:
                current, bucket = number, _Bucket(settings)
            if kind == COPIES:
                bucket.add(rows)
            elif kind == REPEATS:
                yield from bucket.repeats(rows)
            else:
                yield marked_rows(LAYOUT, rows["base"].to_numpy(), rows["node"].to_numpy(), rows["data"])
    yield from bucket.decide()


class _Bucket:
    """The copies of one bucket until all are there and can be counted; then which passages are duplicates."""

    def __init__(self, settings: Comparing) -> None:
        self.settings = settings
        self.waiting: list[tuple[Words, Numbers]] = []
        self.same = groups(np.empty((0, 2), np.uint64))
        self.is_duplicate = np.zeros(0, np.bool_)

    def add(self, rows: pa.RecordBatch) -> None:
        """Gather copies."""
        self.waiting.append(_records(rows, self.settings.num_words))

    def decide(self) -> Iterator[pa.RecordBatch]:
        """Marks on what has been gathered, and samples of it."""
        if not self.waiting:
            return
        records, bases = (np.concatenate(several) for several in zip(*self.waiting, strict=True))
        self.waiting = []
        self.same = same = groups(np.ascontiguousarray(records[:, _HASHES]))
        copies = _sums(same, records[:, _COUNTS] >> _HALF)
        self.is_duplicate = copies > self.settings.max_copies
        members = np.flatnonzero(self.is_duplicate[same.of])
        orders = records[members, _ORDER:].T
        by_group, begins = firsts(same.of[members], *orders, bases[members], records[members, _PLACE])
        members = members[by_group]
        yield _mark_rows(bases[members], records[members, _PLACE], begins & self.settings.keep_first)
        first = members[begins]
        documents = _sums(same, records[:, _COUNTS] & _LOW)
        yield self._samples(bases[first], records[first], copies[same.of[first]], documents[same.of[first]])

    def repeats(self, rows: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Marks on copies that are not the first of their batch, and so of none."""
        records, bases = _records(rows, _COUNTS)
        gone = self.is_duplicate[find(np.ascontiguousarray(records[:, _HASHES]), self.same.keys, self.same.slots)]
        yield _mark_rows(bases[gone], records[gone, _PLACE], np.zeros(int(gone.sum()), np.bool_))

    def _samples(self, bases: Numbers, records: Words, copies: Numbers, documents: Numbers) -> pa.RecordBatch:
        """The passages with most copies. Of equals the smaller hash, so that buckets make no difference."""
        hashes = records[:, 0].view(np.int64)
        most = np.lexsort((hashes, -copies))[: self.settings.num_samples]
        places = records[most, _PLACE]
        data = packed(np.stack([(places & _LOW).view(np.int64), documents[most]], axis=1), np.arange(len(most)))
        nodes = bases[most] + (places >> _HALF).view(np.int64)
        return marked_rows(SAMPLE, bases[most], nodes, data, copies[most], hashes[most])


def _records(rows: pa.RecordBatch, width: int) -> tuple[Words, Numbers]:
    """The records of some rows and the base of each."""
    records, begins = unpacked(rows["data"], np.uint64, width)
    return records, np.repeat(rows["base"].to_numpy(), np.diff(begins))


def _sums(same: Groups, numbers: Words) -> Numbers:
    """Sums over each group."""
    sums = np.zeros(len(same.keys), np.int64)
    np.add.at(sums, same.of, numbers.view(np.int64))
    return sums


def _mark_rows(bases: Numbers, places: Words, stays: NDArray[np.bool_]) -> pa.RecordBatch:
    """Rows of `MARKED` with marks, one for each batch of documents."""
    by_base = np.argsort(bases, kind="stable")
    bases, places = bases[by_base], places[by_base]
    begins = np.flatnonzero(np.diff(bases, prepend=-1))
    decided = marked((places >> _HALF).view(np.int64), (places & _LOW).view(np.int64), stays[by_base])
    return marked_rows(MARKS, bases[begins], bases[begins], packed(decided[:, np.newaxis], begins))
