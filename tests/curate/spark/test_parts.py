"""Parts: the same rows give the same bytes, and verdicts are applied where they belong."""

from __future__ import annotations

import hashlib

import pyarrow as pa
import pyarrow.parquet as pq

from curate.document import SCHEMA
from curate.spark import parts
from curate.spark.parts import Layer, PartWriter, part_batches


def batch(ids, text="text"):
    return pa.RecordBatch.from_pylist([{"doc_id": str(n), "text": f"{text} {n}"} for n in ids], schema=SCHEMA)


def written(path, *batches):
    writer = PartWriter(str(path.parent), path.name, SCHEMA)
    for one in batches:
        writer.write(one)
    return writer.close(7, "web")


def test_a_part_knows_its_rows_its_size_and_its_digest(tmp_path):
    done = written(tmp_path / "part.parquet", batch(range(3)), batch(range(3, 5)))
    data = (tmp_path / "part.parquet").read_bytes()
    assert (done.rows, done.bytes, done.part) == (5, len(data), 7)
    assert done.sha256 == hashlib.sha256(data).hexdigest()
    assert pq.read_table(tmp_path / "part.parquet")["doc_id"].to_pylist() == list("01234")


def test_the_same_rows_give_the_same_bytes_however_they_came(tmp_path):
    one = written(tmp_path / "a.parquet", batch(range(10)))
    two = written(tmp_path / "b.parquet", *[batch([n]) for n in range(10)])
    assert one.sha256 == two.sha256


def test_an_unfinished_part_is_not_there(tmp_path):
    writer = PartWriter(str(tmp_path), "part.parquet", SCHEMA)
    writer.write(batch(range(parts.ROW_GROUP_ROWS)))
    assert not (tmp_path / "part.parquet").exists()


def test_an_empty_part_is_a_valid_file(tmp_path):
    done = written(tmp_path / "part.parquet")
    assert done.rows == 0
    assert pq.read_table(tmp_path / "part.parquet").schema.names == SCHEMA.names


def verdict_file(folder, name, rows):
    schema = pa.schema(
        [("part", pa.int32()), ("row", pa.int64()), ("drop_reason", pa.string()), ("cluster_size", pa.int64())]
    )
    (folder / name).mkdir()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / name / "0.parquet")
    return Layer(name=name, path=str(folder / name), fields=("cluster_size",))


def test_verdicts_reach_their_rows_across_row_groups_and_the_first_layer_wins(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "ROW_GROUP_ROWS", 2)
    path = tmp_path / "part.parquet"
    written(path, *[batch([n]) for n in range(5)])
    exact = verdict_file(
        tmp_path,
        "exact",
        [
            {"part": 7, "row": 1, "drop_reason": "exact_duplicate", "cluster_size": 2},
            {"part": 7, "row": 4, "drop_reason": None, "cluster_size": 2},
            {"part": 8, "row": 0, "drop_reason": "exact_duplicate", "cluster_size": 9},
        ],
    )
    near = verdict_file(
        tmp_path,
        "near",
        [
            {"part": 7, "row": 1, "drop_reason": "near_duplicate", "cluster_size": 3},
            {"part": 7, "row": 2, "drop_reason": "near_duplicate", "cluster_size": 3},
        ],
    )
    found = list(part_batches(7, str(path), [exact, near]))
    assert [first for first, _ in found] == [0, 2, 4]
    rows = [row for _, one in found for row in one.to_pylist()]
    assert [(row["drop_stage"], row["drop_reason"]) for row in rows] == [
        (None, None),
        ("exact", "exact_duplicate"),
        ("near", "near_duplicate"),
        (None, None),
        (None, None),
    ]
    assert [row["exact"] and row["exact"]["cluster_size"] for row in rows] == [None, 2, None, None, 2]
