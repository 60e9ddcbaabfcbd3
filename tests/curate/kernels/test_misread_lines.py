"""The sieve for mojibake catches every line that ftfy would change, and hardly any other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from curate.kernels.misread_lines import CHARSETS, LIMIT, roles, suspect_lines

MISREAD = st.tuples(st.text(min_size=1, max_size=8), st.sampled_from(CHARSETS)).map(
    lambda pair: "".join(bytes([b]).decode(pair[1], "ignore") or chr(b) for b in pair[0].encode())
)


def caught(text: str, room: int = 100) -> list[str]:
    data = text.encode()
    starts, ends = np.zeros(room, np.int64), np.zeros(room, np.int64)
    number = suspect_lines(np.frombuffer(data, np.uint8) if data else np.zeros(0, np.uint8), roles(), starts, ends)
    return [data[start:end].decode() for start, end in zip(starts[:number], ends[:number], strict=True)]


def table(charset: str) -> list[str]:
    """The character of each byte; "" for those that are not looked for."""
    chars = [bytes([byte]).decode(charset, "ignore") or chr(byte) for byte in range(256)]
    return [char if ord(char) < LIMIT else "" for char in chars]


TABLES = [table(charset) for charset in CHARSETS]
LENGTHS = ((0xC2, 0xDF, 1), (0xE0, 0xEF, 2), (0xF0, 0xF4, 3))


def is_suspect(line: str) -> bool:
    """The definition, character by character."""
    for at, char in enumerate(line):
        if "\x80" <= char < "\xa0" or line[at : at + 2] in ("Ã ", "Â "):
            return True
        for chars in TABLES:
            for first, last, length in LENGTHS:
                trail = line[at + 1 : at + 1 + length]
                if char in chars[first : last + 1] and len(trail) == length and set(trail) <= set(chars[0x80:0xC0]):
                    return True
    return False


@given(st.lists(st.one_of(MISREAD, st.text(max_size=12)), max_size=6).map("".join))
@example("Ã©\n\nclean\nmÃ ")
@example("é»\n»Ã")
@example("\x80")
@example("ﬁ©")
def test_lines_are_caught_by_their_form(text: str) -> None:
    assert caught(text) == [line for line in text.split("\n") if is_suspect(line)]


@given(st.lists(st.one_of(MISREAD, st.text(max_size=20)), max_size=3).map("".join))
def test_what_ftfy_would_change_is_caught(text: str) -> None:
    ftfy = pytest.importorskip("ftfy")
    unknown = "ﬁﬂ\uf8ff"  # Mac Roman's, beyond the table
    for line in text.split("\n"):
        if not set(unknown) & set(line) and ftfy.fix_encoding(line) != line:
            assert caught(line) == [line]


def test_prose_passes() -> None:
    prose = "L'été, c'est déjà «fini» – Größe, coração, Zażółć. Съешь ещё булок, «да». Νέα της ημέρας. 中文，日本語。"
    assert caught(prose) == []


def test_no_more_lines_than_there_is_room_for() -> None:
    assert caught("Ã©\n" * 5, room=2) == ["Ã©", "Ã©"]
    assert caught("Ã©\n" * 5, room=0) == []


@given(st.binary(max_size=40))
def test_bytes_that_are_no_utf8_do_no_harm(data: bytes) -> None:
    starts, ends = np.zeros(50, np.int64), np.zeros(50, np.int64)
    number = suspect_lines(np.frombuffer(data + b"x", np.uint8), roles(), starts, ends)
    assert all(0 <= start < end <= len(data) + 1 for start, end in zip(starts[:number], ends[:number], strict=True))
