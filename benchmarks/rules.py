"""Quality rules: Gopher quality and repetition, C4 and FineWeb, alone and through Spark, beside datatrove's.

    python benchmarks/rules.py [--part kernels|spark|start] [--data FOLDER] [--spark-gb 0.25,0.5,1]

- `kernels`, one core: all signals of the four stages, default settings, on texts in memory, MB/s of UTF-8. Beside it
  datatrove's four filters on the same texts in an environment of its own (`--datatrove-venv`, or made once). It is
  given as many of the texts as fit into `--peer-seconds`; its figure is for each MB.
- `spark`, two cores: parquet to parquet, a run of the four stages, on texts varied from the real ones.
- `start`: what the first batch costs a fresh worker beside one without stages, kernels compiled before and not.

`--data` is a folder of real texts (or the variable CURATE_DATA); without one the documentation in this Python
environment is used. What is made for the benchmark (extracted pages, varied texts, datatrove's environment) is kept in
`--cache`. Each contestant has a process of its own, pinned to its cores; loading stages and the Spark session are no
part of a rate. The bars are for a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from frame import Bar, machine, on_cores, save
from rules_measure import STAGES, kernels, through_spark, worker_start
from texts import ENGLISH, compression_ratio, first_megabytes, text_sets, utf8_bytes, varied_texts, write_varied

HERE = Path(__file__).parent
DATATROVE = ("datatrove[processing]==0.10.1", "lxml[html-clean]", "spacy", "nltk")
CORES = 2  # of the Spark part


def main() -> None:
    """Run the parts, print figures and bars, and write the result file."""
    options = _options()
    print(machine())
    sets = text_sets(options.data, options.cache, options.web)
    parts = {"kernels": kernels_part, "spark": spark_part, "start": start_part}
    result: dict[str, Any] = {"data": "real" if options.data else "environment"}
    bars: list[Bar] = []
    for name in [options.part] if options.part else parts:
        result[name], found = parts[name](sets, options)
        bars += found
    print("\nbars")
    print("\n".join(bar.line() for bar in bars))
    result["bars"] = [bar._asdict() for bar in bars]
    print(f"result: {save('rules', result)}")


def kernels_part(sets: dict[str, list[str]], options: argparse.Namespace) -> tuple[dict[str, Any], list[Bar]]:
    """Ours and the peer's on the same texts."""
    path = options.cache / "kernel-texts.parquet"
    chosen = {name: first_megabytes(texts, options.max_mb) for name, texts in sets.items()}
    columns = [(name, text) for name, texts in chosen.items() for text in texts]
    pq.write_table(pa.table({"set": [name for name, _ in columns], "text": [text for _, text in columns]}), path)
    ours = on_cores(1, kernels, str(path), options.repeats)
    print(f"\nMB/s on one core, best (median) of {options.repeats}; each stage measures every text")
    print(f"{'':<14}{'MB':>6}" + "".join(f"{stage:>19}" for stage in (*STAGES, "together")))
    for name, run in ours.items():
        cells = "".join(f"{cell(run['bytes'], seconds):>19}" for seconds in run["seconds"].values())
        print(f"{name:<14}{run['bytes'] / 1e6:6.1f}{cells}")
    spaced = [name for name in ours if name != "zh"]
    english = summed([ours[name] for name in spaced])
    peer, ratio = peer_part(path, spaced, options), None
    result: dict[str, Any] = {"ours": ours, "english": english, "peer": peer}
    print(f"{'but zh':<14}{english['bytes'] / 1e6:6.1f}{cell(english['bytes'], english['seconds']):>95}")
    if peer:
        ratio = english["rate"] / peer["rate"]
        print(f"datatrove 0.10.1, the same sets: {peer['rate']:.3f} MB/s over {peer['bytes'] / 1e6:.2f} MB of them")
        print(f"curate {english['rate']:.1f} MB/s; ratio {ratio:.0f}")
    result["ratio"] = ratio
    bars = [
        Bar("kernels together, but zh, one core, best MB/s", english["rate"], 40),
        Bar("ratio to datatrove", ratio, 200),
        Bar("kernels together, zh, best MB/s", rate(ours["zh"]) if "zh" in ours else None, 12),
    ]
    return result, bars


def rate(run: dict[str, Any]) -> float:
    """Best MB/s of all stages together."""
    return float(run["bytes"] / 1e6 / min(run["seconds"]["together"]))


def summed(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Several sets as one: bytes, seconds of each repeat, best rate in MB/s."""
    size = sum(run["bytes"] for run in runs)
    seconds = [sum(took) for took in zip(*(run["seconds"]["together"] for run in runs), strict=True)]
    return {"bytes": size, "seconds": seconds, "rate": size / 1e6 / min(seconds)}


def cell(size: int, seconds: Sequence[float]) -> str:
    """`51.3 (48.0)`: MB/s of the best and of the median."""
    return f"{size / 1e6 / min(seconds):.1f} ({size / 1e6 / median(seconds):.1f})"


def peer_part(texts: Path, sets: Sequence[str], options: argparse.Namespace) -> dict[str, Any] | None:
    """datatrove's seconds over a sample of the sets, or None where it cannot be had.

    Its rate is weighed as ours is: seconds for each byte of a set, times the set's bytes.
    """
    python = _datatrove_python(options)
    if python is None or options.peer_seconds <= 0:
        return None
    whole = dict.fromkeys(sets, 0)
    own = texts.with_name("peer-texts.jsonl")  # its environment need not have Arrow
    with own.open("w", encoding="utf-8") as lines:
        for row in pq.read_table(texts).to_pylist():
            if row["set"] in whole:
                whole[row["set"]] += len(row["text"].encode())
                lines.write(json.dumps(row) + "\n")
    command = [str(python), str(HERE / "rules_peer.py"), str(own), str(options.peer_seconds)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    seconds = sum(sum(run["seconds"].values()) / run["bytes"] * whole[name] for name, run in found.items())
    measured = sum(run["bytes"] for run in found.values())
    return {"rate": sum(whole.values()) / 1e6 / seconds, "bytes": measured, "sets": found}


def _datatrove_python(options: argparse.Namespace) -> Path | None:
    """The interpreter of datatrove's environment, made in the cache where none is given; None where that fails."""
    if options.datatrove_venv is not None:
        return Path(options.datatrove_venv) / "bin" / "python"
    folder = options.cache / "datatrove-0.10.1"
    python, ready = folder / "bin" / "python", folder / "ready"
    if not ready.exists() and options.peer_seconds > 0:
        print("making an environment for datatrove, once …", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        try:
            subprocess.run([python, "-m", "pip", "install", "-q", *DATATROVE], check=True, timeout=900)
            ready.touch()
        except subprocess.SubprocessError:
            print("datatrove cannot be installed here: no figure of it. Name an environment by --datatrove-venv")
    return python if ready.exists() else None


def spark_part(sets: dict[str, list[str]], options: argparse.Namespace) -> tuple[dict[str, Any], list[Bar]]:
    """Runs over inputs of the wanted sizes."""
    english = [text for name, texts in sets.items() if name in ENGLISH or name != "zh" for text in texts]
    sizes = [float(size) for size in options.spark_gb.split(",")]
    kind = "real" if options.data else "environment"
    folders = [str(write_varied(english, int(gb * 1e9), options.cache / f"varied-{kind}-{gb:g}")) for gb in sizes]
    ratios = _compression(english)
    print(
        f"\nthrough Spark, {CORES} cores; zstd makes {ratios[0]:.2f} to 1 of the texts, {ratios[1]:.2f} of varied ones"
    )
    runs = on_cores(CORES, through_spark, folders, CORES)
    print(f"start, not in the rates: {runs[0]['start_seconds']:.1f} s")
    for gb, run in zip(sizes, runs, strict=True):
        run["rate"] = gb * 1e3 / run["seconds"]
        run["processor_ns_a_byte"] = sum(run["processor_seconds"].values()) / gb
        spent = ", ".join(f"{who} {seconds:.1f}" for who, seconds in run["processor_seconds"].items())
        with_start = gb * 1e3 / (run["seconds"] + run["start_seconds"])
        print(
            f"{gb:g} GB: {run['seconds']:.1f} s = {run['rate']:.1f} MB/s ({with_start:.1f} with the start); "
            f"processor s: {spent} = {run['processor_ns_a_byte']:.0f} ns a byte; "
            f"worker at most {run['worker_peak_bytes'] / 1e6:.0f} MB; kept {run['kept']:,} of {run['documents_in']:,}"
        )
    per_gb = [run["seconds"] / gb for gb, run in sorted(zip(sizes, runs, strict=True), key=lambda pair: pair[0])]
    lost = sum(abs(run["documents_in"] - run["documents_out"]) for run in runs)
    bars = [
        Bar(
            "through Spark, largest size, MB/s",
            max(zip(sizes, runs, strict=True), key=lambda pair: pair[0])[1]["rate"],
            40,
        ),
        Bar("largest Python worker, MB", max(run["worker_peak_bytes"] for run in runs) / 1e6, 1000, at_least=False),
        Bar("s/GB, largest over smallest input", per_gb[-1] / per_gb[0] if len(sizes) > 1 else None, 1.15, False),
        Bar("documents in but not out", lost, 0, at_least=False),
    ]
    return {"compression": ratios, "runs": runs}, bars


def _compression(texts: Sequence[str]) -> tuple[float, float]:
    """zstd's ratio over the texts, and over the first round of texts varied from them."""
    both = list(varied_texts(texts, 2 * utf8_bytes(texts)))
    return compression_ratio(both[: len(texts)]), compression_ratio(both[len(texts) :])


def start_part(sets: dict[str, list[str]], options: argparse.Namespace) -> tuple[dict[str, Any], list[Bar]]:
    """What the stages add to a worker's start."""
    run = on_cores(1, worker_start, max(options.repeats, 3))
    empty = median(run["empty"])
    warm, cold = median(run["warm"]) - empty, run["cold"][0] - empty
    print(f"\nfirst batch of a fresh worker, over an empty one ({empty:.2f} s): warm {warm:.2f} s, cold {cold:.2f} s")
    return run | {"warm_over_empty": warm, "cold_over_empty": cold}, [Bar("warm start, s", warm, 1, at_least=False)]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("kernels", "spark", "start"), help="only this one")
    parser.add_argument("--data", type=Path, default=os.environ.get("CURATE_DATA"), help="a folder with text/ and web/")
    parser.add_argument("--web", type=Path, help="parquet with the text of web pages, instead of extracting them")
    parser.add_argument("--cache", type=Path, default=HERE / "cache", help="for what is made once")
    parser.add_argument("--max-mb", type=float, default=8, help="of each set, for the kernels (default: 8)")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peer-seconds", type=float, default=30, help="for datatrove; 0 leaves it out (default: 30)")
    parser.add_argument("--datatrove-venv", type=Path, help="an environment that has datatrove 0.10.1")
    parser.add_argument("--spark-gb", default="0.25", help="sizes in GB of text, with commas (default: 0.25)")
    options: argparse.Namespace = parser.parse_args()
    if options.data is not None:
        options.data = Path(options.data)
        if not options.data.is_dir():
            sys.exit(f"--data: there is no folder {options.data}")
    return options


if __name__ == "__main__":
    main()
