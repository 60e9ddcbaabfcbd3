"""Cuts at boundaries: `token_units` and `repeated_spans` together, for units mean something only where they are cut."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.repeated_spans import cuts
from curate.kernels.token_units import Boundary, token_units
from curate.kernels.token_windows import tokens


def left(text: str, first: int, last: int, boundary: Boundary, least: int = 1) -> str:
    """What is left when the tokens from `first` to before `last` occurred before."""
    return left_of([text], [(first, last)], boundary, least)[0]


def left_of(texts: list[str], gone: list[tuple[int, int]], boundary: Boundary, least: int = 1) -> list[str]:
    column = pa.array(texts, pa.string())
    found = tokens(column)
    wanted = np.zeros(found.start.size, np.bool_)
    for row, (first, last) in enumerate(gone):
        wanted[found.offsets[row] + first : found.offsets[row] + last] = True
    positions = np.array([i for first, last in gone for i in range(first, last)], np.int32)  # windows of one token
    offsets = np.cumsum([0, *(max(0, last - first) for first, last in gone)]).astype(np.int64)
    taken = cuts(positions, offsets, 1, token_units(column, found, wanted, boundary), least)
    rest = []
    for row, text in enumerate(texts):
        body = text.encode()
        for i in reversed(range(taken.offsets[row], taken.offsets[row + 1])):
            assert taken.start[i] < taken.end[i]
            body = body[: taken.start[i]] + body[taken.end[i] :]
        rest.append(body.decode())
    return rest


TEXT = "One two three. Four five six! Seven eight nine. Ten"


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (3, 6, "One two three. Seven eight nine. Ten"),
        (2, 7, "One two three. Seven eight nine. Ten"),  # shrunk
        (3, 5, TEXT),  # nothing whole
        (0, 3, "Four five six! Seven eight nine. Ten"),
        (0, 9, "Ten"),
        (6, 10, "One two three. Four five six!"),
        (0, 10, ""),
    ],
)
def test_a_cut_shrinks_to_whole_sentences(first: int, last: int, expected: str) -> None:
    assert left(TEXT, first, last, "sentence") == expected


def test_a_cut_at_tokens_is_as_long_as_what_repeats() -> None:
    assert left(TEXT, 2, 7, "token") == "One two eight nine. Ten"


def test_the_end_of_a_line_ends_a_sentence() -> None:
    assert left("Title\nOne two. Three\nfour", 1, 4, "sentence") == "Title\nfour"
    assert left("Title\nOne two. Three\nfour", 2, 5, "sentence") == "Title\nOne two."


def test_a_cut_shrinks_to_whole_lines() -> None:
    text = "a b\nc d. e\nf g\n\nh"
    assert left(text, 1, 7, "line") == "a b\n\nh"
    assert left(text, 3, 6, "line") == text
    assert left(text, 2, 8, "line") == "a b"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a. b. c.", "a. c."),
        ("a.\nb. c.", "a.\nc."),  # the line break before stays
        ("a. b.\nc.", "a.\nc."),  # the one behind does
        ("a.\n\nb.\nc.", "a.\n\nc."),
        ("a.\nb.\n\nc.", "a.\n\nc."),
        ("a.\n\nb.\n\nc.", "a.\n\nc."),  # no blank line more than before
        (" \ta. b. c. \n", " \ta. c. \n"),
    ],
)
def test_of_the_white_space_around_a_cut_the_stronger_stays(text: str, expected: str) -> None:
    assert left(text, 1, 2, "sentence") == expected


def test_the_ends_of_a_text_keep_their_white_space() -> None:
    assert left("  a. b.", 0, 1, "sentence") == "  b."
    assert left("a. b. \n", 1, 2, "sentence") == "a. \n"


def test_scripts_without_spaces_are_cut_between_characters() -> None:
    assert left("今天好。明天也好。后天", 4, 9, "sentence") == "今天好。后天"
    assert left("今天好", 1, 2, "token") == "今好"


def test_words_without_white_space_between_them_are_not_joined() -> None:
    assert left("one今天two three", 1, 3, "token") == "one天two three"
    assert left("one今two three", 1, 2, "token") == "one今two three"
    assert left("one今 two three", 1, 2, "token") == "one two three"
    assert left("one 今two three", 1, 2, "token") == "one two three"
    assert left("天今two three", 1, 2, "token") == "天two three"


def test_what_is_shorter_than_the_least_cut_stays() -> None:
    assert left(TEXT, 3, 6, "sentence", least=3) == "One two three. Seven eight nine. Ten"
    assert left(TEXT, 3, 6, "sentence", least=4) == TEXT


def test_windows_that_touch_make_one_stretch() -> None:
    column = pa.array(["a b c d e f."])
    found = tokens(column)
    units = token_units(column, found, np.ones(6, np.bool_), "sentence")
    touching = cuts(np.array([0, 3], np.int32), np.array([0, 2]), 3, units, 1)
    apart = cuts(np.array([0, 3], np.int32), np.array([0, 2]), 2, units, 1)
    assert (touching.num_repeated.tolist(), touching.num_cut.tolist()) == ([6], [6])
    assert (apart.num_repeated.tolist(), apart.num_cut.tolist()) == ([4], [0])


words = st.text(alphabet="ab. \n。今", max_size=40)
spans = st.tuples(st.integers(0, 12), st.integers(0, 12))


@given(st.lists(st.tuples(words, spans), max_size=4), st.sampled_from(["token", "sentence", "line"]))
def test_no_word_is_split_none_are_joined_and_nothing_else_goes(
    given: list[tuple[str, tuple[int, int]]], boundary: Boundary
) -> None:
    texts = [text for text, _ in given]
    found = tokens(pa.array(texts, pa.string()))
    sizes = np.diff(found.offsets).tolist()
    gone = [(min(*span, size), min(max(*span), size)) for (_, span), size in zip(given, sizes, strict=True)]
    for text, (first, last), rest, size in zip(texts, gone, left_of(texts, gone, boundary), sizes, strict=True):
        words = tokens_of(text)
        kept = tokens_of(rest)
        num_cut = size - len(kept)
        assert 0 <= num_cut <= last - first
        # what is left is the text without a run of tokens within the span
        assert any(words[:at] + words[at + num_cut :] == kept for at in range(first, last - num_cut + 1))
        assert boundary != "token" or num_cut == last - first or "今" in text
        assert "\n\n" not in rest or "\n" in text


def tokens_of(text: str) -> list[str]:
    body, found = text.encode(), tokens(pa.array([text]))
    return [body[a:b].decode() for a, b in zip(found.start, found.end, strict=True)]
