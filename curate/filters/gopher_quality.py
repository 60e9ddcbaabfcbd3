"""Drop documents that do not read like prose (Gopher: Rae et al. 2021, A1.1).

Refuses to judge a text that was not measured: null text is kept. The rules need words, which `words` says where to
find, and stop words of the text's language.
"""

from __future__ import annotations

import pyarrow as pa

from curate.filters.bounds import within
from curate.kernels.repetition import Counting
from curate.kernels.word_stats import SIGNALS, word_stats
from curate.stage import Filter, Limit
from curate.words.source import WordKind, word_source


class GopherQuality(Filter):
    """Keep documents of 50 to 100,000 words that look like sentences of words. None turns a bound off.

    What each signal is exactly in each `counting` is said in `curate.kernels.word_stats.word_stats`.
    """

    counting: Counting = "paper"  # A1.1 as we read it, or as datatrove, Dolma or DCLM count
    words: WordKind = "spaces"  # our choice: the paper does not say

    min_word_count: int | None = 50  # A1.1
    max_word_count: int | None = 100_000  # A1.1
    min_mean_word_length: float | None = 3  # A1.1, characters
    max_mean_word_length: float | None = 10  # A1.1, characters
    min_median_word_length: float | None = None  # Dolma's, with `counting: dolma`
    max_median_word_length: float | None = None
    max_hash_symbol_frac: float | None = 0.1  # A1.1, for each word
    max_ellipsis_symbol_frac: float | None = 0.1  # A1.1, for each word
    max_symbol_word_ratio: float | None = None  # DCLM adds both symbols up, Dolma counts words that hold one
    max_bullet_line_frac: float | None = 0.9  # A1.1
    max_ellipsis_line_frac: float | None = 0.3  # A1.1
    min_alphabetic_word_frac: float | None = 0.8  # A1.1
    min_stop_word_count: int | None = 2  # A1.1, different words
    stop_words: tuple[str, ...] = ("the", "be", "to", "of", "and", "that", "have", "with")  # A1.1; in lower case
    bullets: str = "•‣◦⁃▪▫●○■□◆◇►▶➤➢✓✔*-"  # our choice: the paper names none. Toolkits take 2 to 12 of these

    @property
    def signals(self) -> pa.StructType:
        return SIGNALS

    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        """Ten signals of each text, of type `SIGNALS`."""
        return word_stats(
            batch.column("text"),
            stop_words=self.stop_words,
            bullets=self.bullets,
            counting=self.counting,
            words=word_source(self.words, batch),
        )

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (
            *within("word_count", self.min_word_count, self.max_word_count),
            *within("mean_word_length", self.min_mean_word_length, self.max_mean_word_length),
            *within("median_word_length", self.min_median_word_length, self.max_median_word_length),
            *within("hash_symbol_frac", high=self.max_hash_symbol_frac),
            *within("ellipsis_symbol_frac", high=self.max_ellipsis_symbol_frac),
            *within("symbol_word_ratio", high=self.max_symbol_word_ratio),
            *within("bullet_line_frac", high=self.max_bullet_line_frac),
            *within("ellipsis_line_frac", high=self.max_ellipsis_line_frac),
            *within("alphabetic_word_frac", low=self.min_alphabetic_word_frac),
            *within("stop_word_count", low=self.min_stop_word_count),
        )
