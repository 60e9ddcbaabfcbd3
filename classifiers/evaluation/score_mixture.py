"""Whether scores of a corpus can be those of a mixture of labelled examples.

Examples that are so have scores distributed one way, others another. If a corpus is made of texts like them, its scores
are distributed as some mixture of the two. If no mixture comes near, the corpus is something else, and neither the
recall nor the false-positive rate of the examples holds for it. That a mixture fits does not prove that they hold.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

NUM_BINS = 64
MAX_DISTANCE = 0.1  # our choice: of distribution functions, beside what chance does
_CHANCE = 1.63  # Kolmogorov and Smirnov's distance of samples of n and m, times the root of 1/n + 1/m: 1 in 100

Numbers = NDArray[np.int64]


class Mixture(NamedTuple):
    """How the scores of examples are distributed, over bins that both kinds have made equally many bounds of."""

    edges: NDArray[np.float64]  # NUM_BINS - 1, ascending
    so: Numbers  # examples of each bin that are so
    others: Numbers

    def bins(self, scores: NDArray[np.float64]) -> Numbers:
        """The bin of each score, -1 of NaN: int64[len(scores)]."""
        return np.where(np.isnan(scores), -1, np.searchsorted(self.edges, scores, side="right"))

    def unlike(self, counts: Numbers) -> float | None:
        """How far the nearest mixture is, in [0, 1], where each is further than `MAX_DISTANCE` and chance; else None.

        counts: scores of each bin, int64[NUM_BINS]. None where nothing can be said, as there are none.
        """
        num, num_so, num_others = (int(one.sum()) for one in (counts, self.so, self.others))
        if not num or not num_so or not num_others:
            return None
        so, others, found = (np.cumsum(one) / one.sum() for one in (self.so, self.others, counts))
        shares = np.linspace(0.0, 1.0, 101)
        mixed = shares[:, None] * so + (1 - shares[:, None]) * others
        distances = np.abs(mixed - found).max(axis=1)
        chance = _CHANCE * np.sqrt(1 / num + shares**2 / num_so + (1 - shares) ** 2 / num_others)
        return float(distances.min()) if np.all(distances > MAX_DISTANCE + chance) else None


def mixture_of(scores: NDArray[np.float64], so: NDArray[np.bool_]) -> Mixture:
    """The mixture of examples with these scores; NaN is left out."""
    known = ~np.isnan(scores)
    scores, so = scores[known], so[known]
    quantiles = np.linspace(0.0, 1.0, NUM_BINS // 2 + 1)[1:]
    bounds = [np.quantile(scores[mask], quantiles) for mask in (so, ~so) if mask.any()]
    edges = np.sort(np.concatenate([*bounds, np.zeros(NUM_BINS)])[: NUM_BINS - 1])
    bins = np.searchsorted(edges, scores, side="right")
    return Mixture(edges, *(np.bincount(bins[mask], minlength=NUM_BINS) for mask in (so, ~so)))
