from __future__ import annotations

import unicodedata
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels import scan
from curate.kernels.token_windows import SECOND, anchors, has_window, ngram_keys, tokens, window_hashes

texts = st.lists(st.text(alphabet="ab .\n今\u3000é\u0301ไั", max_size=40), max_size=4)


def cut_up(*given: str | None) -> list[list[str]]:
    found = tokens(pa.array(given, pa.string()))
    bodies = [(text or "").encode() for text in given]
    rows = []
    for body, (first, last) in zip(bodies, pairwise(found.offsets.tolist()), strict=True):
        rows.append([body[found.start[i] : found.end[i]].decode() for i in range(first, last)])
    return rows


def by_hand(text: str) -> list[str]:
    """Character by character."""
    found: list[str] = []
    goes_on = alone = False
    for char in text:
        single = "CJK" in unicodedata.name(char, "") or "THAI" in unicodedata.name(char, "")
        mark = unicodedata.category(char)[0] == "M"
        if char.isspace():
            goes_on = False
            continue
        if goes_on and (mark or not (alone or single)):
            found[-1] += char
        else:
            found.append(char)
            alone = single
        goes_on = True
    return found


def test_tokens_are_what_white_space_separates_and_keep_case_and_punctuation() -> None:
    assert cut_up('He said: "It\'s  3.14"\n\tNo…') == [["He", "said:", "\"It's", '3.14"', "No…"]]


def test_letters_of_scripts_without_spaces_are_tokens_with_their_marks() -> None:
    assert cut_up("今天abc，很好") == [["今", "天", "abc，", "很", "好"]]
    assert cut_up("ที่นี่") == [["ที่", "นี่"]]


@given(texts)
def test_tokens_are_those_found_by_hand(given: list[str]) -> None:
    assert cut_up(*given) == [by_hand(text) for text in given]


def test_null_empty_and_sliced_columns() -> None:
    column = pa.array(["skip me", None, "a b", "", "c"])
    assert tokens(column.slice(1, 3)).offsets.tolist() == [0, 0, 2, 2]
    assert tokens(pa.array([], pa.string())).offsets.tolist() == [0]


def test_bytes_that_are_no_utf8_are_characters_of_a_token() -> None:
    raw = [b"a\xff b", b"a\xfe b", b"\xe4\xbb \x00"]
    found = tokens(pa.array(raw, pa.binary()).view(pa.string()))
    assert found.end[:4].tolist() == [2, 4, 2, 4]
    assert found.first[0] != found.first[2]
    assert found.first[1] == found.first[3]


def test_equal_tokens_have_equal_hashes_and_others_differ_in_both() -> None:
    words = [f"{n:x}" for n in range(50_000)]
    found = tokens(pa.array([" ".join(words), " ".join(reversed(words))]))
    for hashes in (found.first, found.second):
        assert len(set(hashes.tolist())) == 50_000
        assert (hashes[:50_000] == hashes[50_000:][::-1]).all()
    assert not (found.first == found.second).any()


def test_of_a_very_long_text_the_beginning_is_looked_at_up_to_its_last_whole_token() -> None:
    text = "word " * (scan.MAX_BYTES // 5) + "cut-in-two and more"
    found = tokens(pa.array([text, "a b"]))
    assert found.end[found.offsets[1] - 1] <= scan.MAX_BYTES
    assert found.offsets.tolist() == [0, scan.MAX_BYTES // 5, scan.MAX_BYTES // 5 + 2]


@given(texts, st.integers(1, 5))
def test_windows_have_equal_hashes_just_where_their_tokens_are_equal(given: list[str], size: int) -> None:
    found = tokens(pa.array(given, pa.string()))
    words = [word for text in given for word in by_hand(text)]
    begins = np.flatnonzero(has_window(found.offsets, size)).tolist()
    expected = [
        first + i
        for text, first in zip(given, found.offsets.tolist(), strict=False)
        for i in range(max(0, len(by_hand(text)) - size + 1))
    ]
    assert begins == expected
    for hashes in (
        window_hashes(found.first, found.offsets, size),
        window_hashes(found.second, found.offsets, size, SECOND),
        ngram_keys(found, size),
    ):
        number_of = {tuple(words[i : i + size]): int(hashes[i]) for i in begins}
        assert len(set(number_of.values())) == len(number_of)
        assert all(number_of[tuple(words[i : i + size])] == int(hashes[i]) for i in begins)


@given(st.lists(st.lists(st.integers(0, 6), max_size=30), max_size=4), st.integers(1, 4), st.integers(0, 6))
def test_an_anchor_is_the_last_smallest_key_of_its_window(rows: list[list[int]], ngram_size: int, more: int) -> None:
    size = ngram_size + more
    keys = np.array([key for row in rows for key in row], np.uint64)
    offsets = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    expected = np.full(keys.size, -1)
    for first, last in pairwise(offsets.tolist()):
        for i in range(first, last - size + 1):
            expected[i] = i + more - int(np.argmin(keys[i : i + more + 1][::-1]))
    assert anchors(keys, offsets, ngram_size, size).tolist() == expected.tolist()


def test_two_in_the_number_of_keys_and_one_are_anchors() -> None:
    found = tokens(pa.array([" ".join(map(str, range(200_000)))]))
    chosen = anchors(ngram_keys(found, 25), found.offsets, 25, 50)
    assert np.unique(chosen[chosen >= 0]).size / 200_000 == pytest.approx(2 / 27, rel=0.02)
