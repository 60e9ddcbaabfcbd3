"""Words of a batch: the libraries' own tokens are the oracle, and every byte that is not white space is in one word."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.errors import EnvironmentProblem, RecipeError
from curate.kernels.scan import MAX_BYTES
from curate.words import bounds as module
from curate.words.bounds import WordBounds, word_bounds, word_bounds_by_language
from curate.words.segmenters import SEGMENTERS

SPACES = [chr(code) for code in range(0x3001) if chr(code).isspace()]
BETWEEN_SPACES = "between spaces"  # stands for a language without a segmenter
EVERY_WAY = [*SEGMENTERS, BETWEEN_SPACES]


def bounds_of(texts: pa.StringArray, way: str) -> WordBounds:
    if way == BETWEEN_SPACES:
        return word_bounds_by_language(texts, pa.nulls(len(texts), pa.string()))
    return word_bounds(texts, way)


def words_of(texts: pa.StringArray, bounds: WordBounds) -> list[list[bytes]]:
    bodies = [text or b"" for text in texts.view(pa.binary()).to_pylist()]
    return [
        [body[bounds.starts[k] : bounds.ends[k]] for k in range(bounds.offsets[i], bounds.offsets[i + 1])]
        for i, body in enumerate(bodies)
    ]


def found(texts: list[str | None], way: str) -> list[list[str]]:
    array = pa.array(texts, pa.string())
    return [[word.decode() for word in words] for words in words_of(array, bounds_of(array, way))]


def kept(tokens: list[str]) -> list[str]:
    return [token.strip() for token in tokens if token.strip()]


def sentences(shared_data: Path, language: str) -> list[str]:
    table = pq.read_table(shared_data / "lid" / "sentences.parquet", filters=[("language", "=", language)])
    return table["text"].to_pylist()


def chinese(shared_data: Path, num: int) -> list[str]:
    return pq.read_table(shared_data / "text" / "zh.parquet")["text"].slice(0, num).to_pylist()


@pytest.mark.parametrize(
    ("way", "text", "words"),
    [
        ("jieba", "大型语言模型的能力。", "大型 语言 模型 的 能力 。"),
        ("jieba", "C++和k-means，a.b 3.14 100%", "C++ 和 k - means ， a . b 3.14 100%"),
        ("sudachi", "東京都に住む。", "東京 都 に 住む 。"),
        ("newmm", "สวัสดีครับ เวลา 19:30", "สวัสดี ครับ เวลา 19:30"),
        ("icu", "ភាសាខ្មែរ😀 မြန်မာစာ, can't", "ភាសាខ្មែរ 😀 မြန်မာ စာ , can't"),
        (BETWEEN_SPACES, "Words, as\u3000they\x85stand\n", "Words, as they stand"),
    ],
)
def test_words_are_found(way, text, words):
    assert found([text], way) == [words.split(" ")]


def test_real_chinese_is_parted_as_jieba_does(shared_data, tmp_path):
    jieba = pytest.importorskip("jieba")
    jieba.setLogLevel(60)
    jieba.dt.tmp_dir = str(tmp_path)  # it keeps a cache
    texts = [text[:20_000] for text in chinese(shared_data, 30)] + sentences(shared_data, "zh")
    oracle = [kept(list(jieba.cut(text))) for text in texts]
    same = [ours == theirs for ours, theirs in zip(found(texts, "jieba"), oracle, strict=True)]
    # rjieba decides one tie the other way: 4 of 1,731,108 words of 200 documents.
    assert sum(same) >= len(texts) - 1


def test_real_chinese_keeps_the_tokens_of_the_library_but_for_ascii(shared_data):
    from rjieba import Jieba

    texts = chinese(shared_data, 30)
    oracle = [kept(Jieba().cut(text)) for text in texts]
    for ours, theirs in zip(found(texts, "jieba"), oracle, strict=True):
        assert "".join(ours) == "".join(theirs)
        assert [word for word in ours if not word.isascii()] == [word for word in theirs if not word.isascii()]


def test_real_japanese_is_parted_as_sudachi_does(shared_data):
    from sudachipy import Dictionary, SplitMode

    tokenizer = Dictionary(dict="core").tokenizer(mode=SplitMode.A)
    texts = sentences(shared_data, "ja")
    texts.append("\n".join(texts[:100]))  # several pieces
    assert found(texts, "sudachi") == [kept([token.surface() for token in tokenizer.tokenize(text)]) for text in texts]


def test_real_thai_is_parted_as_newmm_safe_does(shared_data):
    from pythainlp.tokenize import word_tokenize

    texts = sentences(shared_data, "th")
    assert found(texts, "newmm") == [kept(word_tokenize(text, engine="newmm-safe")) for text in texts]


def test_real_thai_and_chinese_are_parted_as_icu_does(shared_data):
    from icu4py.breakers import WordBreaker

    texts = sentences(shared_data, "th") + sentences(shared_data, "zh")
    assert found(texts, "icu") == [kept(list(WordBreaker(text, "und"))) for text in texts]


def test_real_words_stand_between_spaces_elsewhere(shared_data):
    texts = sentences(shared_data, "ko") + sentences(shared_data, "vi") + sentences(shared_data, "ar")
    assert found(texts, BETWEEN_SPACES) == [text.split() for text in texts]


_PIECES = [
    "大型语言",
    "C++",
    "a.b-c",
    "東京都に",
    "ｶﾞ",
    "สวัสดี",
    "19:30",
    "ភាសា",
    "ລາວ",
    "က",
    "😀",
    "e\u0301",
    "\0",
    "word",
]
TEXTS = st.lists(st.sampled_from(_PIECES + SPACES) | st.text(max_size=5), max_size=30).map("".join)


@pytest.mark.parametrize("way", EVERY_WAY)
@given(texts=st.lists(TEXTS | st.none(), max_size=4))
def test_every_byte_that_is_not_white_space_is_in_one_word(way, texts):
    bounds = bounds_of(pa.array(texts, pa.string()), way)
    assert len(bounds.offsets) == len(texts) + 1
    for i, text in enumerate(texts):
        body, row = (text or "").encode(), slice(bounds.offsets[i], bounds.offsets[i + 1])
        covered = np.zeros(len(body), np.int64)
        for start, end in zip(bounds.starts[row], bounds.ends[row], strict=True):
            word = body[start:end].decode()  # fails within a character
            assert word == word.strip() != ""
            covered[start:end] += 1
        assert list(bounds.starts[row]) == sorted(set(bounds.starts[row]))
        assert covered.max(initial=0) <= 1
        outside = bytes(byte for byte, times in zip(body, covered, strict=True) if not times).decode()
        assert outside == "" or outside.isspace()


@given(texts=st.lists(TEXTS, max_size=4))
def test_words_between_spaces_are_those_of_split(texts):
    assert found(texts, BETWEEN_SPACES) == [text.split() for text in texts]


@pytest.mark.parametrize("way", EVERY_WAY)
@given(
    bodies=st.lists(st.binary(max_size=20) | TEXTS.map(str.encode), max_size=4),
    tail=st.sampled_from([b"\xff", b"\xed\xa0\x80"]),
)
def test_words_of_bytes_that_are_no_utf8_stand_between_spaces(way, bodies, tail):
    broken = [body + b" " + tail for body in bodies]
    texts = pa.array(broken, pa.binary()).view(pa.string())
    between = b"|".join(char.encode() for char in SPACES)
    assert words_of(texts, bounds_of(texts, way)) == [[w for w in re.split(between, body) if w] for body in broken]


@pytest.mark.parametrize("way", EVERY_WAY)
def test_null_empty_and_blank_texts_have_no_words(way):
    assert found([None, "", " \u3000\n", "a"], way) == [[], [], [], ["a"]]
    nothing = bounds_of(pa.array([], pa.string()), way)
    assert [field.tolist() for field in nothing] == [[0], [], []]


def test_fields_have_their_types():
    bounds = word_bounds(pa.array(["中国"]), "jieba")
    assert [field.dtype for field in bounds] == [np.int64, np.int32, np.int32]


def test_a_slice_of_an_array_has_positions_of_its_own():
    texts = pa.array(["一二三", None, "中国人民", "東京"])
    assert bounds_of(texts.slice(2, 1), "jieba").starts[0] == 0
    assert (
        words_of(texts.slice(2), bounds_of(texts.slice(2), "jieba")) == words_of(texts, bounds_of(texts, "jieba"))[2:]
    )


MIXED = [
    ("zh", "大型语言模型", ["大型", "语言", "模型"]),
    ("en", "it is so.", ["it", "is", "so."]),
    ("ja", "東京都に", ["東京", "都", "に"]),
    (None, "大型语言模型", ["大型语言模型"]),
    ("th", "สวัสดีครับ", ["สวัสดี", "ครับ"]),
    ("zh", None, []),
    ("my", "မြန်မာစာ", ["မြန်မာ", "စာ"]),
    ("ko", "말은 띄어 쓴다", ["말은", "띄어", "쓴다"]),
]


@pytest.mark.parametrize("order", [MIXED, MIXED[::-1]])
def test_each_text_of_a_batch_gets_the_words_of_its_language(order):
    languages, texts, words = zip(*order, strict=True)
    array = pa.array(texts, pa.string())
    bounds = word_bounds_by_language(array, pa.array(languages, pa.string()))
    assert [[word.decode() for word in row] for row in words_of(array, bounds)] == list(words)


def test_each_text_needs_a_language():
    with pytest.raises(ValueError, match="2 texts have 1 languages"):
        word_bounds_by_language(pa.array(["a", "b"]), pa.array(["en"]))


def test_an_unknown_segmenter_is_an_error():
    with pytest.raises(RecipeError, match="unknown segmenter 'mecab'"):
        word_bounds(pa.array(["a"]), "mecab")


def test_a_missing_library_is_an_error_and_never_words_between_spaces(monkeypatch):
    lacking = replace(SEGMENTERS["jieba"], packages=("no-such-package",))
    monkeypatch.setitem(SEGMENTERS, "jieba", lacking)
    with pytest.raises(EnvironmentProblem, match="pip install no-such-package"):
        word_bounds(pa.array(["中国"]), "jieba")


def test_a_library_that_loses_characters_is_an_error(monkeypatch):
    losing = replace(SEGMENTERS["icu"], opener=lambda: lambda text: [1])
    monkeypatch.setitem(SEGMENTERS, "icu", losing)
    with pytest.raises(ValueError, match="tokens of 1 characters for a text of 2"):
        word_bounds(pa.array(["ab"]), "icu")


@given(text=st.text("ab\n 。、，", max_size=60), max_chars=st.integers(1, 12))
def test_pieces_are_the_text(text, max_chars):
    pieces = list(module._pieces(text, max_chars))
    assert "".join(pieces) == text
    assert all(0 < len(piece) <= max_chars for piece in pieces)
    assert all(len(piece) > max_chars // 2 for piece in pieces[:-1])


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("aaaaaa\nb c。ddddd", "aaaaaa\n"),
        ("aaaaaab c。ddddd", "aaaaaab "),
        ("aaaaaabc。，ddddd", "aaaaaabc。"),
        ("a" * 20, "a" * 10),
    ],
)
def test_a_piece_ends_where_words_do_if_it_can(text, first):
    assert next(module._pieces(text, 10)) == first


@pytest.mark.parametrize(("way", "language"), [("jieba", "zh"), ("sudachi", "ja"), ("icu", "th")])
def test_pieces_leave_real_words_as_they_are(way, language, shared_data, monkeypatch):
    text = "\n".join(sentences(shared_data, language)[:60])
    whole = found([text[:1900]], way)
    monkeypatch.setitem(SEGMENTERS, way, replace(SEGMENTERS[way], max_piece_chars=600))
    assert found([text[:1900]], way) == whole


@pytest.mark.parametrize("way", SEGMENTERS)
@pytest.mark.parametrize("unit", ["a", "1", "19:", "中", "ア", "ก", "တ", "\0", "\n", "😀", "\ufdfa", "\u0301"])
def test_a_long_text_of_one_thing_is_covered(way, unit):
    text = unit * (100_000 // len(unit))
    assert "".join(found([text], way)[0]) == "".join(text.split())


def test_a_text_beyond_what_rules_look_at_is_parted_at_its_beginning():
    text = "中 " * (MAX_BYTES // 4) + "国人"
    for way in ("jieba", BETWEEN_SPACES):
        bounds = bounds_of(pa.array([text, "国"]), way)
        assert bounds.offsets.tolist() == [0, MAX_BYTES // 4, MAX_BYTES // 4 + 1]


def test_the_same_texts_have_the_same_words_in_any_batch(shared_data):
    texts = sentences(shared_data, "ja")[:50]
    assert found(texts, "sudachi") == found(texts, "sudachi")
    assert found(texts[::-1], "sudachi")[::-1] == [found([text], "sudachi")[0] for text in texts]


def test_no_character_grows_beyond_what_sudachi_takes_for_a_piece():
    normalised = (unicodedata.normalize("NFKC", chr(code)) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    longest = max(len(text.lower().encode()) for text in normalised)
    assert longest * SEGMENTERS["sudachi"].max_piece_chars <= 65_535
