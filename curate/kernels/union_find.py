"""Contract edges to a forest of stars: each node tied to the smallest node that it is connected with.

Union-find with path halving (Tarjan and van Leeuwen 1984), the larger root under the smaller, so that the root of a
tree is its smallest node and the result does not depend on the order of edges. Edges stream through; only nodes are
kept: 18 bytes each (key 8, index 6, parent 4), up to 27 since arrays grow by half, so at most 54 bytes an edge.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing
from curate.kernels.int64_index import Int, Keys, Slots, empty_slots, fill, grown, numbered

Parents = NDArray[np.int32]


class UnionFind:
    """Nodes seen so far (any int64) and what connects them. `len` is their number."""

    def __init__(self, capacity: int = 4096) -> None:
        self._count = 0
        self._nodes = np.empty(capacity, np.int64)
        self._parents = np.empty(capacity, np.int32)
        self._slots = empty_slots(capacity)

    def __len__(self) -> int:
        return self._count

    def unite(self, a: Keys, b: Keys) -> None:
        """Connect `a[i]` with `b[i]` for each i: two int64[num_edges]. An edge from a node to itself adds the node."""
        self._reserve(2 * len(a))
        self._count = _unite(self._nodes, self._slots, self._parents, self._count, a, b)

    def stars(self, num_rows: int = 1 << 16) -> Iterator[tuple[Keys, Keys]]:
        """(nodes, smallest connected node of each), every node once, the smallest included: int64 arrays.

        `num_rows` at a time at most; nothing where no edge came.
        """
        _flatten(self._parents, self._count)
        for start in range(0, self._count, num_rows):
            end = min(start + num_rows, self._count)
            yield self._nodes[start:end], self._nodes[self._parents[start:end]]

    def _reserve(self, num_nodes: int) -> None:
        needed, capacity = self._count + num_nodes, len(self._nodes)
        if needed <= capacity:
            return
        capacity = max(needed, capacity * 3 // 2)
        self._slots = np.empty(0, np.int32)  # let go before the larger one is made
        self._nodes = grown(self._nodes, self._count, capacity)
        self._parents = grown(self._parents, self._count, capacity)
        self._slots = empty_slots(capacity)
        fill(self._nodes, self._slots, 0, self._count)


@borrowing
def _unite(nodes: Keys, slots: Slots, parents: Parents, count: Int, a: Keys, b: Keys) -> Int:
    for row in range(a.size):
        left = numbered(nodes, slots, 0, count, a[row])
        if left == count:
            parents[left] = np.int32(left)
            count += 1
        right = numbered(nodes, slots, 0, count, b[row])
        if right == count:
            parents[right] = np.int32(right)
            count += 1
        left, right = _root(parents, left), _root(parents, right)
        if nodes[left] < nodes[right]:
            parents[right] = np.int32(left)
        else:
            parents[left] = np.int32(right)
    return count


@borrowing
def _root(parents: Parents, number: Int) -> Int:
    """The root above a node; on the way every second node is tied to its grandparent."""
    while parents[number] != number:
        parents[number] = parents[parents[number]]
        number = np.int64(parents[number])
    return number


@borrowing
def _flatten(parents: Parents, count: Int) -> None:
    for number in range(count):
        parents[number] = np.int32(_root(parents, number))
