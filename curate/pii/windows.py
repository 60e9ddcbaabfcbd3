r"""Where personal data could be: an exact, linear search that leaves Presidio a few windows of a text.

Every entity holds one of a few things that are cheap to find: an `@` between word characters, seven digits in a row
(phone punctuation between them allowed), four numbers with dots, `::` or six hexadecimal groups, the head of an IBAN.
Around each the window reaches to the next white space, then `MARGIN` further: no pattern of Presidio crosses a line
break, and none looks further than that, so what it finds in the window is what it finds in the whole text.

Three things are refused, so that a hostile text costs no more than its length: a token is followed for `MAX_TOKEN`
characters, a window is cut at `max_chars` (overlapping, and what touches a cut is not believed), and a chain of
`TABLE_DIGITS` digits or more is a table of numbers, in which no phone number is looked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

#: Characters that phonenumbers allows between the digits of a number (its VALID_PUNCTUATION, with the class's escapes).
PHONE_PUNCTUATION = "-xX‐-―−ー－-／ \u00a0\u00ad\u200b\u2060\u3000()（）［］.\\[\\]/~⁓∼～"
MIN_PHONE_DIGITS = 7  # our choice: German numbers may have four, and so has every year
TABLE_DIGITS = 120  # our choice: ten phone numbers in one line stay phone numbers, a row of a table does not
MAX_TOKEN = 320  # RFC 5321 4.5.3.1: 64 characters of local part, @, 255 of domain
MARGIN = 64  # the rest of an IBAN after its head is 41 characters, a phone extension 32
OVERLAP = MAX_TOKEN + MARGIN

#: Letters of scripts that write no space between words. To `\b` they are word characters, so that `电话13800138000` has
#: no boundary; for the search they count as punctuation. U+30FC is left: phonenumbers takes it for a dash.
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Myanmar, Khmer
    "\u3005-\u3007\u3041-\u30fb\u30fd-\u30ff\u3105-\u312f\u31f0-\u31ff"  # kana, bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"  # Hangul: particles follow a name without a space
)
_UNSPACED_RUN = re.compile(f"[{UNSPACED}]+")

DIGIT_CHAIN = re.compile(rf"\d(?:[{PHONE_PUNCTUATION}]{{0,4}}\d){{{MIN_PHONE_DIGITS - 1},}}+")
NUMBER_TABLE = re.compile(rf"\d(?:[{PHONE_PUNCTUATION}]{{0,4}}\d){{{TABLE_DIGITS - 1},}}+")
#: Each starts with a literal or a digit, which the engine looks for at memory speed; look-behinds come after it.
TRIGGERS = (
    re.compile(r"@(?<=[!#$%&'*+\-/=?^_`{|}~\w]@)\w"),
    DIGIT_CHAIN,
    re.compile(r"\.(?<=\d\.)\d{1,3}\.\d{1,3}\.\d"),
    re.compile(r":(?::|(?<=[0-9A-Fa-f]:)(?:[0-9A-Fa-f]{1,4}:){5})"),
    re.compile(r"\d\d(?<=[A-Za-z]{2}\d\d)(?<![A-Za-z0-9][A-Za-z]{2}\d\d)(?:[ -]?[A-Za-z0-9]{4}){2}"),
)
_BREAK = re.compile(rf"[\s{UNSPACED}]")


class Window(NamedTuple):
    """A part of a text, [start, end) in characters; a cut edge is one that was put where the text does not break."""

    start: int
    end: int
    cut_start: bool = False
    cut_end: bool = False


def spaced(text: str) -> str:
    """The text, equally long, with letters of unspaced scripts as `。`: Presidio's word boundaries then hold in it.

    >>> spaced("电话13800138000。")
    '。。13800138000。'
    """
    return text if text.isascii() else _UNSPACED_RUN.sub(lambda run: "。" * len(run[0]), text)


def windows(text: str, max_chars: int) -> list[Window]:
    """Windows that hold all that can be personal data, ordered; none longer than `max_chars` (above 2 * `OVERLAP`)."""
    merged: list[Window] = []
    for start, end in sorted(match.span() for trigger in TRIGGERS for match in trigger.finditer(text)):
        if merged and end + OVERLAP + MAX_TOKEN <= merged[-1].end:
            continue  # deep inside a long run: nothing new
        window = _around(text, start, end)
        if merged and window.start <= merged[-1].end:
            last = merged[-1]
            further = window if window.end > last.end else last
            merged[-1] = Window(last.start, further.end, last.cut_start, further.cut_end)
        else:
            merged.append(window)
    return [piece for window in merged for piece in _pieces(text, window, max_chars)]


def _around(text: str, start: int, end: int) -> Window:
    """The token around [start, end), a margin, and the rest of the tokens met there; no further than its lines."""
    left, cut_left = _break_before(text, start)
    if not cut_left:
        left, cut_left = _break_before(text, max(0, left - MARGIN))
    right, cut_right = _break_after(text, end)
    if not cut_right:
        right, cut_right = _break_after(text, min(len(text), right + MARGIN))
    line_start = text.rfind("\n", left, start) + 1
    line_end = text.find("\n", end, right)
    left, cut_left = (line_start, False) if line_start else (left, cut_left)
    right, cut_right = (line_end, False) if line_end >= 0 else (right, cut_right)
    return Window(left, right, cut_left, cut_right)


def _break_before(text: str, position: int) -> tuple[int, bool]:
    """Where the token before `position` starts, and whether that is a cut."""
    limit = max(0, position - MAX_TOKEN)
    found = _BREAK.search(text[limit:position][::-1])
    return (position - found.start(), False) if found else (limit, limit > 0)


def _break_after(text: str, position: int) -> tuple[int, bool]:
    """Where the token after `position` ends, and whether that is a cut."""
    limit = min(len(text), position + MAX_TOKEN)
    found = _BREAK.search(text, position, limit)
    return (found.start(), False) if found else (limit, limit < len(text))


def _pieces(text: str, window: Window, max_chars: int) -> Iterator[Window]:
    """A window in pieces of at most `max_chars`: at its last line break where there is one, else overlapping."""
    start, cut_start = window.start, window.cut_start
    while window.end - start > max_chars:
        line_break = text.rfind("\n", start + 1, start + max_chars)
        if line_break >= 0:
            yield Window(start, line_break, cut_start)
            start, cut_start = line_break + 1, False
        else:
            yield Window(start, start + max_chars, cut_start, cut_end=True)
            start, cut_start = start + max_chars - OVERLAP, True
    if start < window.end:
        yield Window(start, window.end, cut_start, window.cut_end)
