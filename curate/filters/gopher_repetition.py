"""Drop documents that repeat themselves (Gopher: Rae et al. 2021, A1.1).

Refuses to judge a text that was not measured: null text is kept. Line and paragraph rules hold for any script; n-gram
rules need words, which `words` says where to find.
"""

from __future__ import annotations

import pyarrow as pa

from curate.filters.bounds import within
from curate.kernels.repetition import SIGNALS, Counting, repetition
from curate.stage import Filter, Limit
from curate.words.source import WordKind, word_source


class GopherRepetition(Filter):
    """Keep a document whose duplicate lines, paragraphs and n-grams stay within the published shares.

    None turns a bound off. What each signal is exactly in each `counting` is said in
    `curate.kernels.repetition.repetition`.
    """

    counting: Counting = "paper"  # A1.1 as we read it, or as datatrove, Dolma or DCLM count
    words: WordKind = "spaces"  # our choice: the paper does not say

    max_dup_line_frac: float | None = 0.30  # table A1
    max_dup_paragraph_frac: float | None = 0.30  # table A1
    max_dup_line_char_frac: float | None = 0.20  # table A1
    max_dup_paragraph_char_frac: float | None = 0.20  # table A1
    max_top_2gram_char_frac: float | None = 0.20  # table A1
    max_top_3gram_char_frac: float | None = 0.18  # table A1
    max_top_4gram_char_frac: float | None = 0.16  # table A1
    max_dup_5gram_char_frac: float | None = 0.15  # table A1
    max_dup_6gram_char_frac: float | None = 0.14  # table A1
    max_dup_7gram_char_frac: float | None = 0.13  # table A1
    max_dup_8gram_char_frac: float | None = 0.12  # table A1
    max_dup_9gram_char_frac: float | None = 0.11  # table A1
    max_dup_10gram_char_frac: float | None = 0.10  # table A1

    @property
    def signals(self) -> pa.StructType:
        return SIGNALS

    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        """Thirteen shares of each text, of type `SIGNALS`."""
        return repetition(batch.column("text"), self.counting, word_source(self.words, batch))

    @property
    def limits(self) -> tuple[Limit, ...]:
        return tuple(limit for name in SIGNALS.names for limit in within(name, high=getattr(self, f"max_{name}")))
