"""The set of shingles of a text: hashes of its runs of `ngram_size` tokens, straight from an Arrow text column.

A **token** is a maximal run of letters, marks, digits and "_" (near what `\\w` matches), lower case, with compatibility
forms and the diacritics U+0300-U+036F removed where one character is left; everything else separates. Format characters
(soft hyphen, zero-width joiners) do not count at all. A character of a script written without spaces (Han, kana, Thai,
Lao, Khmer, Myanmar) is a token of its own. That is decided character by character, not by the share of scripts in a
document: two near duplicates on two sides of such a share would have no shingle in common. Numbers stay (datatrove
makes them 0), because pages of one template that differ in their numbers differ in what they say.

A text with fewer tokens than `ngram_size`, but one at least, has one shingle: the hash of all its tokens. A text
without tokens has none, so it is similar to nothing. Of a text with more than `max_shingles` distinct shingles the
smallest hashes are kept, which is a bottom-k sketch (Broder 1997).

Hashes are 64 bits and not cryptographic: who wants two texts to collide can have it.
"""

from __future__ import annotations

import itertools
import unicodedata
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.compiled import compiled
from curate.kernels.utf8 import code_point, utf8

Unit = Literal["word", "character"]
Hashes = NDArray[np.uint64]
Offsets = NDArray[np.int64]

#: Distinct shingles kept of one text: 1 MiB of hashes, about 0.8 MB of English. The Jaccard of two sets that were cut
#: is an estimate with a standard error below 0.5 / sqrt(131,072) = 0.0014.
MAX_SHINGLES = 131_072

_SINGLE = np.uint32(1 << 31)  # flag: the character is a token of its own
_IGNORED = np.uint32(0xFFFF_FFFF)
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3005, 0x3007),  # iteration mark, closing mark, zero
    (0x3040, 0x30FF),  # hiragana, katakana
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x323AF),
)
_LAST_LETTER = 0x323B0  # beyond it Unicode 16 has tags and variation selectors only


class ShingleSets(NamedTuple):
    """Sorted distinct shingles of each text: those of text `i` are `values[offsets[i]:offsets[i + 1]]`."""

    values: Hashes
    offsets: Offsets  # int64[num_texts + 1]
    num_shingles: Offsets  # int64[num_texts], distinct ones before any were cut


@lru_cache(maxsize=2)
def token_table(unit: Unit = "word") -> NDArray[np.uint32]:
    """What each code point is within a token: uint32[0x110000], 0 where it separates. 4.4 MB, built once a process."""
    table = np.zeros(0x110000, np.uint32)
    for point in range(_LAST_LETTER):
        table[point] = _entry(chr(point))
    for first, last in _UNSPACED:
        table[first : last + 1] |= np.where(table[first : last + 1] != 0, _SINGLE, np.uint32(0))
    table[0xFE00:0xFE10] = table[0xE0100:0xE01F0] = _IGNORED  # variation selectors
    if unit == "character":
        table |= np.where((table != 0) & (table != _IGNORED), _SINGLE, np.uint32(0))
    table.flags.writeable = False
    return table


def _entry(char: str) -> int:
    category = unicodedata.category(char)
    if category == "Cf" or 0x0300 <= ord(char) <= 0x036F:
        return int(_IGNORED)
    if category[0] not in "LMN" and char != "_":
        return 0
    folded = _folded(char)
    single = any(first <= ord(folded) <= last for first, last in _UNSPACED)  # halfwidth kana fold into the range
    return ord(folded) | (int(_SINGLE) if single else 0)


def _folded(char: str) -> str:
    """One character for one: the base of its compatibility decomposition in lower case, where that is one character."""
    kept = [c for c in unicodedata.normalize("NFKD", char.lower()).lower() if not 0x0300 <= ord(c) <= 0x036F]
    if len(kept) == 1:
        return kept[0]
    lower = char.lower()
    return lower if len(lower) == 1 else char


def shingle_sets(
    texts: pa.Array, ngram_size: int = 5, unit: Unit = "word", max_shingles: int = MAX_SHINGLES
) -> ShingleSets:
    """The shingle sets of a string column; a null text has none. Bytes that are not UTF-8 separate tokens."""
    data, offsets = utf8(texts)
    values, bounds = _append_shingles(data, offsets, token_table(unit), ngram_size)
    for start, end in itertools.pairwise(bounds.tolist()):
        values[start:end].sort()  # numpy's, which is vectorised: 8 times faster than the sort of numba
    kept, num_shingles = _distinct(values, bounds, max_shingles)
    return ShingleSets(values[: kept[-1]].copy(), kept, num_shingles)


@compiled
def _mixed(h: np.uint64) -> np.uint64:
    """The finaliser of MurmurHash3: every input bit reaches every output bit."""
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xFF51AFD7ED558CCD)
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xC4CEB9FE1A85EC53)
    return h ^ (h >> np.uint64(33))


@compiled
def _tokens(
    data: NDArray[np.uint8], at: int, end: int, table: NDArray[np.uint32], out: Hashes, count: int
) -> tuple[int, int]:
    """Append token hashes of a text to `out` until it ends or `out` is full; returns where to go on, and the count.

    It stops between tokens only, so a call with a larger `out` goes on without any state. (An `out` that grows inside
    this loop makes it ten times slower: its address is loaded again for every byte.)
    """
    single, ignored = np.uint32(1 << 31), np.uint32(0xFFFF_FFFF)
    seed, factor = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)
    h, inside = seed, False
    while at < end and count < out.size - 1:  # one more place: a token that ends, and one character after it
        point: int | np.int64 = np.int64(data[at])
        size = 1
        if point >= 0x80:
            point, size = code_point(data, at, end)
        at += size
        entry = table[point]
        if entry != 0 and entry < single:
            h = (h ^ np.uint64(entry)) * factor
            h ^= h >> np.uint64(29)
            inside = True
        elif entry != ignored:
            if inside:
                out[count] = h
                count, h, inside = count + 1, seed, False
            if entry != 0:
                out[count] = (seed ^ np.uint64(entry)) * factor
                count += 1
    if inside:  # the text has ended: a full `out` is met right after a token was written
        out[count] = h
        count += 1
    return at, count


@compiled
def _shingled(tokens: Hashes, count: int, ngram_size: int) -> int:
    """Replace token hashes by shingle hashes in reading order, in place; returns how many there are."""
    if count == 0:
        return 0
    width = min(count, ngram_size)
    for i in range(count - width + 1):
        h = np.uint64(width)
        for j in range(i, i + width):
            h = (h ^ tokens[j]) * np.uint64(0xA0761D6478BD642F)
            h ^= h >> np.uint64(32)
        tokens[i] = _mixed(h)
    return count - width + 1


@compiled
def _append_shingles(
    data: NDArray[np.uint8], offsets: Offsets, table: NDArray[np.uint32], ngram_size: int
) -> tuple[Hashes, Offsets]:
    """Shingle hashes of all texts in reading order, repeated ones included, and where each text's begin."""
    bounds = np.zeros(offsets.size, np.int64)
    values = np.empty(max(1024, (offsets[-1] - offsets[0]) // 4), np.uint64)
    for i in range(offsets.size - 1):
        start = bounds[i]
        at, count = _tokens(data, offsets[i], offsets[i + 1], table, values, start)
        while at < offsets[i + 1]:
            larger = np.empty(2 * values.size, np.uint64)
            larger[:count] = values[:count]
            values = larger
            at, count = _tokens(data, at, offsets[i + 1], table, values, count)
        bounds[i + 1] = start + _shingled(values[start:], count - start, ngram_size)
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
def jaccards(
    a: Hashes, a_offsets: Offsets, b: Hashes, b_offsets: Offsets, max_shingles: int = 131_072
) -> NDArray[np.float64]:
    """Jaccard of the i-th sorted set of `a` and that of `b`: float64[num_pairs] in [0, 1], 0 where both are empty.

    Exact while both sets have fewer than `max_shingles` members. Otherwise the `max_shingles` smallest hashes of the
    union stand for all of it (Broder 1997).
    """
    out = np.zeros(a_offsets.size - 1, np.float64)
    for pair in range(out.size):
        i, i_end, j, j_end = a_offsets[pair], a_offsets[pair + 1], b_offsets[pair], b_offsets[pair + 1]
        cut = i_end - i >= max_shingles or j_end - j >= max_shingles
        shared, union = 0, 0
        while i < i_end and j < j_end and not (cut and union == max_shingles):
            x, y = a[i], b[j]
            shared += x == y
            i += x <= y
            j += y <= x
            union += 1
        rest = (i_end - i) + (j_end - j)
        union += min(rest, max_shingles - union) if cut else rest
        if union:
            out[pair] = shared / union
    return out
