"""Keep pages with a few long lines, in any language (mC4: Xue et al. 2021, section 3.1).

The bounds and what they count are Google's code (tensorflow/datasets, `text/c4_utils.py` and `text/c4.py`, the
configuration "multilingual" 3.0.1). C4's rules on end marks and sentences fit English alone, so mC4 asks for three
lines of 200 characters, and drops pages with a word of the list of their language; from 3.1.0 on one in a thousand of
those is kept, here none. Language detection (cld3) and deduplication of lines are no part of this. Refuses to judge
null text.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from curate.filters.bounds import within, without
from curate.filters.lists import load_words
from curate.kernels.keyword_match import has_any
from curate.kernels.long_lines import long_line_counts
from curate.kernels.signals import signal_struct
from curate.stage import Filter, Limit

SIGNALS = pa.struct(
    [
        pa.field("long_line_count", pa.int32()),  # lines of `min_line_chars` characters or more
        pa.field("bad_word", pa.bool_()),  # false where no list is given
    ]
)


class MC4(Filter):
    """Keep a page that has enough long lines and no listed word. One step for each language that has a list.

    Lines end at "\\n" and are as long as they came, white space too. Scripts without spaces ask for
    `bad_words_inside_words`.
    """

    min_line_chars: int = 200  # c4_utils.py min_paragraph_len
    min_long_line_count: int | None = 3  # c4_utils.py min_paragraphs
    bad_words_path: str | None = None  # c4.py _BADWORDS_URL by language; one word or phrase a line, see load_words
    bad_words_inside_words: bool = False  # c4_utils.py: for Thai and Chinese, since 3.1.0 for Japanese too

    @property
    def files(self) -> tuple[str, ...]:
        """The list that the settings name."""
        return (self.bad_words_path,) if self.bad_words_path else ()

    @property
    def signals(self) -> pa.StructType:
        return SIGNALS

    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        """Signals of type `SIGNALS`. InputError where `bad_words_path` cannot be read."""
        texts, words = batch.column("text"), load_words(self.files)
        bad = np.zeros(len(texts), np.bool_)
        if words is not None:
            bad = np.asarray(has_any(texts, words, self.bad_words_inside_words).fill_null(False))
        values = {"long_line_count": long_line_counts(texts, self.min_line_chars), "bad_word": bad}
        return signal_struct(SIGNALS, values, texts)

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (*within("long_line_count", low=self.min_long_line_count), *without("bad_word"))
