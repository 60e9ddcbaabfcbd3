from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from curate.dedup.priority import Keep, columns, date_numbers, float_ranks, id_numbers, order, order_ddl, requires


class Setting(BaseModel):
    keep: Keep


def policy(keep: Any) -> Keep:
    return Setting(keep=keep).keep


def best_first(keep: Any, rows: list[dict[str, Any]]) -> list[str]:
    """Ids in order of priority."""
    names = {"doc_id": pa.string(), "text": pa.string(), "date": pa.string(), "source": pa.string()}
    batch = pa.RecordBatch.from_pylist(
        rows, schema=pa.schema(names | {"quality": pa.struct([("score", pa.float32())])})
    )
    keys = order(batch, policy(keep)).to_pylist()
    return [rows[n]["doc_id"] for n in sorted(range(len(rows)), key=lambda n: tuple(keys[n].values()))]


ROWS = [
    {"doc_id": "b", "text": "long text", "date": "2024-01-02", "source": "web", "quality": {"score": 0.5}},
    {"doc_id": "a", "text": "äöü", "date": None, "source": "wiki", "quality": None},
    {"doc_id": "d", "text": None, "date": "2024-01-01T10:00:00Z", "source": "books", "quality": {"score": -1.0}},
    {"doc_id": "c", "text": "four", "date": "2024-01-01", "source": "web", "quality": {"score": float("nan")}},
]


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        ("smallest_id", "abcd"),
        ("longest", "bcad"),
        ("shortest", "dacb"),
        ("earliest", "cdba"),  # no time of day is its beginning; no date is last
        ("latest", "bdca"),
        ({"source": ["wiki", "web"]}, "abcd"),
        ({"highest": "quality.score"}, "bdac"),
        ({"lowest": "quality.score"}, "dbac"),
        ([{"source": ["web"]}, "longest"], "bcad"),
        ([{"source": ["web"]}, "shortest"], "cbda"),
    ],
)
def test_policies(keep: Any, expected: str) -> None:
    assert "".join(best_first(keep, ROWS)) == expected


def test_what_a_policy_needs() -> None:
    keep = policy([{"highest": "quality.score"}, "longest", "earliest", {"source": ["web"]}])
    assert requires(keep) == ("doc_id", "quality.score", "text", "date", "source")
    assert columns(keep) == ("doc_id", "quality", "text", "date", "source")
    assert order_ddl(keep) == "struct<rank_0: bigint, rank_1: bigint, rank_2: bigint, rank_3: bigint, id: bigint>"
    assert order_ddl(policy("smallest_id")) == "struct<id: bigint>"


@pytest.mark.parametrize("wrong", ["best", [], {"highest": "score"}, {"source": ["web"], "highest": "a.b"}, 3])
def test_what_is_no_policy_is_refused(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        policy(wrong)


@given(st.lists(st.floats(allow_nan=True)))
def test_float_ranks_sort_as_the_numbers_do(numbers: list[float]) -> None:
    ranks = float_ranks(np.array(numbers, np.float64))
    for x, i in zip(numbers, ranks, strict=True):
        for y, j in zip(numbers, ranks, strict=True):
            assert (i < j) == (x < y or (x == x and y != y))  # NaN alone differs from itself


HEX = st.text("0123456789abcdef", min_size=32, max_size=32)


@given(st.lists(HEX))
def test_ids_of_documents_keep_their_order(ids: list[str]) -> None:
    numbers = id_numbers(pa.array(ids, pa.string()))
    assert [int(n) + 2**63 for n in numbers] == [int(text[:16], 16) for text in ids]


@given(st.lists(st.text(max_size=9)), st.integers(0, 3))
def test_other_ids_go_by_their_first_bytes_wherever_they_lie(ids: list[str], start: int) -> None:
    numbers = id_numbers(pa.array(ids, pa.string())[start:])
    expected = [int.from_bytes(text.encode()[:8].ljust(8, b"\0"), "big") for text in ids[start:]]
    assert [int(n) + 2**63 for n in numbers] == expected


def test_dates_of_any_precision() -> None:
    dates = [
        "2024",
        "2024-05",
        "2024-05-17 08:30",
        "2024-05-17T08:30:00+02:00",
        "2024-05-17T08:30:00.5Z",
        "soon",
        "",
        None,
    ]
    assert date_numbers(pa.array(dates)).to_pylist() == [
        20240000000000,
        20240500000000,
        20240517083000,
        20240517083000,
        20240517083000,
        None,
        None,
        None,
    ]
