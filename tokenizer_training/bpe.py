"""Train a byte-level BPE on the curated text, with `tokenizers`, so that any text comes back from its tokens exactly.

Byte-level BPE (Radford et al. 2019, GPT-2) over pre-tokens in the manner of GPT-4's and Qwen's patterns, digits one by
one (Qwen report §2.2). The trainer counts pre-tokens, so its result depends on the sampled documents alone: not on how
they are spread over files, nor on their order.

It refuses to train on more than 2 GiB: the trainer's pair counts are 32-bit and wrap around in silence (tokenizers
issues 437, 2058). A special token written in a document is trained on as ordinary text.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from curate.document import uniform
from curate.errors import InputError, OutputError, RecipeError

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}"  # scripts written without spaces between words
#: What is merged into tokens lies within one match of this. Every run is bounded, so that a document of one endless
#: word costs linear time and little memory, in training and in every later encoding. Marks count as letters, else Indic
#: words fall apart; unspaced scripts make matches of their own, so that no punctuation is learnt as part of them.
PATTERN = "|".join(
    (
        r"'(?i:[sdmt]|ll|ve|re)",  # English endings
        rf"[{_UNSPACED}]{{1,32}}",
        rf"[^\r\n\p{{L}}\p{{M}}\p{{N}}]?[\p{{L}}\p{{M}}&&[^{_UNSPACED}]]{{1,64}}",  # a word with the sign before it
        r"\p{N}",
        r" ?[^\s\p{L}\p{M}\p{N}]{1,64}[\r\n]{0,64}",
        r"\s{0,127}[\r\n]{1,128}",
        r"\s{1,128}(?!\S)",  # spaces but for the last, which goes with the word after it
        r"\s{1,128}",
    )
)

_NUM_BUCKETS = 2**20  # of the sample: a corpus of 2**20 times the bound still gives a sample within 1/2**20 of it
_SLICE_CHARS = 2**16  # the trainer holds about 16 bytes of offsets for each byte of one input
_BATCH_ROWS = 32  # documents may be of 100 MB


class TokenizerFile(NamedTuple):
    """A trained tokenizer."""

    path: str  # tokenizer.json, readable by `tokenizers` and `transformers`
    sha256: str
    vocab_size: int  # what was reached; below the setting where the text has no more pairs
    eos_id: int


class BytePairEncoding(BaseModel):
    """Settings of a byte-level BPE."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vocab_size: int = Field(default=8_192, le=2**31 - 1)  # our choice, for small corpora; GPT-2 50,257, Skywork 65,536
    pattern: str = PATTERN  # Oniguruma syntax
    special_tokens: tuple[str, ...] = Field(default=("<|endoftext|>",), min_length=1)  # ids from 0; first: end of text
    sample_bytes: int = Field(default=256 * 2**20, ge=1, lt=2**31)  # our choice; above 2**31 pair counts could wrap
    min_frequency: int = Field(default=2, ge=1)  # a pair met once is no pattern

    @model_validator(mode="after")
    def _special_tokens_are_out_of_reach(self) -> BytePairEncoding:
        """No merge may spell a special token, or ordinary text would become a control id."""
        if self.vocab_size < 256 + len(self.special_tokens):
            raise ValueError(f"vocab_size {self.vocab_size} has no room for 256 bytes and the special tokens")
        if len(set(self.special_tokens)) != len(self.special_tokens):
            raise ValueError("a special token is listed twice")
        split = _split(self.pattern)
        for token in self.special_tokens:
            # Printable ASCII without spaces stands for itself in the byte alphabet; two pre-tokens are never merged.
            if not (token.isascii() and token.isprintable() and " " not in token):
                raise ValueError(f"special token {token!r}: only printable ASCII without spaces")
            if len(split.pre_tokenize_str(token)) < 2:
                raise ValueError(f"special token {token!r} is one pre-token, so text could be merged into it")
        return self

    def train(self, files: Sequence[str], output: str, seed: int) -> TokenizerFile:
        """Train on a sample of the parquet `files` (columns doc_id, text) and write `output` in one atomic rename.

        The same documents, settings and seed give the same bytes, however the documents are spread over files. No
        documents give the 256 bytes and the special tokens. A null text counts as empty. InputError for a file without
        the columns, OutputError where `output` (a local path) cannot be written.
        """
        tokenizer = self._untrained()
        tokenizer.train_from_iterator(self._training_text(files, seed), trainer=self._trainer())
        data = tokenizer.to_str(pretty=True).encode()
        _write_atomically(data, output)
        eos_id = int(tokenizer.token_to_id(self.special_tokens[0]))
        return TokenizerFile(output, hashlib.sha256(data).hexdigest(), tokenizer.get_vocab_size(), eos_id)

    def _untrained(self) -> Any:
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers

        tokenizer = Tokenizer(models.BPE())
        by_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([_split(self.pattern), by_bytes])
        tokenizer.decoder = decoders.ByteLevel()
        return tokenizer

    def _trainer(self) -> Any:
        from tokenizers import pre_tokenizers, trainers

        return trainers.BpeTrainer(
            vocab_size=self.vocab_size,
            min_frequency=self.min_frequency,
            special_tokens=list(self.special_tokens),
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )

    def _training_text(self, files: Sequence[str], seed: int) -> Iterator[str]:
        """The sampled text in slices. A border may cut one pre-token in 65,536 characters, which counts for nothing."""
        chosen = sample(files, seed, self.sample_bytes)
        for doc_ids, texts in _documents(files):
            for doc_id, text in zip(doc_ids, texts, strict=True):
                if chosen is None or chosen[_bucket(doc_id, seed)]:
                    string = text.as_py() or ""
                    for start in range(0, len(string), _SLICE_CHARS):
                        yield string[start : start + _SLICE_CHARS]


def sample(files: Sequence[str], seed: int, sample_bytes: int) -> NDArray[np.bool_] | None:
    """Which of the 2**20 hash buckets of documents to train on: bool[2**20], or None for all where the corpus fits.

    Buckets are taken in order, each where it fits in what is left of `sample_bytes`: never more, and a document is in
    the sample by its id and the seed alone as long as the corpus stays the same. RecipeError where nothing fits.
    """
    sizes = np.zeros(_NUM_BUCKETS, np.int64)
    for doc_ids, texts in _documents(files):
        lengths = pc.fill_null(pc.binary_length(texts), 0).to_numpy(zero_copy_only=False)
        np.add.at(sizes, [_bucket(doc_id, seed) for doc_id in doc_ids], lengths)
    total = int(sizes.sum())
    if total <= sample_bytes:
        return None
    chosen = np.zeros(_NUM_BUCKETS, np.bool_)
    left = sample_bytes
    for bucket in np.flatnonzero(sizes):
        if sizes[bucket] <= left:
            chosen[bucket] = True
            left -= int(sizes[bucket])
    if not chosen.any():
        raise RecipeError(f"no document fits in sample_bytes = {sample_bytes}; raise it above the size of a document")
    return chosen


def _bucket(doc_id: str, seed: int) -> int:
    return int(uniform(doc_id, seed, "tokenizer-sample") * _NUM_BUCKETS)


def _documents(files: Sequence[str]) -> Iterator[tuple[list[str], pa.Array]]:
    """Ids and texts, a few documents at a time."""
    for path in files:
        try:
            with fsspec.open(path, "rb") as handle:
                parquet = pq.ParquetFile(handle)
                for batch in parquet.iter_batches(batch_size=_BATCH_ROWS, columns=["doc_id", "text"]):
                    yield batch.column("doc_id").to_pylist(), batch.column("text")
        except (OSError, pa.ArrowInvalid, KeyError) as error:
            raise InputError(f"{path}: wanted parquet with columns doc_id and text; {error}") from error


@lru_cache(maxsize=8)
def _split(pattern: str) -> Any:
    from tokenizers import Regex, pre_tokenizers

    try:
        return pre_tokenizers.Split(Regex(pattern), behavior="isolated")
    except Exception as error:  # the binding raises a bare Exception for a pattern that it cannot compile
        raise ValueError(f"pattern is no regular expression: {error}") from error


def _write_atomically(data: bytes, output: str) -> None:
    folder = os.path.dirname(os.path.abspath(output))
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".tokenizer-", delete=False) as handle:
            handle.write(data)
        os.chmod(handle.name, 0o644)  # a temporary file is private to its owner
        os.replace(handle.name, output)
    except OSError as error:
        raise OutputError(f"cannot write the tokenizer to {output}: {error}") from error
