"""What a URL consists of, for a whole column: scheme, host, the form in which URLs are compared, readable text.

`urllib` and the IDNA codec decide. In front of them stands one regular expression for what nearly every crawled URL is:
http or https, ASCII, a host of letters, digits, "-", "_" and ".", no user, no white space. What it does not match goes
through `urllib`; the tests hold both to the same answer.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

import pyarrow as pa
import pyarrow.compute as pc

#: RFC 1035, section 2.3.4. Also what keeps the cost of IDNA encoding, which is not linear, within bounds.
MAX_HOST_CHARS = 253
#: Words are sought in the first characters only; a longer URL breaks the length limit of any sane recipe.
MAX_WORD_CHARS = 100_000

_ORDINARY = (
    r"^(?P<scheme>[Hh][Tt][Tt][Pp][Ss]?)://(?P<host>[A-Za-z0-9_.-]+)(?P<port>:[0-9]{1,4})?"
    r'(?P<query>\?[!-"$-.0-~]*)?(?P<path>/[!-"$-~]*)?(?:#[!-~]*)?$'  # a query before any path belongs to no path
)
_ASCII_HOST = r"^[a-z0-9_-]+(\.[a-z0-9_-]+)*$"
_NUMERIC_END = r"(^|\.)([0-9]+|0x[0-9a-f]*)$"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)*")


class UrlParts(NamedTuple):
    """One value for each URL, null for a null one."""

    scheme: pa.StringArray  # lower case; "" where there is none
    malformed: pa.BooleanArray  # cannot be parsed, or is http(s) without a valid host
    ip_host: pa.BooleanArray  # the host is an address, in any of the spellings that browsers take for one
    host: pa.StringArray  # lower case, ASCII where IDNA has it so, no dot at its end; "" where there is no valid one
    key: pa.StringArray  # as `url_key` has it
    readable: pa.StringArray  # the first `MAX_WORD_CHARS` characters, percent-decoded


def url_parts(urls: pa.StringArray) -> UrlParts:
    """The parts of each URL."""
    ordinary = _ordinary(urls)
    others = pc.and_(pc.is_null(ordinary.host), pc.is_valid(urls))
    if not pc.any(others).as_py():
        return ordinary
    parsed = [parsed_url(url) for url in urls.filter(others).to_pylist()]
    return UrlParts(
        *(
            pc.replace_with_mask(fast, others, pa.array([parts[i] for parts in parsed], fast.type))
            for i, fast in enumerate(ordinary)
        )
    )


def parsed_url(url: str) -> tuple[str, bool, bool, str, str, str]:
    """The fields of `UrlParts` for one URL, by `urllib` alone."""
    parts = _split(url)
    host = _host(parts)
    return (
        parts.scheme if parts else "",
        parts is None or (parts.scheme in ("http", "https") and host is None),
        host is not None and _is_address(host),
        host or "",
        url_key(url),
        unquote(url[:MAX_WORD_CHARS], errors="replace"),
    )


def url_key(url: str) -> str:
    """What two spellings of one URL share: no scheme, `www.`, fragment or trailing slash; host in lower case.

    >>> url_key("HTTPS://www.Example.org/A/?q=1#top")
    'example.org/A/?q=1'
    """
    url = url.strip().partition("#")[0]
    _, separator, rest = url.partition("://")
    host, slash, path = (rest if separator else url).partition("/")
    return (host.lower().removeprefix("www.") + slash + path).rstrip("/")


def ascii_host(host: str) -> str:
    """A host in lower case without a dot at its end, in ASCII where IDNA can."""
    host = host.lower().rstrip(".")
    if host.isascii() or len(host) > MAX_HOST_CHARS:
        return host
    encoded = _or_none(lambda: host.encode("idna").decode("ascii"))
    return encoded if encoded is not None else host


def is_host(host: str) -> bool:
    """Whether a name is labels of letters, digits, "-" and "_" between dots."""
    return _HOST.fullmatch(host) is not None


def _ordinary(urls: pa.StringArray) -> UrlParts:
    """The parts of ordinary URLs; null for others."""
    found = pc.extract_regex(urls, _ORDINARY)
    scheme, name, port, query, path = (pc.struct_field(found, field.name) for field in found.type)
    host = pc.ascii_rtrim(pc.ascii_lower(name), ".")
    short = pc.and_(
        pc.less_equal(pc.binary_length(host), MAX_HOST_CHARS), pc.less_equal(pc.binary_length(urls), MAX_WORD_CHARS)
    )
    right = pc.and_(short, pc.match_substring_regex(host, _ASCII_HOST))
    right = pc.and_(right, found.is_valid())
    authority = pc.ascii_lower(pc.binary_join_element_wise(name, port, query, ""))
    key = pc.binary_join_element_wise(pc.replace_substring_regex(authority, r"^www\.", ""), path, "")
    ip_host = pc.match_substring_regex(host, _NUMERIC_END)
    values = (pc.ascii_lower(scheme), pc.is_null(host), ip_host, host, pc.ascii_rtrim(key, "/"), _decoded(urls))
    return UrlParts(*(pc.if_else(right, value, pa.scalar(None, value.type)) for value in values))


def _decoded(urls: pa.StringArray) -> pa.StringArray:
    escaped = pc.fill_null(pc.match_substring(urls, "%"), False)
    texts = [unquote(url[:MAX_WORD_CHARS], errors="replace") for url in urls.filter(escaped).to_pylist()]
    return pc.replace_with_mask(urls, escaped, pa.array(texts, urls.type)) if texts else urls


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
    host = ascii_host(parts.hostname or "")
    return host if 0 < len(host) <= MAX_HOST_CHARS and (is_host(host) or ":" in host) else None


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
