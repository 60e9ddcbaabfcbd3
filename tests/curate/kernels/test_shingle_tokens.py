from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels import shingle_tokens as module
from curate.kernels.shingle_tokens import WINDOW, Unit, begin_text, new_tokens, read_tokens, token_table
from curate.kernels.utf8 import utf8

SINGLE, IGNORED, ALL = 1 << 31, 0xFFFF_FFFF, 2**64 - 1


def token_hashes(text: str | bytes, unit: Unit = "word", before: str = "", after: str = "") -> list[int]:
    """Of a text between two others in the same buffer."""
    raw = text.encode() if isinstance(text, str) else text
    data = np.frombuffer(before.encode() + raw + after.encode(), np.uint8)
    at = len(before.encode())
    end, tokens, found = at + len(raw), new_tokens(5), []
    begin_text(tokens)
    while at < end:
        at, count = read_tokens(data, at, end, token_table(unit), tokens, 0)
        found += tokens.hashes[:count].tolist()
    return found


def tokens_by_hand(text: str, unit: Unit = "word") -> list[str]:
    """Character by character, out of the table."""
    table, tokens, token = token_table(unit), [], ""
    for entry in [*(int(table[ord(char)]) for char in text), 0]:
        if entry == IGNORED:
            continue
        if 0 < entry < SINGLE:
            token += chr(entry)
            continue
        tokens += [token] if token else []
        tokens += [chr(entry & ~SINGLE)] if entry else []
        token = ""
    return tokens


def hash_by_hand(token: str) -> int:
    h, raw = 0x9E3779B97F4A7C15, token.encode()
    for i in range(0, len(raw), 16):
        first, second = (int.from_bytes(raw[j : j + 8], "little") for j in (i, i + 8))
        if len(raw) < i + 16:
            second = int.from_bytes(raw[i + 8 :], "little")
        h = (h ^ first) * 0xD6E8FEB86659FD93 & ALL
        h = (h ^ h >> 32 ^ second) * 0xA0761D6478BD642F & ALL
        h ^= h >> 32
    return h


def expected(text: str, unit: Unit = "word") -> list[int]:
    return [hash_by_hand(token) for token in tokens_by_hand(text, unit)]


def test_ascii_words_are_those_of_a_regular_expression() -> None:
    text = "The quick_brown FOX,jumps\tover 13 dogs--don't\n" * 5
    assert tokens_by_hand(text) == re.findall(r"\w+", text.lower())
    assert token_hashes(text) == expected(text)


@pytest.mark.parametrize("unit", ["word", "character"])
@pytest.mark.parametrize("point", range(128))
def test_each_ascii_character_is_what_the_table_says(point: int, unit: Unit) -> None:
    text = f"ab{chr(point)}cd" + " " * 80  # long enough to be folded 64 bytes at a time
    assert token_hashes(text, unit) == expected(text, unit)


alphabet = st.sampled_from(
    [*"abcXYZ019_ ,.-\n\0", *"éßÅİКириллицаعرबकि", *"字漢かナｶﾅไทยក", "\u0301", "\u00ad", "\u200d", "😀"]
)
texts = st.lists(st.one_of(st.text(alphabet, max_size=70), st.text(max_size=20)), max_size=8).map("".join)


@given(texts, st.sampled_from(["word", "character"]))
def test_any_text_gives_the_tokens_of_the_slow_way(text: str, unit: Unit) -> None:
    text = "".join(char for char in text if not "\ud800" <= char <= "\udfff")
    assert token_hashes(text, unit) == expected(text, unit)


@given(texts, texts, texts)
def test_what_lies_around_a_text_in_the_buffer_does_not_count(before: str, text: str, after: str) -> None:
    before, text, after = ("".join(c for c in t if not "\ud800" <= c <= "\udfff") for t in (before, text, after))
    assert token_hashes(text, before=before, after=after) == token_hashes(text)


@pytest.mark.parametrize("length", [1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 1000])
def test_tokens_of_any_length_at_any_place(length: int) -> None:
    token = "".join(chr(97 + i % 26) for i in range(length))
    for place in range(66):
        text = " " * place + token + " x"
        assert token_hashes(text) == [hash_by_hand(token), hash_by_hand("x")]


@pytest.mark.parametrize("token", ["abcdefghijklmnopqrst" * 2, "字", "Ёлка", "a" * 16, "b" * 32, "e\u0301\u00adn"])
def test_a_token_at_the_border_of_two_windows_is_whole(token: str) -> None:
    for place in range(WINDOW - 70, WINDOW + 70):
        text = "ab " * (place // 3) + "." * (place % 3) + token + " end"
        assert token_hashes(text)[place // 3 :] == expected(token + " end")


@pytest.mark.parametrize("length", [WINDOW - 1, WINDOW, WINDOW + 1, 5 * WINDOW + 17, 10 * WINDOW])
@pytest.mark.parametrize("char", ["a", "Ж", "क"])
def test_a_token_longer_than_a_window_is_one(length: int, char: str) -> None:
    text = "x " + char * length + " y"
    assert token_hashes(text) == expected(text)
    assert len(token_hashes(text)) == 3


def test_a_long_text_that_counts_for_nothing_goes_through() -> None:
    assert token_hashes("\u00ad" * 3 * WINDOW) == []
    assert token_hashes(" " * 3 * WINDOW) == []
    assert token_hashes("a" + "\u00ad" * 3 * WINDOW + "b") == [hash_by_hand("ab")]


def test_memory_does_not_grow_with_the_text() -> None:
    assert sum(part.nbytes for part in new_tokens(5)) < 1 << 20


@given(st.binary(max_size=150))
def test_bytes_that_are_not_utf8_separate(raw: bytes) -> None:
    assert token_hashes(raw) == expected(raw.decode("utf-8", "replace"))


@given(st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=8))
def test_short_tokens_never_collide(text: str) -> None:
    hashes = dict(zip(token_hashes(text), tokens_by_hand(text), strict=True))
    assert len(hashes) == len(set(tokens_by_hand(text)))


def test_real_texts_give_the_tokens_of_the_slow_way(real_texts: list[str]) -> None:
    for text in real_texts[::3]:
        assert token_hashes(text) == expected(text)


def test_real_words_do_not_collide(real_texts: list[str]) -> None:
    words = {token for text in real_texts for token in tokens_by_hand(text)}
    hashes = {hash_by_hand(word) for word in words}
    assert len(words) > 10_000
    assert len(hashes) == len(words)
    assert len({h >> 32 for h in hashes}) > 0.9999 * len(words) - 3  # the upper half alone is as good as random


def test_the_table_is_made_once_and_cannot_be_changed() -> None:
    assert module.token_table("word") is token_table("word")
    with pytest.raises(ValueError, match="read-only"):
        token_table("word")[0] = 1


def test_a_sliced_column_is_read_where_it_lies() -> None:
    data, offsets = utf8(pa.array(["one two", "three", "four five"]).slice(1))
    assert data[offsets[0] : offsets[1]].tobytes() == b"three"
