"""What is cut out with passages that go, against pieces of strings."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from passage_oracle import pieces, without

from curate.kernels.passage_cuts import ALL_CHARS, DUPLICATE_CHARS, DUPLICATES, PASSAGES, cuts, marked, marks_of
from curate.kernels.passages import passages


def marks(*decided):
    """Marks out of (document, passage, stays)."""
    columns = [np.array(column, np.int64) for column in zip(*decided, strict=True)] or [np.zeros(0, np.int64)] * 3
    return np.sort(marked(columns[0], columns[1], columns[2].astype(bool)))


def left(texts, decided, unit="line", window=1):
    """What is left of each text, and the counts."""
    found = passages(pa.array(texts, pa.string()), unit, "none")
    wanted = marks(*decided)
    made = cuts(found.first, found.spans, wanted, marks_of(wanted, np.arange(len(texts))), window)
    out = []
    for n, text in enumerate(texts):
        body, at, kept = text.encode(), 0, b""
        for start, end in zip(
            made.starts[made.first[n] : made.first[n + 1]], made.ends[made.first[n] : made.first[n + 1]], strict=True
        ):
            assert at <= start < end
            kept, at = kept + body[at:start], end
        out.append((kept + body[at:]).decode())
    return out, made.counts


def gone(text, *numbers, unit="line"):
    return left([text], [(0, number, False) for number in numbers], unit)[0][0]


def test_a_line_goes_with_its_newline():
    assert gone("a\nb\nc\n", 0) == "b\nc\n"
    assert gone("a\nb\nc\n", 1) == "a\nc\n"
    assert gone("a\nb\nc\n", 2) == "a\nb\n"
    assert gone("a\nb\nc", 2) == "a\nb"
    assert gone("a\r\nb\r\nc\r\n", 1) == "a\r\nc\r\n"
    assert gone("a\n    b\nc", 1) == "a\nc"


def test_no_blank_line_is_left_beside_another():
    assert gone("a\n\nb\n\nc", 1) == "a\n\nc"
    assert gone("a\n\nb\nc\n\nd", 1, 2) == "a\n\nd"
    assert gone("a\n\nb\n\nc\n\nd", 1, 2, unit="paragraph") == "a\n\nd"


def test_what_stood_in_two_paragraphs_or_lines_still_does():
    assert gone("a\nb\n\nc", 1) == "a\n\nc"
    assert gone("a\n\nb\nc", 1) == "a\n\nc"
    assert gone("a\nb\n\nc\nd", 1, 2) == "a\n\nd"
    assert gone("One. Two.\nThree.", 1, unit="sentence") == "One.\nThree."
    assert gone("One.\nTwo. Three.", 1, unit="sentence") == "One.\nThree."


def test_a_sentence_goes_with_its_space():
    assert gone("One. Two. Three.", 0, unit="sentence") == "Two. Three."
    assert gone("One. Two.  Three.", 1, unit="sentence") == "One. Three."
    assert gone("One. Two. Three. ", 2, unit="sentence") == "One. Two. "
    assert gone("一。二。三。", 1, unit="sentence") == "一。三。"


def test_a_text_of_which_nothing_stays_has_no_cuts():
    texts, counts = left(["äb\nc", "d"], [(0, 0, False), (0, 1, False)])
    assert texts == ["äb\nc", "d"]
    assert counts[:, [PASSAGES, DUPLICATES, ALL_CHARS, DUPLICATE_CHARS]].tolist() == [[2, 2, 3, 3], [1, 0, 1, 0]]


def test_a_passage_that_one_mark_lets_stay_does():
    assert left(["a\nb\nc\nd"], [(0, 0, True), (0, 1, False)], window=3)[0] == ["a\nb\nc"]
    assert left(["a\nb\nc\nd"], [(0, 0, False), (0, 1, False)], window=3)[0] == ["a\nb\nc\nd"]
    assert left(["a\nb\nc\nd\ne"], [(0, 0, False), (0, 1, False)], window=3)[0] == ["e"]


@pytest.mark.parametrize("unit", ["line", "paragraph", "sentence"])
@given(st.data(), st.lists(st.text(alphabet="ab中. \n", max_size=40), min_size=1, max_size=4))
def test_any_passages_go_as_pieces_of_strings_do(unit, data, texts):
    parts = [pieces(text, unit) for text in texts]
    chosen = [
        data.draw(st.sets(st.integers(0, len(part) // 2 - 1), max_size=9)) if len(part) > 1 else set() for part in parts
    ]
    found, counts = left(texts, [(n, i, False) for n, numbers in enumerate(chosen) for i in numbers], unit)
    for n, part in enumerate(parts):
        expected = without(part, chosen[n])
        assert found[n] == (texts[n] if expected is None else expected)
        assert counts[n, PASSAGES] == len(part) // 2
        assert counts[n, DUPLICATES] == len(chosen[n])
        assert counts[n, DUPLICATE_CHARS] == sum(len(part[2 * i + 1]) for i in chosen[n])
        assert counts[n, ALL_CHARS] == sum(map(len, part[1::2]))


@pytest.mark.parametrize("unit", ["line", "paragraph", "sentence"])
@given(st.sets(st.integers(0, 12)), st.text(alphabet="ab. \n", max_size=40))
def test_only_white_space_goes_along(unit, numbers, text):
    parts = pieces(text, unit)
    numbers = {number for number in numbers if number < len(parts) // 2}
    if len(numbers) < len(parts) // 2:
        found = left([text], [(0, number, False) for number in numbers], unit)[0][0]
        stays = "".join(passage for i, passage in enumerate(parts[1::2]) if i not in numbers)
        assert "".join(found.split()) == "".join(stays.split())
