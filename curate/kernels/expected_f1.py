"""The blocks of a page that make its expected F1 highest.

A block of t words belongs to the text with probability p. Of a chosen set S, the words expected to be right are the sum
of p t over S, so the expected precision is that sum over the words of S, the expected recall that sum over the sum of
p t of the whole page, and with both

    F = (1 + b²) Σ_S p t / (Σ_S t + b² Σ p t)

(van Rijsbergen 1979, chapter 7; b is `beta`: 1 weighs them alike, below 1 precision weighs more, above 1 recall). It is
the F of expected counts, not the expectation of F, which no set is known to make highest in linear time (Jansche 2007).

Which set is best depends on the page: a block is worth its words where p (1 + b²) > F, so a page of doubtful blocks
keeps blocks that a page of certain ones drops (Lipton et al. 2014: for F1, half of the best F is the threshold). So the
best set is a threshold's, and Dinkelbach's (1967) iteration finds it: take F of the best set so far, drop what is not
worth it, and again until nothing changes, three to six times over the blocks. No order of blocks matters: of two with
equal p, both are chosen or neither. Of two sets that are as good, the smaller one is taken.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import compiled

Float32s = NDArray[np.float32]
Bools = NDArray[np.bool_]


class Expected(NamedTuple):
    """What is to be expected of the chosen blocks, in [0, 1]. All are 0 where nothing is chosen."""

    f: float
    precision: float
    recall: float


def choose(probability: Float32s, words: Float32s, beta: float = 1.0) -> tuple[Bools, Expected]:
    """The blocks to keep, bool[num_blocks], and what to expect of them.

    probability: float32[num_blocks] in [0, 1]; words: float32[num_blocks], at least 0; beta: above 0.
    Nothing is kept where no block has both probability and words. A probability that is no number keeps nothing.
    """
    chosen = np.empty(len(probability), np.bool_)
    return chosen, Expected(*choose_blocks(probability, words, beta, chosen))


@compiled
def choose_blocks(probability: Float32s, words: Float32s, beta: float, chosen: Bools) -> tuple[float, float, float]:
    """`choose` into an array; F, precision and recall."""
    square = beta * beta
    total = 0.0
    for i in range(probability.size):
        total += np.float64(probability[i]) * np.float64(words[i])
    if not total > 0:  # or a probability is no number
        chosen[:] = False
        return 0.0, 0.0, 0.0
    best, best_right, best_kept, threshold = 0.0, 0.0, 0.0, 0.0
    while True:
        right, kept, bound = 0.0, 0.0, best / (1 + square)
        for i in range(probability.size):
            p, t = np.float64(probability[i]), np.float64(words[i])
            if p > bound:
                right, kept = right + p * t, kept + t
        f = (1 + square) * right / (kept + square * total) if right > 0 else 0.0
        if not f >= best:  # rounding took a block away that is worth its words
            break
        settled = f == best
        best, best_right, best_kept, threshold = f, right, kept, bound
        if settled:
            break
    for i in range(probability.size):
        chosen[i] = probability[i] > threshold
    return best, best_right / best_kept, best_right / total
