"""N-grams of paragraphs, as keys, straight from an Arrow text column.

A **paragraph** is a line, as the deduplication of DCLM has it; tokens are those of `token_windows`. Its n-grams do not
reach into another paragraph. A paragraph with fewer tokens than `ngram_size` has none, and is not judged.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.bloom import Keys
from curate.kernels.compiled import borrowing
from curate.kernels.token_units import Units, cut_span, token_units
from curate.kernels.token_windows import Tokens, ngram_keys, tokens
from curate.kernels.utf8 import Int, Offsets


class ParagraphNgrams(NamedTuple):
    """Paragraphs of some texts, and their n-grams in reading order."""

    keys: Keys
    paragraph: Offsets  # of each n-gram: which of all paragraphs it lies in
    units: Units  # the paragraphs of each text, blank ones left out


def paragraph_ngrams(texts: pa.Array, ngram_size: int) -> ParagraphNgrams:
    """The paragraphs of a string column and their n-grams; a null text has none.

    >>> found = paragraph_ngrams(pa.array(["a b c\\n\\nd e\\nf", None]), 2)
    >>> found.paragraph.tolist(), found.units.offsets.tolist()
    ([0, 0, 1], [0, 3, 3])
    """
    found = tokens(texts)
    units = token_units(texts, found, np.ones(found.start.size, np.bool_), "line")
    keys = ngram_keys(found, ngram_size)
    at, paragraph = np.empty(keys.size, np.int64), np.empty(keys.size, np.int64)
    num = _places(found, units, ngram_size, at, paragraph)
    return ParagraphNgrams(keys[at[:num]], paragraph[:num], units)


@borrowing
def _places(found: Tokens, units: Units, size: int, at: Offsets, paragraph: Offsets) -> int:
    """Where the n-grams begin, and the paragraph of each; how many."""
    num = 0
    for row in range(units.offsets.size - 1):
        for unit in range(units.offsets[row], units.offsets[row + 1]):
            start = found.offsets[row]
            for i in range(start + units.values[unit, 0], start + units.values[unit, 1] - size + 1):
                at[num], paragraph[num] = i, unit
                num += 1
    return num


class Removal(NamedTuple):
    """What goes of each text."""

    num_ngrams: Offsets
    num_seen: Offsets
    num_removed: Offsets  # paragraphs
    start: Offsets  # of the bytes of each cut
    end: Offsets
    offsets: Offsets  # cuts of text `i` are at `offsets[i]` to `offsets[i + 1]`


def removal(units: Units, ngram_size: int, seen: Offsets, max_seen_frac: float) -> Removal:
    """The paragraphs of which a larger share of n-grams than `max_seen_frac` was `seen`, int64[num_paragraphs].

    Paragraphs that follow each other are one cut; of the white space around it the stronger stays.
    """
    rows = units.offsets.size - 1
    room = len(units.values) // 2 + 1 + rows
    start, end, bounds = np.empty(room, np.int64), np.empty(room, np.int64), np.zeros(rows + 1, np.int64)
    sums = np.zeros((3, rows), np.int64)
    _remove(units, ngram_size, seen, max_seen_frac, start, end, bounds, sums)
    return Removal(sums[0], sums[1], sums[2], start[: bounds[-1]], end[: bounds[-1]], bounds)


@borrowing
def _remove(
    units: Units,
    ngram_size: int,
    seen: Offsets,
    max_seen_frac: float,
    start: Offsets,
    end: Offsets,
    bounds: Offsets,
    sums: NDArray[np.int64],
) -> None:
    values, num = units.values, 0
    for row in range(bounds.size - 1):
        first: Int = -1  # of the paragraphs in a row that go
        for unit in range(units.offsets[row], units.offsets[row + 1]):
            num_ngrams: Int = max(0, np.int64(values[unit, 1]) - np.int64(values[unit, 0]) - ngram_size + 1)
            sums[0, row] += num_ngrams
            sums[1, row] += seen[unit]
            goes = num_ngrams > 0 and seen[unit] / num_ngrams > max_seen_frac
            sums[2, row] += goes
            if goes and first < 0:
                first = unit
            is_end = first >= 0 and (not goes or unit + 1 == units.offsets[row + 1])
            if is_end:
                last = unit if goes else unit - 1
                start[num], end[num] = cut_span(values, first, last)
                num, first = num + 1, -1
        bounds[row + 1] = num
