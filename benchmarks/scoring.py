"""Models: how fast they score and are trained, each beside its peer in the same run, and how good they are on labels.

    python benchmarks/scoring.py [--data FOLDER] [--parts PART,PART] [--lmplz PATH]

`--data` (or CURATE_DATA) is a folder of real texts and labelled sets; without it the texts are those of this Python
environment and `quality` is left out. Peers: Spark ML's own transform; fastText's `predict` over a list, which is a
loop in C++; kenlm's `score`, sentence by sentence; the package data-selection, in an environment of its own; and
KenLM's `lmplz`, which one builds from kenlm's source and names by `--lmplz`. Each contestant is timed in turn, five
times, in a process with one core, and the best time counts; training and quality are timed once.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from classifier_quality import quality
from frame import Bar, machine, on_cores, save
from peers.environments import make
from texts import text_sets

HERE = Path(__file__).parent
REPEATS = 5
PARTS = ("linear", "fasttext", "perplexity", "importance", "embedding", "lmplz", "quality")
MAX_BYTES = 8 << 20  # of each set of texts, to be scored
TRAINING_ROWS = 2_000
REFERENCE_TEXTS = 40  # for the slowest peer
PEERS = {
    "linear": "Spark ML transform",
    "fasttext": "fastText predict",
    "perplexity": "kenlm score, tokens ready",
    "importance": "data-selection",
}
DATA_SELECTION = ("data-selection==1.0.3", "nltk==3.8.1")


class Speed(NamedTuple):
    """One contestant on one set of texts."""

    part: str
    texts: str
    name: str
    megabytes_per_second: float


def pieces(texts: list[str], chars: int = 6_000) -> pa.Array:
    """Texts cut to pieces, up to `MAX_BYTES` of them."""
    found, room = [], MAX_BYTES
    for text in texts:
        for start in range(0, len(text), chars):
            piece = text[start : start + chars]
            room -= len(piece.encode())
            if room < 0:
                return pa.array(found, pa.string())
            found.append(piece)
    return pa.array(found, pa.string())


def examples(good: pa.Array, raw: pa.Array) -> pa.Table:
    """Some of two sets of texts as labelled examples, in turn."""
    from classifiers.trainer import EXAMPLES
    from curate.document import doc_id

    rows = []
    for number, pair in enumerate(zip(good.to_pylist()[:TRAINING_ROWS], raw.to_pylist()[:TRAINING_ROWS], strict=False)):
        for label, text in zip(("positive", "negative"), pair, strict=True):
            group = f"{label}-{number % 50}"
            rows.append(
                {
                    "doc_id": doc_id(text),
                    "text": text,
                    "label": label,
                    "group": group,
                    "source": label,
                    "language": "en",
                }
            )
    return pa.Table.from_pylist(rows, EXAMPLES)


def batch_of(texts: pa.Array, language: str) -> pa.RecordBatch:
    from curate.document import doc_id

    ids = pa.array([doc_id(text) for text in texts.to_pylist()])
    return pa.record_batch([ids, texts, pa.array([language] * len(texts))], ["doc_id", "text", "language"])


def best_times(contestants: Mapping[str, Callable[[], Any]]) -> dict[str, float]:
    """Seconds of each, the best of some; they take turns, so that what disturbs one disturbs the others."""
    best = dict.fromkeys(contestants, float("inf"))
    for work in contestants.values():
        work()  # compiles, loads
    for _ in range(REPEATS):
        for name, work in contestants.items():
            start = time.perf_counter()
            work()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def speeds(part: str, sets: Mapping[str, list[str]], cache: Path) -> list[Speed]:
    """What `part` and its peers do in a second, on each set of texts. Runs in a process of one core."""
    os.environ["OMP_NUM_THREADS"] = "1"
    texts = {name: pieces(rows) for name, rows in sets.items()}
    contestants: Callable[..., Mapping[str, Callable[[], Any]]] = globals()[f"{part}_contestants"]
    labelled = examples(*list(texts.values())[:2])
    found = []
    with tempfile.TemporaryDirectory(prefix="curate-bench-") as folder:
        for name, array in texts.items():
            batch = batch_of(array, "zh" if name == "zh" else "en")
            times = best_times(contestants(labelled, batch, Path(folder), cache))
            size = pc.sum(pc.binary_length(array)).as_py() / 1e6
            found += [Speed(part, name, who, size / seconds) for who, seconds in times.items()]
    return found


def linear_contestants(labelled: pa.Table, batch: pa.RecordBatch, folder: Path, cache: Path) -> Mapping[str, Any]:
    """GPT-3's classifier by the kernel, and by the Spark ML pipeline of the same weights."""
    import numpy as np
    from pyspark.ml import Pipeline
    from pyspark.ml.classification import LogisticRegression
    from pyspark.ml.feature import HashingTF, Tokenizer
    from pyspark.sql import SparkSession

    from classifiers.linear.trainer import LinearTrainer
    from curate.scoring.linear import LinearScore

    # Spark as it comes: our own session has Java compile sooner and less, which is slower here.
    os.environ |= {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    builder = SparkSession.builder.master("local[1]").config("spark.driver.memory", "4g")
    spark = builder.config("spark.ui.enabled", "false").config("spark.sql.shuffle.partitions", "1").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    path = folder / "linear.npz"
    if not path.exists():
        LinearTrainer().train(labelled, "positive", path, 0)
    rows = labelled.select(["text", "label"]).to_pandas()
    rows["label"] = (rows["label"] == "positive").astype(np.float64)
    stages = [Tokenizer(inputCol="text", outputCol="words"), HashingTF(inputCol="words", outputCol="features")]
    model = Pipeline(stages=[*stages, LogisticRegression()]).fit(spark.createDataFrame(rows))
    frame = spark.createDataFrame(batch.select(["text"]).to_pandas()).coalesce(1).cache()
    frame.count()
    stage = LinearScore(model_path=str(path))
    return {
        "linear_score": lambda: stage.annotate(batch),
        "Spark ML transform": lambda: model.transform(frame).write.format("noop").mode("overwrite").save(),
    }


def fasttext_contestants(labelled: pa.Table, batch: pa.RecordBatch, folder: Path, cache: Path) -> Mapping[str, Any]:
    """A classifier with bigrams by the stage, and by the library over lines that are ready."""
    from classifiers.fasttext.trainer import FastTextTrainer
    from curate.models import fasttext_module
    from curate.scoring.fasttext import FastTextScore

    path = folder / "fasttext.bin"
    if not path.exists():
        FastTextTrainer(bucket=200_000).train(labelled, "positive", path, 0)
    model = fasttext_module().load_model(str(path))
    lines = [text.replace("\n", " ") for text in batch["text"].to_pylist()]
    stage = FastTextScore(model_path=str(path))
    return {"fasttext_score": lambda: stage.annotate(batch), "fastText predict": lambda: model.predict(lines, k=2)}


def perplexity_contestants(labelled: pa.Table, batch: pa.RecordBatch, folder: Path, cache: Path) -> Mapping[str, Any]:
    """A 5-gram model by the stage, from raw text, and by kenlm over sentences that are cut already."""
    import kenlm

    from classifiers.language_model.trainer import LanguageModelTrainer
    from curate.scoring.perplexity import Perplexity
    from curate.scoring.pretokenize import Pretokenizer

    path = folder / "model.bin"
    if not path.exists():
        LanguageModelTrainer().train(labelled, "positive", path, 0)
    model = kenlm.Model(str(path))
    sentences = Pretokenizer().sentences(batch["text"]).tokens.to_pylist()
    stage = Perplexity(model_path=str(path))
    return {
        "perplexity": lambda: stage.annotate(batch),
        "kenlm score, tokens ready": lambda: [model.score(sentence) for sentence in sentences],
    }


def importance_contestants(labelled: pa.Table, batch: pa.RecordBatch, folder: Path, cache: Path) -> Mapping[str, Any]:
    """Log-weights by both hashes. The authors' package is timed by itself: `data_selection`."""
    from classifiers.importance.trainer import ImportanceTrainer
    from curate.scoring.importance import Importance

    stages = {}
    for hashing in ("fast", "sha256"):
        path = folder / f"{hashing}.npz"
        if not path.exists():
            ImportanceTrainer(hashing=hashing).train(labelled, "positive", path, 0)
        stages[f"importance, {hashing}"] = Importance(model_path=str(path))
    return {name: lambda stage=stage: stage.annotate(batch) for name, stage in stages.items()}


def embedding_contestants(labelled: pa.Table, batch: pa.RecordBatch, folder: Path, cache: Path) -> Mapping[str, Any]:
    """A head over the embedding that needs no model."""
    from classifiers.embedding_head.trainer import EmbeddingHeadTrainer
    from curate.scoring.embedding_head import EmbeddingScore

    path = folder / "head.npz"
    if not path.exists():
        EmbeddingHeadTrainer().train(labelled, "positive", path, 0)
    stage = EmbeddingScore(model_path=str(path))
    return {"embedding_score": lambda: stage.annotate(batch)}


def data_selection(sets: Mapping[str, list[str]], cache: Path) -> list[Speed]:
    """The n-gram counts of the authors' package, nearly all of its time, in an environment of its own."""
    python = make(cache / "environments" / "data-selection-1.0.3", DATA_SELECTION)
    found = []
    for name, rows in sets.items():
        texts = pieces(rows).slice(0, REFERENCE_TEXTS).to_pylist()
        given = json.dumps(texts).encode()
        done = subprocess.run(
            [str(python), str(HERE / "peers" / "run_data_selection.py")], input=given, capture_output=True
        )
        if done.returncode:
            raise SystemExit(f"data-selection failed:\n{done.stderr.decode()[-2000:]}")
        size = sum(len(text.encode()) for text in texts) / 1e6
        found.append(Speed("importance", name, "data-selection", size / float(done.stdout)))
    return found


def language_models(texts: list[str], lmplz: Path | None) -> dict[str, Any]:
    """Seconds and the most memory (MB) to train a 5-gram model, ours and lmplz's, and how large the text is."""
    from curate.scoring.pretokenize import Pretokenizer

    with tempfile.TemporaryDirectory(prefix="curate-bench-") as name:
        folder = Path(name)
        tokens = folder / "tokens.txt"
        with tokens.open("w", encoding="utf-8") as file:
            for start in range(0, len(texts), 500):
                lines = Pretokenizer().sentences(pa.array(texts[start : start + 500], pa.string())).tokens.to_pylist()
                file.write("".join(line + "\n" for line in lines))
        found: dict[str, Any] = {"megabytes": tokens.stat().st_size / 1e6}
        found["ours"] = _measured(
            [sys.executable, str(HERE / "train_language_model.py"), str(tokens), str(folder / "m")]
        )
        if lmplz is not None:
            command = [str(lmplz), "-o", "5", "-S", "4G", "-T", name, "--discount_fallback", "--text", str(tokens)]
            found["lmplz"] = _measured([*command, "--arpa", str(folder / "lmplz.arpa")])
    return found


def _measured(command: list[str]) -> dict[str, float]:
    """Seconds and peak megabytes of a command."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command[0]} failed:\n{errors.decode(errors='replace')[-2000:]}")
    return {"seconds": time.perf_counter() - start, "megabytes": usage.ru_maxrss / 1e3}


def show(found: list[Speed], peers: Mapping[str, str]) -> None:
    """Rates as text, and those of each contestant as multiples of the peer's."""
    print(f"\n{'':14}{'texts':14}{'contestant':30}{'MB/s':>9}{'ratio':>9}")
    for row in found:
        peer = next((o for o in found if o.texts == row.texts and o.name == peers.get(row.part)), None)
        ratio = f"{row.megabytes_per_second / peer.megabytes_per_second:9.2f}" if peer else f"{'-':>9}"
        print(f"{row.part:14}{row.texts:14}{row.name:30}{row.megabytes_per_second:9.1f}{ratio}")


def bars(found: list[Speed], models: Mapping[str, Any]) -> list[Bar]:
    """What the figures must reach; the least over all texts."""

    def least(name: str, peer: str | None = None) -> float | None:
        rates = {(row.texts, row.name): row.megabytes_per_second for row in found}
        values = [rates[key] / (rates[key[0], peer] if peer else 1) for key in rates if key[1] == name]
        return min(values, default=None)

    ours, theirs = models.get("ours"), models.get("lmplz")
    return [
        Bar("linear_score, MB/s", least("linear_score"), 20),
        Bar("linear_score, times Spark ML", least("linear_score", "Spark ML transform"), 20),
        Bar("fasttext_score, times the library", least("fasttext_score", "fastText predict"), 0.9),
        Bar("perplexity, times the library", least("perplexity", "kenlm score, tokens ready"), 0.9),
        Bar("training, times lmplz's seconds", ours["seconds"] / theirs["seconds"] if theirs else None, 3, False),
    ]


def main() -> None:
    """Print rates, figures and bars, and leave all in a file."""
    options = _options()
    print(machine(), flush=True)
    sets = text_sets(options.data, options.cache)
    found: list[Speed] = []
    for part in [part for part in options.parts if f"{part}_contestants" in globals()]:
        found += on_cores(1, speeds, part, sets, options.cache)
        found += data_selection(sets, options.cache) if part == "importance" else []
        show([row for row in found if row.part == part], PEERS)
    result: dict[str, Any] = {"speeds": [row._asdict() for row in found]}
    if "lmplz" in options.parts:
        result["language_models"] = on_cores(
            1, language_models, [t for rows in sets.values() for t in rows], options.lmplz
        )
        print("\n5-gram training:", json.dumps(result["language_models"]))
    result["bars"] = [bar.line() for bar in bars(found, result.get("language_models", {}))]
    if "quality" in options.parts and options.data:
        result["quality"], more = quality(options.data, sets, options.cache)
        result["bars"] += [bar.line() for bar in more]
    print("\n" + "\n".join(result["bars"]))
    print(save("scoring", result))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("CURATE_DATA"), help="a folder of real data")
    parser.add_argument(
        "--parts", type=lambda words: words.split(","), default=PARTS, help=f"some of {','.join(PARTS)}, with commas"
    )
    parser.add_argument("--lmplz", type=Path, help="KenLM's own trainer, to compare with")
    parser.add_argument("--cache", type=Path, default=HERE / "cache", help="for texts and peers, made once")
    return parser.parse_args()


if __name__ == "__main__":
    main()
