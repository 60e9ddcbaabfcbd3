"""Which examples a model learns from and which it is judged on: by group, so that no host, author or thread is on both
sides.

The side and the fold of a group are hashes of its name and a seed: more examples, other files or another order move no
group, and a model trained on more of the same data may still be judged on what was held out before. Shares come out
near those wanted, not equal to them. A side without positives is refused, and one without others where there are any;
a side that is made of few groups is said, because figures of it are figures of those.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from classifiers.evaluation.metrics import is_positive
from curate.document import uniform
from curate.errors import InputError

#: One group with more than this share of a label's held-out examples decides the figures. Our choice.
MAX_GROUP_FRAC = 0.5
#: The positive shares of the two sides may differ by this factor before it is said. Our choice.
MAX_SHARE_RATIO = 1.5


class Split(NamedTuple):
    """Examples to learn from, and examples held out."""

    train: pa.Table
    test: pa.Table


def split_by_group(examples: pa.Table, test_frac: float, seed: int, by: str = "group") -> Split:
    """About `test_frac` of the groups held out: those whose `uniform(group, seed, "held_out")` is below it.

    by: the column that is a group, "group" or "doc_id".
    """
    held_out = _draws(examples[by], seed, "held_out") < test_frac
    return Split(examples.filter(pa.array(~held_out)), examples.filter(pa.array(held_out)))


def split_by_source(examples: pa.Table, sources: Sequence[str], by: str = "group") -> Split:
    """Examples of these sources held out, all others to learn from but for those of a group that is held out."""
    held_out = pc.is_in(examples["source"], value_set=pa.array(list(sources), pa.string()))
    test, rest = examples.filter(held_out), examples.filter(pc.invert(held_out))
    return Split(rest.filter(pc.invert(pc.is_in(rest[by], value_set=pc.unique(test[by])))), test)


def folds(examples: pa.Table, num: int, seed: int, by: str = "group", purpose: str = "fold") -> NDArray[np.int64]:
    """A fold for each example, int64[examples] in [0, num); no group lies in two.

    Folds within folds need another `purpose`, or the inner ones would follow the outer ones.
    """
    return (_draws(examples[by], seed, purpose) * num).astype(np.int64)


def check(split: Split, positive: str, by: str = "group") -> list[str]:
    """What one should know of the two sides, one sentence each.

    InputError where one side has no positive examples, or none of the others, and the other side has some.
    """
    truth = [is_positive(side, positive) for side in split]
    for kind, counts in (("positive", [sides.sum() for sides in truth]), ("other", [(~s).sum() for s in truth])):
        if min(counts) == 0 and (kind == "positive" or max(counts) > 0):
            raise InputError(
                f"no {kind} example is {'held out' if counts[0] else 'left to train on'}: there are "
                f"{labels_text(split.train)} to train on and {labels_text(split.test)} held out, in "
                f"{len(pc.unique(split.train[by])):,} and {len(pc.unique(split.test[by])):,} groups; {positive} is "
                "positive. Give more examples, another split.seed or split.test_frac, or `split: {by: document}` where "
                "groups need not stay together"
            )
    alone = ["All held-out examples are positive: how others score is not known."] if truth[1].all() else []
    return [*alone, *_of_few_groups(split.test, truth[1], by), *_unlike(truth)]


def label_counts(examples: pa.Table) -> dict[str, int]:
    """How many examples each label has, labels in order of their names."""
    found = {entry["values"]: entry["counts"] for entry in pc.value_counts(examples["label"]).to_pylist()}
    return dict(sorted(found.items()))


def labels_text(examples: pa.Table) -> str:
    """`1,204 ham, 88 spam`."""
    return ", ".join(f"{count:,} {label}" for label, count in label_counts(examples).items()) or "none"


def _draws(groups: pa.ChunkedArray, seed: int, purpose: str) -> NDArray[np.float64]:
    """A number in [0, 1) for each row, equal within a group."""
    encoded = pc.dictionary_encode(groups.combine_chunks())
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    names = encoded.dictionary.to_pylist()
    draws = np.fromiter((uniform(name, seed, purpose) for name in names), np.float64, len(names))
    return draws[encoded.indices.to_numpy(zero_copy_only=False)] if len(encoded) else np.empty(0)


def _of_few_groups(test: pa.Table, truth: NDArray[np.bool_], by: str) -> list[str]:
    found = []
    for kind, chosen in (("positive", truth), ("other", ~truth)):
        groups = pc.value_counts(test[by].filter(pa.array(chosen))).to_pylist()
        count = int(chosen.sum())
        largest = max(groups, key=lambda entry: (entry["counts"], entry["values"]), default=None)
        if largest and len(groups) < count and largest["counts"] > MAX_GROUP_FRAC * count:
            found.append(
                f"{largest['counts']:,} of {count:,} held-out {kind} examples are of one group, {largest['values']}: "
                "figures are mostly about it"
            )
    return found


def _unlike(truth: Sequence[NDArray[np.bool_]]) -> list[str]:
    train, test = (float(side.mean()) for side in truth)
    if max(train, test) <= MAX_SHARE_RATIO * min(train, test):
        return []
    return [f"{train:.1%} of what is trained on is positive, and {test:.1%} of what is held out"]
