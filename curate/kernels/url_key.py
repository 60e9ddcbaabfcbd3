"""The form of a URL whose equality makes two documents visits to one page.

Of http and https, which count as one scheme:

- host in lower case, a name in other letters as IDNA writes it, no dot at its end; no user; no default port;
- escapes as RFC 3986 §6.2.2 has them: hex digits in upper case, unreserved characters unescaped, and what may not stand
  in a URL escaped as UTF-8 (RFC 3987 §3.1), so that "/é" is "/%C3%A9"; then dot segments removed (§6.2.2.3);
- no fragment, no slash at the end of the path, no empty parameters;
- by rule: no `www.`, no tracking parameters, parameters in order of their bytes.

It is the canonicalisation behind Common Crawl's URL index and the Internet Archive's (the `surt` package,
`GoogleURLCanonicalizer` and `IAURLCanonicalizer`) with three differences, each because two pages that differ must not
become one: case counts in path and query, escapes are undone once and for unreserved characters alone, and slashes
beside slashes stay. `surt` also strips `www2.` and, by their looks, session ids of path and query.

A URL of another scheme, of none, or that does not parse is compared as it came.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, compiled
from curate.kernels.rewritten import rewritten
from curate.kernels.url_parts import MAX_HOST_CHARS, ascii_host, is_host
from curate.kernels.utf8 import Bool, Bytes, Int, Offsets, utf8

#: Parameters that say how a visitor came. Source: the registry at github.com/mpchadwick/tracking-query-params-registry
#: (`_data/params.csv`, public domain, 2024), without four names that mean a page elsewhere (si, campid, toolid,
#: customid); families of one maker as prefixes; and two session ids of those that `surt` strips.
TRACKING_PARAMS = tuple(
    """
    utm_* mtm_* matomo_* piwik_* pk_campaign pk_kwd pk_keyword hsa_* trk_contact trk_msg trk_module trk_sid sms_source
    sms_click sms_uph fbclid gclid gclsrc dclid gbraid wbraid twclid yclid msclkid ttclid igshid _ga mc_cid mc_eid
    _bta_tid _bta_c gdfms gdftrk gdffi _ke _kx redirect_log_mongo_id redirect_mongo_id sb_referer_host mkwid pcrid
    ef_id s_kwcid dm_i epik _branch_match_id mkevt mkcid mkrid jsessionid phpsessid
    """.split()
)


class UrlRules(NamedTuple):
    """What of a URL does not count."""

    strip_www: bool = True  # `www.` before a name of two labels or more; as surt
    sort_query: bool = True  # as surt
    drop_params: tuple[str, ...] = TRACKING_PARAMS  # names, or beginnings as in "utm_*"; case does not count


#: A longer URL, or one of more parameters, goes the slow way: sorting here takes the square of their number.
MAX_BYTES, MAX_PARAMS = 4096, 32

_TRIMMED = "".join(map(chr, range(33)))  # C0 controls and space, as WHATWG trims
_RESERVED = b":/?#[]@!$&'()*+,;="  # RFC 3986 §2.2
_UNRESERVED = b"-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"  # §2.3
_ESCAPE = re.compile(b"%[0-9A-Fa-f]{2}|[^" + re.escape(_RESERVED + _UNRESERVED) + b"]", re.DOTALL)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def url_key(url: str, rules: UrlRules) -> str | None:
    """The key of one URL, in ASCII; None for a blank one. This is the definition; `url_keys` does a column of them.

    >>> url_key("HTTPS://www.Example.org:443/a/../%7Eb/?z=1&utm_source=x&a=%c3%a9#top", UrlRules())
    '//example.org/~b?a=%C3%A9&z=1'
    """
    url = url.strip(_TRIMMED).translate({9: None, 10: None, 13: None})
    try:
        parts = urlsplit(url)
        port, host = parts.port, ascii_host(parts.hostname or "")
    except ValueError:  # brackets that do not match, a port that is no number
        return _as_it_came(url)
    is_named = len(host) <= MAX_HOST_CHARS and host.isascii() and (is_host(host) or ":" in host)
    if parts.scheme not in _DEFAULT_PORTS or not is_named:
        return _as_it_came(url) if url else None
    if rules.strip_www and host.startswith("www.") and "." in host[4:]:
        host = host[4:]
    authority = f"[{host}]" if ":" in host else host
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        authority += f":{port}"
    query = "&".join(_params(parts.query, rules))
    return "//" + authority + _path(parts.path) + ("?" + query if query else "")


def url_keys(urls: pa.StringArray, rules: UrlRules) -> pa.StringArray:
    """`url_key` of each URL; null for a null or blank one. A byte that is no UTF-8 is escaped like any other."""
    data, offsets = utf8(urls)
    size = np.minimum(np.diff(offsets), MAX_BYTES).sum() * 3
    out, ends = np.empty(int(size) + 1, np.uint8), np.zeros(len(offsets), np.int64)
    ordinary = np.zeros(len(urls), np.bool_)
    _ordinary_keys(data, offsets, rules.strip_www, rules.sort_query, _names(rules.drop_params), out, ends, ordinary)
    keys = rewritten(urls, out, ends)
    others = pc.and_(urls.is_valid(), pa.array(~ordinary))
    if not others.true_count:
        return keys
    slow = [url_key(_readable(url), rules) for url in urls.filter(others)]
    return pc.replace_with_mask(keys, others, pa.array(slow, pa.string()))


def _readable(url: pa.StringScalar) -> str:
    return str(url.as_buffer().to_pybytes(), "utf-8", "surrogateescape")


def _as_it_came(url: str) -> str:
    return quote(url, safe="".join(map(chr, range(33, 127))), errors="surrogateescape")


def _path(path: str) -> str:
    """A path without dot segments and without slashes at its end (RFC 3986 §5.2.4)."""
    kept: list[str] = []
    for segment in _escaped(path).split("/")[1:]:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    return "".join("/" + segment for segment in kept).rstrip("/")


def _params(query: str, rules: UrlRules) -> list[str]:
    exact = frozenset(name for name in rules.drop_params if not name.endswith("*"))
    prefixes = tuple(name[:-1] for name in rules.drop_params if name.endswith("*"))
    params = []
    for param in filter(None, map(_escaped, query.split("&"))):
        name = param.partition("=")[0].lower()
        if name not in exact and not name.startswith(prefixes):
            params.append(param)
    return sorted(params) if rules.sort_query else params


def _escaped(text: str) -> str:
    return _ESCAPE.sub(_escape, text.encode("utf-8", "surrogateescape")).decode("ascii")


def _escape(found: re.Match[bytes]) -> bytes:
    token = found[0]
    byte = int(token[1:], 16) if len(token) == 3 else token[0]
    return bytes([byte]) if byte in _UNRESERVED else b"%%%02X" % byte


class _Names(NamedTuple):
    """Parameters to leave out, one after the other."""

    text: Bytes
    offsets: Offsets
    is_prefix: NDArray[np.bool_]


@cache
def _names(drop_params: tuple[str, ...]) -> _Names:
    data, offsets = utf8(pa.array([name.removesuffix("*") for name in drop_params], pa.string()))
    return _Names(data.copy(), offsets.copy(), np.array([name.endswith("*") for name in drop_params], np.bool_))


class _Room(NamedTuple):
    """Where the parameters of one URL are gathered."""

    text: Bytes
    start: Offsets
    end: Offsets


_NEITHER, _IS_RESERVED, _IS_UNRESERVED = 0, 1, 2
_KIND = np.zeros(256, np.uint8)
_KIND[list(_RESERVED)], _KIND[list(_UNRESERVED)] = _IS_RESERVED, _IS_UNRESERVED
_DIGITS = np.frombuffer(b"0123456789ABCDEF", np.uint8)
_NOT_HEX = 16
_HEX = np.full(256, _NOT_HEX, np.uint8)
_HEX[list(b"0123456789ABCDEFabcdef")] = [*range(16), *range(10, 16)]
_NOT_ORDINARY = -1


@compiled
def _ordinary_keys(
    data: Bytes,
    offsets: Offsets,
    strip_www: Bool,
    sort_query: Bool,
    names: _Names,
    out: Bytes,
    ends: Offsets,
    ordinary: NDArray[np.bool_],
) -> None:
    """Write the keys of URLs as nearly all are; others leave nothing and are false in `ordinary`."""
    room = _Room(np.empty(3 * MAX_BYTES, np.uint8), np.empty(MAX_PARAMS, np.int64), np.empty(MAX_PARAMS, np.int64))
    filled = 0
    for row in range(offsets.size - 1):
        end = _key(data, offsets[row], offsets[row + 1], strip_www, sort_query, names, room, out, filled)
        ordinary[row] = end != _NOT_ORDINARY
        filled = end if ordinary[row] else filled
        ends[row + 1] = filled


@borrowing
def _key(
    data: Bytes,
    at: Int,
    end: Int,
    strip_www: Bool,
    sort_query: Bool,
    names: _Names,
    room: _Room,
    out: Bytes,
    filled: Int,
) -> Int:
    """Where the key of one URL ends in `out`."""
    while at < end and data[at] <= 32:
        at += 1
    while end > at and data[end - 1] <= 32:
        end -= 1
    if end - at > MAX_BYTES:
        return _NOT_ORDINARY
    for i in range(at, end):
        if data[i] == 9 or data[i] == 10 or data[i] == 13:
            return _NOT_ORDINARY
    at, filled = _authority(data, at, end, strip_www, out, filled)
    if filled == _NOT_ORDINARY:
        return filled
    at, filled = _write_path(data, at, end, out, filled)
    if at < end and data[at] == 0x3F:
        filled = _write_query(data, at + 1, end, sort_query, names, room, out, filled)
    return filled


@borrowing
def _authority(data: Bytes, at: Int, end: Int, strip_www: Bool, out: Bytes, filled: Int) -> tuple[Int, Int]:
    """Write "//", host and port; where the path begins, and where `out` is filled to."""
    wrong = at, np.int64(_NOT_ORDINARY)
    is_https = at + 5 < end and data[at + 4] | 32 == 0x73
    after = at + 5 if is_https else at + 4
    if after + 3 >= end or data[after] != 0x3A or data[after + 1] != 0x2F or data[after + 2] != 0x2F:
        return wrong
    if data[at] | 32 != 0x68 or data[at + 1] | 32 != 0x74 or data[at + 2] | 32 != 0x74 or data[at + 3] | 32 != 0x70:
        return wrong
    at = start = after + 3
    after_dot = True
    begin = filled + 2
    out[filled] = out[filled + 1] = 0x2F
    filled = begin
    num_dots = 0
    while at < end and (_KIND[data[at]] == _IS_UNRESERVED and data[at] != 0x7E):
        byte = data[at]
        is_dot = byte == 0x2E
        if is_dot and after_dot:
            break
        num_dots, after_dot = num_dots + is_dot, is_dot
        out[filled] = byte | 32 if 65 <= byte <= 90 else byte
        filled, at = filled + 1, at + 1
    if at == start or at - start > MAX_HOST_CHARS:
        return wrong
    if after_dot:  # one at the end is none
        filled, num_dots = filled - 1, num_dots - 1
    is_www = out[begin] == out[begin + 1] == out[begin + 2] == 0x77 and out[begin + 3] == 0x2E
    if strip_www and num_dots > 1 and is_www and filled - begin > 4:
        for i in range(begin + 4, filled):
            out[i - 4] = out[i]
        filled -= 4
    if at < end and data[at] == 0x3A:
        at, filled = _port(data, at + 1, end, 443 if is_https else 80, out, filled)
    if at < end and data[at] != 0x2F and data[at] != 0x3F and data[at] != 0x23:
        return wrong
    return at, filled


@borrowing
def _port(data: Bytes, at: Int, end: Int, default: Int, out: Bytes, filled: Int) -> tuple[Int, Int]:
    """Write ":" and the port unless it is the default; where it ends, and where `out` is filled to."""
    start: Int = at
    port: Int = 0
    while at < end and 0x30 <= data[at] <= 0x39 and at - start < 5:
        port = port * 10 + np.int64(data[at]) - 0x30
        at += 1
    if port > 65535:
        return at, np.int64(_NOT_ORDINARY)
    if at > start and port != default:
        out[filled] = 0x3A
        filled += 1
        divisor = 10000
        while divisor > 1 and port < divisor:
            divisor //= 10
        while divisor:
            out[filled] = 0x30 + port // divisor % 10
            filled, divisor = filled + 1, divisor // 10
    return at, filled


@borrowing
def _write_path(data: Bytes, at: Int, end: Int, out: Bytes, filled: Int) -> tuple[Int, Int]:
    """Write the path; where it ends, and where `out` is filled to."""
    begin = segment = filled
    while True:
        is_end = at >= end or data[at] == 0x3F or data[at] == 0x23
        if not is_end and data[at] != 0x2F:
            at, filled = _write_char(data, at, end, out, filled)
            continue
        size = filled - segment
        is_dot = size == 1 and out[segment] == 0x2E
        is_parent = size == 2 and out[segment] == 0x2E and out[segment + 1] == 0x2E
        if is_dot or is_parent:
            filled = segment
        if is_parent and segment > begin + 1:
            filled -= 1
            while out[filled - 1] != 0x2F:
                filled -= 1
        if is_end:
            break
        if not (is_dot or is_parent):
            out[filled] = 0x2F
            filled += 1
        segment, at = filled, at + 1
    while filled > begin and out[filled - 1] == 0x2F:
        filled -= 1
    return at, filled


@borrowing
def _write_query(
    data: Bytes, at: Int, end: Int, sort_query: Bool, names: _Names, room: _Room, out: Bytes, filled: Int
) -> Int:
    """Write "?" and the parameters that count; where `out` is filled to."""
    text, gathered, num_params = room.text, 0, 0
    while at < end and data[at] != 0x23:
        start = gathered
        while at < end and data[at] != 0x26 and data[at] != 0x23:
            at, gathered = _write_char(data, at, end, text, gathered)
        at += at < end and data[at] == 0x26
        if gathered == start or _is_dropped(text, start, gathered, names):
            gathered = start
            continue
        if num_params == MAX_PARAMS:
            return _NOT_ORDINARY
        place = num_params
        while (
            sort_query and place > 0 and _is_before(text, start, gathered, room.start[place - 1], room.end[place - 1])
        ):
            room.start[place], room.end[place] = room.start[place - 1], room.end[place - 1]
            place -= 1
        room.start[place], room.end[place] = start, gathered
        num_params += 1
    for number in range(num_params):
        out[filled] = 0x26 if number else 0x3F
        filled += 1
        for i in range(room.start[number], room.end[number]):
            out[filled] = text[i]
            filled += 1
    return filled


@borrowing
def _write_char(data: Bytes, at: Int, end: Int, out: Bytes, filled: Int) -> tuple[Int, Int]:
    """Write a character or an escape in its normal form; where the next one is, and where `out` is filled to."""
    byte, width = np.int64(data[at]), 1
    if byte == 0x25 and at + 2 < end and _HEX[data[at + 1]] < _NOT_HEX and _HEX[data[at + 2]] < _NOT_HEX:
        byte, width = np.int64(_HEX[data[at + 1]]) << 4 | np.int64(_HEX[data[at + 2]]), 3
    kind = _KIND[byte]
    if kind == _IS_UNRESERVED or (kind == _IS_RESERVED and width == 1):
        out[filled] = byte
        return at + width, filled + 1
    out[filled], out[filled + 1], out[filled + 2] = 0x25, _DIGITS[byte >> 4], _DIGITS[byte & 15]
    return at + width, filled + 3


@borrowing
def _is_dropped(text: Bytes, start: Int, end: Int, names: _Names) -> Bool:
    """Whether a parameter's name is one of those to leave out."""
    stop = start
    while stop < end and text[stop] != 0x3D:
        stop += 1
    for number in range(names.is_prefix.size):
        first = names.offsets[number]
        size = names.offsets[number + 1] - first
        if size == stop - start or (names.is_prefix[number] and size < stop - start):
            same = 0
            while same < size and _lower(text[start + same]) == names.text[first + same]:
                same += 1
            if same == size:
                return True
    return False


@borrowing
def _lower(byte: Int) -> Int:
    return byte | 32 if 65 <= byte <= 90 else byte


@borrowing
def _is_before(text: Bytes, a: Int, a_end: Int, b: Int, b_end: Int) -> Bool:
    while a < a_end and b < b_end and text[a] == text[b]:
        a, b = a + 1, b + 1
    return b < b_end and (a == a_end or text[a] < text[b])
