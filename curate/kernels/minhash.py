"""MinHash signatures and LSH bands of shingle sets (Broder 1997; Leskovec, Rajaraman, Ullman, chapter 3).

The hash functions are multiply-shift: h(x) = (a·x + b) mod 2**64 >> 32 over a 32-bit fold of the shingle's hash,
strongly universal for 64-bit a and b (Dietzfelbinger 1996). It costs one 64-bit product, which a processor does eight
at a time; the usual a·x + b modulo 2**61 - 1 needs 128-bit products. Folding to 32 bits makes n shingles collide
n² / 2**33 times: 116 of a million.

A signature does not change when a shingle comes twice or in another order. So `text_signatures` makes it of the
shingles as they are read, a window at a time, and no set is ever made or sorted.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, compiled
from curate.kernels.shingles import AT, NUM_TOKENS, Shingler, Unit, begin_shingles, new_shingler, next_shingles
from curate.kernels.utf8 import Bytes, Int, utf8

Hashes = NDArray[np.uint64]
Offsets = NDArray[np.int64]
Signatures = NDArray[np.uint32]
Folds = NDArray[np.uint32]  # shingles' hashes folded to 32 bits
Lowest = NDArray[np.int64]

#: The hash functions and the band hash, by name and version: what an index of signatures must have been made with,
#: besides the seed, their number and `curate.kernels.shingles.TOKENS_VERSION`.
VERSION = "multiply-shift-1"

_BLOCK = 2048  # shingles at a time: their folds stay in the nearest cache
_SIDE_BY_SIDE = 8
_SIGN = np.uint64(1 << 63)
_NONE = np.int64(2**63 - 1)


class TextSignatures(NamedTuple):
    """Signatures of texts, and how many tokens each has: none, and it is similar to nothing."""

    signatures: Signatures  # uint32[num_texts, num_hashes]
    num_tokens: Offsets  # int64[num_texts]


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


def text_signatures(
    texts: pa.Array, ngram_size: int = 5, unit: Unit = "word", num_hashes: int = 112, seed: int = 0
) -> TextSignatures:
    """Signatures of the shingle sets of a string column, without the sets.

    They equal `signatures` of `shingle_sets` where that keeps all shingles. Of a text with more than `MAX_SHINGLES`
    the signature is that of the whole set too, not of the sample: its memory does not grow with the text, and both
    estimate the similarity of whole sets. A null text and one without tokens have 0xFFFFFFFF throughout.
    """
    data, offsets = utf8(texts)
    a, b = permutations(num_hashes, seed)
    return TextSignatures(*_text_signatures(data, offsets, new_shingler(ngram_size, unit), a, b ^ _SIGN))


def signatures(values: Hashes, offsets: Offsets, num_hashes: int, seed: int) -> Signatures:
    """MinHash signatures of the sets `values[offsets[i]:offsets[i + 1]]`: uint32[num_sets, num_hashes].

    An empty set has 0xFFFFFFFF throughout.
    """
    a, b = permutations(num_hashes, seed)
    return _signatures(values, offsets, a, b ^ _SIGN)


@compiled
def _text_signatures(
    data: Bytes, offsets: Offsets, shingler: Shingler, a: Hashes, b: Hashes
) -> tuple[Signatures, Offsets]:
    out, num_tokens = np.empty((offsets.size - 1, a.size), np.uint32), np.empty(offsets.size - 1, np.int64)
    lowest, folds = np.empty(a.size, np.int64), np.zeros(_BLOCK + _SIDE_BY_SIDE, np.uint32)
    for row in range(offsets.size - 1):
        end = offsets[row + 1]
        lowest[:] = _NONE
        begin_shingles(shingler, offsets[row])
        while shingler.state[AT] < end:
            num = next_shingles(data, end, shingler)
            _lower(shingler.shingles, 0, num, folds, a, b, lowest)
        _write(lowest, out[row])
        num_tokens[row] = shingler.state[NUM_TOKENS]
    return out, num_tokens


@compiled
def _signatures(values: Hashes, offsets: Offsets, a: Hashes, b: Hashes) -> Signatures:
    out = np.empty((offsets.size - 1, a.size), np.uint32)
    lowest, folds = np.empty(a.size, np.int64), np.zeros(_BLOCK + _SIDE_BY_SIDE, np.uint32)
    for row in range(offsets.size - 1):
        lowest[:] = _NONE
        _lower(values, offsets[row], offsets[row + 1], folds, a, b, lowest)
        _write(lowest, out[row])
    return out


@borrowing
def _lower(values: Hashes, start: Int, end: Int, folds: Folds, a: Hashes, b: Hashes, lowest: Lowest) -> None:
    """Lower the minima by `values[start:end]`, a block at a time, the last one filled up with a value again."""
    for block in range(start, end, _BLOCK):
        num = min(_BLOCK, end - block)
        for i in range(num):
            value = values[np.uint64(block + i)]
            folds[np.uint64(i)] = value ^ value >> np.uint64(32)
        for i in range(num, num + _SIDE_BY_SIDE):
            folds[np.uint64(i)] = folds[0]
        _lower_block(folds, num, a, b, lowest)


@borrowing
def _lower_block(folds: Folds, num: Int, a: Hashes, b: Hashes, lowest: Lowest) -> None:
    """Eight values for each pass over the functions, which loads and stores the minima an eighth as often.

    Minima are of all 64 bits, cut to 32 at the end: the same minimum. They are signed, with the top bit of `b` turned
    over to keep the order, because AVX2 compares no other 64-bit numbers.
    """
    for at in range(0, num, _SIDE_BY_SIDE):
        i = np.uint64(at)
        x0, x1, x2, x3 = _at(folds, i, 0), _at(folds, i, 1), _at(folds, i, 2), _at(folds, i, 3)
        x4, x5, x6, x7 = _at(folds, i, 4), _at(folds, i, 5), _at(folds, i, 6), _at(folds, i, 7)
        for k in range(a.size):
            m, n = a[k], b[k]
            low = min(lowest[k], np.int64(m * x0 + n))
            low = min(low, np.int64(m * x1 + n))
            low = min(low, np.int64(m * x2 + n))
            low = min(low, np.int64(m * x3 + n))
            low = min(low, np.int64(m * x4 + n))
            low = min(low, np.int64(m * x5 + n))
            low = min(low, np.int64(m * x6 + n))
            lowest[k] = min(low, np.int64(m * x7 + n))


@borrowing
def _at(folds: Folds, first: Int, place: Int) -> Int:
    return np.uint64(folds[first + np.uint64(place)])


@borrowing
def _write(lowest: Lowest, signature: Signatures) -> None:
    for k in range(lowest.size):
        signature[k] = (np.uint64(lowest[k]) ^ _SIGN) >> np.uint64(32)


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
