"""The words of a text, or of a page's blocks, as hashes: those of `classifiers.extractor.scores`, out of UTF-8 bytes.

Equal words have equal hashes. Of the differences in case that `str.lower` sees, one is not seen: a capital sigma is the
same letter at the end of a word as within it, so "ΟΔΟΣ", "οδος" and "οδοσ" are one word here. Bytes that are not UTF-8
stand between words, as the replacement character does that a decoder would have put there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from curate.kernels.compiled import compiled
from curate.kernels.page_blocks import Blocks
from curate.kernels.page_reader import Page
from curate.kernels.scan import FACTOR, SEED, SHIFT, flags_of, lower_of
from curate.kernels.unicode_tables import LETTER, NUMBER, CharTable, char_table
from curate.kernels.utf8 import Bytes, code_point

Hashes = NDArray[np.uint64]
Int32s = NDArray[np.int32]

_FIRST_HAN, _LAST_HAN = 0x3400, 0x9FFF
_UNDERSCORE, _LINE_FEED = 0x5F, 0x0A
_CAPITAL_I_WITH_DOT = 0x130  # its lower case is two characters, "i" and a combining dot, which is in no word
_FINAL_SIGMA, _SIGMA = 0x3C2, 0x3C3


def words(text: Bytes) -> tuple[Hashes, Int32s]:
    """Hashes of the words of a text, uint64[words], and where each begins: its byte, int32[words].

    `text` uint8[bytes], fewer than 2**31. No words give empty arrays.

    >>> hashes, starts = words(np.frombuffer("One 一一 ONE".encode(), np.uint8))
    >>> bool(hashes[0] == hashes[3] != hashes[1] == hashes[2]), starts.tolist()
    (True, [0, 4, 7, 11])
    """
    hashes, starts = _words(text, char_table())
    return hashes, starts


def words_of(text: str) -> Hashes:
    """Hashes of the words of a Python text; lone surrogates stand between words."""
    return words(np.frombuffer(text.encode("utf-8", "replace"), np.uint8))[0]


def block_words(page: Page, blocks: Blocks, num_blocks: int) -> tuple[Hashes, Int32s]:
    """Hashes of the words of a page's blocks in document order, uint64[words], and the block of each, int32[words].

    `blocks` are the `num_blocks` that `page_blocks.find_blocks` found. Within a block no tag but `<br>` parts
    words: "<b>W</b>ord" is one.
    """
    hashes, block_of_word = _block_words(page, blocks, num_blocks, char_table())
    return hashes, block_of_word


@compiled
def _block_words(page: Page, blocks: Blocks, num_blocks: int, table: CharTable) -> tuple[Hashes, Int32s]:
    runs = page.runs
    size = 0
    for block in range(num_blocks):
        for run in range(blocks.first_run[block], blocks.last_run[block]):
            size += runs.end[run] - runs.start[run] + 1
    text, ends, at = np.empty(size, np.uint8), np.empty(num_blocks, np.int32), 0
    for block in range(num_blocks):
        lines = np.int32(-1)
        for run in range(blocks.first_run[block], blocks.last_run[block]):
            if blocks.unseen[runs.element[run]]:
                continue
            if runs.lines[run] != lines:
                text[at] = _LINE_FEED
                at, lines = at + 1, runs.lines[run]
            for i in range(runs.start[run], runs.end[run]):
                text[at] = page.text[i]
                at += 1
        ends[block] = at
    hashes, starts = _words(text[:at], table)
    block_of_word, block = np.empty(hashes.size, np.int32), 0
    for i in range(hashes.size):
        while starts[i] >= ends[block]:
            block += 1
        block_of_word[i] = block
    return hashes, block_of_word


@compiled
def _words(text: Bytes, table: CharTable) -> tuple[Hashes, Int32s]:
    hashes, starts = np.empty(text.size // 2 + 1, np.uint64), np.empty(text.size // 2 + 1, np.int32)
    count, at, size = 0, 0, text.size
    start, key = -1, SEED  # of the word that is open
    while at < size:
        point, width = code_point(text, at, size)
        alone = _FIRST_HAN <= point <= _LAST_HAN
        inside = alone or point == _UNDERSCORE or flags_of(table, point) & (LETTER | NUMBER) != 0
        if start >= 0 and (alone or not inside):
            hashes[count], starts[count] = key ^ (key >> SHIFT), start
            count, start = count + 1, -1
        if inside:
            if start < 0:
                start, key = at, SEED
            key = (key ^ np.uint64(_folded(point, table))) * FACTOR
            if alone or point == _CAPITAL_I_WITH_DOT:
                hashes[count], starts[count] = key ^ (key >> SHIFT), start
                count, start = count + 1, -1
        at += width
    if start >= 0:
        hashes[count], starts[count] = key ^ (key >> SHIFT), start
        count += 1
    return hashes[:count].copy(), starts[:count].copy()


@compiled
def _folded(point: int, table: CharTable) -> int:
    if point == _CAPITAL_I_WITH_DOT:
        return 0x69
    lower = lower_of(table, point)
    return _SIGMA if lower == _FINAL_SIGMA else lower
