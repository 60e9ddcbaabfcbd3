"""What a URL says about its page: its form, and whether it stands on a list.

Nothing is fetched and no public-suffix list is needed: a listed domain matches itself and everything below it, label by
label, so `example.co.uk` on a list covers `www.shop.example.co.uk` and never `myexample.co.uk`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

import pyarrow as pa

SIGNALS = pa.struct(
    [
        pa.field("url_chars", pa.int32()),
        pa.field("scheme", pa.string()),  # lower case; "" where the URL has none
        pa.field("malformed_url", pa.bool_()),
        pa.field("ip_host", pa.bool_()),
        pa.field("blocklisted_domain", pa.bool_()),
        pa.field("blocklisted_url", pa.bool_()),
        pa.field("hard_word", pa.bool_()),
        pa.field("soft_word_count", pa.int32()),
    ]
)
#: RFC 1035, section 2.3.4. Also what keeps the cost of IDNA encoding, which is not linear, within bounds.
MAX_HOST_CHARS = 253
#: Words are sought in the first characters only; a longer URL breaks the length limit of any sane recipe.
MAX_WORD_CHARS = 100_000

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)*")
_WORD = re.compile(r"[^\W_]+")

Lists = tuple[frozenset[str], ...]


class UrlLists(NamedTuple):
    """What is looked for; each list as its file was read. Entries are in the form of the `*_entry` functions."""

    domains: Lists = ()
    urls: Lists = ()
    hard_words: Lists = ()
    soft_words: Lists = ()


def url_signals(urls: pa.StringArray, lists: UrlLists) -> pa.StructArray:
    """`SIGNALS` of each URL; null fields for a null URL.

    - `malformed_url`: it does not parse, holds a control character, or is http(s) without a valid host. A URL of
      another scheme, or of none, is not malformed.
    - `ip_host`: the host is an address, in any of the spellings that browsers take for one.
    - `hard_word`, `soft_word_count`: words of the percent-decoded URL in lower case, cut at what is neither letter nor
      digit; how many different soft ones. A word inside a longer one is not found ("sussex" holds nothing).
    """
    rows = [{} if url is None else _signals(url, lists) for url in urls.to_pylist()]
    return pa.array(rows, type=SIGNALS)


def domain_entry(line: str) -> str | None:
    """A line of a domain list: `example.org`, or the hosts-file form `0.0.0.0 example.org`. None where it is neither.

    >>> domain_entry("0.0.0.0 WWW.Example.org.  # ads")
    'example.org'
    """
    fields = line.partition("#")[0].split()
    host = _bare(_ascii_host(fields[-1])) if fields else ""
    return host if _HOST.fullmatch(host) else None


def url_entry(line: str) -> str | None:
    """A line of a URL list as `url_key` has it; None for a blank one or a comment, which begins with "#"."""
    line = line.strip()
    return url_key(line) if line and not line.startswith("#") else None


def word_entry(line: str) -> str | None:
    """A line of a word list in lower case; None for a blank one or a comment, which begins with "#"."""
    line = line.strip().lower()
    return line if line and not line.startswith("#") else None


def url_key(url: str) -> str:
    """What two spellings of one URL share: no scheme, `www.`, fragment or trailing slash; host in lower case.

    >>> url_key("HTTPS://www.Example.org/A/?q=1#top")
    'example.org/A/?q=1'
    """
    url = url.strip().partition("#")[0]
    _, separator, rest = url.partition("://")
    host, slash, path = (rest if separator else url).partition("/")
    return (_bare(host.lower()) + slash + path).rstrip("/")


def _signals(url: str, lists: UrlLists) -> dict[str, Any]:
    parts = _split(url)
    host = _host(parts)
    words = set(_WORD.findall(unquote(url[:MAX_WORD_CHARS], errors="replace").lower()))
    return {
        "url_chars": len(url),
        "scheme": parts.scheme if parts else "",
        "malformed_url": parts is None or (parts.scheme in ("http", "https") and host is None),
        "ip_host": host is not None and _is_address(host),
        "blocklisted_domain": host is not None and any(_listed(name, lists.domains) for name in _and_parents(host)),
        "blocklisted_url": _listed(url_key(url), lists.urls),
        "hard_word": any(_listed(word, lists.hard_words) for word in words),
        "soft_word_count": sum(_listed(word, lists.soft_words) for word in words),
    }


def _listed(entry: str, lists: Lists) -> bool:
    return any(entry in entries for entries in lists)


def _split(url: str) -> SplitResult | None:
    """None where it cannot be a URL. `urlsplit` drops some control characters silently, so they are sought first."""
    if _CONTROL.search(url.strip()):
        return None
    parts: SplitResult | None = _or_none(lambda: urlsplit(url.strip()))
    return parts


def _host(parts: SplitResult | None) -> str | None:
    """The valid host, in ASCII where IDNA has it so; None where there is none or the port is no number."""
    if parts is None or _or_none(lambda: (parts.port,)) is None:
        return None
    host = _ascii_host(parts.hostname or "")
    if 0 < len(host) <= MAX_HOST_CHARS and (_HOST.fullmatch(host) or ":" in host):
        return host
    return None


def _ascii_host(host: str) -> str:
    host = host.lower().rstrip(".")
    if host.isascii() or len(host) > MAX_HOST_CHARS:
        return host
    encoded = _or_none(lambda: host.encode("idna").decode("ascii"))
    return encoded if encoded is not None else host


def _bare(host: str) -> str:
    return host.removeprefix("www.")


def _and_parents(host: str) -> Iterator[str]:
    """`a.b.c`, `b.c`, `c`."""
    while host:
        yield host
        host = host.partition(".")[2]


def _is_address(host: str) -> bool:
    """An IP address. A last label of digits or hex makes a host an IPv4 address (WHATWG URL, "ends in a number")."""
    last = host.rpartition(".")[2]
    is_number = re.fullmatch(r"[0-9]+|0x[0-9a-f]*", last) is not None
    return is_number or _or_none(lambda: ipaddress.ip_address(host)) is not None


def _or_none(parse: Callable[[], Any]) -> Any:
    """What `parse` returns, or None where it says that its input is no such thing."""
    try:
        return parse()
    except ValueError:  # UnicodeError, of the IDNA codec, is one
        return None
