"""Which documents are held out, which are trained on and how often: settled on numbers, before a shard is written."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from curate.mixing.mix import Mix, SourceShare, plan_mix
from curate.tokens.tasks import Key, Placement

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession


class Crossing(NamedTuple):
    """The first document at which a running total of tokens reaches a bound."""

    key: Key
    tokens: int  # running total, this document and its equals included


class Plan(NamedTuple):
    """By source: what it has, what is held out up to which document, its share, where its documents go."""

    sizes: Mapping[str, int]  # tokens, end-of-text included, each document once
    held_out: Mapping[str, Crossing]
    shares: Mapping[str, SourceShare]  # of what is not held out
    placements: Mapping[str, Placement]


def plan_tokens(
    spark: SparkSession, encoded: DataFrame, mix: Mix, validation_frac: float, sources: Sequence[str]
) -> Plan:
    """The plan for encoded documents; `sources` may name some without any. RecipeError as of `plan_mix`."""
    from curate.tokens.relations import crossings, source_tokens, with_copies

    sizes = dict.fromkeys(sources, 0) | source_tokens(encoded)
    reached = crossings(spark, encoded, "validation", _validation_bounds(sizes, validation_frac))
    # A source whose only document would be held out is better trained on.
    held_out = {name: crossing for name, crossing in reached.items() if crossing.tokens < sizes[name]}
    train = {name: size - (held_out[name].tokens if name in held_out else 0) for name, size in sizes.items()}
    trained = encoded.where(_in_train(held_out))
    if mix.copies is not None:
        trained = with_copies(trained)
        train = dict.fromkeys(sizes, 0) | source_tokens(trained)
    shares = {share.source: share for share in plan_mix(train, mix)}
    cuts = crossings(spark, trained, "repeat", _last_epoch_bounds(shares.values()))
    placements = {name: _placement(share, held_out.get(name), cuts.get(name)) for name, share in shares.items()}
    return Plan(sizes, held_out, shares, placements)


def _validation_bounds(sizes: Mapping[str, int], frac: float) -> dict[str, int]:
    """At least so many tokens of each source are held out."""
    exact = Fraction(frac)
    return {name: math.ceil(size * exact) for name, size in sizes.items() if size and exact}


def _last_epoch_bounds(shares: Iterable[SourceShare]) -> dict[str, int]:
    """What the epoch after the full ones must not reach, of each source that has one."""
    left = {share.source: share.planned_tokens - _full_epochs(share) * share.size_tokens for share in shares}
    return {name: tokens + 1 for name, tokens in left.items() if tokens}


def _in_train(held_out: Mapping[str, Crossing]) -> Column:
    from pyspark.sql import functions as F

    condition = F.lit(True)
    for name, crossing in held_out.items():
        last = F.struct(F.lit(crossing.key[0]).alias("validation"), F.lit(crossing.key[1]).alias("doc_id"))
        condition &= (F.col("source") != name) | (F.struct("validation", "doc_id") > last)
    return condition


def _placement(share: SourceShare, held_out: Crossing | None, cut: Crossing | None) -> Placement:
    return Placement(
        validation_to=held_out.key if held_out else None,
        full_epochs=_full_epochs(share),
        last_before=cut.key if cut else None,
        epochs=share.epochs,
    )


def _full_epochs(share: SourceShare) -> int:
    return share.planned_tokens // share.size_tokens if share.size_tokens else 0
