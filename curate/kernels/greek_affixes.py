"""What spaCy's tokenizer for Greek (3.8, `lang/el/punctuation.py`) does beyond the rules of `affixes`.

Words with hyphens, dates, ranges of numbers and elided words stay whole there. Runs of letters or digits are followed
for `_MAX_RUN` characters, so that no word is read over and over. Left out: the rule for addresses that begin with
"http://www." and have a hyphen.
"""

from __future__ import annotations

import numpy as np

from curate.kernels.compiled import borrowing
from curate.kernels.token_rules import (
    ALPHA,
    DIGIT,
    GREEK,
    GREEK_CAPITAL,
    GREEK_HYPHENED,
    LOWER,
    UPPER,
    Affixes,
    class_of,
    point_at,
    point_before,
)
from curate.kernels.utf8 import Bool, Bytes, Int, code_point

_MAX_RUN = 128
_APOSTROPHE, _PLUS, _COMMA, _HYPHEN, _DOT, _SLASH, _AT = 39, 43, 44, 45, 46, 47, 64
_ETA, _FINAL_SIGMA = 0x3B7, 0x3C2
_ACCENTED = (0x386, 0x388, 0x38A)  # Ά Έ Ί


@borrowing
def greek_prefix(text: Bytes, begin: Int, end: Int, rules: Affixes) -> Int:
    """Bytes that come off the front by a rule for Greek alone."""
    first = text[begin]
    if first == _APOSTROPHE:
        return _after_apostrophe(text, begin, end, rules)
    if first == _PLUS:  # +90%
        at = _digits(text, begin + 1, end, _MAX_RUN)
        return at + 1 - begin if at > begin + 1 and point_at(text, at, end) == 37 else 0
    if first == _HYPHEN:  # -12.13
        at = _digits(text, begin + 1, end, 9)
        if at == begin + 1 or point_at(text, at, end) != _DOT:
            return 0
        after = _digits(text, at + 1, end, 9)
        return after - begin if after > at + 1 else 0
    if first == 36:  # $12,50
        at = _digits(text, begin + 1, end, _MAX_RUN)
        if at == begin + 1:
            return 0
        after = _digits(text, at + 1, end, _MAX_RUN) if point_at(text, at, end) in (_COMMA, _DOT) else at
        return (after if after > at + 1 else at) - begin
    return _elided_or_starred(text, begin, end, rules) if first >= 0x80 else 0


@borrowing
def greek_suffix(text: Bytes, begin: Int, end: Int, rules: Affixes) -> Int:
    """Bytes that come off the end by a rule for Greek alone."""
    point, at = point_before(text, begin, end)
    before, before_at = point_before(text, begin, at)
    kind = class_of(rules, before)
    if point in (_APOSTROPHE, 38):  # 12' 12& a'
        start = _digits_before(text, begin, at)
        letter = point == _APOSTROPHE and _is_latin(before)
        return end - before_at if letter else end - start if start < at else 0
    if point in (_HYPHEN, _DOT) and kind & GREEK:
        alone = point == _DOT and kind & GREEK_CAPITAL and before_at == begin
        return end - begin if alone else 1
    if point == _DOT and kind & DIGIT:
        return end - begin if _digits(text, begin, end, 2) == at else 0
    if point == 41 and kind & DIGIT and before_at == begin:  # 1)
        return end - begin
    if point == 103 and before == 109:  # 13mg
        start = _digits_before(text, begin, before_at)
        return end - start if start < before_at else 0
    if point == 109:  # 1.2m
        fraction = _digits_before(text, begin, at)
        if fraction < at and fraction > begin and text[fraction - 1] == _DOT:
            start = _digits_before(text, begin, fraction - 1)
            return end - start if start < fraction - 1 else 0
    return _hyphened_before(text, begin, end, rules) if class_of(rules, point) & GREEK_HYPHENED else 0


@borrowing
def greek_infix(text: Bytes, begin: Int, end: Int, at: Int, previous: Int, rules: Affixes) -> Int:
    """Bytes that a Greek word is cut at from `at` on; `previous` is the class before it."""
    point, width = code_point(text, at, end)
    kind = class_of(rules, point)
    if kind & DIGIT:
        return _numbers(text, at, end)
    if _is_latin(point):
        inside = at > begin and _is_latin(_byte(text, at - 1))
        return 0 if inside else _latin(text, at, end)
    following = class_of(rules, point_at(text, at + width, end))
    if point in (_PLUS, _SLASH, _HYPHEN, 42, 94) and previous & DIGIT and following & DIGIT:
        return 1
    if point == _DOT:
        return 1 if previous & LOWER and following & UPPER else 0
    if point in (_COMMA, 58, 60, 62, 61, _SLASH):
        return 1 if previous & ALPHA and following & ALPHA else 0
    return 0


@borrowing
def _byte(text: Bytes, at: Int) -> Int:
    return np.int64(text[at])


@borrowing
def _is_latin(point: Int) -> Bool:
    return 65 <= point <= 90 or 97 <= point <= 122


@borrowing
def _latin_run(text: Bytes, at: Int, end: Int) -> Int:
    stop = min(end, at + _MAX_RUN)
    while at < stop and _is_latin(_byte(text, at)):
        at += 1
    return at


@borrowing
def _digits(text: Bytes, at: Int, end: Int, most: Int) -> Int:
    stop = min(end, at + most)
    while at < stop and 48 <= text[at] <= 57:
        at += 1
    return at


@borrowing
def _digits_before(text: Bytes, begin: Int, at: Int) -> Int:
    stop = max(begin, at - _MAX_RUN)
    while at > stop and 48 <= text[at - 1] <= 57:
        at -= 1
    return at


@borrowing
def _after_apostrophe(text: Bytes, begin: Int, end: Int, rules: Affixes) -> Int:
    """'' or '12'-13 or 'αβγ' at the front."""
    at = begin + 1
    if at < end and text[at] == _APOSTROPHE:
        return 2
    if _digits(text, at, end, 2) == at + 2:
        at += 2
        while (
            at + 3 < end
            and text[at] == _HYPHEN
            and text[at + 1] == _APOSTROPHE
            and _digits(text, at + 2, end, 2) == at + 4
        ):
            at += 4
        return at - begin
    for chars in range(_MAX_RUN):
        if at >= end:
            return 0
        point, width = code_point(text, at, end)
        if point == _APOSTROPHE and chars:
            return at + 1 - begin
        if not class_of(rules, point) & GREEK:
            return 0
        at += width
    return 0


@borrowing
def _elided_or_starred(text: Bytes, begin: Int, end: Int, rules: Affixes) -> Int:
    """One to three letters and an apostrophe, or letters and an asterisk, at the front."""
    at, elided = begin, True
    for chars in range(_MAX_RUN):
        if at >= end:
            return 0
        point, width = code_point(text, at, end)
        if point == _APOSTROPHE and 1 <= chars <= 3 and elided:
            return at + 1 - begin
        if point == 42 and chars:
            return at + 1 - begin
        if not class_of(rules, point) & GREEK:
            if point not in _ACCENTED:
                return 0
            elided = False
        at += width
    return 0


@borrowing
def _hyphened_before(text: Bytes, begin: Int, end: Int, rules: Affixes) -> Int:
    """Bytes of the longest end that is Greek letters in parts joined by single hyphens, two parts at least."""
    at, longest, hyphens = end, 0, 0
    after_hyphen = True
    for _ in range(_MAX_RUN):
        point, start = point_before(text, begin, at)
        if point == _HYPHEN and not after_hyphen:
            hyphens, after_hyphen = hyphens + 1, True
        elif point >= 0 and class_of(rules, point) & GREEK_HYPHENED:
            after_hyphen = False
            if hyphens:
                longest = end - start
        else:
            break
        at = start
    return longest


@borrowing
def _numbers(text: Bytes, at: Int, end: Int) -> Int:
    """1.5-2, 1,5-2,5, 1ης-2, 15/2/2017: bytes of the group of numbers that begins at `at`."""
    first = _digits(text, at, end, _MAX_RUN)
    after = first
    while point_at(text, after, end) == _DOT and _digits(text, after + 1, end, _MAX_RUN) > after + 1:
        after = _digits(text, after + 1, end, _MAX_RUN)
    ranged = _ranges(text, after, end)
    if ranged > after:
        return ranged - at
    if point_at(text, first, end) == _COMMA:
        after = first
        for mark in (_COMMA, _HYPHEN, _COMMA):
            following = _digits(text, after + 1, end, _MAX_RUN) if point_at(text, after, end) == mark else 0
            if following <= after + 1:
                return 0
            after = following
        return after - at
    after = first
    while point_at(text, after, end) in (_ETA, _FINAL_SIGMA) and after - first < _MAX_RUN:
        after += 2
    if after > first and _ranges(text, after, end) > after:
        return _ranges(text, after, end) - at
    return _date(text, at, first, end)


@borrowing
def _ranges(text: Bytes, at: Int, end: Int) -> Int:
    """Where the run of "-12" from `at` on ends."""
    while point_at(text, at, end) == _HYPHEN and _digits(text, at + 1, end, _MAX_RUN) > at + 1:
        at = _digits(text, at + 1, end, _MAX_RUN)
    return at


@borrowing
def _date(text: Bytes, at: Int, first: Int, end: Int) -> Int:
    """Bytes of 15/2 or 15/2/2017, whose first digits end at `first`."""
    if first - at > 4 or point_at(text, first, end) != _SLASH:
        return 0
    after = _digits(text, first + 1, end, 2)
    if after == first + 1:
        return 0
    if point_at(text, after, end) == _SLASH:
        after = _digits(text, after + 1, end, 4)
    return after - at


@borrowing
def _latin(text: Bytes, at: Int, end: Int) -> Int:
    """Bytes of a/b/c, of an e-mail address or of a-b, of Latin letters, that begins at `at`."""
    first = _latin_run(text, at, end)
    mark = point_at(text, first, end)
    if mark not in (_SLASH, _AT, _HYPHEN):
        return 0
    after = _latin_run(text, first + 1, end)
    if after == first + 1:
        return 0
    if mark == _SLASH:
        third = _latin_run(text, after + 1, end) if point_at(text, after, end) == _SLASH else after
        return third - at if third > after + 1 else 0
    while point_at(text, after, end) == _HYPHEN and _latin_run(text, after + 1, end) > after + 1:
        after = _latin_run(text, after + 1, end)
    if mark == _HYPHEN:
        return after - at
    last = _latin_run(text, after + 1, end) if point_at(text, after, end) == _DOT else after
    return last - at if last > after + 1 else 0
