"""The curated corpus to token shards: encode, hold out, mix, order, write.

Everything is keyed by document id and seed, so the shards are the same bytes for any files, partitions or retries. The
folder appears by one rename with its manifest in it, or not at all. It refuses to replace a folder that it has not
written, and needs an output path that every worker sees.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from curate.errors import InputError, OutputError
from curate.mixing.mix import Mix
from curate.tokens.encoding import Encoder
from curate.tokens.plan import Plan, plan_tokens
from curate.tokens.settings import Tokens
from curate.tokens.shards import FORMAT, SPLITS, VERSION, Counts, shard_entry
from curate.tokens.tasks import (
    ENCODED,
    PLACED,
    WRITTEN,
    EncodeTask,
    RowGroup,
    encode_documents,
    place_documents,
    write_shards,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_TASKS_PER_CORE = 8  # of encoding: each writes one staging file and is what a retry repeats


def write_tokens(
    spark: SparkSession,
    files: Sequence[str],
    tokenizer_path: str,
    mix: Mix,
    tokens: Tokens,
    output_dir: str,
    seed: int,
    progress: Callable[[str], None] | None = None,
    sources: Sequence[str] = (),
) -> dict[str, Any]:
    """Write `output_dir` and return its manifest.

    `files` are parquet with columns doc_id, source, text; a null text counts as empty, a null source as "unknown".
    `sources` are the recipe's own names: one that lost all its documents is then empty and not unknown to the mix.
    With `mix.copies` the files have that signal too, and a document comes so often in each epoch.
    `progress` is told the name of each step as it begins.

    Held out is the least set of whole documents of each source, by hash, with at least `validation_frac` of its tokens;
    a source of a single document gives none. Of a source planned at e epochs each document comes floor(e) times, and
    once more those with the lowest hashes as long as the plan is not exceeded: below plan by less than one document.
    A shard is within 1/64 of the mean or within its largest document.

    RecipeError for a mix or tokenizer that does not fit, InputError for files that cannot be read, OutputError for a
    folder that is not ours.
    """
    step = progress or (lambda name: None)
    target = Path(output_dir).absolute()
    _refuse_foreign(target)
    encoder, tokenizer_json = _open_tokenizer(tokenizer_path, tokens.eos_token)
    unfinished = target.with_name(f".{target.name}.unfinished")  # always the same: what a killed run left is removed
    shutil.rmtree(unfinished, ignore_errors=True)
    folder, staging = unfinished / "tokens", unfinished / "staging"
    try:
        folder.mkdir(parents=True)
        staging.mkdir()
        (folder / "tokenizer.json").write_bytes(tokenizer_json)
        step("encode")
        task = EncodeTask(
            _row_groups(files, mix.copies),
            str(folder / "tokenizer.json"),
            encoder.sha256,
            tokens.eos_token,
            str(staging),
            seed,
            mix.copies,
        )
        encoded = _encode(spark, task, staging)
        step("mix")
        plan = plan_tokens(spark, encoded, mix, tokens.validation_frac, sources)
        step("order")
        placed = _place(spark, encoded, plan, seed, staging)
        step("write")
        written = _write(spark, placed, plan, tokens, folder, staging, encoder)
        manifest = _manifest(encoder, seed, plan, written)
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", "utf-8")
        _put_in_place(folder, target, unfinished)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return manifest


def _open_tokenizer(path: str, eos_token: str) -> tuple[Encoder, bytes]:
    try:
        with fsspec.open(path, "rb") as handle:
            data: bytes = handle.read()
    except OSError as error:
        raise InputError(f"cannot read the tokenizer {path}: {error}") from error
    return Encoder(data, eos_token), data


def _row_groups(files: Sequence[str], copies: str | None) -> list[RowGroup]:
    found = []
    for path in files:
        try:
            with fsspec.open(path, "rb") as handle:
                parquet = pq.ParquetFile(handle)
                missing = {"doc_id", "source", "text"} - set(parquet.schema_arrow.names)
                if copies is not None and copies not in _leaves(parquet):
                    raise InputError(
                        f"{path} has no signal {copies}, which `copies` of the mix names. Put the stage that gives it "
                        "into the recipe, or leave the setting out"
                    )
                found += [RowGroup(path, number) for number in range(parquet.num_row_groups)]
        except (OSError, pa.ArrowInvalid) as error:
            raise InputError(f"{path}: wanted a parquet file; {error}") from error
        if missing:
            raise InputError(f"{path}: no column {', '.join(sorted(missing))}; wanted doc_id, source and text")
    return found


def _leaves(parquet: pq.ParquetFile) -> set[str]:
    """The paths of all columns, `stage.signal` among them."""
    return {parquet.schema.column(number).path for number in range(len(parquet.schema))}


def _encode(spark: SparkSession, task: EncodeTask, staging: Path) -> DataFrame:
    """Encoded documents, materialised so that no text is encoded twice and one attempt of each task counts."""
    count = len(task.row_groups)
    slices = max(1, min(count, _TASKS_PER_CORE * spark.sparkContext.defaultParallelism))
    indices = spark.range(0, count, 1, slices)
    return _saved(spark, indices.mapInArrow(partial(encode_documents, task), ENCODED), ENCODED, staging / "encoded")


def _place(spark: SparkSession, encoded: DataFrame, plan: Plan, seed: int, staging: Path) -> DataFrame:
    placed = encoded.mapInArrow(partial(place_documents, plan.placements, seed), PLACED)
    return _saved(spark, placed, PLACED, staging / "placed")


def _saved(spark: SparkSession, relation: DataFrame, schema: str, path: Path) -> DataFrame:
    relation.write.parquet(path.as_uri())
    return spark.read.schema(schema).parquet(path.as_uri())


def _write(
    spark: SparkSession, placed: DataFrame, plan: Plan, tokens: Tokens, folder: Path, staging: Path, encoder: Encoder
) -> list[Any]:
    """One row for each source of each shard."""
    from curate.tokens.relations import in_shard_order, num_buckets, shard_of_bucket

    expected = sum(share.planned_tokens for share in plan.shares.values())
    expected += sum(crossing.tokens for crossing in plan.held_out.values())
    buckets = num_buckets(expected, tokens.shard_tokens)
    shards = shard_of_bucket(placed, buckets, tokens.shard_tokens)
    task = partial(write_shards, str(folder), str(staging), encoder.dtype.str)
    rows = in_shard_order(spark, placed, shards, buckets).mapInArrow(task, WRITTEN).collect()
    return sorted(rows, key=lambda row: (row.split, row.shard, row.source))


def _manifest(encoder: Encoder, seed: int, plan: Plan, written: Sequence[Any]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "dtype": encoder.dtype.name,
        "vocab_size": encoder.vocab_size,
        "eos_id": encoder.eos_id,
        "tokenizer": {"file": "tokenizer.json", "sha256": encoder.sha256},
        "seed": seed,
        "splits": {split: _split(split, plan, [row for row in written if row.split == split]) for split in SPLITS},
    }


def _split(split: str, plan: Plan, rows: Sequence[Any]) -> dict[str, Any]:
    """A split's part of the manifest. Of validation, a source's asked share is its share of the corpus."""
    by_source = dict.fromkeys(sorted(plan.sizes), Counts())
    by_shard: dict[int, Counts] = {}
    digests: dict[int, str] = {}
    for row in rows:
        counts = Counts(row.num_tokens, row.num_documents, row.num_bytes)
        by_source[row.source] += counts
        by_shard[row.shard] = by_shard.get(row.shard, Counts()) + counts
        digests[row.shard] = row.sha256
    total = sum(by_source.values(), Counts())
    return {
        **total._asdict(),
        "sources": {name: _source(split, name, counts, total, plan) for name, counts in by_source.items()},
        "shards": [shard_entry(split, shard, by_shard[shard], digests[shard]) for shard in sorted(by_shard)],
    }


def _source(split: str, name: str, counts: Counts, total: Counts, plan: Plan) -> dict[str, Any]:
    share = plan.shares[name]
    held_out = plan.held_out[name].tokens if name in plan.held_out else 0
    corpus = sum(plan.sizes.values())
    available = share.size_tokens if split == "train" else held_out
    entry = {
        **counts._asdict(),
        "available_tokens": available,  # once through, in training with the copies
        "epochs": counts.num_tokens / available if available else 0.0,
        "asked_share": share.asked_share if split == "train" else (plan.sizes[name] / corpus if corpus else 0.0),
        "delivered_share": counts.num_tokens / total.num_tokens if total.num_tokens else 0.0,
    }
    if split == "train":
        entry |= {"planned_tokens": share.planned_tokens, "capped": share.capped}
    return entry


def _refuse_foreign(target: Path) -> None:
    """OutputError unless `target` is absent, an empty folder, or token shards."""
    if not target.exists():
        return
    try:
        if target.is_dir() and not any(target.iterdir()):
            return
        if json.loads((target / "manifest.json").read_text("utf-8")).get("format") == FORMAT:
            return
    except (OSError, ValueError, AttributeError):
        pass
    raise OutputError(f"{target} holds something that is not token shards; choose another folder or move it away")


def _put_in_place(folder: Path, target: Path, unfinished: Path) -> None:
    """A folder with files in it cannot be renamed over, so earlier shards step aside first."""
    if target.exists():
        os.replace(target, unfinished / "previous")
    os.replace(folder, target)
