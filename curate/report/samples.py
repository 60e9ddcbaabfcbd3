"""Documents of a run to look at: a few kept ones, and a few for each drop reason, and signals to draw histograms from.

Reads a bounded number of files and rows of a run, whatever its size. The same run gives the same samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curate.rundir import RunDir

MAX_FILES = 64  # of each kind: a run of a thousand files is sampled, not read
MAX_TEXT_CHARS = 1200
MAX_SIGNAL_ROWS = 50_000


def dropped_samples(run: RunDir, per_reason: int = 3) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """(stage, reason) → the first documents of the run that it dropped."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for path in _files(run, "dropped"):
        for row in _rows(run, path):
            bucket = found.setdefault((row["drop_stage"], row["drop_reason"]), [])
            if len(bucket) < per_reason:
                bucket.append(shown(row))
    return dict(sorted(found.items()))


def kept_samples(run: RunDir, per_source: int = 3) -> dict[str, list[dict[str, Any]]]:
    """Source → documents that were kept, spread over its first file."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path in _files(run, "documents"):
        table = _read(run, path, 0)
        if table is None or not table.num_rows:
            continue
        bucket = found.setdefault(table["source"][0].as_py(), [])
        step = max(1, table.num_rows // per_source)
        for row in range(0, table.num_rows, step):
            if len(bucket) < per_source:
                bucket.append(shown(table.slice(row, 1).to_pylist()[0]))
    return dict(sorted(found.items()))


def find_document(run: RunDir, doc_id: str) -> list[dict[str, Any]]:
    """Every row of a run whose id begins so: the kept document, or where it was dropped. At most ten."""
    import pyarrow.compute as pc

    rows: list[dict[str, Any]] = []
    for folder in ("documents", "dropped"):
        for path in run.fs.find(run.path(folder)) if run.exists(folder) else []:
            if not path.endswith(".parquet"):
                continue
            with run.fs.open(path, "rb") as file:
                parquet = pq.ParquetFile(file)
                for group in range(parquet.num_row_groups):
                    hits = pc.starts_with(parquet.read_row_group(group, columns=["doc_id"])["doc_id"], doc_id)
                    if pc.any(hits).as_py():
                        rows += parquet.read_row_group(group).filter(hits).to_pylist()
            if len(rows) >= 10:
                return rows[:10]
    return rows


def signal_values(run: RunDir) -> dict[str, list[float]]:
    """`stage.signal` → numbers of kept and dropped documents together, as far as they were measured.

    Of at most `MAX_FILES` files and `MAX_SIGNAL_ROWS` rows.
    """
    values: dict[str, list[float]] = {}
    rows = 0
    for path in [*_files(run, "documents"), *_files(run, "dropped")]:
        with run.fs.open(path, "rb") as file:
            parquet = pq.ParquetFile(file)
            structs = [f for f in parquet.schema_arrow if pa.types.is_struct(f.type)]
            if not structs or rows > MAX_SIGNAL_ROWS:
                continue
            table = parquet.read(columns=[f.name for f in structs])
        rows += table.num_rows
        for field in structs:
            for name, column in zip(field.type.names, table[field.name].combine_chunks().flatten(), strict=True):
                if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
                    values.setdefault(f"{field.name}.{name}", []).extend(column.drop_null().to_pylist())
    return {name: numbers for name, numbers in sorted(values.items()) if numbers}


def text_lengths(run: RunDir) -> dict[str, list[int]]:
    """Characters of each kept document by source, of the same bounded number of files."""
    import pyarrow.compute as pc

    lengths: dict[str, list[int]] = {}
    for path in _files(run, "documents"):
        with run.fs.open(path, "rb") as file:
            table = pq.ParquetFile(file).read(columns=["source", "text"])
        for source in table["source"].unique().to_pylist():
            chosen = table.filter(pc.equal(table["source"].cast(pa.string()), source))
            lengths.setdefault(source, []).extend(pc.utf8_length(chosen["text"]).to_pylist())
    return lengths


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """What a person wants to see of a document: a bounded piece of its text, and its signals flat."""
    text = row.get("text") or ""
    signals = {
        f"{stage}.{name}": value
        for stage, struct in row.items()
        if isinstance(struct, dict) and stage != "meta"
        for name, value in struct.items()
        if value is not None and not isinstance(value, list | dict)
    }
    return {
        "doc_id": row["doc_id"],
        "url": (row.get("url") or "")[:300],
        "source": row.get("source"),
        "language": row.get("language"),
        "title": dict(row.get("meta") or []).get("title", "")[:200],
        "text": text[:MAX_TEXT_CHARS],
        "num_chars": len(text),
        "signals": signals,
    }


def _files(run: RunDir, folder: str) -> list[str]:
    """Up to `MAX_FILES` parquet files of a folder, spread over its sub-folders so that every source and pass is seen."""
    if not run.exists(folder):
        return []
    by_folder: dict[str, list[str]] = {}
    for path in sorted(run.fs.find(run.path(folder))):
        if path.endswith(".parquet") and "/_" not in path[len(run.root) :]:
            by_folder.setdefault(path.rpartition("/")[0], []).append(path)
    each = max(1, MAX_FILES // max(1, len(by_folder)))
    return [path for paths in by_folder.values() for path in paths[:each]][: 4 * MAX_FILES]


def _read(run: RunDir, path: str, group: int) -> pa.Table | None:
    with run.fs.open(path, "rb") as file:
        parquet = pq.ParquetFile(file)
        return parquet.read_row_group(group) if group < parquet.num_row_groups else None


def _rows(run: RunDir, path: str) -> Iterator[dict[str, Any]]:
    table = _read(run, path, 0)
    if table is not None:
        for batch in table.to_batches(max_chunksize=200):
            yield from batch.to_pylist()
