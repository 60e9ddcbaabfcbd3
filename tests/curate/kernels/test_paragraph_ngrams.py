from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.paragraph_ngrams import paragraph_ngrams, removal


def by_hand(text: str, size: int) -> list[list[tuple[str, ...]]]:
    """The n-grams of each paragraph that is not blank."""
    lines = [line.split() for line in text.split("\n") if line.split()]
    return [[tuple(words[i : i + size]) for i in range(len(words) - size + 1)] for words in lines]


texts = st.lists(st.text(alphabet="ab \n", max_size=40), max_size=4)


@given(texts, st.integers(1, 4))
def test_ngrams_are_those_of_each_line(given: list[str], size: int) -> None:
    found = paragraph_ngrams(pa.array(given, pa.string()), size)
    paragraphs = [paragraph for text in given for paragraph in by_hand(text, size)]
    assert np.diff(found.units.offsets).tolist() == [len(by_hand(text, size)) for text in given]
    assert np.bincount(found.paragraph, minlength=len(paragraphs)).tolist() == [len(p) for p in paragraphs]
    keys = dict(zip((ngram for p in paragraphs for ngram in p), found.keys.tolist(), strict=True))
    assert [keys[ngram] for p in paragraphs for ngram in p] == found.keys.tolist()
    assert len(set(keys.values())) == len(keys)


def removed(text: str, seen: list[int], most: float, size: int = 2) -> tuple[list[int], str]:
    found = paragraph_ngrams(pa.array([text]), size)
    gone = removal(found.units, size, np.array(seen), most)
    body = text.encode()
    for start, end in reversed(list(zip(gone.start.tolist(), gone.end.tolist(), strict=True))):
        body = body[:start] + body[end:]
    return [int(gone.num_ngrams[0]), int(gone.num_seen[0]), int(gone.num_removed[0])], body.decode()


@pytest.mark.parametrize(("seen", "num_removed"), [(28, 0), (29, 0), (30, 1)])
def test_the_bound_itself_stays(seen: int, num_removed: int) -> None:
    text = "keep this\n" + " ".join("abcdefghij" * 10) + " end"
    numbers, rest = removed(text, [0, seen], 0.29)
    assert numbers == [101, seen, num_removed] if num_removed == 0 else [101, seen, 1]
    assert (rest == "keep this") == bool(num_removed)


def test_a_share_on_the_bound_is_compared_as_it_is_written() -> None:
    text = " ".join("abcdefghij" * 10) + " end"  # 100 n-grams, and 0.29 * 100 is less than 29
    assert removed(text, [29], 0.29)[0] == [100, 29, 0]
    assert removed(text, [30], 0.29)[0] == [100, 30, 1]


def test_paragraphs_that_follow_each_other_go_together() -> None:
    text = "a a a\n\nb b b\nc c c\n\nd d d\ne e e"
    assert removed(text, [0, 2, 2, 0, 2], 0.8) == ([10, 6, 3], "a a a\n\nd d d")
    assert removed(text, [2, 0, 0, 0, 0], 0.8)[1] == "b b b\nc c c\n\nd d d\ne e e"
    assert removed(text, [2, 2, 2, 2, 2], 0.8) == ([10, 10, 5], "")
    assert removed(text, [2, 0, 2, 0, 2], 0.8) == ([10, 6, 3], "b b b\n\nd d d")


def test_a_paragraph_that_is_too_short_stays() -> None:
    assert removed("a\nb b b", [0, 2], 0.0) == ([2, 2, 1], "a")


def test_null_and_empty_texts() -> None:
    found = paragraph_ngrams(pa.array([None, "", "\n \n"], pa.string()), 2)
    assert found.keys.size == 0
    assert found.units.offsets.tolist() == [0, 0, 0, 0]
