"""Remove lines that are no sentences, and drop pages that hold too few or the wrong ones (C4: Raffel et al. 2020, 2.2).

The defaults are Google's code (tensorflow/datasets, `text/c4_utils.py`, commit 0560e686). Toolkits do different things
under this name; what they do otherwise is a setting each, and the recipes `c4@tfds`, `c4@datatrove`, `c4@dolma` and
`c4@dclm` put them together. Not Google's anywhere: sentences are counted by a rule over characters instead of NLTK's
punkt, and blank lines go whatever is switched off. C4's language test (langdetect) and its deduplication of lines are
no part of this. Refuses to judge null text.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pyarrow as pa

from curate.filters.bounds import within, without
from curate.filters.lists import load_words
from curate.kernels.c4_lines import SIGNALS, C4Rules, SentenceRule, Unit, WhiteSpace, clean_lines
from curate.kernels.token_sentences import token_sentence_counts
from curate.stage import Limit, Modified, Modifier
from curate.words.source import languages, word_source


class C4(Modifier):
    """Keep the sentences of a page. Each rule has a switch: False or None turns it off.

    The signals count what was removed, by rule. A line goes by the first rule that it breaks, and rules about the page
    look at the lines that are left then, so that a brace in a line without an end mark drops nothing.
    """

    writes = ("text",)
    version = 2

    # What a line is.
    unit: Unit = "lines"  # "sentences": datatrove's split_paragraph=False; they are joined by a space
    line_breaks: Literal["all", "newline"] = "all"  # c4_utils.py, datatrove: str.splitlines; Dolma, DCLM: "\n" alone
    strip: WhiteSpace = "lines"  # c4_utils.py: each line, then the text; see `c4_lines.C4Rules`
    keep_empty_lines: bool = False  # DCLM keeps lines without any character

    # Which lines go.
    max_word_chars: int | None = 1000  # c4_utils.py _MAX_WORD_LENGTH; a line with a longer word goes
    remove_citations: bool = True  # c4_utils.py: [1], [edit], [citation needed]
    require_terminal_punctuation: bool = True  # section 2.2
    end_marks: tuple[str, ...] = (".", "?", "!", '"')  # c4_utils.py _END_MARKS; datatrove adds "'"
    ellipsis_ends_line: bool = False  # c4_utils.py _ELLIPSIS: "..." is no end mark; in Dolma it is
    min_words_per_line: int | None = 5  # c4_utils.py _MIN_WORDS_PER_LINE; datatrove, Dolma: 3
    count_words: Literal["after_citations", "before_citations"] = "after_citations"  # before: datatrove
    remove_javascript_lines: bool = True  # section 2.2
    remove_policy_lines: bool = True  # c4_utils.py _POLICY_SUBSTRINGS

    # Which pages go.
    page_rules_on: Literal["kept_lines", "whole_text"] = "kept_lines"  # Dolma: the text as it came
    drop_lorem_ipsum: bool = True  # section 2.2
    drop_curly_brace: bool = True  # section 2.2
    drop_javascript: Literal["anywhere", "word"] | None = None  # Dolma: c4_v2 anywhere, c4_v1 between white space
    bad_words_path: str | None = None  # section 2.2 uses a public list; one word or phrase a line, see load_words
    bad_words_inside_words: bool = False  # c4_utils.py 3.1: for Japanese, Thai and Chinese
    bad_words_between_blanks: bool = False  # Dolma: a word between white space only, a phrase anywhere
    sentence_rule: SentenceRule = "marks"  # "sentencizer": spaCy's for the language, as datatrove counts
    min_sentence_count: int | None = 3  # c4_utils.py _MIN_NUM_SENTENCES, of the text that is left; datatrove: 5
    max_char_count: int | None = 190_000  # c4_utils.py is_valid_length, of the text as it came; datatrove, Dolma: none

    @property
    def files(self) -> tuple[str, ...]:
        """The lists or models that the settings name."""
        return (self.bad_words_path,) if self.bad_words_path else ()

    @property
    def signals(self) -> pa.StructType:
        return SIGNALS

    def modify(self, batch: pa.RecordBatch) -> Modified:
        """The text that is left, and signals of type `SIGNALS`. InputError where `bad_words_path` cannot be read."""
        text, signals = clean_lines(
            batch.column("text"),
            self._rules(),
            load_words(self.files),
            self.bad_words_inside_words,
            self.bad_words_between_blanks,
        )
        if self.sentence_rule == "sentencizer" and self.unit == "lines":
            signals = _counted_by_tokens(text, signals, batch)
        return Modified({"text": text}, signals)

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (
            *within("char_count", high=self.max_char_count),
            *without("lorem_ipsum", self.drop_lorem_ipsum),
            *without("javascript", self.drop_javascript is not None),
            *without("curly_brace", self.drop_curly_brace),
            *without("bad_word"),
            *within("sentence_count", low=self.min_sentence_count),
        )

    def _rules(self) -> C4Rules:
        return C4Rules(
            unit=self.unit,
            all_breaks=self.line_breaks == "all",
            strip=self.strip,
            keep_empty_lines=self.keep_empty_lines,
            max_word_chars=self.max_word_chars,
            remove_citations=self.remove_citations,
            end_marks=self.end_marks if self.require_terminal_punctuation else (),
            ellipsis_ends_line=self.ellipsis_ends_line,
            min_words_per_line=self.min_words_per_line,
            words_before_citations=self.count_words == "before_citations",
            remove_javascript=self.remove_javascript_lines,
            remove_policy=self.remove_policy_lines,
            whole_text=self.page_rules_on == "whole_text",
            javascript_word=self.drop_javascript == "word",
            sentence_rule=self.sentence_rule,
        )


def _counted_by_tokens(text: pa.StringArray, signals: pa.StructArray, batch: pa.RecordBatch) -> pa.StructArray:
    """The signals with the sentences of other languages than English counted over the tokens of the language."""
    others = np.array([code not in (None, "en") for code in languages(batch).to_pylist()], np.bool_)
    if not others.any():
        return signals
    rows = pa.array(np.flatnonzero(others))
    chosen = pa.record_batch([text.take(rows), languages(batch).take(rows)], names=["text", "language"])
    counts = np.asarray(signals.field("sentence_count").fill_null(0), np.int64).copy()
    counts[others] = token_sentence_counts(chosen.column("text"), word_source("spacy", chosen))
    values = {name: signals.field(name) for name in SIGNALS.names}
    values["sentence_count"] = pa.array(counts, pa.int32(), mask=np.asarray(text.is_null()))
    return pa.StructArray.from_arrays(list(values.values()), fields=list(SIGNALS))
