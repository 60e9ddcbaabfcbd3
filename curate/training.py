"""After the documents: train a tokenizer on them, write token shards, train a model.

Each step runs when the recipe asks for it and when what it depends on has changed since the last time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyspark.sql import SparkSession

from curate.errors import OutputError
from curate.ledger import Ledger
from curate.progress import Reporter
from curate.readers.source import Source, list_files
from curate.recipe import Part, Recipe, fingerprint
from curate.rundir import RunDir
from curate.spark.session import session
from curate.tokens.write import write_tokens

#: What the trained model is asked to go on from: beginnings that most corpora have, and one for code.
PROMPTS = ("The", "This is", "import")


def document_files(run: RunDir) -> list[str]:
    """The parquet files of `documents/` that hold any row, in order."""
    manifest = run.read_json("documents", "_manifest.json") or {"done": []}
    return [run.url("documents", done["kept"]["path"]) for done in manifest["done"] if done["kept"]["rows"]]


def train_on_documents(recipe: Recipe, run: RunDir, ledger: Ledger, spark: SparkSession, reporter: Reporter) -> None:
    """Tokenizer, shards and model, as far as the recipe goes."""
    manifest = run.read_json("documents", "_manifest.json")
    digest = fingerprint([done["kept"]["sha256"] for done in manifest["done"]], recipe.seed)
    for name, section in (("tokenizer", recipe.tokenizer), ("tokens", recipe.tokens), ("model", recipe.train)):
        if section is None:  # an earlier recipe of this folder had it
            run.remove(name)
            ledger.record.pop(name, None)
    if recipe.tokenizer is None:
        return
    digest = fingerprint("tokenizer", recipe.tokenizer, digest)
    if _stale(ledger, run, "tokenizer", digest):
        _train_tokenizer(recipe.tokenizer, recipe.seed, document_files(run), run, ledger, reporter, digest)
    if recipe.tokens is None:
        return
    digest = fingerprint("tokens", recipe.tokens, recipe.mix, digest)
    if _stale(ledger, run, "tokens", digest):
        _write_tokens(recipe, document_files(run), run, ledger, spark, reporter, digest)
    if recipe.train is None:
        return
    digest = fingerprint("model", recipe.train, digest)
    if _stale(ledger, run, "model", digest):
        if ledger.record.get("model", {}).get("begun") != digest:
            run.remove("model")  # of other tokens or settings: it cannot be resumed
        ledger.note("model", {"begun": digest})
        ledger.note(
            "model", {"fingerprint": digest, **train(recipe.train, run.path("tokens"), run.path("model"), reporter)}
        )


def _train_tokenizer(
    part: Part, seed: int, files: Sequence[str], run: RunDir, ledger: Ledger, reporter: Reporter, digest: str
) -> None:
    reporter.say(f"  tokenizer: {part.use} on {len(files)} files …")
    staged = run.staging("tokenizer")
    settings: Any = part.settings
    trained = settings.train(files, run.path(staged, "tokenizer.json"), seed)
    run.commit(staged, "tokenizer")
    ledger.note("tokenizer", {"fingerprint": digest, "sha256": trained.sha256, "vocab_size": trained.vocab_size})


def _write_tokens(
    recipe: Recipe,
    files: Sequence[str],
    run: RunDir,
    ledger: Ledger,
    spark: SparkSession,
    reporter: Reporter,
    digest: str,
) -> None:
    assert recipe.tokens is not None
    run.remove("tokens")
    written = write_tokens(
        spark,
        files,
        run.path("tokenizer", "tokenizer.json"),
        recipe.mix,
        recipe.tokens,
        run.path("tokens"),
        recipe.seed,
        progress=lambda step: reporter.say(f"  tokens: {step} …"),
        sources=[source.name for source in recipe.sources],
    )
    splits = {
        name: {key: value for key, value in split.items() if key != "shards"}
        for name, split in written["splits"].items()
    }
    ledger.note("tokens", {"fingerprint": digest, "splits": splits})


def train(part: Part, tokens: str, output: str, reporter: Reporter) -> dict[str, Any]:
    """Train a model on shards, with progress, and let it write a little. Returns its summary, with `samples`."""
    settings: Any = part.settings
    with reporter.bar("model", settings.steps) as show:

        def progress(record: dict[str, Any]) -> None:
            numbers = ", ".join(
                f"{name} {record[name]:,.4g}" for name in ("loss", "val_loss", "tokens_per_second") if name in record
            )
            show(record.get("step", 0), f"step {record.get('step', 0)} of {settings.steps}, {numbers}")

        summary: dict[str, Any] = settings.train(tokens, output, progress)
    return {**summary, "samples": settings.write_samples(output, PROMPTS)}


def _stale(ledger: Ledger, run: RunDir, name: str, digest: str) -> bool:
    """Whether a step must run: its folder is gone, or it was made of something else."""
    noted = ledger.record.get(name) or {}
    return not run.exists(name) or noted.get("fingerprint") != digest


def tokenize_documents(
    documents: str, output: str, tokenizer: str | None, recipe: Recipe, master: str | None, reporter: Reporter
) -> dict[str, Any]:
    """Write token shards of a run's documents, or of any parquet files with the document columns, into a new folder.

    `recipe` gives tokenizer, mix and tokens. A `tokenizer` file is used as it is. Returns the shards' manifest.
    """
    assert recipe.tokenizer is not None
    assert recipe.tokens is not None
    files = document_files(RunDir(documents))
    if not files:
        source = Source(name="documents", paths=(documents,), format="parquet")
        files = [file.path for file in list_files(source)]
    place = RunDir(output)
    if place.names():
        raise OutputError(f"{output} is not empty. Choose a new folder, or empty this one")
    if tokenizer is None:
        reporter.say(f"tokenizer: {recipe.tokenizer.use} on {len(files)} files …")
        settings: Any = recipe.tokenizer.settings
        tokenizer = settings.train(files, place.path("tokenizer", "tokenizer.json"), recipe.seed).path
    spark = session(master)

    def progress(step: str) -> None:
        reporter.say(f"tokens: {step} …")

    return write_tokens(
        spark, files, str(tokenizer), recipe.mix, recipe.tokens, place.path("tokens"), recipe.seed, progress
    )
