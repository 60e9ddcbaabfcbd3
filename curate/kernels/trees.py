"""Gradient-boosted decision trees, evaluated (Friedman 2001): the sum of one leaf of each tree.

A tree here is no walk from node to node, which the processor cannot foresee (41 ns for a row and a tree of 31 leaves),
but a set of bits, one for each leaf from left to right (QuickScorer: Lucchese et al. 2015). A node whose feature
exceeds its threshold strikes out the leaves on its left; when all nodes are done, in any order, the leftmost leaf that
is left is the one a walk ends in. So every row does the same work, and a tree is done for `ROWS` rows side by side in
vector registers, features first: 3 ns. And half of the nodes need not be done at all: on a web page many features are
the same for all blocks, or all lie on one side of a threshold (for 286 blocks and 180 trees 150 µs instead of 195).

There are no links to follow: whatever numbers the arrays hold, nothing outside of them is read, given that features are
numbers below `num_features` and `first_node` rises within the nodes (`faults`).

No missing values and no categories: a number that is no number goes left. At most `MAX_LEAVES` leaves.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import compiled

Rows = NDArray[np.float32]  # [num_rows, num_features]
Scores = NDArray[np.float32]  # [num_rows, num_classes]

MAX_LEAVES = 32

#: Rows side by side, the fastest number of those tried from 32 to 384; a vector register holds 16 of them at most.
ROWS, LANES = 256, 16
#: Room for a feature of so many rows. A power of two would put all features in few places of the first cache.
STRIDE = ROWS + LANES
#: Below this many rows they are done one by one.
FEW = 3
#: What no number is taken for where features are compared with thresholds: it goes left.
LEAST = np.float32(-np.inf)

ALL = np.uint32(0xFFFFFFFF)
#: The number of the lowest bit without an instruction for it: the top five bits of (1 << n) times this are others for
#: each n (a de Bruijn sequence). A tree's leaves are stored by these.
DE_BRUIJN, TOP = np.uint32(0x077CB531), np.uint32(27)


class Tree(NamedTuple):
    """One tree as it is trained: node 0 is the root, and a child below zero is the leaf `~child`."""

    feature: NDArray[np.int64]
    threshold: NDArray[np.float32]  # a row whose feature is at most this goes left
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    value: NDArray[np.float32]  # of each leaf; a tree of one leaf has no nodes


class Trees(NamedTuple):
    """Trees as they are evaluated. Tree t adds to class t % num_classes."""

    feature: NDArray[np.uint16]  # of each node
    threshold: NDArray[np.float32]
    right: NDArray[np.uint32]  # leaves that are left, as bits, where the feature is above the threshold
    first_node: NDArray[np.int32]  # [num_trees + 1]
    value: NDArray[np.float32]  # [num_trees, MAX_LEAVES], the leaf of bit n at `place(n)`
    num_features: int
    num_classes: int


def packed(trees: Sequence[Tree], num_features: int, num_classes: int = 1) -> Trees:
    """Trees to evaluate. ValueError where one has more than `MAX_LEAVES` leaves or is no tree."""
    nodes = [list(_nodes(tree)) for tree in trees]
    feature, threshold, right = ([node[i] for tree in nodes for node in tree] for i in range(3))
    value = np.zeros((len(trees), MAX_LEAVES), np.float32)
    for number, tree in enumerate(trees):
        for bit, leaf in enumerate(_leaves(tree, 0)):
            value[number, place(bit)] = tree.value[leaf]
    return Trees(
        np.array(feature, np.uint16),
        np.array(threshold, np.float32),
        np.array(right, np.uint32),
        np.cumsum([0, *map(len, nodes)]).astype(np.int32),
        value,
        num_features,
        num_classes,
    )


def place(bit: int) -> int:
    """Where the value of a leaf is stored."""
    return (((1 << bit) * int(DE_BRUIJN)) & int(ALL)) >> int(TOP)


def faults(trees: Trees) -> str:
    """What would make an evaluation read outside of an array, or give no number; "" where nothing does."""
    size, num_trees = trees.feature.size, len(trees.value)
    types = [(array.dtype.name, array.ndim) for array in trees[:5]]
    if types != [("uint16", 1), ("float32", 1), ("uint32", 1), ("int32", 1), ("float32", 2)]:
        return "arrays of other types or shapes than trees have"
    if trees.threshold.size != size or trees.right.size != size or trees.value.shape[1] != MAX_LEAVES:
        return "arrays of different lengths"
    if trees.first_node.size != num_trees + 1 or trees.first_node[0] != 0 or trees.first_node[-1] != size:
        return "nodes that belong to no tree"
    if (trees.first_node[1:] < trees.first_node[:-1]).any():
        return "a tree that ends before it begins"
    if size and int(trees.feature.max()) >= trees.num_features:
        return f"feature {trees.feature.max()} where there are {trees.num_features}"
    if trees.num_classes < 1 or num_trees % trees.num_classes:
        return f"{num_trees} trees for {trees.num_classes} classes"
    if not (np.isfinite(trees.threshold).all() and np.isfinite(trees.value).all()):
        return "thresholds or leaves that are no numbers"
    return ""


def scores(trees: Trees, rows: Rows) -> Scores:
    """Sums of leaves, before `sigmoid` or `softmax`: float32[num_rows, num_classes].

    They are summed in the order of the trees, so a row has the same bits in any company. ValueError where rows have
    another number of features than the trees.
    """
    out = np.empty((len(rows), trees.num_classes), np.float32)
    add_up(trees, rows, out)
    return out


@compiled
def add_up(trees: Trees, rows: Rows, out: Scores) -> None:
    """`scores` into an array."""
    num_rows, num_features = rows.shape
    if num_features != trees.num_features or out.shape != (num_rows, trees.num_classes):
        raise ValueError("rows have another number of features than the trees, or there is no room for their scores")
    if num_rows < FEW:
        for r in range(num_rows):
            _one_row(trees, rows[r], out[r])
        return
    lowest, highest = _ranges(rows)
    fewer, together = _undecided(trees, lowest, highest)
    columns = np.empty((num_features, STRIDE), np.float32)
    sums = np.empty((trees.num_classes, ROWS), np.float32)
    bits = np.empty(ROWS, np.uint32)
    for start in range(0, num_rows, ROWS):
        some = rows[start : start + ROWS]
        for f in range(num_features):
            if lowest[f] != highest[f]:  # otherwise no node asks for it any more
                column = columns[f]
                for r in range(len(some)):
                    column[r] = some[r, f]
        sums[:] = 0
        # Full registers: what lies beyond the last row is of no consequence.
        _side_by_side(fewer, together, columns, (len(some) + LANES - 1) // LANES * LANES, bits, sums)
        for r in range(len(some)):
            for c in range(trees.num_classes):
                out[start + r, c] = sums[c, r]


@compiled
def _ranges(rows: Rows) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of each feature the lowest and the highest value."""
    lowest = np.full(rows.shape[1], np.inf, np.float32)
    highest = np.full(rows.shape[1], -np.inf, np.float32)
    for r in range(len(rows)):
        row = rows[r]
        for f in range(row.size):
            value = row[f] if row[f] == row[f] else LEAST
            lowest[f] = value if value < lowest[f] else lowest[f]
            highest[f] = value if value > highest[f] else highest[f]
    return lowest, highest


@compiled
def _undecided(
    trees: Trees, lowest: NDArray[np.float32], highest: NDArray[np.float32]
) -> tuple[Trees, NDArray[np.uint32]]:
    """The trees without the nodes that all rows pass alike, and the leaves that these nodes leave to each tree.

    The nodes of a tree are evaluated in pairs, which spares a sixth of the time, so an odd one stands there twice.
    """
    size = trees.feature.size + trees.first_node.size
    feature, threshold = np.empty(size, np.uint16), np.empty(size, np.float32)
    right, first_node = np.empty(size, np.uint32), np.zeros_like(trees.first_node)
    together = np.empty(trees.first_node.size - 1, np.uint32)
    count = 0
    for t in range(together.size):
        left = ALL
        for node in range(trees.first_node[t], trees.first_node[t + 1]):
            f, bound, leaves = trees.feature[node], trees.threshold[node], trees.right[node]
            low, high = lowest[f] > bound, highest[f] > bound
            left &= leaves if low else ALL
            feature[count], threshold[count], right[count] = f, bound, leaves
            count += low != high
        if (count - first_node[t]) % 2:
            feature[count], threshold[count], right[count] = feature[count - 1], threshold[count - 1], right[count - 1]
            count += 1
        first_node[t + 1], together[t] = count, left
    return (
        Trees(feature, threshold, right, first_node, trees.value, trees.num_features, trees.num_classes),
        together,
    )


@compiled
def _side_by_side(
    trees: Trees, together: NDArray[np.uint32], columns: Rows, size: int, bits: NDArray[np.uint32], sums: Rows
) -> None:
    """Add the leaves of `size` rows, a multiple of `LANES`. Each of the inner loops becomes vector instructions."""
    for t in range(together.size):
        for r in range(size):
            bits[r] = together[t]
        for a in range(trees.first_node[t], trees.first_node[t + 1], 2):
            b = a + 1
            column_a, threshold_a, right_a = columns[trees.feature[a]], trees.threshold[a], trees.right[a]
            column_b, threshold_b, right_b = columns[trees.feature[b]], trees.threshold[b], trees.right[b]
            for r in range(size):
                bits[r] &= (right_a if column_a[r] > threshold_a else ALL) & (
                    right_b if column_b[r] > threshold_b else ALL
                )
        value, total = trees.value[t], sums[t % trees.num_classes]
        for r in range(size):
            total[r] += value[_place(bits[r])]


@compiled
def _one_row(trees: Trees, row: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    out[:] = 0
    for t in range(trees.first_node.size - 1):
        bits = ALL
        for node in range(trees.first_node[t], trees.first_node[t + 1]):
            bits &= trees.right[node] if row[trees.feature[node]] > trees.threshold[node] else ALL
        out[t % trees.num_classes] += trees.value[t, _place(bits)]


@compiled
def _place(bits: np.uint32) -> np.uint32:
    """`place` of the lowest bit; below `MAX_LEAVES` whatever the bits."""
    lowest = np.uint32(bits & (np.uint32(0) - bits))
    return np.uint32(lowest * DE_BRUIJN) >> TOP


@compiled
def sigmoid(scores: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """Probabilities of one class from its scores, into an array that may be the same."""
    for i in range(scores.size):
        out[i] = 1 / (1 + math.exp(-np.float64(scores[i])))


@compiled
def softmax(scores: Scores, out: Scores) -> None:
    """Probabilities of classes that exclude each other, row by row, into an array that may be the same."""
    for r in range(len(scores)):
        highest = np.float64(scores[r].max())
        total = 0.0
        for score in scores[r]:
            total += math.exp(np.float64(score) - highest)
        for c in range(scores.shape[1]):
            out[r, c] = math.exp(np.float64(scores[r, c]) - highest) / total


def _leaves(tree: Tree, node: int) -> list[int]:
    """Leaves below a node from left to right."""
    if not len(tree.feature):
        return [0]
    found, waiting, steps = [], [node], 0
    while waiting:
        steps += 1
        if steps > 2 * MAX_LEAVES:
            raise ValueError(f"a tree has more than {MAX_LEAVES} leaves: train with fewer, or it is no tree")
        at = waiting.pop()
        if at < 0:
            found.append(~at)
        else:
            waiting += [int(tree.right[at]), int(tree.left[at])]
    return found


def _nodes(tree: Tree) -> Iterator[tuple[int, np.float32, int]]:
    """Of each node: feature, threshold, and all leaves but those on its left, as bits."""
    bit = {leaf: number for number, leaf in enumerate(_leaves(tree, 0))}
    for node in range(len(tree.feature)):
        left = sum(1 << bit[leaf] for leaf in _leaves(tree, int(tree.left[node])))
        yield int(tree.feature[node]), tree.threshold[node], int(ALL) & ~left
