"""Take URLs and IP addresses out of texts, and shorten runs of newlines.

Source: DCLM's `url_removal_modifier` and `newline_removal_modifier` (`baselines/mappers/modifiers.py`, commit
15af3ce5), here without regular expressions. A URL is up to 256 of `A-Z a-z 0-9 - @ : % . _ + ~ # =`, a dot, a top-level
domain in lower case that no letter, digit or "_" follows, and then whatever a path may hold, a closing bracket or full
stop too; `http://`, `https://` or `ftp://` before it and up to ten white space characters before that go with it. So
mail addresses go, and "readme.md" and "end.in the middle". An IP address is four numbers of one to three digits with
dots, and what a path may hold behind them.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.compiled import compiled
from curate.kernels.key_set import HASH_SEED, KeySet, KeyTable, find_key, next_hash
from curate.kernels.rewritten import rewritten, room_like
from curate.kernels.scan import flags_of
from curate.kernels.signals import signal_struct
from curate.kernels.strip import char_before, is_space
from curate.kernels.unicode_tables import LETTER, NUMBER, CharTable, char_table
from curate.kernels.utf8 import Bool, Bytes, Int, Offsets, code_point, utf8

SIGNALS = pa.struct(
    [
        pa.field("url_count", pa.int32()),  # removed, mail addresses and the like too
        pa.field("ip_address_count", pa.int32()),  # removed
        pa.field("newline_count", pa.int32()),  # removed
    ]
)
MAX_HOST, MAX_SPACE, MAX_TLD = 256, 10, 32  # characters, characters, bytes

_LETTERS_DIGITS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_HOST = np.zeros(256, np.bool_)
_HOST[[ord(char) for char in _LETTERS_DIGITS + "-@:%._+~#="]] = True
_PATH = _HOST.copy()
_PATH[[ord(char) for char in "()?&/"]] = True
_DOT, _NEWLINE, _UNDERSCORE = 46, 10, 95


def strip_urls(
    texts: pa.Array, tlds: KeySet, *, urls: bool, ip_addresses: bool, max_newlines: int | None, by_start: bool
) -> tuple[pa.StringArray, pa.StructArray]:
    """The texts that are left, and `SIGNALS`. Null text: null text and fields.

    by_start: take URLs only out of texts that begin with a top-level domain, in any case.
    """
    data, offsets = utf8(texts)
    out, ends = room_like(offsets)
    counts = np.zeros((len(texts), len(SIGNALS)), np.int64)
    most = np.iinfo(np.int64).max if max_newlines is None else max_newlines
    _strip_all(data, offsets, char_table(), tlds.table, urls, ip_addresses, most, by_start, out, ends, counts)
    signals = {name: counts[:, i] for i, name in enumerate(SIGNALS.names)}
    return rewritten(texts, out, ends), signal_struct(SIGNALS, signals, texts)


@compiled
def _strip_all(
    data: Bytes,
    offsets: Offsets,
    table: CharTable,
    tlds: KeyTable,
    urls: Bool,
    ip_addresses: Bool,
    max_newlines: Int,
    by_start: Bool,
    out: Bytes,
    ends: Offsets,
    counts: NDArray[np.int64],
) -> None:
    for row in range(offsets.size - 1):
        size = offsets[row + 1] - offsets[row]
        text = out[ends[row] : ends[row] + size]
        text[:] = data[offsets[row] : offsets[row + 1]]
        if urls and (not by_start or _begins_with_tld(text, table, tlds)):
            size, counts[row, 0] = _without_urls(text, size, table, tlds)
        if ip_addresses:
            size, counts[row, 1] = _without_addresses(text, size, table)
        left = _without_newlines(text, size, max_newlines)
        counts[row, 2] = size - left
        ends[row + 1] = ends[row] + left


@compiled
def _without_urls(text: Bytes, size: Int, table: CharTable, tlds: KeyTable) -> tuple[Int, Int]:
    """Bytes that are left of `text[:size]`, at its front, and how many URLs are gone.

    Linear: it looks at dots alone, back from one that ends a host at most `MAX_HOST` bytes, and goes on behind the URL.
    """
    at = done = out = count = 0
    while at < size:
        if text[at] != _DOT:
            at += 1
            continue
        if at == done or not _HOST[text[at - 1]] or _tld_end(text, at + 1, size, table, tlds) == 0:
            at += 1
            continue
        start = at
        while start > done and at - start < MAX_HOST and _HOST[text[start - 1]]:
            start -= 1
        floor, out = out, _moved(text, done, start, out)
        if start == done or not _HOST[text[start - 1]]:
            out = _before_space(text, floor, _before_scheme(text, floor, out), table)
        at = done = _url_end(text, start, at, size, table, tlds)
        count += 1
    return _moved(text, done, size, out), count


@compiled
def _url_end(text: Bytes, start: Int, dot: Int, size: Int, table: CharTable, tlds: KeyTable) -> Int:
    """Where the URL ends whose host begins at `start` and whose first top-level domain follows `dot`."""
    end = _tld_end(text, dot + 1, size, table, tlds)
    # A later dot may stand before a domain that is not ASCII, and so reach further; only the last one can.
    last = run = dot
    while run < size and _HOST[text[run]]:
        if text[run] == _DOT:
            last = run
        run += 1
    if last - start <= MAX_HOST:
        end = max(end, _tld_end(text, last + 1, size, table, tlds))
    while end < size and _PATH[text[end]]:
        end += 1
    return end


@compiled
def _tld_end(text: Bytes, start: Int, size: Int, table: CharTable, tlds: KeyTable) -> Int:
    """Where the longest top-level domain ends that begins at `start` and ends where a word does; 0 for none."""
    at, found, hashed = start, 0, HASH_SEED
    word = False
    while at < size and at - start <= MAX_TLD:
        point, width = code_point(text, at, size)
        inside = _in_word(point, table)
        if inside != word and at > start and find_key(tlds, hashed, text, start, at) >= 0:
            found = at
        if not inside and point < 128:
            return found
        for i in range(at, at + width):
            hashed = next_hash(hashed, text[i])
        at, word = at + width, inside
    if at == size and word and find_key(tlds, hashed, text, start, at) >= 0:
        found = at
    return found


@compiled
def _begins_with_tld(text: Bytes, table: CharTable, tlds: KeyTable) -> Bool:
    """True where a text begins with a top-level domain, its ASCII letters in any case."""
    hashed = HASH_SEED
    lower = np.empty(MAX_TLD, np.uint8)
    for at in range(min(text.size, MAX_TLD)):
        lower[at] = text[at] + 32 if 65 <= text[at] <= 90 else text[at]
        hashed = next_hash(hashed, lower[at])
        if find_key(tlds, hashed, lower, 0, at + 1) >= 0:
            return True
    return False


@compiled
def _without_addresses(text: Bytes, size: Int, table: CharTable) -> tuple[Int, Int]:
    """Bytes that are left of `text[:size]` without IP addresses, at its front, and how many are gone. Linear."""
    at = done = out = count = 0
    while at < size:
        if text[at] != _DOT:
            at += 1
            continue
        start = at
        while start > done and at - start < 3 and _is_digit(text[start - 1]):
            start -= 1
        end = 0
        if start < at and not _word_before(text, 0, start, table):
            end = _address_end(text, start, size)
        if end == 0:
            at += 1
            continue
        floor, out = out, _moved(text, done, start, out)
        scheme = _before_scheme(text, floor, out)
        out = out if _word_before(text, floor, scheme, table) else scheme
        out = _before_space(text, floor, out, table)
        at = done = end
        count += 1
    return _moved(text, done, size, out), count


@compiled
def _address_end(text: Bytes, at: Int, size: Int) -> Int:
    """Where an IP address ends that begins at `at`, with what a path may hold behind it; 0 where there is none."""
    for _ in range(3):
        digits = 0
        while at + digits < size and digits < 3 and _is_digit(text[at + digits]):
            digits += 1
        if digits == 0 or (digits == 3 and text[at] > 50) or at + digits >= size or text[at + digits] != _DOT:
            return 0
        at += digits + 1
    if at >= size or not _is_digit(text[at]):
        return 0
    while at < size and _PATH[text[at]]:
        at += 1
    return at


@compiled
def _without_newlines(text: Bytes, size: Int, most: Int) -> Int:
    """Bytes that are left of `text[:size]` with at most so many newlines in a row."""
    if most >= size:
        return size
    out = run = 0
    for at in range(size):
        run = run + 1 if text[at] == _NEWLINE else 0
        if run <= most:
            text[out] = text[at]
            out += 1
    return out


@compiled
def _is_digit(byte: Int) -> Bool:
    return 48 <= byte < 58


@compiled
def _word_before(text: Bytes, floor: Int, at: Int, table: CharTable) -> Bool:
    """True where a letter, digit or "_" stands before `at`."""
    return at > floor and _in_word(code_point(text, char_before(text, floor, at), at)[0], table)


@compiled
def _in_word(point: Int, table: CharTable) -> Bool:
    return point == _UNDERSCORE or flags_of(table, point) & (LETTER | NUMBER) != 0


@compiled
def _moved(text: Bytes, start: Int, end: Int, out: Int) -> Int:
    """Copy `text[start:end]` to `out`, which is no later; where the copy ends."""
    if start == out:
        return end
    for i in range(start, end):
        text[out] = text[i]
        out += 1
    return out


@compiled
def _before_scheme(text: Bytes, floor: Int, out: Int) -> Int:
    """Where `text[floor:out]` ends without `http://`, `https://` or `ftp://`."""
    if out - floor < 6 or text[out - 1] != 47 or text[out - 2] != 47 or text[out - 3] != 58:
        return out
    if text[out - 4] == 115 and out - floor >= 8 and _is_http(text, out - 4):
        return out - 8
    if out - floor >= 7 and _is_http(text, out - 3):
        return out - 7
    return out - 6 if text[out - 6] == 102 and text[out - 5] == 116 and text[out - 4] == 112 else out


@compiled
def _is_http(text: Bytes, end: Int) -> Bool:
    return text[end - 4] == 104 and text[end - 3] == 116 and text[end - 2] == 116 and text[end - 1] == 112


@compiled
def _before_space(text: Bytes, floor: Int, out: Int, table: CharTable) -> Int:
    """Where `text[floor:out]` ends without up to ten white space characters."""
    for _ in range(MAX_SPACE):
        if out <= floor:
            break
        before = char_before(text, floor, out)
        if not is_space(text, before, out, table):
            break
        out = before
    return out
