"""Documents to tokens and back; tokenizers that lose something are refused; pieces cut where nothing changes."""

from __future__ import annotations

import json
from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

from curate.errors import InputError, RecipeError
from curate.tokens.encoding import Encoder, cached_encoder, pieces, token_dtype
from tokenizer_training.bpe import PATTERN

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
# Llama 3's published pattern, of GPT-4's kind.
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
EOS = "<|endoftext|>"


@pytest.fixture(scope="module")
def encoder(tokenizer_json: bytes) -> Encoder:
    return Encoder(tokenizer_json, EOS)


@given(text=st.text(max_size=100))
def test_tokens_decode_to_the_text_and_end_with_the_end_of_text_id(encoder: Encoder, text: str) -> None:
    ids = encoder.encode(text)
    assert ids[-1] == encoder.eos_id
    assert encoder.eos_id not in ids[:-1]
    assert encoder.decode(ids[:-1]) == text


def test_the_end_of_text_name_in_a_document_is_ordinary_text(encoder: Encoder) -> None:
    ids = encoder.encode(f"a{EOS}b{EOS}")
    assert (ids == encoder.eos_id).sum() == 1
    assert encoder.decode(ids[:-1]) == f"a{EOS}b{EOS}"


def test_an_empty_text_is_the_end_of_text_id_alone(encoder: Encoder) -> None:
    assert encoder.encode("").tolist() == [encoder.eos_id]


@pytest.mark.parametrize(("vocab_size", "dtype"), [(257, "<u2"), (65_535, "<u2"), (65_536, "<u2"), (65_537, "<u4")])
def test_two_bytes_hold_65536_ids_and_no_more(vocab_size: int, dtype: str) -> None:
    assert token_dtype(vocab_size) == np.dtype(dtype)


SIGNS = st.text(st.sampled_from("ab'sZ19.,!-  \n\r\t中文。é\u0301\u3000\x1c\x85"), max_size=60)


@given(text=SIGNS, max_chars=st.integers(1, 9))
def test_pieces_are_bounded_and_join_to_the_text(text: str, max_chars: int) -> None:
    cut = list(pieces(text, max_chars))
    assert "".join(cut) == text
    assert all(0 < len(piece) <= max_chars for piece in cut)


@pytest.mark.parametrize("pattern", [GPT2, LLAMA3, PATTERN])
@given(text=SIGNS, max_chars=st.integers(4, 12))
def test_a_cut_at_a_border_changes_no_pre_token(pattern: str, text: str, max_chars: int) -> None:
    split = pre_tokenizers.Split(Regex(pattern), behavior="isolated")

    def pre_tokens(string: str) -> list[str]:
        return [piece for piece, _ in split.pre_tokenize_str(string)]

    def is_border(at: int) -> bool:
        around = text[max(at - 2, 0) : at + 2]
        before, after = around[: min(at, 2)], around[min(at, 2) :]
        if after[0] == " ":
            return not before[-1].isspace() and not after[1:].isspace() and len(after) == 2
        return before[-1] == "\n" and len(before) == 2 and not before[0].isspace() and not after[0].isspace()

    for at in list(accumulate(map(len, pieces(text, max_chars))))[:-1]:
        if is_border(at):  # else there was none to cut at
            assert pre_tokens(text[:at]) + pre_tokens(text[at:]) == pre_tokens(text)


def test_a_long_text_encodes_as_it_would_whole(encoder: Encoder, tokenizer_json: bytes) -> None:
    text = "the river and the stone\nin the mill " * 20_000  # three pieces
    assert len(list(pieces(text))) == 3
    whole = Tokenizer.from_buffer(tokenizer_json).encode(text, add_special_tokens=False).ids
    assert encoder.encode(text)[:-1].tolist() == whole


def test_a_long_text_without_any_border_comes_back(encoder: Encoder) -> None:
    text = "é" * (2**18 + 3)
    assert encoder.decode(encoder.encode(text)[:-1]) == text


def saved(tokenizer: Tokenizer) -> bytes:
    return str(tokenizer.to_str()).encode()


def test_a_tokenizer_that_normalises_is_refused(tokenizer_json: bytes) -> None:
    tokenizer = Tokenizer.from_buffer(tokenizer_json)
    tokenizer.normalizer = normalizers.NFC()
    with pytest.raises(RecipeError, match="does not give back 'e\u0301 é'"):
        Encoder(saved(tokenizer), EOS)


def test_a_tokenizer_that_adds_a_leading_space_is_refused(tokenizer_json: bytes) -> None:
    tokenizer = Tokenizer.from_buffer(tokenizer_json)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    with pytest.raises(RecipeError, match="does not give back"):
        Encoder(saved(tokenizer), EOS)


def test_a_word_level_tokenizer_is_refused() -> None:
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator(["a b"], trainers.WordLevelTrainer(special_tokens=["<unk>", EOS]))
    with pytest.raises(RecipeError, match="does not give back"):
        Encoder(saved(tokenizer), EOS)


def test_truncation_and_padding_in_the_file_are_switched_off(tokenizer_json: bytes) -> None:
    tokenizer = Tokenizer.from_buffer(tokenizer_json)
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=50)
    assert np.array_equal(
        Encoder(saved(tokenizer), EOS).encode("stone and mill"), Encoder(tokenizer_json, EOS).encode("stone and mill")
    )


def test_an_unknown_end_of_text_token_names_the_nearest(tokenizer_json: bytes) -> None:
    with pytest.raises(RecipeError, match=r"unknown end-of-text token '<\|endoftxt\|>'.*Did you mean: <\|endoftext\|>"):
        Encoder(tokenizer_json, "<|endoftxt|>")


def test_a_file_that_is_no_tokenizer_is_an_input_error() -> None:
    with pytest.raises(InputError, match=r"not a tokenizer\.json"):
        Encoder(json.dumps({"a": 1}).encode(), EOS)


def test_a_changed_file_is_noticed(tokenizer_json: bytes, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_bytes(tokenizer_json)
    with pytest.raises(InputError, match="has changed"):
        cached_encoder(str(tmp_path / "tokenizer.json"), "0" * 64, EOS)
