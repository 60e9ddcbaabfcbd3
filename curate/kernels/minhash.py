"""MinHash signatures and LSH bands of shingle sets (Broder 1997; Leskovec, Rajaraman, Ullman, chapter 3).

The hash functions are multiply-shift: h(x) = (a·x + b) mod 2**64 >> 32 over a 32-bit fold of the shingle's hash,
strongly universal for 64-bit a and b (Dietzfelbinger 1996). It costs one 64-bit product, which a processor does eight
at a time; the usual a·x + b modulo 2**61 - 1 needs 128-bit products. Folding to 32 bits makes n shingles collide
n² / 2**33 times: 116 of a million.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import compiled

Hashes = NDArray[np.uint64]
Offsets = NDArray[np.int64]
Signatures = NDArray[np.uint32]


def permutations(num_hashes: int, seed: int) -> tuple[Hashes, Hashes]:
    """The multipliers (odd) and addends of `num_hashes` functions: two uint64[num_hashes].

    They are SplitMix64's stream, written out because numpy does not promise the same numbers from version to version.
    """
    step = np.uint64(0x9E3779B97F4A7C15)
    state = np.uint64(seed * 0xD1342543DE82EF95 % 2**64)
    with np.errstate(over="ignore"):
        z = state + np.arange(1, 2 * num_hashes + 1, dtype=np.uint64) * step
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return z[:num_hashes] | np.uint64(1), z[num_hashes:]


def signatures(values: Hashes, offsets: Offsets, num_hashes: int, seed: int) -> Signatures:
    """MinHash signatures of the sets `values[offsets[i]:offsets[i + 1]]`: uint32[num_sets, num_hashes].

    An empty set has 0xFFFFFFFF throughout.
    """
    a, b = permutations(num_hashes, seed)
    return _signatures(values, offsets, a, b)


@compiled
def _signatures(values: Hashes, offsets: Offsets, a: Hashes, b: Hashes) -> Signatures:
    num_hashes = a.size
    out = np.full((offsets.size - 1, num_hashes), np.uint32(0xFFFF_FFFF), np.uint32)
    for row in range(offsets.size - 1):
        lowest = out[row]
        for at in range(offsets[row], offsets[row + 1]):
            value = values[at]
            x = (value ^ (value >> np.uint64(32))) & np.uint64(0xFFFF_FFFF)
            for i in range(num_hashes):
                lowest[i] = min(lowest[i], np.uint32((a[i] * x + b[i]) >> np.uint64(32)))
    return out


@compiled
def band_hashes(signatures: Signatures, num_bands: int) -> Hashes:
    """One hash for each band of equally many rows: uint64[num_sets, num_bands]. The number of the band is inside."""
    rows = signatures.shape[1] // num_bands
    out = np.empty((signatures.shape[0], num_bands), np.uint64)
    for i in range(signatures.shape[0]):
        for band in range(num_bands):
            h = np.uint64(band + 1)
            for j in range(band * rows, (band + 1) * rows):
                h = (h ^ np.uint64(signatures[i, j])) * np.uint64(0xD6E8FEB86659FD93)
                h ^= h >> np.uint64(32)
            out[i, band] = h
    return out


def estimated_jaccards(a: Signatures, b: Signatures) -> NDArray[np.float64]:
    """The share of equal rows of each pair of signatures, in [0, 1]; standard error sqrt(J (1 - J) / num_hashes)."""
    return np.asarray((a == b).mean(axis=1), dtype=np.float64)


def candidate_probability(jaccard: float, num_bands: int, rows_per_band: int) -> float:
    """The S-curve: how likely two sets of this similarity share a band, 1 - (1 - J**rows)**bands.

    >>> [round(candidate_probability(j, 14, 8), 3) for j in (0.5, 0.7, 0.75, 0.8, 0.9)]
    [0.053, 0.565, 0.772, 0.924, 1.0]
    """
    return float(1 - (1 - jaccard**rows_per_band) ** num_bands)
