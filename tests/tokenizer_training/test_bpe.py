"""The trained tokenizer: exact round trip, the same bytes each time, bounded pieces, control ids out of reach."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tokenizers import Regex, Tokenizer, pre_tokenizers

from curate.document import doc_id
from curate.errors import InputError, RecipeError
from tokenizer_training.bpe import PATTERN, BytePairEncoding, sample

WORDS = [
    "the",
    "and",
    "stone",
    "river",
    "don't",
    "1984",
    "中文",
    "世界",
    "नमस्ते",
    "<|endoftext|>",
    "naïve",
    "\n\n",
    "",
    "(y",
]
Write = Callable[[str, list[str | None]], str]


def corpus(num_documents: int = 60) -> list[str | None]:
    rng = random.Random(0)
    return [" ".join(rng.choices(WORDS, k=rng.randint(0, 80))) for _ in range(num_documents)]


@pytest.fixture(scope="module")
def write(tmp_path_factory: pytest.TempPathFactory) -> Write:
    folder = tmp_path_factory.mktemp("corpus")

    def written(name: str, texts: list[str | None]) -> str:
        path = folder / name
        table = {"doc_id": [doc_id(text) for text in texts], "text": pa.array(texts, pa.string())}
        pq.write_table(pa.table(table), path, row_group_size=7)
        return str(path)

    return written


@pytest.fixture(scope="module")
def tokenizer(write: Write, tmp_path_factory: pytest.TempPathFactory) -> Any:
    output = str(tmp_path_factory.mktemp("trained") / "tokenizer.json")
    BytePairEncoding(vocab_size=400).train([write("corpus.parquet", corpus())], output, seed=0)
    loaded = Tokenizer.from_file(output)
    loaded.encode_special_tokens = True
    return loaded


@given(text=st.text(max_size=200))
def test_any_text_comes_back_exactly(tokenizer: Any, text: str) -> None:
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    assert tokenizer.decode(ids, skip_special_tokens=False) == text


@given(parts=st.lists(st.sampled_from([*WORDS, "<|", "|>", " ", "\x00", "\r\n", "<|endoftext|>"]), max_size=30))
def test_a_special_token_in_a_document_never_becomes_a_control_id(tokenizer: Any, parts: list[str]) -> None:
    text = "".join(parts)
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    assert tokenizer.token_to_id("<|endoftext|>") not in ids
    assert tokenizer.decode(ids, skip_special_tokens=False) == text


def test_two_runs_and_any_split_over_files_give_the_same_bytes(write: Write, tmp_path: Path) -> None:
    texts = corpus()
    whole = [write("whole.parquet", texts)]
    parts = [write(f"part-{i}.parquet", texts[i::3]) for i in range(3)]
    bpe = BytePairEncoding(vocab_size=300)
    for settings in (bpe, bpe.model_copy(update={"sample_bytes": 4_000})):
        first = settings.train(whole, str(tmp_path / "a.json"), seed=1)
        again = settings.train(whole, str(tmp_path / "b.json"), seed=1)
        split = settings.train(parts[::-1], str(tmp_path / "c.json"), seed=1)
        assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
        assert (tmp_path / "a.json").read_bytes() == (tmp_path / "c.json").read_bytes()
        assert first.sha256 == again.sha256 == split.sha256
        assert (first.vocab_size, first.eos_id) == (300, 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b.json", "c.json"]


def test_the_sample_stays_within_its_bound_and_follows_the_seed(write: Write) -> None:
    texts = corpus()
    path = write("bound.parquet", texts)
    total = sum(len(text.encode()) for text in texts if text)
    assert sample([path], 0, total) is None  # on the bound: everything
    below, other = sample([path], 0, total - 1), sample([path], 1, total - 1)
    assert below is not None
    assert other is not None
    assert not np.array_equal(below, other)
    assert 0 < below.sum() < len(set(texts))


def test_a_bound_below_every_document_says_so(write: Write) -> None:
    with pytest.raises(RecipeError, match="no document fits in sample_bytes = 3"):
        sample([write("long.parquet", ["x" * 10, "y" * 10])], 0, 3)


def test_no_documents_give_the_bytes_alone(write: Write, tmp_path: Path) -> None:
    trained = BytePairEncoding().train([write("empty.parquet", [None, ""])], str(tmp_path / "t.json"), seed=0)
    assert trained.vocab_size == 257
    assert Tokenizer.from_file(trained.path).decode(Tokenizer.from_file(trained.path).encode("né").ids) == "né"


def test_min_frequency_on_the_bound(write: Write, tmp_path: Path) -> None:
    path = write("twice.parquet", ["ab", "ab ", "cd"])
    merges = [
        json.loads(Path(bpe.train([path], str(tmp_path / "t.json"), 0).path).read_text())["model"]["merges"]
        for bpe in (BytePairEncoding(min_frequency=2), BytePairEncoding(min_frequency=3))
    ]
    assert merges == [[["a", "b"]], []]


@pytest.mark.parametrize(
    "text", ["a" * 10_000, " " * 10_000, "\n" * 10_000, "!" * 10_000, "中" * 10_000, "\u0301" * 99]
)
def test_no_pre_token_is_longer_than_its_bound(text: str) -> None:
    split = pre_tokenizers.Split(Regex(PATTERN), behavior="isolated")
    pieces = [piece for piece, _ in split.pre_tokenize_str(text)]
    assert "".join(pieces) == text
    assert max(map(len, pieces)) <= 255


@given(st.text())
def test_the_pattern_covers_every_character(text: str) -> None:
    removed = pre_tokenizers.Split(Regex(PATTERN), behavior="removed")
    assert removed.pre_tokenize_str(text) == []


def test_digits_are_single_and_chinese_punctuation_stands_alone() -> None:
    split = pre_tokenizers.Split(Regex(PATTERN), behavior="isolated")
    pieces = [piece for piece, _ in split.pre_tokenize_str("It's 1984:  你好，世界 नमस्ते")]
    assert pieces == ["It", "'s", " ", "1", "9", "8", "4", ":", " ", " ", "你好", "，", "世界", " नमस्ते"]


@pytest.mark.parametrize(
    "settings",
    [
        {"special_tokens": ("eos",)},  # a word: text could be merged into it
        {"special_tokens": ("Ġ<|",)},  # in the byte alphabet this is " <|"
        {"special_tokens": ()},
        {"special_tokens": ("<|a|>", "<|a|>")},
        {"pattern": "("},
        {"vocab_size": 256},
        {"sample_bytes": 2**31},
    ],
)
def test_settings_that_would_break_a_promise_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BytePairEncoding(**settings)


def test_a_file_without_the_columns_is_an_input_error(tmp_path: Path) -> None:
    pq.write_table(pa.table({"body": ["x"]}), tmp_path / "bad.parquet")
    with pytest.raises(InputError, match="wanted parquet with columns doc_id and text"):
        BytePairEncoding().train([str(tmp_path / "bad.parquet")], str(tmp_path / "t.json"), seed=0)
