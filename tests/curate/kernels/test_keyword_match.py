"""Words and phrases at word boundaries, against regular expressions; shares against a count by hand."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels import scan
from curate.kernels.folded_text import WORD, folded
from curate.kernels.key_set import KeySet
from curate.kernels.keyword_match import WordList, has_any, has_any_between_blanks, matches

PIECES = ["a", "b", "a b", "ab", "b-a", "é", "e\u0301", "c++", ".net", "(", "_", " ", "\0", "日本", "İ", "Σας", "ΣΑΣ"]
ENTRY = st.lists(st.sampled_from(PIECES), min_size=1, max_size=3).map("".join) | st.text(min_size=1, max_size=3)
TEXT = st.lists(st.sampled_from([*PIECES, "\n", "x"]), max_size=12).map("".join) | st.text()


def word_list(*entries):
    return WordList(KeySet.of(entries))


def c4_has_bad_word(text, words):
    """As Google's code asks, in text that is in lower case."""
    return re.search(r"(?:\W|^)({})(?:\W|$)".format("|".join(map(re.escape, words))), text) is not None


def flanked(entry, text, inside_words=False):
    """Where an entry stands in a text, character by character."""
    for at in range(len(text) - len(entry) + 1):
        if text.startswith(entry, at):
            around = text[at - 1 : at], text[at + len(entry) : at + len(entry) + 1]
            if inside_words or not any(re.fullmatch(r"\w", char) for char in around if char):
                yield at, at + len(entry)


@given(st.lists(ENTRY, min_size=1, max_size=6), st.lists(st.none() | TEXT, min_size=1, max_size=4))
def test_a_bad_word_is_one_for_c4_where_it_is_one_for_us(entries, texts):
    words = word_list(*entries)
    lower = folded(pa.array(texts, pa.string())).to_pylist()
    expected = [
        None if text is None else c4_has_bad_word(low, words.entries) for text, low in zip(texts, lower, strict=True)
    ]
    assert has_any(pa.array(texts, pa.string()), words, False).to_pylist() == expected


@given(st.lists(ENTRY, max_size=6), st.lists(TEXT, min_size=1, max_size=3), st.booleans())
def test_matches_are_counted_named_and_measured(entries, texts, inside_words):
    words = word_list(*entries)
    found = matches(pa.array(texts), words, inside_words)
    for row, text in enumerate(folded(pa.array(texts)).to_pylist()):
        spans = [(end, start, entry) for entry in words.entries for start, end in flanked(entry, text, inside_words)]
        assert found.num_matches[row] == len(spans)
        assert found.num_entries[row] == len({entry for *_, entry in spans})
        first = min(spans)[2] if spans else None
        assert (words.entries.entry(found.first[row]) if found.first[row] >= 0 else None) == first
        covered = {at for end, start, _ in spans for at in range(start, end)}
        assert found.char_frac[row] == len(covered) / max(len(text), 1)
        whole = [range(*match.span()) for match in re.finditer(r"[^\s\x1c-\x1f\x85]+", text)]
        assert found.word_frac[row] == sum(any(at in covered for at in one) for one in whole) / max(len(whole), 1)


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("Darn!", True),
        ("such DARN luck", True),
        ("a Holy cow of a line", True),
        ("darning", False),
        ("holy  cow", False),  # two spaces
        ("holy\ncow", False),
        ("_darn_", False),
        ("darn2", False),
        ("holy", False),
        ("holy co", False),
        ("in c++ too", True),
        ("c+", False),
        ("unholy holy cow", True),
        ("", False),
    ],
)
def test_entries_are_whole_words_and_phrases(text, bad):
    assert has_any(pa.array([text]), word_list("darn", "Holy Cow", "c++"), False).to_pylist() == [bad]


def test_capitals_of_other_alphabets_are_found():
    words = word_list("λόγος", "чёрт", "straße", "istanbul")
    texts = pa.array(["ΛΌΓΟΣ", "Чёрт ты", "чёртик", "STRAẞE", "STRASSE", "İSTANBUL"])
    assert has_any(texts, words, False).to_pylist() == [True, True, False, True, False, True]


def test_a_combining_mark_is_part_of_a_word_where_asked():
    texts = pa.array(["कमी", "कम है"])
    assert has_any(texts, word_list("कम"), False).to_pylist() == [True, True]  # as C4's `\W` has it
    assert matches(texts, word_list("कम"), False, WORD).num_matches.tolist() == [0, 1]


def test_scripts_without_spaces_look_inside_words():
    texts, words = pa.array(["你好下贱世界", None]), word_list("下贱")
    assert has_any(texts, words, True).to_pylist() == [True, None]
    assert has_any(texts, words, False).to_pylist() == [False, None]


@pytest.mark.parametrize("inside_words", [True, False])
def test_bytes_that_are_no_utf8_are_read_without_harm(inside_words):
    data = b"\xff darn \xc3 \xe4\xbd darn\x80 d\xffarn"
    texts = pa.StringArray.from_buffers(1, pa.py_buffer(np.array([0, len(data)], np.int32)), pa.py_buffer(data))
    assert matches(texts, word_list("darn"), inside_words).num_matches.tolist() == [2]


@pytest.mark.parametrize("inside_words", [True, False])
def test_slices_and_large_strings_are_columns_too(inside_words):
    texts = pa.array(["darn", "no", None, "darn darn"]).slice(1)
    for column in (texts, texts.cast(pa.large_string())):
        assert matches(column, word_list("darn"), inside_words).num_matches.tolist() == [0, 0, 2]
    assert len(has_any(texts.slice(0, 0), word_list("darn"), inside_words)) == 0


def test_names_of_lists_stay_with_their_entries():
    words = WordList(KeySet([pa.array(["Darn"]), pa.array(["DARN", "Cow"])], ["one", "two"]))
    assert words.entries.described(matches(pa.array(["cow", "darn"]), words, False).first).to_pylist() == [
        "cow (two)",
        "darn (one)",
    ]


def test_only_the_beginning_of_a_very_long_text_is_read():
    text = "é" * (scan.MAX_BYTES // 2 - 2) + " é é"
    assert matches(pa.array([text]), word_list("é"), False).num_matches.tolist() == [1]


@pytest.mark.parametrize("filler", ["a", "a ", " ", ".", ". .", "é", "日", "\u0301", "to be ", "\0"])
@pytest.mark.parametrize("inside_words", [True, False])
def test_megabytes_of_hostile_text_are_read(filler, inside_words):
    words = word_list("to be or not to be", ".net", "a a a b", "éé" * 20 + "x", "日" * 50)
    assert len(has_any(pa.array([filler * 500_000]), words, inside_words)) == 1


@pytest.mark.parametrize(("language", "inside_words"), [("en", False), ("zh", True), ("zh", False)])
def test_real_texts_and_the_public_list_agree_with_regular_expressions(shared_data, language, inside_words):
    listed = (shared_data / "wordlists" / "ldnoobw" / language).read_text("utf-8").splitlines()
    words = word_list(*(line.strip() for line in listed))
    path = shared_data / "text" / {"en": "books_en.parquet", "zh": "zh.parquet"}[language]
    texts = [
        text[i : i + 5000] for text in pq.read_table(path, columns=["text"])["text"].to_pylist()[:20] for i in (0, 5000)
    ]
    found = matches(pa.array(texts), words, inside_words)
    for row, text in enumerate(folded(pa.array(texts)).to_pylist()):
        pattern = (re.compile(re.escape(w) if inside_words else rf"(?<!\w){re.escape(w)}(?!\w)") for w in words.entries)
        assert found.num_entries[row] == sum(one.search(text) is not None for one in pattern)
    assert not inside_words or found.num_entries.sum() > 0


def test_every_public_list_finds_its_own_entries(shared_data):
    for path in sorted((shared_data / "wordlists" / "ldnoobw").iterdir()):
        if path.name != "LICENSE":
            entries = [line.strip() for line in path.read_text("utf-8").splitlines() if line.strip()]
            words = word_list(*entries)
            capitals = [one.upper() if one.upper().lower() == one.lower() else one for one in entries]  # no "ı"
            for inside_words in (True, False):
                assert all(has_any(pa.array([f"… {one}, x" for one in capitals]), words, inside_words).to_pylist())


@pytest.mark.parametrize(
    ("text", "found"),
    [("a bad thing", True), ("A BAD", True), ("bad, thing", False), ("(bad)", False), ("badly", False),
     ("xvery evily", True), ("very", False), ("bad\u3000x", True), ("\x00bad", False)],
)  # fmt: skip
def test_between_blanks_a_word_stands_alone_and_a_phrase_anywhere(text, found):
    words = WordList(KeySet.of(["bad", "very evil"]))
    assert has_any_between_blanks(pa.array([text]), words)[0].as_py() is found
