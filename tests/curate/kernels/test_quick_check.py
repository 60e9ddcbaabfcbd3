"""What passes is in NFC and comes out as Python would write it; what matters passes."""

from __future__ import annotations

import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.normalize import stream_safe
from curate.kernels.quick_check import MAX_MARKS, point_table, spaced
from curate.kernels.utf8 import utf8

COMPOSING = (
    "aeAoKÅ\u0301\u0308\u030a\u0316\u0327\u0344\u0345ç가각각आक़ड"
    "\u093c\u0928\u09c7\u09be\u0bc6\u0bbe\u0f71\u0f72\u0f73\uff9eﾞ한글"
)
SPACES = " \t\n\r\x0b\x0c\x1c\x1f\x85\xa0\u2000\u2001\u2003\u2028\u3000"
CHARS = (
    st.sampled_from(COMPOSING)
    | st.sampled_from(SPACES)
    | st.sampled_from("abcXYZ019~\x00\x1b\x20")
    | st.characters(exclude_categories=["Cs"])
)
TEXT = st.text(CHARS, max_size=80) | st.lists(st.text("aB \n", max_size=50), max_size=6).map("é".join)


def passed(*texts, lowered=False):
    """Each text as the kernel writes it; None where it does not pass."""
    column = pa.array(texts, pa.string() if all(isinstance(text, str) for text in texts) else pa.binary())
    data, offsets = utf8(column if column.type == pa.string() else column.view(pa.string()))
    out, ends, good = np.empty(int(offsets[-1]), np.uint8), np.zeros(len(offsets), np.int64), np.ones(len(texts), bool)
    spaced(data, offsets, point_table(), lowered, out, ends, good)
    return [bytes(out[ends[row] : ends[row + 1]]).decode() if good[row] else None for row in range(len(texts))]


@given(st.lists(TEXT, max_size=5))
def test_what_passes_is_nfc_of_the_split_text(texts):
    for text, found in zip(texts, passed(*texts), strict=True):
        if found is not None:
            assert stream_safe(text) == text
            assert found == " ".join(unicodedata.normalize("NFC", text).split())
        else:
            assert not text.isascii()


@given(st.lists(TEXT, max_size=5))
def test_lowered_ascii_passes_and_nothing_else(texts):
    for text, found in zip(texts, passed(*texts, lowered=True), strict=True):
        assert found == (" ".join(text.lower().split()) if text.isascii() else None)


def test_no_two_characters_pass_that_nfc_changes():
    marked = point_table() != 0
    chars = [chr(point) for point in np.flatnonzero(marked) if not 0xD800 <= point < 0xE000]
    rng = np.random.default_rng(0)
    pairs = [a + b for a, b in rng.choice(chars, (60_000, 2))] + [a + b for a in "aक가ᄀ \u0bc6" for b in chars]
    for pair, found in zip(pairs, passed(*pairs), strict=True):
        assert found is None or found == " ".join(unicodedata.normalize("NFC", pair).split())


def test_every_composition_is_stopped():
    parts = [unicodedata.normalize("NFD", chr(point)) for point in range(0x110000) if not 0xD800 <= point < 0xE000]
    parts = [text for text in parts if len(text) > 1 and not text.isspace()]
    assert len(parts) > 12_000  # 11,172 of them are Hangul
    changed = [text for text in parts if unicodedata.normalize("NFC", text) != text]
    assert set(passed(*changed)) == {None}


@pytest.mark.parametrize(
    "text", ["हिन्दी में लड़का ज़मीन", "বাংলা ভাষা", "தமிழ் மொழி", "ไทยนี้", "עִבְרִית", "한국어 글", "Ünïcode", "日本語が"]
)
def test_scripts_pass_as_they_are_written(text):
    assert passed(text) == [text]


def test_real_text_passes(real_texts):
    kept = pc.is_valid(pa.array(passed(*real_texts)))
    assert pc.mean(kept.cast(pa.int8())).as_py() > 0.95


@pytest.mark.parametrize("marks", [MAX_MARKS, MAX_MARKS + 1])
def test_a_long_run_of_marks_does_not_pass(marks):
    assert passed("x" + "\u0316" * marks) == ["x" + "\u0316" * marks if marks == MAX_MARKS else None]


@pytest.mark.parametrize(
    "wrong", [b"\xff", b"a\xc3", b"\xe4\xb8", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a" * 40 + b"\x80"]
)
def test_what_is_no_utf8_does_not_pass(wrong):
    assert passed(wrong, b"ok") == [None, "ok"]


@pytest.mark.parametrize("length", [31, 32, 33, 63, 64, 65, 100])
@pytest.mark.parametrize("at", [0, 30, 31, 32, 33])
def test_white_space_at_the_seam_of_blocks(length, at):
    for run in (" ", "  ", "\n \t", " " * 40):
        text = "x" * at + run + "y" * length
        assert passed(text + run) == [" ".join(text.split())]
