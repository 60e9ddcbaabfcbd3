"""Which blocks of a page a person took for its main text: the labels that an extractor learns from.

A gold text says what was kept, not where it stood, and the same words may stand on a page several times: a title in the
navigation, in a heading and in the footer; a first paragraph in a teaser. So the words of the page are aligned with
those of the gold text, each with one of the other side at most, in the manner of patience diff:

1. Anchors are 4-grams that are rare on both sides. Of them the longest chain that goes forward on both sides is taken,
   less a cost for the room that it spans, so that of several copies the one beside the rest of the main text is chosen.
2. Each anchor is extended as far as the words agree.
3. The gaps between anchors are filled in the same way by shorter matches, which are rare there.
4. Gold text that is still uncovered may stand in another order on the page: the same again, by runs of at least three
   words, without regard to what is aligned already.
5. Matched words without a matched neighbour count in no block of which less than half is matched: they are words that
   stand everywhere.

Everything is near-linear. What occurs too often to be an anchor is left to the extension.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import compiled
from curate.kernels.scan import FACTOR, SEED, SHIFT

Hashes = NDArray[np.uint64]
Int32s = NDArray[np.int32]

# All of these are our choice; docs/decisions.md has the figures.
ANCHOR_WORDS = 4
MAX_COPIES = 32  # of an anchor: copies on the page times copies in the gold text
GAP_WORDS = (2, 1)  # lengths of matches that fill gaps, in turn
MAX_GAP_COPIES = 4
SPREAD_COST = 0.02  # of each word of the page that a chain spans, in anchors
MOVED_WORDS = 3  # the shortest run that may match out of order
MAX_ROUNDS = 4  # how often text out of order is looked for
MIN_SHARE = 0.5  # of a block: below it, matched words without a matched neighbour count for nothing

_FREE = -1


class Pair(NamedTuple):
    """A page's words and a gold text's, and what they are matched with so far."""

    words: Hashes  # uint64[n]
    gold: Hashes  # uint64[m]
    match: Int32s  # int32[n]: place of its gold word, -1 while it has none
    cover: Int32s  # int32[m]: place of its word on the page, -1 while it has none


class Region(NamedTuple):
    """Words `p0:p1` of the page and `g0:g1` of the gold text. What lies beside them within the page is matched."""

    p0: int
    p1: int
    g0: int
    g1: int


def block_shares(words: Hashes, block_of_word: Int32s, num_blocks: int, gold: Hashes) -> NDArray[np.float32]:
    """For each block the share of its words that belong to the gold text, float32[num_blocks] in [0, 1].

    `words` uint64[n]: hashes of the page's words in document order. `block_of_word` int32[n]: the block of each, in
    [0, num_blocks) and never falling. `gold` uint64[m]: hashes of the gold text's words. A block without words has 0,
    and so has each where there is no gold text. ValueError where lengths or blocks do not fit.

    >>> page, gold = np.array([7, 1, 2, 3, 4, 9], np.uint64), np.array([1, 2, 3, 4], np.uint64)
    >>> block_shares(page, np.array([0, 1, 1, 1, 1, 2], np.int32), 4, gold).tolist()
    [0.0, 1.0, 0.0, 0.0]
    """
    if words.size != block_of_word.size:
        raise ValueError(f"{words.size} words, but the blocks of {block_of_word.size} words")
    if words.size and (block_of_word[0] < 0 or block_of_word[-1] >= num_blocks or (np.diff(block_of_word) < 0).any()):
        raise ValueError(f"the blocks of words must be in [0, {num_blocks}) and must not fall")
    shares: NDArray[np.float32] = _shares(align(words, gold), block_of_word, num_blocks)
    return shares


@compiled
def align(words: Hashes, gold: Hashes) -> Int32s:
    """For each word of a page, uint64[n], the place of its word in the gold text, uint64[m]: int32[n], -1 for none.

    No word of the gold text is given twice.
    """
    n, m = words.size, gold.size
    pair = Pair(words, gold, np.full(n, _FREE, np.int32), np.full(m, _FREE, np.int32))
    whole = Region(0, n, 0, m)
    _match_chain(pair, whole, ANCHOR_WORDS, MAX_COPIES)
    for length in GAP_WORDS:
        _fill_gaps(pair, length)
    for _ in range(MAX_ROUNDS):
        if not _match_chain(pair, whole, MOVED_WORDS, MAX_COPIES):
            break
    return pair.match


@compiled
def _shares(match: Int32s, block_of_word: Int32s, num_blocks: int) -> NDArray[np.float32]:
    """The share of each block that is matched; see 5 above."""
    sizes, found, together = np.zeros(num_blocks), np.zeros(num_blocks), np.zeros(num_blocks)
    for p in range(match.size):
        block, g = block_of_word[p], match[p]
        sizes[block] += 1
        if g != _FREE:
            found[block] += 1
            before = p > 0 and match[p - 1] != _FREE and match[p - 1] == g - 1
            after = p + 1 < match.size and match[p + 1] == g + 1
            together[block] += before or after
    shares = np.zeros(num_blocks, np.float32)
    for block in range(num_blocks):
        if sizes[block]:
            alone_too = found[block] >= MIN_SHARE * sizes[block]
            shares[block] = (found[block] if alone_too else together[block]) / sizes[block]
    return shares


@compiled
def _fill_gaps(pair: Pair, length: int) -> None:
    """Match what lies between matches, before the first and behind the last. The matches so far rise on both sides."""
    p, g = 0, 0  # where the gap begins
    for end in range(pair.words.size + 1):
        if end < pair.words.size and pair.match[end] == _FREE:
            continue
        gold_end = pair.match[end] if end < pair.words.size else pair.gold.size
        if end > p and gold_end > g:
            _match_chain(pair, Region(p, end, g, gold_end), length, MAX_GAP_COPIES)
        p, g = end + 1, gold_end + 1


@compiled
def _match_chain(pair: Pair, region: Region, length: int, max_copies: int) -> int:
    """Match the best chain of n-grams of `length` free words and what agrees beside them; how many words that are."""
    p0, p1, g0, g1 = region
    if p1 - p0 < length or g1 - g0 < length:
        return 0
    places_p, places_g = _anchors(pair, region, length, max_copies)
    chain = _best_chain(places_p, places_g, g1 - g0, p1 - p0, p0 > 0, p1 < pair.words.size)
    for i in chain:
        p, g = p0 + places_p[i], g0 + places_g[i]
        pair.match[p], pair.cover[g] = g, p
    found = chain.size
    for i in chain:
        found += _extend(pair, p0 + places_p[i], g0 + places_g[i], 1, p1, g1)
    for i in chain[::-1]:
        found += _extend(pair, p0 + places_p[i], g0 + places_g[i], -1, p0 - 1, g0 - 1)
    return found


@compiled
def _extend(pair: Pair, p: int, g: int, step: int, p_end: int, g_end: int) -> int:
    """Match the words beside a match, as far as they agree and are free; how many."""
    found = 0
    p, g = p + step, g + step
    while p != p_end and g != g_end and pair.match[p] == _FREE and pair.cover[g] == _FREE:
        if pair.words[p] != pair.gold[g]:
            break
        pair.match[p], pair.cover[g] = g, p
        found += 1
        p, g = p + step, g + step
    return found


@compiled
def _anchors(pair: Pair, region: Region, length: int, max_copies: int) -> tuple[Int32s, Int32s]:
    """Where equal n-grams begin on the page and in the gold text, counted from the region's start.

    In the order of the page; of those at one place, the last of the gold text comes first, so that no chain has two.
    """
    kind_p, kind_g, num_kinds = _kinds(pair, region, length)
    count, first = np.zeros(num_kinds, np.int64), np.zeros(num_kinds + 1, np.int64)
    for kind in kind_p[kind_p >= 0]:
        count[kind] += 1
    for kind in kind_g[kind_g >= 0]:
        first[kind + 1] += 1
    first = first.cumsum()
    gold_places, put = np.empty(first[num_kinds], np.int32), first.copy()
    for g in range(kind_g.size):
        if kind_g[g] >= 0:
            gold_places[put[kind_g[g]]] = g
            put[kind_g[g]] += 1
    copies = count * (first[1:] - first[:-1])
    rare = copies <= max_copies
    num_anchors = copies[rare].sum()
    places_p, places_g = np.empty(num_anchors, np.int32), np.empty(num_anchors, np.int32)
    i = 0
    for p in range(kind_p.size):
        kind = kind_p[p]
        if kind >= 0 and rare[kind]:
            for at in range(first[kind + 1] - 1, first[kind] - 1, -1):
                places_p[i], places_g[i] = p, gold_places[at]
                i += 1
    return places_p, places_g


@compiled
def _kinds(pair: Pair, region: Region, length: int) -> tuple[Int32s, Int32s, int]:
    """A number for each different n-gram of the gold text, at the places where it begins on both sides; and how many.

    -1 where a word of the n-gram is matched, or where the gold text has no such n-gram.
    """
    p0, p1, g0, g1 = region
    bits = 4
    while 1 << bits < 2 * (g1 - g0):
        bits += 1
    slots, keys = np.full(1 << bits, -1, np.int32), np.empty(1 << bits, np.uint64)
    kind_p, kind_g, num_kinds = np.full(p1 - p0, -1, np.int32), np.full(g1 - g0, -1, np.int32), 0
    for g in range(g1 - g0 - length + 1):
        free, key = _gram(pair.gold, pair.cover, g0 + g, length)
        if free:
            slot = _slot(slots, keys, key)
            if slots[slot] < 0:
                slots[slot], keys[slot] = num_kinds, key
                num_kinds += 1
            kind_g[g] = slots[slot]
    for p in range(p1 - p0 - length + 1):
        free, key = _gram(pair.words, pair.match, p0 + p, length)
        if free:
            kind_p[p] = slots[_slot(slots, keys, key)]
    return kind_p, kind_g, num_kinds


@compiled
def _gram(hashes: Hashes, partners: Int32s, at: int, length: int) -> tuple[bool, np.uint64]:
    """Whether all words of the n-gram at `at` are free, and its hash."""
    key = SEED
    for i in range(at, at + length):
        if partners[i] != _FREE:
            return False, key
        key = (key ^ hashes[i]) * FACTOR
        key ^= key >> SHIFT
    return True, key


@compiled
def _slot(slots: Int32s, keys: Hashes, key: np.uint64) -> np.uint64:
    """Where a key lies in a hash table that is half empty at least, or would lie."""
    mask = np.uint64(slots.size - 1)
    slot = key & mask
    while slots[slot] >= 0 and keys[slot] != key:
        slot = (slot + np.uint64(1)) & mask
    return slot


@compiled
def _best_chain(
    places_p: Int32s, places_g: Int32s, num_gold: int, num_words: int, from_left: bool, to_right: bool
) -> Int32s:
    """The anchors, in order, of the chain that rises on both sides and is worth most: int32[length of the chain].

    It is worth its anchors less `SPREAD_COST` for each word of the page from its first to its last anchor; where a
    match lies at the left or right of the region, from or to there. So what the best chain that ends in an anchor is
    worth needs the best of those that end before it in the gold text: a Fenwick tree of maxima.
    """
    worth, before = np.empty(places_p.size), np.full(places_p.size, -1, np.int32)
    best, best_at = np.full(num_gold + 1, -np.inf), np.full(num_gold + 1, -1, np.int32)
    last, most = -1, -SPREAD_COST * num_words if from_left and to_right else 0.0  # of no chain at all
    for i in range(places_p.size):
        way, g = SPREAD_COST * places_p[i], np.int64(places_g[i])
        worth[i] = 1 - way if from_left else 1.0
        while g > 0:  # places 1 … g of the tree are those before it
            if best[g] - way + 1 > worth[i]:
                worth[i], before[i] = best[g] - way + 1, best_at[g]
            g &= g - 1
        total = worth[i] - SPREAD_COST * (num_words - places_p[i]) if to_right else worth[i]
        if total > most:
            last, most = i, total
        g = np.int64(places_g[i]) + 1
        while g <= num_gold:
            if worth[i] + way > best[g]:
                best[g], best_at[g] = worth[i] + way, i
            g += g & -g
    return _traced(before, last)


@compiled
def _traced(before: Int32s, last: int) -> Int32s:
    """The chain that ends in `last`, from its start."""
    size, i = 0, last
    while i >= 0:
        size, i = size + 1, before[i]
    chain, i = np.empty(size, np.int32), last
    while i >= 0:
        size -= 1
        chain[size], i = i, before[i]
    return chain
