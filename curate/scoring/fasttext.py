"""Score documents by a supervised fastText model: any user's `.bin` or `.ftz`, or one trained by `classifiers`.

Joulin et al. 2017, "Bag of Tricks for Efficient Text Classification". As a quality filter: DCLM (Li et al. 2024,
section 4.4, word bigrams) and LLaMA (Touvron et al. 2023, section 2.1, Wikipedia's references against pages); on
sentences, toxic and obscene ones: Dolma (Soldaini et al. 2024). The probabilities are the library's, to what digit says
`curate.kernels.fasttext_scores`; the library itself is not needed.

It refuses to guess which label is meant: two labels named "hq" and "cc" do not say which one a user wants more of.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field

from curate.errors import RecipeError
from curate.kernels.fasttext_lines import LineRules
from curate.kernels.fasttext_scores import label_probabilities
from curate.models import load_once
from curate.scoring.fasttext_file import LABEL, FastTextModel, Note, Tokens, read_fasttext
from curate.scoring.model_file import ModelStage
from curate.stage import Limit, absent, at_least, at_most
from curate.words.source import word_source

Probability = Annotated[float, Field(ge=0, le=1)]

SIGNALS = pa.struct(
    [
        pa.field("score", pa.float64()),  # probability of `labels` together; the library adds 1e-5 for each
        pa.field("label", pa.string()),  # the most probable one
        pa.field("label_score", pa.float64()),
        pa.field("no_keep_label", pa.bool_()),  # `keep_labels` are given, and none reaches its threshold
        pa.field("remove_label", pa.bool_()),  # one of `remove_labels` reaches its threshold
    ]
)


class FastTextScore(ModelStage):
    """Keep documents by the probability of labels. Signals are null where the text is, and where the model knows no
    token of it (one trained as usual knows the end of a line, so it has an answer to the empty text too).

    Labels are named with or without "__label__"; RecipeError, naming the model's, for one that it has not.
    """

    labels: tuple[str, ...] | None = None  # whose probabilities are the score; None: the positive one of the file
    min_score: Probability | None = None  # DCLM: 0.018112 of "hq" (its fasttext_filter.yaml)
    max_score: Probability | None = None
    # As datatrove's FastTextClassifierFilter: one that reaches its threshold is enough, to stay as to go.
    keep_labels: dict[str, Probability] = Field(default_factory=dict)
    remove_labels: dict[str, Probability] = Field(default_factory=dict)  # Dolma 1.5: toxic 0.4, of a sentence
    max_bytes: Annotated[int, Field(gt=0)] | None = None  # of a text that are read; None: all
    # None: as the model's file says, where `curate classifiers train` has made it; else false and "spaces", which are
    # the library's own. "characters": punctuation, symbols and letters of scripts without spaces stand alone.
    # "words": of the segmenter of the document's language, where it has one.
    lower_case: bool | None = None
    tokens: Tokens | None = None

    @property
    def signals(self) -> pa.StructType:
        return SIGNALS

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (
            *(() if self.min_score is None else (at_least("score", self.min_score),)),
            *(() if self.max_score is None else (at_most("score", self.max_score),)),
            *((absent("no_keep_label"),) if self.keep_labels else ()),
            *((absent("remove_label"),) if self.remove_labels else ()),
        )

    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        """Signals of type `SIGNALS`."""
        model = load_once("fastText model", self.model_path, read_fasttext, digest=self.model_sha256)
        note = model.note or Note()
        chosen = self._numbers(model, self._scored(model))
        rules = LineRules(
            note.lower_case if self.lower_case is None else self.lower_case,
            (self.tokens or note.tokens) == "characters",
            self.max_bytes or LineRules().max_bytes,
        )
        words = word_source("segmenter", batch) if (self.tokens or note.tokens) == "words" else None
        found = label_probabilities(batch.column("text"), model.lines, rules, words)
        best = np.argmax(found, axis=1)
        # Columns are picked into an array that lies column by column, and the order of a sum would be the batch's.
        scores = np.ascontiguousarray(found[:, chosen]).sum(axis=1)
        columns = [
            pa.array(scores),
            pa.array(model.labels, pa.string()).take(pa.array(best)),
            pa.array(found.max(axis=1)),
            pa.array(~self._reached(found, model, self.keep_labels) & bool(self.keep_labels)),
            pa.array(self._reached(found, model, self.remove_labels)),
        ]
        known = pc.and_(pc.is_valid(batch.column("text")), pa.array(~np.isnan(found[:, 0])))
        return pa.StructArray.from_arrays(
            [pc.if_else(known, column, pa.scalar(None, column.type)) for column in columns], fields=list(SIGNALS)
        )

    def _scored(self, model: FastTextModel) -> tuple[str, ...]:
        if self.labels is not None:
            return self.labels
        if model.note and model.note.positive is not None:
            return (model.note.positive,)
        raise RecipeError(
            f"{self.model_path} does not say which label its score is of. Name it: `labels: [{model.labels[0]}]`; "
            f"the model has {_listed(model.labels)}"
        )

    def _numbers(self, model: FastTextModel, labels: Iterable[str]) -> list[int]:
        numbers = {name: number for number, name in enumerate(model.labels)}
        named = [label if label in numbers else label.removeprefix(LABEL) for label in labels]
        for label in named:
            if label not in numbers:
                raise RecipeError.unknown("label", label, numbers, where=self.model_path)
        return [numbers[label] for label in dict.fromkeys(named)]

    def _reached(
        self, found: NDArray[np.float64], model: FastTextModel, thresholds: dict[str, float]
    ) -> NDArray[np.bool_]:
        """True where one of the labels is as probable as its threshold."""
        numbers = self._numbers(model, thresholds)
        if len(numbers) < len(thresholds):
            raise RecipeError(
                f"one label has two thresholds, with and without {LABEL!r}: {', '.join(thresholds)}. Leave one of them"
            )
        reached: NDArray[np.bool_] = np.any(found[:, numbers] >= list(thresholds.values()), axis=1)
        return reached


def _listed(labels: tuple[str, ...]) -> str:
    shown = ", ".join(labels[:20])
    return shown if len(labels) <= 20 else f"{shown} and {len(labels) - 20} more"
