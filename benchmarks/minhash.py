"""MinHash signatures from raw text: speed and error of this toolkit's kernel beside datasketch and rensa.

    python benchmarks/minhash.py [--data FOLDER] [--repeats 5] [--peer-mb 6]

All make 128 hashes of 5-word shingles on one core, counted in processor time, the best of the repeats; contestants take
turns, so that a change in the machine's speed meets all of them. Ours reads an Arrow column of text: folding, tokens,
shingles and signatures are in its figure. The peers take shingles that Python makes. So there are two figures for each:
from the text, and from shingles that are there, which are hashes for ours and strings for the peers, as each wants
them. Bars compare like with like; the ratios in brackets are all to ours from the text.

- `--data` is a folder with `text/news_en.parquet` and `text/books_en.parquet` (or the variable CURATE_DATA); without
  one the texts are synthetic. Peers are given the first `--peer-mb` megabytes of each set; figures are for each MB.
- Accuracy: pairs of a text and a copy with words changed, of plain words so that all see the same shingles. Each
  estimate against the exact Jaccard: mean error, and root of the mean square beside the theory's sqrt(J (1 - J) / k).
- datasketch and rensa are installed from PyPI to `--cache` on the first run: the one step that needs the network.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import time
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from frame import RESULTS, machine, pin, save

from curate.kernels import minhash, shingles

HERE = Path(__file__).parent
PEERS = {"datasketch": "datasketch==2.0.0", "rensa": "rensa==0.5.0"}
NUM_HASHES, NUM_BANDS, NGRAM_SIZE = 128, 16, 5
NUM_PAIRS = 2000
Sets = dict[str, list[str]]


class Bar(NamedTuple):
    """Something that a figure must reach, or stay within."""

    what: str
    value: float
    bound: float
    at_least: bool = True

    @property
    def passed(self) -> bool:
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def line(self) -> str:
        sign = "at least" if self.at_least else "at most"
        return f" {'pass' if self.passed else 'FAIL'}  {self.what}: {self.value:.4g} ({sign} {self.bound:g})"


def main() -> None:
    """Print rates, errors and bars, and write the result file."""
    options = _options()
    print(machine())
    pin(1)
    os.environ["RAYON_NUM_THREADS"] = "1"
    pythons = {name: interpreter(name, options.cache) for name in PEERS}
    sets = text_sets(options.data)
    pairs = changed_pairs([text for texts in sets.values() for text in texts])
    speed = ours(sets, 1)
    peers: dict[str, Any] = {}
    for _ in range(options.repeats):
        least(speed, ours(sets, 1))
        for name, python in pythons.items():
            few = {key: first_megabytes(texts, options.peer_mb) for key, texts in sets.items()}
            answer = ask(name, python, {"sets": few, "pairs": [] if name in peers else pairs}, options.cache)
            known = peers.setdefault(name, answer | {"bytes": {key: size(texts) for key, texts in few.items()}})
            least(known["seconds"], answer["seconds"])
    rates = megabytes_per_second(speed, {key: size(texts) for key, texts in sets.items()})
    for answer in peers.values():
        rates.update(megabytes_per_second(answer["seconds"], answer["bytes"]))
    errors = {"curate": accuracy(estimates(pairs), pairs)}
    for answer in peers.values():
        errors.update({way: accuracy(found, pairs) for way, found in answer["estimates"].items()})
    print_rates(rates, list(sets))
    print_errors(errors)
    found = bars(rates, errors["curate"], list(sets))
    print("\nbars\n" + "\n".join(bar.line() for bar in found))
    versions = {name: answer["version"] for name, answer in peers.items()}
    result: dict[str, Any] = {
        "data": "real" if options.data else "synthetic",
        "num_hashes": NUM_HASHES,
        "peers": versions,
    }
    result |= {"megabytes_per_second": rates, "errors": errors, "bars": [bar._asdict() for bar in found]}
    print(f"result: {save('minhash', result)}")
    if not all(bar.passed for bar in found):
        raise SystemExit(1)


def text_sets(data: Path | None) -> Sets:
    """English news and books, or synthetic texts."""
    if data is None:
        return {"synthetic": synthetic()}
    files = {name: data / "text" / f"{name}_en.parquet" for name in ("news", "books")}
    return {name: pq.read_table(file, columns=["text"])["text"].to_pylist() for name, file in files.items()}


def synthetic(num_texts: int = 5_000, num_words: int = 400) -> list[str]:
    """English-like word lengths, drawn from 50,000 words."""
    draw = random.Random(0)
    words = ["".join(draw.choices("etaoinshrdlucm", k=draw.randint(2, 9))) for _ in range(50_000)]
    return [" ".join(draw.choices(words, k=num_words)) for _ in range(num_texts)]


def size(texts: Sequence[str]) -> int:
    """Bytes of UTF-8."""
    return sum(len(text.encode()) for text in texts)


def first_megabytes(texts: Sequence[str], megabytes: float) -> list[str]:
    """Texts from the front until so much is there, the last one cut."""
    chosen, left = [], int(megabytes * 1e6)
    for text in texts:
        chosen.append(text[:left])
        left -= len(text)
        if left <= 0:
            break
    return chosen


def ours(sets: Sets, repeats: int) -> dict[str, dict[str, dict[str, float]]]:
    """Seconds by set, way and what it begins with."""
    seconds: dict[str, dict[str, dict[str, float]]] = {}
    for name, texts in sets.items():
        column = pa.array(texts)
        for _ in range(repeats):
            start = time.process_time()
            made = minhash.text_signatures(column, NGRAM_SIZE, num_hashes=NUM_HASHES)
            signed = time.process_time()
            minhash.band_hashes(made.signatures, NUM_BANDS)
            banded = time.process_time()
            sets_of = shingles.shingle_sets(column, NGRAM_SIZE)
            made_sets = time.process_time()
            minhash.signatures(sets_of.values, sets_of.offsets, NUM_HASHES, 0)
            took = {
                "curate signatures": {"text": signed - start, "shingles": time.process_time() - made_sets},
                "curate signatures and bands": {"text": banded - start},
                "curate sets, for exact Jaccard": {"text": made_sets - banded},
            }
            least(seconds, {name: took})
    return seconds


def least(known: dict[str, Any], new: dict[str, Any]) -> None:
    """Put the smaller of both figures into the first, at any depth."""
    for key, value in new.items():
        if isinstance(value, dict):
            least(known.setdefault(key, {}), value)
        else:
            known[key] = min(known.get(key, value), value)


def interpreter(peer: str, cache: Path) -> Path:
    """The Python of a peer's own environment, made where it is missing."""
    folder = cache / PEERS[peer].replace("==", "-")
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        print(f"installing {PEERS[peer]} to {folder} …", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PEERS[peer]]
        subprocess.run(pip, check=True)
        (folder / "ready").touch()
    return python


def ask(peer: str, python: Path, given: dict[str, Any], cache: Path) -> dict[str, Any]:
    """What `minhash_peer.py` measures in a peer's environment."""
    path = cache / "texts.json"
    path.write_text(json.dumps(given), encoding="utf-8")
    command = [str(python), str(HERE / "minhash_peer.py"), peer, str(path), str(NUM_HASHES), "1"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def megabytes_per_second(seconds: dict[str, Any], sizes: dict[str, int]) -> dict[str, dict[str, dict[str, float]]]:
    """Rates by way, set and what it begins with, out of seconds by set, way and what it begins with."""
    rates: dict[str, dict[str, dict[str, float]]] = {}
    for name, ways in seconds.items():
        for way, took in ways.items():
            rates.setdefault(way, {})[name] = {of: sizes[name] / 1e6 / spent for of, spent in took.items()}
    return rates


def changed_pairs(texts: Sequence[str]) -> list[tuple[str, str]]:
    """Texts of 50 to 500 plain words, each with a copy in which up to a sixth of the words are others."""
    draw = random.Random(0)
    pairs: list[tuple[str, str]] = []
    while len(pairs) < NUM_PAIRS:
        words = re.findall("[a-z0-9]+", draw.choice(texts).lower()[:200_000])
        if len(words) < 50:
            continue
        length = draw.randint(50, 500)
        start = draw.randrange(max(1, len(words) - length))
        words = words[start : start + length]
        share = draw.random() / 6
        copy = [f"x{draw.randrange(10**6)}" if draw.random() < share else word for word in words]
        pairs.append((" ".join(words), " ".join(copy)))
    return pairs


def exact_jaccard(pair: tuple[str, str]) -> float:
    """Of sets of strings."""
    a, b = ({tuple(words[i : i + NGRAM_SIZE]) for i in range(len(words) - 4)} for words in map(str.split, pair))
    return len(a & b) / len(a | b)


def estimates(pairs: Sequence[tuple[str, str]]) -> list[float]:
    """Ours."""
    left, right = (
        minhash.text_signatures(pa.array([pair[side] for pair in pairs]), NGRAM_SIZE, num_hashes=NUM_HASHES).signatures
        for side in (0, 1)
    )
    return [float(estimate) for estimate in minhash.estimated_jaccards(left, right)]


def accuracy(estimates: Sequence[float], pairs: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Mean error, root of the mean square error, and what the theory gives for the latter."""
    true = np.array([exact_jaccard(pair) for pair in pairs])
    error = np.array(estimates) - true
    rmse, theory = np.sqrt((error**2).mean()), np.sqrt((true * (1 - true)).mean() / NUM_HASHES)
    return {"mean_error": float(error.mean()), "rmse": float(rmse), "theory": float(theory)}


def print_rates(rates: dict[str, dict[str, dict[str, float]]], sets: Sequence[str]) -> None:
    """A line for each way and what it begins with: its rate, and how many times that ours is."""
    print(f"\nMB/s on one core, {NUM_HASHES} hashes of {NGRAM_SIZE}-word shingles; (ours is so many times as fast)")
    print(" " * 42 + "".join(f"{name:>18}" for name in sets))
    mine = rates["curate signatures"]
    for way, by_set in rates.items():
        for of in by_set[sets[0]]:
            figures = [by_set[name][of] for name in sets]
            times = [mine[name]["text"] / figure for name, figure in zip(sets, figures, strict=True)]
            cells = (f"{figure:9.1f} ({ratio:5.1f})" for figure, ratio in zip(figures, times, strict=True))
            print(f"{way + ', from ' + of:<42}" + "".join(f"{cell:>18}" for cell in cells))


def print_errors(errors: dict[str, dict[str, float]]) -> None:
    """A line for each way."""
    print(f"\nestimated less exact Jaccard, {NUM_PAIRS} pairs      mean error      RMSE    theory")
    for way, error in errors.items():
        print(f"{way:<42}{error['mean_error']:14.5f}{error['rmse']:10.5f}{error['theory']:10.5f}")


def bars(rates: dict[str, Any], error: dict[str, float], sets: Sequence[str]) -> list[Bar]:
    """What must hold on every set. A mean over pairs that share all functions is off by chance as one pair is."""
    mine = rates["curate signatures"]

    def ratio(way: str, of: str) -> float:
        return min(float(mine[name][of] / rates[way][name][of]) for name in sets)

    slowest = min(mine[name]["text"] for name in sets)
    found = [Bar("text to signatures, slowest set, MB/s", slowest, 200)]
    for way, bound in (("rensa RMinHash, all at once", 6), ("datasketch update_batch", 40)):
        found += [Bar(f"ratio to {way}, both from {of}", ratio(way, of), bound) for of in ("text", "shingles")]
    return [
        *found,
        Bar("mean error, absolute", abs(error["mean_error"]), 0.005, at_least=False),
        Bar("RMSE over theory", error["rmse"] / error["theory"], 1.1, at_least=False),
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given = os.environ.get("CURATE_DATA")
    parser.add_argument("--data", type=Path, default=Path(given) if given else None, help="folder of real texts")
    parser.add_argument("--repeats", type=int, default=5, help="rounds, of which the best counts")
    parser.add_argument("--peer-mb", type=float, default=6, help="megabytes of each set that peers are given")
    parser.add_argument("--cache", type=Path, default=RESULTS / "minhash", help="environments of the peers")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    return options


if __name__ == "__main__":
    main()
