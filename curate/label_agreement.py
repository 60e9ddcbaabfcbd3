"""How far two people agree who judged the same documents: Cohen's kappa (Cohen 1960), and where they do not."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Agreement(NamedTuple):
    """Of the documents that both have judged."""

    num_both: int
    num_first_only: int  # judged by the first, not by the second
    num_second_only: int
    observed: float | None  # share of equal labels; None where there is no document
    kappa: float | None  # 1: always equal, 0: as by chance; None where chance alone would make them equal
    low: float | None  # of the 95 % interval, by Cohen's large-sample standard error
    high: float | None
    pairs: Mapping[tuple[str, str], int]  # (first's label, second's) → documents
    differing: tuple[str, ...]  # ids, in the order of the first's file


def agreement(first: Sequence[Mapping[str, Any]], second: Sequence[Mapping[str, Any]]) -> Agreement:
    """Two files of judgements, joined by `doc_id`. A document without a label is not judged, of two lines the last is.

    >>> one = [{"doc_id": "a", "label": "good"}, {"doc_id": "b", "label": "bad"}]
    >>> agreement(one, one).kappa
    1.0
    """
    mine, yours = (_labels(rows) for rows in (first, second))
    both = [identity for identity in mine if identity in yours]
    pairs = Counter((mine[identity], yours[identity]) for identity in both)
    only = (len(mine) - len(both), len(yours) - len(both))
    differing = tuple(identity for identity in both if mine[identity] != yours[identity])
    if not both:
        return Agreement(0, *only, None, None, None, None, pairs, differing)
    n = len(both)
    observed = sum(count for (a, b), count in pairs.items() if a == b) / n
    sides = [Counter(labels[identity] for identity in both) for labels in (mine, yours)]
    chance = sum(sides[0][label] * sides[1][label] for label in sides[0]) / n**2
    if chance == 1:
        return Agreement(n, *only, observed, None, None, None, pairs, differing)
    kappa = (observed - chance) / (1 - chance)
    half = 1.959964 * math.sqrt(observed * (1 - observed) / n) / (1 - chance)
    return Agreement(n, *only, observed, kappa, max(kappa - half, -1.0), min(kappa + half, 1.0), pairs, differing)


def _labels(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    labels = {row["doc_id"]: str(row["label"]).strip() for row in rows if row.get("label") is not None}
    return {identity: label for identity, label in labels.items() if label}
