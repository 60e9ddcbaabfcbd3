"""What a URL says about its page: its form, and what of it stands on a list.

Nothing is fetched and no public-suffix list is needed: a listed domain matches itself and everything below it, label by
label, so `example.co.uk` on a list covers `www.shop.example.co.uk` and never `myexample.co.uk`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curate.kernels.folded_text import PYTHON_WORD
from curate.kernels.key_set import KeySet, Numbers
from curate.kernels.keyword_match import Matches, WordList, matches
from curate.kernels.url_parts import ascii_host, is_host, url_key, url_parts

SIGNALS = pa.struct(
    [
        pa.field("url_chars", pa.int32()),
        pa.field("scheme", pa.string()),  # lower case; "" where the URL has none
        pa.field("malformed_url", pa.bool_()),
        pa.field("ip_host", pa.bool_()),
        pa.field("unlisted_domain", pa.bool_()),
        pa.field("blocklisted_domain", pa.bool_()),
        pa.field("blocklisted_url", pa.bool_()),
        pa.field("hard_word", pa.bool_()),
        pa.field("strict_substring", pa.bool_()),
        pa.field("soft_word_count", pa.int32()),
        pa.field("matched", pa.string()),  # "domain bad.example (list.txt)": the first entry found; null: none
    ]
)
_SEPARATORS = "[^A-Za-z0-9]+"


class UrlLists(NamedTuple):
    """What is looked for; entries in the form of the `*_entry` functions. None: nothing is."""

    allowed_domains: KeySet | None = None
    domains: KeySet | None = None
    urls: KeySet | None = None
    hard_words: WordList | None = None
    substrings: WordList | None = None
    soft_words: WordList | None = None


def url_signals(urls: pa.StringArray, lists: UrlLists) -> pa.StructArray:
    """`SIGNALS` of each URL; null fields for a null URL.

    - `malformed_url`: it does not parse, holds a control character, or is http(s) without a valid host. A URL of
      another scheme, or of none, is not malformed.
    - `ip_host`: the host is an address, in any of the spellings that browsers take for one.
    - `unlisted_domain`: there are `allowed_domains`, and neither the host nor a domain above it is one.
    - `hard_word`, `soft_word_count`: words of the percent-decoded URL, cut at what is neither letter nor digit; how
      many different soft ones. A word inside a longer one is not found ("sussex" holds nothing).
    - `strict_substring`: one occurs, inside words too, in the URL as it is with all but ASCII letters and digits
      removed, as datatrove's `url_filter.py` has it.
    """
    parts = url_parts(urls)
    domain, url = _domains(lists.domains, parts.host), _keys(lists.urls, parts.key)
    hard, soft = (_words(words, parts.readable) for words in (lists.hard_words, lists.soft_words))
    squeezed = pc.replace_substring_regex(urls, _SEPARATORS, "") if lists.substrings else urls
    substring = _words(lists.substrings, squeezed, inside_words=True)
    allowed = lists.allowed_domains
    found = {
        "domain": (lists.domains, domain),
        "URL": (lists.urls, url),
        "hard word": (lists.hard_words, hard.first),
        "substring": (lists.substrings, substring.first),
        "soft word": (lists.soft_words, soft.first),
    }
    signals = {
        "url_chars": pc.utf8_length(urls),
        "scheme": parts.scheme,
        "malformed_url": parts.malformed,
        "ip_host": parts.ip_host,
        "unlisted_domain": np.full(len(urls), allowed is not None) & (_domains(allowed, parts.host) < 0),
        "blocklisted_domain": domain >= 0,
        "blocklisted_url": url >= 0,
        "hard_word": hard.num_matches > 0,
        "strict_substring": substring.num_matches > 0,
        "soft_word_count": soft.num_entries,
        "matched": _first_entries(found, len(urls)),
    }
    arrays = [_where_valid(urls, signals[field.name], field.type) for field in SIGNALS]
    return pa.StructArray.from_arrays(arrays, fields=list(SIGNALS))


def domain_entry(line: str) -> str | None:
    """A line of a domain list: `example.org`, or the hosts-file form `0.0.0.0 example.org`. None where it is neither.

    >>> domain_entry("0.0.0.0 WWW.Example.org.  # ads")
    'example.org'
    """
    fields = line.partition("#")[0].split()
    host = ascii_host(fields[-1]).removeprefix("www.") if fields else ""
    return host if is_host(host) else None


def url_entry(line: str) -> str | None:
    """A line of a URL list as `url_key` has it; None for a blank one or a comment, which begins with "#"."""
    line = line.strip()
    return (url_key(line) or None) if line and not line.startswith("#") else None


def word_entry(line: str) -> str | None:
    """A line of a word list in lower case; None for a blank one or a comment, which begins with "#"."""
    line = line.strip().lower()
    return line if line and not line.startswith("#") else None


def substring_entry(line: str) -> str | None:
    """A line of a list of substrings: its ASCII letters and digits in lower case; None for a blank one or a comment.

    ValueError where it holds other letters: without them it would find what it does not mean.

    >>> substring_entry("Free-Pics")
    'freepics'
    """
    line = line.strip()
    if line.startswith("#"):
        return None
    if any(char.isalnum() and not char.isascii() for char in line):
        raise ValueError(f"{line[:80]!r} holds other letters than those of ASCII, which a URL holds in escaped form")
    return re.sub(_SEPARATORS, "", line).lower() or None


def _domains(domains: KeySet | None, hosts: pa.StringArray) -> Numbers:
    return np.full(len(hosts), -1, np.int64) if domains is None else domains.find_domains(hosts)


def _keys(keys: KeySet | None, urls: pa.StringArray) -> Numbers:
    return np.full(len(urls), -1, np.int64) if keys is None else keys.find(urls)


def _words(words: WordList | None, texts: pa.StringArray, inside_words: bool = False) -> Matches:
    return matches(texts, WordList(KeySet.of(())) if words is None else words, inside_words, PYTHON_WORD, False)


def _first_entries(found: dict[str, tuple[KeySet | WordList | None, Numbers]], num_rows: int) -> pa.StringArray:
    """For each row the first kind that found an entry, and the entry."""
    first = pa.nulls(num_rows, pa.string())
    for kind, (entries, numbers) in found.items():
        if entries is not None and (numbers >= 0).any():
            keys = entries.entries if isinstance(entries, WordList) else entries
            first = pc.coalesce(first, pc.binary_join_element_wise(kind, keys.described(numbers), " "))
    return first


def _where_valid(urls: pa.StringArray, values: pa.Array | Numbers, type_: pa.DataType) -> pa.Array:
    array = values.cast(type_) if isinstance(values, pa.Array) else pa.array(values, type_)
    return pc.if_else(urls.is_valid(), array, pa.scalar(None, type_))
