"""What `rules.py` measures of ours, each function made for a process of its own.

`kernels`: the four stages on texts in memory, one core. `through_spark`: a run from parquet to parquet.
`worker_start`: what the first batch costs a fresh worker. None prints anything.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq

#: In the order of the recipe `fineweb`.
STAGES = ("gopher_repetition", "gopher_quality", "c4", "fineweb")
BATCH_ROWS = 256  # what readers make

_WORKER = """
import sys
from curate.spark import document_pass  # what a worker of a run imports
from curate.recipe import Recipe
from curate.fused import run_steps
from curate.readers.rows import Row, to_batch
recipe = Recipe.model_validate({"stages": sys.argv[1].split()})
texts = [f"Document {n} has a line, and the line ends here.\\nA second line of it is {'x' * n}." for n in range(10)]
run_steps(to_batch([Row(str(n), text=text) for n, text in enumerate(texts)]), recipe.stages, audit=True)
"""


def kernels(path: str, repeats: int) -> dict[str, dict[str, Any]]:
    """Seconds by stage, `repeats` of each, over the texts of a file with columns `set` and `text`, set by set.

    Every stage, with default settings, measures every text as it came. `together` is the time of the whole loop.
    Stages are called once before, so that loading them is not counted.
    """
    os.environ["NUMBA_NUM_THREADS"] = "1"
    pa.set_cpu_count(1)
    from curate.registry import stage_class
    from curate.stage import Modifier

    stages = {name: stage_class(name)() for name in STAGES}
    calls = {name: stage.modify if isinstance(stage, Modifier) else stage.annotate for name, stage in stages.items()}
    table = pq.read_table(path)
    results: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys(table["set"].to_pylist()):
        texts = table.filter(pa.compute.equal(table["set"], name)).select(["text"]).combine_chunks()
        batches = texts.to_batches(BATCH_ROWS)
        for call in calls.values():
            call(batches[0].slice(0, 10))
        seconds: dict[str, list[float]] = {stage: [] for stage in (*STAGES, "together")}
        for _ in range(repeats):
            for stage, took in _one_pass(calls, batches).items():
                seconds[stage].append(took)
        size = pa.compute.sum(pa.compute.binary_length(texts["text"])).as_py()
        results[name] = {"documents": texts.num_rows, "bytes": size, "seconds": seconds}
    return results


def _one_pass(calls: dict[str, Any], batches: list[pa.RecordBatch]) -> dict[str, float]:
    spent = dict.fromkeys((*calls, "together"), 0.0)
    begun = time.perf_counter()
    for batch in batches:
        for stage, call in calls.items():
            started = time.perf_counter()
            call(batch)
            spent[stage] += time.perf_counter() - started
    spent["together"] = time.perf_counter() - begun
    return spent


def through_spark(folders: list[str], cores: int) -> list[dict[str, Any]]:
    """One run of the four stages for each folder of parquet files, all in one session, as `curate run` does it.

    The first entry has what the start took: imports, session, and a run over 100 documents that loads the workers.
    """
    started = time.perf_counter()
    from curate.spark.session import local_session

    spark = local_session(cores=cores)
    results = []
    with tempfile.TemporaryDirectory(prefix="rules-") as scratch:
        few = pq.ParquetFile(sorted(Path(folders[0]).glob("*.parquet"))[0]).read_row_group(0).slice(0, 100)
        Path(scratch, "warm").mkdir()
        for core in range(cores):  # one task for each worker
            pq.write_table(few.slice(core * 100 // cores, 100 // cores), f"{scratch}/warm/{core}.parquet")
        _run(f"{scratch}/warm", f"{scratch}/out", spark)
        start_seconds = time.perf_counter() - started
        for folder in folders:
            results.append({"folder": Path(folder).name, "start_seconds": start_seconds})
            with _workers_watched(results[-1]):
                before, begun = _processor_seconds(), time.perf_counter()
                funnel = _run(folder, f"{scratch}/out", spark)
                results[-1]["seconds"] = time.perf_counter() - begun
                after = _processor_seconds()
            results[-1] |= {
                "processor_seconds": {who: after[who] - before[who] for who in after},
                "documents_in": sum(pq.ParquetFile(file).metadata.num_rows for file in Path(folder).glob("*.parquet")),
                "kept": funnel["kept"],
                "documents_out": _rows(f"{scratch}/out/documents") + _rows(f"{scratch}/out/dropped"),
                "stage_seconds": funnel["seconds"],
            }
    spark.stop()
    return results


def _run(folder: str, output: str, spark: Any) -> dict[str, Any]:
    from curate.pipeline import run
    from curate.recipe import Recipe

    shutil.rmtree(output, ignore_errors=True)
    sources = [{"name": "web", "paths": [folder], "format": "parquet"}]
    recipe = Recipe.model_validate({"name": "rules", "stages": list(STAGES), "sources": sources})
    funnel: dict[str, Any] = run(recipe, output, spark)["funnel"]
    return funnel


def _rows(folder: str) -> int:
    return sum(pq.ParquetFile(path).metadata.num_rows for path in Path(folder).rglob("*.parquet"))


def _python_workers() -> list[psutil.Process]:
    """Processes below this one that are Python: pyspark's daemon and its workers."""
    return [child for child in psutil.Process().children(recursive=True) if "python" in _name(child)]


def _name(process: psutil.Process) -> str:
    try:
        return str(process.name())
    except psutil.Error:
        return ""


def _processor_seconds() -> dict[str, float]:
    """Seconds of processor time so far: this process, Java, and the Python workers."""
    me = psutil.Process()
    spent = {"driver": sum(me.cpu_times()[:2]), "java": 0.0, "workers": 0.0}
    for child in me.children(recursive=True):
        try:
            spent["java" if "java" in child.name() else "workers"] += sum(child.cpu_times()[:2])
        except psutil.Error:
            continue
    return spent


@contextmanager
def _workers_watched(result: dict[str, Any], every_seconds: float = 0.1) -> Iterator[None]:
    """Note in `result` the most memory that one Python worker held while the body ran, by looking now and then."""
    stop = Event()
    result["worker_peak_bytes"] = 0

    def watch() -> None:
        while not stop.wait(every_seconds):
            for worker in _python_workers():
                try:
                    result["worker_peak_bytes"] = max(result["worker_peak_bytes"], worker.memory_info().rss)
                except psutil.Error:
                    continue

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()


def worker_start(repeats: int) -> dict[str, list[float]]:
    """Seconds of a fresh process for ten documents: `empty` without a stage, `cold` and `warm` with the four.

    `cold` compiles the kernels, `warm` finds them in the cache that `cold` left. Each has `repeats` values, `cold` one.
    """
    with tempfile.TemporaryDirectory(prefix="rules-cache-") as cache:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
        return {
            "cold": [_worker(STAGES, environment)],
            "warm": [_worker(STAGES, environment) for _ in range(repeats)],
            "empty": [_worker((), environment) for _ in range(repeats)],
        }


def _worker(stages: tuple[str, ...], environment: dict[str, str]) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", _WORKER, " ".join(stages)], env=environment, check=True)
    return time.perf_counter() - begun
