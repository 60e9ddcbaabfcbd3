"""Texts as vectors without a model: weighted terms, hashed to buckets, under signed random projection.

A **term** is a word, or in scripts written without spaces two characters that follow each other (one that stands alone
is a term too). Letters are folded as for shingles (`curate.kernels.shingle_tokens`): lower case, without diacritics;
digits are letters. A term is known by the bucket that its 64-bit hash falls into, so there is no vocabulary to keep.

A text's weight of a term is (1 + ln tf) · idf, idf = ln((1 + n) / (1 + df)) + 1 over the corpus (Manning, Raghavan,
Schütze 2008, section 6.4; smoothed as if one more text had every term). Each bucket has a row of random signs; the
vector is the weighted sum of the rows, of unit length. The cosine of two vectors is that of the weights with an error
of standard deviation (1 - cosine²) / sqrt(dimensions) (Li, Hastie, Church 2006): 0.006 at 0.95 in 256 dimensions.

Sums are taken in the order of the text, so a vector depends on its text alone and not on its neighbours in a batch.
It knows words and not their meaning: two texts that say one thing in different words are not alike.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, compiled
from curate.kernels.shingle_tokens import token_table
from curate.kernels.utf8 import Bytes, Int, Offsets, code_point, utf8

Vectors = NDArray[np.float32]
Counts = NDArray[np.int64]
Int32s = NDArray[np.int32]
Table = NDArray[np.uint32]

#: Signs come 64 at a time.
WORD = 64


class Terms(NamedTuple):
    """Terms of one text in reading order; only the first so many places are filled."""

    bucket: Int32s
    start: Int32s  # of its bytes, in the text
    end: Int32s


class TopTerms(NamedTuple):
    """The heaviest terms of some texts."""

    rows: Int32s  # of the text
    terms: list[str]  # as written there first, in lower case
    weights: NDArray[np.float64]


def document_frequencies(texts: pa.Array, bits: int, max_bytes: int) -> tuple[Counts, int]:
    """In how many of the texts each of the 2**bits buckets occurs, and how many of them have a term at all."""
    data, offsets = utf8(texts)
    frequencies = np.zeros(1 << bits, np.int64)
    return frequencies, _count(data, offsets, max_bytes, bits, token_table(), _scratch(offsets, max_bytes), frequencies)


def idf(frequencies: Counts, num_texts: int) -> NDArray[np.float32]:
    """The weight of each bucket by rarity: float32[num_buckets], 1 or more."""
    return (np.log((1 + num_texts) / (1 + frequencies)) + 1).astype(np.float32)


def embedded(texts: pa.Array, weights: NDArray[np.float32], dimensions: int, seed: int, max_bytes: int) -> Vectors:
    """Unit vectors of the texts: float32[num_texts, dimensions], zeros where a text has no term.

    weights: of each bucket, 2**bits of them. dimensions: a multiple of 64. Of a text the first `max_bytes` are read.
    """
    data, offsets = utf8(texts)
    vectors = np.zeros((len(texts), dimensions), np.float32)
    key = np.uint64(seed * 0xD1342543DE82EF95 % 2**64)
    _embed(data, offsets, max_bytes, token_table(), _scratch(offsets, max_bytes), weights, key, vectors)
    return vectors


def top_terms(texts: pa.Array, weights: NDArray[np.float32], count: int, max_bytes: int) -> TopTerms:
    """Up to `count` terms of each text, the heaviest first and of equal ones the earliest."""
    data, offsets = utf8(texts)
    scratch = _scratch(offsets, max_bytes)
    rows, words, heights = [], [], []
    for row in range(len(texts)):
        chosen, found = _heaviest(data, offsets, row, max_bytes, token_table(), scratch, weights, count)
        for at, weight in zip(chosen.tolist(), found.tolist(), strict=True):
            start = offsets[row] + scratch.start[at]
            word = data[start : offsets[row] + scratch.end[at]].tobytes().decode("utf-8", "replace")
            rows.append(row)
            words.append(word.lower())
            heights.append(weight)
    return TopTerms(np.array(rows, np.int32), words, np.array(heights, np.float64))


def _scratch(offsets: Offsets, max_bytes: int) -> Terms:
    size = int(min(np.diff(offsets).max(initial=0), max_bytes)) + 2
    return Terms(*(np.empty(size, np.int32) for _ in range(3)))


@borrowing
def _bucket(h: np.uint64, bits: Int) -> Int:
    h *= np.uint64(0xA0761D6478BD642F)
    h ^= h >> np.uint64(32)
    return np.int32((h * np.uint64(0xD6E8FEB86659FD93)) >> np.uint64(64 - bits))


@borrowing
def _add(out: Terms, count: Int, h: np.uint64, bits: Int, start: Int, end: Int) -> Int:
    out.bucket[count], out.start[count], out.end[count] = _bucket(h, bits), start, end
    return count + 1


@borrowing
def _terms(data: Bytes, first: Int, end: Int, bits: Int, table: Table, out: Terms) -> Int:
    """Put the terms of a text into `out`; how many there are. Bytes that are not UTF-8 separate."""
    single, ignored = np.uint32(1 << 31), np.uint32(0xFFFF_FFFF)
    seed, factor = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)
    h, count, at = seed, 0, first
    start = first  # of the word or run of single characters that is open
    previous, before = np.uint64(0), first  # the last single character and where it began
    run = 0  # single characters in a row; -1 within a word
    while at <= end:
        entry, size = np.uint32(0), 1
        if at < end:
            point: int | np.int64 = np.int64(data[at])
            if point >= 0x80:
                point, size = code_point(data, at, end)
            entry = table[point]
        if entry == ignored:
            at += size
            continue
        if entry == 0 or entry >= single:
            if run < 0:
                count = _add(out, count, h, bits, start - first, at - first)
                h, run = seed, 0
        elif run > 0:  # a word after single characters
            if run == 1:
                count = _add(out, count, seed ^ previous, bits, before - first, at - first)
            run = 0
        if entry == 0:
            if run == 1:
                count = _add(out, count, seed ^ previous, bits, before - first, at - first)
            run = 0
        elif entry >= single:
            if run > 0:
                pair = ((seed ^ previous) * factor) ^ np.uint64(entry)
                count = _add(out, count, pair, bits, before - first, at + size - first)
            previous, before = np.uint64(entry), at
            run += 1
        else:
            if run == 0:
                start, run = at, -1
            h = (h ^ np.uint64(entry)) * factor
            h ^= h >> np.uint64(29)
        at += size
    return count


@compiled
def _count(
    data: Bytes, offsets: Offsets, max_bytes: int, bits: int, table: Table, scratch: Terms, frequencies: Counts
) -> int:
    last = np.full(frequencies.size, -1, np.int32)  # the text in which each bucket was met last
    num_texts = 0
    for row in range(offsets.size - 1):
        end = min(offsets[row + 1], offsets[row] + max_bytes)
        count = _terms(data, offsets[row], end, bits, table, scratch)
        num_texts += count > 0
        for i in range(count):
            bucket = scratch.bucket[i]
            frequencies[bucket] += last[bucket] != row
            last[bucket] = row
    return num_texts


@borrowing
def _distinct(buckets: Int32s, count: Int, found: Int32s, frequencies: Int32s) -> Int:
    """Count buckets into `frequencies`; put where each occurs first into `found`; how many different ones there are."""
    num = 0
    for i in range(count):
        bucket = buckets[i]
        if frequencies[bucket] == 0:
            found[num] = i
            num += 1
        frequencies[bucket] += 1
    return num


@borrowing
def _add_signs(vector: Vectors, weight: Int, bucket: Int, key: np.uint64) -> None:
    """Add `weight` to each number of the vector or take it away, as the bucket's random signs say."""
    for word in range(vector.size // 64):
        bits = key + np.uint64(bucket * (vector.size // 64) + word + 1) * np.uint64(0x9E3779B97F4A7C15)
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        bits ^= bits >> np.uint64(31)
        low, high = np.uint32(bits), np.uint32(bits >> np.uint64(32))
        at = word * 64
        for j in range(32):
            vector[at + j] += weight if (low >> np.uint32(j)) & np.uint32(1) else -weight
            vector[at + 32 + j] += weight if (high >> np.uint32(j)) & np.uint32(1) else -weight


@compiled
def _embed(
    data: Bytes,
    offsets: Offsets,
    max_bytes: int,
    table: Table,
    scratch: Terms,
    weights: NDArray[np.float32],
    key: np.uint64,
    vectors: Vectors,
) -> None:
    bits = int(np.round(np.log2(weights.size)))
    found, frequencies = np.empty(scratch.bucket.size, np.int32), np.zeros(weights.size, np.int32)
    for row in range(offsets.size - 1):
        end = min(offsets[row + 1], offsets[row] + max_bytes)
        count = _terms(data, offsets[row], end, bits, table, scratch)
        vector = vectors[row]
        for i in range(_distinct(scratch.bucket, count, found, frequencies)):
            bucket = scratch.bucket[found[i]]
            height = np.float32(1.0 + np.log(frequencies[bucket])) * weights[bucket]
            frequencies[bucket] = 0
            _add_signs(vector, height, bucket, key)
        norm = 0.0
        for j in range(vector.size):
            norm += np.float64(vector[j]) * np.float64(vector[j])
        if norm > 0.0:
            norm = np.sqrt(norm)
            for j in range(vector.size):
                vector[j] = np.float32(vector[j] / norm)


@compiled
def _heaviest(
    data: Bytes,
    offsets: Offsets,
    row: int,
    max_bytes: int,
    table: Table,
    scratch: Terms,
    weights: NDArray[np.float32],
    limit: int,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Places in `scratch` of the heaviest terms of one text, and their weights."""
    bits = int(np.round(np.log2(weights.size)))
    end = min(offsets[row + 1], offsets[row] + max_bytes)
    count = _terms(data, offsets[row], end, bits, table, scratch)
    found, frequencies = np.empty(count + 1, np.int32), np.zeros(weights.size, np.int32)
    num = _distinct(scratch.bucket, count, found, frequencies)
    heights = np.empty(num, np.float64)
    for i in range(num):
        bucket = scratch.bucket[found[i]]
        heights[i] = (1.0 + np.log(frequencies[bucket])) * weights[bucket]
    chosen = np.argsort(-heights, kind="mergesort")[:limit]
    return found[chosen].astype(np.int64), heights[chosen]
