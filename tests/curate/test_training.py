"""From documents to a trained model: each step runs when it must, and only then."""

from __future__ import annotations

import json

import pytest

from curate import recipe as recipes
from curate.errors import OutputError
from curate.pipeline import run, with_sources
from curate.progress import Reporter
from curate.readers.source import Source
from curate.training import PROMPTS, tokenize_documents

pytestmark = pytest.mark.spark

TRAIN = {"compact": {"layers": 1, "width": 32, "heads": 2, "seq_len": 32, "batch_tokens": 256, "steps": 60,
                     "warmup_steps": 5, "eval_every": 30, "log_every": 10, "threads": 1}}  # fmt: skip


def recipe_for(path, **changes):
    sections = {
        "stages": [{"extract": {"extractor": "resiliparse"}}, "exact_dedup"],
        "tokenizer": {"bpe": {"vocab_size": 512}},
        "tokens": {"validation_frac": 0.1},
        "train": TRAIN,
    }
    return with_sources(recipes.parse(sections | changes), [Source(name="web", paths=(str(path),))])


def stamps(folder):
    return {p.relative_to(folder).parts[0]: p.stat().st_mtime_ns for p in folder.glob("t*/*.json")} | {
        "model": (folder / "model/summary.json").stat().st_mtime_ns
    }


@pytest.mark.slow
def test_a_model_is_trained_and_only_what_changed_is_done_again(spark, small_warc, tmp_path):
    out = tmp_path / "out"
    record = run(recipe_for(small_warc), str(out), spark)
    model = record["model"]
    assert model["val_loss"] < model["unigram_loss"]
    assert [text.startswith(prompt) for text, prompt in zip(model["samples"], PROMPTS, strict=True)] == [True] * 3
    assert record["tokens"]["splits"]["train"]["num_documents"] > record["tokens"]["splits"]["val"]["num_documents"] > 0
    assert (out / "report.html").exists()
    first = stamps(out)

    again = run(recipe_for(small_warc), str(out), spark)
    assert stamps(out) == first
    assert again["model"] == model

    run(recipe_for(small_warc, mix={"weights": {"web": 1}, "tokens": 5_000}), str(out), spark)
    second = stamps(out)
    assert second["tokenizer"] == first["tokenizer"]
    assert second["tokens"] != first["tokens"]
    assert second["model"] != first["model"]

    run(recipe_for(small_warc, tokenizer=None, tokens=None, train=None), str(out), spark)
    assert "model" not in json.loads((out / "run.json").read_text())
    assert not (out / "tokens").exists()


def test_shards_of_a_run_or_of_any_parquet(spark, small_warc, tmp_path):
    run(recipe_for(small_warc, tokenizer=None, tokens=None, train=None), str(tmp_path / "out"), spark)
    recipe = recipes.parse({"tokenizer": {"bpe": {"vocab_size": 400}}, "tokens": {"validation_frac": 0}})
    reporter = Reporter()
    of_run = tokenize_documents(str(tmp_path / "out"), str(tmp_path / "a"), None, recipe, None, reporter)
    tokenizer = str(tmp_path / "a/tokenizer/tokenizer.json")
    files = str(tmp_path / "out/documents")
    of_files = tokenize_documents(files, str(tmp_path / "b"), tokenizer, recipe, None, reporter)
    assert of_run["splits"] == of_files["splits"]
    assert (tmp_path / "a/tokens/train-00000.bin").read_bytes() == (tmp_path / "b/tokens/train-00000.bin").read_bytes()
    with pytest.raises(OutputError, match="is not empty"):
        tokenize_documents(files, str(tmp_path / "b"), tokenizer, recipe, None, reporter)
