"""Keep documents of a span of time, as collections of news are bounded (RealNews, CC-News)."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from curate.filters.bounds import within, without
from curate.stage import Filter, Limit

EPOCH = date(1970, 1, 1)
SIGNALS = pa.struct(
    [
        pa.field("day", pa.int32()),  # days since 1970-01-01; null where the document has no date
        pa.field("undated", pa.bool_()),
    ]
)


class Dates(Filter):
    """Keep documents from `earliest` to `latest`, both inclusive; None is no bound.

    The date is the document's own where extraction or the source gave one (`date`: a day, or a time that begins with
    one, in ISO 8601). What is no such date counts as none.
    """

    requires = ("date",)

    earliest: date | None = None
    latest: date | None = None
    drop_undated: bool = False  # our choice

    @property
    def signals(self) -> pa.StructType:
        return SIGNALS

    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        """The day of each document, of type `SIGNALS`."""
        days = pa.array([_day(value) for value in batch.column("date").to_pylist()], pa.int32())
        return pa.StructArray.from_arrays([days, pc.is_null(days)], fields=list(SIGNALS))

    @property
    def limits(self) -> tuple[Limit, ...]:
        low, high = (None if bound is None else (bound - EPOCH).days for bound in (self.earliest, self.latest))
        return (*without("undated", self.drop_undated), *within("day", low, high))


def _day(value: str | None) -> int | None:
    try:
        return (date.fromisoformat((value or "")[:10]) - EPOCH).days
    except ValueError:
        return None
