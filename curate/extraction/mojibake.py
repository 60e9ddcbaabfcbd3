"""Mojibake: text that somebody upstream read in the wrong charset and saved again ("Ã©" for "é", "вЂ”" for "—").

ftfy (https://ftfy.readthedocs.io, Apache-2.0) judges and repairs; its rules come from years of web and Twitter text.
It sees only the lines that a kernel finds suspect, and of all that it can do it is asked to undo wrong decodings alone:
no quote is straightened, no character normalized.

A repair must be certain, so a line stays as it is unless ftfy finds nothing wrong with what it made of it; and a text
stays as it is where most suspect lines resist (Chinese read as Latin-1, which is past repair here), or where it speaks
of charsets, since then mojibake may be what it is about.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from curate.kernels.misread_lines import roles, suspect_lines

#: Longer lines are left alone, as are suspect lines beyond so many: ftfy takes up to 1.5 µs for a byte.
MAX_LINE_BYTES = 16_384
MAX_LINES = 4_096
MAX_TOTAL_BYTES = 262_144

#: Control characters that were typographic marks in a Windows charset, the same ones in 1250 to 1258 and so in any
#: language. ftfy takes the others for windows-1252's, which is wrong for Polish and Russian.
_SAME_MARKS = re.compile("[\x82\x84-\x87\x89\x8b\x91-\x97\x99\x9b]")
_CONTROL = re.compile("[\x80-\x9f]")
#: Accented letters and signs of Latin side by side, one more than Polish "zażółć" has: it is mojibake still.
_STILL_BAD = re.compile("[\xa1-\u024f]{5}")
_ABOUT_CHARSETS = re.compile(
    r"mojibake|utf-?8|charset|character (?:encoding|set)|iso-8859|windows-125|latin-?1\b", re.I
)


class Repaired(NamedTuple):
    """A text and what was done to it."""

    text: str
    num_found: int  # suspicious sequences before the repair, as `count` has them
    num_repaired: int  # of these, how many stood in lines that were repaired


def count(text: str) -> int:
    """How many sequences of characters look like mojibake (`ftfy.badness`), in the lines whose form allows it.

    0 for clean and empty text, at 0.1 ms for 100 KB of English and 0.3 ms of Chinese. Lines that are too long to be
    judged are not counted.

    >>> count("cafÃ©, the â€œusualâ€\x9d place"), count("café, the “usual” place")
    (4, 0)
    """
    return sum(line.badness for line in _suspects(text.encode("utf-8", "replace"))) if not text.isascii() else 0


def repair(text: str) -> Repaired:
    """The text with its mojibake undone, line by line, where that is certain; otherwise as it is.

    >>> repair("Henri LÃ©vy\\nПривет").text
    'Henri Lévy\\nПривет'
    """
    if text.isascii():
        return Repaired(text, 0, 0)
    utf8 = text.encode("utf-8", "replace")
    suspects = _suspects(utf8)
    num_found = sum(line.badness for line in suspects)
    repaired = [(line, better) for line in suspects if (better := _repaired(line.text)) is not None]
    if 2 * len(repaired) <= len(suspects) or _ABOUT_CHARSETS.search(text):
        return Repaired(text, num_found, 0)
    parts, at = [], 0
    for line, better in repaired:
        parts += [utf8[at : line.start], better.encode()]
        at = line.end
    parts.append(utf8[at:])
    return Repaired(b"".join(parts).decode(), num_found, sum(line.badness for line, _ in repaired))


class _Line(NamedTuple):
    start: int  # of its bytes
    end: int
    text: str
    badness: int  # at least 1


def _suspects(utf8: bytes) -> list[_Line]:
    """The lines that look like mojibake to ftfy."""
    starts, ends = np.empty(MAX_LINES, np.int64), np.empty(MAX_LINES, np.int64)
    num_lines = suspect_lines(np.frombuffer(utf8, np.uint8), roles(), starts, ends)
    if not num_lines:
        return []
    from ftfy.badness import badness  # 80 ms to import, and most pages have no need of it

    lines, room = [], MAX_TOTAL_BYTES
    for start, end in zip(starts[:num_lines].tolist(), ends[:num_lines].tolist(), strict=True):
        room -= end - start if end - start <= MAX_LINE_BYTES else 0
        if room < 0:
            break
        if end - start <= MAX_LINE_BYTES and (bad := badness(line := utf8[start:end].decode())):
            lines.append(_Line(start, end, line, bad))
    return lines


def _repaired(line: str) -> str | None:
    """What the line was before it was misread; None where that is not certain."""
    from ftfy import fix_encoding_and_explain
    from ftfy.badness import is_bad

    better, steps = fix_encoding_and_explain(line)
    if better == line or is_bad(better) or "\ufffd" in better or "\n" in better or _STILL_BAD.search(better):
        return None
    by_guess = any(step.parameter in ("windows-1252", "fix_c1_controls") for step in steps or ())
    if by_guess and _CONTROL.search(_SAME_MARKS.sub("", line)):
        return None
    return better
