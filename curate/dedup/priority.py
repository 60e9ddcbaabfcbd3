"""Which of several duplicates stays: a policy as a column that sorts, the smallest stays.

A policy is one criterion or several, each deciding where those before it tie; the smallest doc_id decides last. It is
computed where the documents lie, as 64-bit integers, so that what is shuffled and compared is small. Together with the
node, which tells apart only documents of equal ids, that is a total order which no partitioning changes.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from curate.document import COLUMNS

Ranks = NDArray[np.int64]
_LAST = np.iinfo(np.int64).max


class Source(BaseModel):
    """Sources in order, the best first; those not named come last and tie."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    source: tuple[str, ...]


class Highest(BaseModel):
    """The highest of a signal, `stage.signal`; without a number, last."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    highest: str = Field(pattern=r"^[^.]+\.[^.]+$")


class Lowest(BaseModel):
    """The lowest of a signal, `stage.signal`; without a number, last."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    lowest: str = Field(pattern=r"^[^.]+\.[^.]+$")


Criterion = Literal["longest", "shortest", "earliest", "latest", "smallest_id"] | Source | Highest | Lowest


def _several(value: Any) -> Any:
    return value if isinstance(value, (list, tuple)) else (value,)


#: The type of a `keep` setting: `longest`, `{source: [wiki, web]}`, `[{highest: fineweb_edu.score}, longest]`.
Keep = Annotated[tuple[Criterion, ...], BeforeValidator(_several), Field(min_length=1, max_length=8)]


def requires(keep: Keep) -> tuple[str, ...]:
    """What a stage with this policy must declare: document columns, and signals as `stage.signal`."""
    return ("doc_id", *dict.fromkeys(name for criterion in keep for name in _needs(criterion)))


def columns(keep: Keep) -> tuple[str, ...]:
    """The columns that `order` reads."""
    return tuple(dict.fromkeys(name.partition(".")[0] for name in requires(keep)))


def order(batch: pa.RecordBatch, keep: Keep) -> pa.StructArray:
    """struct<rank_0: int64, …, id: int64> of each document, never null; it sorts as the policy says."""
    ranks = [_rank(batch, criterion) for criterion in keep if criterion != "smallest_id"]
    arrays = [pa.array(numbers) for numbers in (*ranks, id_numbers(batch.column("doc_id")))]
    return pa.StructArray.from_arrays(arrays, [*(f"rank_{n}" for n in range(len(ranks))), "id"])


def order_ddl(keep: Keep) -> str:
    """The same type in Spark's notation."""
    count = sum(criterion != "smallest_id" for criterion in keep)
    return f"struct<{''.join(f'rank_{n}: bigint, ' for n in range(count))}id: bigint>"


def _needs(criterion: Criterion) -> tuple[str, ...]:
    if isinstance(criterion, Source):
        return ("source",)
    if isinstance(criterion, Highest | Lowest):
        name = criterion.highest if isinstance(criterion, Highest) else criterion.lowest
        assert name.partition(".")[0] not in COLUMNS
        return (name,)
    return {"longest": ("text",), "shortest": ("text",), "earliest": ("date",), "latest": ("date",)}.get(criterion, ())


def _rank(batch: pa.RecordBatch, criterion: Criterion) -> Ranks:
    if isinstance(criterion, Source):
        place = pc.index_in(batch.column("source"), value_set=pa.array(criterion.source, pa.string()))
        return _filled(place.cast(pa.int64()), len(criterion.source))
    if isinstance(criterion, Highest | Lowest):
        high = isinstance(criterion, Highest)
        stage, _, signal = (criterion.highest if high else criterion.lowest).partition(".")  # type: ignore[union-attr]
        numbers = pc.struct_field(batch.column(stage), signal).cast(pa.float64())
        return float_ranks(_floats(numbers) * (-1.0 if high else 1.0))
    if criterion in ("longest", "shortest"):
        length = _filled(pc.utf8_length(batch.column("text")).cast(pa.int64()), 0)
        return -length if criterion == "longest" else length
    dates = date_numbers(batch.column("date"))
    return _filled(dates if criterion == "earliest" else pc.negate(dates), _LAST)


def _filled(numbers: pa.Int64Array, otherwise: int) -> Ranks:
    filled: Ranks = pc.fill_null(numbers, otherwise).to_numpy(zero_copy_only=False)
    return filled


def _floats(numbers: pa.DoubleArray) -> NDArray[np.float64]:
    found: NDArray[np.float64] = pc.fill_null(numbers, float("nan")).to_numpy(zero_copy_only=False)
    return found


def float_ranks(numbers: NDArray[np.float64]) -> Ranks:
    """Integers in the order of the floats; NaN is last, and -0.0 is 0.0.

    >>> float_ranks(np.array([1.5, -2.0, 0.0])).argsort().tolist()
    [1, 2, 0]
    """
    bits = (numbers + 0.0).view(np.int64)
    ranks = np.where(bits < 0, bits ^ np.int64(_LAST), bits)
    return np.where(np.isnan(numbers), np.int64(_LAST), ranks)


def date_numbers(dates: pa.StringArray) -> pa.Int64Array:
    """ISO 8601 dates as YYYYMMDDhhmmss, what is missing 0; null where there is no digit. Time zones are not applied.

    >>> date_numbers(pa.array(["2024-05-17", "2024-05-17T08:30:00Z", "", None])).to_pylist()
    [20240517000000, 20240517083000, None, None]
    """
    local = pc.replace_substring_regex(dates, r"([T ][0-9:.]*).*$", r"\1")
    digits = pc.utf8_slice_codeunits(pc.replace_substring_regex(local, r"[^0-9]", ""), 0, 14)
    padded = pc.if_else(pc.equal(digits, ""), pa.scalar(None, pa.string()), pc.ascii_rpad(digits, 14, "0"))
    return padded.cast(pa.int64())


def id_numbers(doc_ids: pa.StringArray) -> Ranks:
    """The first 64 bits of each id as int64 in the order of the ids: 16 hex digits, or 8 bytes of what is no hex."""
    offsets = np.frombuffer(doc_ids.buffers()[1], np.int32)[doc_ids.offset :][: len(doc_ids) + 1].astype(np.int64)
    data = np.frombuffer(doc_ids.buffers()[2] or b"", np.uint8)
    at = offsets[:-1, None] + np.arange(16)
    inside = at < offsets[1:, None]
    text = np.where(inside, np.append(data, np.uint8(0))[np.where(inside, at, 0)], np.uint8(0))
    digits = _HEX[text]
    hexadecimal = np.packbits(np.unpackbits(digits[..., None], axis=2)[..., 4:].reshape(len(text), 64), axis=1)
    is_hex = np.asarray((digits < 16).all(axis=1))
    first = np.where(is_hex[:, np.newaxis], hexadecimal, text[:, :8])
    numbers = np.ascontiguousarray(first).view(">u8").ravel().astype(np.uint64)
    return (numbers ^ np.uint64(1 << 63)).view(np.int64)


_HEX = np.full(256, 255, np.uint8)
_HEX[[ord(digit) for digit in "0123456789abcdef"]] = np.arange(16)
