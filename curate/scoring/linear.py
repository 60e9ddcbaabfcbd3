"""Keep documents by a linear model over hashed terms: GPT-3's (Brown et al. 2020, appendix A), or over n-grams.

GPT-3 kept a page of a crawl where `np.random.pareto(9) > 1 - score`, so that most pages that look like good text stay,
and some of those that do not. numpy's `pareto(a)` is Lomax's: (1 - u)^(-1/a) - 1 for u uniform in [0, 1). Here u is
keyed by the document's id and the seed, so a draw does not depend on order, partitioning or retries.
Refuses to judge null text, and to ship a model: what is good is for the examples to say that it is trained on.
"""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from curate.document import uniform
from curate.filters.bounds import within
from curate.scoring.linear_model import load, probabilities
from curate.scoring.model_file import ModelStage
from curate.stage import Limit, at_least

#: The least number above 0: `draw > 1 - score` is strict, and their difference is 0 only where they are equal.
_ABOVE_ZERO = math.ulp(0.0)


class LinearScore(ModelStage):
    """Score documents by a linear model; keep those within bounds, and by a Pareto draw as GPT-3 did, where asked to.

    What is good has a `min_score`; of toxicity and spam `max_score` keeps what has less.
    """

    min_score: float | None = Field(None, ge=0.0, le=1.0)
    max_score: float | None = Field(None, ge=0.0, le=1.0)
    pareto_alpha: float | None = Field(None, gt=0.0)  # GPT-3: 9; None: no draw
    seed: int = 0  # of the draw
    max_bytes: int | None = Field(None, ge=1)  # read of a text, from its beginning; None reads all, as GPT-3 did

    @property
    def requires(self) -> tuple[str, ...]:  # type: ignore[override]  # by the settings, as `Stage` allows
        """The id where there is a draw."""
        return ("text",) if self.pareto_alpha is None else ("doc_id", "text")

    @property
    def signals(self) -> pa.StructType:
        """The score; of a Pareto draw the draw too, and by how much it is above 1 - score."""
        names = ("score",) if self.pareto_alpha is None else ("score", "draw", "margin")
        return pa.struct([pa.field(name, pa.float64()) for name in names])

    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        """`score`, the probability of the positive label, and of a draw `draw` and `margin`; null for a null text."""
        texts = batch.column("text")
        scores = probabilities(load(self.model_path, digest=self.model_sha256), texts, self.max_bytes)
        columns = [scores]
        if self.pareto_alpha is not None:
            draws = pareto_draws(batch.column("doc_id"), self.pareto_alpha, self.seed)
            columns += [draws, draws - (1.0 - scores)]
        nulls = texts.is_null().to_numpy(zero_copy_only=False)
        arrays = [pa.array(column, mask=nulls) for column in columns]
        return pa.StructArray.from_arrays(arrays, fields=list(self.signals))

    @property
    def limits(self) -> tuple[Limit, ...]:
        drawn = () if self.pareto_alpha is None else (at_least("margin", _ABOVE_ZERO),)
        return (*within("score", self.min_score, self.max_score), *drawn)


def pareto_draws(doc_ids: pa.Array, alpha: float, seed: int) -> NDArray[np.float64]:
    """Numbers distributed as `np.random.pareto(alpha)`, one for each document id: float64[len(doc_ids)], 0 or more."""
    shares = np.array([uniform(doc_id, seed, "pareto") for doc_id in doc_ids.to_pylist()], np.float64)
    # `uniform` rounds its last 2**10 values to 1.
    draws: NDArray[np.float64] = np.maximum(1.0 - shares, 2.0**-64) ** (-1.0 / alpha) - 1.0
    return draws
