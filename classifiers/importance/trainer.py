"""Train an importance model: count the n-grams of target and raw texts (DSIR: Xie et al. 2023).

What is labelled as positive is the target, all else is the raw data that will be selected from. A share of 0 is
smoothed by a small constant, as in the authors' package `data-selection` 1.0.3 (`hashed_ngram_dsir.py`), whose model
this is with `hashing: sha256`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field

from classifiers.evaluation.metrics import is_positive
from classifiers.trainer import Trainer
from curate.errors import InputError
from curate.kernels.importance_ngrams import Hashing, Ngrams, Tokens, count_ngrams
from curate.scoring.importance_model import MAX_BUCKETS, MAX_NGRAMS, ImportanceModel, save_importance

Counts = NDArray[np.int64]

_ROWS = 1000  # counted at a time


class ImportanceTrainer(Trainer):
    """A bag of hashed n-grams of the target, and one of the raw data."""

    stage: ClassVar[str] = "importance"
    suffix: ClassVar[str] = ".npz"

    ngrams: Annotated[int, Field(ge=1, le=MAX_NGRAMS)] = 2  # data-selection 1.0.3: all sizes up to this
    num_buckets: Annotated[int, Field(ge=1, le=MAX_BUCKETS)] = 10_000  # the same
    tokens: Tokens = "wordpunct"  # the same; `characters` for scripts written without spaces
    hashing: Hashing = "fast"  # our choice; `sha256` is the authors'
    smoothing: Annotated[float, Field(gt=0, lt=1)] = 1e-8  # data-selection: added to each share
    max_raw_ngrams: Annotated[int, Field(ge=1)] | None = None  # None: 100,000 a bucket, as data-selection's "auto"

    def train(self, examples: pa.Table, positive: str, path: Path, seed: int) -> None:
        """Count and write the model. Nothing is drawn. InputError where target or raw texts have no n-gram."""
        is_target = pa.array(is_positive(examples, positive))
        limit = 100_000 * self.num_buckets if self.max_raw_ngrams is None else self.max_raw_ngrams
        target = self._counts(examples["text"].filter(is_target), f"the label {positive!r}", None)
        raw = self._counts(examples["text"].filter(pc.invert(is_target)), f"any label but {positive!r}", limit)
        log_ratio = np.log(target / target.sum() + self.smoothing) - np.log(raw / raw.sum() + self.smoothing)
        settings = {
            "settings": self.model_dump(mode="json"),
            "target_ngrams": int(target.sum()),
            "raw_ngrams": int(raw.sum()),
        }
        save_importance(ImportanceModel(self._how, log_ratio, target, raw, settings), path)

    @property
    def _how(self) -> Ngrams:
        return Ngrams(self.ngrams, self.num_buckets, self.tokens, self.hashing)

    def _counts(self, texts: pa.ChunkedArray, what: str, limit: int | None) -> Counts:
        """N-grams in each bucket, of the first texts that have more than `limit` of them together."""
        counts = np.zeros(self.num_buckets, np.int64)
        for batch in pa.table({"text": texts}).to_batches(max_chunksize=_ROWS):
            if count_ngrams(batch.column("text"), counts, self._how, limit) < batch.num_rows:
                break
        if not counts.any():
            raise InputError(f"importance weights compare two corpora, and no text of {what} has a word: give examples")
        return counts
