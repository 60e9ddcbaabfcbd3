"""Find any of millions of strings anywhere in a text, in one trip over its bytes (Aho and Corasick 1975).

States are numbered breadth first, so the children of one are neighbours: a state costs 13 bytes (where its children
begin, its byte, its failure link, the longest entry that ends in it), and an entry 12 more. The first `DENSE_STATES`,
which are the shallow ones that nearly every byte of a text is in, have a full row of 256 successors each, 4 MiB in all;
deeper ones search their children and fall back towards the root. So a short list runs as a plain automaton, and a list
of a million takes some hundred megabytes.

Entries are UTF-8 and texts are compared byte by byte: a match begins and ends where characters do. No entry is empty.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.kernels.compiled import compiled
from curate.kernels.utf8 import Bytes, Offsets, utf8

Int32s = NDArray[np.int32]
Int = int | np.int64  # inside kernels

#: States with a row of their own, 1 KiB each.
DENSE_STATES = 4096


class Automaton(NamedTuple):
    """The arrays that kernels walk.

    From a state with a row of its own a byte leads by that row. From another it leads to its child, or where there is
    none as from its failure link. State 0 is the first.
    """

    dense: Int32s  # [min(num_states, DENSE_STATES) * 256] successor by state and byte
    children: Int32s  # [num_states + 1] children of state s are children[s] to children[s + 1]
    label: Bytes  # [num_states] the byte that leads into a state
    fail: Int32s  # [num_states] the longest proper suffix that is a state
    output: Int32s  # [num_states] the longest entry that ends here, -1: none
    next_output: Int32s  # [num_entries] the longest other entry that ends where this one does, -1: none
    num_outputs: Int32s  # [num_entries] entries that end where this one does, itself included
    sizes: Int32s  # [num_entries] bytes


def automaton(entries: pa.Array) -> Automaton:
    """The automaton of different, non-empty strings; an entry's number is its place in `entries`.

    ValueError for more than 2**31 - 2 bytes of entries.
    """
    order = pc.sort_indices(entries.cast(pa.large_binary()))
    data, offsets = utf8(entries.cast(pa.large_string()).take(order))
    numbers = np.asarray(order).astype(np.int32)
    if offsets[-1] > np.iinfo(np.int32).max - 1:
        raise ValueError(f"{offsets[-1]:,} bytes of entries: substrings have at most 2 GiB together")
    sizes = np.empty(len(numbers), np.int32)
    sizes[numbers] = np.diff(offsets)
    num_states = _count_states(data, offsets)
    children, label, output = _trie(data, offsets, numbers, num_states)
    fail, next_output, num_outputs = _link(children, label, output, len(numbers))
    dense = _dense_rows(children, label, fail, min(num_states, DENSE_STATES))
    return Automaton(dense, children, label, fail, output, next_output, num_outputs, sizes)


@compiled
def child_by(children: Int32s, label: Bytes, state: Int, byte: Int) -> Int:
    """The child of a state by a byte, -1 where it has none. Children are in the order of their bytes."""
    low, high = np.int64(children[state]), np.int64(children[state + 1])
    while low < high:
        middle = (low + high) >> 1
        if label[middle] < byte:
            low = middle + 1
        else:
            high = middle
    return low if low < children[state + 1] and label[low] == byte else -1


@compiled
def _count_states(data: Bytes, offsets: Offsets) -> int:
    """Different prefixes of the sorted strings, the empty one included."""
    count = 1
    for i in range(offsets.size - 1):
        size, same = offsets[i + 1] - offsets[i], 0
        if i:
            shorter = min(size, offsets[i] - offsets[i - 1])
            while same < shorter and data[offsets[i] + same] == data[offsets[i - 1] + same]:
                same += 1
        count += size - same
    return count


@compiled
def _trie(data: Bytes, offsets: Offsets, numbers: Int32s, num_states: int) -> tuple[Int32s, Bytes, Int32s]:
    """`children`, `label` and the entry that each state itself is (-1: none), from sorted strings.

    A state stands for the range of strings that begin with it.
    """
    children, label = np.empty(num_states + 1, np.int32), np.zeros(num_states, np.uint8)
    own = np.full(num_states, -1, np.int32)
    low, high = np.empty(num_states, np.int32), np.empty(num_states, np.int32)
    low[0], high[0] = 0, offsets.size - 1
    made, depth, level_end = 1, 0, 1
    for state in range(num_states):
        if state == level_end:
            depth, level_end = depth + 1, made
        children[state] = made
        i = np.int64(low[state])
        if i < high[state] and offsets[i] + depth == offsets[i + 1]:
            own[state] = numbers[i]
            i += 1
        while i < high[state]:
            byte, first = data[offsets[i] + depth], i
            while i < high[state] and data[offsets[i] + depth] == byte:
                i += 1
            label[made], low[made], high[made] = byte, first, i
            made += 1
    children[num_states] = made
    return children, label, own


@compiled
def _link(children: Int32s, label: Bytes, output: Int32s, num_entries: int) -> tuple[Int32s, Int32s, Int32s]:
    """`fail`, `next_output` and `num_outputs`; `output` is completed in place. Shallower states come first."""
    fail = np.zeros(label.size, np.int32)
    next_output, num_outputs = np.full(num_entries, -1, np.int32), np.ones(num_entries, np.int32)
    for parent in range(label.size):
        for state in range(children[parent], children[parent + 1]):
            back = np.int64(parent)
            while back != 0:
                back = np.int64(fail[back])
                child = child_by(children, label, back, label[state])
                if child >= 0:
                    fail[state] = child
                    break
            shorter = output[fail[state]]
            if output[state] < 0:
                output[state] = shorter
            elif shorter >= 0:
                next_output[output[state]] = shorter
                num_outputs[output[state]] += num_outputs[shorter]
    return fail, next_output, num_outputs


@compiled
def _dense_rows(children: Int32s, label: Bytes, fail: Int32s, num_rows: int) -> Int32s:
    rows = np.zeros(num_rows * 256, np.int32)
    for state in range(num_rows):
        if state:
            back = np.int64(fail[state])
            rows[state * 256 : state * 256 + 256] = rows[back * 256 : back * 256 + 256]
        for child in range(children[state], children[state + 1]):
            rows[state << 8 | np.int64(label[child])] = child
    return rows
