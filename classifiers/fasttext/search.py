"""Choose the settings of a fastText classifier by trying some: a random search that always comes out the same.

The ranges are those within which the library's autotune looks (fastText 0.9.3, `autotune.cc`: lr 0.01 to 5, epochs 1 to
100, word n-grams 1 to 5, character n-grams none, from 2 or from 3), narrowed where long trainings gain little. Judged
by the area under the ROC curve on a fifth of the examples, whole groups of them, that no trial is trained on. It looks
for nothing else: how texts become tokens, dimensions and buckets stay as they are given.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.document import uniform
from curate.errors import InputError
from curate.scoring.fasttext import FastTextScore

if TYPE_CHECKING:
    from classifiers.fasttext.trainer import FastTextTrainer

HELD_OUT_FRAC = 0.2
_LR, _EPOCHS = (0.05, 2.0), (3, 40)  # drawn evenly on a logarithmic scale
_WORD_NGRAMS = (1, 2, 3)
_CHAR_NGRAMS = ((0, 0), (2, 5), (3, 6))


def best_settings(trainer: FastTextTrainer, examples: pa.Table, positive: str, seed: int) -> FastTextTrainer:
    """The best of `trainer` itself and of `trainer.trials` draws, for the same texts; of equals the first.

    InputError where the held-out groups, or the others, have no positive example or no other one.
    """
    held_out = pa.array([uniform(g, seed, "fasttext search") < HELD_OUT_FRAC for g in examples["group"].to_pylist()])
    seen, judged = examples.filter(pc.invert(held_out)), examples.filter(held_out)
    for part in (seen, judged):
        if len(set(pc.equal(part["label"], positive).to_pylist())) < 2:
            raise InputError(
                f"a search of settings holds whole groups out; {part.num_rows} of {examples.num_rows} examples are "
                f"left on one side, not both {positive!r} and other ones. Give more groups, or `trials: 0`"
            )
    candidates = [trainer, *(trainer.model_copy(update=drawn(trial, seed)) for trial in range(trainer.trials))]
    areas = [_area(candidate, seen, judged, positive, seed) for candidate in candidates]
    return candidates[int(np.argmax(areas))]


def drawn(trial: int, seed: int) -> dict[str, Any]:
    """The settings of one trial."""

    def draw(name: str) -> float:
        return uniform(str(trial), seed, f"fasttext {name}")

    minn, maxn = _CHAR_NGRAMS[int(draw("char_ngrams") * len(_CHAR_NGRAMS))]
    return {
        "lr": round(_LR[0] * (_LR[1] / _LR[0]) ** draw("lr"), 3),
        "epoch": round(_EPOCHS[0] * (_EPOCHS[1] / _EPOCHS[0]) ** draw("epoch")),
        "word_ngrams": _WORD_NGRAMS[int(draw("word_ngrams") * len(_WORD_NGRAMS))],
        "minn": minn,
        "maxn": maxn,
    }


def _area(trainer: FastTextTrainer, seen: pa.Table, judged: pa.Table, positive: str, seed: int) -> float:
    with tempfile.TemporaryDirectory(prefix="curate-fasttext-") as folder:
        path = Path(folder) / f"trial{trainer.suffix}"
        trainer.fit(seen, positive, path, seed)
        batches = judged.combine_chunks().to_batches()
        signals = [FastTextScore(model_path=str(path)).annotate(batch) for batch in batches]
    scores = np.concatenate([pc.struct_field(part, "score").to_numpy(zero_copy_only=False) for part in signals])
    return roc_area(np.nan_to_num(scores), pc.equal(judged["label"], positive).to_numpy(zero_copy_only=False))


def roc_area(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """The area under the ROC curve: how often a positive one scores more than another, ties counted half.

    >>> roc_area(np.array([0.1, 0.4, 0.4, 0.9]), np.array([False, True, False, True]))
    0.875
    """
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    num_positive = int(positive.sum())
    above = ranks[positive].sum() - num_positive * (num_positive + 1) / 2
    return float(above / (num_positive * (len(scores) - num_positive)))
