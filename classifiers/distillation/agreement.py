"""How far judges who vote on the same documents agree."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

from classifiers.distillation.judgements import Judgement


class Agreement(NamedTuple):
    """Votes and how far they agree; figures are None where no document has two votes."""

    num_votes: int
    num_documents: int
    num_voted_twice: int  # documents with two votes or more
    mean_variance: float | None  # of the votes on one document, over those documents; scores only
    equal_frac: float | None  # share of the pairs of votes on one document that are equal
    #: Krippendorff's alpha, of intervals (scores) or names (labels): 1 agree, 0 no more than by chance, below: less.
    alpha: float | None
    by_model: Mapping[str, tuple[int, float | None]]  # judge → votes, mean score; "" where a line names none


def agreement(votes: Sequence[Sequence[Judgement]], kind: Literal["score", "label"]) -> Agreement:
    """The agreement of votes that are grouped by document (Krippendorff 2011, "Computing alpha-reliability")."""
    several = [own for own in votes if len(own) > 1]
    models: dict[str, list[float]] = defaultdict(list)
    for own in votes:
        for vote in own:
            models[vote.model or ""].append(vote.score if vote.score is not None else math.nan)
    by_model = {
        name: (len(scores), math.fsum(scores) / len(scores) if kind == "score" else None)
        for name, scores in sorted(models.items())
    }
    variances = [_squares([vote.score or 0.0 for vote in own]) / (len(own) - 1) for own in several if kind == "score"]
    pairs = sum(len(own) * (len(own) - 1) for own in several)
    equal = sum(count * (count - 1) for own in several for count in Counter(map(_said(kind), own)).values())
    return Agreement(
        num_votes=sum(map(len, votes)),
        num_documents=len(votes),
        num_voted_twice=len(several),
        mean_variance=math.fsum(variances) / len(several) if several and kind == "score" else None,
        equal_frac=equal / pairs if pairs else None,
        alpha=_alpha(several, kind) if several else None,
        by_model=by_model,
    )


def _said(kind: Literal["score", "label"]) -> Callable[[Judgement], float | str | None]:
    return lambda vote: vote.score if kind == "score" else vote.label


def _squares(values: Sequence[float]) -> float:
    """The sum of squared differences from the mean."""
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values)


def _apart(values: Sequence[float | str | None], kind: Literal["score", "label"]) -> float:
    """The sum of the differences over all ordered pairs: squared of scores; of labels 1 where they differ."""
    if kind == "score":
        return 2 * len(values) * _squares([float(value or 0.0) for value in values])
    return float(len(values) ** 2 - sum(count**2 for count in Counter(values).values()))


def _alpha(several: Sequence[Sequence[Judgement]], kind: Literal["score", "label"]) -> float | None:
    """1 less observed over expected disagreement; None where all votes are equal, which shows nothing."""
    said = [[_said(kind)(vote) for vote in own] for own in several]
    together = [value for own in said for value in own]
    expected = _apart(together, kind) / (len(together) - 1)
    observed = math.fsum(_apart(own, kind) / (len(own) - 1) for own in said)
    return 1 - observed / expected if expected else None
