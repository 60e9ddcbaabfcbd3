"""Remove lines that are no sentences, and drop pages that hold too few or the wrong ones (C4: Raffel et al. 2020, 2.2).

The defaults are those of Google's code, from which most toolkits differ. C4's language test (langdetect) and its
line-level deduplication are no part of this. Refuses to judge null text.
"""

from __future__ import annotations

import pyarrow as pa

from curate.filters.bounds import within, without
from curate.filters.lists import load_lists
from curate.kernels.c4_lines import SIGNALS, C4Rules, bad_word_patterns, clean_lines
from curate.kernels.url_match import word_entry
from curate.stage import Limit, Modified, Modifier


class C4(Modifier):
    """Keep the sentences of a page. Each rule has a switch: False or None turns it off.

    The signals count what was removed, by rule. datatrove's C4 asks for 3 words a line and 5 sentences and takes
    `'` for an end mark too; FineWeb runs it without `require_terminal_punctuation`. Dolma asks for 3 words and drops
    the document, not the line, for "javascript".
    """

    writes = ("text",)

    max_word_chars: int | None = 1000  # c4_utils.py _MAX_WORD_LENGTH; a line with a longer word goes
    remove_citations: bool = True  # c4_utils.py: [1], [edit], [citation needed]
    require_terminal_punctuation: bool = True  # section 2.2
    end_marks: tuple[str, ...] = (".", "?", "!", '"')  # c4_utils.py _END_MARKS; "..." is none
    min_words_per_line: int | None = 5  # c4_utils.py _MIN_WORDS_PER_LINE
    remove_javascript_lines: bool = True  # section 2.2
    remove_policy_lines: bool = True  # c4_utils.py _POLICY_SUBSTRINGS
    drop_lorem_ipsum: bool = True  # section 2.2
    drop_curly_brace: bool = True  # section 2.2
    bad_words_path: str | None = None  # section 2.2 uses a public list; one word or phrase a line, see load_lists
    bad_words_inside_words: bool = False  # for scripts without spaces
    min_sentence_count: int | None = 3  # c4_utils.py _MIN_NUM_SENTENCES, of the text that is left
    max_char_count: int | None = 190_000  # c4_utils.py is_valid_length, of the text as it came

    @property
    def files(self) -> tuple[str, ...]:
        """The lists or models that the settings name."""
        return (self.bad_words_path,) if self.bad_words_path else ()

    @property
    def signals(self) -> pa.StructType:
        return SIGNALS

    def modify(self, batch: pa.RecordBatch) -> Modified:
        """The text that is left, and signals of type `SIGNALS`. InputError where `bad_words_path` cannot be read."""
        text, signals = clean_lines(batch.column("text"), self._rules())
        return Modified({"text": text}, signals)

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (
            *within("char_count", high=self.max_char_count),
            *without("lorem_ipsum", self.drop_lorem_ipsum),
            *without("curly_brace", self.drop_curly_brace),
            *without("bad_word"),
            *within("sentence_count", low=self.min_sentence_count),
        )

    def _rules(self) -> C4Rules:
        lists = load_lists((self.bad_words_path,), word_entry) if self.bad_words_path else ()
        return C4Rules(
            max_word_chars=self.max_word_chars,
            remove_citations=self.remove_citations,
            end_marks=self.end_marks if self.require_terminal_punctuation else (),
            min_words_per_line=self.min_words_per_line,
            remove_javascript=self.remove_javascript_lines,
            remove_policy=self.remove_policy_lines,
            bad_word_patterns=bad_word_patterns(frozenset().union(*lists), inside_words=self.bad_words_inside_words),
        )
