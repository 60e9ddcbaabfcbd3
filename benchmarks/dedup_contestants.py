"""Who deduplicates in `dedup.py`: the command lines, ours and the peers', and what a command takes to run.

A contestant is a command from a folder of parquet files to a folder, and how to read the ids that stayed. `watched`
runs one in a process of its own, pinned to its cores, and looks at its process tree now and then. Peers run in virtual
environments of their own, installed from PyPI on first use and kept.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
from frame import pin
from peers.environments import make

HERE = Path(__file__).parent
CORES = 2
LOOK_SECONDS = 0.2

#: Ours, as a person types it: parquet files in a folder to a run folder. `dedup` is the shipped recipe of that name.
OURS = ("dedup", "--input", "{input}", "--output", "{output}")
#: Near duplicates alone; one dump through an index of the earlier ones, the policy deciding among all that are known.
NEAR_ALONE = ("--config", "{recipe}")
WITH_INDEX = ("--set", "near_dedup.index={index}", "--set", "near_dedup.elect=all")

REQUIREMENTS = {
    "text-dedup 0.4.0": ("text-dedup==0.4.0",),
    # spaCy cuts its English words; lxml's cleaner is imported with its readers and not among its requirements.
    "datatrove 0.10.1": (
        "datatrove[io,processing]==0.10.1",
        "lxml[html-clean]",
        "spacy==3.8.18",
        "nltk==3.10.4",
    ),
}


class Usage(NamedTuple):
    """What a command took. Processes are `driver` (the command itself), `java`, and `workers` (all other Python)."""

    seconds: float  # from its start to its end
    processor_seconds: dict[str, float]
    largest: dict[str, int]  # bytes: the most that one process of the kind held
    together: dict[str, int]  # bytes: the most that all of the kind, and `all`, held at one moment; shared ones twice


class Contestant(NamedTuple):
    """How one is run, and what it left."""

    name: str
    command: Callable[[Path, Path], list[str]]  # (input, a folder of its own) → command line
    stays: Callable[[Path], pa.Array]  # (the folder of its own) → ids


def contestants(cache: Path, named: Sequence[str]) -> list[Contestant]:
    """Those asked for, ours first. A peer whose environment cannot be made is left out, and it is said."""
    found = [Contestant("curate", our_command, our_survivors)] if "curate" in named else []
    peers = {
        "text-dedup 0.4.0": (text_dedup_command, text_dedup_survivors),
        "datatrove 0.10.1": (datatrove_command, datatrove_survivors),
    }
    for name, (command, survivors) in peers.items():
        if name.split()[0] not in named:
            continue
        try:
            python = make(cache / "environments" / name.replace(" ", "-"), REQUIREMENTS[name])
        except subprocess.SubprocessError:
            print(f"{name} cannot be installed here: no figure of it")
            continue
        found.append(Contestant(name, partial(command, python), survivors))
    return found


def our_command(corpus: Path, folder: Path) -> list[str]:
    """Exact and near deduplication."""
    return _curate(OURS, input=corpus, output=folder / "out")


def near_command(corpus: Path, folder: Path, index: Path | None = None) -> list[str]:
    """Near deduplication alone: of one dump through an index, or of a corpus by itself."""
    recipe = folder / "near.yaml"
    recipe.write_text("name: near\nstages: [near_dedup]\n", encoding="utf-8")
    words = OURS + NEAR_ALONE + (WITH_INDEX if index else ())
    return _curate(words, input=corpus, output=folder / "out", recipe=recipe, index=index)


def _curate(words: Sequence[str], **places: Path | None) -> list[str]:
    return [sys.executable, "-m", "curate.cli", *(word.format(**places) for word in words)]


def our_survivors(folder: Path) -> pa.Array:
    """The ids are the last part of the URLs."""
    urls = _column(folder / "out" / "documents", "url")
    return pa.array([url.rpartition("/")[2] for url in urls.to_pylist()], pa.string())


def re_elected(folder: Path) -> tuple[set[str], set[str]]:
    """Documents of earlier dumps that a run through an index dropped, and those that it let stay after all."""
    dropped, back = set[str](), set[str]()
    for path in (folder / "out" / "dedup").glob("*/changes/*.parquet"):
        for row in pq.read_table(path, columns=["url", "duplicate_of"]).to_pylist():
            (back if row["duplicate_of"] is None else dropped).add(row["url"].rpartition("/")[2])
    return dropped, back


def our_record(folder: Path) -> dict[str, Any]:
    """Seconds and documents of each pass, as the run noted them."""
    record = json.loads((folder / "out" / "run.json").read_text("utf-8"))
    return {entry["name"]: entry["seconds"] for entry in record.get("passes", [])}


def text_dedup_command(python: Path, corpus: Path, folder: Path) -> list[str]:
    """Its command with the same bands, and the faster of its hashes: xxh3 at 32 bits."""
    words = f"-m text_dedup.minhash --path parquet --data_files {corpus}/*.parquet --split train --column text"
    words += f" --cache_dir {folder}/cache --output {folder}/out --num_proc {CORES} --batch_size 10000"
    words += " --ngram 5 --num_perm 112 --b 14 --r 8 --hash_func xxh3 --hash_bits 32"
    return [str(python), *words.split(" ")]


def text_dedup_survivors(folder: Path) -> pa.Array:
    """It writes Arrow streams."""
    parts = []
    for path in sorted((folder / "out").glob("*.arrow")):
        with pa.memory_map(str(path)) as data:
            parts.append(pa.ipc.open_stream(data).read_all()["id"])
    return pa.concat_arrays([chunk for part in parts for chunk in part.chunks])


def datatrove_command(python: Path, corpus: Path, folder: Path) -> list[str]:
    """A script, since it has no command."""
    script = HERE / "peers" / "minhash_datatrove.py"
    places = ["--input", corpus, "--output", folder / "out", "--scratch", folder / "scratch"]
    return [str(python), str(script), *map(str, places), "--workers", str(CORES)]


def datatrove_survivors(folder: Path) -> pa.Array:
    """The `id` that it was given."""
    return _column(folder / "out", "id")


def _column(folder: Path, name: str) -> pa.Array:
    tables = [pq.read_table(path, columns=[name], partitioning=None) for path in sorted(folder.rglob("*.parquet"))]
    return pa.concat_tables(tables)[name].combine_chunks() if tables else pa.array([], pa.string())


def fresh(folder: Path) -> Path:
    """An empty folder in place of what was there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def watched(command: Sequence[str], folder: Path, cores: int = CORES) -> Usage:
    """Run a command and say what it took. SystemExit with the end of what it printed, where it fails."""
    log = folder / "output.txt"
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": str(folder / "datasets")}
    begun = time.perf_counter()
    with log.open("w", encoding="utf-8") as said:
        process = subprocess.Popen(
            command, stdout=said, stderr=subprocess.STDOUT, env=os.environ | offline, preexec_fn=partial(pin, cores)
        )
        watch = _Watch(process.pid)
        while process.poll() is None:
            watch.look()
            time.sleep(LOOK_SECONDS)
    seconds = time.perf_counter() - begun
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}\nfailed:\n{log.read_text('utf-8', 'replace')[-3000:]}")
    return Usage(seconds, watch.processor_seconds(), watch.largest, watch.together)


class _Watch:
    """The most memory seen by kind of process, and the last seen processor time of each process."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.largest: dict[str, int] = {}
        self.together: dict[str, int] = {}
        self.spent: dict[tuple[int, float], tuple[str, float]] = {}

    def look(self) -> None:
        now: dict[str, int] = {}
        try:
            root = psutil.Process(self.pid)
            processes = [root, *root.children(recursive=True)]
        except psutil.Error:
            return
        for process in processes:
            try:
                with process.oneshot():
                    name, held, times = process.name(), process.memory_info().rss, process.cpu_times()
                    key = (process.pid, process.create_time())
            except psutil.Error:
                continue
            kind = "driver" if process.pid == self.pid else "java" if "java" in name else "workers"
            self.spent[key] = (kind, times.user + times.system)
            self.largest[kind] = max(held, self.largest.get(kind, 0))
            now[kind], now["all"] = now.get(kind, 0) + held, now.get("all", 0) + held
        for kind, held in now.items():
            self.together[kind] = max(held, self.together.get(kind, 0))

    def processor_seconds(self) -> dict[str, float]:
        sums: dict[str, float] = {}
        for kind, seconds in self.spent.values():
            sums[kind] = sums.get(kind, 0.0) + seconds
        return {kind: round(seconds, 2) for kind, seconds in sums.items()}


def memory(usage: Mapping[str, int]) -> str:
    """`driver 210, java 1,900, workers 640` in MB."""
    return ", ".join(f"{kind} {held / 1e6:,.0f}" for kind, held in sorted(usage.items()))
