"""Passages and their hashes, against strings and `unicodedata`."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from passage_oracle import letters, normal, pieces

from curate.kernels.passages import BREAKS, CHARS, END, MAX_PASSAGES, START, passages, windows

UNITS = ["line", "paragraph", "sentence"]
FORMS = ["none", "whitespace", "ccnet"]
TEXTS = st.text(alphabet="aB é。.1\n\t\r中\u3000", max_size=40)


def cut(text, unit, form="none"):
    """The passages of one text, as strings."""
    found = passages(pa.array([text]), unit, form)
    return [text.encode()[start:end].decode() for start, end, *_ in found.spans.tolist()]


@pytest.mark.parametrize("unit", UNITS)
@given(st.lists(st.none() | TEXTS, max_size=6), st.integers(0, 2))
def test_texts_are_cut_as_strings_are(unit, texts, skipped):
    found = passages(pa.array(texts, pa.string()).slice(skipped), unit, "ccnet")
    for n, text in enumerate(texts[skipped:]):
        parts = pieces(text or "", unit)
        spans = found.spans[found.first[n] : found.first[n + 1]]
        body = (text or "").encode()
        assert [body[start:end].decode() for start, end, *_ in spans.tolist()] == parts[1::2]
        assert spans[:, BREAKS].tolist() == [gap.count("\n") for gap in parts[:-1:2]]
        assert spans[:, CHARS].tolist() == [len(passage) for passage in parts[1::2]]
        found_letters = found.letters[found.first[n] : found.first[n + 1]]
        assert found_letters.tolist() == [letters(normal(passage, "ccnet")) for passage in parts[1::2]]


def test_a_line_has_its_indentation_and_blank_lines_are_none():
    assert cut("  a \n\n \t\nb\r\n", "line") == ["  a ", "b\r"]


def test_a_paragraph_ends_at_a_blank_line():
    assert cut("a\n b\n\nc\n \nd\n", "paragraph") == ["a\n b", "c", "d"]


def test_sentences_of_any_script_end_where_their_marks_are_and_at_the_end_of_a_line():
    assert cut("One. Two?\nThree", "sentence") == ["One.", "Two?", "Three"]
    assert cut("一句。两句！三句", "sentence") == ["一句。", "两句！", "三句"]
    assert cut("It costs 3.14 euros. Да? हाँ।", "sentence") == ["It costs 3.14 euros.", "Да?", "हाँ।"]


@pytest.mark.parametrize("form", FORMS)
@given(st.lists(st.text(max_size=6) | st.text(alphabet="aAáa\u0301 \t1２.-", max_size=4), max_size=12))
def test_hashes_are_equal_where_normal_forms_are(form, texts):
    lines = [text.replace("\n", " ") for text in texts]
    lines = [line for line in lines if line.strip()]
    found = passages(pa.array(lines, pa.string()), "line", form)
    expected = [normal(line, form) for line in lines]
    for column in (0, 1):
        keys = found.hashes[:, column].tolist()
        assert [[a == b for a in keys] for b in keys] == [[a == b for a in expected] for b in expected]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Café 2024!", "cafe 1999"),
        ("Ünïcödé", "unicode"),
        ("Sign in | Share", "sign  in |\tshare"),
        ("你好，世界。", "你好世界"),
        ("e\u0301t\u00e9", "ÉTÉ"),
        ("soft\u00adhyphen", "softhyphen"),
        ("٣ items", "7 items"),
        ("İstanbul", "istanbul"),
    ],
)
def test_ccnet_looks_past_case_accents_punctuation_digits_and_spaces(one, other):
    found = passages(pa.array([one, other]), "line", "ccnet")
    assert found.hashes[0].tolist() == found.hashes[1].tolist()
    assert len({tuple(row) for row in passages(pa.array([one, other]), "line", "none").hashes.tolist()}) == 2


def test_ccnet_tells_vowel_signs_and_numbers_of_other_length_apart():
    lines = ["कि", "की", "क", "10", "100"]
    found = passages(pa.array(lines), "line", "ccnet")
    assert len({tuple(row) for row in found.hashes.tolist()}) == 5


def test_bytes_that_are_no_utf8_stand_for_themselves():
    raw = [b"a\xff\n", b"a\xfe\n", b"a\xff", "a\ufffd".encode(), b"\xe4\xb8"]
    texts = pa.array(raw, pa.binary()).view(pa.string())
    found = passages(texts, "line", "ccnet")
    keys = [tuple(row) for row in found.hashes.tolist()]
    assert keys[0] == keys[2]
    assert len(set(keys)) == 4
    assert found.spans[:, END].tolist() == [2, 2, 2, 4, 2]


def test_the_hashes_are_what_they_were():
    found = passages(pa.array(["The quick brown fox, 1999."]), "line", "ccnet")
    assert [f"{number:016x}" for number in found.hashes[0].tolist()] == ["ae2df901916f4bae", "91ed3d27df3c1b2d"]


def test_a_window_is_every_run_of_passages_within_a_text():
    found = passages(pa.array(["a\nb\nc", "b\nc", "c"]), "line", "none")
    starts, hashes = windows(found, 2, 0)
    assert starts.tolist() == [0, 1, 3]
    assert hashes[1].tolist() == hashes[2].tolist() != hashes[0].tolist()
    starts, hashes = windows(found, 1, 0)
    assert starts.tolist() == list(range(6))
    assert len({tuple(row) for row in hashes.tolist()}) == 3


def test_a_window_knows_where_its_passages_part_and_in_which_order_they_come():
    found = passages(pa.array(["ab\nc", "a\nbc", "c\nab"]), "line", "none")
    assert len({tuple(row) for row in windows(found, 2, 0)[1].tolist()}) == 3


def test_windows_below_min_chars_are_left_out_and_those_without_a_letter_always():
    found = passages(pa.array(["a`bc\n$$$ *\nab c1"]), "line", "ccnet")
    assert [windows(found, 1, n)[0].tolist() for n in (0, 3, 4, 5)] == [[0, 2], [0, 2], [2], []]
    assert [windows(found, 2, n)[0].tolist() for n in (0, 3, 4, 5)] == [[0, 1], [0, 1], [1], []]


def test_empty_columns_and_texts_have_no_passages():
    for texts in (pa.array([], pa.string()), pa.array([None, "", " \n\n"], pa.string())):
        found = passages(texts, "sentence", "ccnet")
        assert found.first.tolist() == [0] * (len(texts) + 1)
        assert windows(found, 3, 0)[0].tolist() == []


def test_a_text_of_too_many_passages_is_looked_at_in_part():
    found = passages(pa.array(["a\n" * (MAX_PASSAGES + 3), "b"]), "line", "none")
    assert np.diff(found.first).tolist() == [MAX_PASSAGES, 1]
    assert found.spans[-2, START] == 2 * (MAX_PASSAGES - 1)
    found = passages(pa.array(["。a" * (MAX_PASSAGES + 3)]), "sentence", "none")
    assert np.diff(found.first).tolist() == [MAX_PASSAGES]
