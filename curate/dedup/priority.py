"""Which of several duplicates stays, as a struct column that sorts: the smallest stays.

It doubles as the key of a document within deduplication: it ends in (doc_id, part, row), so it is unique even where ids
repeat, and it does not depend on how rows are partitioned or in which order they come. (`part` and `row` decide only
between documents whose ids are equal, which have the same content.)
"""

from __future__ import annotations

from typing import Literal

from pyspark.sql import Column
from pyspark.sql import functions as F

Keep = Literal["longest", "earliest", "smallest_id"]

_NO_DATE = "~"  # sorts behind every ISO 8601 date


def priority(keep: Keep) -> Column:
    """struct(rank, doc_id, part, row). Needs `num_chars` for `longest` and `date` for `earliest`.

    Dates compare as strings, which is their order in time for ISO 8601 of one precision and time zone. No date is last.
    """
    ranks = {
        "longest": lambda: -F.col("num_chars"),
        "earliest": lambda: F.coalesce(F.col("date"), F.lit(_NO_DATE)),
        "smallest_id": lambda: F.lit(0).cast("long"),
    }
    return F.struct(ranks[keep]().alias("rank"), "doc_id", "part", "row")
