"""The file of a head over embeddings: what it was trained to, and all that decides a score but an encoder's weights.

Of an encoder it holds the digest, and a head refuses to run on another. Of the embedding `tfidf` it holds the weights
of the terms: they were counted on the training texts, and on others they would be others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from curate.array_file import read_arrays, write_arrays
from curate.embedding.hashed import HashedTfIdf
from curate.embedding.neural import OnnxModel, SentenceModel
from curate.embedding.settings import Embedder, Embedding
from curate.errors import EnvironmentProblem, RecipeError
from curate.models import file_digest, load_once
from curate.scoring.calibrated import logistic

_FORMAT = "curate-embedding-head 1"


class Head(NamedTuple):
    """A trained head and the embedding that it belongs to."""

    kind: Literal["ridge", "logistic"]  # a number, or a probability
    weights: NDArray[np.float64]  # one for each number of a vector
    bias: float
    clip: tuple[float, float]  # a number's range; (0, 1) of a probability
    embedding: Embedding
    seed: int  # of the random projection of `tfidf`
    idf: NDArray[np.float32]  # of `tfidf`, by bucket; empty for another
    encoder_sha256: str = ""  # of an encoder's files; "" for `tfidf`
    training: Mapping[str, Any] = {}  # how it came about, as JSON has it

    def scores(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """float64[num_texts]. Each is summed by itself: a product of matrices depends on the neighbours of a row."""
        if not vectors.shape[1]:  # an encoder gives no numbers at all where every text is empty
            vectors = np.zeros((len(vectors), self.weights.size), np.float32)
        found: NDArray[np.float64] = (vectors * self.weights).sum(axis=1) + self.bias
        return logistic(found) if self.kind == "logistic" else np.clip(found, *self.clip)

    def embedder(self) -> Embedder:
        """What makes the vectors. EnvironmentProblem where the encoder is not the one that the head was trained on."""
        one = self.embedding
        kind, _, folder = one.model.partition(":")
        if not folder:
            return HashedTfIdf(self.idf, one.dimensions, self.seed, one.max_bytes)
        if (found := encoder_digest(one)) != self.encoder_sha256:
            raise EnvironmentProblem(
                f"the encoder in {folder} is not the one that the head was trained on: wanted SHA-256 "
                f"{self.encoder_sha256} of its files, found {found}. Put the right one there, or train the head again."
            )
        if kind == "onnx":
            return OnnxModel(folder, one.pooling, one.max_tokens, one.max_bytes)
        return SentenceModel(folder, one.max_tokens, one.max_bytes)


def with_encoder(head: Head, folder: str) -> Head:
    """The head with its encoder looked for in another folder."""
    kind, _, known = head.embedding.model.partition(":")
    if not known:
        raise EnvironmentProblem("the head belongs to the embedding `tfidf`, which has no encoder: leave `encoder` out")
    return head._replace(embedding=head.embedding.model_copy(update={"model": f"{kind}:{folder}"}))


def encoder_digest(embedding: Embedding) -> str:
    """The SHA-256 of the digests of an encoder's files, sorted: the same wherever its folder lies. "" for `tfidf`."""
    digests = sorted(file_digest(path) for path in embedding.files)
    return hashlib.sha256("".join(digests).encode()).hexdigest() if digests else ""


def save_head(head: Head, path: str | Path) -> None:
    """Write a head. ValueError where it could not be loaded again, OutputError where the place cannot be written."""
    if found := head_faults(head):
        raise ValueError(f"the head is not sound: {found}")
    write_arrays(path, _facts(head), {"weights": head.weights, "idf": head.idf})


def load_head(path: str | Path, *, digest: str | None = None) -> Head:
    """A head from its file, once per worker. EnvironmentProblem where the file is missing, another one or damaged."""
    return load_once("embedding head", path, _read, digest=digest)


def head_faults(head: Head) -> str:
    """Why a head must not be used; "" where it may."""
    if head.kind not in ("ridge", "logistic"):
        return f"a head of kind {head.kind!r}"
    if head.weights.dtype != np.float64 or head.weights.ndim != 1 or not head.weights.size:
        return f"weights of {head.weights.dtype}{list(head.weights.shape)}"
    if head.embedding.model == "tfidf":
        if head.weights.size != head.embedding.dimensions:
            return f"{head.weights.size} weights for vectors of {head.embedding.dimensions} numbers"
        if head.idf.dtype != np.float32 or head.idf.shape != (1 << head.embedding.hash_bits,):
            return f"{head.idf.dtype}{list(head.idf.shape)} for {1 << head.embedding.hash_bits} weights of terms"
    numbers = (head.weights, head.idf, np.array([head.bias, *head.clip]))
    if len(head.clip) != 2 or not all(np.isfinite(array).all() for array in numbers):
        return "numbers that are none"
    return "" if head.clip[0] < head.clip[1] else f"a range from {head.clip[0]} to {head.clip[1]}"


def _facts(head: Head) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "kind": head.kind,
        "bias": head.bias,
        "clip": list(head.clip),
        "embedding": head.embedding.model_dump(mode="json"),
        "seed": head.seed,
        "encoder_sha256": head.encoder_sha256,
        "training": dict(head.training),
    }


def _read(path: str) -> Head:
    facts, arrays = read_arrays(path, ("weights", "idf"))
    if facts.get("format") != _FORMAT:
        raise ValueError(f"its format is {facts.get('format')!r}, not {_FORMAT!r}")
    try:
        embedding = Embedding.model_validate(facts["embedding"])
        low, high = facts["clip"]
        head = Head(
            facts["kind"],
            arrays["weights"],
            float(facts["bias"]),
            (float(low), float(high)),
            embedding,
            int(facts["seed"]),
            arrays["idf"],
            str(facts["encoder_sha256"]),
            dict(facts["training"]),
        )
    except (ValidationError, RecipeError, KeyError, TypeError, OverflowError) as error:
        raise ValueError(f"it lacks what a head has ({error})") from error
    if found := head_faults(head):
        raise ValueError(found)
    return head
