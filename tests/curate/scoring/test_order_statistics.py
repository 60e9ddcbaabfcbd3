from __future__ import annotations

import random
from typing import Any

import pyarrow as pa
import pytest

from curate.scoring import order_statistics
from curate.scoring.order_statistics import Cut, Group, cuts

LOW, HIGH = -(2**63), 2**63 - 1
SHARES = (0.0, 0.1, 0.5, 0.999, 1.0, 2.0)

Key = tuple[int, int, int]  # rank, tie, weight


def groups() -> dict[str, list[Key]]:
    """Keys that a search could go wrong on: of both signs, dense, at the ends of the range, all equal, weightless."""
    random.seed(8)
    found: dict[str, list[Key]] = {
        "one": [(5, 5, 1)],
        "ends": [(LOW, 0, 1), (HIGH, 0, 1), (-1, 0, 1), (0, 0, 1)],
        "end of ties": [(7, LOW, 1), (7, HIGH, 1), (7, 0, 1), (7, -1, 1)],
        "all equal": [(3, 3, 2)] * 9,
        "weightless": [(n, n, 0) for n in range(5)],
        "": [(n, 0, 1) for n in range(-300, 300)],
    }
    ranks = {
        "wide": lambda: random.randint(LOW, HIGH),
        "dense": lambda: (1 << 40) + random.randrange(400),
        "few": lambda: random.choice((LOW, -1, 0, HIGH)),
        "near 0": lambda: random.randint(-20, 20) << random.randrange(50),
    }
    for name, rank in ranks.items():
        for tie in (1, HIGH):
            for weight in (1, 50):
                rows = [
                    (rank(), random.randint(-tie, tie), random.randrange(weight) if weight > 1 else 1)
                    for _ in range(200)
                ]
                found[f"{name} {tie} {weight}"] = rows
    return found


GROUPS = groups()


def by_sorting(name: str, target: int) -> Cut:
    """Slow: the longest beginning that fits, where rows of one key stay together."""
    rows = sorted(GROUPS[name])
    group = Group(name, len(rows), sum(weight for *_, weight in rows))
    taken = total = 0
    while taken < len(rows):
        same = [row for row in rows[taken:] if row[:2] == rows[taken][:2]]
        weight = sum(weight for *_, weight in same)
        if total + weight > target:
            break
        taken, total = taken + len(same), total + weight
    behind = rows[taken][:2] if taken < len(rows) else (None, LOW)
    return Cut(group, target, taken, total, rows[taken - 1][0] if taken else None, *behind)


def targets(group: Group) -> list[int]:
    return [int(share * group.weight) for share in SHARES]


@pytest.mark.spark
def test_cuts_are_where_sorting_would_cut_in_few_passes(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    passes = []
    bins = order_statistics._bins
    monkeypatch.setattr(order_statistics, "_bins", lambda *given: passes.append(given) or bins(*given))
    rows = [(name, *key) for name, keys in GROUPS.items() for key in keys]
    random.shuffle(rows)
    columns = [pa.array(column) for column in zip(*rows, strict=True)]
    keys = spark.createDataFrame(pa.table(columns, ["group", "rank", "tie", "weight"])).repartition(5)
    found = cuts(keys, targets)
    assert found == [
        by_sorting(name, target) for name in sorted(GROUPS) for target in targets(by_sorting(name, 0).group)
    ]
    assert len(passes) <= 8


@pytest.mark.spark
def test_nothing_has_no_cuts(spark: Any) -> None:
    assert cuts(spark.createDataFrame([], "`group` string, rank long, tie long, weight long"), targets) == []
