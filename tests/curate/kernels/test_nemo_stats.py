"""NeMo Curator's statistics agree with plain Python over `str`, written down filter by filter."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_texts import BYTES, TEXTS, as_text, raw_array

from curate.kernels.nemo_stats import SIGNALS, nemo_stats

STOP_WORDS = ("the", "be", "of")
BULLETS = "•‣○"
END_MARKS = ".?!\"'"
BOILERPLATE = ("terms of use", "use cookies")
ELLIPSES = ("...", "[...]", "…", "(...)", "[…]", "-»", "read more..", "read more")
URL = re.compile(r"https?://(?:[A-Za-z0-9$\-_@.&+/:=?#~!*(),]|%[0-9A-Fa-f]{2})+")
MARKED = (
    "Terms of USE",
    "we use cookies",
    "lorem Ipsum",
    "Read More",
    "-»",
    "[…]",
    "##a",
    "#a#",
    "{x}",
    "⟨",
    "٣",
    "\b",
)
LINKS = ("http://a.b/%2f%2", "https://", "https://x<y", "hhttp://x y")
PIECES = st.lists(st.sampled_from([*MARKED, *LINKS, "a", "b", "a b", "a", "the", "\n", "\n\n"])).flatmap(
    lambda pieces: st.sampled_from([" ".join(pieces), "".join(pieces), "\n".join(pieces)])
)


def measure(*texts):
    array = texts[0] if isinstance(texts[0], pa.Array) else pa.array(texts, pa.string())
    return nemo_stats(
        array, stop_words=STOP_WORDS, bullets=BULLETS, end_marks=END_MARKS, boilerplate=BOILERPLATE
    ).to_pylist()


def share(part, whole, of_nothing=0.0):
    return part / whole if whole else of_nothing


def of_characters(text):
    counted = {
        "non_alphanumeric_frac": len(re.sub("[a-zA-Z0-9\n?!,.]", "", text)),
        "digit_frac": sum(unicodedata.category(c) == "Nd" for c in text),
        "url_char_frac": sum(map(len, URL.findall(text))),
        "white_space_frac": sum(c in "\t\n\r\b " for c in text),
        "parenthesis_frac": sum(c in "(){}[]⟨⟩" for c in text),
    }
    return {name: share(number, len(text), 1.0) for name, number in counted.items()}


def of_words(words):
    def is_symbol(word):
        return word in ELLIPSES or len(re.findall("#+", word)) / len(word) > 0.5

    num = max(len(words), 1)
    return {
        "symbol_word_frac": sum(map(is_symbol, words)) / num,
        "word_count": len(words),
        "alphabetic_word_frac": sum(any(unicodedata.category(c)[0] == "L" for c in word) for word in words) / num,
        "stop_word_count": sum(word in STOP_WORDS for word in words),
        "mean_word_length": sum(map(len, words)) / num,
        "longest_word_chars": max(map(len, words), default=0),
    }


def of_lines(lines):
    stripped, num = [line.strip() for line in lines], max(len(lines), 1)
    return {
        "unended_line_frac": sum(not line.endswith(tuple(END_MARKS)) for line in stripped) / num,
        "ellipsis_line_frac": sum(line.lower().endswith(ELLIPSES) for line in stripped) / num,
        "bullet_line_frac": sum(line.startswith(tuple(BULLETS)) for line in stripped) / num,
    }


def boilerplate(paragraphs):
    if any("lorem ipsum" in paragraph.lower() for paragraph in paragraphs):
        return 1.0
    return sum(any(phrase in paragraph.lower() for phrase in BOILERPLATE) for paragraph in paragraphs) / len(paragraphs)


def top(text, words, n):
    counts = Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))
    if not counts:
        return 1.0
    most = " ".join(max(counts, key=counts.get))  # of equally frequent ones the first
    return (len(text) - len(text.replace(most, ""))) / len(text)


def dup(text, words, n):
    if len(words) < n:
        return 1.0
    seen, covered, chars = set(), 0, 0
    for i in range(len(words) - n + 1):
        gram = tuple(words[i : i + n])
        if gram in seen:
            new = gram[max(covered - i, 0) :]
            chars += sum(map(len, new)) + min(len(new), n - 1)
            covered = i + n
        seen.add(gram)
    return chars / len(text)


def oracle(text):
    words, paragraphs = text.split(), text.split("\n\n")
    lines = [line for line in text.split("\n") if line.strip()]
    return {
        **of_characters(text),
        **of_words(words),
        **of_lines(lines),
        "boilerplate_paragraph_frac": boilerplate(paragraphs),
        "unique_line_frac": share(len(set(lines)), len(lines), 1.0),
        "unique_paragraph_frac": len(set(paragraphs)) / len(paragraphs),
        "unique_line_char_frac": share(len("".join(set(lines))), len("".join(lines)), 1.0),
        "unique_paragraph_char_frac": share(len("".join(set(paragraphs))), len("".join(paragraphs)), 1.0),
        **{f"top_{n}gram_char_frac": top(text, words, n) for n in (2, 3, 4)},
        **{f"dup_{n}gram_char_frac": dup(text, words, n) for n in range(5, 11)},
    }


@given(texts=st.lists(TEXTS | PIECES, min_size=1, max_size=4))
def test_statistics_are_those_of_the_obvious_definition(texts):
    assert measure(*texts) == [pytest.approx(oracle(text)) for text in texts]


@given(text=st.text("ab #\n", max_size=200))
def test_texts_that_repeat_themselves_agree(text):
    assert measure(text) == [pytest.approx(oracle(text))]


@given(values=st.lists(BYTES, min_size=1, max_size=4))
def test_bytes_that_are_no_utf8_are_a_character_each(values):
    assert measure(raw_array(values)) == [pytest.approx(oracle(as_text(value))) for value in values]


def test_real_texts_agree_with_the_oracle(real_texts):
    assert measure(*real_texts) == [pytest.approx(oracle(text)) for text in real_texts]


def test_null_is_null_and_the_empty_text_fails_the_shares_of_characters():
    null, empty = measure(None, "")
    assert set(null.values()) == {None}
    assert empty["non_alphanumeric_frac"] == empty["dup_10gram_char_frac"] == 1


def test_no_rows_keep_the_type():
    made = nemo_stats(pa.array([], pa.string()), stop_words=(), bullets="", end_marks="", boilerplate=())
    assert made.type == SIGNALS


def test_a_slice_of_a_column_is_measured_as_it_is():
    texts = pa.array(["# a", None, "the b", "to # of"])
    assert measure(texts.slice(2)) == measure("the b", "to # of")


@pytest.mark.parametrize(
    ("text", "chars"),
    [
        ("http://a b", 8),
        ("https://a%20b", 13),
        ("http://a%2 b", 8),
        ("http:// x", 0),
        ("HTTP://a", 0),
        ("httphttp://a", 8),
        ("https://", 0),
        ("http://a<b>", 8),
        ("http://a;b", 8),
    ],
)
def test_an_address_ends_where_its_characters_do(text, chars):
    assert measure(text)[0]["url_char_frac"] == chars / len(text)


@pytest.mark.parametrize(
    "text",
    ["#a#" * 500_000, "a" * 1_500_000 + " b " + "a" * 500_000, "a b " * 400_000, "\n" * 1_000_000, "h" * 2_000_000],
)
def test_megabytes_of_hostile_text_are_measured(text):
    assert measure(text)[0]["word_count"] == len(text.split())
