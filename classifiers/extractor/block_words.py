"""The words of each text block of a page, as the finished text has them.

Blocks are parted in every text that is written of a page, so the words of a text are those of its blocks together: what
an extractor chose can be scored block by block, without a text.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.extractor.scores import Score
from classifiers.extractor.word_hashes import Hashes, words
from curate.kernels.compiled import borrowing
from curate.kernels.page_blocks import Blocks
from curate.kernels.page_characters import put_words
from curate.kernels.page_reader import NUM_RUNS, Int32s, Page
from curate.kernels.utf8 import Bytes, Int

_NEW_LINE = 0x0A


class BlockWords(NamedTuple):
    """Hashes of the words of a page's blocks, block after block."""

    hashes: Hashes  # uint64[words]
    first: Int32s  # int32[blocks + 1]: where those of each block begin, and their number

    @property
    def counts(self) -> NDArray[np.int32]:
        """Words of each block, int32[blocks]."""
        return np.diff(self.first)

    @property
    def blocks(self) -> NDArray[np.int32]:
        """The block of each word, int32[words]."""
        return np.repeat(np.arange(self.first.size - 1, dtype=np.int32), self.counts)


class WordCounts(NamedTuple):
    """How often a text has each of its words."""

    hashes: Hashes  # uint64[different words], rising
    counts: NDArray[np.int64]


def block_words(page: Page, blocks: Blocks, num_blocks: int) -> BlockWords:
    """The words of a page that was read and cut into blocks."""
    text, starts = _texts(page, blocks, num_blocks)
    hashes, places = words(text)
    return BlockWords(hashes, np.searchsorted(places, starts).astype(np.int32))


def block_texts(page: Page, blocks: Blocks, num_blocks: int) -> list[str]:
    """The text of each block, white space as HTML has it, a line feed for `<br>`."""
    text, starts = _texts(page, blocks, num_blocks)
    parts = np.split(text, starts[1:-1]) if num_blocks else []
    return [part.tobytes().decode("utf-8", "replace").strip() for part in parts]


def word_counts(hashes: Hashes) -> WordCounts:
    """Words of a text, uint64[words] in any order, counted."""
    return WordCounts(*np.unique(hashes, return_counts=True))


def score(found: WordCounts, gold: WordCounts) -> Score:
    """Precision, recall and F1 of a text, with the definition of `classifiers.extractor.scores`."""
    num_found, num_gold = int(found.counts.sum()), int(gold.counts.sum())
    if not num_found or not num_gold:
        agree = float(num_found == num_gold)
        return Score(agree, agree, agree)
    _, ours, theirs = np.intersect1d(found.hashes, gold.hashes, assume_unique=True, return_indices=True)
    shared = int(np.minimum(found.counts[ours], gold.counts[theirs]).sum())
    return Score(shared / num_found, shared / num_gold, 2 * shared / (num_found + num_gold))


def _texts(page: Page, blocks: Blocks, num_blocks: int) -> tuple[Bytes, Int32s]:
    """All blocks, a line feed behind each; and where each begins, with the end: int32[num_blocks + 1]."""
    out = np.empty(page.text.size + int(page.place[NUM_RUNS]) + num_blocks, np.uint8)
    starts = np.zeros(num_blocks + 1, np.int32)
    return out[: _put_blocks(page, blocks, num_blocks, out, starts)], starts


@borrowing
def _put_blocks(page: Page, blocks: Blocks, num_blocks: Int, out: Bytes, starts: Int32s) -> Int:
    """What parts the words of a block: white space, lines and formulas. A tag within a line does not."""
    runs, at = page.runs, 0
    for block in range(num_blocks):
        begin, space, line, before = at, False, runs.lines[blocks.first_run[block]], 0
        for run in range(blocks.first_run[block], blocks.last_run[block]):
            if blocks.unseen[runs.element[run]]:
                continue
            formula = runs.formula[run]
            if runs.lines[run] != line or formula or before:  # a formula stands between dollars
                line, space, out[at] = runs.lines[run], False, _NEW_LINE
                at += 1
                begin = at
            before = formula
            at, space = put_words(page.text, runs.start[run], runs.end[run], out, at, begin, space)
        out[at] = _NEW_LINE
        at += 1
        starts[block + 1] = at
    return at
