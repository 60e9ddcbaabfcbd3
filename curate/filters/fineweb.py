"""Drop lists, menus and pages of repeated lines: FineWeb's own rules (Penedo et al. 2024, section 3.6).

Refuses to judge a text that was not measured: null text is kept; a text without lines fails `line_punct_frac`.
"""

from __future__ import annotations

from typing import Annotated

import pyarrow as pa
from pydantic import Field

from curate.filters.bounds import within
from curate.kernels.end_marks import PROSE_ENDS, SENTENCE_TERMINALS
from curate.kernels.line_stats import SIGNALS, LineCounting, line_stats
from curate.stage import Filter, Limit
from curate.words.source import WordKind, word_source

END_MARKS: dict[LineCounting, str] = {"paper": PROSE_ENDS, "datatrove": SENTENCE_TERMINALS}


class FineWeb(Filter):
    """Keep documents whose lines end in punctuation, are long enough and do not recur. None turns a bound off.

    `max_dup_line_char_frac` is the 0.1 of the paper and the blog post, which FineWeb-2 uses too. datatrove's code says
    0.01, at which one repeated line of 30 characters drops a page of just under 3,000; set it to follow that code.
    A value on a bound is kept, as in datatrove since December 2024; the paper drops it. Since then datatrove takes some
    160 Unicode end marks without quotes; it counts words with spaCy or NLTK.

    What each signal is exactly is said in `curate.kernels.line_stats.line_stats`.
    """

    counting: LineCounting = "paper"  # as we read it, or as datatrove counts
    words: WordKind = "spaces"  # our choice: the paper does not say
    min_line_punct_frac: float | None = 0.12  # section 3.6
    max_short_line_frac: float | None = 0.67  # section 3.6
    max_short_line_chars: Annotated[int, Field(ge=0)] = 30  # section 3.6: "shorter than 30"; code: at most 30
    max_dup_line_char_frac: float | None = 0.1  # section 3.6
    max_newline_word_ratio: float | None = 0.3  # datatrove `fineweb_quality_filter.py`; the paper gives no figure
    end_marks: str | None = None  # None: those of `counting`, see `curate.kernels.end_marks`

    @property
    def signals(self) -> pa.StructType:
        return SIGNALS

    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        """Four shares of each text, of type `SIGNALS`."""
        return line_stats(
            batch.column("text"),
            end_marks=self.end_marks if self.end_marks is not None else END_MARKS[self.counting],
            max_short_line_chars=self.max_short_line_chars,
            counting=self.counting,
            words=word_source(self.words, batch),
        )

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (
            *within("line_punct_frac", low=self.min_line_punct_frac),
            *within("short_line_frac", high=self.max_short_line_frac),
            *within("dup_line_char_frac", high=self.max_dup_line_char_frac),
            *within("newline_word_ratio", high=self.max_newline_word_ratio),
        )
