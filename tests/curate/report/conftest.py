"""Run folders as a run leaves them, with any text anywhere."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate import document
from curate.rundir import RunDir

QUALITY = pa.struct([("word_count", pa.int32()), ("alphabetic_word_frac", pa.float64()), ("note", pa.string())])
TWINS = pa.struct([("duplicate_of", pa.string()), ("jaccard", pa.float64())])
_SIDES = [(f"{end}{name}", type_) for end in "ab" for name, type_ in (("", pa.int64()), ("_doc_id", pa.string()))]
PAIRS = pa.schema([*_SIDES, ("a_url", pa.string()), ("b_url", pa.string()), ("jaccard", pa.float64())])
RECIPE = "name: test\nstages:\n  - gopher_quality: {min_word_count: 50}\n  - near_dedup: {min_jaccard: 0.8}\n"

Row = dict[str, Any]


def row(number: int, text: str | bytes = "some words", **columns: Any) -> Row:
    """A document; its id begins with its number as four hex digits."""
    return {"doc_id": f"{number:04x}" + "0" * 28, "text": text, "source": "web", "language": "en", **columns}


class Folder:
    """A run folder being built."""

    def __init__(self, path: Path) -> None:
        self.path, self.run = path, RunDir(str(path))
        self.kept: list[Row] = []
        self.dropped: list[Row] = []
        self.more: dict[str, Any] = {}
        self.status = "finished"

    def add_kept(self, rows: list[Row], part: int = 0, folder: str | None = None) -> None:
        self.kept += rows
        place = folder or f"documents/source=s{part}"
        self._write(rows, f"{place}/part-{part:05d}.parquet", verdict=False)

    def add_dropped(self, rows: list[Row], part: int = 0, passed: str = "01-gopher_quality") -> None:
        self.dropped += rows
        self._write(rows, f"dropped/{passed}/wave-00000/part-{part:05d}.parquet", verdict=True)

    def add_pairs(self, pairs: list[Row]) -> None:
        self._save(pa.Table.from_pylist(pairs, PAIRS), "dedup/02-near_dedup/pairs/part-00000.parquet")

    def add_metrics(self, lines: list[str]) -> None:
        self.run.write_text("\n".join(lines), "model", "metrics.jsonl")

    def finish(self, passes: tuple[str, ...] = ("01-gopher_quality", "02-near_dedup", "03-documents")) -> RunDir:
        record = {
            "format": "curate-run",
            "status": self.status,
            "recipe": "test",
            "recipe_fingerprint": "0" * 64,
            "versions": {"curate": "0.1.0"},
            "started": "2026-01-01T00:00:00+00:00",
            "passes": [{"name": name, "fingerprint": "", "seconds": 1.0, "documents": 1} for name in passes],
            "funnel": funnel(self.kept, self.dropped),
            **self.more,
        }
        self.run.write_json(record, "run.json")
        self.run.write_text(RECIPE, "recipe.yaml")
        return self.run

    def _write(self, rows: list[Row], path: str, *, verdict: bool) -> None:
        schema = pa.schema([*document.FIELDS, ("gopher_quality", QUALITY), ("near_dedup", TWINS)])
        if verdict:
            schema = pa.schema([*schema, *document.VERDICT_FIELDS])
        arrays = [_column([one.get(field.name) for one in rows], field.type) for field in schema]
        table = pa.Table.from_arrays(arrays, schema=schema)
        if not verdict and path.startswith("documents"):  # as the last pass writes it
            place = table.schema.get_field_index("source")
            table = table.set_column(place, "source", table["source"].dictionary_encode())
        self._save(table, path)

    def _save(self, table: pa.Table, path: str) -> None:
        (self.path / path).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, self.path / path)


def _column(values: list[Any], of_type: pa.DataType) -> pa.Array:
    """bytes among strings stand as they are, UTF-8 or not."""
    if pa.types.is_string(of_type):
        raw = [value.encode() if isinstance(value, str) else value for value in values]
        binary = pa.array(raw, pa.binary())
        return pa.Array.from_buffers(pa.string(), len(binary), binary.buffers())
    return pa.array(values, of_type)


def funnel(kept: list[Row], dropped: list[Row]) -> dict[str, Any]:
    left = len(kept) + len(dropped)
    stages = []
    for stage in dict.fromkeys(["read", "gopher_quality", "near_dedup", *(one["drop_stage"] for one in dropped)]):
        reasons = Counter(one["drop_reason"] for one in dropped if one["drop_stage"] == stage)
        num_dropped = sum(reasons.values())
        entry = {"stage": stage, "documents_in": left, "dropped": num_dropped, "kept": left - num_dropped}
        stages.append({**entry, "reasons": dict(reasons.most_common()), "seconds": 0.5})
        left -= num_dropped
    gone = Counter((r["source"], r["language"] or "", r["drop_stage"], r["drop_reason"]) for r in dropped)
    stayed = Counter((r["source"], r["language"] or "") for r in kept)
    return {
        "read": len(kept) + len(dropped),
        "kept": len(kept),
        "dropped": len(dropped),
        "stages": stages,
        "dropped_by": [
            {"source": s, "language": lang, "stage": stage, "reason": reason, "documents": n, "bytes": n}
            for (s, lang, stage, reason), n in gone.items()
        ],
        "kept_by": [{"source": s, "language": lang, "documents": n, "bytes": n} for (s, lang), n in stayed.items()],
        "records": {"response": 3},
    }


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "run")


@pytest.fixture
def other_folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "other")


@pytest.fixture
def make_row() -> Callable[..., Row]:
    return row


@pytest.fixture
def tokens() -> dict[str, Any]:
    """`tokens` of run.json."""
    source = {"num_tokens": 900, "num_documents": 9, "num_bytes": 3600, "available_tokens": 450, "epochs": 2.0}
    source |= {"asked_share": 0.75, "delivered_share": 0.5, "planned_tokens": 900, "capped": True}
    sums = {"num_tokens": 1800, "num_documents": 18, "num_bytes": 7200}
    splits = {"train": {**sums, "sources": {"web": source, "books": {**source, "capped": False}}}}
    return {"splits": {**splits, "val": {**sums, "sources": {"web": source}}}}


@pytest.fixture
def model() -> dict[str, Any]:
    """`model` of run.json."""
    return {
        "parameters": 1000,
        "tokens": 2048,
        "val_loss": 3.25,
        "val_bits_per_byte": 1.5,
        "unigram_loss": 5.5,
        "unigram_bits_per_byte": 2.5,
        "own_unigram_loss": 5.25,
        "own_unigram_bits_per_byte": 2.25,
        "tokens_per_second": None,
        "samples": ["Once upon a time"],
    }


@pytest.fixture
def metrics() -> list[str]:
    """Lines as the trainer writes them, the last one cut off."""
    lines = [json.dumps({"kind": "train", "step": step, "loss": 8.0 - step / 10}) for step in range(1, 21)]
    lines += [json.dumps({"kind": "val", "step": step, "loss": 8.0 - step / 11}) for step in (10, 20)]
    return [*lines, '{"kind": "train", "st']
