"""RefinedWeb's corrections within pages (Penedo et al. 2023, appendix G.2), as DCLM rebuilt them (Li et al. 2024).

`strip_urls` runs before the language and the document rules, `refinedweb_lines` after them: DCLM's order, in
`pipelines/recipes/refinedweb@dclm.yaml`. The paper names the rules and gives the 5 % and the 10 words; every other
figure and word is of DCLM's `baselines_configs/dclm_baseline_refinedweb.yaml` and `mappers/modifiers.py`. Neither
stage judges null text.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import pyarrow as pa
from pydantic import Field

from curate.filters.bounds import within
from curate.kernels import refinedweb_lines, url_removal
from curate.kernels.key_set import KeySet
from curate.kernels.refinedweb_lines import clean_lines, line_rules
from curate.kernels.url_removal import strip_urls
from curate.stage import Limit, Modified, Modifier

_COUNTED = "likes shares comments retweets reposts quotes bookmarks upvotes downvotes downloads views followers".split()


class RefinedWebLines(Modifier):
    """Take out lines that are no text, and drop a document that lost more than 5 % of its words by it.

    A line goes for the first rule that it breaks, in the order of the settings; then phrases go out of short lines.
    None, or no words, turns a rule off. What exactly is counted is said in `curate.kernels.refinedweb_lines`.
    """

    writes = ("text",)

    max_uppercase_frac: float | None = 0.5  # uppercase_ratio_line_modifier; of all characters of the line
    max_digit_frac: float | None = 0.999999  # numeric_ratio_line_modifier: a line of nothing else
    counter_words: tuple[str, ...] = tuple(_COUNTED)  # counter_line_modifier: "3 likes", "1.2k shares"
    min_words_per_line: int | None = 2  # line_length_modifier
    phrases_anywhere: tuple[str, ...] = ("items in cart",)  # substring_line_modifier; the paper's three examples
    phrases_at_end: tuple[str, ...] = ("Read more...",)  # substring_line_modifier, location suffix
    phrases_at_start: tuple[str, ...] = ("Sign-in",)  # substring_line_modifier, location prefix
    max_words_of_edited_line: int | None = Field(10, ge=0)  # max_length of each
    # DCLM hands its phrases over as regular expressions, so "read more on" ends in "Read more...": true follows it.
    dot_is_any_character: bool = False
    # Ours: each letter of a script without spaces is a word, else Chinese lines go as lines of one word. DCLM: false.
    spaceless_words: bool = True
    min_word_count: int | None = 1  # word_removal_ratio_filter: a text without words goes
    max_removed_word_frac: float | None = 0.05  # appendix G.2, word_removal_ratio_filter

    @property
    def signals(self) -> pa.StructType:
        return refinedweb_lines.SIGNALS

    def modify(self, batch: pa.RecordBatch) -> Modified:
        """The text that is left, and signals of type `refinedweb_lines.SIGNALS`."""
        rules = line_rules(
            self.max_uppercase_frac,
            self.max_digit_frac,
            self.min_words_per_line,
            self.max_words_of_edited_line,
            self.counter_words,
            self.phrases_anywhere,
            self.phrases_at_end,
            self.phrases_at_start,
            any_char="." if self.dot_is_any_character else "",
            spaceless_words=self.spaceless_words,
        )
        text, signals = clean_lines(batch.column("text"), rules)
        return Modified({"text": text}, signals)

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (
            *within("word_count", low=self.min_word_count),
            *within("removed_word_frac", high=self.max_removed_word_frac),
        )


class StripUrls(Modifier):
    """Take URLs and IP addresses out of the text, and leave at most two newlines in a row. Drops nothing."""

    writes = ("text",)

    remove_urls: bool = True  # url_removal_modifier; mail addresses and "file.py" go too, as `.py` is a domain
    remove_ip_addresses: bool = True  # url_removal_modifier
    max_newlines: int | None = Field(2, ge=0)  # newline_removal_modifier
    # DCLM's code looks for a top-level domain with `match`, so at the beginning of the text alone: "In" and "The" pass,
    # "A" does not, and a text that does not pass keeps its URLs. true follows it.
    only_texts_that_begin_with_tld: bool = False

    @property
    def signals(self) -> pa.StructType:
        return url_removal.SIGNALS

    def modify(self, batch: pa.RecordBatch) -> Modified:
        """The text that is left, and signals of type `url_removal.SIGNALS`."""
        text, signals = strip_urls(
            batch.column("text"),
            top_level_domains(),
            urls=self.remove_urls,
            ip_addresses=self.remove_ip_addresses,
            max_newlines=self.max_newlines,
            by_start=self.only_texts_that_begin_with_tld,
        )
        return Modified({"text": text}, signals)


@cache
def top_level_domains() -> KeySet:
    """IANA's top-level domains in lower case, as DCLM has them (`iana_tlds.txt`): read once in a process."""
    lines = (resources.files(__package__) / "tlds.txt").read_text("utf-8").splitlines()
    return KeySet.of(word for line in lines if not line.startswith("#") for word in line.split())
