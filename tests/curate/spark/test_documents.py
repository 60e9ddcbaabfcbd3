"""Documents where they lie: read in one trip, or only those that are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate import document
from curate.spark import documents as documents_module
from curate.spark.documents import Documents, chunks, part_of, row_of
from curate.spark.parts import Layer, PartWriter

pytestmark = pytest.mark.spark
Write = Callable[..., Documents]


@pytest.fixture
def write(spark: Any, tmp_path: Any) -> Write:
    """Parts of texts, "part.row" as ids, with verdicts of a stage `dedup` that drops and cuts."""

    def make(
        parts: list[list[str | None]], dropped: list[tuple[int, int]], cuts: dict[tuple[int, int], Any]
    ) -> Documents:
        files = []
        for part, texts in enumerate(parts):
            writer = PartWriter(str(tmp_path), f"part-{part:05d}.parquet", document.SCHEMA, row_group_rows=2)
            for row, text in enumerate(texts):
                writer.write(
                    pa.RecordBatch.from_pylist([{"doc_id": f"{part}.{row}", "text": text}], schema=document.SCHEMA)
                )
            done = writer.close(part, "test")
            files.append(done.model_copy(update={"path": f"{tmp_path}/{done.path}"}))
        rows = [
            {"part": p, "row": r, "drop_reason": "twin" if (p, r) in dropped else None, "cuts": cuts.get((p, r))}
            for p, texts in enumerate(parts)
            for r in range(len(texts))
        ]
        spans = pa.list_(pa.struct([("start", pa.int64()), ("end", pa.int64())]))
        schema = pa.schema([("part", pa.int32()), ("row", pa.int64()), ("drop_reason", pa.string()), ("cuts", spans)])
        (tmp_path / "verdicts").mkdir()
        pq.write_table(pa.Table.from_pylist(rows, schema), tmp_path / "verdicts" / "all.parquet")
        layer = Layer(name="dedup", path=str(tmp_path / "verdicts"), fields=("cuts",))
        types = {field.name: field.type for field in document.SCHEMA}
        return Documents(spark, tuple(files), (layer,), types)

    return make


@pytest.fixture
def written(write: Write) -> Documents:
    parts: list[list[str | None]] = [["zero", "one", "two", "three", "four"], [], ["übermut", None, "last"]]
    return write(
        parts, dropped=[(0, 1), (2, 1)], cuts={(0, 3): [{"start": 0, "end": 3}], (2, 0): [{"start": 0, "end": 2}]}
    )


def test_all_documents_that_are_kept_with_their_text_cut(written: Documents) -> None:
    rows = written.frame("doc_id", "text").select(part_of("node"), row_of("node"), "doc_id", "text").collect()
    assert sorted(tuple(row) for row in rows) == [
        (0, 0, "0.0", "zero"),
        (0, 2, "0.2", "two"),
        (0, 3, "0.3", "ee"),
        (0, 4, "0.4", "four"),
        (2, 0, "2.0", "bermut"),
        (2, 2, "2.2", "last"),
    ]


def test_only_documents_that_are_asked_for(written: Documents) -> None:
    wanted = written.frame("doc_id").where("doc_id in ('0.3', '2.2', '2.0')").select("node")
    found = written.at(wanted, ["doc_id"], lambda batch: batch, "node long, doc_id string").collect()
    assert sorted(row.doc_id for row in found) == ["0.3", "2.0", "2.2"]
    assert written.at(wanted.limit(0), ["doc_id"], lambda batch: batch, "node long, doc_id string").collect() == []


def test_a_function_over_whole_parts_meets_each_once_and_in_order(written: Documents) -> None:
    def count(part: int, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        ids = [doc_id for batch in batches for doc_id in batch["doc_id"].to_pylist()]
        yield pa.RecordBatch.from_pydict({"part": [part], "ids": [" ".join(ids)]})

    found = written.map_parts(["doc_id"], count, "part long, ids string").collect()
    assert sorted(tuple(row) for row in found) == [(0, "0.0 0.2 0.3 0.4"), (2, "2.0 2.2")]


def test_batches_are_bounded_by_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents_module, "MAX_TEXT_BYTES", 10)
    texts = ["a" * 4, "b" * 6, "c", "d" * 30, "e", "", None, "f" * 10]
    found = [batch["text"].to_pylist() for batch in chunks(pa.RecordBatch.from_pydict({"text": pa.array(texts)}))]
    assert found == [texts[:2], texts[2:3], texts[3:4], texts[4:7], texts[7:]]
    assert list(chunks(pa.RecordBatch.from_pydict({"text": pa.array([], pa.string())}))) == []
