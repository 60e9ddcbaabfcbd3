"""Scores as whole numbers that sort, so that an exact rank can be found by counting.

A document's key is its rank and, where ranks are equal, its tie. Both are signed 64-bit integers, the best document has
the smallest. They depend on score, doc_id and seed alone: only documents that share their id and their score share
their key.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.keyed_draws import draws

Floats = NDArray[np.float64]
Keys = NDArray[np.int64]

_ALL_BUT_SIGN = np.int64(2**63 - 1)


def ranks(values: Floats, most: bool) -> Keys:
    """Keys of float64 values, the best first: int64[num_values]. Different numbers have different keys; 0 is -0.

    NaN is no value: leave it out. Infinities rank as they should.

    >>> ranks(np.array([0.5, -2.0, 3.0]), most=True).argsort().tolist()
    [2, 0, 1]
    """
    bits = ((-values if most else values) + 0.0).view(np.int64)  # + 0.0 makes -0 into 0
    return np.where(bits < 0, bits ^ _ALL_BUT_SIGN, bits)


def values_of(keys: Keys, most: bool) -> Floats:
    """The values back.

    >>> values_of(ranks(np.array([0.5, -2.0]), most=True), most=True).tolist()
    [0.5, -2.0]
    """
    values = np.where(keys < 0, keys ^ _ALL_BUT_SIGN, keys).view(np.float64)
    return -values if most else values


def ties(doc_ids: pa.Array, seed: int) -> Keys:
    """What decides between equal ranks: int64[num_documents], any number as likely as any other."""
    return draws(doc_ids, seed, "select-tie").view(np.int64)


def gumbel(doc_ids: pa.Array, seed: int) -> Floats:
    """A draw for each document from the standard Gumbel distribution: float64[num_documents] in [-3.6, 36.8].

    The k largest of log-weight + draw are a sample without replacement in proportion to the weights (Gumbel top-k:
    Kool, van Hoof, Welling 2019).
    """
    bits = draws(doc_ids, seed, "select-gumbel") >> np.uint64(12)
    uniform = (bits.astype(np.float64) + 0.5) * 2.0**-52  # in (0, 1), each exact, neither end met
    # The tail that wins is where the exponential is near 0: log1p is exact there, log of 1 - uniform is not.
    return -np.log(-np.log1p(-uniform))
