"""What a language model's tokens are: SentencePiece pieces, words or characters of a text in normal form.

A model knows the tokens that it was trained on and no others, so these settings travel with it
(`curate.scoring.language_model_file`), and training and scoring cut texts alike. The normal form is CCNet's, see
`curate.kernels.sentence_tokens`, which says too what a word is.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from curate.errors import EnvironmentProblem
from curate.kernels.sentence_tokens import (
    BY_LINE,
    CHARACTERS,
    GLUED,
    LINES,
    SPACES,
    WHOLE,
    WORDS,
    normal_form,
    scratch,
    sentences,
)
from curate.kernels.unicode_tables import char_table
from curate.kernels.utf8 import Offsets, utf8
from curate.models import load_once
from curate.words.bounds import word_bounds
from curate.words.segmenters import segmenter_for

_CUT = {"sentencepiece": LINES, "words": WORDS, "characters": CHARACTERS}
_LINE_END = {"line": BY_LINE, "document": WHOLE, "ccnet": GLUED}
_OWN_TOKENS = ("<s>", "</s>")  # of the language model: a text must not bring them


class Sentences(NamedTuple):
    """The sentences of texts; those of text i are `first[i]` to `first[i + 1]`."""

    first: Offsets  # int64[num_texts + 1]
    tokens: pa.LargeStringArray  # of each sentence, parted by one space; none is empty
    counts: NDArray[np.int64]  # tokens of each


class Pretokenizer(BaseModel):
    """How texts are cut into sentences and those into tokens. Defaults: CCNet's normal form, words."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    kind: Literal["sentencepiece", "words", "characters"] = "words"  # CCNet: sentencepiece
    model_path: str | None = None  # of SentencePiece, and of nothing else; with {language}, a model for each language
    segmenters: bool = False  # words of Chinese, Japanese, Thai, … by `curate.words`; else each letter of them is one
    #: "line" and "document" say it; "ccnet" is a document whose line ends are deleted, not made spaces, as cc_net's
    #: normal form does before its SentencePiece.
    sentence: Literal["line", "document", "ccnet"] = "line"
    lower_case: bool = True  # cc_net: case=True
    strip_accents: bool = True  # cc_net: accent=True
    zero_digits: bool = True  # cc_net: numbers=True
    ascii_punctuation: bool = True  # cc_net: punct=1
    max_bytes: int = Field(1 << 20, ge=1, le=1 << 28)  # of a text that are read; our choice: a megabyte is a book

    @model_validator(mode="after")
    def _fits(self) -> Pretokenizer:
        if (self.kind == "sentencepiece") != (self.model_path is not None):
            raise ValueError(
                "model_path names a SentencePiece model: kind sentencepiece needs it, the others have none"
            )
        if self.segmenters and self.kind != "words":
            raise ValueError("segmenters find words: kind must be words")
        return self

    def of_language(self, language: str) -> Pretokenizer:
        """The same with {language} filled in."""
        if self.model_path is None:
            return self
        return self.model_copy(update={"model_path": self.model_path.replace("{language}", language)})

    def sentences(self, texts: pa.Array, language: str | None = None) -> Sentences:
        """The sentences of a string column, all of one language; only `segmenters` asks for which.

        A text that is null or without a token has none. EnvironmentProblem where a package or model is missing.

        >>> Pretokenizer().sentences(pa.array(["Don't go!\\n\\n42 Cafés", None])).tokens.to_pylist()
        ["don't go !", '00 cafes']
        """
        data, offsets = utf8(texts)
        cut, breaks, first_break = _CUT[self.kind], np.zeros(0, np.int64), np.zeros(len(offsets), np.int64)
        if self.segmenters and (segmenter := segmenter_for(language)):
            bounds = word_bounds(texts.cast(pa.string()), segmenter.name)
            breaks = np.stack([bounds.starts, bounds.ends], 1).reshape(-1).astype(np.int64)
            cut, first_break = SPACES, 2 * bounds.offsets
        form = normal_form(
            self.lower_case, self.strip_accents, self.zero_digits, self.ascii_punctuation, _LINE_END[self.sentence]
        )
        room = scratch(offsets, self.max_bytes)
        first, out, ends, counts = sentences(
            data, offsets, self.max_bytes, form, char_table(), cut, breaks, first_break, room
        )
        lines = pa.LargeStringArray.from_buffers(len(counts), pa.py_buffer(ends), pa.py_buffer(out))
        return Sentences(first, lines, counts) if self.kind != "sentencepiece" else self._pieces(first, lines)

    def _pieces(self, first: Offsets, lines: pa.LargeStringArray) -> Sentences:
        assert self.model_path is not None
        cut = load_sentencepiece(self.model_path).encode(lines.to_pylist(), out_type=str, num_threads=1)
        tokens = [_harmless(" ".join(pieces)) for pieces in cut]
        counts = np.array([len(pieces) for pieces in cut], np.int64)
        kept = np.flatnonzero(counts)
        if len(kept) < len(counts):
            first = np.searchsorted(kept, first)
            tokens, counts = [tokens[i] for i in kept], counts[kept]
        return Sentences(first.astype(np.int64), pa.array(tokens, pa.large_string()), counts)


def load_sentencepiece(path: str, *, digest: str | None = None) -> Any:
    """A SentencePiece model, loaded once per worker. EnvironmentProblem where it or the package is missing."""
    try:
        module = import_module("sentencepiece")
    except ImportError as error:
        raise EnvironmentProblem(
            f"a SentencePiece model was asked for and the package cannot be imported ({error}). Install it on every "
            "machine that runs a worker: pip install sentencepiece"
        ) from error
    return load_once("sentencepiece", path, lambda path: module.SentencePieceProcessor(model_file=path), digest=digest)


def _harmless(sentence: str) -> str:
    """A sentence without the language model's own tokens: a user-defined piece may be one of them."""
    if not any(token in sentence for token in _OWN_TOKENS):
        return sentence
    return " ".join("<unk>" if token in _OWN_TOKENS else token for token in sentence.split(" "))
