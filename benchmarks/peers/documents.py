"""The documents that a conformance run is about: extracted once from WARC files, or plain texts, kept as parquet.

One parquet file for each input in the cache folder, with `doc_id`, `url`, `language` and `text`; made again where the
input's size or time changed. Pages without text are left out: toolkits disagree on what nothing is, and no run gets so
far with one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curate.fused import run_steps
from curate.readers.read import read
from curate.readers.source import Source, list_files
from curate.readers.splits import plan_splits
from curate.recipe import Step

SCHEMA = pa.schema([(name, pa.string()) for name in ("doc_id", "url", "language", "text")])
#: What the shared development data offers: English, and Chinese, Russian, Polish and Greek beside it.
WARCS = ("wcxb_dev.warc.gz", "daniel_dev.warc.gz")


def collect(paths: Sequence[str], languages: Sequence[str], cache: Path, limit: int | None) -> dict[str, pa.Table]:
    """Documents by language, at most `limit` of each, in the order of the inputs; a document met twice comes once.

    `paths`: WARC, parquet or JSONL files; `FILE:zh` says the language, otherwise it is identified.
    """
    tables = [pq.read_table(_cached(path, cache)) for path in paths]
    whole = pa.concat_tables(tables) if tables else SCHEMA.empty_table()
    first = pc.is_in(pa.array(range(len(whole))), value_set=_first_rows(whole))
    whole = whole.filter(first)
    parts = {language: whole.filter(pc.equal(whole["language"], language)) for language in languages}
    return {language: part.slice(0, limit) for language, part in parts.items() if len(part)}


def split_language(path: str) -> tuple[str, str | None]:
    """`texts.parquet:zh` as a path and a language, which may be left out.

    >>> split_language("texts.parquet:zh"), split_language("/data/texts.parquet")
    (('texts.parquet', 'zh'), ('/data/texts.parquet', None))
    """
    head, colon, tail = path.rpartition(":")
    return (head, tail) if colon and tail.isalpha() and len(tail) in (2, 3) else (path, None)


def _first_rows(table: pa.Table) -> pa.Array:
    numbered = pa.table({"doc_id": table["doc_id"], "row": pa.array(range(len(table)))})
    return numbered.group_by("doc_id").aggregate([("row", "min")])["row_min"].combine_chunks()


def _cached(path: str, cache: Path) -> Path:
    file, language = split_language(path)
    stat = Path(file).stat()
    key = hashlib.sha256(f"{Path(file).name} {stat.st_size} {stat.st_mtime_ns} {language}".encode()).hexdigest()[:12]
    target = cache / f"texts-{Path(file).name.partition('.')[0]}-{key}.parquet"
    if not target.exists():
        cache.mkdir(parents=True, exist_ok=True)
        print(f"texts of {file} …", flush=True)
        partial = target.with_suffix(".partial")
        with pq.ParquetWriter(partial, SCHEMA, compression="zstd") as writer:
            for batch in _texts(file, language):
                writer.write_batch(batch)
        partial.rename(target)
    return target


def _texts(file: str, language: str | None) -> Iterator[pa.RecordBatch]:
    source = Source(name="conformance", paths=(file,))
    steps = [Step.model_validate(name) for name in ("extract", "language_id")][: 2 if language is None else 1]
    for split in plan_splits(list_files(source), source, 2**62):
        for batch in read(split, source):
            done = run_steps(batch, steps, audit=True)
            done = done.filter(pc.greater(pc.fill_null(pc.utf8_length(pc.utf8_trim_whitespace(done["text"])), 0), 0))
            said = done["language"] if language is None else pa.array([language] * done.num_rows, pa.string())
            yield pa.RecordBatch.from_arrays([done["doc_id"], done["url"], said, done["text"]], schema=SCHEMA)
