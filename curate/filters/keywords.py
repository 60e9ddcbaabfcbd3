"""Drop or keep documents by the words and phrases of a list that their text holds.

A blocklist is the default: one match drops, as C4 does with its list of bad words (Raffel et al. 2020, 2.2). A flagged
word ratio is a bound on the share of words (BigScience's ROOTS, Data-Juicer: `max_match_word_frac`), an allow-list one
from below (`min_match_count`). The lists are the user's own; none is shipped. Refuses to judge null text.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from curate.filters.bounds import within
from curate.filters.lists import load_words
from curate.kernels.folded_text import WORD
from curate.kernels.keyword_match import WordList, matches
from curate.stage import Filter, Limit

SIGNALS = pa.struct(
    [
        pa.field("match_count", pa.int64()),  # overlapping ones too
        pa.field("entry_count", pa.int64()),  # different entries that match
        pa.field("match_word_frac", pa.float64()),  # of what stands between white space, the share that a match touches
        pa.field("match_char_frac", pa.float64()),  # of the characters, the share inside a match
        pa.field("first_match", pa.string()),  # the entry that ends first, with its file; null where there is none
    ]
)


class Keywords(Filter):
    """Keep documents whose matches stay within the bounds. Case does not count; every other character does.

    An entry is sought at word boundaries: no letter, digit, combining mark or "_" is beside it. Where words are not
    separated by spaces it is sought anywhere; which language that is says `language`, so `language_id` belongs before.
    A list for one language only goes with the step's own `languages`. Of a longer text its first 8 MiB count.
    """

    requires = ("text", "language")

    paths: tuple[str, ...] = Field(min_length=1)  # one entry a line, `#` comments, gzip or not
    # Languages, or all, in which entries are sought inside words too. ja, th, zh: mC4 (c4_utils.py of TensorFlow
    # datasets); the others are written without spaces as well.
    inside_words: bool | tuple[str, ...] = ("ja", "th", "zh", "yue", "wuu", "lo", "km", "my")
    max_match_count: int | None = 0  # C4: one is enough
    min_match_count: int | None = None
    max_entry_count: int | None = None
    min_entry_count: int | None = None
    max_match_word_frac: float | None = None  # Data-Juicer's recipes: 0.01 and 0.045; set max_match_count to null then
    min_match_word_frac: float | None = None
    max_match_char_frac: float | None = None  # for scripts without spaces
    min_match_char_frac: float | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """The lists."""
        return self.paths

    @property
    def signals(self) -> pa.StructType:
        return SIGNALS

    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        """Signals of each text, of type `SIGNALS`. InputError where a list cannot be read."""
        words = load_words(self.paths)
        assert words is not None, "there is a path at least"
        texts, inside = batch.column("text"), self._inside_words(batch.column("language"))
        if inside.all() or not inside.any():
            return keyword_signals(texts, words, bool(inside.any()))
        rows = [np.flatnonzero(inside), np.flatnonzero(~inside)]
        found = [keyword_signals(texts.take(pa.array(rows[i])), words, i == 0) for i in range(2)]
        return pa.concat_arrays(found).take(pa.array(np.argsort(np.concatenate(rows))))

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (
            *within("match_count", self.min_match_count, self.max_match_count),
            *within("entry_count", self.min_entry_count, self.max_entry_count),
            *within("match_word_frac", self.min_match_word_frac, self.max_match_word_frac),
            *within("match_char_frac", self.min_match_char_frac, self.max_match_char_frac),
        )

    def _inside_words(self, languages: pa.StringArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        if isinstance(self.inside_words, bool):
            return np.full(len(languages), self.inside_words)
        listed = pc.is_in(languages, value_set=pa.array(self.inside_words, pa.string()))
        return np.asarray(listed, dtype=np.bool_)


def keyword_signals(texts: pa.StringArray, words: WordList, inside_words: bool) -> pa.StructArray:
    """`SIGNALS` of each text; null fields for null text."""
    found = matches(texts, words, inside_words, WORD)
    valid = texts.is_valid()
    columns = {
        "match_count": pa.array(found.num_matches),
        "entry_count": pa.array(found.num_entries),
        "match_word_frac": pa.array(found.word_frac),
        "match_char_frac": pa.array(found.char_frac),
        "first_match": words.entries.described(found.first),
    }
    arrays = [pc.if_else(valid, columns[field.name], pa.scalar(None, field.type)) for field in SIGNALS]
    return pa.StructArray.from_arrays(arrays, fields=list(SIGNALS))
