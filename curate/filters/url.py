"""Drop pages by their URL, before anything is spent on their text.

In the manner of RefinedWeb (Penedo et al. 2023, G.1) and datatrove's filter: domains and URLs on lists, words of the
URL of which one (hard) or two (soft) are enough. The lists are the user's own; only a few words come with the toolkit.
Refuses to fetch anything, and to judge a null URL.
"""

from __future__ import annotations

import pyarrow as pa

from curate.filters.bounds import within, without
from curate.filters.lists import load_lists
from curate.kernels.url_match import SIGNALS, UrlLists, domain_entry, url_entry, url_signals, word_entry
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

    RefinedWeb and datatrove also search strings inside words; we match whole words only ("sussex" is no "sex").
    """

    requires = ("url",)

    domain_list_paths: tuple[str, ...] = ()  # each domain covers all hosts below it
    url_list_paths: tuple[str, ...] = ()  # compared without scheme, www., fragment and last slash
    hard_word_paths: tuple[str, ...] = ()  # one such word drops the page
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
        return self.domain_list_paths + self.url_list_paths + self.hard_word_paths + self.soft_word_paths

    @property
    def signals(self) -> pa.StructType:
        return SIGNALS

    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        """Signals of each URL, of type `SIGNALS`. InputError where a list cannot be read."""
        own = (HARD_WORDS,), (SOFT_WORDS,)
        hard, soft = own if self.built_in_words else ((), ())
        lists = UrlLists(
            domains=load_lists(self.domain_list_paths, domain_entry),
            urls=load_lists(self.url_list_paths, url_entry),
            hard_words=hard + load_lists(self.hard_word_paths, word_entry),
            soft_words=soft + load_lists(self.soft_word_paths, word_entry),
        )
        return url_signals(batch.column("url"), lists)

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (
            *without("malformed_url", self.drop_malformed),
            *(() if self.schemes is None else (one_of("scheme", self.schemes),)),
            *within("url_chars", high=self.max_url_chars),
            *without("ip_host", self.drop_ip_hosts),
            *without("blocklisted_domain"),
            *without("blocklisted_url"),
            *without("hard_word"),
            *within("soft_word_count", high=self.max_soft_word_count),
        )
