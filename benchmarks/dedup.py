"""Deduplication from parquet to parquet, beside text-dedup and datatrove: time, memory, recall, precision, sameness.

    python benchmarks/dedup.py [--parts near,same] [--documents 65989] [--data FOLDER] [--limit]

- `corpus`: writes the corpus (`dedup_corpus.py`: real words, planted families of known similarity) and checks it.
- `near`: exact and near deduplication of 186 MB, and ours of ten times as much; each contestant's time, memory, recall
  of planted pairs by Jaccard, and precision: removals with a document that stays at a Jaccard of 0.8 or more.
- `signatures`: from text to signatures and bands, `minhash.py` as it is.
- `neardup`: natural near duplicates (`--data`'s `neardup/`), every pair of pages compared.
- `same`: which documents stay for other partitions, files, order, and on a cluster of two workers.
- `million`: a million documents, seconds by stage.
- `incremental`: three dumps through an index, and all at once.

The peers run in virtual environments of their own, installed from PyPI into `--cache` on first use; the corpora are
kept there too. Every command is timed from its start to its end, on two cores, alone. The bars are for a machine that
does nothing else. `--limit` is a smoke run: 3,000 documents, and figures that say nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from dedup_contestants import (
    CORES,
    Contestant,
    Usage,
    contestants,
    fresh,
    memory,
    near_command,
    our_command,
    our_record,
    our_survivors,
    re_elected,
    watched,
)
from dedup_corpus import write_corpus
from dedup_same import different_ways, on_a_cluster, split_by_date
from dedup_truth import (
    Precision,
    band_table,
    natural_truth,
    planted_texts,
    precision,
    recall,
    shortfall,
    unplanted_similarity,
)
from frame import Bar, machine, on_cores, save

HERE = Path(__file__).parent
DOCUMENTS, MILLION = 65_989, 1_000_000
SMOKE_DOCUMENTS, FEW_DOCUMENTS = 3_000, 300
SAME_DOCUMENTS = 6_000
NUM_DUMPS = 3

Result = tuple[dict[str, Any], list[Bar]]


class Outcome(NamedTuple):
    """One contestant on one corpus."""

    usage: Usage
    stays: pa.Array
    stages: dict[str, float]  # seconds by pass, ours only


def main() -> None:
    """Run the parts, print figures and bars, and write the result file."""
    options = _options()
    print(machine())
    parts = {
        "corpus": corpus_part,
        "near": near_part,
        "signatures": signatures_part,
        "neardup": neardup_part,
        "same": same_part,
        "million": million_part,
        "incremental": incremental_part,
    }
    unknown = set(options.parts) - set(parts)
    if unknown:
        sys.exit(f"--parts: there is no {', '.join(sorted(unknown))}. Known: {', '.join(parts)}")
    result: dict[str, Any] = {"data": "real" if options.data else "made up", "documents": options.documents}
    bars: list[Bar] = []
    for name in options.parts or parts:
        print(f"\n{name}", flush=True)
        result[name], found = parts[name](options)
        bars += found
    print("\nbars")
    print("\n".join(bar.line() for bar in bars))
    result["bars"] = [bar._asdict() for bar in bars]
    print(f"result: {save('dedup', result)}")


def corpus_part(options: argparse.Namespace) -> Result:
    """The corpus, and that nothing in it is alike but what was planted."""
    corpus = write_corpus(options.data, options.cache, options.documents)
    facts = json.loads((corpus / "corpus.json").read_text("utf-8"))
    pairs = pq.read_table(corpus / "pairs.parquet", columns=["jaccard", "jaccard_words"])
    words = [pair for pair in pairs.to_pylist() if pair["jaccard_words"] is not None]
    apart = max(abs(pair["jaccard"] - pair["jaccard_words"]) for pair in words)
    unplanted = unplanted_similarity(corpus)
    print(f"{facts['documents']:,} documents, {facts['bytes'] / 1e6:.1f} MB, written in {facts['seconds']:.0f} s")
    print(f"{pairs.num_rows:,} planted pairs; our tokens and a split at \\w+ differ by {apart:.4f} at most")
    print(f"200 documents that were not planted, each against all others: Jaccard {unplanted:.3f} at most")
    bars = [
        Bar("Jaccard between documents that were not planted", unplanted, 0.3, at_least=False),
        Bar("Jaccard by our tokens and by \\w+, largest difference", apart, 0.01, at_least=False),
    ]
    return facts | {"pairs": pairs.num_rows, "unplanted": unplanted, "tokens_apart": apart}, bars


def near_part(options: argparse.Namespace) -> Result:
    """Everybody on the corpus, and ours on ten times as much."""
    corpus = write_corpus(options.data, options.cache, options.documents)
    first = _first_run(options) if "curate" in options.contestants else None
    outcomes = {
        contestant.name: _measured(contestant, corpus, options)
        for contestant in contestants(options.cache, options.contestants)
    }
    result = {name: _told(name, outcome) for name, outcome in outcomes.items()}
    judged = _judged(corpus, {name: outcome.stays for name, outcome in outcomes.items()})
    for name, found in judged.items():
        result[name] |= found
    bars = []
    if "curate" in outcomes:
        ours = outcomes["curate"]
        result["curate"]["first_run_seconds"] = first
        bars = _bars(ours, judged["curate"], options)
        if not options.limit:
            scaled, bar = _scaled(corpus, ours, options)
            result["ten_times"], bars = scaled, [*bars, bar]
    return result, bars


def _first_run(options: argparse.Namespace) -> float:
    """Seconds of ours over a few documents: the first run of an installation compiles kernels, which are kept."""
    few = write_corpus(options.data, options.cache, FEW_DOCUMENTS)
    folder = fresh(options.cache / "runs" / "first")
    seconds = watched(our_command(few / "documents", folder), folder).seconds
    print(f"curate: {seconds:.1f} s for {FEW_DOCUMENTS} documents; kernels are compiled if they were not", flush=True)
    return seconds


def _measured(contestant: Contestant, corpus: Path, options: argparse.Namespace) -> Outcome:
    folder = fresh(options.cache / "runs" / contestant.name.replace(" ", "-"))
    usage = watched(contestant.command(corpus / "documents", folder), folder)
    stages = our_record(folder) if contestant.name == "curate" else {}
    return Outcome(usage, contestant.stays(folder), stages)


def _told(name: str, outcome: Outcome) -> dict[str, Any]:
    """Print what a command took; the same for the result file."""
    usage = outcome.usage
    print(
        f"{name}: {usage.seconds:.1f} s, {len(outcome.stays):,} stay; processor s: "
        f"{', '.join(f'{kind} {seconds:.1f}' for kind, seconds in usage.processor_seconds.items())}; "
        f"largest process, MB: {memory(usage.largest)}; together, MB: {memory(usage.together)}",
        flush=True,
    )
    if outcome.stages:
        print("  by pass: " + ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in outcome.stages.items()))
    return usage._asdict() | {"stays": len(outcome.stays), "stages": outcome.stages}


def _judged(corpus: Path, stays: Mapping[str, pa.Array]) -> dict[str, dict[str, Any]]:
    """Recall and precision of each contestant, printed."""
    pairs = pq.read_table(corpus / "pairs.parquet")
    documents = json.loads((corpus / "corpus.json").read_text("utf-8"))["documents"]
    texts, families = planted_texts(corpus)
    english = pairs.filter(pairs["jaccard_words"].is_valid())
    views = {
        "English families": english.filter(pa.compute.invert(english["template"])),
        "families of two": english.filter(pa.compute.equal(english["family_size"], 2)),
        "Chinese families": pairs.filter(pairs["jaccard_words"].is_null()),
        "pages of one template": pairs.filter(pairs["template"]),
    }
    judged: dict[str, dict[str, Any]] = {name: {"recall": {}} for name in stays}
    for view, chosen in views.items():
        found = {name: recall(chosen, kept) for name, kept in stays.items()}
        print(f"\n{view}: share of planted pairs of which not both stay\n{band_table(found)}")
        for name, bands in found.items():
            judged[name]["recall"][view] = [band._asdict() for band in bands]
            judged[name][f"shortfall, {view}"] = shortfall(bands)
    print("\nremovals with a document that stays at a Jaccard of 0.8 or more")
    for name, kept in stays.items():
        exact = precision(texts, families, set(kept.to_pylist()), documents)
        judged[name]["precision"] = exact._asdict() | {"share": exact.share}
        print(f"{name:<28}{_share(exact)}")
    return judged


def _share(found: Precision) -> str:
    share = "-" if found.share is None else f"{found.share:.4f}"
    return f"{share} of {found.checked:,} checked, {found.removed:,} removed" + (
        f"; {found.outside} of documents like no other" if found.outside else ""
    )


def _bars(ours: Outcome, judged: Mapping[str, Any], options: argparse.Namespace) -> list[Bar]:
    quick = [] if options.limit else [Bar("186 MB end to end, s", ours.usage.seconds, 30, at_least=False)]
    views = ("English families",) if options.limit else ("English families", "families of two", "Chinese families")
    known = [points for view in views if (points := judged[f"shortfall, {view}"]) is not None]
    return [
        *quick,
        Bar("largest Python worker, MB", ours.usage.largest.get("workers", 0) / 1e6, 1_500, at_least=False),
        Bar("Java, MB", ours.usage.largest.get("java", 0) / 1e6, 6_000, at_least=False),
        Bar("recall at 0.8 or more, points behind the S-curve", max(known, default=None), 1, at_least=False),
        Bar("precision of removals", judged["precision"]["share"], 1),
    ]


def _scaled(corpus: Path, ours: Outcome, options: argparse.Namespace) -> tuple[dict[str, Any], Bar]:
    """Ours on ten times as many documents: what a further megabyte costs."""
    large = write_corpus(options.data, options.cache, 10 * options.documents)
    (contestant,) = contestants(options.cache, ["curate"])
    outcome = _measured(contestant, large, options)
    print("\nten times as many documents")
    told = _told("curate", outcome)
    judged = _judged(large, {"curate": outcome.stays})["curate"]
    sizes = [json.loads((path / "corpus.json").read_text("utf-8"))["bytes"] / 1e6 for path in (corpus, large)]
    marginal = (outcome.usage.seconds - ours.usage.seconds) / (sizes[1] - sizes[0])
    print(f"\n{sizes[0]:,.0f} MB in {ours.usage.seconds:.1f} s, {sizes[1]:,.0f} MB in {outcome.usage.seconds:.1f} s")
    bar = Bar("a further MB, s", marginal, 0.06, at_least=False)
    return told | judged | {"seconds_a_further_mb": marginal}, bar


def signatures_part(options: argparse.Namespace) -> Result:
    """The benchmark of signatures, which has a result file of its own."""
    command = [sys.executable, str(HERE / "minhash.py"), "--cache", str(options.cache / "minhash")]
    command += ["--data", str(options.data)] if options.data else []
    command += ["--repeats", "1", "--peer-mb", "0.5"] if options.limit else []
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    print(done.stdout.rstrip())
    return {"printed": done.stdout.splitlines()}, []


def neardup_part(options: argparse.Namespace) -> Result:
    """Pages that are near duplicates by nature."""
    source = options.data and options.data / "neardup" / "documents.parquet"
    if source is None or not source.exists():
        print("no natural near duplicates: --data names a folder with neardup/documents.parquet")
        return {}, []
    folder = fresh(options.cache / "runs" / "neardup")
    truth = natural_truth(source, folder / "input")
    usage = watched(our_command(folder / "input", folder), folder)
    stays = our_survivors(folder)
    bands = recall(truth.pairs, stays)
    missed = truth.missed(stays)
    exact = precision(
        truth.texts, dict.fromkeys(truth.texts["id"].to_pylist(), 0), set(stays.to_pylist()), len(truth.texts)
    )
    print(f"{usage.seconds:.1f} s, {len(stays)} of {len(truth.texts)} stay")
    print(band_table({"curate": bands}))
    print(f"pairs of 0.8 or more that share a band: {truth.findable}, of which both stay: {missed}")
    print(f"precision of removals: {_share(exact)}")
    bars = [
        Bar("natural pairs of 0.8 or more that share a band and both stay", missed, 0, at_least=False),
        Bar("precision of removals, natural pairs", exact.share, 1),
    ]
    return {
        "seconds": usage.seconds,
        "recall": [band._asdict() for band in bands],
        "findable": truth.findable,
        "missed": missed,
        "precision": exact._asdict() | {"share": exact.share},
    }, bars


def same_part(options: argparse.Namespace) -> Result:
    """Do the same documents stay, however the work is cut?"""
    corpus = write_corpus(options.data, options.cache, min(options.documents, SAME_DOCUMENTS))
    stays: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory(prefix="dedup-") as scratch:
        stays |= on_cores(CORES, different_ways, corpus / "documents", Path(scratch))
        stays |= on_cores(CORES, on_a_cluster, corpus / "documents", Path(scratch))
    digests = {way: digest(ids) for way, ids in stays.items()}
    for way, ids in stays.items():
        print(f"{way:<36}{len(ids):>8,} stay  {digests[way]}")
    return {"digests": digests}, [Bar("different sets of documents that stay", len(set(digests.values())), 1, False)]


def digest(ids: list[str]) -> str:
    """Of a set of ids, in whichever order they come."""
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()[:16]


def million_part(options: argparse.Namespace) -> Result:
    """A million documents; in a smoke run as many more as the corpus is smaller."""
    documents = MILLION * options.documents // DOCUMENTS
    corpus = write_corpus(options.data, options.cache, documents)
    size = json.loads((corpus / "corpus.json").read_text("utf-8"))["bytes"]
    (contestant,) = contestants(options.cache, ["curate"])
    outcome = _measured(contestant, corpus, options)
    print(f"{documents:,} documents, {size / 1e9:.2f} GB")
    told = _told("curate", outcome)
    pairs = pq.read_table(corpus / "pairs.parquet")
    bands = recall(pairs.filter(pa.compute.invert(pairs["template"])), outcome.stays)
    print(band_table({"curate": bands}))
    bars = [
        Bar("a million documents: largest Python worker, MB", outcome.usage.largest["workers"] / 1e6, 1_500, False),
        Bar("a million documents: Java, MB", outcome.usage.largest["java"] / 1e6, 6_000, False),
    ]
    return told | {"documents": documents, "bytes": size, "recall": [band._asdict() for band in bands]}, bars


def incremental_part(options: argparse.Namespace) -> Result:
    """Dumps one after the other through an index, and all at once: near duplicates alone.

    Exact duplicates have no index: which of two copies in different dumps stays would be another policy's choice.
    """
    corpus = write_corpus(options.data, options.cache, options.documents)
    folder = fresh(options.cache / "runs" / "incremental")
    dumps = split_by_date(corpus / "documents", folder, NUM_DUMPS)
    whole = fresh(folder / "whole")
    at_once = watched(near_command(corpus / "documents", whole), whole)
    stays: set[str] = set()
    seconds = []
    for dump in dumps:
        place = fresh(folder / f"run-{dump.name}")
        seconds.append(watched(near_command(dump, place, folder / "index"), place).seconds)
        dropped, back = re_elected(place)
        stays = (stays | set(our_survivors(place).to_pylist()) | back) - dropped
    wanted = set(our_survivors(whole).to_pylist())
    print(f"all at once {at_once.seconds:.1f} s; through the index {', '.join(f'{took:.1f} s' for took in seconds)}")
    print(
        f"{len(wanted):,} stay at once, {len(stays):,} through the index, {len(wanted ^ stays):,} in one of both only"
    )
    index_bytes = sum(path.stat().st_size for path in (folder / "index").rglob("*") if path.is_file())
    print(f"the index has {index_bytes / 1e6:.0f} MB")
    facts = {"at_once": at_once.seconds, "dumps": seconds, "stays": len(wanted), "index_bytes": index_bytes}
    return facts, [Bar("documents that stay at once or by dumps only", len(wanted ^ stays), 0, at_least=False)]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", type=lambda text: text.split(","), default=[], help="some of them, with commas")
    parser.add_argument("--data", type=Path, default=os.environ.get("CURATE_DATA"), help="with text/, neardup/")
    parser.add_argument("--cache", type=Path, default=HERE / "cache", help="for corpora and environments, made once")
    parser.add_argument("--documents", type=int, default=DOCUMENTS, help=f"of the corpus (default: {DOCUMENTS})")
    parser.add_argument(
        "--contestants",
        type=lambda text: text.split(","),
        default=["curate", "text-dedup", "datatrove"],
        help="some of them, with commas (default: curate,text-dedup,datatrove)",
    )
    parser.add_argument("--limit", action="store_true", help=f"a smoke run of {SMOKE_DOCUMENTS} documents")
    options: argparse.Namespace = parser.parse_args()
    if options.limit:
        options.documents = min(options.documents, SMOKE_DOCUMENTS)
    if options.data is not None:
        options.data = Path(options.data)
        if not options.data.is_dir():
            sys.exit(f"--data: there is no folder {options.data}")
    options.cache = options.cache.resolve()
    options.cache.mkdir(parents=True, exist_ok=True)
    return options


if __name__ == "__main__":
    main()
