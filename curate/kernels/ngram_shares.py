"""Which share of a text's characters its repeated n-grams take, as the paper and as each toolkit counts it.

All functions look at one text: `at`, `first` and `times` of `recurrence.Recurring` say which n-grams recur where, and
`before[i]` is the sum of the characters of the first i words. They return characters; `repetition` divides.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing
from curate.kernels.recurrence import Recurring
from curate.kernels.scan import Int32s
from curate.kernels.utf8 import Int

Int64s = NDArray[np.int64]

PAPER, DATATROVE, DOLMA, DCLM = 0, 1, 2, 3


@borrowing
def top_chars(found: Recurring, num: int, n: int, num_words: int, before: Int64s, counting: int) -> Int:
    """Characters that the most frequent n-gram takes. Of equally frequent ones the first counts, for DCLM the longest.

    - paper: of the words that lie in an occurrence; 0 where no n-gram recurs.
    - datatrove: occurrences times the n-gram's characters with n-1 spaces, also where none recurs.
    - Dolma: the same without spaces. DCLM: the same, 0 where none recurs.
    """
    if num_words < n:
        return 0
    spaces = n - 1 if counting == DATATROVE else 0
    best, chars = np.int32(-1), np.int64(0)
    for i in range(num):
        first = found.first[i]
        if first != found.at[i]:
            continue
        length = before[first + n] - before[first]
        more = best < 0 or found.times[first] > found.times[best]
        if more or (counting == DCLM and found.times[first] == found.times[best] and length > chars):
            best, chars = first, length
    if counting == PAPER:
        return _covered(found, num, n, before, best, False) if best >= 0 else 0
    if best >= 0:
        return found.times[best] * (chars + spaces)
    return np.int64(0) if counting == DCLM else before[n] + spaces


@borrowing
def dup_chars(found: Recurring, num: int, n: int, before: Int64s, counting: int, seen: Int32s) -> Int:
    """Characters of n-grams that occur again.

    - paper: of the words that lie in an n-gram that occurred before, each word once.
    - datatrove: from the left, an n-gram that occurred before counts whole and the next n-1 are skipped.
    - Dolma: of all occurrences of n-grams that recur, overlapping ones again (its whole: `all_ngram_chars`).
    - DCLM: of the words that lie in an n-gram that recurs, the first occurrence too, each word once.
    """
    if counting == PAPER:
        return _covered(found, num, n, before, -1, True)
    if counting == DCLM:
        return _covered(found, num, n, before, -1, False)
    total = 0
    if counting == DOLMA:
        for i in range(num):
            total += before[found.at[i] + n] - before[found.at[i]]
        return total
    for i in range(num):
        seen[found.first[i]] = 0
    beyond = 0
    for i in range(num):
        at, first = found.at[i], found.first[i]
        if at < beyond:
            continue
        if seen[first]:
            total += before[at + n] - before[at]
            beyond = at + n
        seen[first] = 1
    return total


@borrowing
def all_ngram_chars(n: int, num_words: int, before: Int64s) -> Int:
    """Characters of all n-grams of a text."""
    total = 0
    for i in range(num_words - n + 1):
        total += before[i + n] - before[i]
    return total


@borrowing
def _covered(found: Recurring, num: int, n: int, before: Int64s, only: Int, later: bool) -> Int:
    """Characters of the words that lie in an occurrence, each word once; of n-gram `only` if that is not -1, and of
    all but first occurrences if `later`.
    """
    total = beyond = np.int64(0)
    for i in range(num):
        at, first = np.int64(found.at[i]), found.first[i]
        if (only >= 0 and first != only) or (later and first == at):
            continue
        total += before[at + n] - before[max(at, beyond)]
        beyond = at + n
    return total
