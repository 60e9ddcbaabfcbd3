"""RefinedWeb's line rules against a chain of passes over `str`, one for each rule, as DCLM runs them."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from curate.kernels.refinedweb_lines import LINE_RULES, SIGNALS, clean_lines, line_rules

WORDS = ("likes", "shares", "comments")
PLACES = (("items in cart",), ("Read more...",), ("Sign-in",))
COUNTER = re.compile(rf"^\W*\d(?:,|\.|\d)*(?:k|m|b)?\s+(?:{'|'.join(WORDS)})\W*$")
PATTERNS = {
    False: (r"\s?items in cart", r"\s?read more\.\.\.$", r"^sign-in\s?"),
    True: (r"\s?items in cart", r"\s?read more...$", r"^sign-in\s?"),
}


def rules(upper=0.5, digits=0.999999, words=2, edited=10, counters=WORDS, places=PLACES, dots=False, spaceless=False):
    return line_rules(
        upper, digits, words, edited, counters, *places, any_char="." if dots else "", spaceless_words=spaceless
    )


def clean(*texts, given=None):
    cleaned, signals = clean_lines(pa.array(texts, pa.string()), given or rules())
    assert signals.type == SIGNALS
    return cleaned.to_pylist(), signals.to_pylist()


def tokens(text):
    """fastText's tokens that begin with a letter or a digit."""
    return sum(token[:1].isalnum() for token in re.split("[ \t\n\v\f\r\0]", text))


def oracle(text, dots=False):
    """The text that is left and lines removed by rule. Digits are `isdecimal`: the one difference from DCLM's code."""
    passes = {
        "uppercase": lambda line: sum(map(str.isupper, line)) / len(line) > 0.5,
        "numeric": lambda line: sum(map(str.isdecimal, line)) / len(line) > 0.999999,
        "counter": lambda line: COUNTER.search(line.lower()) is not None,
        "short": lambda line: len(line.split()) < 2,
    }
    counts, left = {}, text
    for rule, hit in passes.items():
        lines = left.split("\n")
        counts[rule] = sum(bool(line.strip()) and hit(line) for line in lines)
        left = "\n".join(line for line in lines if not line or not hit(line))
        left = left if rule == "short" else left.strip()
    for pattern in PATTERNS[dots]:
        kept = []
        for line in left.split("\n"):
            edited = line
            if len(line.split()) <= 10:
                edited = re.sub(pattern, "", line, flags=re.IGNORECASE)
                if line and not edited.strip():
                    continue
            kept.append(edited)
        left = "\n".join(kept).strip()
    removed = max(tokens(text) - tokens(left), 0)
    return left, counts, removed / max(tokens(text), 1)


def agree(text, dots=False):
    expected, counts, frac = oracle(text, dots)
    (got,), (signals,) = clean(text, given=rules(dots=dots))
    assert got == expected
    assert signals["removed_word_frac"] == pytest.approx(frac, abs=1e-12)
    assert signals["word_count"] == tokens(text)
    if text == text.strip():  # else DCLM's strip between passes moves a line from one rule to another
        assert {rule: signals[f"{rule}_lines"] for rule in LINE_RULES} == counts


PIECES = st.sampled_from(
    [
        *"abAB19., \t\n\n-_!",
        "\u00a0",
        "\r",
        "\0",
        "\x1c",
        "é",
        "É",
        "中",
        "文。",
        "ก็",
        "١",
        "🙂",
        "e\u0301",
        "\u202e",
        "3 likes",
        "1.2K shares",
        "items in cart",
        "Read more...",
        "read more",
        "SIGN-IN",
        "sign-in",
        " ",
        "word word ",
    ]
)


@given(st.lists(PIECES, max_size=40).map("".join), st.booleans())
@example("\n  Sign-in here now\nfoo", False)
@example("items in cart\n Sign-in here\n a Read more...\nitems in cart ", False)
@example("a\n \nb c", False)
@example("please read more on", True)
@example("3 items in cartitems in cart", False)
def test_texts_and_counts_are_those_of_the_passes(text, dots):
    agree(text, dots)


@given(st.text(max_size=60), st.booleans())
def test_any_text_agrees(text, dots):
    agree(text, dots)


@pytest.mark.parametrize("name", ["news_en", "books_en", "zh", "manuals_en", "code_python"])
def test_real_texts_agree(shared_data, name):
    column = pq.read_table(shared_data / "text" / f"{name}.parquet", columns=["text"])["text"]
    for text in column.slice(0, 60).to_pylist():
        agree(text[:20_000])


def test_sentences_of_all_languages_stay_as_they_are_where_nothing_is_wrong(shared_data):
    """Letters of scripts without spaces are words, so that no line of theirs is one word."""
    table = pq.read_table(shared_data / "lid" / "sentences.parquet")
    joined = {}
    for language, text in zip(*(table[name].to_pylist() for name in ("language", "text")), strict=True):
        line = " ".join(text.split())
        if len(line) > 30 and sum(map(str.isupper, line)) <= len(line) / 4:
            joined.setdefault(language, []).append(line)
    assert {"zh", "ja", "th", "ru", "ar", "hi", "de"} <= set(joined)
    for lines in joined.values():
        text = "\n".join(lines)
        (got,), (signals,) = clean(text, given=rules(spaceless=True))
        assert got == text
        assert signals["removed_word_frac"] == 0


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("ABCD efgh", None),  # 4 of 9
        ("ABCDE efgh", None),  # 5 of 10: on the bound
        ("ABCDE fgh", "uppercase"),  # 5 of 9
        ("123 456", None),
        ("123456", "numeric"),
        ("123456.", "short"),
        ("١٢٣", "numeric"),
        ("3 likes", "counter"),
        ("  · 1,234.5k  Shares!", "counter"),
        ("3M comments", "counter"),
        ("3 likes and more", None),
        ("3likes now", None),
        ("K 3 likes", None),
        ("3 kk likes", None),
        ("two words", None),
        ("one", "short"),
    ],
)
def test_each_rule_takes_its_lines(line, rule):
    (got,), (signals,) = clean(f"Here is a line.\n{line}\nAnd here another.")
    assert (line in got.split("\n")) == (rule is None)
    assert {name: signals[f"{name}_lines"] for name in LINE_RULES} == {n: int(n == rule) for n in LINE_RULES}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("You have 3 items in cart today", "You have 3 today"),
        ("one two three four five six seven items in cart", "one two three four five six seven"),
        ("one two three four five six seven eight items in cart", None),  # 11 words
        ("The whole story read MORE...", "The whole story"),
        ("Read more... of it", None),
        ("The whole story read more on", None),
        ("Sign-in to comment", "to comment"),
        ("Please Sign-in to comment", None),
        ("Items in cart", ""),
    ],
)
def test_phrases_go_from_their_place_in_short_lines(line, expected):
    expected = line if expected is None else expected
    (got,), (signals,) = clean(f"Here it is.\n{line}\nAnd here.")
    assert got == "\n".join(filter(None, ["Here it is.", expected, "And here."]))
    assert signals["phrase_lines"] == (expected != line)
    assert signals["phrase_words"] == len(line.split()) - len(expected.split())


def test_a_dot_may_stand_for_any_character():
    (got,), _ = clean("please read more on\nread more >>", given=rules(dots=True))
    assert got == "please"


def test_longest_phrase_at_the_end_goes():
    given = rules(places=((), ("more", "read more"), ()))
    assert clean("To go on, read more", given=given)[0] == ["To go on,"]


def test_each_rule_can_be_off():
    text = "SHOUT IT\n12\n3 likes\nword\nitems in cart\nfor all Read more...\nSign-in at once\n "
    off = rules(None, None, None, None, (), ((), (), ()))
    (got,), (signals,) = clean(text, given=off)
    assert got == text.strip()
    assert sum(value for name, value in signals.items() if name.endswith("_lines")) == 0


def test_letters_without_spaces_are_words_where_asked_for():
    assert clean("你好。\nword")[0] == [""]
    (got,), (signals,) = clean("你好。\n哦\nword", given=rules(spaceless=True))
    assert got == "你好。"
    assert (signals["word_count"], signals["short_words"]) == (4, 2)


@given(st.lists(PIECES, max_size=40).map("".join))
def test_without_phrases_a_second_time_changes_nothing_of_stripped_lines(text):
    text = "\n".join(line.strip() for line in text.split("\n"))  # white space at its ends counts as characters
    given = rules(places=((), (), ()))
    (once,), _ = clean(text, given=given)
    (twice,), (signals,) = clean(once, given=given)
    assert twice == once
    assert signals["removed_word_frac"] == 0


def test_null_empty_and_slices():
    column = pa.array(["drop", None, "Keep this line.", "", "one\nTwo words here"], pa.string()).slice(1)
    texts, signals = clean_lines(column, rules())
    assert texts.to_pylist() == [None, "Keep this line.", "", "Two words here"]
    assert signals[0].as_py() == dict.fromkeys(SIGNALS.names)
    assert signals[2].as_py()["removed_word_frac"] == 0
    assert len(clean_lines(column.slice(0, 0), rules())[0]) == 0


def raw(*values):
    offsets = np.cumsum([0, *map(len, values)]).astype(np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(values))]
    return pa.Array.from_buffers(pa.string(), len(values), buffers)


def test_bytes_that_are_no_text_do_no_harm():
    bad = [b"\xff\xfe words \xe2\x82", b"\xed\xa0\x80 one\n3 likes", b"two words\x80\n\xc3", b"\x80Read more..."]
    texts, _ = clean_lines(raw(*bad), rules())
    ends = iter_offsets(texts)
    left = [bytes(texts.buffers()[2])[a:b] for a, b in pairwise(ends)]
    assert left == [b"\xff\xfe words \xe2\x82", b"\xed\xa0\x80 one", b"two words\x80", b"\x80"]


def iter_offsets(texts):
    return np.frombuffer(texts.buffers()[1], np.int32).tolist()


@given(st.lists(st.binary(max_size=30), max_size=4))
def test_any_bytes_only_become_fewer(values):
    texts, signals = clean_lines(raw(*values), rules(dots=True, spaceless=True))
    ends = iter_offsets(texts)
    assert all(b - a <= len(value) for a, b, value in zip(ends, ends[1:], values, strict=False))
    assert all(0 <= one["removed_word_frac"] <= 1 for one in signals.to_pylist())


def test_one_huge_line_and_a_million_short_ones():
    huge = "word " * 400_000
    many = "ok then\n" * 300_000
    (one, two), _ = clean(huge, many)
    assert (one, two) == (huge.strip(), many.strip())
