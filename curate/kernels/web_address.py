"""Whether a string is a web address, in one trip over it.

The language is the one of the expression that spaCy takes from Diego Perini's (gist 729294, with the changes of
`spacy/lang/tokenizer_exceptions.py`, 3.8): an optional scheme, anything before an "@", a host of dotted labels of 1 to
64 characters that ends in 2 to 63 lower-case letters, or a public IPv4 address, an optional port, and anything after
"/", "?" or "#". A host may begin at the front, after the scheme or after any "@", and it holds none of these marks, so
trying them all costs no more than reading the string twice. Other digits than 0-9 are no digits here.
"""

from __future__ import annotations

import numpy as np

from curate.kernels.compiled import borrowing
from curate.kernels.scan import flags_of
from curate.kernels.token_rules import LOWER, Affixes, class_of, point_at
from curate.kernels.unicode_tables import LETTER, NUMBER, CharTable
from curate.kernels.utf8 import Bool, Bytes, Int, code_point

_DOT, _SLASH, _COLON, _AT = 46, 47, 58, 64
_MAX_LABEL, _MAX_TOP = 64, 63


@borrowing
def is_web_address(text: Bytes, start: Int, end: Int, table: CharTable, rules: Affixes) -> Bool:
    """True where all from `start` to `end` is a web address."""
    if _host(text, start, end, rules):
        return True
    after = _after_scheme(text, start, end, table)
    if after > start and _host(text, after, end, rules):
        return True
    for at in range(start + 1, end):  # noqa: SIM110 - compiled code has no generators
        if text[at] == _AT and _host(text, at + 1, end, rules):
            return True
    return False


@borrowing
def _after_scheme(text: Bytes, start: Int, end: Int, table: CharTable) -> Int:
    """Where the string goes on after "scheme://", or `start`."""
    at, chars = start, 0
    while at < end:
        point, width = code_point(text, at, end)
        if point == _COLON:
            slashes = at + 2 < end and text[at + 1] == _SLASH and text[at + 2] == _SLASH
            return at + 3 if slashes and chars >= 2 else start
        if not (flags_of(table, point) & (LETTER | NUMBER) or point in (95, 43, 45, 46)):  # _ + - .
            return start
        at, chars = at + width, chars + 1
    return start


@borrowing
def _host(text: Bytes, start: Int, end: Int, rules: Affixes) -> Bool:
    return _named_host(text, start, end, rules) or _numbered_host(text, start, end)


@borrowing
def _named_host(text: Bytes, start: Int, end: Int, rules: Affixes) -> Bool:
    at, labels = start, 0
    while True:
        first, chars, label, lower, last = True, 0, True, True, False
        point = -1
        while at < end:
            point, width = code_point(text, at, end)
            inner, is_lower = _in_label(point), class_of(rules, point) & LOWER != 0
            joined = point in (45, 95)  # - _
            if not (inner or is_lower or joined):
                break
            label = label and (inner or joined) and not (first and joined)
            lower, last, first = lower and is_lower, inner, False
            at, chars = at + width, chars + 1
            point = -1
        if point != _DOT:  # so this was the last part
            return labels > 0 and lower and 2 <= chars <= _MAX_TOP and _after_host(text, at, end)
        if not (label and last and 1 <= chars <= _MAX_LABEL):
            return False
        labels, at = labels + 1, at + 1


@borrowing
def _in_label(point: Int) -> Bool:
    return 48 <= point <= 57 or 65 <= point <= 90 or 97 <= point <= 122 or 0xA1 <= point <= 0xFFFF


@borrowing
def _numbered_host(text: Bytes, start: Int, end: Int) -> Bool:
    at = start
    a = b = c = d = np.int64(0)
    for i in range(4):
        if i:
            if point_at(text, at, end) != _DOT:
                return False
            at += 1
        value, begin = np.int64(0), at
        while at < end and at - begin < 3 and 48 <= text[at] <= 57:
            value, at = value * 10 + np.int64(text[at]) - 48, at + 1
        zeros = at - begin > 1 and text[begin] == 48
        # Leading zeros only within the inner two, as the expression has it: 1?\d{1,2} is 0 to 199 in any writing.
        if at == begin or (zeros and (i in (0, 3) or at - begin > 2)):
            return False
        a, b, c, d = b, c, d, value
    public = a not in (0, 10, 127) and a <= 223 and 1 <= d <= 254 and b <= 255 and c <= 255
    private = (a == 169 and b == 254) or (a == 192 and b == 168) or (a == 172 and 16 <= b <= 31)
    return public and not private and _after_host(text, at, end)


@borrowing
def _after_host(text: Bytes, at: Int, end: Int) -> Bool:
    """True for an optional port and then the end or "/", "?", "#"."""
    if at < end and text[at] == _COLON:
        begin = at + 1
        at = begin
        while at < end and at - begin < 6 and 48 <= text[at] <= 57:
            at += 1
        if not 2 <= at - begin <= 5:
            return False
    return at >= end or text[at] in (47, 63, 35)
