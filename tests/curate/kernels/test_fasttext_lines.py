"""A text as fastText's line, against a slow oracle over strings."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.fasttext_lines import LineRules, line_room, lines
from curate.kernels.words import given as given_words

PLAIN = LineRules()
ANYTHING = st.text(
    st.sampled_from("aBÉ中。!<>/sS_l \n\t\u00a0\u2028\0\x1ćȺİΣ😀️") | st.characters(exclude_categories=["Cs"])
)


def line(text, rules=PLAIN):
    return lines(pa.array([text], pa.string()), rules)[0].as_py()


def oracle(text):
    blank = re.sub(r"</s>|\0", " ", text)
    return " ".join(token for token in blank.split() if not token.startswith("__label__"))


@given(st.lists(ANYTHING | st.none(), max_size=6))
def test_tokens_between_blanks(texts):
    assert lines(pa.array(texts, pa.string()), PLAIN).to_pylist() == [oracle(text or "") for text in texts]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one\ntwo\r\nthree\u00a0four\u3000five", "one two three four five"),
        ("before</s>behind </s>", "before behind"),
        ("</s></s>", ""),
        ("</s", "</s"),
        ("</S>", "</S>"),
        ("a __label__spam b __label__", "a b"),
        ("x__label__spam __label_", "x__label__spam __label_"),
        ("a\0b", "a b"),
        ("", ""),
        (" \n ", ""),
    ],
)
def test_what_is_no_token(text, expected):
    assert line(text) == expected


def test_lower_case_makes_no_line_end_and_no_label():
    assert line("A</S>B __LABEL__spam Ⱥ É", LineRules(lower_case=True)) == "a b ⱥ é"


def test_marks_and_letters_of_scripts_without_spaces_stand_alone():
    rules = LineRules(split=True)
    assert line("Go on! (now)", rules) == "Go on ! ( now )"
    assert line("读书hello世界。", rules) == "读 书 hello 世 界 。"
    assert line("1,000 don't", rules) == "1 , 000 don ' t"
    assert line("สวัสดี", rules) == "ส วั ส ดี", "a vowel sign stays with its letter"
    assert line("cafe\u0301!", rules) == "cafe\u0301 !"
    assert line("👍\ufe0fok", rules) == "👍\ufe0f ok"


@given(ANYTHING)
def test_splitting_moves_blanks_only(text):
    split, plain = line(text, LineRules(split=True)), line(text)
    if "__label__" not in split.replace(" ", ""):
        assert split.replace(" ", "") == plain.replace(" ", "")
    for token in split.split(" "):
        letters = [c for c in token if unicodedata.category(c)[0] != "M"]
        assert len(letters) == 1 or not any(unicodedata.category(c)[0] in "PS" for c in letters)


@given(ANYTHING, st.booleans(), st.booleans())
def test_a_line_made_twice_is_the_same_and_has_room(text, lower, split):
    rules = LineRules(lower, split)
    once = line(text, rules)
    assert line(once, rules) == once
    assert len(once.encode()) <= line_room(len(text.encode()))


@pytest.mark.parametrize(
    ("most", "expected"), [(1, "a"), (2, "ab"), (4, "ab"), (5, "ab中"), (6, "ab中c"), (9, "ab中c")]
)
def test_a_bound_on_bytes_parts_no_character(most, expected):
    assert line("ab中c", LineRules(max_bytes=most)) == expected


def test_bytes_that_are_no_utf8_stay():
    raw = pa.array([b"a\xff\xfeB \x80"]).cast(pa.binary())
    texts = pa.StringArray.from_buffers(1, raw.buffers()[1], raw.buffers()[2])
    for rules in (PLAIN, LineRules(lower_case=True)):
        assert lines(texts, rules).cast(pa.large_binary())[0].as_py().lower() == b"a\xff\xfeb \x80"
    assert lines(texts, LineRules(split=True)).cast(pa.large_binary())[0].as_py() == b"a \xff \xfe B \x80"


def test_given_words_are_tokens():
    texts = pa.array(["读书好</s>", None, "a b"])
    words = given_words(np.array([0, 2, 2, 3]), np.array([0, 6, 0], np.int32), np.array([6, 9, 3], np.int32))
    assert lines(texts, PLAIN, words).to_pylist() == ["读书 好", "", "a b"]


def test_a_slice_of_a_column_is_read_at_its_place():
    texts = pa.array(["skip this", "one\ntwo", None, "three"])[1:]
    assert lines(texts, PLAIN).to_pylist() == ["one two", "", "three"]
