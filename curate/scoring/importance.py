"""How much likelier a text is in a target corpus than in the raw data: the log-weights of DSIR (Xie et al. 2023).

Both corpora are bags of hashed unigrams and bigrams, made by `curate classifiers train`. A document's **log-weight** is
the sum over its n-grams of log p_target - log p_raw. To resample by importance, `select` takes it with `sampling:
gumbel`; `sampling: top`, or a bound here, keeps the likeliest without chance.

A sum grows with the text, so long documents have the largest and the smallest weights, beside which the noise of the
sample is small. `per_token` divides by the tokens, which is not what was published; noise then wants a `temperature`
far below 1. It measures likeness to the target and refuses to say whether a text is good; what is rare in both is
hardly judged, because buckets are shared.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
import pyarrow as pa
from pydantic import Field

from curate.filters.bounds import within
from curate.kernels.importance_ngrams import log_weights
from curate.kernels.signals import signal_struct
from curate.scoring.importance_model import load_importance
from curate.scoring.model_file import ModelStage
from curate.stage import Limit


class Importance(ModelStage):
    """Measure the log-weight, and drop what is too short to be judged by it."""

    score_signal: ClassVar[str] = "log_weight"

    #: `min_example_length` of data-selection 1.0.3: tokens, as its WordPunctTokenizer has them.
    min_tokens: Annotated[int, Field(ge=0)] | None = 100
    min_log_weight: float | None = None  # our choice: none, `select` takes the best or a sample
    per_token: bool = False  # data-selection: the sum

    @property
    def signals(self) -> pa.StructType:
        """`log_weight`: natural logarithm, any sign, 0 for a text without tokens; `num_tokens`. Null text: null."""
        return pa.struct([("log_weight", pa.float64()), ("num_tokens", pa.int32())])

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (*within("num_tokens", low=self.min_tokens), *within("log_weight", low=self.min_log_weight))

    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        """Signals of type `signals`. EnvironmentProblem where the model's file cannot be used."""
        model = load_importance(self.model_path, digest=self.model_sha256)
        texts = batch.column("text")
        weights, num_tokens = log_weights(texts, model.log_ratio, model.how)
        if self.per_token:
            weights = weights / np.maximum(num_tokens, 1)
        return signal_struct(self.signals, {"log_weight": weights, "num_tokens": num_tokens}, texts)
