"""The shards of a corpus: every promise of the format, checked on the bytes."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.document import doc_id
from curate.errors import InputError, OutputError, RecipeError
from curate.mixing.mix import Mix
from curate.tokens.encoding import Encoder
from curate.tokens.settings import Tokens
from curate.tokens.shards import DOCUMENTS_SCHEMA
from curate.tokens.write import write_tokens

pytestmark = pytest.mark.spark

SIZES = {"books": 12, "web": 150, "wiki": 40}
SETTINGS = Tokens(shard_tokens=3_000, validation_frac=0.05)
MIX = Mix(weights={"books": 3, "web": 5, "wiki": 2}, max_epochs=4.0)


def make_corpus() -> list[dict[str, str | None]]:
    rng = random.Random(7)
    words = ["the", "river", "and", "stone", "中文", "né", "<|endoftext|>", "\n\n", "x\x00y", "1984", "🙂"]
    rows: list[dict[str, str | None]] = []
    for source, count in SIZES.items():
        longest = 300 if source == "books" else 60
        for number in range(count):
            text = " ".join(rng.choices(words, k=rng.randint(1, longest)))
            rows.append({"doc_id": doc_id(source, str(number), text), "source": source, "text": text})
    rows[20]["text"] = ""
    rows[21]["text"] = None
    return rows


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str | None]]:
    return make_corpus()


@pytest.fixture(scope="module")
def tokenizer_path(tokenizer_json: bytes, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("tokenizer") / "any-name.json"
    path.write_bytes(tokenizer_json)
    return str(path)


def store(folder: Path, rows: list[dict[str, str | None]], num_files: int, row_group_size: int) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    schema = pa.schema([("doc_id", pa.string()), ("source", pa.string()), ("text", pa.string())])
    paths = []
    for number in range(num_files):
        paths.append(str(folder / f"part-{number}.parquet"))
        table = pa.Table.from_pylist(rows[number::num_files], schema=schema)
        pq.write_table(table, paths[-1], row_group_size=row_group_size)
    return paths


@pytest.fixture(scope="module")
def files(rows: list[dict[str, str | None]], tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return store(tmp_path_factory.mktemp("corpus"), rows, num_files=3, row_group_size=25)


@pytest.fixture(scope="module")
def shards(spark: Any, files: list[str], tokenizer_path: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out") / "tokens"
    manifest = write_tokens(spark, files, tokenizer_path, MIX, SETTINGS, str(folder), seed=3)
    assert json.loads((folder / "manifest.json").read_text("utf-8")) == manifest
    return folder


@pytest.fixture(scope="module")
def manifest(shards: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((shards / "manifest.json").read_text("utf-8"))
    return loaded


@pytest.fixture(scope="module")
def encoder(tokenizer_json: bytes) -> Encoder:
    return Encoder(tokenizer_json, "<|endoftext|>")


def table_of(shards: Path, manifest: dict[str, Any], split: str) -> list[dict[str, Any]]:
    """The documents of a split in order, each with its tokens."""
    documents = []
    for shard in manifest["splits"][split]["shards"]:
        payload = np.memmap(shards / shard["file"], manifest["dtype"], mode="r")
        rows = pq.read_table(shards / shard["documents"]).to_pylist()
        documents += [{**row, "ids": payload[row["start"] : row["start"] + row["num_tokens"]]} for row in rows]
    return documents


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_every_document_decodes_to_its_text(
    shards: Path, manifest: dict[str, Any], rows: list[dict[str, str | None]], encoder: Encoder
) -> None:
    texts = {row["doc_id"]: row["text"] or "" for row in rows}
    for split in ("train", "val"):
        for document in table_of(shards, manifest, split):
            assert document["ids"][-1] == manifest["eos_id"]
            assert manifest["eos_id"] not in document["ids"][:-1]
            assert encoder.decode(document["ids"][:-1]) == texts[document["doc_id"]]
            assert document["num_bytes"] == len(texts[document["doc_id"]].encode())


def test_tables_cover_payloads_and_all_sums_agree(shards: Path, manifest: dict[str, Any]) -> None:
    for split in manifest["splits"].values():
        for shard in split["shards"]:
            payload = (shards / shard["file"]).read_bytes()
            table = pq.read_table(shards / shard["documents"])
            assert table.schema.equals(DOCUMENTS_SCHEMA)
            ends = np.cumsum(table["num_tokens"].to_numpy())
            assert np.array_equal(table["start"].to_numpy(), ends - table["num_tokens"].to_numpy())
            assert len(payload) == 2 * ends[-1] == 2 * shard["num_tokens"]
            assert shard["sha256"] == hashlib.sha256(payload).hexdigest()
            assert (shard["num_documents"], shard["num_bytes"]) == (len(table), sum(table["num_bytes"].to_pylist()))
        for count in ("num_tokens", "num_documents", "num_bytes"):
            assert split[count] == sum(shard[count] for shard in split["shards"])
            assert split[count] == sum(source[count] for source in split["sources"].values())
        assert sum(source["delivered_share"] for source in split["sources"].values()) == pytest.approx(1)


def test_the_manifest_names_the_tokenizer_and_nothing_else_is_there(
    shards: Path, manifest: dict[str, Any], tokenizer_json: bytes
) -> None:
    assert (manifest["format"], manifest["version"], manifest["dtype"]) == ("curate-tokens", 1, "uint16")
    assert (manifest["eos_id"], manifest["seed"]) == (0, 3)
    assert (shards / "tokenizer.json").read_bytes() == tokenizer_json
    assert manifest["tokenizer"]["sha256"] == hashlib.sha256(tokenizer_json).hexdigest()
    named = [shard[key] for split in manifest["splits"].values() for shard in split["shards"] for key in shard]
    files = {name for name in named if str(name).endswith((".bin", ".parquet"))}
    assert {path.name for path in shards.iterdir()} == files | {"tokenizer.json", "manifest.json"}
    assert [path.name for path in shards.parent.iterdir()] == ["tokens"]


def test_validation_is_whole_documents_never_repeated_never_in_train(shards: Path, manifest: dict[str, Any]) -> None:
    train, val = table_of(shards, manifest, "train"), table_of(shards, manifest, "val")
    held_out = [document["doc_id"] for document in val]
    assert len(set(held_out)) == len(held_out)
    assert {document["epoch"] for document in val} == {0}
    assert not set(held_out) & {document["doc_id"] for document in train}


def test_each_source_holds_out_enough_and_not_a_document_more(
    shards: Path, manifest: dict[str, Any], rows: list[dict[str, str | None]], encoder: Encoder
) -> None:
    val = table_of(shards, manifest, "val")
    for source in SIZES:
        total = sum(len(encoder.encode(row["text"] or "")) for row in rows if row["source"] == source)
        lengths = [document["num_tokens"] for document in val if document["source"] == source]
        assert sum(lengths) >= SETTINGS.validation_frac * total
        assert any(sum(lengths) - length < SETTINGS.validation_frac * total for length in lengths)


def test_sources_hit_their_plan_within_a_document_and_repeat_evenly(shards: Path, manifest: dict[str, Any]) -> None:
    train = table_of(shards, manifest, "train")
    sources = manifest["splits"]["train"]["sources"]
    assert sources["books"]["epochs"] != int(sources["books"]["epochs"])
    for name, source in sources.items():
        mine = [document for document in train if document["source"] == name]
        longest = max(document["num_tokens"] for document in mine)
        assert source["planned_tokens"] - longest < source["num_tokens"] <= source["planned_tokens"]
        repeats = Counter(document["doc_id"] for document in mine)
        assert max(repeats.values()) - int(source["epochs"]) in (0, 1)
        assert len({(document["doc_id"], document["epoch"]) for document in mine}) == len(mine)
        for document in mine:
            assert document["epoch"] < repeats[document["doc_id"]]  # epochs of a document count up from 0
    asked = {name: source["asked_share"] for name, source in sources.items()}
    assert asked == {"books": 0.3, "web": 0.5, "wiki": 0.2}


def test_epochs_follow_one_another_each_in_an_order_of_its_own(shards: Path, manifest: dict[str, Any]) -> None:
    train = table_of(shards, manifest, "train")
    for source in SIZES:
        mine = [document for document in train if document["source"] == source]
        epochs = [document["epoch"] for document in mine]
        assert epochs == sorted(epochs)
    wiki = [(document["epoch"], document["doc_id"]) for document in train if document["source"] == "wiki"]
    books = [(document["epoch"], document["doc_id"]) for document in train if document["source"] == "books"]
    orders = [[name for epoch, name in books if epoch == number] for number in (0, 1)]
    assert orders[0] != orders[1][: len(orders[0])]
    assert [name for _, name in wiki] != sorted(name for _, name in wiki)


def test_shards_are_even(manifest: dict[str, Any], shards: Path) -> None:
    split = manifest["splits"]["train"]
    count = -(-split["num_tokens"] // SETTINGS.shard_tokens)
    assert len(split["shards"]) == count > 2
    longest = max(document["num_tokens"] for document in table_of(shards, manifest, "train"))
    for shard in split["shards"]:
        assert abs(shard["num_tokens"] - split["num_tokens"] / count) <= longest


@pytest.mark.parametrize("partitions", [1, 8])  # and 3 of `files`
def test_files_row_groups_and_partitions_do_not_change_a_byte(
    spark: Any, rows: list[dict[str, str | None]], shards: Path, tokenizer_path: str, tmp_path: Path, partitions: int
) -> None:
    shuffled = rows[:]
    random.Random(partitions).shuffle(shuffled)
    files = store(tmp_path / "corpus", shuffled, num_files=partitions, row_group_size=200 // partitions)
    before = spark.conf.get("spark.sql.shuffle.partitions")
    spark.conf.set("spark.sql.shuffle.partitions", str(partitions))
    try:
        write_tokens(spark, files[::-1], tokenizer_path, MIX, SETTINGS, str(tmp_path / "tokens"), seed=3)
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", before)
    assert digests(tmp_path / "tokens") == digests(shards)


def test_another_seed_is_another_order_and_replaces_the_earlier_shards(
    spark: Any, files: list[str], tokenizer_path: str, shards: Path, tmp_path: Path
) -> None:
    steps: list[str] = []
    target = tmp_path / "tokens"
    shutil.copytree(shards, target)
    (tmp_path / ".tokens.unfinished").mkdir()  # a run was killed
    (tmp_path / ".tokens.unfinished" / "litter").touch()
    manifest = write_tokens(spark, files, tokenizer_path, MIX, SETTINGS, str(target), 4, steps.append)
    assert json.loads((target / "manifest.json").read_text("utf-8")) == manifest
    assert digests(target)["train-00000.bin"] != digests(shards)["train-00000.bin"]
    assert steps == ["encode", "mix", "order", "write"]
    assert [path.name for path in tmp_path.iterdir()] == ["tokens"]


def test_an_empty_corpus_gives_a_valid_empty_manifest(spark: Any, tokenizer_path: str, tmp_path: Path) -> None:
    for name, files in {"no-files": [], "no-rows": store(tmp_path / "corpus", [], 1, 1)}.items():
        manifest = write_tokens(spark, files, tokenizer_path, MIX, SETTINGS, str(tmp_path / name), seed=0)
        empty = {"num_tokens": 0, "num_documents": 0, "num_bytes": 0, "sources": {}, "shards": []}
        assert manifest["splits"] == {"train": empty, "val": empty}
        assert sorted(path.name for path in (tmp_path / name).iterdir()) == ["manifest.json", "tokenizer.json"]


def test_copies_of_a_document_stay_together_and_a_single_document_is_trained_on(
    spark: Any, tokenizer_path: str, tmp_path: Path
) -> None:
    rows: list[dict[str, str | None]] = [{"doc_id": "00", "source": None, "text": "the same river"}] * 5
    files = store(tmp_path / "corpus", rows, 1, 2)
    manifest = write_tokens(
        spark,
        files,
        tokenizer_path,
        Mix(),
        Tokens(validation_frac=0.5),
        str(tmp_path / "tokens"),
        seed=0,
        sources=["web"],
    )
    train = manifest["splits"]["train"]
    assert (train["num_documents"], manifest["splits"]["val"]["num_documents"]) == (5, 0)
    assert {name: source["num_documents"] for name, source in train["sources"].items()} == {"unknown": 5, "web": 0}


def test_a_folder_that_is_not_ours_is_left_alone(
    spark: Any, files: list[str], tokenizer_path: str, tmp_path: Path
) -> None:
    (tmp_path / "thesis.txt").write_text("important")
    with pytest.raises(OutputError, match="holds something that is not token shards"):
        write_tokens(spark, files, tokenizer_path, MIX, SETTINGS, str(tmp_path), seed=0)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_mix_that_does_not_fit_leaves_nothing_behind(
    spark: Any, files: list[str], tokenizer_path: str, tmp_path: Path
) -> None:
    mix = Mix(weights={"book": 1, "web": 1, "wiki": 1})
    with pytest.raises(RecipeError, match="Did you mean: books"):
        write_tokens(spark, files, tokenizer_path, mix, SETTINGS, str(tmp_path / "tokens"), seed=0)
    assert list(tmp_path.iterdir()) == []


def test_a_file_without_the_columns_says_which(spark: Any, tokenizer_path: str, tmp_path: Path) -> None:
    pq.write_table(pa.table({"doc_id": ["0"], "text": ["x"]}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match="no column source"):
        write_tokens(spark, [str(tmp_path / "a.parquet")], tokenizer_path, Mix(), Tokens(), str(tmp_path / "t"), seed=0)
