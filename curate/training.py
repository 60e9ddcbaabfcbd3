"""After the documents: train a tokenizer on them, write token shards, train a model. Each step runs when the recipe asks
for it and when what it depends on has changed."""

from __future__ import annotations

from typing import Any

from pyspark.sql import SparkSession

from curate.ledger import Ledger
from curate.progress import Reporter
from curate.recipe import Recipe, fingerprint
from curate.rundir import RunDir
from curate.tokens.write import write_tokens


def document_files(run: RunDir) -> list[str]:
    """The parquet files of `documents/`, in order."""
    manifest = run.read_json("documents", "_manifest.json") or {"done": []}
    return [done["kept"]["path"] for done in manifest["done"] if done["kept"]["rows"]]


def train_on_documents(recipe: Recipe, run: RunDir, ledger: Ledger, spark: SparkSession, reporter: Reporter) -> None:
    """Tokenizer, shards and model, as far as the recipe goes."""
    manifest = run.read_json("documents", "_manifest.json")
    corpus = [done["kept"]["sha256"] for done in manifest["done"]]
    if recipe.tokenizer is None:
        return
    digest = fingerprint("tokenizer", recipe.tokenizer, recipe.seed, corpus)
    if _stale(ledger, run, "tokenizer", digest):
        reporter.say("  tokenizer: training …")
        staged = run.staging("tokenizer")
        trained = recipe.tokenizer.settings.train(  # type: ignore[attr-defined]  # what the registry lists can train
            document_files(run), run.path(staged, "tokenizer.json"), recipe.seed
        )
        run.commit(staged, "tokenizer")
        ledger.note("tokenizer", {"fingerprint": digest, "sha256": trained.sha256, "vocab_size": trained.vocab_size})
    if recipe.tokens is None:
        return
    digest = fingerprint("tokens", recipe.tokens, recipe.mix, digest)
    if _stale(ledger, run, "tokens", digest):
        reporter.say("  tokens: encoding …")
        written = write_tokens(
            spark,
            document_files(run),
            run.path("tokenizer", "tokenizer.json"),
            recipe.mix,
            recipe.tokens,
            run.url("tokens"),
            recipe.seed,
        )
        ledger.note("tokens", {"fingerprint": digest, "splits": _sums(written)})
    if recipe.train is None:
        return
    digest = fingerprint("train", recipe.train, digest)
    if _stale(ledger, run, "model", digest):
        reporter.say("  model: training …")
        if not (ledger.record.get("model") or {}).get("started") == digest:
            run.remove("model")
        ledger.note("model", {"started": digest})
        summary = recipe.train.settings.train(run.path("tokens"), run.path("model"))  # type: ignore[attr-defined]
        ledger.note("model", {"fingerprint": digest, **summary})


def _stale(ledger: Ledger, run: RunDir, name: str, digest: str) -> bool:
    """Whether a step must run: its folder is gone, or it was made of something else."""
    noted = ledger.record.get(name) or {}
    return not run.exists(name) or noted.get("fingerprint") != digest


def _sums(manifest: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {key: value for key, value in split.items() if key != "shards"}
        for name, split in manifest["splits"].items()
    }
