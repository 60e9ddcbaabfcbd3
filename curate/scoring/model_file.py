"""What the stages that apply a trained model have in common: the model's file, pinned by its digest if one likes.

A model scores a document by one number, the signal that `score_signal` names. Training lies in `classifiers`; what is
here needs none of it.
"""

from __future__ import annotations

from typing import ClassVar

from curate.stage import Filter


class ModelStage(Filter):
    """A filter that asks a model. Its limits are on the score."""

    #: The signal that ranks documents: what is evaluated, calibrated, combined and selected by.
    score_signal: ClassVar[str] = "score"
    #: Whether more of it is more of what the model looks for; perplexity is the other way round.
    more_is_better: ClassVar[bool] = True

    model_path: str  # no model ships: `curate classifiers train` makes one
    model_sha256: str | None = None  # the file must have this digest; None takes the one that is there

    @property
    def files(self) -> tuple[str, ...]:
        """The model's file."""
        return (self.model_path,)
