"""Train a model on examples in memory, judge it on a part of them, and keep model, card and report in a folder.

Behind the stage `fitted_score`, whose examples are documents of the run itself.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from classifiers.evaluation.card import DataSet
from classifiers.evaluation.card import Split as CardSplit
from classifiers.evaluation.judging import Judging, train_and_judge
from classifiers.evaluation.metrics import is_positive
from classifiers.examples import splitting
from classifiers.examples.reading import in_drawn_order
from classifiers.trained_model import card_for, label_and_language_counts, write_judged
from classifiers.trainer import Trainer
from curate.errors import InputError
from curate.progress import Reporter


def fit(examples: pa.Table, trainer: Trainer, folder: Path, *, positive: str, test_frac: float, seed: int) -> Path:
    """Train on `examples` (`EXAMPLES`) but for the groups held out, judge on those, and return the model's file.

    Beside it in `folder`, which is made: card.json, card.md, metrics.json, held_out.parquet and report.html. With a
    `test_frac` of 0, and where the groups are too few for both sides to have each label, all examples are trained on
    and nothing is judged: metrics.json says why. InputError where no example is positive.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model = folder / f"model{trainer.suffix}"
    examples = in_drawn_order(examples, seed)
    if not is_positive(examples, positive).any():
        raise InputError(f"no positive example: none of {examples.num_rows:,} has the label {positive}")
    split = splitting.split_by_group(examples, test_frac, seed)
    unjudged = _why_unjudged(split, positive) if test_frac else "test_frac is 0"
    if unjudged:
        trainer.train(examples, positive, model, seed)
        _write_notes(folder, unjudged)
        return model
    judged = train_and_judge(trainer, split, model, Judging(positive, seed=seed), Reporter())
    how = CardSplit(
        how=f"{test_frac:.0%} of the groups, by a hash of each and the seed",
        seed=seed,
        num_train=split.train.num_rows,
        num_held_out=split.test.num_rows,
    )
    data = [_data_of(source, examples) for source in sorted(pc.unique(examples["source"]).to_pylist())]
    kind = trainer.stage.removesuffix("_score")
    card = card_for(model, kind, f"{kind}: {positive}", judged, data, how, trainer.model_dump(mode="json"))
    write_judged(folder, card, judged, card.name, {})
    return model


def _why_unjudged(split: splitting.Split, positive: str) -> str | None:
    """Why a split cannot judge a model, or None: a run of hours must not end because a crawl has one host."""
    try:
        splitting.check(split, positive, "group")
    except InputError as error:
        return str(error)
    return None


def _write_notes(folder: Path, why: str) -> None:
    notes = {"notes": [f"The model was not judged: {why}"]}
    (folder / "metrics.json").write_text(json.dumps(notes, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _data_of(source: str, examples: pa.Table) -> DataSet:
    """What a card says of a source of a run: the digest is of its examples' ids and labels."""
    rows = examples.filter(pc.equal(examples["source"], source)).sort_by("doc_id")
    digest = hashlib.sha256()
    for identity, label in zip(rows["doc_id"].to_pylist(), rows["label"].to_pylist(), strict=True):
        digest.update(f"{identity}\t{label}\n".encode())
    return DataSet(
        name=source,
        licence="not stated",
        file="documents of the run",
        sha256=digest.hexdigest(),
        counts=label_and_language_counts(rows),
    )
