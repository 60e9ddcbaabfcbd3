"""The set of shingles of a text: hashes of its runs of `ngram_size` tokens, straight from an Arrow text column.

What a token is: `curate.kernels.shingle_tokens`. A shingle's hash is the sum of its tokens' hashes, each times the
factor of its place, mixed (the multilinear family, Carter and Wegman 1979): all positions of a window are done side by
side. A text with fewer tokens than `ngram_size`, but one at least, has one shingle: the hash of all its tokens. A text
without tokens has none, so it is similar to nothing. Of a text with more than `max_shingles` distinct shingles the
smallest hashes are kept, which is a bottom-k sketch (Broder 1997).

Hashes are 64 bits and not cryptographic: who wants two texts to collide can have it.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, compiled
from curate.kernels.shingle_tokens import Table, Tokens, begin_text, new_tokens, read_tokens, token_table
from curate.kernels.shingle_tokens import Unit as Unit  # where settings look for it
from curate.kernels.utf8 import Bytes, Int, utf8

Hashes = NDArray[np.uint64]
Offsets = NDArray[np.int64]
Floats = NDArray[np.float64]

#: The tokens and the hash of a shingle, by name and version: what an index of signatures must have been made with.
#: Letters that only a newer Unicode knows are no part of it; what is a letter today stays one.
TOKENS_VERSION = "folded-words-2"

#: Distinct shingles kept of one text: 1 MiB of hashes, about 0.8 MB of English. The Jaccard of two sets that were cut
#: is an estimate with a standard error below 0.5 / sqrt(131,072) = 0.0014.
MAX_SHINGLES = 131_072

#: Places of `Shingler.state`: how far the text is read, how many token hashes of the window before stand at the front
#: (the last `ngram_size` - 1), and how many tokens there were.
AT, KEPT, NUM_TOKENS = 0, 1, 2


class ShingleSets(NamedTuple):
    """Sorted distinct shingles of each text: those of text `i` are `values[offsets[i]:offsets[i + 1]]`."""

    values: Hashes
    offsets: Offsets  # int64[num_texts + 1]
    num_shingles: Offsets  # int64[num_texts], distinct ones before any were cut


class Shingler(NamedTuple):
    """Where a text is on its way to shingles; one for all texts of a batch."""

    tokens: Tokens
    table: Table
    factors: Hashes  # odd, one for each place in a shingle
    shingles: Hashes  # those of the window
    state: Offsets


def shingle_sets(
    texts: pa.Array, ngram_size: int = 5, unit: Unit = "word", max_shingles: int = MAX_SHINGLES
) -> ShingleSets:
    """The shingle sets of a string column; a null text has none. Bytes that are not UTF-8 separate tokens."""
    data, offsets = utf8(texts)
    values, bounds = _all_shingles(data, offsets, new_shingler(ngram_size, unit))
    for start, end in itertools.pairwise(bounds.tolist()):
        values[start:end].sort()  # numpy's, which is vectorised: 8 times faster than the sort of numba
    kept, num_shingles = _distinct(values, bounds, max_shingles)
    return ShingleSets(values[: kept[-1]].copy(), kept, num_shingles)


def new_shingler(ngram_size: int, unit: Unit) -> Shingler:
    """Room for a window of any text."""
    places = [place * 0x9E3779B97F4A7C15 % 2**64 for place in range(1, ngram_size + 1)]
    factors = np.array([_mixed(np.uint64(place)) | 1 for place in places], np.uint64)
    tokens = new_tokens(ngram_size)
    return Shingler(tokens, token_table(unit), factors, np.empty(tokens.hashes.size, np.uint64), np.zeros(3, np.int64))


@borrowing
def begin_shingles(shingler: Shingler, at: Int) -> None:
    """Start with the text whose first byte is `at`."""
    begin_text(shingler.tokens)
    shingler.state[AT], shingler.state[KEPT], shingler.state[NUM_TOKENS] = at, 0, 0


@borrowing
def next_shingles(data: Bytes, end: Int, shingler: Shingler) -> Int:
    """Put the next window's shingles, in reading order, to the front of `shingler.shingles`; how many.

    Call it until `state[AT]` is `end`.
    """
    state, hashes = shingler.state, shingler.tokens.hashes
    kept = state[KEPT]
    at, count = read_tokens(data, state[AT], end, shingler.table, shingler.tokens, kept)
    for i in range(kept, count):
        hashes[np.uint64(i)] = _mixed(hashes[np.uint64(i)])
    state[AT] = at
    state[NUM_TOKENS] += count - kept
    width = shingler.factors.size
    if at == end and 0 < state[NUM_TOKENS] < width:
        width = count
    num = _shingle_hashes(hashes, count, shingler.factors, width, shingler.shingles)
    state[KEPT] = kept = min(count, shingler.factors.size - 1)
    for i in range(kept):
        hashes[np.uint64(i)] = hashes[np.uint64(count - kept + i)]
    return num


@borrowing
def _shingle_hashes(tokens: Hashes, count: Int, factors: Hashes, width: Int, out: Hashes) -> Int:
    """The hashes of all runs of `width` tokens; how many."""
    num = max(0, count - width + 1)
    for i in range(num):
        out[np.uint64(i)] = np.uint64(width)
    for j in range(width):
        factor = factors[np.uint64(j)]
        for i in range(num):
            out[np.uint64(i)] += tokens[np.uint64(i) + np.uint64(j)] * factor
    for i in range(num):
        out[np.uint64(i)] = _mixed(out[np.uint64(i)])
    return num


@borrowing
def _mixed(h: Int) -> Int:
    """The finaliser of MurmurHash3: every input bit reaches every output bit."""
    h = (h ^ h >> np.uint64(33)) * np.uint64(0xFF51AFD7ED558CCD)
    h = (h ^ h >> np.uint64(33)) * np.uint64(0xC4CEB9FE1A85EC53)
    return h ^ h >> np.uint64(33)


@compiled
def _all_shingles(data: Bytes, offsets: Offsets, shingler: Shingler) -> tuple[Hashes, Offsets]:
    """Shingle hashes of all texts in reading order, repeated ones included, and where each text's begin."""
    bounds = np.zeros(offsets.size, np.int64)
    values = np.empty((offsets[-1] - offsets[0]) // 4 + shingler.shingles.size, np.uint64)
    used = 0
    for i in range(offsets.size - 1):
        end = offsets[i + 1]
        begin_shingles(shingler, offsets[i])
        while shingler.state[AT] < end:
            num = next_shingles(data, end, shingler)
            if used + num > values.size:
                larger = np.empty(2 * values.size, np.uint64)
                larger[:used] = values[:used]
                values = larger
            values[used : used + num] = shingler.shingles[:num]
            used += num
        bounds[i + 1] = used
    return values, bounds


@compiled
def _distinct(values: Hashes, bounds: Offsets, max_shingles: int) -> tuple[Offsets, Offsets]:
    """Close up the smallest `max_shingles` distinct values of each sorted run, in place; new bounds, counts before."""
    offsets, totals = np.zeros(bounds.size, np.int64), np.zeros(bounds.size - 1, np.int64)
    used, last = 0, np.uint64(0)
    for i in range(bounds.size - 1):
        num = 0
        for at in range(bounds[i], bounds[i + 1]):
            if at > bounds[i] and values[at] == last:
                continue
            last = values[at]
            if num < max_shingles:
                values[used] = last
                used += 1
            num += 1
        totals[i], offsets[i + 1] = num, used
    return offsets, totals


@compiled
def similarities(
    values: Hashes, offsets: Offsets, a: Offsets, b: Offsets, max_shingles: int = MAX_SHINGLES
) -> tuple[Floats, Floats]:
    """Jaccard and containment of the sorted sets number `a[i]` and `b[i]`: two float64[num_pairs] in [0, 1].

    Containment is the share of the smaller set that the other holds, |A ∩ B| / min(|A|, |B|). Both are 0 where a set is
    empty, and exact while both sets have fewer than `max_shingles` members. Otherwise the `max_shingles` smallest
    hashes of the union stand for all of it (Broder 1997), and the sets' shares of those for their sizes.
    """
    jaccard, containment = np.zeros(a.size, np.float64), np.zeros(a.size, np.float64)
    for pair in range(a.size):
        i, i_end, j, j_end = offsets[a[pair]], offsets[a[pair] + 1], offsets[b[pair]], offsets[b[pair] + 1]
        cut = i_end - i >= max_shingles or j_end - j >= max_shingles
        i_start, j_start, shared, union = i, j, 0, 0
        while i < i_end and j < j_end and not (cut and union == max_shingles):
            x, y = values[i], values[j]
            shared += x == y
            i += x <= y
            j += y <= x
            union += 1
        i_rest, j_rest = i_end - i, j_end - j
        if cut:  # at most one set goes on below the bound
            i_rest, j_rest = min(i_rest, max_shingles - union), min(j_rest, max_shingles - union)
        smaller = min(i - i_start + i_rest, j - j_start + j_rest)
        if smaller:
            jaccard[pair], containment[pair] = shared / (union + i_rest + j_rest), shared / smaller
    return jaccard, containment
