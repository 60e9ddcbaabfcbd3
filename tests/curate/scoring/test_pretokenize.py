from __future__ import annotations

import re
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from curate.errors import EnvironmentProblem
from curate.scoring import pretokenize
from curate.scoring.pretokenize import Pretokenizer, Sentences

HOSTILE = [
    "</s> <s> <unk>",
    "a\0b",
    "\ud7ff\U0010ffff",
    "x" * 100_000,
    "\n" * 1000,
    " \t\r\n",
    "",
    None,
    "e" + "\u0301" * 999,
]


def by_text(found: Sentences) -> list[list[str]]:
    tokens = found.tokens.to_pylist()
    assert [len(sentence.split(" ")) for sentence in tokens] == found.counts.tolist()
    return [tokens[start:end] for start, end in zip(found.first[:-1], found.first[1:], strict=True)]


def cut(text: str | None, language: str | None = None, **settings: object) -> list[str]:
    return by_text(Pretokenizer(**settings).sentences(pa.array([text], pa.string()), language))[0]


def test_a_sentence_is_a_line_and_blank_lines_are_none():
    assert cut("one two\n\n  \nthree") == ["one two", "three"]


def test_a_document_may_be_one_sentence():
    assert cut("one two\nthree", sentence="document") == ["one two three"]


def test_cc_net_deletes_line_ends_and_tabs_with_other_control_characters():
    assert cut("one\ttwo\nthree \x85\x01four", sentence="ccnet") == ["onetwothree four"]


@pytest.mark.parametrize("text", [None, "", " ", "\n\n", "\x01"])
def test_text_without_a_token_has_no_sentence(text):
    assert cut(text) == []


def test_words_keep_what_stands_within_them_and_part_punctuation():
    assert cut("Don't go: 3.14, 1,000 km/h. e.g. a_b (x)") == ["don't go : 0.00 , 0,000 km / h . e.g . a_b ( x )"]


def test_letters_of_scripts_without_spaces_are_words():
    assert cut("今天A很好。") == ["今 天 a 很 好 ."]


def test_a_segmenter_finds_words_of_its_language_alone():
    pytest.importorskip("rjieba", reason="the segmenter of Chinese is an extra")
    text = "今天天气很好。\n北京大学的学生"
    found = cut(text, "zh", segmenters=True)
    assert found[0].replace(" ", "") == "今天天气很好."
    assert "今天天气" in found[0].split(" ")
    assert cut(text, "en", segmenters=True) == cut(text)


def test_characters_keep_their_marks():
    assert cut("नी क\u094d a", kind="characters", strip_accents=False) == ["नी क\u094d a"]
    assert cut("Ab c", kind="characters") == ["a b c"]


@pytest.mark.parametrize(
    ("setting", "text", "on", "off"),
    [
        ("lower_case", "ÀB", "àb", "ÀB"),
        ("strip_accents", "é e\u0301 ñ", "e e n", "é e\u0301 ñ"),
        ("zero_digits", "12 ٣ １", "00 0 0", "12 ٣ １"),
        ("ascii_punctuation", "“a” … 。", '" a " . . . .', "“ a ” … 。"),
    ],
)
def test_each_part_of_the_normal_form_is_a_setting(setting, text, on, off):
    rest = dict.fromkeys(("lower_case", "strip_accents", "zero_digits", "ascii_punctuation"), False)
    assert cut(text, **{**rest, setting: True}) == [on]
    assert cut(text, **rest) == [off]


def test_a_capital_sigma_at_the_end_of_a_word_is_a_final_one():
    assert cut("ΣΟΦΟΣ ΣΑΣ.", strip_accents=False) == ["σοφος σας ."]


def cc_net(text: str) -> str:
    """The normal form, a character at a time, of text without control characters."""
    text = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(c) != "Mn")
    text = re.sub(r"\d", "0", text)
    ascii_of = {"，": ",", "。": ".", "“": '"', "—": " - ", "…": "...", "’": "'", "►": "-", "．": ". ", "％": "%"}
    return unicodedata.normalize("NFC", "".join(ascii_of.get(c, c) for c in text))


@given(st.text(st.sampled_from("aÀéŠ Σσß1٣३，。“—…’►．％ñ한й한ह文Ａ"), max_size=30))
def test_the_normal_form_is_cc_nets(text):
    assume(not re.search("[’．]Σ|Σ[’．]", text))  # whether a sigma is final is not looked up across them
    found = cut(text, kind="characters")
    assert "".join(found).replace(" ", "") == cc_net(text).replace(" ", "")


@given(st.lists(st.one_of(st.none(), st.text(max_size=40), st.sampled_from(HOSTILE)), max_size=8), st.integers(0, 8))
def test_a_text_is_cut_alike_in_any_batch(texts, parting):
    whole = pa.array(texts, pa.string())
    for settings in ({}, {"kind": "characters"}, {"sentence": "ccnet"}):
        pretokenizer = Pretokenizer(**settings)
        parts = [by_text(pretokenizer.sentences(part)) for part in (whole[:parting], whole[parting:])]
        assert by_text(pretokenizer.sentences(whole)) == parts[0] + parts[1]


@given(st.text())
def test_tokens_have_no_white_space_and_are_none_of_the_models_own(text):
    for kind in ("words", "characters"):
        for sentence in cut(text, kind=kind):
            tokens = sentence.split(" ")
            assert tokens == sentence.split()
            assert not {"<s>", "</s>", "<unk>"} & set(tokens)
            assert "\0" not in sentence


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_bytes_that_are_no_utf8_are_met_without_harm(one, two):
    offsets = pa.py_buffer(b"".join(n.to_bytes(4, "little") for n in (0, len(one), len(one) + len(two))))
    texts = pa.StringArray.from_buffers(2, offsets, pa.py_buffer(one + two))
    found = Pretokenizer().sentences(texts)
    found.tokens.validate(full=True)
    alone = Pretokenizer().sentences(texts.slice(0, 1))
    assert by_text(alone)[0] == by_text(found)[0]


def test_no_more_than_so_many_bytes_are_read_and_no_character_is_cut():
    assert cut("文" * 10, kind="characters", max_bytes=8) == ["文 文"]
    assert cut("文" * 10, kind="characters", max_bytes=9) == ["文 文 文"]
    assert cut("文", kind="characters", max_bytes=2) == []


def test_a_long_line_is_one_sentence():
    (sentence,) = cut("word " * 100_000)
    assert sentence.count(" ") == 99_999


@pytest.mark.parametrize(
    "settings", [{"kind": "sentencepiece"}, {"model_path": "m"}, {"kind": "characters", "segmenters": True}]
)
def test_settings_that_contradict_each_other_are_refused(settings):
    with pytest.raises(ValueError, match="kind"):
        Pretokenizer(**settings)


@pytest.fixture(scope="module")
def pieces(tmp_path_factory):
    sentencepiece = pytest.importorskip("sentencepiece", reason="SentencePiece is an extra")
    path = tmp_path_factory.mktemp("pieces") / "en.sp"
    lines = [f"the {a} of {b} was in the {c}" for a in ("house", "boat", "name") for b in "xyz" for c in ("sea", "sun")]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines * 5),
        model_prefix=str(path),
        vocab_size=40,
        hard_vocab_limit=False,
        user_defined_symbols=["<x>"],
        minloglevel=2,
    )
    return f"{path}.model"


def test_pieces_are_sentencepieces_own(pieces):
    import sentencepiece

    model = sentencepiece.SentencePieceProcessor(model_file=pieces)
    found = cut("The HOUSE\n\nof Café 12\0", kind="sentencepiece", model_path=pieces)
    assert found == [" ".join(model.encode(line, out_type=str)) for line in ("the house", "of cafe 00")]


def test_a_model_for_each_language(pieces):
    pattern = pieces.replace("en.sp", "{language}.sp")
    assert Pretokenizer(kind="sentencepiece", model_path=pattern).of_language("en").model_path == pieces


def test_pieces_of_hostile_texts(pieces):
    texts = pa.array(HOSTILE, pa.string())
    found = by_text(Pretokenizer(kind="sentencepiece", model_path=pieces).sentences(texts))
    assert len(found) == len(HOSTILE)
    assert not {"<s>", "</s>"} & set(" ".join(found[0]).split(" "))
    assert found[4:8] == [[], [], [], []]


def test_a_user_defined_piece_is_not_the_language_models_own_token():
    assert pretokenize._harmless("a </s> b <s>") == "a <unk> b <unk>"
    assert pretokenize._harmless("▁a </s>x") == "▁a </s>x"


def test_the_missing_package_is_named(monkeypatch):
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(pretokenize, "import_module", missing)
    with pytest.raises(EnvironmentProblem, match="pip install sentencepiece"):
        cut("a", kind="sentencepiece", model_path="m.model")
