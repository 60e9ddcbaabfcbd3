"""Which documents of a cluster stay, and which one each of the others duplicates, over a sorted stream of pairs.

Rows come by component, within it in order of priority of `a`, then by `a`. `b` comes after `a` in priority; a row with
b = a says only that `a` belongs to the component. Two rules:

- by edges: in order of priority each document stays unless one that stays is its near duplicate. That is the
  lexicographically first maximal independent set, which the greedy order defines alone.
- by cluster: the first document of a cluster stays, all others go.

When the rows of `a` come, all pairs with a better document have been seen, so its fate is known: one pass is enough.
Memory: the open component's nodes, 46 bytes each, up to 69 since arrays grow by half; 50 million take 3.5 GB at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing
from curate.kernels.int64_index import Int, Keys, Slots, empty_slots, fill, forget, grown, numbered

Jaccards = NDArray[np.float64]


class Judged(NamedTuple):
    """One row for each document: arrays of one length."""

    nodes: Keys
    components: Keys
    sizes: Keys  # documents of the component
    duplicate_of: Keys  # a document that stays; the node itself where that one is it
    jaccards: Jaccards  # with that document; NaN where no pair says it


class Judge:
    """Give it rows, take what has been decided: `judge`, `decided`, …, `close`, `decided`."""

    def __init__(self, by_cluster: bool, capacity: int = 4096) -> None:
        self._by_cluster = by_cluster
        self._start = self._count = 0  # the open component's nodes are start:count, those of closed ones before it
        self._component = 0
        nodes, component_ids, sizes, duplicate_of = (np.empty(capacity, np.int64) for _ in range(4))
        self._columns = Judged(nodes, component_ids, sizes, duplicate_of, np.empty(capacity, np.float64))
        self._slots = empty_slots(capacity)

    def judge(self, components: Keys, a: Keys, b: Keys, jaccards: Jaccards) -> None:
        """Take rows that follow on from those before."""
        self._reserve(2 * len(a))
        self._component, self._start, self._count = _judge(
            self._columns,
            self._slots,
            (self._component, self._start, self._count),
            components,
            a,
            b,
            jaccards,
            self._by_cluster,
        )

    def close(self) -> None:
        """No more rows follow."""
        _close(self._columns, self._slots, self._component, self._start, self._count, self._by_cluster)
        self._start = self._count

    def decided(self, num_rows: int = 1 << 16) -> Iterator[Judged]:
        """The documents of the components that have ended since the last call, `num_rows` at a time at most.

        What is yielded is good until the next call of anything.
        """
        for start in range(0, self._start, num_rows):
            rows = slice(start, min(start + num_rows, self._start))
            yield Judged._make(column[rows] for column in self._columns)
        if self._start:  # what is open began in the last rows, so there is little to move
            for column in self._columns:
                column[: self._count - self._start] = column[self._start : self._count].copy()
            self._start, self._count = 0, self._count - self._start

    def _reserve(self, num_nodes: int) -> None:
        needed, capacity = self._count + num_nodes, len(self._columns.nodes)
        if needed <= capacity:
            return
        capacity = max(needed, capacity * 3 // 2)
        self._slots = np.empty(0, np.int32)  # let go before the larger one is made
        columns: list[Any] = list(self._columns)
        del self._columns  # so that each old array goes before the next is copied
        for i in range(len(columns)):
            columns[i] = grown(columns[i], self._count, capacity)
        self._columns = Judged._make(columns)
        self._slots = empty_slots(capacity)
        fill(self._columns.nodes, self._slots, self._start, self._count)


@borrowing
def _judge(
    columns: Judged,
    slots: Slots,
    state: tuple[Int, Int, Int],
    components: Keys,
    a: Keys,
    b: Keys,
    jaccards: Jaccards,
    by_cluster: bool,
) -> tuple[Int, Int, Int]:
    component, start, count = state
    for row in range(a.size):
        if components[row] != component:
            _close(columns, slots, component, start, count, by_cluster)
            component, start = components[row], count
        number, count = _placed(columns, slots, start, count, a[row])
        if b[row] == a[row]:
            continue
        stays = number == 0 if by_cluster else columns.duplicate_of[start + number] == a[row]
        if stays:
            other, count = _placed(columns, slots, start, count, b[row])
            at = start + other
            # Of equally similar ones the first stays the choice: it is the best in priority.
            if columns.duplicate_of[at] == b[row] or jaccards[row] > columns.jaccards[at]:
                columns.duplicate_of[at], columns.jaccards[at] = a[row], jaccards[row]
    return component, start, count


@borrowing
def _placed(columns: Judged, slots: Slots, start: Int, count: Int, node: Int) -> tuple[Int, Int]:
    """The number of a node within its component, and the count with it; a new one stays until something is said."""
    number = numbered(columns.nodes, slots, start, count, node)
    if start + number == count:
        columns.duplicate_of[count], columns.jaccards[count] = node, np.nan
        count += 1
    return number, count


@borrowing
def _close(columns: Judged, slots: Slots, component: Int, start: Int, count: Int, by_cluster: bool) -> None:
    has_pairs = False
    for at in range(start, count):
        columns.components[at], columns.sizes[at] = component, count - start
        has_pairs |= columns.duplicate_of[at] != columns.nodes[at]
    if by_cluster and has_pairs:  # without a pair nothing is known of priority, and all stay
        for at in range(start, count):
            columns.duplicate_of[at] = columns.nodes[start]
    forget(columns.nodes, slots, start, count)
