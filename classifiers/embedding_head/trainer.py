"""Train a head over embeddings: ridge regression on numbers, as FineWeb-Edu did, or logistic regression on two kinds.

How strongly weights are held down is chosen by inner folds that part no group (a host, an author). The embedding itself
is not trained: of `tfidf` the rarity of terms is counted on the examples, an encoder stays as it is. All vectors are in
memory: 12 bytes for each number, 6 GB for half a million documents of 1,024.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from classifiers.evaluation.metrics import is_positive
from classifiers.evaluation.regression import numbers
from classifiers.examples.splitting import folds, labels_text
from classifiers.one_thread import one_thread
from classifiers.trainer import Trainer
from curate.embedding.neural import check_installed
from curate.embedding.settings import Embedding
from curate.errors import EnvironmentProblem, InputError
from curate.kernels.hashed_terms import document_frequencies, idf
from curate.scoring.head_file import Head, encoder_digest, save_head

Vectors = NDArray[np.float32]
Floats = NDArray[np.float64]
#: What makes weights and a bias of a strength.
Fit = Callable[[float], tuple[Floats, float]]

_BATCH = 1024  # texts embedded, or vectors multiplied, at a time


class EmbeddingHeadTrainer(Trainer):
    """Settings of a head over embeddings."""

    stage: ClassVar[str] = "embedding_score"
    suffix: ClassVar[str] = ".npz"

    #: ridge: labels are numbers as text, and the score is one. logistic: the probability of the positive label.
    kind: Literal["logistic", "ridge"] = "logistic"
    #: Our choice of size. Measured on pages against books, news and manuals by host: ROC-AUC 0.943 with 256 numbers at
    #: 111 MB/s of one core, 0.981 with 1,024 at 70, 0.995 with 4,096 at 32; a linear model over all terms has 0.997.
    embedding: Embedding = Embedding(dimensions=1024)
    #: Strengths to choose from: of the squared weights against the sum of the losses. Our choice: vectors are of length
    #: 1, so that a strength of 1 weighs as one document does. Of equally good ones the largest is taken.
    alphas: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)] = (
        0.001,
        0.01,
        0.1,
        1.0,
        10.0,
        100.0,
    )
    num_folds: Annotated[int, Field(ge=2)] = 5  # for choosing a strength

    @property
    def files(self) -> tuple[str, ...]:
        """The encoder's."""
        return self.embedding.files

    def train(self, examples: pa.Table, positive: str, path: Path, seed: int) -> None:
        """Write the head. `positive` is a label, or ">=3" of numbers; ridge has no use for it.

        InputError where labels are no numbers (ridge), all equal, or where one side is missing (logistic).
        """
        labels = self._labels(examples, positive)
        head = self._embedding_of(examples, seed)
        vectors = _embedded(head, examples["text"])
        with one_thread():
            losses = self._losses(vectors, labels, folds(examples, self.num_folds, seed))
            alpha = max(alpha for alpha, loss in losses.items() if loss == min(losses.values()))
            weights, bias = self._fit(vectors, labels)(alpha)
        training = {
            "alpha": alpha,
            "losses": {f"{alpha:g}": loss for alpha, loss in losses.items()},
            "examples": examples.num_rows,
            "positive": "" if self.kind == "ridge" else positive,
        }
        save_head(head._replace(weights=weights, bias=bias, clip=self._range(labels), training=training), path)

    def _labels(self, examples: pa.Table, positive: str) -> Floats:
        if self.kind == "logistic":
            found = is_positive(examples, positive).astype(np.float64)
        else:
            found = numbers(examples["label"])
        if examples.num_rows == 0 or found.min() == found.max():
            wanted = "two different numbers" if self.kind == "ridge" else f"{positive!r} and others"
            raise InputError(
                f"a {self.kind} head learns from labels {wanted}, and there are {labels_text(examples)}. Give examples "
                "of both"
            )
        return found

    def _range(self, labels: Floats) -> tuple[float, float]:
        """No score lies outside of what was ever given."""
        return (0.0, 1.0) if self.kind == "logistic" else (float(labels.min()), float(labels.max()))

    def _embedding_of(self, examples: pa.Table, seed: int) -> Head:
        """A head that can embed and has not learned anything yet."""
        one, weights = self.embedding, np.zeros(0, np.float32)
        kind, _, folder = one.model.partition(":")
        if folder:
            check_installed(kind)
        else:
            frequencies, num_texts = np.zeros(1 << one.hash_bits, np.int64), 0
            for batch in examples.select(["text"]).to_batches(_BATCH):
                found, count = document_frequencies(batch.column(0), one.hash_bits, one.max_bytes)
                frequencies, num_texts = frequencies + found, num_texts + count
            weights = idf(frequencies, num_texts)
        nothing = np.zeros(0)
        return Head(self.kind, nothing, 0.0, (0.0, 1.0), one, seed, weights, encoder_digest(one))

    def _fit(self, vectors: Vectors, labels: Floats) -> Fit:
        return (ridge if self.kind == "ridge" else logistic)(vectors, labels)

    def _losses(self, vectors: Vectors, labels: Floats, fold: NDArray[np.int64]) -> dict[float, float]:
        """Mean loss over the documents by strength, each judged by weights that have not seen its group."""
        if len(self.alphas) == 1:
            return {self.alphas[0]: 0.0}
        total = dict.fromkeys(self.alphas, 0.0)
        held = [number for number in np.unique(fold).tolist() if _varies(labels[fold != number])]
        if not held:
            raise InputError(
                f"a strength is chosen by {self.num_folds} folds that part no group, and the examples are of too few "
                "groups. Give examples of more hosts or authors, or one value for `alphas`"
            )
        for number in held:
            inside, outside = fold == number, fold != number
            fit = self._fit(vectors[outside], labels[outside])
            for alpha in self.alphas:
                weights, bias = fit(alpha)
                total[alpha] += self._loss(vectors[inside] @ weights + bias, labels[inside])
        judged = int(np.isin(fold, held).sum())
        return {alpha: loss / judged for alpha, loss in total.items()}

    def _loss(self, scores: Floats, labels: Floats) -> float:
        if self.kind == "ridge":
            return float(((scores - labels) ** 2).sum())
        return float(np.logaddexp(0.0, np.where(labels > 0, -scores, scores)).sum())


def ridge(vectors: Vectors, labels: Floats) -> Fit:
    """Minimise the sum of squared errors and alpha times that of the squared weights (Hoerl and Kennard 1970)."""
    from scipy.linalg import solve  # scikit-learn brings it

    count, size = vectors.shape
    products, moments, sums = np.zeros((size, size)), np.zeros(size), np.zeros(size)
    for start in range(0, count, _BATCH):
        part = vectors[start : start + _BATCH].astype(np.float64)
        products += part.T @ part
        moments += part.T @ labels[start : start + _BATCH]
        sums += part.sum(axis=0)
    centre, mean = sums / count, float(labels.mean())
    products -= count * np.outer(centre, centre)
    moments -= count * mean * centre

    def fit(alpha: float) -> tuple[Floats, float]:
        weights = np.asarray(solve(products + alpha * np.eye(size), moments, assume_a="pos"), np.float64)
        return weights, mean - float(centre @ weights)

    return fit


def logistic(vectors: Vectors, labels: Floats) -> Fit:
    """Minimise the sum of log losses and half alpha times that of the squared weights."""
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise EnvironmentProblem(
            "training a logistic head needs scikit-learn: pip install 'curate[classifiers]'"
        ) from error
    values, positive = vectors.astype(np.float64), labels > 0

    def fit(alpha: float) -> tuple[Floats, float]:
        model = LogisticRegression(C=1 / alpha, tol=1e-6, max_iter=1000).fit(values, positive)
        return np.ascontiguousarray(model.coef_[0], np.float64), float(model.intercept_[0])

    return fit


def _embedded(head: Head, texts: pa.ChunkedArray) -> Vectors:
    embedder = head.embedder()
    parts: Sequence[Vectors] = [
        embedder.embed(batch.column(0)) for batch in pa.table([texts], ["text"]).to_batches(_BATCH)
    ]
    size = max(part.shape[1] for part in parts)  # 0 where an encoder met empty texts alone
    if not size:
        raise InputError("all examples are empty texts: there is nothing to learn from")
    return np.concatenate([part if part.shape[1] else np.zeros((len(part), size), np.float32) for part in parts])


def _varies(labels: Floats) -> bool:
    return bool(labels.size and labels.min() < labels.max())
