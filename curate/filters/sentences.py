"""Take bad sentences out and keep the document, as Baichuan 2 does (Yang et al. 2023, section 2.1, figure 2).

That report has a sentence-wise quality filter behind its document rules, and gives neither rules nor thresholds. So
**the rules and defaults here are our choice**: cautious ones that any language can be judged by, which find rows of
numbers, rulers and sentences that a page repeats; what share of real text they remove is in `docs/decisions.md`.
Refuses to judge null text, and to say whether a sentence is true, fluent or about anything: no model is asked.
"""

from __future__ import annotations

import pyarrow as pa
from pydantic import Field

from curate.filters.bounds import within
from curate.kernels.sentence_rules import SIGNALS, filter_sentences, sentence_rules
from curate.stage import Limit, Modified, Modifier


class SentenceFilter(Modifier):
    """Take out the sentences that break a rule, and drop a document that loses too much by it.

    A sentence goes for the first rule that it breaks, in the order of the settings. None, or no keywords, turns a rule
    off. What a sentence, a word and a share are is said in `curate.kernels.sentence_rules`. All figures: our choice.
    """

    writes = ("text",)

    min_chars: int | None = None  # of a sentence, white space not counted; "Yes." is a good one
    min_words: int | None = None
    max_chars: int | None = None  # text without end marks is one long sentence, and not bad for it
    max_words: int | None = None
    # Shares judge no shorter sentence, white space not counted: "8." before a heading and "1987." on a new line.
    min_share_chars: int = Field(20, ge=0)
    min_letter_frac: float | None = 0.1  # letters and their marks; a formula has more, a row of numbers less
    max_digit_frac: float | None = 0.7
    max_symbol_frac: float | None = 0.4  # Unicode's symbols: + = | $ © arrows and emoji; no punctuation
    end_marks: str | None = None  # such as ".!?…。！？؟।": what a sentence must end in, or in closing quotes behind it
    keywords: tuple[str, ...] = ()  # a sentence with one of them goes; anywhere in it, in any case
    min_duplicate_chars: int | None = 30  # of a sentence as long as this only the first occurrence in a document stays
    min_kept_chars: int | None = Field(1, ge=0)  # drops the document; of all sentences that are left
    max_removed_char_frac: float | None = 0.3  # drops the document: where so much is bad, the rest is in doubt

    @property
    def signals(self) -> pa.StructType:
        return SIGNALS

    def modify(self, batch: pa.RecordBatch) -> Modified:
        """The text that is left, and signals of type `SIGNALS`."""
        rules = sentence_rules(
            (self.min_chars, self.max_chars),
            (self.min_words, self.max_words),
            self.min_share_chars,
            self.min_letter_frac,
            self.max_digit_frac,
            self.max_symbol_frac,
            self.min_duplicate_chars,
            self.end_marks,
            self.keywords,
        )
        text, signals = filter_sentences(batch.column("text"), rules)
        return Modified({"text": text}, signals)

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (
            *within("kept_char_count", low=self.min_kept_chars),
            *within("removed_char_frac", high=self.max_removed_char_frac),
        )
