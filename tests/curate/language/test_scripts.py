from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.language.scripts import HAN, HANGUL, KANA, SCRIPTS, script_counts

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Straße", "Latn"),
        ("Ελλάδα", "Grek"),
        ("Київ", "Cyrl"),
        ("ירושלים", "Hebr"),
        ("القاهرة", "Arab"),
        ("ไทย", "Thai"),
        ("한국어", "Hang"),
        ("ｶﾀｶﾅ", "Hrkt"),
        ("𠮷野", "Hani"),
        ("々", "Hani"),
    ],
)
def test_letters_belong_to_their_script(text, script):
    counts = script_counts([text])[0]
    assert counts[SCRIPTS.index(script)] == counts.sum() == sum(map(str.isalpha, text))


def test_digits_punctuation_emoji_and_nul_are_no_letters():
    assert script_counts(["12 ３４ ٣ ,.!? 。「」・ \0 😀 \n"]).sum() == 0


def test_an_empty_batch_and_empty_texts_have_rows():
    assert script_counts([]).shape == (0, len(SCRIPTS))
    assert script_counts(["", "a", ""]).sum(axis=1).tolist() == [0, 1, 0]


@given(st.lists(TEXT, max_size=5))
def test_a_batch_counts_like_its_texts_one_by_one(texts):
    one_by_one = [script_counts([text])[0] for text in texts]
    np.testing.assert_array_equal(script_counts(texts), np.array(one_by_one).reshape(len(texts), len(SCRIPTS)))


@given(TEXT)
def test_cjk_letters_agree_with_unicode_names(text):
    names = [unicodedata.name(character, "") for character in text if character.isalpha()]
    counts = script_counts([text])[0]
    assert counts[HAN] >= sum(name.startswith("CJK UNIFIED") for name in names)
    assert counts[HANGUL] == sum("HANGUL" in name for name in names)
    assert counts[KANA] >= sum(name.startswith(("HIRAGANA LETTER", "KATAKANA LETTER")) for name in names)
