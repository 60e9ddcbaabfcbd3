"""N-grams as lines of an ARPA file: log10 probability, tab, words, and tab and log10 backoff where there is one.

Numbers have nine significant digits, from which a float32 is read back as it was.
"""

from __future__ import annotations

import numpy as np

from curate.kernels.compiled import borrowing
from curate.kernels.ngram_keys import Keys, word_at
from curate.kernels.ngram_probabilities import Floats
from curate.kernels.utf8 import Bool, Bytes, Int, Offsets

#: A number, its sign, its point, zeros behind it, and tab or line end. Below 10 ** -9 nothing is written but "0".
_NUMBER_BYTES = 24


def arpa_lines(
    high: Keys, low: Keys, order: int, bits: int, letters: Bytes, start: Offsets, prob: Floats, backoff: Floats | None
) -> memoryview:
    """The lines of n-grams of one order, as bytes. letters, start: the words; backoff: None leaves that column out."""
    wide = np.uint64(bits)
    longest = int(_words_bytes(high, low, order, wide, start)) + high.size * (order + 2 * _NUMBER_BYTES)
    out = np.empty(longest, np.uint8)
    second, has_second = (prob, False) if backoff is None else (backoff, True)
    return out[: _write(high, low, order, wide, letters, start, prob, second, has_second, out)].data


@borrowing
def _words_bytes(high: Keys, low: Keys, order: Int, bits: np.uint64, start: Offsets) -> Int:
    total = np.int64(0)
    for i in range(high.size):
        for place in range(order):
            word = word_at(high[i], low[i], place, bits)
            total += start[word + 1] - start[word]
    return total


@borrowing
def _write(
    high: Keys,
    low: Keys,
    order: Int,
    bits: np.uint64,
    letters: Bytes,
    start: Offsets,
    prob: Floats,
    backoff: Floats,
    has_backoff: Bool,
    out: Bytes,
) -> Int:
    at = np.int64(0)
    for i in range(high.size):
        at = _put_number(np.float64(prob[i]), out, at)
        out[at] = 9
        at += 1
        for place in range(order - 1, -1, -1):
            word = word_at(high[i], low[i], place, bits)
            for letter in range(start[word], start[word + 1]):
                out[at] = letters[letter]
                at += 1
            out[at] = 32
            at += 1
        at -= 1
        if has_backoff:
            out[at] = 9
            at = _put_number(np.float64(backoff[i]), out, at + 1)
        out[at] = 10
        at += 1
    return at


@borrowing
def _put_number(value: np.float64, out: Bytes, at: Int) -> Int:
    """Write a number of -99 to 99; where the next byte goes."""
    if value < 0:
        out[at] = 45
        at += 1
        value = -value
    decimals, scaled = np.int64(7), value * 1e7  # nine significant digits of 10 to 99.9
    while scaled < 1e8 and decimals < 18:
        scaled *= 10
        decimals += 1
    digits = np.int64(scaled + 0.5)
    while decimals > 0 and digits % 10 == 0:
        digits //= 10
        decimals -= 1
    whole = digits
    for _ in range(decimals):
        whole //= 10
    if whole >= 10:
        out[at] = 48 + whole // 10
        at += 1
    out[at] = 48 + whole % 10
    at += 1
    if decimals:
        out[at] = 46
        for i in range(decimals):
            out[at + decimals - i] = 48 + digits % 10
            digits //= 10
        at += decimals + 1
    return at
