"""Train a model on examples in memory, judge it on a part of them, and keep model, card and report in a folder.

Behind the stage `fitted_score`, whose examples are documents of the run itself.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from classifiers import splitting
from classifiers.card import DataSet
from classifiers.card import Split as CardSplit
from classifiers.examples import in_drawn_order
from classifiers.judging import Judging, train_and_judge
from classifiers.trained_model import card_for, label_and_language_counts, write_judged
from classifiers.trainer import Trainer
from curate.progress import Reporter


def fit(examples: pa.Table, trainer: Trainer, folder: Path, *, positive: str, test_frac: float, seed: int) -> Path:
    """Train on `examples` (`EXAMPLES`) but for the groups held out, judge on those, and return the model's file.

    Beside it in `folder`, which is made: card.json, card.md, metrics.json, held_out.parquet and report.html. With a
    `test_frac` of 0 all examples are trained on, nothing is judged and the model stands alone. InputError where one
    side lacks positives, or others where there are any.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model = folder / f"model{trainer.suffix}"
    examples = in_drawn_order(examples, seed)
    if test_frac == 0:
        trainer.train(examples, positive, model, seed)
        return model
    split = splitting.split_by_group(examples, test_frac, seed)
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


def _data_of(source: str, examples: pa.Table) -> DataSet:
    """What a card says of a source of a run: the digest is of its examples' ids and labels."""
    rows = examples.filter(pc.equal(examples["source"], source)).sort_by("doc_id")
    digest = hashlib.sha256()
    for identity, label in zip(rows["doc_id"].to_pylist(), rows["label"].to_pylist(), strict=True):
        digest.update(f"{identity}\\t{label}\\n".encode())
    return DataSet(
        name=source,
        licence="not stated",
        file="documents of the run",
        sha256=digest.hexdigest(),
        counts=label_and_language_counts(rows),
    )
