"""A tiny real corpus: the docstrings of the standard library, tokenised and written as shards by hand."""

from __future__ import annotations

import importlib
import inspect
import json
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

MODULES = ["argparse", "collections", "datetime", "decimal", "difflib", "email", "heapq", "json", "logging", "random"]
EOS = "<|endoftext|>"


class Corpus(NamedTuple):
    """A folder of shards, and what it was made of."""

    folder: Path
    texts: dict[str, list[str]]
    tokens: dict[str, np.ndarray]


def docstrings() -> list[str]:
    found = []
    for name in MODULES:
        module = importlib.import_module(name)
        members = [module, *(member for _, member in sorted(vars(module).items(), key=lambda item: item[0]))]
        found += [inspect.getdoc(m) for m in members if inspect.isclass(m) or inspect.isroutine(m) or m is module]
    return list(dict.fromkeys(text for text in found if text))


def train_tokenizer(texts: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=384, special_tokens=[EOS], initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def write_shards(
    folder: Path, splits: dict[str, list[tuple[str, list[list[int]], list[int]]]], tokenizer: str, **manifest: object
) -> None:
    """Shards of a folder. A split is a list of shards: (source, ids of each document with EOS, bytes of each)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(tokenizer)
    digest = sha256(tokenizer.encode()).hexdigest()
    head = {"format": "curate-tokens", "version": 1, "dtype": "uint16", "vocab_size": 384, "eos_id": 0, "seed": 0}
    head |= {"tokenizer": {"file": "tokenizer.json", "sha256": digest}, "splits": {}} | manifest
    for name, shards in splits.items():
        entries = [
            _write_shard(folder, f"{name}-{n:05d}", str(head["dtype"]), *shard) for n, shard in enumerate(shards)
        ]
        totals = {key: sum(entry[key] for entry in entries) for key in ("num_tokens", "num_documents", "num_bytes")}
        head["splits"][name] = {**totals, "sources": {}, "shards": entries}
    (folder / "manifest.json").write_text(json.dumps(head))


def _write_shard(folder: Path, name: str, dtype: str, source: str, ids: list[list[int]], sizes: list[int]) -> dict:
    flat = np.array([token for document in ids for token in document], dtype=f"<{np.dtype(dtype).str[1:]}")
    (folder / f"{name}.bin").write_bytes(flat.tobytes())
    lengths = [len(document) for document in ids]
    table = {
        "doc_id": pa.array([f"{number:032x}" for number in range(len(ids))], pa.string()),
        "source": pa.array([source] * len(ids), pa.string()),
        "start": pa.array([sum(lengths[:number]) for number in range(len(ids))], pa.int64()),
        "num_tokens": pa.array(lengths, pa.int64()),
        "num_bytes": pa.array(sizes, pa.int64()),
        "epoch": pa.array([0] * len(ids), pa.int32()),
    }
    pq.write_table(pa.table(table), folder / f"{name}.documents.parquet")
    return {
        "file": f"{name}.bin",
        "documents": f"{name}.documents.parquet",
        "num_tokens": sum(lengths),
        "num_documents": len(ids),
        "num_bytes": sum(sizes),
        "sha256": sha256(flat.tobytes()).hexdigest(),
    }


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Models this small lose by a second thread, most of all on a busy machine."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Two training shards of different sources and one validation shard with both."""
    folder = tmp_path_factory.mktemp("tokens")
    texts = docstrings()
    tokenizer = train_tokenizer(texts)
    split = {"val": texts[::8], "train": [text for number, text in enumerate(texts) if number % 8]}
    shards, tokens = {}, {}
    for name, documents in split.items():
        ids = [[*tokenizer.encode(text, add_special_tokens=False).ids, 0] for text in documents]
        sizes = [len(text.encode()) for text in documents]
        cut = len(ids) // 3
        shards[name] = [("first", ids[:cut], sizes[:cut]), ("second", ids[cut:], sizes[cut:])]
        tokens[name] = np.array([token for document in ids for token in document])
    write_shards(folder, shards, tokenizer.to_str())
    return Corpus(folder, split, tokens)


class Writer:
    """Writes shards in a test's own folder: documents are lists of ids with their EOS, each other id has 4 bytes."""

    def __init__(self, tokenizer: str, folder: Path) -> None:
        self.tokenizer = tokenizer
        self.folder = folder

    def __call__(self, splits: dict[str, list[list[list[int]]]], **manifest: object) -> Path:
        sized = {
            name: [("here", shard, [4 * (len(document) - 1) for document in shard]) for shard in shards]
            for name, shards in splits.items()
        }
        write_shards(self.folder, sized, self.tokenizer, **manifest)
        return self.folder


@pytest.fixture
def writer(corpus: Corpus, tmp_path: Path) -> Writer:
    return Writer((corpus.folder / "tokenizer.json").read_text(), tmp_path / "shards")
