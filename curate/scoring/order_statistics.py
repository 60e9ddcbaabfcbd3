"""Where a relation would be cut if it were sorted, found without sorting it: exact for any partitioning.

A search narrows the range of keys in which the cut lies. In each pass the keys within the range are counted by their
next 16 bits that differ, and the range becomes the smallest and the largest key of the bin that holds the cut. That is
radix selection with the range taken from what is there, so that scores of few different values need few passes:
counting is done after four passes over ranks and four over ties at most, for all groups and cuts together. What Spark
shuffles is 65,536 counts at most for a partition and a cut, and the driver sees one row for a cut.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from pyspark.sql import Column, DataFrame, Row, Window
from pyspark.sql import functions as F

_DIGIT_BITS = 16
_DIGITS = 1 << _DIGIT_BITS
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
_SEARCHES = (
    "search int, `group` string, rank_low long, rank_high long, tie_low long, tie_high long, shift int, remaining long"
)


class Group(NamedTuple):
    """What a group holds."""

    name: str
    rows: int
    weight: int


class Cut(NamedTuple):
    """Where a group is cut: the rows before it are the longest beginning that weighs no more than `target`."""

    group: Group
    target: int
    rows: int  # before the cut
    weight: int  # of those
    last_rank: int | None  # the worst of those; None where there are none
    rank: int | None = None  # of the first row behind the cut; None where there is none
    tie: int = _LOWEST


class _Search(NamedTuple):
    """A cut that lies between two keys, both of which occur."""

    group: Group
    target: int
    rank_low: int
    rank_high: int
    tie_low: int = _LOWEST
    tie_high: int = _HIGHEST
    rows: int = 0  # before the range
    weight: int = 0
    last_rank: int | None = None

    @property
    def done(self) -> bool:
        """One key is left. Rows that share it stay together, behind the cut."""
        return self.rank_low == self.rank_high and self.tie_low == self.tie_high

    @property
    def shift(self) -> int:
        """Bits below the next digit."""
        low, high = (self.rank_low, self.rank_high) if self.rank_low < self.rank_high else (self.tie_low, self.tie_high)
        return max(0, ((low ^ high) & (2**64 - 1)).bit_length() - _DIGIT_BITS)


def cuts(keys: DataFrame, targets: Callable[[Group], Sequence[int]]) -> list[Cut]:
    """The cuts of each group at each of its targets, in the order of groups by name and of targets.

    keys: `group` string, `rank` and `tie` long, `weight` long (0 or more); none null. targets: of a group, in weight.
    """
    searches = [_Search(group, target, *ends) for group, ends in _groups(keys) for target in targets(group)]
    found = {number: _whole(one) for number, one in enumerate(searches) if one.target >= one.group.weight}
    waiting = {number: one for number, one in enumerate(searches) if number not in found}
    while waiting:
        for row in _bins(keys, waiting).collect():
            search = _narrowed(waiting.pop(row["search"]), row)
            if search.done:
                found[row["search"]] = _cut(search)
            else:
                waiting[row["search"]] = search
    return [found[number] for number in range(len(searches))]


def _groups(keys: DataFrame) -> list[tuple[Group, tuple[int, int]]]:
    """The groups by name, each with its smallest and its largest rank."""
    measures = F.count(F.lit(1)), F.sum("weight"), F.min("rank"), F.max("rank")
    rows = sorted(tuple(row) for row in keys.groupBy("group").agg(*measures).collect())
    return [(Group(name, count, weight), (low, high)) for name, count, weight, low, high in rows]


def _whole(search: _Search) -> Cut:
    """The cut behind all rows."""
    group = search.group
    return Cut(group, search.target, group.rows, group.weight, search.rank_high)


def _cut(search: _Search) -> Cut:
    """The cut before the one key that is left."""
    before = search.rows, search.weight, search.last_rank
    return Cut(search.group, search.target, *before, search.rank_low, search.tie_low)


def _narrowed(search: _Search, row: Row) -> _Search:
    """The search within the bin that holds the cut."""
    last_rank = search.last_rank if row["last_rank"] is None else row["last_rank"]
    ends = row["rank_low"], row["rank_high"], row["tie_low"], row["tie_high"]
    before = search.rows + row["rows_before"], search.weight + row["weight_before"]
    return _Search(search.group, search.target, *ends, *before, last_rank)


def _bins(keys: DataFrame, searches: Mapping[int, _Search]) -> DataFrame:
    """For each search the bin of its range that holds the cut, and what lies in the bins before it."""
    rows = [(number, one.group.name, *one[2:6], one.shift, one.target - one.weight) for number, one in searches.items()]
    searched = F.broadcast(keys.sparkSession.createDataFrame(rows, _SEARCHES))
    within = F.col("rank").between(F.col("rank_low"), F.col("rank_high")) & F.col("tie").between(
        F.col("tie_low"), F.col("tie_high")
    )
    counted = (
        keys.join(searched, "group")
        .where(within)
        .groupBy("search", "remaining", _digit().alias("digit"))
        .agg(
            F.count(F.lit(1)).alias("rows"),
            F.sum("weight").alias("weight"),
            *(F.min(name).alias(f"{name}_low") for name in ("rank", "tie")),
            *(F.max(name).alias(f"{name}_high") for name in ("rank", "tie")),
        )
    )
    before = Window.partitionBy("search").orderBy("digit").rowsBetween(Window.unboundedPreceding, -1)
    passed = counted.select(
        "*",
        F.coalesce(F.sum("rows").over(before), F.lit(0)).alias("rows_before"),
        F.coalesce(F.sum("weight").over(before), F.lit(0)).alias("weight_before"),
        F.max("rank_high").over(before).alias("last_rank"),
    )
    return passed.where("weight_before <= remaining and weight_before + weight > remaining")


def _digit() -> Column:
    """The next bits of a key. Its sign is turned, so that digits sort as keys do where a range holds both signs."""
    key = F.when(F.col("rank_low") < F.col("rank_high"), F.col("rank")).otherwise(F.col("tie"))
    unsigned = key.bitwiseXOR(F.lit(_LOWEST))
    return F.call_function("shiftrightunsigned", unsigned, F.col("shift")).bitwiseAND(F.lit(_DIGITS - 1))
