"""Where sentences end for spaCy's sentencizer after its blank English tokenizer, over characters and in linear time.

This is how datatrove counts sentences and cuts a text into them (spaCy 3.8: `pipeline/sentencizer.pyx`,
`lang/punctuation.py`, `lang/char_classes.py`). A sentence ends after a token that is one end mark, and tokens of
punctuation that follow belong to it. So it hangs on what a token is: marks are split off the ends of a word one by one,
a full stop only where neither a single capital nor a known abbreviation stands before it, so that "U.S. is", "Dr. Who"
and "than I. But" end nothing; "..." is one token and no end; "end.Next" is three.

Left out: emoticons and units, which are tokens of their own, and the pattern of URLs, for which any word with "/", "@"
or "www." stands. How far it agrees on real pages stands in `docs/decisions.md`.
"""

from __future__ import annotations

import numpy as np

from curate.kernels.compiled import borrowing
from curate.kernels.scan import flags_of
from curate.kernels.sentences import Ends
from curate.kernels.strip import char_before, is_space, stripped_start
from curate.kernels.unicode_tables import DIGIT, LETTER, LOWER, PUNCTUATION, SYMBOL, UPPER, CharTable
from curate.kernels.utf8 import Bool, Bytes, Int, code_point

_SPACE, _STOP, _DEGREE, _SQUARED, _EN_DASH, _EM_DASH = (ord(char) for char in " .°²–—")
_PLAIN = np.array([byte < 128 and chr(byte).isalnum() for byte in range(256)])
#: What a token is. Of one character at the end of a word: what it becomes where it is split off; 0 where it is not.
_PUNCT, _END, _OTHER = 1, 2, 3
_EDGES = np.zeros(128, np.uint8)  # of ASCII
_EDGES[[ord(mark) for mark in ",:;()[]{}_#*&'\"%"]] = _PUNCT
_EDGES[[ord(mark) for mark in "!?"]] = _END
_EDGES[[ord(mark) for mark in "<>`$=+"]] = _OTHER
_FAR_PUNCT_EDGES = tuple(map(ord, "…¿¡，、；：～·،؛٪”“‘’‚„»«「」『』（）〔〕【】《》〈〉⟦⟧—–§"))
_FAR_END_EDGES = tuple(map(ord, "؟।۔。！？"))
_FAR_QUOTES = tuple(map(ord, "”“‘´’‚„»«"))
# Of one character and a full stop or another character: what a character may be that stands there.
_FRONT_EDGE, _BEFORE_STOP, _QUOTE, _JOINT = 1, 2, 4, 8
_PLACES = np.zeros(128, np.uint8)
for _marks, _place in (
    ("%$=+", _FRONT_EDGE),
    ("%-+<>,:;()[]{}_#*&'\"`!?", _BEFORE_STOP),
    ("'\"`", _QUOTE),
    ("-~:<>=/,", _JOINT),
):
    _PLACES[[ord(mark) for mark in _marks]] |= _place

# Whole tokens with their full stop, beside single letters: lang/en/tokenizer_exceptions.py.
_SHORT_WORDS = (
    """
    a.m. p.m. e.g. E.g. i.e. I.e. v.s. vs. co. Adm. Ak. Ala. Apr. Ariz. Ark. Aug. Bros. Calif. Co. Colo. Conn. Corp.
    Dec. Del. Dr. Feb. Fla. Ga. Gen. Gov. Ia. Id. Ill. Inc. Ind. Jan. Jr. Jul. Jun. Kan. Kans. Ky. La. Ltd. Mar. Mass.
    Md. Messrs. Mich. Minn. Miss. Mo. Mont. Mr. Mrs. Ms. Mt. Neb. Nebr. Nev. Nov. Oct. Okla. Ore. Pa. Ph.D. Prof. Rep.
    Rev. Sen. Sep. Sept. St. Tenn. Va. Wash. Wis.
""".split()
    + [f"{hour}{half}.m." for hour in range(1, 13) for half in "ap"]
)
_SHORT_KEYS = np.sort(np.array([int.from_bytes(word.encode(), "big") for word in _SHORT_WORDS], np.int64))
_MAX_SHORT_BYTES = 7


@borrowing
def sentencizer_ends(text: Bytes, start: Int, end: Int, table: CharTable, ends: Ends) -> Int:
    """Write where the sentences of `text[start:end]` end; how many there are. As `sentences.sentence_ends`, but an end
    is that of its last token, and white space is a token too unless it is a single space between words.
    """
    num, seen, address, last, at = 0, False, False, start, start
    core = back = word_end = start  # of the word that `at` is in, or of the last one
    while at < end:
        kind, plain = _OTHER, _plain_end(text, at, end) if at >= word_end else at
        if plain > at and (plain == end or text[plain] == _SPACE):
            width = plain - at  # the usual case: a word of letters and digits
        elif at >= word_end and text[at] == _SPACE and start < at < end - 1 and _PLAIN[text[at + 1]]:
            at += 1
            continue
        elif at >= word_end and is_space(text, at, end, table):
            width = stripped_start(text, at, end, table) - at
            if width == 1 and text[at] == _SPACE and at > start:
                at += 1
                continue
        else:
            if at >= word_end:
                word_end = _word_end(text, at, end, table)
                core = _core_start(text, at, word_end, table)
                back = _core_end(text, core, word_end, table)
                address = _is_short(text, core, back) or _is_address(text, core, back, table)
            if core <= at < back:
                kind, width = _core_token(text, core, at, back, table, address)
            else:
                kind, width = _edge_token(text, at, word_end, table)
        if kind == _END:
            seen = True
        elif kind == _OTHER and seen:
            ends[num] = last
            num, seen = num + 1, False
        at += width
        last = at
    if last > start:
        ends[num] = last
        num += 1
    return num


@borrowing
def _plain_end(text: Bytes, at: Int, end: Int) -> Int:
    """Where the letters and digits of ASCII end that begin at `at`."""
    while at < end and _PLAIN[text[at]]:
        at += 1
    return at


@borrowing
def _word_end(text: Bytes, at: Int, end: Int, table: CharTable) -> Int:
    while at < end and not is_space(text, at, end, table):
        at += code_point(text, at, end)[1]
    return at


@borrowing
def _core_start(text: Bytes, start: Int, end: Int, table: CharTable) -> Int:
    """Where the tokens at the front of a word end."""
    while start < end and not _is_short(text, start, end):
        kind, width = _edge_token(text, start, end, table)
        signed = text[start] == 43 and start + 1 < end and 48 <= text[start + 1] < 58  # +1 is one token
        if kind == 0 or (kind == _END and text[start] == _STOP) or signed:
            break
        start += width
    return start


@borrowing
def _core_end(text: Bytes, start: Int, end: Int, table: CharTable) -> Int:
    """Where the tokens at the back of a word begin."""
    while end > start and not _is_short(text, start, end):
        before = char_before(text, start, end)
        point, _ = code_point(text, before, end)
        if point == _STOP:
            while before > start and text[before - 1] == _STOP:
                before -= 1
            if end - before == 1 and not _splits_stop(text, start, before, table):
                break
        elif _edge_kind(point, table) == 0 or (point < 128 and _PLACES[point] & _FRONT_EDGE):
            break
        end = before
    return end


@borrowing
def _splits_stop(text: Bytes, start: Int, stop: Int, table: CharTable) -> Bool:
    """True where the full stop at `stop`, which ends a word, is a token."""
    if stop <= start or _ends_short(text, start, stop):
        return False
    before = char_before(text, start, stop)
    point, _ = code_point(text, before, stop)
    flags = flags_of(table, point)
    if flags & UPPER:  # "U.S." keeps it, "USA." and "5°C." do not
        if before <= start:
            return False
        other, _ = code_point(text, char_before(text, start, before), stop)
        return other == _DEGREE or flags_of(table, other) & UPPER != 0
    if point < 128:
        return flags & (LETTER | DIGIT) != 0 or _PLACES[point] & _BEFORE_STOP != 0
    return flags & (LETTER | SYMBOL) != 0 or point == _SQUARED or _edge_kind(point, table) != 0


@borrowing
def _edge_token(text: Bytes, at: Int, end: Int, table: CharTable) -> tuple[Int, Int]:
    """The token at an end of a word: what it is (0: none) and its bytes. Several dots are one token."""
    if text[at] == _STOP:
        past = at
        while past < end and text[past] == _STOP:
            past += 1
        return (_END if past - at == 1 else _PUNCT), past - at
    point, width = code_point(text, at, end)
    return _edge_kind(point, table), width


@borrowing
def _edge_kind(point: Int, table: CharTable) -> Int:
    if point < 128:
        return np.int64(_EDGES[point])
    if not flags_of(table, point) & (PUNCTUATION | SYMBOL):
        return 0
    if point in _FAR_END_EDGES:
        return _END
    return _PUNCT if point in _FAR_PUNCT_EDGES else _OTHER if flags_of(table, point) & SYMBOL else 0


@borrowing
def _core_token(text: Bytes, start: Int, at: Int, end: Int, table: CharTable, address: Bool) -> tuple[Int, Int]:
    """The next token of the rest of a word: all of it, or up to a full stop between a small letter and a capital."""
    if text[at] == _STOP and (end - start == 1 or at > start):
        return _END, 1
    only_marks, past, before = True, at, 0
    while past < end:
        point, width = code_point(text, past, end)
        if (
            point == _STOP
            and not address
            and past + 1 < end
            and _joins(before, text, past + 1, end, table)
            and not _ends_short(text, start, past)
        ):
            break
        only_marks = only_marks and flags_of(table, point) & PUNCTUATION != 0
        past, before = past + width, point
    return (_PUNCT if only_marks else _OTHER), past - at


@borrowing
def _joins(before: Int, text: Bytes, after: Int, end: Int, table: CharTable) -> Bool:
    """True for "d.N": a small letter or a quote before the full stop, a capital or a quote after it."""
    point, _ = code_point(text, after, end)
    left, right = flags_of(table, before), flags_of(table, point)
    small = (left & LETTER and not left & UPPER) or _is_quote(before)
    return small and ((right & LETTER and not right & LOWER) or _is_quote(point))


@borrowing
def _is_quote(point: Int) -> Bool:
    return _PLACES[point] & _QUOTE != 0 if point < 128 else point in _FAR_QUOTES


@borrowing
def _is_address(text: Bytes, start: Int, end: Int, table: CharTable) -> Bool:
    """True for "example.com" and the like, whatever stands before "://" or "@" or after a slash: no stop splits it."""
    host = start
    for at in range(start, end):
        if text[at] == 64 or (text[at] == 47 and at > start + 1 and text[at - 1] == 47 and text[at - 2] == 58):  # @ ://
            host = at + 1
    label, labels, at = host, 0, host
    while at < end:
        point, width = code_point(text, at, end)
        if point == _STOP:
            label, labels = at + 1, labels + 1
        elif not flags_of(table, point) & (LETTER | DIGIT) and point != 45 and point != 95:  # - _
            break
        at += width
    if at < end and text[at] != 47 and text[at] != 58 and text[at] != 63 and text[at] != 35:  # / : ? #
        return False
    while label < at:
        point, width = code_point(text, label, at)
        if not flags_of(table, point) & LETTER or flags_of(table, point) & UPPER:
            return False
        label += width
    return labels > 0 and at > host and text[at - 1] != _STOP


@borrowing
def _ends_short(text: Bytes, start: Int, stop: Int) -> Bool:
    """True where a token that ends at the full stop `stop` keeps it, be it only a part of a word."""
    at = stop
    while at > start and stop - at < _MAX_SHORT_BYTES and (65 <= text[at - 1] <= 90 or 97 <= text[at - 1] <= 122):
        at -= 1
    return (at == start or _is_joint(text, start, at)) and _is_short(text, at, stop + 1)


@borrowing
def _is_joint(text: Bytes, start: Int, at: Int) -> Bool:
    """True where tokens end within a word before `at`: at a hyphen, a dash, a slash and the like."""
    point, _ = code_point(text, char_before(text, start, at), at)
    return _PLACES[point] & _JOINT != 0 if point < 128 else point in (_EN_DASH, _EM_DASH)


@borrowing
def _is_short(text: Bytes, start: Int, end: Int) -> Bool:
    """True for an abbreviation that keeps its full stop."""
    size = end - start
    if size < 2 or size > _MAX_SHORT_BYTES or text[end - 1] != _STOP:
        return False
    if size == 2:
        return 97 <= text[start] <= 122
    key = np.int64(0)
    for at in range(start, end):
        key = key << 8 | np.int64(text[at])
    place = np.searchsorted(_SHORT_KEYS, key)
    return place < _SHORT_KEYS.size and _SHORT_KEYS[place] == key
