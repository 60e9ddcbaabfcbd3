"""Text to token ids and nothing lost: a document's tokens decode to its text, byte for byte.

Any `tokenizer.json` that gives back what it was given will do (byte-level BPE without a normaliser, as GPT-2, Llama 3
and Qwen have). It refuses the others when it is opened, because a shard could then not be traced back to its documents.
A control token's name written in a document is encoded as ordinary text.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.errors import InputError, RecipeError

#: Longest piece encoded at once: the encoder holds some 100 bytes for each token while it works.
PIECE_CHARS = 2**18

#: A single space or newline between two signs that are not white space: pre-tokenisers of the GPT-2, GPT-4, Llama 3 and
#: Qwen kinds, and ours, always start a new pre-token before such a space and after such a newline, whatever stands
#: around it. Greedy from the right, so it finds the last such place.
_LAST_BORDER = re.compile(r"(?s:.*)\S(?:\n(?=\S)|(?= \S))")

#: What a tokenizer must give back. Each has been lost by some: leading space, runs, combining marks, wide forms, NUL.
_PROBES = ("a b", " a", "a  b", "a\n\nb\r\n", "e\u0301 é", "ﬁ Ａ\u3000", "\x00\x7f", "नमस्ते 你好", "🙂", "A'S don 't .")

TokenIds = NDArray[np.uint16] | NDArray[np.uint32]


class Encoder:
    """A tokenizer opened for encoding documents."""

    def __init__(self, tokenizer_json: bytes, eos_token: str) -> None:
        """RecipeError where the tokenizer loses text or has no such token, InputError where it is no tokenizer."""
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_buffer(tokenizer_json)
        except Exception as error:  # the binding raises a bare Exception for a file that it cannot read
            raise InputError(f"not a tokenizer.json that `tokenizers` can read: {error}") from error
        # A file may ask for these; either would change what a document's tokens are.
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.encode_special_tokens = True
        vocabulary: dict[str, int] = self._tokenizer.get_vocab(with_added_tokens=True)
        if eos_token not in vocabulary:
            special = [str(token.content) for token in self._tokenizer.get_added_tokens_decoder().values()]
            raise RecipeError.unknown("end-of-text token", eos_token, special, where="the tokenizer")
        self.eos_id = vocabulary[eos_token]
        self.vocab_size = max(vocabulary.values()) + 1  # ids may have holes
        self.dtype = token_dtype(self.vocab_size)
        self.sha256 = hashlib.sha256(tokenizer_json).hexdigest()
        self._check(eos_token)

    def _check(self, eos_token: str) -> None:
        for probe in (*_PROBES, f"a{eos_token}b"):
            ids = self._ids(probe)
            if self.decode(ids) != probe or self.eos_id in ids:
                raise RecipeError(
                    f"the tokenizer does not give back {probe!r} as it was; token shards need one that loses "
                    "nothing: byte-level BPE without normaliser, added prefix or added text tokens"
                )

    def _ids(self, piece: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode_batch_fast([piece], add_special_tokens=False)[0].ids
        return ids

    def encode(self, text: str) -> TokenIds:
        """The tokens of a document and the end-of-text id: uint16 or uint32, little-endian. "" gives that id alone.

        A text of more than 2**18 characters is encoded in pieces. The result is that of the whole wherever a piece has
        a border to be cut at; where it has none (256 Ki characters without a single space or newline) it decodes to the
        same text but may hold a few tokens more.
        """
        ids = [np.array(self._ids(piece), self.dtype) for piece in pieces(text)]
        return np.concatenate([*ids, np.array([self.eos_id], self.dtype)])

    def decode(self, ids: Any) -> str:
        """The text of tokens, control tokens written by name."""
        text: str = self._tokenizer.decode([int(i) for i in ids], skip_special_tokens=False)
        return text


def token_dtype(vocab_size: int) -> np.dtype[Any]:
    """`<u2` for at most 65,536 ids, else `<u4`.

    >>> token_dtype(65_536).name, token_dtype(65_537).name
    ('uint16', 'uint32')
    """
    return np.dtype("<u2") if vocab_size <= 2**16 else np.dtype("<u4")


def pieces(text: str, max_chars: int = PIECE_CHARS) -> Iterator[str]:
    """The text cut into at most `max_chars` characters each, at pre-token borders where there are any. Linear time."""
    start = 0
    while len(text) - start > max_chars:
        # One character more than fits, so that the sign after a newline at the very end is seen.
        border = _LAST_BORDER.match(text, start, start + max_chars + 1)
        end = border.end() if border else start + max_chars
        yield text[start:end]
        start = end
    if start < len(text):
        yield text[start:]


@lru_cache(maxsize=2)
def cached_encoder(path: str, sha256: str, eos_token: str) -> Encoder:
    """The encoder of a file, opened once for each worker process. `sha256` is part of the key, and checked."""
    import fsspec

    try:
        with fsspec.open(path, "rb") as handle:
            data: bytes = handle.read()
    except OSError as error:
        raise InputError(f"cannot read the tokenizer {path}: {error}") from error
    encoder = Encoder(data, eos_token)
    if encoder.sha256 != sha256:
        raise InputError(f"the tokenizer {path} has changed: sha256 {encoder.sha256}, wanted {sha256}")
    return encoder
