"""Which embedding a stage compares documents by, as a part of its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator

from curate.embedding.hashed import fitted
from curate.embedding.neural import OnnxModel, Pooling, SentenceModel, check_installed, onnx_files, sentence_files
from curate.errors import RecipeError
from curate.kernels.hashed_terms import WORD

if TYPE_CHECKING:
    from curate.spark.documents import Documents

MODELS = ("tfidf", "onnx:FOLDER", "sentence-transformers:FOLDER")


class Embedder(Protocol):
    """What turns texts into vectors, on any worker."""

    def embed(self, texts: pa.Array) -> NDArray[np.float32]:
        """Unit vectors, float32[num_texts, dimensions]; zeros where a text has nothing to go by."""


class Embedding(BaseModel):
    """The settings of an embedding."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    #: `tfidf` (needs nothing), `onnx:FOLDER` or `sentence-transformers:FOLDER`; a model's folder is never downloaded.
    model: str = "tfidf"
    #: Of the text, from its beginning. Our choice: 1 MiB is a novel, and bounds what a hostile document costs.
    max_bytes: Annotated[int, Field(ge=1)] = 1 << 20
    #: tfidf: numbers of a vector, a multiple of 64. Our choice: 1 KiB a document, an error of 0.006 at cosine 0.95.
    dimensions: Annotated[int, Field(ge=WORD, le=4096, multiple_of=WORD)] = 256
    #: tfidf: buckets that terms are hashed to, a power of two. Our choice: 1 MB of weights; 20 for many languages.
    hash_bits: Annotated[int, Field(ge=10, le=22)] = 18
    #: Models: tokens of the beginning of a text that are read. 512: what BERT and most sentence encoders take.
    max_tokens: Annotated[int, Field(ge=1, le=32768)] = 512
    #: onnx: the mean over the tokens (Reimers and Gurevych 2019, section 3), or the first token's vector.
    pooling: Pooling = "mean"

    @field_validator("model")
    @classmethod
    def _is_known(cls, model: str) -> str:
        kind, _, folder = model.partition(":")
        if model != "tfidf" and (kind not in ("onnx", "sentence-transformers") or not folder):
            raise RecipeError.unknown("embedding model", model, MODELS)
        return model

    @property
    def files(self) -> tuple[str, ...]:
        """The files of a model's folder; none for `tfidf`. EnvironmentProblem where the folder has no such model."""
        kind, _, folder = self.model.partition(":")
        if kind == "onnx":
            return onnx_files(folder)
        return sentence_files(folder) if folder else ()

    def embedder(self, documents: Documents, seed: int) -> Embedder:
        """The embedding, fitted to the documents where it needs that (`tfidf`: one pass over them).

        EnvironmentProblem where a model's package is not installed.
        """
        kind, _, folder = self.model.partition(":")
        if folder:
            check_installed(kind)
            onnx = OnnxModel(folder, self.pooling, self.max_tokens, self.max_bytes)
            return onnx if kind == "onnx" else SentenceModel(folder, self.max_tokens, self.max_bytes)
        return fitted(documents, self.hash_bits, self.dimensions, seed, self.max_bytes)
