"""Keep the best documents by a stored score, exactly as many as asked for, or a sample that prefers them.

How much stays can be said in four ways: a share of the documents, their number, a number of tokens, or **buckets** by
percentile, as CCNet has head, middle and tail of a language's perplexities, cut at the percentiles 30 and 60 (Wenzek et
al. 2020; `cc_net/data/cutoff.csv`). Each may hold for all documents together, or for each language or source by
itself. The bounds follow from the corpus that is judged, and from nothing older.

`sampling: gumbel` adds to score / temperature a draw from the Gumbel distribution, keyed by doc_id and seed. The k
largest are then a sample without replacement in which a document comes in proportion to exp(score / temperature):
resampling by importance, where the score is a log-weight (DSIR: Xie et al. 2023).

Ranks are exact, with neither a sort of the corpus nor an approximation (`curate.scoring.order_statistics`). Equal
scores are told apart by a hash of doc_id and seed. Documents equal in both share one key and stay or go together, so
fewer than asked for stay where such a key lies on the bound: run `exact_dedup` first. It refuses to judge what has no
score: see `score_missing`.

Evidence: `cuts`, for each group and each of its bounds the documents and tokens inside, and the last value inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from curate.errors import InputError, RecipeError
from curate.scoring.order_statistics import Cut, Group, cuts
from curate.scoring.rank_keys import Floats, gumbel, ranks, ties, values_of
from curate.stage import CorpusStage

if TYPE_CHECKING:
    from curate.spark.context import CorpusContext
    from curate.spark.documents import Documents

#: CCNet's: the best 30 % of a language, the next 30 %, the rest.
CCNET_BUCKETS: dict[str, float] = {"head": 0.3, "middle": 0.6, "tail": 1.0}

SignalName = Annotated[str, Field(pattern=r"^[^.]+\.[^.]+$")]
Share = Annotated[float, Field(gt=0, le=1)]
_KEYS = "node long, `group` string, value double, rank long, tie long, weight long"
_CUTS = "`group` string, inside string, target long, documents long, kept long, kept_weight long, last_value double"
_KEPT = "kept"


class Select(CorpusStage):
    """Keep the best documents by a score: give one of `keep_frac`, `keep_documents`, `keep_tokens` and `buckets`."""

    score: SignalName  # of an earlier stage, `stage.signal`; a number
    most: bool = True  # false: the smallest are best, as perplexities are
    by: Literal["none", "language", "source"] = "none"  # each has bounds of its own; no language is one too
    keep_frac: Share | None = None  # of the documents of each group, rounded down
    keep_documents: Annotated[int, Field(ge=0)] | None = None  # of each group
    keep_tokens: Annotated[int, Field(ge=0)] | None = None  # of each group, up to the first that does not fit
    tokens: SignalName | Literal["token_count"] = "token_count"  # what `keep_tokens` counts
    buckets: dict[str, Share] | None = None  # name → share of the documents up to its end
    keep_buckets: tuple[str, ...] | None = None  # None: all, and the signal tells them apart
    sampling: Literal["top", "gumbel"] = "top"
    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0  # of `gumbel`; DSIR: 1
    score_missing: Literal["keep", "drop"] = "keep"  # what was not measured is not judged, and does not count

    @model_validator(mode="after")
    def _one_rule(self) -> Select:
        rules = ("keep_frac", "keep_documents", "keep_tokens", "buckets")
        given = [name for name in rules if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of {', '.join(rules)}; here: {', '.join(given) or 'none'}")
        if self.temperature != 1.0 and self.sampling == "top":
            raise ValueError("`temperature` is of `sampling: gumbel`; the top does not depend on it")
        if self.tokens != "token_count" and self.keep_tokens is None:
            raise ValueError("`tokens` says what `keep_tokens` counts, which is not given")
        return self

    @model_validator(mode="after")
    def _buckets_in_order(self) -> Select:
        shares = list((self.buckets or {}).values())
        if self.buckets is not None and (1.0 not in shares or len(set(shares)) < len(shares)):
            raise ValueError("`buckets` end at different shares, the last at 1: {head: 0.3, middle: 0.6, tail: 1}")
        unknown = [name for name in self.keep_buckets or () if name not in (self.buckets or {})]
        if unknown or self.keep_buckets == ():
            raise ValueError(f"`keep_buckets` names some of {', '.join(self.buckets or ()) or 'the buckets'}")
        return self

    @property
    def requires(self) -> tuple[str, ...]:  # type: ignore[override]  # the settings say which, not the class
        """doc_id, the score, what groups and what counts."""
        group = () if self.by == "none" else (self.by,)
        return ("doc_id", self.score, *group, *(() if self.keep_tokens is None else (self.tokens,)))

    @property
    def signals(self) -> pa.StructType:
        """`value`: what ranks a document, its score or with noise its score / temperature and the draw; `bucket`."""
        return pa.struct([("value", pa.float64()), ("bucket", pa.string())])

    def apply(self, documents: Documents, context: CorpusContext) -> DataFrame:
        """A verdict for every document that has a score, and where they are dropped for those that have none."""
        columns = dict.fromkeys(name.partition(".")[0] for name in self.requires)
        self._check(documents.types)
        keys = context.save("_keys", documents.map([*columns], partial(keys_of, self, context.seed), _KEYS))
        scored = keys.where("rank is not null")
        if self.keep_tokens is not None and scored.where("weight is null").limit(1).count():
            raise InputError(
                f"keep_tokens: documents with {self.score} have no {self.tokens}. Give the source a token_count, or "
                "`tokens: stage.signal` of a stage that counts them"
            )
        found = cuts(scored, self._targets)
        context.save("cuts", self._evidence(context, found))
        return self._verdicts(keys, found)

    def _check(self, types: dict[str, pa.DataType]) -> None:
        for name in (self.score, *(() if self.keep_tokens is None else (self.tokens,))):
            column, _, signal = name.partition(".")
            kind = types[column].field(signal).type if signal else types[column]
            if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
                raise RecipeError(f"select ranks by numbers, and {name} is {kind}. Name a signal that is a number")

    def values(self, batch: pa.RecordBatch, seed: int) -> Floats:
        """What ranks documents, as `most` says: float64[num_rows], NaN without a score."""
        scores = pc.fill_null(numbers(batch, self.score).cast(pa.float64(), safe=False), float("nan"))
        values: Floats = scores.to_numpy(zero_copy_only=False)
        if self.sampling == "top":
            return values
        noise = gumbel(batch.column("doc_id"), seed)
        return values / self.temperature + (noise if self.most else -noise)

    def _targets(self, group: Group) -> Sequence[int]:
        """Where a group is cut, in what its rows weigh."""
        if self.keep_documents is not None or self.keep_tokens is not None:
            return [max(self.keep_documents or 0, self.keep_tokens or 0)]
        shares = [self.keep_frac] if self.keep_frac is not None else sorted((self.buckets or {}).values())
        # As it was written: 0.29 is no binary fraction, and 29 of 100 documents are meant.
        return [int(Fraction(str(share)) * group.rows) for share in shares]

    def _evidence(self, context: CorpusContext, found: Sequence[Cut]) -> DataFrame:
        rows = []
        for inside, cut in zip(cycle(self._names), found, strict=False):
            last = None if cut.last_rank is None else float(values_of(np.array([cut.last_rank]), self.most)[0])
            rows.append((cut.group.name, inside, cut.target, cut.group.rows, cut.rows, cut.weight, last))
        return context.spark.createDataFrame(rows, _CUTS).coalesce(1)

    def _verdicts(self, keys: DataFrame, found: Sequence[Cut]) -> DataFrame:
        names = self._names
        bounds = keys.sparkSession.createDataFrame(_bounds(found, len(names)), _bounds_ddl(len(names)))
        bucket = F.coalesce(*(F.when(_inside(number), name) for number, name in enumerate(names)))
        judged = keys.join(F.broadcast(bounds), "group", "left").withColumn("bucket", bucket)
        is_kept = F.coalesce(F.col("bucket").isin(*(self.keep_buckets or names)), F.lit(False))
        reason = "below_top" if self.buckets is None else "bucket_not_kept"
        drop_reason = F.when(F.col("rank").isNull(), "score_missing").when(~is_kept, reason)
        has_bucket = F.lit(self.buckets is not None) & F.col("rank").isNotNull()
        shown = F.when(has_bucket, F.col("bucket"))
        return judged.select("node", drop_reason.alias("drop_reason"), "value", shown.alias("bucket"))

    @property
    def _names(self) -> list[str]:
        """What lies inside of each cut of a group."""
        return sorted(self.buckets, key=self.buckets.__getitem__) if self.buckets else [_KEPT]


def keys_of(stage: Select, seed: int, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Columns `_KEYS` of a batch; rank and value are null without a score, if such documents are to be dropped."""
    values = stage.values(batch, seed)
    nothing = np.isnan(values)
    groups = pa.nulls(batch.num_rows, pa.string()) if stage.by == "none" else batch.column(stage.by).cast(pa.string())
    ones = pa.array(np.ones(batch.num_rows, np.int64))
    columns = {
        "node": batch.column("node"),
        "group": groups.fill_null(""),
        "value": pa.array(values, mask=nothing),
        "rank": pa.array(ranks(np.where(nothing, 0.0, values), stage.most), mask=nothing),
        "tie": pa.array(ties(batch.column("doc_id"), seed)),
        "weight": ones if stage.keep_tokens is None else _weights(batch, stage.tokens),
    }
    keys = pa.RecordBatch.from_pydict(columns)
    return keys if stage.score_missing == "drop" else keys.filter(pa.array(~nothing))


def numbers(batch: pa.RecordBatch, name: str) -> pa.Array:
    """A column, or a signal as `stage.signal`."""
    column, _, signal = name.partition(".")
    return pc.struct_field(batch.column(column), signal) if signal else batch.column(column)


def _weights(batch: pa.RecordBatch, name: str) -> pa.Int64Array:
    """Whole numbers, 0 for what is less."""
    found = numbers(batch, name).cast(pa.int64(), safe=False)
    return pc.max_element_wise(found, pa.scalar(0, pa.int64()), skip_nulls=False)


def _bounds(found: Sequence[Cut], num: int) -> list[tuple[str | int | None, ...]]:
    """For each group its name, and of each of its `num` cuts the first key behind it."""
    return [
        (found[at].group.name, *(part for cut in found[at : at + num] for part in (cut.rank, cut.tie)))
        for at in range(0, len(found), num)
    ]


def _bounds_ddl(num: int) -> str:
    return ", ".join(["`group` string", *(f"rank_{n} long, tie_{n} long" for n in range(num))])


def _inside(number: int) -> Column:
    """Whether a row comes before a cut of its group."""
    rank, first_rank, first_tie = F.col("rank"), F.col(f"rank_{number}"), F.col(f"tie_{number}")
    return first_rank.isNull() | (rank < first_rank) | ((rank == first_rank) & (F.col("tie") < first_tie))
