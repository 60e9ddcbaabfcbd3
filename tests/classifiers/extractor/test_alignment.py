"""Labels of blocks: which copy, which order, which words count for nothing."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.extractor.alignment import MAX_COPIES, align, block_shares
from classifiers.extractor.word_hashes import words_of

BODY = [
    "The river Isar rises in the Karwendel mountains of Tyrol and flows through Munich",
    "Its name may be Celtic and means the fast flowing one",
    "Rafts carried timber and lime down to the city until the nineteen twenties",
    "Today its banks are wide again and people bathe there in summer",
]
NAVIGATION = ["Home", "About us", "News", "The city and its people", "Contact", "Sign in"]


def shares(blocks: list[str], gold: str) -> list[float]:
    hashes = [words_of(block) for block in blocks]
    numbers = np.repeat(np.arange(len(blocks), dtype=np.int32), [part.size for part in hashes])
    every = np.concatenate([np.zeros(0, np.uint64), *hashes])
    return block_shares(every, numbers, len(blocks), words_of(gold)).tolist()


def test_the_main_text_is_found_among_the_rest() -> None:
    found = shares([*NAVIGATION, *BODY, *NAVIGATION], " ".join(BODY))
    assert found == [0] * 6 + [1] * 4 + [0] * 6


@pytest.mark.parametrize(("before", "after"), [(0, 1), (1, 0), (1, 1), (3, 2)])
def test_of_several_copies_the_one_beside_the_main_text_counts(before: int, after: int) -> None:
    title = "A short history of the Isar"
    others = [*NAVIGATION, "More stories that you may like"]
    blocks = [title] * before + others + [title, *BODY] + others + [title] * after
    found = shares(blocks, "\n".join([title, *BODY]))
    expected = [0] * (before + len(others)) + [1] * 5 + [0] * (len(others) + after)
    assert [round(share) for share in found] == expected


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_a_teaser_elsewhere_is_not_the_paragraph(place: int) -> None:
    teaser = [BODY[place], *NAVIGATION * 3]
    found = shares([*teaser, *BODY, *NAVIGATION * 3, BODY[place]], " ".join(BODY))
    assert found == [0] * len(teaser) + [1] * 4 + [0] * 19


def test_short_blocks_between_long_ones_count() -> None:
    blocks = ["Isar", BODY[0], "Name", BODY[1], "Share", BODY[2], "Use", BODY[3]]
    gold = "\n".join(block for block in blocks if block != "Share")
    assert shares(blocks, gold) == [1, 1, 1, 1, 0, 1, 1, 1]


def test_text_in_another_order_counts() -> None:
    assert shares([*BODY, *NAVIGATION], " ".join(reversed(BODY))) == [1] * 4 + [0] * 6


def test_no_word_of_the_gold_text_counts_twice() -> None:
    assert sum(shares([BODY[0]] * 5, BODY[0])) == 1


def test_scattered_common_words_count_for_nothing() -> None:
    found = shares([*BODY, "the man in the moon and the one down there of whom they may speak"], " ".join(BODY))
    assert found == [1, 1, 1, 1, 0]


def test_a_part_of_a_block_is_its_share() -> None:
    block = " ".join(BODY)
    kept = len(" ".join(BODY[:2]).split())
    assert shares([block, *NAVIGATION], " ".join(BODY[:2]))[0] == pytest.approx(kept / len(block.split()))


@pytest.mark.parametrize(("words", "share"), [("one two x four y z", 0.5), ("one two x four y z w", 2 / 7)])
def test_words_without_a_neighbour_count_from_half_a_block_on(words: str, share: float) -> None:
    """Three words of the block are matched: "one two" together and "four" alone."""
    assert shares([BODY[0], words, BODY[1]], f"{BODY[0]} one two three four {BODY[1]}")[1] == pytest.approx(share)


@pytest.mark.parametrize(("copies", "matched"), [(MAX_COPIES, True), (MAX_COPIES + 1, False)])
def test_what_occurs_too_often_is_no_anchor(copies: int, matched: bool) -> None:
    """Nothing else is equal on both sides; gaps take rarer ones only."""
    blocks = [text for number in range(copies) for text in ("four words in turn", f"other{number}")]
    assert (sum(shares(blocks, "four words in turn")) == 1) is matched


def test_nothing_is_in_common_with_nothing() -> None:
    assert shares([], "some gold") == []
    assert shares(["some page", ""], "") == [0, 0]
    assert shares(["", "..."], "some gold") == [0, 0]


@pytest.mark.parametrize(
    ("blocks", "num_blocks", "message"),
    [([0, 0], 1, "3 words"), ([0, 1, 0], 2, "not fall"), ([0, 0, 2], 2, "in \\[0, 2\\)"), ([-1, 0, 0], 1, "in")],
)
def test_blocks_that_do_not_fit_are_refused(blocks: list[int], num_blocks: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        block_shares(np.arange(3, dtype=np.uint64), np.array(blocks, np.int32), num_blocks, np.zeros(1, np.uint64))


numbers = st.lists(st.integers(0, 6), max_size=60).map(lambda values: np.array(values, np.uint64))


@given(numbers, numbers)
def test_an_alignment_pairs_equal_words_once(page: np.ndarray, gold: np.ndarray) -> None:
    places = align(page, gold)
    matched = places[places >= 0]
    assert (page[places >= 0] == gold[matched]).all()
    assert len(set(matched.tolist())) == matched.size


@given(st.lists(st.integers(0, 1 << 40), min_size=4, max_size=60, unique=True), st.data())
def test_a_page_of_different_words_is_aligned_as_the_longest_common_subsequence(page: list[int], data) -> None:
    """Where gold words are a part of the page in its order, all of them are found."""
    first = data.draw(st.integers(0, len(page) - 4))
    kept = page[first : data.draw(st.integers(first + 4, len(page)))]
    places = align(np.array(page, np.uint64), np.array(kept, np.uint64))
    assert places[first : first + len(kept)].tolist() == list(range(len(kept)))
    assert (places >= 0).sum() == len(kept)


@pytest.mark.parametrize("kind", ["equal", "periodic", "reversed", "shuffled", "copied", "frequent"])
def test_hostile_pages_are_aligned_without_harm(kind: str) -> None:
    draw = np.random.default_rng(0)
    row = np.arange(20_000, dtype=np.uint64)
    page, gold = {
        "equal": (row * 0, row * 0),
        "periodic": (row % 7, row % 5),
        "reversed": (row, row[::-1].copy()),
        "shuffled": (row, draw.permutation(row)),
        "copied": (np.tile(row[:4_000], 5), row[:4_000]),
        "frequent": (draw.zipf(1.3, row.size).astype(np.uint64), draw.zipf(1.3, row.size).astype(np.uint64)),
    }[kind]
    places = align(page, gold)
    matched = places[places >= 0]
    assert (page[places >= 0] == gold[matched]).all()
    assert np.unique(matched).size == matched.size
    if kind == "copied":
        assert matched.size == gold.size
        assert all(b - a == 1 for a, b in pairwise(np.flatnonzero(places >= 0)))
