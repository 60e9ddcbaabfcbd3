"""Drop pages by their URL, before anything is spent on their text.

In the manner of RefinedWeb (Penedo et al. 2023, G.1) and datatrove's filter: domains and URLs on lists, words of the URL of
which one (hard) or two (soft) are enough. The lists are the user's own; only a few words come with the toolkit. Refuses to
fetch anything, and to judge a null URL.
"""

from __future__ import annotations

import pyarrow as pa

from curate.filters.lists import load_lists
from curate.kernels.url_match import SIGNALS, UrlLists, domain_entry, url_entry, url_signals, word_entry
from curate.stage import Filter, Limit, absent, at_most, one_of

#: Words that name adult pages and little else. Our own short list: a list of the user's does the rest.
HARD_WORDS = frozenset(
    "bukkake blowjob blowjobs camgirl camgirls cumshot cumshots deepthroat gangbang gangbangs handjob hentai milf milfs "
    "porn porno pornos pornstar pornstars pornografia pornography sexcam sexcams xnxx xvideos xxx".split()
)
#: Words that occur on other pages too; two different ones are needed.
SOFT_WORDS = frozenset(
    "adult cams erotic erotica escort escorts fetish hardcore hookup horny naked nude nudes sex sexy swingers webcam webcams".split()
)


class UrlFilter(Filter):
    """Keep pages whose URL is on no list and looks like one. Lists: one entry a line, `#` comments, gzip or not.

    datatrove also searches forbidden strings inside words; we match whole words only ("sussex" is no "sex").
    """

    requires = ("url",)

    blocklisted_domains: tuple[str, ...] = ()  # paths of lists of domains: each covers all hosts below it
    blocklisted_urls: tuple[str, ...] = ()  # paths of lists of URLs: without scheme, www., fragment, last slash
    hard_words: tuple[str, ...] = ()  # paths of lists of words: one drops the page
    soft_words: tuple[str, ...] = ()  # paths of lists of words
    built_in_words: bool = True  # the toolkit's own short English lists of adult words, beside those above
    max_soft_word_count: int | None = 1  # datatrove `url_filter.py`: two soft words drop
    drop_malformed: bool = True  # our choice
    drop_ip_hosts: bool = False  # our choice: no published recipe drops them
    max_url_chars: int | None = 2_047  # sitemaps.org protocol: "less than 2,048 characters"
    schemes: tuple[str, ...] | None = None  # such as ("http", "https"); None: any, also none at all

    @property
    def signals(self) -> pa.StructType:
        return SIGNALS

    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        """Signals of each URL, of type `SIGNALS`. InputError where a list cannot be read."""
        own = (HARD_WORDS,), (SOFT_WORDS,)
        hard, soft = own if self.built_in_words else ((), ())
        lists = UrlLists(
            domains=load_lists(self.blocklisted_domains, domain_entry),
            urls=load_lists(self.blocklisted_urls, url_entry),
            hard_words=hard + load_lists(self.hard_words, word_entry),
            soft_words=soft + load_lists(self.soft_words, word_entry),
        )
        return url_signals(batch.column("url"), lists)

    @property
    def limits(self) -> tuple[Limit, ...]:
        limits = (
            absent("malformed_url") if self.drop_malformed else None,
            one_of("scheme", self.schemes) if self.schemes is not None else None,
            at_most("url_chars", self.max_url_chars) if self.max_url_chars is not None else None,
            absent("ip_host") if self.drop_ip_hosts else None,
            absent("blocklisted_domain"),
            absent("blocklisted_url"),
            absent("hard_word"),
            at_most("soft_word_count", self.max_soft_word_count) if self.max_soft_word_count is not None else None,
        )
        return tuple(limit for limit in limits if limit is not None)
