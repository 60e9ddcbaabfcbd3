from __future__ import annotations

import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.kernels.normalize import Normalization, digest, digests, normalized, stream_safe

MARK = "\u0301"
FORMS: tuple[Normalization, ...] = ("none", "whitespace", "caseless")


def test_whitespace_form_ignores_white_space_and_composition_only() -> None:
    assert normalized("\u00a0a\t\nb\u3000c ", "whitespace") == "a b c"
    assert digest("Cafe\u0301", "whitespace") == digest("Café", "whitespace")
    assert digest("Café", "whitespace") != digest("café", "whitespace")
    assert digest("Café", "whitespace") != digest("Café.", "whitespace")


def test_caseless_form_ignores_case_and_compatibility_forms() -> None:
    assert digest("STRASSE ﬁn Ａ", "caseless") == digest("straße FIN a", "caseless")


def test_none_form_tells_every_character_apart() -> None:
    assert digest("a b", "none") != digest("a  b", "none")
    assert normalized(" A\u0301 ", "none") == " A\u0301 "


def test_a_digest_has_128_bits_and_null_is_empty_text() -> None:
    assert len(digest("x", "none")) == 16
    assert digest(None, "whitespace") == digest("", "whitespace") == digest(" \n", "whitespace")


def test_lone_surrogates_and_nul_have_a_digest() -> None:
    assert digest("a\udc80\0", "whitespace") != digest("a\udc81\0", "whitespace")


@pytest.mark.parametrize(("marks", "joiners"), [(30, 0), (31, 1), (60, 1), (61, 2)])
def test_a_run_of_marks_is_broken_after_thirty(marks: int, joiners: int) -> None:
    assert stream_safe("e" + MARK * marks).count("\u034f") == joiners


def test_no_run_of_marks_is_normalised_in_one_piece() -> None:
    text = stream_safe("a" + "\u0300\u0316" * 50_000 + "\u0344" * 1000)
    assert max(map(len, text.split("\u034f"))) <= 31
    assert normalized(text, "whitespace")  # quadratic without the breaks: minutes


@settings(deadline=None)  # the first call makes the pattern
@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalized(text, "whitespace")
    assert normalized(once, "whitespace") == once


@settings(deadline=None)  # the first call makes the pattern
@given(st.text())
def test_whitespace_form_is_nfc_of_the_split_text(text: str) -> None:
    if stream_safe(text) == text:
        assert normalized(text, "whitespace") == " ".join(unicodedata.normalize("NFC", text).split())


def slowly(text: bytes | None, form: Normalization) -> bytes:
    return digest(None if text is None else text.decode("utf-8", "surrogateescape"), form)


def column(texts: list[bytes | None]) -> pa.StringArray:
    """As Spark gives it: nobody has asked whether it is UTF-8."""
    return pa.array(texts, pa.binary()).view(pa.string())


ANY_TEXT = st.binary(max_size=40) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass"))


@given(st.lists(st.none() | ANY_TEXT, max_size=6), st.sampled_from(FORMS), st.integers(0, 2))
def test_digests_of_a_column_are_those_of_its_texts(
    texts: list[bytes | None], form: Normalization, skipped: int
) -> None:
    found = digests(column(texts).slice(skipped), form)
    assert found.shape == (len(texts[skipped:]), 2)
    assert [bytes(row) for row in found] == [slowly(text, form) for text in texts[skipped:]]


@pytest.mark.parametrize("form", FORMS)
def test_digests_of_real_texts(real_texts: list[str], form: Normalization) -> None:
    assert [bytes(row) for row in digests(pa.array(real_texts), form)] == [digest(text, form) for text in real_texts]


@pytest.mark.parametrize("form", FORMS)
def test_a_digest_stays_what_it_was(form: Normalization) -> None:
    """Stored digests are compared with new ones: whoever changes a form raises `VERSION`."""
    known = {
        "none": "e7b38a0f63f633717bdfca8dafd80dd0",
        "whitespace": "52311fbab3eb0e27e29e77c85533bffa",
        "caseless": "87fb66667189d085d0fa420a80aaabf5",
    }
    assert digest(" Straße \n e\u0301 ", form).hex() == known[form]
