"""Fixtures of corpus stages: documents on disk, and a context that saves evidence under `tmp_path`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from document_nodes import no_files

from curate import document
from curate.spark.context import CorpusContext
from curate.spark.documents import Documents
from curate.spark.parts import PartWriter

Make = Callable[..., Documents]


@pytest.fixture
def context(spark: Any, tmp_path: Path) -> CorpusContext:
    """Saves evidence as parquet under `tmp_path` and gives back what was written; the same name is written anew."""

    def save(name: str, relation: Any) -> Any:
        relation.write.mode("overwrite").parquet(str(tmp_path / name))
        return spark.read.schema(relation.schema).parquet(str(tmp_path / name))

    return CorpusContext(spark=spark, seed=0, save=save, save_file=no_files)


@pytest.fixture(scope="session")
def documents(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Documents on disk out of (doc_id, text), (doc_id, text, date) or dictionaries of columns.

    `parts`: how many files they lie in, in turn; `partitions`: of Spark, one a file by default; `signals`: columns of
    earlier stages by name, as Arrow arrays. Number n in the list is `document_nodes.node_of(n, parts)`.
    """

    def make(
        rows: Iterable[Any], parts: int = 3, partitions: int | None = None, signals: dict[str, pa.Array] | None = None
    ) -> Documents:
        full = [_row(row) for row in rows]
        folder = str(tmp_path_factory.mktemp("parts"))
        added = [pa.field(name, array.type) for name, array in (signals or {}).items()]
        schema = pa.schema([*document.FIELDS, *added])
        batch = pa.RecordBatch.from_pylist(full, schema=document.SCHEMA)
        for name, array in (signals or {}).items():
            batch = batch.append_column(name, array)
        files = []
        for part in range(parts):
            writer = PartWriter(folder, f"part-{part:05d}.parquet", schema)
            writer.write(batch.take(pa.array(range(part, len(full), parts), pa.int64())))
            done = writer.close(part, "test")
            files.append(done.model_copy(update={"path": f"{folder}/{done.path}"}))
        types = {field.name: field.type for field in schema}
        return Documents(spark, tuple(files), (), types, partitions)

    return make


def _row(row: Any) -> dict[str, Any]:
    if isinstance(row, dict):
        return {"source": "test", **row}
    doc_id, text, *date = row
    return {
        "doc_id": doc_id,
        "text": text,
        "url": f"https://example.org/{doc_id}",
        "date": date[0] if date else None,
        "source": "test",
    }
