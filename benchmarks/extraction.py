"""Main text of web pages: word-F1 against what people marked, and pages a second on one core, beside five peers.

    python benchmarks/extraction.py --data FOLDER
    python benchmarks/extraction.py --pages pages.warc.gz --gold gold.parquet --limit 300

`--data` (or the variable CURATE_DATA) is a folder with `web/NAME.warc.gz` and `web/NAME_gold.parquet`; each is a table
of its own. How pages and gold texts join, what F1 is and how contestants take turns is told in `classifiers/extractor`.
Everything runs on one core with the pages in memory, decoding included.

`stage` is what a run does, child process and signals included, with the settings of a recipe that names none. jusText,
readability-lxml and rs-trafilatura are installed from PyPI on first use, into environments of their own
(`extraction_peers.py`); those that cannot be installed are left out.

The F1 of an extractor on pages that it was trained on says little: the card of our weights names theirs.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
from extraction_peers import PEERS, peer
from frame import Bar, machine, pin, save
from rich.console import Console
from rich.markup import escape

from classifiers.extractor.evaluate import EXTRACTORS, Answers, Contestant, Report, contestant, evaluate, sample
from classifiers.extractor.gold import GoldPage, read_gold
from classifiers.extractor.tables import as_json, summary, tables
from curate.document import RAW_SCHEMA
from curate.errors import CurateError
from curate.extraction.extract import Extract

HERE = Path(__file__).parent
OURS = "learned"
ALL = ("stage", *EXTRACTORS, *PEERS)
#: Bars of the learned extractor: its speed as a multiple of trafilatura's in the same run.
MIN_SPEED_RATIO = 10


def main() -> None:
    """Print the tables and bars of each set, and leave all figures in a file."""
    options = _options()
    pin(1)
    print(machine(), flush=True)
    console, results = Console(width=max(120, Console().width)), {}
    ready = dict(word.split("=", 1) for word in options.venv)
    for name, pages, gold in sets(options.data, options.pages, options.gold):
        chosen = sample(read_gold(pages, gold), options.limit)
        with ExitStack() as running:
            found = contestants(options.contestants, options.cache, ready, running)
            report = evaluate(chosen, found)
        console.print(f"\n[bold]{escape(name)}[/]", *tables(report), sep="\n")
        for bar in bars(report):
            print(bar.line(), flush=True)
        results[name] = as_json(report)
    print(f"figures: {save('extraction', results)}")


def sets(
    data: str | None, pages: Sequence[str], gold: Sequence[str]
) -> Iterator[tuple[str, Sequence[str], Sequence[str]]]:
    """Labelled sets by name: the files named, or those in a folder of real data. SystemExit where there are none."""
    if bool(pages) != bool(gold):
        raise SystemExit("--pages and --gold go together")
    if pages:
        yield ", ".join(Path(path).name for path in pages), pages, gold
        return
    golds = sorted(Path(data or "").glob("web/*_gold.parquet")) if data else []
    named = [(path.name.removesuffix("_gold.parquet"), path) for path in golds]
    there = [(name, path.with_name(f"{name}.warc.gz"), path) for name, path in named]
    there = [(name, warc, path) for name, warc, path in there if warc.is_file()]
    if not there:
        wanted = "web/NAME.warc.gz with web/NAME_gold.parquet"
        raise SystemExit(f"no labelled pages: name --pages and --gold, or a folder (--data, CURATE_DATA) with {wanted}")
    for name, warc, path in there:
        yield name, [str(warc)], [str(path)]


def contestants(names: Sequence[str], cache: Path, ready: dict[str, str], running: ExitStack) -> dict[str, Contestant]:
    """Those asked for. One that cannot be had here is left out, and it is said. Peers end with `running`."""
    found: dict[str, Contestant] = {}
    for name in names:
        try:
            if name == "stage":
                found[name] = stage()
            elif name in PEERS:
                found[name] = running.enter_context(peer(name, cache, ready.get(name)))
            else:
                found[name] = contestant(name)
        except CurateError as error:
            print(f"without {name}: {error}", flush=True)
    return found


def stage() -> Contestant:
    """The stage `extract` as a recipe has it that does not set it."""
    extract = Extract()

    def answers(pages: Sequence[GoldPage]) -> Answers:
        begin = time.perf_counter()
        columns = {field.name: pa.nulls(len(pages), field.type) for field in RAW_SCHEMA}
        columns["payload"] = pa.array([page.payload for page in pages], pa.binary())
        columns["url"] = pa.array([page.url for page in pages], pa.string())
        columns["charset"] = pa.array([page.charset for page in pages], pa.string())
        batch = pa.RecordBatch.from_arrays([columns[name] for name in RAW_SCHEMA.names], schema=RAW_SCHEMA)
        modified = extract.modify(batch)
        texts = [text or "" for text in modified.columns["text"].to_pylist()]
        seconds = time.perf_counter() - begin
        errors = modified.signals.field("error")
        return Answers(texts, seconds, len(pages) - errors.null_count)

    return answers


def bars(report: Report) -> list[Bar]:
    """What the learned extractor must reach beside trafilatura in this run; none where one of both is missing."""
    results = {result.name: result for result in report.results}
    if OURS not in results or "trafilatura" not in results:
        return []
    ours, difference = summary(report, results[OURS]), report.against_baseline(results[OURS]).difference
    return [
        Bar(f"{OURS}: F1 less trafilatura's", difference, 0),
        Bar(f"{OURS}: speed by trafilatura's", ours["speed_ratio"], MIN_SPEED_RATIO),
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("CURATE_DATA"), help="a folder with web/, see above")
    parser.add_argument("--pages", action="append", default=[], help="WARC, or parquet with payload, url and charset")
    parser.add_argument("--gold", action="append", default=[], help="parquet with url and main_content")
    parser.add_argument("--limit", type=int, default=0, help="a sample of so many pages of each set; 0 takes all")
    parser.add_argument(
        "--contestants",
        type=lambda words: words.split(","),
        default=ALL,
        help=f"some of {','.join(ALL)}, or module:function, with commas",
    )
    parser.add_argument("--venv", action="append", default=[], help="PEER=DIR: an environment that is there already")
    parser.add_argument("--cache", type=Path, default=HERE / "cache", help="for the peers' environments, made once")
    return parser.parse_args()


if __name__ == "__main__":
    main()
