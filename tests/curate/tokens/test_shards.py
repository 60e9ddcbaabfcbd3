"""One shard, written document by document."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from curate.tokens.shards import Counts, ShardWriter, shard_entry


def write(folder: Path, attempt: str, num_documents: int) -> str:
    (folder / "staging").mkdir(exist_ok=True)
    writer = ShardWriter(str(folder), str(folder / "staging"), "val", 7, attempt)
    for number in range(num_documents):
        writer.add(f"{number:032x}", "web", number, 0, np.array([number % 7 + 1, 0], "<u4"))
    return writer.close()


def test_the_payload_is_the_tokens_end_to_end_and_the_table_says_where(tmp_path: Path) -> None:
    sha256 = write(tmp_path, "0", 3)
    payload = (tmp_path / "val-00007.bin").read_bytes()
    assert payload == bytes([1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0])
    assert sha256 == hashlib.sha256(payload).hexdigest()
    table = pq.read_table(tmp_path / "val-00007.documents.parquet")
    assert table.to_pylist()[2] == {
        "doc_id": f"{2:032x}", "source": "web", "start": 4, "num_tokens": 2, "num_bytes": 2, "epoch": 0,
    }  # fmt: skip


def test_row_groups_are_bounded_and_a_retry_gives_the_same_bytes(tmp_path: Path) -> None:
    files = ("val-00007.bin", "val-00007.documents.parquet")
    write(tmp_path, "0", 2**16 + 1)
    first = [(tmp_path / name).read_bytes() for name in files]
    metadata = pq.ParquetFile(tmp_path / files[1]).metadata
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [2**16, 1]
    write(tmp_path, "1", 2**16 + 1)
    assert [(tmp_path / name).read_bytes() for name in files] == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["staging", *files]


def test_an_unfinished_shard_is_not_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "staging").mkdir()
    ShardWriter(str(tmp_path), str(tmp_path / "staging"), "train", 0, "0").add("0", "web", 1, 0, np.array([0], "<u2"))
    assert [path.name for path in tmp_path.iterdir()] == ["staging"]


def test_a_manifest_line_names_both_files() -> None:
    assert shard_entry("train", 12, Counts(5, 2, 9) + Counts(1, 1, 1), "ab") == {
        "file": "train-00012.bin",
        "documents": "train-00012.documents.parquet",
        "num_tokens": 6,
        "num_documents": 3,
        "num_bytes": 10,
        "sha256": "ab",
    }
