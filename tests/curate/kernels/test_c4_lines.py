"""C4's line rules: what goes and why, against a line-by-line oracle."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.kernels.c4_lines import PAGE_RULES, SIGNALS, C4Rules, bad_word_patterns, clean_lines, sentence_counts

RULES = C4Rules(bad_word_patterns=bad_word_patterns(["darn", "holy cow"], inside_words=False))
OFF = C4Rules(None, False, (), None, False, False, ())
GOOD = "This is one good line."


def clean(*texts, rules=RULES):
    cleaned, signals = clean_lines(pa.array(texts, pa.string()), rules)
    return cleaned.to_pylist(), signals.to_pylist()


def one(text, rules=RULES):
    (cleaned,), (signals,) = clean(text, rules=rules)
    return cleaned, signals


CITATION = re.compile(r"\[[0-9]*\]|\[edit\]|\[citation needed\]")


def broken_rule(line):
    """What happens to a stripped line, page rules included: the name of the first thing that does."""
    lower = line.lower()
    if not line.endswith((".", "?", "!", '"')) or line.endswith("..."):
        return "no_end_mark_lines"
    if len(line.split()) < 5:
        return "few_words_lines"
    if "javascript" in lower:
        return "javascript_lines"
    policy = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")
    return "policy_lines" if any(phrase in lower for phrase in policy) else None


def oracle(text):
    kept, counts = [], dict.fromkeys(SIGNALS.names, 0)
    for line in filter(None, (line.strip() for line in text.split("\n"))):
        counts["line_count"] += 1
        if max(map(len, line.split())) > 1000:
            counts["long_word_lines"] += 1
            continue
        counts["citation_marks"] += len(CITATION.findall(line))
        line = CITATION.sub("", line).strip()
        rule = broken_rule(line) if line else None
        if rule:
            counts[rule] += 1
        elif line:
            kept.append(line)
    return "\n".join(kept), {name: counts[name] for name in SIGNALS.names if name.endswith(("_lines", "_marks"))}


PIECES = [
    GOOD, "short.", "no end mark on this line", "and it goes on and on ...", "You must enable JavaScript to read this.",
    "We uses cookies to do all these things.", "As shown by all others [1] [citation needed].", "[2]",
    "This line ends in a mark.[12]",
    "x" * 1000 + " is a word of some length.", "x" * 1001 + " is a word of some length.",
    "", "  \t", "你好，世界。", 'He said so: "I did."',
]  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=40), max_size=12).map("\n".join))
def test_lines_go_by_the_first_rule_they_break(text):
    cleaned, signals = one(text)
    expected, counts = oracle(text)
    assert cleaned == expected
    assert {name: signals[name] for name in counts} == counts


def test_real_pages_agree_with_the_oracle(shared_data):
    texts = (
        pq.read_table(shared_data / "text" / "manuals_en.parquet", columns=["text"])["text"].slice(0, 100).to_pylist()
    )
    cleaned, signals = clean(*texts)
    for text, left, found in zip(texts, cleaned, signals, strict=True):
        expected, counts = oracle(text)
        assert left == expected
        assert {name: found[name] for name in counts} == counts


@settings(deadline=None)
@given(st.lists(st.none() | st.sampled_from(PIECES) | st.text(), max_size=6))
def test_each_text_is_cleaned_alone_and_null_stays_null(texts):
    cleaned, signals = clean(*texts)
    for text, left, found in zip(texts, cleaned, signals, strict=True):
        assert (left, found) == one(text)
        assert (left is None) == (text is None)
        assert text is not None or set(found.values()) == {None}


@settings(deadline=None)
@given(st.text())
def test_cleaning_twice_removes_nothing_more_once_no_citation_is_left(text):
    once, _ = one(text)
    again, signals = one(once)
    assert again == once or signals["citation_marks"] > 0


@settings(deadline=None)
@given(st.text(alphabet="ab .\n\t[1]{}"))
def test_with_all_rules_off_only_blank_lines_and_outer_white_space_go(text):
    cleaned, signals = one(text, OFF)
    assert cleaned.split("\n") == ([line.strip() for line in text.split("\n") if line.strip()] or [""])
    assert all(signals[name] == 0 for name in SIGNALS.names if name.endswith("_lines"))


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("Here stands lorem ipsum for a text.", "lorem_ipsum"),
        ("A brace { stands in this line.", "curly_brace"),
        ("This darn line is a bad one.", "bad_word"),
        ("Darn, this line is a bad one.", "bad_word"),
        ("This is a Holy Cow of a line.", "bad_word"),
    ],
)
def test_a_page_rule_sees_the_lines_that_are_left(line, rule):
    assert {name for name in PAGE_RULES if one(f"{GOOD}\n{line}")[1][name]} == {rule}
    assert not any(one(f"{GOOD}\n{line} no end")[1][name] for name in PAGE_RULES)


def test_a_brace_in_a_line_removed_for_javascript_is_not_seen():
    assert not one("Javascript: if so then { do that }.")[1]["curly_brace"]


@pytest.mark.parametrize(
    "line", ["This is some darning of socks.", "This is a _darn_ line too.", "Is dárn a word at all?"]
)
def test_a_bad_word_inside_a_word_is_none(line):
    assert not one(line)[1]["bad_word"]


def test_boundaries_of_words_hold_in_other_alphabets():
    rules = C4Rules(bad_word_patterns=bad_word_patterns(["чёрт"], inside_words=False))
    assert one("Да ну тебя, Чёрт ты такой.", rules)[1]["bad_word"]
    assert not one("Да ну тебя, чёртик ты такой.", rules)[1]["bad_word"]


def test_scripts_without_spaces_look_inside_words():
    rules = OFF._replace(bad_word_patterns=bad_word_patterns(["下贱"], inside_words=True))
    assert one("你好下贱世界", rules)[1]["bad_word"]


def test_words_of_a_list_are_taken_as_they_are_and_any_number_of_them():
    words = [f"w{i}" for i in range(2500)] + ["a.b", "c++", "(", " ", ""]
    rules = OFF._replace(bad_word_patterns=bad_word_patterns(words, inside_words=False))
    for text, bad in [
        ("see w2499 there", True),
        ("see a.b", True),
        ("in c++ too", True),
        ("see axb", False),
        ("w", False),
    ]:
        assert one(text, rules)[1]["bad_word"] is bad


def test_no_words_give_no_pattern():
    assert bad_word_patterns([], inside_words=False) == ()
    assert bad_word_patterns(["", " "], inside_words=True) == ()


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("", 0),
        ("One.", 1),
        ("One. Two", 2),
        ("One? Two! Three.", 3),
        ('He said: "Go." Then he went.', 2),
        ("It costs 3.14 euros.", 1),
        ("Wait... what?!", 2),
        ("Dr. Who came.", 2),
        ("你好。世界！再见", 3),
        ("「你好。」世界。", 2),
        ("क्या है। हाँ।", 2),
        ("No mark at all", 1),
        ('An "odd"', 1),
        ("...", 1),
    ],
)
def test_sentences_are_counted_by_the_stated_rule(line, count):
    assert sentence_counts(pa.array([line]))[0] == count


def test_characters_are_those_of_the_text_as_it_came():
    assert one("é\n" * 5)[1]["char_count"] == 10


@pytest.mark.parametrize(
    "text", ["a " * 10**6, "x" * 2 * 10**6, "a\n" * 10**6, "[1" * 10**6, "[1]" * 10**6, "." * 2 * 10**6, '.")' * 10**6]
)
def test_megabytes_of_hostile_text_are_cleaned(text):
    cleaned, signals = one(text)
    assert cleaned == ""
    assert signals["char_count"] == len(text)
