"""A real model as small as one can be: words of positives and of others, counted. It trains in milliseconds."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from classifiers.evaluation.metrics import is_positive
from classifiers.trainer import Trainer
from curate.models import load_once
from curate.scoring.model_file import ModelStage
from curate.stage import Limit, at_least


class WordOdds(ModelStage):
    """The chance of a positive by the words of the text, each for itself."""

    min_score: float | None = None

    @property
    def signals(self) -> pa.StructType:
        return pa.struct([("score", pa.float64())])

    @property
    def limits(self) -> tuple[Limit, ...]:
        return () if self.min_score is None else (at_least("score", self.min_score),)

    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        odds = load_once("word_odds", self.model_path, lambda path: json.loads(Path(path).read_text()))
        rows = []
        for text in batch["text"].to_pylist():
            total = sum(odds.get(word, 0.0) for word in (text or "").split())
            rows.append({"score": None if text is None else 1 / (1 + math.exp(-max(min(total, 50.0), -50.0)))})
        return pa.array(rows, self.signals)


class WordOddsTrainer(Trainer):
    stage: ClassVar[str] = "word_odds"
    suffix: ClassVar[str] = ".json"

    smoothing: float = 1.0

    def train(self, examples: pa.Table, positive: str, path: Path, seed: int) -> None:
        counts: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        for text, is_one in zip(examples["text"].to_pylist(), is_positive(examples, positive), strict=True):
            counts[int(is_one)].update(set(text.split()))
        words = sorted({*counts[0], *counts[1]})
        odds = {w: math.log((counts[1][w] + self.smoothing) / (counts[0][w] + self.smoothing)) for w in words}
        path.write_text(json.dumps(odds))
