"""Documents of a run to look at: a few kept ones of each source, a few for each drop reason, and one by its id.

A document's id is a hash of what it is, so the smallest ids of a group are a random sample of it, and the same one
however the run was partitioned. Reads a bounded number of files and one row group of each, unless one stage or reason
is asked for by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from curate.report.reading import (
    dropped_files,
    kept_files,
    open_parquet,
    readable,
    readable_rows,
    without_gaps,
)
from curate.rundir import RunDir

Sample = dict[str, Any]
MAX_FOUND = 10  # documents whose id begins as asked

_KEY_CHARS = 200


def kept_samples(run: RunDir, per_source: int = 3) -> dict[str, list[Sample]]:
    """Source → documents of it that were kept, sorted by source."""
    found = _smallest_ids(run, kept_files(run), ("source",), per_source, lambda key: True)
    return {source: rows for (source,), rows in found.items()}


def dropped_samples(
    run: RunDir, per_reason: int = 3, *, stage: str | None = None, reason: str | None = None
) -> dict[tuple[str, str], list[Sample]]:
    """(stage, reason) → documents that went for it, sorted; of one stage or reason if it is given.

    With a stage or a reason every file is looked at, so that a rare one is found.
    """

    def wanted(key: tuple[str, ...]) -> bool:
        return stage in (None, key[0]) and reason in (None, key[1])

    everywhere = stage is not None or reason is not None
    paths = dropped_files(run, None) if everywhere else dropped_files(run)
    keys = ("drop_stage", "drop_reason")
    found = _smallest_ids(run, paths, keys, per_reason, wanted, every_group=everywhere)
    _name_survivors(run, [row for rows in found.values() for row in rows])
    return {(key[0], key[1]): rows for key, rows in found.items()}


def find_document(run: RunDir, doc_id: str) -> list[dict[str, Any]]:
    """Every row of a run whose id begins so, whole: kept, or where it was dropped. At most `MAX_FOUND`."""
    rows: list[dict[str, Any]] = []
    for path in [*kept_files(run, None), *dropped_files(run, None)]:
        with open_parquet(run, path) as parquet:
            for group in range(parquet.num_row_groups):
                hits = pc.starts_with(parquet.read_row_group(group, columns=["doc_id"])["doc_id"], doc_id)
                if pc.any(hits).as_py():
                    hit_rows = parquet.read_row_group(group).filter(hits).slice(0, MAX_FOUND)
                    rows += readable_rows(hit_rows, max_chars=2**20)
        if len(rows) >= MAX_FOUND:
            return rows[:MAX_FOUND]
    return rows


def urls_of(run: RunDir, doc_ids: Iterable[str], paths: Sequence[str]) -> dict[str, str]:
    """doc_id → URL of those that lie in these files, "" where a document has none."""
    left, found = set(doc_ids), dict[str, str]()
    for path in paths if left else []:
        with open_parquet(run, path) as parquet:
            for group in range(parquet.num_row_groups):
                table = parquet.read_row_group(group, columns=["doc_id", "url"])
                table = table.filter(pc.is_in(table["doc_id"], value_set=_strings(left)))
                pairs = zip(table["doc_id"].to_pylist(), readable(table["url"], 300), strict=True)
                found.update({doc_id: url or "" for doc_id, url in pairs})
        left -= set(found)
        if not left:
            break
    return found


def duplicate_of(row: dict[str, Any]) -> tuple[str, float | None] | None:
    """The id of the document that stays in this one's place, and their Jaccard similarity where it was measured.

    None for a document that was not dropped as a duplicate.
    """
    signals = row.get(row.get("drop_stage") or "")
    if not isinstance(signals, dict) or not signals.get("duplicate_of"):
        return None
    return str(signals["duplicate_of"]), signals.get("jaccard")


def sample_of(row: dict[str, Any]) -> Sample:
    """What a person wants to see of a document: a piece of its text, where it came from, its signals flat."""
    signals = {
        f"{stage}.{name}": value
        for stage, struct in row.items()
        if isinstance(struct, dict)
        for name, value in struct.items()
        if value is not None and not isinstance(value, list | dict)
    }
    twin = duplicate_of(row)
    return {
        "doc_id": row["doc_id"],
        "url": (row.get("url") or "")[:300],
        "source": row.get("source"),
        "language": row.get("language"),
        "title": (dict(row.get("meta") or []).get("title") or "")[:200],
        "text": without_gaps(row.get("text") or ""),
        "is_cut": row["num_chars"] > len(row.get("text") or ""),
        "num_chars": row["num_chars"],
        "signals": signals,
        "duplicate_of": twin and {"doc_id": twin[0], "jaccard": twin[1], "url": None},
    }


def _smallest_ids(
    run: RunDir,
    paths: Sequence[str],
    keys: tuple[str, ...],
    per_key: int,
    wanted: Callable[[tuple[str, ...]], bool],
    every_group: bool = False,
) -> dict[tuple[str, ...], list[Sample]]:
    """Values of the key columns → the documents with the smallest ids. Whole rows are read of these only."""
    found: dict[tuple[str, ...], list[Sample]] = {}
    for path in paths:
        with open_parquet(run, path) as parquet:
            groups = parquet.num_row_groups if every_group else min(1, parquet.num_row_groups)
            for group in range(groups):
                table = parquet.read_row_group(group, columns=["doc_id", *keys])
                chosen = [(key, row) for key, row in _candidates(table, keys, per_key, found) if wanted(key)]
                if not chosen:
                    continue
                rows = readable_rows(parquet.read_row_group(group).take([row for _, row in chosen]))
                for (key, _), row in zip(chosen, rows, strict=True):
                    found[key] = sorted([*found.get(key, []), sample_of(row)], key=lambda s: s["doc_id"])[:per_key]
    return dict(sorted(found.items()))


def _candidates(
    table: Any, keys: tuple[str, ...], per_key: int, found: dict[tuple[str, ...], list[Sample]]
) -> list[tuple[tuple[str, ...], int]]:
    """(key, row) of the smallest ids of each key in a table, without those that larger ones in `found` rule out."""
    ids = table["doc_id"].to_pylist()
    columns = [readable(table[name].cast("string"), _KEY_CHARS) for name in keys]
    taken: dict[tuple[str, ...], int] = {}
    chosen = []
    for row in sorted(range(len(ids)), key=ids.__getitem__):
        key = tuple(column[row] or "" for column in columns)
        have = found.get(key, [])
        if taken.get(key, 0) < per_key and (len(have) < per_key or ids[row] < have[-1]["doc_id"]):
            taken[key] = taken.get(key, 0) + 1
            chosen.append((key, row))
    return chosen


def _name_survivors(run: RunDir, samples: list[Sample]) -> None:
    """Fill in the URL of the document that stands for a duplicate, where it lies in the files that a report reads."""
    twins = [sample["duplicate_of"] for sample in samples if sample["duplicate_of"]]
    urls = urls_of(run, (twin["doc_id"] for twin in twins), [*kept_files(run), *dropped_files(run)])
    for twin in twins:
        twin["url"] = urls.get(twin["doc_id"])


def _strings(values: Iterable[str]) -> Any:
    return pa.array(sorted(values), pa.string())
