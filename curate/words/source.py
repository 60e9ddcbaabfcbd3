"""Which words a rule looks at, by the name that recipes use."""

from __future__ import annotations

from typing import Literal

import pyarrow as pa

from curate.kernels.words import WordSource, given, spaces, unicode
from curate.words.bounds import Elsewhere, word_bounds_by_language

#: - `spaces`: what stands between white space.
#: - `unicode`: letters and digits, as UAX #29 has them; a letter of a script without spaces stands alone.
#: - `segmenter`: from the segmenter of the document's language; between white space where a language has none.
#: - `spacy`: the same, but the tokens of spaCy's rules where a language has no segmenter: datatrove's words.
WordKind = Literal["spaces", "unicode", "segmenter", "spacy"]


def word_source(kind: WordKind, batch: pa.RecordBatch) -> WordSource:
    """Where the words of a batch's `text` come from. EnvironmentProblem where a segmenter's library is missing."""
    if kind == "spaces":
        return spaces()
    if kind == "unicode":
        return unicode()
    elsewhere: Elsewhere = "spacy" if kind == "spacy" else "spaces"
    return given(*word_bounds_by_language(batch.column("text"), languages(batch), elsewhere))


def languages(batch: pa.RecordBatch) -> pa.StringArray:
    """The `language` column, all null where there is none."""
    if "language" in batch.schema.names:
        return batch.column("language")
    return pa.nulls(batch.num_rows, pa.string())
