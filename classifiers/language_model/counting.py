"""Count the n-grams of a corpus in bounded memory.

The text is read once; its word numbers go to disk, four bytes each. N-grams are then counted part by part: all that
end in certain pairs of words are taken out of the numbers, sorted and counted in memory. No part can hold more than
memory allows unless one pair of words alone does; apart from that, memory grows with the vocabulary only. The numbers
are read once for each part: with memory of a few per cent of the corpus that is soon done, with much less it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from classifiers.language_model.vocabulary import WordNumbers, Words
from curate.errors import InputError
from curate.kernels.ngram_counts import Window, counted
from curate.kernels.ngram_keys import KEY_BITS, Keys, word_bits
from curate.kernels.utf8 import Offsets
from curate.kernels.word_ids import Ids

#: What the counting and estimating of a part takes for each of its words; measured, see docs/decisions.md.
BYTES_PER_WORD = 80
_SAMPLE = 1 << 18
_CHUNK = 1 << 22


class NgramCounts(NamedTuple):
    """The n-grams of the highest order of a corpus, in parts that follow each other in the order of their keys."""

    words: Words
    order: int
    bits: int  # of a word number in a key
    bounds: Keys  # the pair of last words (w[n-1] below w[n]) that each part but the first begins with
    part: Callable[[int], tuple[Keys, Keys, Offsets]]  # keys in ascending order, all different, and their counts

    @property
    def num_parts(self) -> int:
        return len(self.bounds) + 1


class NumberedText:
    """Texts as the numbers of their words, on disk, in their order."""

    def __init__(self, texts: Iterable[pa.Array], path: Path) -> None:
        numbers, self._path = WordNumbers(), path
        with path.open("wb") as file:
            for column in texts:
                for ids in numbers.ids(column):
                    ids.tofile(file)
        self.words, self.rank = numbers.finish()
        self.num = path.stat().st_size // 4  # of words, sentence ends with them

    def windows(self, order: int, bits: int) -> Iterator[tuple[Window, Ids]]:
        """Chunk by chunk the numbers that `rank` gives, and the window to read them through."""
        window = Window(order, bits)
        with self._path.open("rb") as file:
            while (ids := np.fromfile(file, np.uint32, _CHUNK)).size:
                yield window, self.rank[ids]

    def part_sizes(self, order: int, bits: int, bounds: Keys) -> Offsets:
        """How many n-grams there are in each part: int64[parts]."""
        sizes = np.zeros(len(bounds) + 1, np.int64)
        for window, ids in self.windows(order, bits):
            sizes += window.part_sizes(ids, bounds)
        return sizes

    def part(self, number: int, size: int, order: int, bits: int, bounds: Keys) -> tuple[Keys, Keys, Offsets]:
        """N-grams of a part, different and in ascending order, and their counts. size: of `part_sizes`."""
        high, low, at = np.empty(size, np.uint64), np.empty(size, np.uint64), 0
        first = int(bounds[number - 1]) if number else 0
        end = int(bounds[number]) if number < len(bounds) else 1 << 2 * bits
        for window, ids in self.windows(order, bits):
            at = window.fill(ids, first, end, high, low, at)
        return counted(high, low, order, bits)


def count_ngrams(texts: Iterable[pa.Array], order: int, folder: Path, memory_bytes: int) -> NgramCounts:
    """The n-grams of texts, given as string columns; one line is one sentence, white space parts words.

    folder: must be there, and stay while the counts are used. Memory: about `memory_bytes` and the vocabulary.
    InputError where there is no word at all, or where words are too many for the order.
    """
    text = NumberedText(texts, folder / "words.u32")
    bits = checked_bits(len(text.words.hash), order, text.num)
    step = max(text.num // _SAMPLE, 1)
    sample = np.concatenate([window.pairs(ids, step) for window, ids in text.windows(order, bits)])
    bounds = part_bounds(sample, num_parts(text.num, memory_bytes))
    sizes = text.part_sizes(order, bits, bounds)
    return NgramCounts(text.words, order, bits, bounds, lambda k: text.part(k, sizes[k], order, bits, bounds))


def num_parts(num_words: int, memory_bytes: int) -> int:
    """How many parts so many words are counted in."""
    return -(-num_words * BYTES_PER_WORD // memory_bytes)


def checked_bits(num_words: int, order: int, num_tokens: int) -> int:
    """Bits of a word number. InputError where there are no words, or more of them than a key holds."""
    if not num_tokens:
        raise InputError("no words to train a language model on: the texts are empty. Is `positive` the right label?")
    bits, room = word_bits(num_words), min(KEY_BITS // order, 31)
    if bits > room:
        raise InputError(
            f"{num_words:,} different words are too many for n-grams of order {order}, which take {1 << room:,}."
            " Train on the pieces of a SentencePiece model, or lower `order`."
        )
    return bits


def part_bounds(sample: Keys, num_parts: int) -> Keys:
    """Pairs of words that part a sorted corpus into about equal parts, from a sample of its pairs; all different."""
    found = np.sort(sample)
    bounds: Keys = np.unique(found[[len(found) * i // num_parts for i in range(1, num_parts)]])
    return bounds[bounds > 0]
