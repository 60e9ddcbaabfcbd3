"""Small fastText models and what the library says of texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from curate.kernels.fasttext_lines import LineRules, lines
from curate.models import fasttext_module

SPAM = (
    "win a free prize now",
    "claim your cash prize!",
    "free entry call now",
    "URGENT call to win",
    "cash 免费 大奖 now",
)
HAM = (
    "see you at home later",
    "I am on the bus",
    "what time is dinner?",
    "happy birthday to you",
    "我们 明天 见 later",
)


def corpus(num: int = 40, labels: tuple[str, str] = ("spam", "ham")) -> list[str]:
    """Lines to train on, each with its label."""
    pairs = [(labels[0], text) for text in SPAM] + [(labels[1], text) for text in HAM]
    return [f"__label__{label} {text} {n % 7}" for n in range(num) for label, text in pairs]


def trained(path: Path, training: list[str] | None = None, *, quantize: dict[str, Any] | None = None, **settings: Any):
    """A model that the library has trained on one thread, written to `path` and loaded again."""
    source = path.with_suffix(".txt")
    source.write_text("\n".join(training or corpus()) + "\n", "utf-8")
    module = fasttext_module(training=True)
    chosen = {"dim": 8, "bucket": 2000, "epoch": 5, "lr": 0.5, "thread": 1, "verbose": 0, "minCount": 1} | settings
    model = module.train_supervised(str(source), **chosen)
    if quantize is not None:
        model.quantize(str(source), verbose=0, thread=1, **quantize)
    model.save_model(str(path))
    return module.load_model(str(path))


def library_probabilities(model: Any, texts: list[str | None], labels: tuple[str, ...]) -> np.ndarray:
    """Of each label for each text, made into a line by `LineRules()`; 0 for a label that the library leaves out."""
    found = np.zeros((len(texts), len(labels)))
    names, numbers = model.predict(lines(pa.array(texts, pa.string()), LineRules()).to_pylist(), k=-1)
    for row, (ours, values) in enumerate(zip(names, numbers, strict=True)):
        for name, value in zip(ours, values, strict=True):
            found[row, labels.index(name.removeprefix("__label__"))] = value
    return found
