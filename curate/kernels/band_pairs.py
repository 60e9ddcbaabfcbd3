"""Candidate pairs out of a sorted stream of band hashes, in linear number however many documents share one.

A bucket is the documents with one band hash. They come in order of priority, and each is paired with the
`num_representatives` first of its bucket and with the `num_neighbours` before it (the sorted neighbourhood of Hernández
and Stolfo 1995). So a bucket of up to num_representatives + num_neighbours + 1 members gives all its pairs, and the
n-th member of a larger one num_representatives + num_neighbours of them, not n - 1.

Buckets may be cut anywhere between batches: what is carried over is the first and the last members of the open one,
never the bucket. That members of a bucket come together and in order is for the caller to see to, and is not checked.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import compiled

Numbers = NDArray[np.int64]

# Places of the state: the hash of the open bucket, how many members it has had, the last of them.
_HASH, _SIZE, _LAST = 0, 1, 2


class BandPairs:
    """The pairs of one sorted stream, batch by batch.

    >>> pairs = BandPairs(num_representatives=1, num_neighbours=1)
    >>> hashes, a, b = pairs.feed(np.array([5, 5, 5]), np.array([10, 11, 12]))
    >>> list(zip(a.tolist(), b.tolist()))
    [(10, 11), (10, 12), (11, 12)]
    >>> hashes, a, b = pairs.feed(np.array([5, 6]), np.array([13, 10]))
    >>> list(zip(a.tolist(), b.tolist()))
    [(10, 13), (12, 13)]
    """

    def __init__(self, num_representatives: int, num_neighbours: int) -> None:
        self._first = np.zeros(num_representatives, np.int64)
        self._before = np.zeros(num_neighbours, np.int64)  # a ring: the member of place p is at p % num_neighbours
        self._state = np.zeros(3, np.int64)

    def feed(self, hashes: Numbers, nodes: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """The pairs whose later member is in this batch: their hash, `a` and `b` (a before b), each int64[num_pairs].

        `hashes` and `nodes` are int64[n]: rows of one hash lie together, in order of priority. A node that comes twice
        in a bucket counts once. Each pair comes once for each bucket that it shares, after the pairs of earlier rows.
        At most n * (num_representatives + num_neighbours) pairs come, 24 bytes each: the size of batches bounds memory.
        """
        return _pairs(hashes, nodes, self._first, self._before, self._state)


@compiled
def _pairs(
    hashes: Numbers, nodes: Numbers, first: Numbers, before: Numbers, state: Numbers
) -> tuple[Numbers, Numbers, Numbers]:
    num = _num_pairs(hashes, nodes, first.size + before.size, state)
    found, a, b = np.empty(num, np.int64), np.empty(num, np.int64), np.empty(num, np.int64)
    bucket, size, last = state[_HASH], state[_SIZE], state[_LAST]
    at = 0
    for row in range(hashes.size):
        node = nodes[row]
        if size == 0 or hashes[row] != bucket:
            bucket, size = hashes[row], 0
        elif node == last:
            continue
        num_first = min(size, first.size)
        for i in range(num_first):
            a[at] = first[i]
            at += 1
        for place in range(max(num_first, size - before.size), size):
            a[at] = before[place % before.size]
            at += 1
        num_partners = min(size, first.size + before.size)
        found[at - num_partners : at] = bucket
        b[at - num_partners : at] = node
        if size < first.size:
            first[size] = node
        if before.size:
            before[size % before.size] = node
        size, last = size + 1, node
    state[_HASH], state[_SIZE], state[_LAST] = bucket, size, last
    return found, a, b


@compiled
def _num_pairs(hashes: Numbers, nodes: Numbers, most: int, state: Numbers) -> int:
    """How many pairs the rows give: the member of place p has min(p, most) partners."""
    bucket, size, last = state[_HASH], state[_SIZE], state[_LAST]
    num = 0
    for row in range(hashes.size):
        if size == 0 or hashes[row] != bucket:
            bucket, size = hashes[row], 0
        elif nodes[row] == last:
            continue
        num += min(size, most)
        size, last = size + 1, nodes[row]
    return num
