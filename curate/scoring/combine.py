"""One score out of several, calibrated so that they compare: the ensembles of models that Qwen and others filter by.

Qwen scores each document by several models, a language model, a text-quality model and one that finds offensive
content, and decides by all of them (Bai et al. 2023, section 2.1; neither formula nor weights are published). What
makes scores comparable, how they are combined, what vetoes and where the thresholds lie is fitted to labelled or
sampled documents beforehand, and comes from a file of `curate.scoring.combination`.

It measures nothing: it reads signals that earlier stages of the recipe have stored, and it refuses a file that names a
stage or a signal which is not there. A document that lacks one of the scores has no combined score and is not judged
by it; a veto judges it nevertheless.
"""

from __future__ import annotations

from typing import ClassVar

import pyarrow as pa

from curate.filters.bounds import within, without
from curate.scoring.combination import POOLED, Combination, combined, load_combination
from curate.stage import Filter, Limit, at_least


class CombineScores(Filter):
    """Keep documents whose combined score reaches the threshold of their group and which nothing vetoes."""

    #: The signal that ranks documents, as of any stage that applies a model.
    score_signal: ClassVar[str] = "score"
    more_is_better: ClassVar[bool] = True

    combination_path: str  # a file of `curate.scoring.combination`; there is no published one
    combination_sha256: str | None = None  # the file must have this digest; None takes the one that is there
    min_score: float | None = None  # one bound for all groups in place of the file's thresholds

    @property
    def requires(self) -> tuple[str, ...]:  # type: ignore[override]  # the file says which, not the class
        """The signals that the file names, as `stage.signal`, and the column it tells groups apart by."""
        return self._combination().requires

    @property
    def files(self) -> tuple[str, ...]:
        """The file of the combination."""
        return (self.combination_path,)

    @property
    def signals(self) -> pa.StructType:
        """`score`, `judged_by` (the group whose threshold applies, `pooled`, or null) and what led to them.

        `<stage>_<signal>` is an input as calibrated, `<stage>_<signal>_too_high` or `…_too_low` whether a veto is
        broken, and the drop reason with it.
        """
        return self._combination().signals

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Vetoes first: a document that one stops is not of interest for its score."""
        combination = self._combination()
        vetoes = tuple(limit for name, *_ in combination.vetoes() for limit in without(name))
        if self.min_score is not None:
            return vetoes + within("score", low=self.min_score)
        thresholds = dict(combination.thresholds.groups)
        if combination.thresholds.pooled is not None:
            thresholds[POOLED] = combination.thresholds.pooled
        return vetoes + ((at_least("score", thresholds, "judged_by"),) if thresholds else ())

    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        """Signals of type `signals`. RecipeError where the batch lacks a stage or a signal that the file names."""
        return combined(batch, self._combination(), f"combine_scores, by {self.combination_path},")

    def _combination(self) -> Combination:
        return load_combination(self.combination_path, self.combination_sha256)
