"""Train a 5-gram model of a file of tokens, a sentence a line.

    python benchmarks/train_language_model.py TOKENS MODEL

A process of its own, so that its time and memory can be set beside lmplz's.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from classifiers.language_model.trainer import LanguageModelTrainer
from curate.scoring.pretokenize import Pretokenizer

LINES = 20_000


def batches(path: Path) -> Iterator[pa.RecordBatch]:
    """The lines, some at a time."""
    with path.open(encoding="utf-8") as file:
        while lines := [line for _, line in zip(range(LINES), file, strict=False)]:
            yield pa.record_batch([pa.array(lines), pa.nulls(len(lines), pa.string())], ["text", "language"])


def main() -> None:
    tokens, model = map(Path, sys.argv[1:])
    plain = Pretokenizer(kind="words", sentence="line")
    LanguageModelTrainer(order=5, format="arpa", pretokenizer=plain).train_from(batches(tokens), model)


if __name__ == "__main__":
    main()
