"""C4's line rules: what goes and why, against a line-by-line oracle of each toolkit's variant."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate import recipe
from curate.kernels.c4_lines import LINE_RULES, PAGE_RULES, SIGNALS, C4Rules, clean_lines
from curate.kernels.key_set import KeySet
from curate.kernels.keyword_match import WordList

RULES = C4Rules()
OFF = C4Rules(
    max_word_chars=None,
    remove_citations=False,
    end_marks=(),
    min_words_per_line=None,
    remove_javascript=False,
    remove_policy=False,
)
GOOD = "This is one good line."
CITATION = re.compile(r"\[\d*\]|\[edit\]|\[citation needed\]")
POLICY = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")


def clean(*texts, rules=RULES, words=None, inside=False):
    bad = None if words is None else WordList(KeySet.of(words))
    cleaned, signals = clean_lines(pa.array(texts, pa.string()), rules, bad, inside)
    return cleaned.to_pylist(), signals.to_pylist()


def one(text, rules=RULES, words=None, inside=False):
    (cleaned,), (signals,) = clean(text, rules=rules, words=words, inside=inside)
    return cleaned, signals


def lower(text):
    """Simple lower case: characters that become two stay."""
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in text)


def google(text, end_marks=(".", "?", "!", '"'), min_words=5, words_before=False):
    """Google's `clean_page` line by line, without sentences; datatrove's with its settings."""
    kept, found = [], dict.fromkeys(SIGNALS.names, 0)
    for line in map(str.strip, text.splitlines()):
        found["line_count"] += line != ""
        before = line.split()
        if any(len(word) > 1000 for word in before):
            found["long_word_lines"] += 1
            continue
        found["citation_marks"] += len(CITATION.findall(line))
        line = CITATION.sub("", line)
        if not line.strip():
            continue
        low = lower(line)
        if not line.endswith(end_marks) or line.endswith("..."):
            found["no_end_mark_lines"] += 1
        elif len(before if words_before else line.split()) < min_words:
            found["few_words_lines"] += 1
        else:
            found["lorem_ipsum"] |= "lorem ipsum" in low
            found["javascript"] |= "javascript" in low
            if "javascript" in low:
                found["javascript_lines"] += 1
                continue
            found["curly_brace"] |= "{" in line
            if any(phrase in low for phrase in POLICY):
                found["policy_lines"] += 1
                continue
            kept.append(line)
    return "\n".join(kept).strip(), found


def datatrove(text):
    return google(text, (".", "?", "!", '"', "'"), 3, words_before=True)


def dolma(text):
    """Spans of the tagger c4_v2 taken out, and its page rules over the whole text."""
    kept, found = [], dict.fromkeys(SIGNALS.names, 0)
    low = lower(text)
    found |= {"lorem_ipsum": "lorem ipsum" in low, "curly_brace": "{" in low, "javascript": "javascript" in low}
    for line in re.findall(r"[^\n]*\n|[^\n]+$", text):
        found["line_count"] += line.strip() != ""
        if not line.strip():
            continue
        if not line.strip().endswith((".", "?", "!", '"')):
            found["no_end_mark_lines"] += 1
        elif len(line.split()) < 3:
            found["few_words_lines"] += 1
        else:
            kept.append(line)
    return "".join(kept), found


def dclm(text):
    """One modifier of DCLM after another, each over all lines; blank lines that are not empty go."""
    lines = [line for line in text.split("\n") if all(len(word) <= 1000 for word in line.split())]
    lines = [CITATION.sub("", line) for line in lines]
    lines = [line for line in lines if re.search(r'[.!?"\u2026]\s*\Z', line) or not line]
    lines = [line for line in lines if not re.search(r"(?:\.\.\.|\u2026)\s*\Z", line)]
    lines = [line for line in lines if len(line.split()) >= 5 or not line]
    lines = [line for line in lines if "javascript" not in lower(line)]
    lines = [line for line in lines if not any(phrase in lower(line) for phrase in POLICY)]
    return "\n".join(lines).strip(), {}


VARIANTS = {"c4@tfds": google, "c4@datatrove": datatrove, "c4@dolma": dolma, "c4@dclm": dclm}


def rules_of(variant):
    (step,) = recipe.load(variant).stages
    return step.stage._rules()


PIECES = [
    GOOD, "short.", "no end mark on this line", "and it goes on and on ...", "You must enable JavaScript to read this.",
    "We uses cookies to do all these things.", "As shown by all others [1] [citation needed].", "[2]",
    "This line ends in a mark.[12]",
    "x" * 1000 + " is a word of some length.", "x" * 1001 + " is a word of some length.",
    "", "  \t", "你好，世界。", 'He said so: "I did."',
]  # fmt: skip


TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=40), max_size=12).flatmap(
    lambda lines: st.sampled_from(["\n", "\r\n", "\u2028", "\x1c", "\n\n", " \n "]).map(lambda end: end.join(lines))
)


def agrees(variant, text):
    cleaned, signals = one(text, rules_of(variant))
    expected, found = VARIANTS[variant](text)
    assert cleaned == expected
    names = [f"{rule}_lines" for rule in LINE_RULES] + ["line_count", "citation_marks", *PAGE_RULES]
    assert {name: signals[name] for name in names if name in found} == {n: found[n] for n in names if n in found}


@settings(deadline=None)
@given(TEXTS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_lines_go_by_the_first_rule_they_break(variant, text):
    agrees(variant, text)


@pytest.mark.parametrize("variant", VARIANTS)
def test_real_pages_agree_with_the_oracle(real_texts, variant):
    for text in real_texts:
        agrees(variant, text)


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_a_toolkit_does_otherwise(variant):
    rules = rules_of(variant)

    def stays(line):
        return one(line, rules)[0] != ""

    found = {
        "four words": stays("It has four words."),
        "three words": stays("It has three."),
        "two words": stays("Has two."),
        "citation as third word": stays("Two words [1]."),
        "apostrophe": stays("He said 'this is one good line'"),
        "ellipsis": stays("This line goes on and on..."),
        "mark before a citation": stays("This is one good line. [1]"),
        "javascript": stays("You must enable Javascript to read."),
        "policy": stays("This is our privacy policy line."),
        "lines of its own": "\n" in one("First comes this good line.\u2028Then comes another good line.", rules)[0],
    }
    same = dict.fromkeys(found, False)
    assert (
        found
        == same
        | {
            "c4@tfds": {"lines of its own": True},
            "c4@datatrove": dict.fromkeys(
                ("four words", "three words", "citation as third word", "apostrophe", "lines of its own"), True
            ),
            "c4@dolma": dict.fromkeys(
                ("four words", "three words", "ellipsis", "javascript", "policy", "citation as third word"), True
            ),
            "c4@dclm": {"mark before a citation": True},
        }[variant]
    )


def test_white_space_goes_as_it_is_told():
    text = "  [1] One good line it is.  \n\nAnother good line it is. [2]\n"
    kept = {strip: one(text, OFF._replace(strip=strip, remove_citations=True))[0] for strip in
            ("lines", "cleaned_lines", "text", "none")}  # fmt: skip
    assert kept == {
        "lines": "One good line it is.\nAnother good line it is.",
        "cleaned_lines": "One good line it is.\nAnother good line it is.",
        "text": "One good line it is.  \nAnother good line it is.",
        "none": "   One good line it is.  \nAnother good line it is. \n",
    }
    assert one(text, OFF._replace(strip="text", keep_empty_lines=True))[0].count("\n") == 2
    assert one("a b\n [1] c\nd", OFF._replace(remove_citations=True))[0] == "a b\n c\nd"


@pytest.mark.parametrize("rule", ["marks", "sentencizer"])
def test_sentences_take_the_place_of_lines(rule):
    rules = RULES._replace(unit="sentences", min_words_per_line=3, sentence_rule=rule)
    text = "This is a\nsentence. Short. And no mark here\nbut there is one later! Last without"
    cleaned, signals = one(text, rules)
    assert cleaned == "This is a\nsentence. And no mark here\nbut there is one later!"
    assert (signals["line_count"], signals["few_words_lines"], signals["no_end_mark_lines"]) == (4, 1, 1)
    assert signals["sentence_count"] == 2


def test_sentences_without_space_between_them_are_joined_by_one():
    assert one("你好。世界！再见" * 50, OFF._replace(unit="sentences"))[0] == " ".join(
        ["你好。", "世界！"] + ["再见你好。", "世界！"] * 49 + ["再见"]
    )


def test_bytes_that_are_no_utf8_are_met_without_harm():
    bodies = [b"\xff\xfe This is one good line.\n\xe2\x80", b"\xed\xa0\x80 and one two three.", b"", b"\x00" * 9]
    offsets = np.cumsum([0, *map(len, bodies)]).astype(np.int32)
    texts = pa.StringArray.from_buffers(4, pa.py_buffer(offsets), pa.py_buffer(b"".join(bodies)))
    cleaned, _ = clean_lines(texts, RULES)
    assert cleaned.cast(pa.binary()).to_pylist() == [
        b"\xff\xfe This is one good line.",
        b"\xed\xa0\x80 and one two three.",
        b"",
        b"",
    ]


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


WORDS = ["darn", "holy cow"]


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
    page_rules = (*PAGE_RULES, "bad_word")
    assert {name for name in page_rules if one(f"{GOOD}\n{line}", words=WORDS)[1][name]} == {rule}
    assert not any(one(f"{GOOD}\n{line} no end", words=WORDS)[1][name] for name in page_rules)


def test_page_rules_over_the_whole_text_see_all_of_it():
    rules = RULES._replace(whole_text=True)
    for line, rule in (
        ("lorem ipsum", "lorem_ipsum"),
        ("{", "curly_brace"),
        ("darn", "bad_word"),
        ("xJavascript", "javascript"),
    ):
        assert one(f"{GOOD}\n{line}", rules, WORDS)[1][rule]


@pytest.mark.parametrize(
    ("text", "word"),
    [("Javascript", True), ("use javascript here", True), ("javascript.", False), ("xjavascript", False)],
)
def test_javascript_may_be_asked_for_as_a_word(text, word):
    rules = RULES._replace(whole_text=True, javascript_word=True)
    assert one(text, rules)[1]["javascript"] is word


@pytest.mark.parametrize("phrase", ["lorem ipsum", "javascript", *POLICY])
@pytest.mark.parametrize("around", ["{}", "x{}x", "é{}é", "jav{}", "use {}", "c{}"])
def test_phrases_are_found_anywhere_in_any_case(phrase, around):
    signal = {"lorem ipsum": "lorem_ipsum", "javascript": "javascript_lines"}.get(phrase, "policy_lines")
    for text in (phrase, phrase.upper(), phrase.title()):
        line = f"One two three {around.format(text)} four."
        assert one(line)[1][signal]
        assert not one(line.replace(text, text[:-1]))[1][signal]


def test_a_brace_in_a_line_removed_for_javascript_is_not_seen():
    assert not one("Javascript: if so then { do that }.")[1]["curly_brace"]


@pytest.mark.parametrize(
    "line", ["This is some darning of socks.", "This is a _darn_ line too.", "Is dárn a word at all?"]
)
def test_a_bad_word_inside_a_word_is_none(line):
    assert not one(line, words=WORDS)[1]["bad_word"]


def test_scripts_without_spaces_look_inside_words():
    assert one("你好下贱世界", OFF, ["下贱"], inside=True)[1]["bad_word"]


def test_characters_are_those_of_the_text_as_it_came():
    assert one("é\n" * 5)[1]["char_count"] == 10


@pytest.mark.parametrize(
    "text", ["a " * 10**6, "x" * 2 * 10**6, "a\n" * 10**6, "[1" * 10**6, "[1]" * 10**6, "." * 2 * 10**6, '.")' * 10**6]
)
def test_megabytes_of_hostile_text_are_cleaned(text):
    cleaned, signals = one(text)
    assert cleaned == ""
    assert signals["char_count"] == len(text)
