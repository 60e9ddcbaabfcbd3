"""Distributions of signals, group by group, in one trip and bounded memory.

Count, smallest, largest, mean and deviation are of all values. Quantiles are of a sample where there are too many: the
documents whose ids end in the smallest numbers. An id is a hash of what a document is, so that is a random choice, and
the same one in any order and partitioning.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

MAX_VALUES = 1_000_000  # in the sample of one group, all signals together: 8 MB

Numbers = NDArray[np.float64]
Keys = NDArray[np.uint64]


class Summary(NamedTuple):
    """One signal in one group. Of no value: NaN, with n = 0."""

    n: int
    minimum: float
    p1: float
    median: float
    p99: float
    maximum: float
    mean: float
    sd: float  # of the sample: n - 1


class Distribution:
    """Some signals over the documents of one group."""

    def __init__(self, num_signals: int, max_values: int = MAX_VALUES) -> None:
        self.max_rows = max(1, max_values // num_signals)
        self.n = np.zeros(num_signals, np.int64)
        self.mean, self._squares = np.zeros(num_signals), np.zeros(num_signals)
        self.minimum, self.maximum = np.full(num_signals, math.inf), np.full(num_signals, -math.inf)
        self._keys: list[Keys] = []
        self._values: list[Numbers] = []
        self._held = 0
        self._below = np.uint64(2**64 - 1)  # keys above it are in no sample any more

    def add(self, keys: Keys, values: Numbers) -> None:
        """Take in documents: uint64[n], float64[n, signals]. What is not finite counts as not measured."""
        there = np.isfinite(values)
        count = there.sum(axis=0)
        self.minimum = np.minimum(self.minimum, np.where(there, values, math.inf).min(axis=0, initial=math.inf))
        self.maximum = np.maximum(self.maximum, np.where(there, values, -math.inf).max(axis=0, initial=-math.inf))
        mean = np.where(there, values, 0).sum(axis=0) / np.maximum(count, 1)
        squares = (np.where(there, values - mean, 0) ** 2).sum(axis=0)
        total = np.maximum(self.n + count, 1)  # merged as Chan, Golub and LeVeque 1983 do: no large sums cancel
        self._squares += squares + (mean - self.mean) ** 2 * self.n * count / total
        self.mean += (mean - self.mean) * count / total
        self.n += count
        self._sample(keys, values)

    @property
    def sd(self) -> Numbers:
        """Standard deviation of each signal; 0 of a single value."""
        return np.sqrt(self._squares / np.maximum(self.n - 1, 1))

    def sample(self) -> Numbers:
        """float64[rows, signals] of the sample; NaN where a signal was not measured."""
        self._shrink()
        return self._values[0] if self._values else np.empty((0, len(self.n)))

    def summary(self, signal: int) -> Summary:
        """Figures of one signal, by its number."""
        values = self.values(signal)
        if not len(values):
            return Summary(0, *[math.nan] * 7)
        p1, median, p99 = np.percentile(values, [1, 50, 99]).tolist()
        ends = float(self.minimum[signal]), float(self.maximum[signal])
        return Summary(
            int(self.n[signal]), ends[0], p1, median, p99, ends[1], float(self.mean[signal]), float(self.sd[signal])
        )

    def values(self, signal: int) -> Numbers:
        """The sample's finite values of one signal."""
        column = self.sample()[:, signal]
        finite: Numbers = column[np.isfinite(column)]
        return finite

    def _sample(self, keys: Keys, values: Numbers) -> None:
        near = keys <= self._below
        if near.any():
            self._keys.append(keys[near])
            self._values.append(values[near])
            self._held += int(near.sum())
        if self._held > self.max_rows + self.max_rows // 4:
            self._shrink()

    def _shrink(self) -> None:
        """The documents with the smallest keys, in one piece."""
        if not self._keys:
            return
        keys, values = np.concatenate(self._keys), np.concatenate(self._values)
        if len(keys) > self.max_rows:
            order = np.argsort(keys, kind="stable")[: self.max_rows]
            keys, values = keys[order], values[order]
            self._below = keys[-1]
        self._keys, self._values, self._held = [keys], [values], len(keys)


class Distributions:
    """The same signals in every group, and in all documents together."""

    def __init__(self, signals: Sequence[str], max_values: int = MAX_VALUES) -> None:
        self.signals, self.max_values = list(signals), max_values
        self.num_documents = 0  # measured or not
        self.groups: dict[str, Distribution] = {}
        self.pooled = Distribution(len(self.signals), max_values)

    def add(self, doc_ids: pa.Array, groups: pa.Array | None, columns: Sequence[pa.Array]) -> None:
        """Take in documents: their ids, what group each is in (null: none), and the values of each signal."""
        self.num_documents += len(doc_ids)
        keys = sample_keys(doc_ids)
        values = np.stack([_numbers(column) for column in columns], axis=1) if columns else np.empty((len(keys), 0))
        self.pooled.add(keys, values)
        if groups is None:
            return
        for group in pc.unique(groups.drop_null()).to_pylist():
            here = np.asarray(pc.fill_null(pc.equal(groups, group), False).to_numpy(zero_copy_only=False))
            one = self.groups.setdefault(group, Distribution(len(self.signals), self.max_values))
            one.add(keys[here], values[here])


def sample_keys(doc_ids: pa.Array) -> Keys:
    """The last 64 bits of each id: uint64[n]. The first ones order documents elsewhere, in samples and in dedup."""
    digits = "".join(doc_ids.to_pylist())
    return np.frombuffer(bytes.fromhex(digits), dtype=">u8").reshape(-1, 2)[:, 1].astype(np.uint64)


def _numbers(column: pa.Array) -> Numbers:
    """Values as float64, NaN for null."""
    numbers = column.cast(pa.float64(), safe=False)
    return np.asarray(pc.fill_null(numbers, math.nan).to_numpy(zero_copy_only=False), dtype=np.float64)
