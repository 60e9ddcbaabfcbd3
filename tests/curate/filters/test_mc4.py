"""mC4's page rule: three lines of 200 characters, and no listed word."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate import recipe
from curate.errors import InputError
from curate.filters.mc4 import MC4
from curate.kernels.long_lines import long_line_counts

STAGE = MC4()
FEW = ["long_line_count_below_min"]


@pytest.mark.parametrize("char", ["x", "é", "字", "😀", " "])
@pytest.mark.parametrize(("chars", "expected"), [(199, FEW), (200, []), (201, [])])
def test_a_line_of_200_characters_is_long(reasons, char, chars, expected):
    assert reasons(STAGE, "\n".join([char * chars] * 3)) == expected


@pytest.mark.parametrize(("lines", "expected"), [(0, FEW), (2, FEW), (3, []), (4, [])])
def test_three_long_lines_are_enough(reasons, lines, expected):
    assert reasons(STAGE, "\n".join(["short"] * 9 + ["x" * 200] * lines)) == expected
    assert reasons(MC4(min_long_line_count=None), "\n".join(["x" * 200] * lines)) == []


def test_only_a_newline_ends_a_line(reasons):
    assert reasons(STAGE, "\u2028".join(["x" * 200] * 3)) == FEW


@given(st.lists(st.none() | st.text(st.sampled_from("aé\n\r\u2028"))), st.integers(0, 4))
def test_long_lines_are_counted_as_str_split_has_them(texts, chars):
    expected = [sum(len(line) >= chars for line in text.split("\n")) if text else 0 for text in texts]
    assert long_line_counts(pa.array(texts, pa.string()), chars).tolist() == expected


def test_a_listed_word_drops_the_page(reasons, tmp_path):
    path = tmp_path / "de"
    path.write_text("Mist\n")
    stage = MC4(bad_words_path=str(path))
    text = "\n".join(["x" * 200] * 3)
    assert reasons(stage, text) == []
    assert reasons(stage, f"{text}\nSo ein mist") == ["bad_word"]
    assert reasons(stage, f"{text}\nmistig") == []
    assert reasons(MC4(bad_words_path=str(path), bad_words_inside_words=True), f"{text}\nmistig") == ["bad_word"]


def test_a_missing_list_is_an_error_for_the_user(reasons):
    with pytest.raises(InputError, match="no-such-list"):
        reasons(MC4(bad_words_path="no-such-list"), "x")


def test_null_is_kept_and_empty_is_not(reasons):
    assert reasons(STAGE, None) == []
    assert reasons(STAGE, "") == FEW


def test_an_empty_batch_keeps_its_types():
    batch = pa.record_batch({"text": pa.array([], pa.string())})
    assert STAGE.annotate(batch).type == STAGE.signals


def test_the_recipe_of_google_is_the_default():
    (step,) = recipe.load("mc4@tfds").stages
    assert step.stage == STAGE
