"""Drop documents by the filters of Data-Juicer that look at a text's characters, lines and words.

Source: Chen et al. 2024, "Data-Juicer", and its code (1.6.1, `ops/filter`), whose defaults are here. Data-Juicer means
each filter to be chosen and tuned for a corpus, and ships recipes that do; `data_juicer@redpajama_cc` is one. Three of
its filters are other stages' or need a model: language score (at least 0.8, `language_id`), perplexity (at most 1,500)
and tokens (at least 10). The order of the rules is our choice: it names the reason, not what is kept.

Refuses to judge a text that was not measured: null text is kept. Refuses to judge by stop words or flagged words where
no list is given: Data-Juicer fetches its lists, none is shipped here.
"""

from __future__ import annotations

from typing import Annotated

import pyarrow as pa
from pydantic import Field

from curate.filters.bounds import within
from curate.filters.lists import load_list
from curate.kernels.list_entries import phrase_entry
from curate.kernels.text_profile import SIGNALS, text_profile
from curate.stage import Filter, Limit


class DataJuicer(Filter):
    """Keep documents whose ten measures lie within bounds. None turns a bound off.

    What each signal is exactly is said in `curate.kernels.text_profile`. Words stand between spaces, which is
    Data-Juicer's `tokenization: false`; its recipes for other languages take SentencePiece.
    """

    min_char_count: int | None = 10  # text_length_filter
    max_char_count: int | None = None
    min_mean_line_chars: float | None = 10  # average_line_length_filter
    max_mean_line_chars: float | None = None
    min_max_line_chars: int | None = 10  # maximum_line_length_filter
    max_max_line_chars: int | None = None
    min_alphanumeric_frac: float | None = 0.25  # alphanumeric_filter
    max_alphanumeric_frac: float | None = None
    min_special_char_frac: float | None = None  # special_characters_filter: 0
    max_special_char_frac: float | None = 0.25  # special_characters_filter
    min_word_count: int | None = 10  # words_num_filter
    max_word_count: int | None = None
    min_stop_word_frac: float | None = 0.3  # stopwords_filter
    max_flagged_word_frac: float | None = 0.045  # flagged_words_filter
    max_word_repetition_frac: float | None = 0.5  # word_repetition_filter
    max_char_repetition_frac: float | None = 0.5  # character_repetition_filter
    word_repetition_ngram: Annotated[int, Field(ge=1)] = 10  # word_repetition_filter, words
    char_repetition_ngram: Annotated[int, Field(ge=1)] = 10  # character_repetition_filter, characters
    stop_word_paths: tuple[str, ...] = ()  # one word a line, `#` comments, gzip or not; none: not judged
    flagged_word_paths: tuple[str, ...] = ()  # the same

    @property
    def files(self) -> tuple[str, ...]:
        """The lists."""
        return (*self.stop_word_paths, *self.flagged_word_paths)

    @property
    def signals(self) -> pa.StructType:
        return SIGNALS

    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        """Ten signals of each text, of type `SIGNALS`. InputError where a list cannot be read."""
        return text_profile(
            batch.column("text"),
            char_ngram=self.char_repetition_ngram,
            word_ngram=self.word_repetition_ngram,
            stop_words=tuple(load_list(self.stop_word_paths, phrase_entry) or ()),
            flagged_words=tuple(load_list(self.flagged_word_paths, phrase_entry) or ()),
        )

    @property
    def limits(self) -> tuple[Limit, ...]:
        return tuple(
            limit
            for name in SIGNALS.names
            for limit in within(name, getattr(self, f"min_{name}", None), getattr(self, f"max_{name}", None))
        )
