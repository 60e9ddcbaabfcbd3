"""Drop pages by their URL, before anything is spent on their text.

In the manner of RefinedWeb (Penedo et al. 2023, G.1) and datatrove's filter: domains and URLs on lists, words of the
URL of which one (hard) or two (soft) are enough, strings inside words. Or the other way round: only pages of listed
domains, as RealNews (Zellers et al. 2019) keeps them. The lists are the user's own, of millions of entries where need
be; only a few words come with the toolkit. Refuses to fetch anything, and to judge a null URL.
"""

from __future__ import annotations

import pyarrow as pa

from curate.filters.bounds import within, without
from curate.filters.lists import load_list, load_words
from curate.kernels.url_match import (
    SIGNALS,
    UrlLists,
    domain_entry,
    substring_entry,
    url_entry,
    url_signals,
    word_entry,
)
from curate.stage import Filter, Limit, one_of

#: Words that name adult pages and little else. Our own short list: a list of the user's does the rest.
HARD_WORDS = frozenset(
    """
    bukkake blowjob blowjobs camgirl camgirls cumshot cumshots deepthroat gangbang gangbangs handjob hentai milf milfs
    porn porno pornos pornstar pornstars pornografia pornography sexcam sexcams xnxx xvideos xxx
    """.split()
)
#: Words that occur on other pages too; two different ones are needed.
SOFT_WORDS = frozenset(
    """
    adult cams erotic erotica escort escorts fetish hardcore hookup horny naked nude nudes sex sexy swingers webcam
    webcams
    """.split()
)


class UrlFilter(Filter):
    """Keep pages whose URL is on no list and looks like one. Lists: one entry a line, `#` comments, gzip or not.

    Words are whole ("sussex" is no "sex"); what is to be found inside words too is a strict substring. The signal
    `matched` names the first entry found and its file: domains first, then URLs, hard words, substrings, soft words.
    """

    requires = ("url",)
    version = 2

    allowed_domain_paths: tuple[str, ...] = ()  # where any is given, only pages of these domains stay
    domain_list_paths: tuple[str, ...] = ()  # each domain covers all hosts below it
    url_list_paths: tuple[str, ...] = ()  # compared without scheme, www., fragment and last slash
    hard_word_paths: tuple[str, ...] = ()  # one such word drops the page
    strict_substring_paths: tuple[str, ...] = ()  # one drops the page, between any letters, separators left out
    soft_word_paths: tuple[str, ...] = ()
    built_in_words: bool = True  # the toolkit's own short English lists of adult words, beside those above
    max_soft_word_count: int | None = 1  # datatrove `url_filter.py`: two soft words drop
    drop_malformed: bool = True  # our choice
    drop_ip_hosts: bool = False  # our choice: no published recipe drops them
    max_url_chars: int | None = 2_047  # sitemaps.org protocol: "less than 2,048 characters"
    schemes: tuple[str, ...] | None = None  # such as ("http", "https"); None: any, also none at all

    @property
    def files(self) -> tuple[str, ...]:
        """The lists or models that the settings name."""
        return (
            *self.allowed_domain_paths,
            *self.domain_list_paths,
            *self.url_list_paths,
            *self.hard_word_paths,
            *self.strict_substring_paths,
            *self.soft_word_paths,
        )

    @property
    def signals(self) -> pa.StructType:
        return SIGNALS

    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        """Signals of each URL, of type `SIGNALS`. InputError where a list cannot be read."""
        hard, soft = (HARD_WORDS, SOFT_WORDS) if self.built_in_words else (frozenset[str](), frozenset[str]())
        lists = UrlLists(
            allowed_domains=load_list(self.allowed_domain_paths, domain_entry),
            domains=load_list(self.domain_list_paths, domain_entry),
            urls=load_list(self.url_list_paths, url_entry),
            hard_words=load_words(self.hard_word_paths, word_entry, hard),
            substrings=load_words(self.strict_substring_paths, substring_entry),
            soft_words=load_words(self.soft_word_paths, word_entry, soft),
        )
        return url_signals(batch.column("url"), lists)

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (
            *without("malformed_url", self.drop_malformed),
            *(() if self.schemes is None else (one_of("scheme", self.schemes),)),
            *within("url_chars", high=self.max_url_chars),
            *without("ip_host", self.drop_ip_hosts),
            *without("unlisted_domain"),
            *without("blocklisted_domain"),
            *without("blocklisted_url"),
            *without("hard_word"),
            *without("strict_substring"),
            *within("soft_word_count", high=self.max_soft_word_count),
        )
