"""Score a document by a linear head over its embedding: FineWeb-Edu's kind of classifier, and domain classifiers.

FineWeb-Edu puts a linear regression on a frozen text encoder, trained on scores from 0 to 5 that a language model gave,
and keeps documents that score 3 or more when rounded (Penedo et al. 2024, section 4). Here the embedding is the
toolkit's own hashed TF-IDF, which needs no model and knows words but not their meaning, or an encoder that the user
names. `classifiers.embedding_head` trains heads; no head ships.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from curate.filters.bounds import within
from curate.scoring.head_file import Head, load_head, with_encoder
from curate.scoring.model_file import ModelStage
from curate.stage import Limit

_ROWS = 512  # embedded at a time: vectors of 4,096 numbers of as many documents are 8 MiB
_SIGNALS = pa.struct([pa.field("score", pa.float64())])


class EmbeddingScore(ModelStage):
    """Keep documents whose embedding scores `min_score` or more.

    The score is a number in the range of the training labels (ridge) or a probability (logistic). Null text has none; a
    text without any term has the score of a document of which nothing is known.
    """

    min_score: float | None = None  # FineWeb-Edu keeps 2.5 or more of 5: 3 when rounded; None measures only
    encoder: str | None = None  # the encoder's folder on this machine, where it was another one in training

    @property
    def files(self) -> tuple[str, ...]:
        """The head's file, and those of the encoder where it has one."""
        return (self.model_path, *(self._head().embedding.files if self.model_path else ()))

    @property
    def signals(self) -> pa.StructType:
        return _SIGNALS

    @property
    def limits(self) -> tuple[Limit, ...]:
        return within("score", low=self.min_score)

    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        """`score` of each row."""
        head, texts = self._head(), batch.column("text")
        there, embedder = texts.drop_null(), head.embedder()
        found = np.zeros(len(texts))
        missing = texts.is_null().to_numpy(zero_copy_only=False)
        scores = [head.scores(embedder.embed(there.slice(at, _ROWS))) for at in range(0, len(there), _ROWS)]
        found[~missing] = np.concatenate([np.zeros(0), *scores])
        return pa.StructArray.from_arrays([pa.array(found, mask=missing)], fields=list(_SIGNALS))

    def _head(self) -> Head:
        head = load_head(self.model_path, digest=self.model_sha256)
        return head if self.encoder is None else with_encoder(head, self.encoder)
