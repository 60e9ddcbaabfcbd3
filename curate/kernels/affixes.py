"""What comes off a word at its front and at its end, and what it is cut at inside.

The rules are those of spaCy's tokenizer (3.8: `lang/punctuation.py`, `lang/en`, `lang/ru` and `lang/pl`), told as what
they do to the next characters instead of as expressions. `begin` and `end` bound what is left of the word: nothing
outside is looked at. Lengths are in bytes, 0 where no rule holds; each is found in time that is bounded or paid for by
its length.
"""

from __future__ import annotations

from curate.kernels.compiled import borrowing
from curate.kernels.greek_affixes import greek_infix, greek_prefix, greek_suffix
from curate.kernels.token_rules import (
    ALPHA,
    BEFORE_DOT,
    COMBINING,
    CURRENCY,
    DIGIT,
    GREEK_RULES,
    HYPHEN_AFTER_DIGIT,
    ICON,
    JOINED,
    LOWER,
    MAX_BYTES,
    POLISH,
    POSSESSIVE,
    PREFIX,
    QUOTE,
    STRESS_MARKS,
    STYLE,
    SUFFIX,
    UNIT,
    UPPER,
    Affixes,
    class_of,
    find_listed,
    point_at,
    point_before,
    span_key,
)
from curate.kernels.utf8 import Bool, Bytes, Int, code_point

_DOT, _PLUS, _DOLLAR, _HYPHEN, _TILDE = 46, 43, 36, 45, 126
_EN_DASH, _EM_DASH, _ELLIPSIS, _DEGREE, _APOSTROPHE = 0x2013, 0x2014, 0x2026, 0xB0, 0x2019
_MAX_UNIT_CHARS = 6


@borrowing
def prefix_length(text: Bytes, begin: Int, end: Int, rules: Affixes) -> Int:
    """Bytes that come off the front."""
    if rules.lists[STYLE] & GREEK_RULES:
        length = greek_prefix(text, begin, end, rules)
        if length:
            return length
    point, width = code_point(text, begin, end)
    if class_of(rules, point) & PREFIX:
        return width
    if point == _DOT:
        dots = _run(text, begin, end, _DOT)
        return dots if dots > 1 else 0
    if point == _PLUS and not rules.lists[STYLE] & GREEK_RULES:
        return 0 if class_of(rules, point_at(text, begin + 1, end)) & DIGIT else 1
    if point in (65, 67) and point_at(text, begin + 1, end) == _DOLLAR:  # A$ C$
        return 2
    if point == 85 and begin + 2 < end and text[begin + 1] == 83 and text[begin + 2] == _DOLLAR:  # US$
        return 3
    if rules.lists[STYLE] & POLISH:
        return _joined_prefix(text, begin, end, rules)
    return 0


@borrowing
def suffix_length(text: Bytes, begin: Int, end: Int, rules: Affixes) -> Int:
    """Bytes that come off the end: of all rules that hold, the one that takes most."""
    point, at = point_before(text, begin, end)
    kind = class_of(rules, point)
    before, before_at = point_before(text, begin, at)
    length = 0
    if point == _DOT:
        length = _dots(text, begin, at, rules)
    elif kind & SUFFIX:
        twice = point == _ELLIPSIS or (rules.lists[STYLE] & POLISH and point in (39, _APOSTROPHE))
        length = end - before_at if twice and before == point else end - at
    elif point in (115, 83):  # s S
        if rules.lists[STYLE] & POSSESSIVE and before in (39, _APOSTROPHE):
            length = end - before_at
    elif point == _PLUS:
        length = 1 if class_of(rules, before) & DIGIT else 0
    elif kind & CURRENCY:
        length = _currency(text, begin, end, at, rules)
    if length == 0:
        length = _unit(text, begin, end, rules)
    if rules.lists[STYLE] & GREEK_RULES:
        return max(length, greek_suffix(text, begin, end, rules))
    return length


@borrowing
def infix_length(text: Bytes, begin: Int, end: Int, at: Int, previous: Int, rules: Affixes) -> Int:
    """Bytes that the word is cut at from `at` on, which has the class `INFIX`; `previous` is the class before it."""
    point, width = code_point(text, at, end)
    if point == _DOT:
        dots = _run(text, at, end, _DOT)
        if dots > 1:
            return dots
    if point == _ELLIPSIS or class_of(rules, point) & ICON:
        return width
    if rules.lists[STYLE] & GREEK_RULES:
        length = greek_infix(text, begin, end, at, previous, rules)
        return length if length else hyphens(text, at, end, previous, rules)
    following = class_of(rules, point_at(text, at + width, end))
    if rules.lists[STYLE] & POLISH:
        return width if _is_polish_infix(point, previous, point_at(text, at + width, end), following) else 0
    if previous & COMBINING and rules.lists[STYLE] & STRESS_MARKS:
        _, mark = point_before(text, begin, at)
        previous = class_of(rules, point_before(text, begin, mark)[0]) & ~(DIGIT | QUOTE)
    if point == _DOT:
        return 1 if previous & (LOWER | QUOTE) and following & (UPPER | QUOTE) else 0
    before_number = following & DIGIT or point_at(text, at + width, end) == _HYPHEN
    if point in (43, 45, 42, 94) and previous & DIGIT and before_number:  # + - * ^
        return 1
    if point in (44, 58, 60, 62, 61, 47):  # , : < > = /
        joined = ALPHA if point == 44 else ALPHA | DIGIT
        return 1 if previous & joined and following & ALPHA else 0
    return hyphens(text, at, end, previous, rules)


@borrowing
def hyphens(text: Bytes, at: Int, end: Int, previous: Int, rules: Affixes) -> Int:
    """Bytes of the hyphen between letters at `at`: up to three "-", up to two em dashes, an en dash or a tilde."""
    point, width = code_point(text, at, end)
    most = 3 if point == _HYPHEN else 2 if point == _EM_DASH else 1 if point in (_EN_DASH, _TILDE) else 0
    if most == 0 or not previous & (ALPHA | DIGIT if rules.lists[STYLE] & HYPHEN_AFTER_DIGIT else ALPHA):
        return 0
    after = at
    for _ in range(most):
        after += width
        following = point_at(text, after, end)
        if class_of(rules, following) & ALPHA:
            return after - at
        if following != point:
            break
    return 0


@borrowing
def _is_polish_infix(point: Int, previous: Int, next_point: Int, following: Int) -> Bool:
    if point in (_HYPHEN, _EN_DASH, _EM_DASH, _TILDE):
        return True
    if point == _DOT:
        return previous & (ALPHA | DIGIT) != 0 and following & (UPPER | DIGIT) != 0
    # What else may cut: , ! ? : < > = / before a letter; quotes but the apostrophe and brackets before a hyphen, too.
    if not previous & ALPHA:
        return False
    return following & ALPHA != 0 or (next_point == _HYPHEN and point not in (33, 63, 58, 60, 62, 61, 47))


@borrowing
def _dots(text: Bytes, begin: Int, at: Int, rules: Affixes) -> Int:
    """Full stops that come off, the last of which is at `at`."""
    if rules.lists[STYLE] & POLISH:
        return 1
    start = at
    while start > begin and text[start - 1] == _DOT:
        start -= 1
    if start < at:
        return at + 1 - start
    point, before_at = point_before(text, begin, at)
    kind = class_of(rules, point)
    if kind & BEFORE_DOT:
        return 1
    earlier, _ = point_before(text, begin, before_at)
    if kind & UPPER and (
        class_of(rules, earlier) & UPPER or (earlier == _DEGREE and point in (70, 67, 75))
    ):  # °F °C °K
        return 1
    stressed = rules.lists[STYLE] & STRESS_MARKS and kind & COMBINING and class_of(rules, earlier) & ALPHA
    return 1 if stressed else 0


@borrowing
def _currency(text: Bytes, begin: Int, end: Int, at: Int, rules: Affixes) -> Int:
    """Bytes of the currency sign at `at` where a digit stands before it, or before the US, C or A of a dollar."""
    before, before_at = point_before(text, begin, at)
    if class_of(rules, before) & DIGIT:
        return end - at
    if text[at] != _DOLLAR:
        return 0
    earlier, earlier_at = point_before(text, begin, before_at)
    if before in (65, 67) and class_of(rules, earlier) & DIGIT:
        return end - before_at
    if before == 83 and earlier == 85 and class_of(rules, point_before(text, begin, earlier_at)[0]) & DIGIT:
        return end - earlier_at
    return 0


@borrowing
def _unit(text: Bytes, begin: Int, end: Int, rules: Affixes) -> Int:
    """Bytes of the unit at the end where a digit stands before it."""
    at = end
    for _ in range(_MAX_UNIT_CHARS + 1):
        point, start = point_before(text, begin, at)
        if point < 0:
            return 0
        if class_of(rules, point) & DIGIT:
            if at == end or find_listed(rules, text, at, end, span_key(text, at, end), UNIT) < 0:
                return 0
            return end - at
        at = start
    return 0


@borrowing
def _joined_prefix(text: Bytes, begin: Int, end: Int, rules: Affixes) -> Int:
    """Bytes of a listed beginning of a word, such as a numeral, with the hyphen after it."""
    for at in range(begin, min(end, begin + rules.lists[MAX_BYTES])):
        if text[at] == _HYPHEN:
            found = find_listed(rules, text, begin, at + 1, span_key(text, begin, at + 1), JOINED)
            return at + 1 - begin if found >= 0 else 0
    return 0


@borrowing
def _run(text: Bytes, at: Int, end: Int, byte: Int) -> Int:
    size = 0
    while at + size < end and text[at + size] == byte:
        size += 1
    return size
