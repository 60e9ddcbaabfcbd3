"""Drop documents as BigScience did for the OSCAR part of ROOTS (Laurençon et al. 2022, section 3.1).

The bounds are those for English (bigscience-workshop/data-preparation, `parameters_filtering.py`, commit 9d05884);
every language of ROOTS has its own. Two rules stand elsewhere: language score at least 0.80 (`language_id`), and
perplexity at most 1,500, which needs a language model. ROOTS rewrites the texts first: `roots_words`.

Refuses to judge a text that was not measured: null text is kept. Refuses to judge by stop words or flagged words where
no list is given: the published lists are not shipped, and a bound of 0.3 holds for one list alone.
"""

from __future__ import annotations

from typing import Annotated

import pyarrow as pa
from pydantic import Field

from curate.filters.bounds import within
from curate.filters.lists import load_list
from curate.kernels import text_profile
from curate.kernels.list_entries import phrase_entry
from curate.stage import Filter, Limit

SIGNALS = pa.struct(
    [
        text_profile.SIGNALS.field(name)
        for name in (
            "word_count",
            "char_repetition_frac",
            "word_repetition_frac",
            "special_char_frac",
            "stop_word_frac",
            "flagged_word_frac",
        )
    ]
)


class Roots(Filter):
    """Keep documents of enough words that repeat themselves little and read like the language. None turns a bound off.

    What each signal is exactly is said in `curate.kernels.text_profile`. Words stand between spaces; ROOTS splits
    Chinese and Vietnamese by SentencePiece and looks at pairs of their words too, which is not done here.
    """

    min_word_count: int | None = 20  # English
    max_word_count: int | None = 100_000  # English
    max_char_repetition_frac: float | None = 0.106  # English
    max_word_repetition_frac: float | None = 0.19  # English
    max_special_char_frac: float | None = 0.4  # English
    min_stop_word_frac: float | None = 0.3  # English, with the list of BigScience
    max_flagged_word_frac: float | None = 0.01  # English, with the list of BigScience
    char_repetition_ngram: Annotated[int, Field(ge=1)] = 10  # English, characters
    word_repetition_ngram: Annotated[int, Field(ge=1)] = 5  # English, words
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
        """Six signals of each text, of type `SIGNALS`. InputError where a list cannot be read."""
        profile = text_profile.text_profile(
            batch.column("text"),
            char_ngram=self.char_repetition_ngram,
            word_ngram=self.word_repetition_ngram,
            stop_words=tuple(load_list(self.stop_word_paths, phrase_entry) or ()),
            flagged_words=tuple(load_list(self.flagged_word_paths, phrase_entry) or ()),
        )
        return pa.StructArray.from_arrays([profile.field(field.name) for field in SIGNALS], fields=list(SIGNALS))

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (
            *within("word_count", self.min_word_count, self.max_word_count),
            *within("char_repetition_frac", high=self.max_char_repetition_frac),
            *within("word_repetition_frac", high=self.max_word_repetition_frac),
            *within("special_char_frac", high=self.max_special_char_frac),
            *within("stop_word_frac", low=self.min_stop_word_frac),
            *within("flagged_word_frac", high=self.max_flagged_word_frac),
        )
