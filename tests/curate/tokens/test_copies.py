"""A mix with `copies`: each document comes so often in every epoch, and is held out once or not at all."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.document import doc_id
from curate.errors import InputError
from curate.mixing.mix import Mix
from curate.tokens.settings import Tokens
from curate.tokens.write import write_tokens

pytestmark = pytest.mark.spark

COPIES: list[int | None] = [1, 3, 0, None, 2, 1, 1, 4, 1, 2] * 6
SIGNAL = "cluster_sample.copies"


@pytest.fixture(scope="module")
def tokenizer_path(tokenizer_json: bytes, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    path.write_bytes(tokenizer_json)
    return str(path)


@pytest.fixture(scope="module")
def wanted() -> dict[str, int]:
    """Copies of each document by its id."""
    return {doc_id("copies", str(n)): 1 if copies is None else max(0, copies) for n, copies in enumerate(COPIES)}


def store(path: Path, ids: list[str], copies: list[int | None], row_group_size: int = 20) -> str:
    struct = pa.StructArray.from_arrays(
        [pa.array([float(n or 1) for n in copies], pa.float32()), pa.array(copies, pa.int32())], ["weight", "copies"]
    )
    columns = {
        "doc_id": pa.array(ids),
        "source": pa.array(["web" if n % 3 else "wiki" for n in range(len(ids))]),
        "text": pa.array([f"number {n} and {'more ' * (n % 7)}" for n in range(len(ids))]),
        "cluster_sample": struct,
    }
    pq.write_table(pa.table(columns), path, row_group_size=row_group_size)
    return str(path)


def documents(folder: Path, split: str) -> list[dict[str, Any]]:
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    tables = [pq.read_table(folder / shard["documents"]) for shard in manifest["splits"][split]["shards"]]
    return [row for table in tables for row in table.to_pylist()]


@pytest.fixture(scope="module")
def shards(spark: Any, wanted: dict[str, int], tokenizer_path: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copies")
    file = store(folder / "documents.parquet", list(wanted), COPIES)
    settings = Tokens(shard_tokens=400, validation_frac=0.1)
    write_tokens(spark, [file], tokenizer_path, Mix(copies=SIGNAL), settings, str(folder / "tokens"), seed=3)
    return folder / "tokens"


def test_each_document_comes_as_often_as_it_says(shards: Path, wanted: dict[str, int]) -> None:
    held_out = Counter(row["doc_id"] for row in documents(shards, "val"))
    trained = Counter(row["doc_id"] for row in documents(shards, "train"))
    assert set(held_out.values()) == {1}
    assert trained == {name: count for name, count in wanted.items() if count and name not in held_out}


def test_an_epoch_is_all_the_copies_of_it(
    spark: Any, wanted: dict[str, int], tokenizer_path: str, tmp_path: Path
) -> None:
    file = store(tmp_path / "documents.parquet", list(wanted), COPIES)
    settings = Tokens(validation_frac=0)
    once = write_tokens(spark, [file], tokenizer_path, Mix(copies=SIGNAL), settings, str(tmp_path / "one"), seed=3)
    size = once["splits"]["train"]["num_tokens"]
    assert once["splits"]["train"]["sources"]["web"]["epochs"] == 1.0
    mix = Mix(copies=SIGNAL, tokens=size * 5 // 2)
    write_tokens(spark, [file], tokenizer_path, mix, settings, str(tmp_path / "more"), seed=3)
    rows = documents(tmp_path / "more", "train")
    by_epoch = [Counter(row["doc_id"] for row in rows if row["epoch"] == epoch) for epoch in range(3)]
    all_of_them = {name: count for name, count in wanted.items() if count}
    assert by_epoch[0] == by_epoch[1] == all_of_them
    assert by_epoch[2]
    assert by_epoch[2].items() < all_of_them.items()  # some documents, each with all its copies


def test_copies_of_one_document_lie_apart(shards: Path, wanted: dict[str, int]) -> None:
    order = [row["doc_id"] for row in documents(shards, "train")]
    neighbours = sum(a == b for a, b in itertools.pairwise(order))
    assert neighbours < sum(count - 1 for count in wanted.values() if count) / 4


def test_a_copy_of_each_is_the_mix_without_copies(
    spark: Any, wanted: dict[str, int], tokenizer_path: str, tmp_path: Path
) -> None:
    file = store(tmp_path / "documents.parquet", list(wanted), [1] * len(wanted))
    folders = [tmp_path / "with", tmp_path / "without"]
    for folder, mix in zip(folders, (Mix(copies=SIGNAL), Mix()), strict=True):
        write_tokens(spark, [file], tokenizer_path, mix, Tokens(shard_tokens=300), str(folder), seed=3)
    digests = [{p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()} for folder in folders]
    assert digests[0] == digests[1]


def test_a_corpus_without_the_signal_says_which(
    spark: Any, wanted: dict[str, int], tokenizer_path: str, tmp_path: Path
) -> None:
    file = store(tmp_path / "documents.parquet", list(wanted), COPIES)
    with pytest.raises(InputError, match=r"no signal near_dedup\.copies"):
        write_tokens(
            spark, [file], tokenizer_path, Mix(copies="near_dedup.copies"), Tokens(), str(tmp_path / "out"), seed=3
        )
    assert not (tmp_path / "out").exists()
