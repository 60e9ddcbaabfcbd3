from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.kernels.shingles import ShingleSets, Unit, shingle_sets, similarities


def sets(*texts: str | None, n: int = 5, unit: Unit = "word", most: int = 131_072) -> list[set[int]]:
    return unpacked(shingle_sets(pa.array(texts, pa.string()), n, unit, most))


def unpacked(found: ShingleSets) -> list[set[int]]:
    return [set(found.values[a:b].tolist()) for a, b in zip(found.offsets[:-1], found.offsets[1:], strict=True)]


def same(a: str, b: str, n: int = 2) -> bool:
    left, right = sets(a, b, n=n)
    return left == right


def brute_force(text: str, n: int) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[i : i + n]) for i in range(max(1, len(words) - n + 1))} if words else set()


def jaccard(a: set[object], b: set[object]) -> float:
    return len(a & b) / len(a | b) if a | b else 0.0


def containment(a: set[object], b: set[object]) -> float:
    return len(a & b) / min(len(a), len(b)) if a and b else 0.0


def test_case_punctuation_diacritics_and_white_space_do_not_count() -> None:
    assert same("The quick, brown fox!", "the QUICK\n brown  fox")
    assert same("Café naïve Ångström", "cafe\u0301 nai\u0308ve angstrom")
    assert same("soft\u00adware ｗｉｄｅ", "software wide")


def test_words_numbers_and_their_order_count() -> None:
    assert not same("one two three", "one three two")
    assert not same("page 7 of nine", "page 8 of nine")
    assert not same("ab c", "a bc")


@pytest.mark.parametrize(
    ("text", "num"),
    [("", 0), ("?! -- …", 0), ("one", 1), ("a b c d", 1), ("a b c d e", 1), ("a b c d e f", 2), ("a a a a a a a", 1)],
)
def test_number_of_shingles(text: str, num: int) -> None:
    assert len(sets(text)[0]) == num
    assert shingle_sets(pa.array([text])).num_shingles.tolist() == [num]


def test_a_short_text_equals_itself_and_no_other() -> None:
    a, b, c, longer = sets("Hello, world", "hello world", "hello word", "hello world again and again")
    assert a == b
    assert not a & c
    assert not a & longer


def test_characters_of_scripts_without_spaces_are_tokens() -> None:
    assert len(sets("今天天气很好。", n=2)[0]) == 5
    assert len(sets("カタカナ", n=2)[0]) == len(sets("ｶﾀｶﾅ", n=2)[0]) == 3
    assert same("カタカナ", "ｶﾀｶﾅ")
    assert len(sets("한국어 문장 하나", n=2)[0]) == 2  # Korean has spaces
    mixed, apart = sets("我用Python写代码", "我用 python 写代码", n=1)
    assert mixed == apart
    assert len(mixed) == 6


def test_character_unit_takes_single_characters() -> None:
    assert len(sets("abc de", n=2, unit="character")[0]) == 4
    assert sets("ab c", n=2, unit="character") == sets("a b-c", n=2, unit="character")


def test_null_and_sliced_columns() -> None:
    column = pa.array(["skip me", None, "a b c d e", "", "x y"])
    whole, part = unpacked(shingle_sets(column)), unpacked(shingle_sets(column.slice(1, 3)))
    assert part == whole[1:4]
    assert [len(s) for s in whole] == [1, 0, 1, 0, 1]
    assert shingle_sets(pa.array([], pa.string())).offsets.tolist() == [0]


def test_bytes_that_are_not_utf8_separate_words() -> None:
    raw = [b"a b\xffc d", b"a b c d", b"a b c d\xe4\xb8", b"a b\xf4\x90\x80\x80c d"]
    column = pa.Array.from_buffers(pa.string(), len(raw), pa.array(raw, pa.binary()).buffers())
    first, *others = unpacked(shingle_sets(column, 2))
    assert all(other == first for other in others)


def test_beyond_the_bound_the_smallest_hashes_are_kept() -> None:
    text = " ".join(map(str, range(300)))
    whole, kept = sets(text, n=1)[0], sets(text, n=1, most=100)[0]
    assert kept == set(sorted(whole)[:100])
    assert sets(text, n=1, most=300)[0] == whole
    assert shingle_sets(pa.array([text]), 1, "word", 100).num_shingles.tolist() == [300]


def test_a_long_text_outgrows_the_first_buffer() -> None:
    text = "字" * 10 + " a" * 5000 + " 字" * 5000 + "".join(chr(0x4E00 + i) for i in range(20_000))
    tokens = re.findall(r"[\u4e00-\u9fff]|a", text)
    assert len(sets(text, n=2)[0]) == len(set(pairwise(tokens)))


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.text(alphabet="ab cD.é字1_\u0301\U0001f600ß", max_size=60), max_size=6), st.integers(1, 4))
def test_texts_do_not_touch_each_other(texts: list[str], n: int) -> None:
    assert sets(*texts, n=n) == [sets(text, n=n)[0] for text in texts]


words = st.text(alphabet="ab cd,", max_size=80)


@settings(deadline=None)  # the first call compiles
@given(words, words, st.integers(1, 5))
def test_similarities_are_those_of_brute_force(a: str, b: str, n: int) -> None:
    found = shingle_sets(pa.array([a, b]), n)
    ours = similarities(found.values, found.offsets, np.array([0]), np.array([1]))
    left, right = brute_force(a, n), brute_force(b, n)
    assert [values.tolist() for values in ours] == [[jaccard(left, right)], [containment(left, right)]]


@settings(deadline=None)  # the first call compiles
@given(st.text())
def test_any_text_is_folded_and_composition_does_not_count(text: str) -> None:
    text = "".join(c for c in text if not "\ud800" <= c <= "\udfff")
    [found] = sets(text, n=1)
    assert len(found) <= len(text)
    if all(ord(c) < 0x250 for c in text):  # Latin
        assert same(text, unicodedata.normalize("NFD", text), n=1)


def packed(*lists: list[int]) -> tuple[np.ndarray, np.ndarray]:
    offsets = np.cumsum([0, *map(len, lists)])
    return np.array([x for values in lists for x in values], np.uint64), offsets.astype(np.int64)


@pytest.mark.parametrize(
    ("a", "b", "jaccard", "containment"),
    [
        ([], [], 0, 0),
        ([1], [], 0, 0),
        ([1, 2], [1, 2], 1, 1),
        ([1, 2, 3], [2, 3, 4], 0.5, 2 / 3),
        ([1, 2], [3, 4], 0, 0),
        ([2], [1, 2, 3, 4], 0.25, 1),
        ([1, 2, 3, 4, 9], [3, 9], 0.4, 1),
        ([1, 9], [1, 2, 3, 4], 0.2, 0.5),
    ],
)
def test_similarities_by_hand(a: list[int], b: list[int], jaccard: float, containment: float) -> None:
    for left, right in ((a, b), (b, a)):
        found = similarities(*packed(left, right), np.array([0]), np.array([1]))
        assert [values.tolist() for values in found] == [[jaccard], [containment]]


sets_of_numbers = st.lists(st.sets(st.integers(0, 60), max_size=40), min_size=1, max_size=5)


@settings(deadline=None)  # the first call compiles
@given(sets_of_numbers, st.integers(1, 50))
def test_cut_sets_are_compared_by_the_smallest_of_their_union(members: list[set[int]], most: int) -> None:
    a, b = members, members[::-1]
    rows = np.arange(len(members))
    jaccards, containments = similarities(*packed(*(sorted(one)[:most] for one in members)), rows, rows[::-1], most)
    for i, (x, y) in enumerate(zip(a, b, strict=True)):
        if max(len(x), len(y)) >= most:
            sample = set(sorted(x | y)[:most])
            x, y = x & sample, y & sample
        assert (jaccards[i], containments[i]) == (jaccard(x, y), containment(x, y))


def test_similarities_of_cut_sets_are_near_those_of_the_whole() -> None:
    generator = np.random.default_rng(0)
    pool = generator.integers(0, 2**63, 40_000).astype(np.uint64)
    a, b = np.sort(pool[:30_000]), np.sort(pool[5_000:20_000])
    most = 8192
    zero, one = np.array([0]), np.array([1])
    bounds = np.array([0, most, 2 * most])
    jaccards, containments = similarities(np.concatenate([a[:most], b[:most]]), bounds, zero, one, most)
    assert jaccards == pytest.approx(15_000 / 30_000, abs=4 * 0.5 / most**0.5)
    assert containments == pytest.approx(1)
    whole = similarities(np.concatenate([a, b]), np.array([0, a.size, a.size + b.size]), zero, one)
    assert [values.tolist() for values in whole] == [[0.5], [1.0]]


@settings(deadline=None)  # the first call compiles
@given(st.text(alphabet="ab c字.", max_size=200), st.integers(1, 8))
def test_shingles_are_the_runs_of_tokens(text: str, n: int) -> None:
    tokens = re.findall(r"字|[abc]+", text)
    runs = {tuple(tokens[i : i + n]) for i in range(max(1, len(tokens) - n + 1))} if tokens else set()
    assert len(sets(text, n=n)[0]) == len(runs)


def test_a_shingle_is_the_same_wherever_it_stands() -> None:
    filler = " ".join(f"w{i}" for i in range(5000))  # over the borders of several windows
    [whole] = sets(filler)
    parts = [set(s) for i in range(0, 4996, 100) for s in sets(" ".join(f"w{j}" for j in range(i, min(i + 104, 5000))))]
    assert whole == set().union(*parts)


@pytest.mark.parametrize("n", [1, 2, 5, 64])
def test_a_text_of_few_tokens_over_several_windows_has_one_shingle(n: int) -> None:
    gap = " " * 20_000
    assert sets(f"a{gap}b{gap}", n=n) == sets("a b", n=n)
    assert sets(gap, n=n) == [set()]


def test_real_texts_have_no_collisions(real_texts: list[str]) -> None:
    column = pa.array(real_texts[:80])  # English, so that tokens are words
    for text, found in zip(real_texts[:80], unpacked(shingle_sets(column)), strict=True):
        if text.isascii():
            assert len(found) == len(brute_force(text, 5))
