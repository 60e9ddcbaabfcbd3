"""Texts to measure rules on: real ones by kind, and as many gigabytes as are wanted, varied from them.

`text_sets` reads what a folder of real data holds (news, books, manuals, web pages extracted once, Chinese), or, where
there is none, the documentation of this Python environment as `curate demo` does. `write_varied` repeats texts with
changes, keyed by the document's number: the paragraphs in another order and a share of the words replaced by words
of other documents. So no two documents are alike, and the whole compresses about as well as the texts do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curate.apply import apply_stages
from curate.demo import build_inputs
from curate.readers.read import read
from curate.readers.source import Source, list_files
from curate.readers.splits import plan_splits
from curate.recipe import Step

ENGLISH = ("news_en", "books_en", "manuals_en", "web")
REPLACED_FRAC = 0.2  # of the words of a varied document
PIECE_CHARS = 6_000  # a book becomes documents of about this length
FILE_BYTES = 96 * 2**20  # of text in one file
GROUP_ROWS = 2_000


def text_sets(data: Path | None, cache: Path, web: Path | None = None) -> dict[str, list[str]]:
    """Texts by kind. Pages are extracted once and kept in `cache`, unless `web` is a parquet file of their text."""
    cache.mkdir(parents=True, exist_ok=True)
    if data is None:
        made = build_inputs(cache / "environment")
        sets = {name: texts_of(str(made[name])) for name in ("descriptions", "licences")}
        return {"web": texts_of(str(extracted(made["web"], cache / "environment-pages.parquet"))), **sets}
    sets = {name: texts_of(str(data / "text" / f"{name}.parquet")) for name in ("news_en", "books_en", "manuals_en")}
    pages = web or extracted(data / "web" / "wcxb_dev.warc.gz", cache / "wcxb_dev.parquet")
    return {**sets, "web": texts_of(str(pages)), "zh": texts_of(str(data / "text" / "zh.parquet"))}


def texts_of(path: str) -> list[str]:
    """The texts in a file of any format that a source may have, without those that are null."""
    source = Source(name="texts", paths=(path,))
    splits = plan_splits(list_files(source), source, 2**62)
    batches = [batch for split in splits for batch in read(split, source)]
    return [text for batch in batches for text in batch.column("text").to_pylist() if text is not None]


def extracted(warc: Path, target: Path) -> Path:
    """The main texts of a WARC's pages, by our own stage. Made once: a page costs far more than all its rules."""
    if not target.exists():
        print(f"extracting {warc.name}, once …", flush=True)
        unfinished = target.with_name(f"_{target.name}")
        apply_stages(
            [Step.model_validate("extract")], [Source(name="web", paths=(str(warc),))], unfinished, overwrite=True
        )
        os.replace(unfinished, target)
    return target


def utf8_bytes(texts: Sequence[str]) -> int:
    """Bytes of all texts in UTF-8."""
    return sum(len(text.encode()) for text in texts)


def first_megabytes(texts: Sequence[str], megabytes: float) -> list[str]:
    """Texts from the front until so much is there; one at least."""
    chosen, size = [], 0
    for text in texts:
        chosen.append(text)
        size += len(text.encode())
        if size >= megabytes * 1e6:
            break
    return chosen


def pieces(text: str) -> Iterator[str]:
    """A long text cut at empty lines into pieces of about `PIECE_CHARS`; one of less than twice that is one piece."""
    if len(text) < 2 * PIECE_CHARS:
        yield text
        return
    start = 0
    while start < len(text):
        end = text.find("\n\n", start + PIECE_CHARS)
        end = len(text) if end < 0 else end
        yield text[start:end].strip("\n")
        start = end + 2


def varied(text: str, number: int, donor: Sequence[str]) -> str:
    """A text like this one: paragraphs in another order, a share of the words taken from `donor`'s words."""
    draw = np.random.default_rng(number)
    paragraphs = text.split("\n\n")
    words = "\n\n".join([paragraphs[i] for i in draw.permutation(len(paragraphs)).tolist()]).split(" ")
    count = int(len(words) * REPLACED_FRAC)
    places, picks = draw.integers(len(words), size=count).tolist(), draw.integers(len(donor), size=count).tolist()
    for place, pick in zip(places, picks, strict=True):
        words[place] = donor[pick]
    return " ".join(words)


def varied_texts(texts: Sequence[str], num_bytes: int) -> Iterator[str]:
    """The texts, then as many variations of them, one round after the other, as make up so many bytes."""
    size, number = 0, 0
    while size < num_bytes:
        text = texts[number % len(texts)]
        if number >= len(texts):
            # The donor is another document in each round; 7919 is a prime, so that neighbours have distant donors.
            donor = texts[(number * 7919 + number // len(texts)) % len(texts)].split(" ")
            text = varied(text, number, donor)
        size += len(text.encode())
        number += 1
        yield text


def write_varied(texts: Sequence[str], num_bytes: int, folder: Path) -> Path:
    """Parquet files of `FILE_BYTES` of text with columns `url` and `text`. A folder that is there is kept."""
    if folder.exists():
        return folder
    unfinished = folder.with_name(f"_{folder.name}")
    unfinished.mkdir(parents=True, exist_ok=True)
    waiting: list[str] = []
    size = files = 0
    documents = [piece for text in texts for piece in pieces(text) if piece.strip()]
    for text in varied_texts(documents, num_bytes):
        waiting.append(text)
        size += len(text.encode())
        if size >= FILE_BYTES:
            _write(waiting, unfinished, files)
            waiting, size, files = [], 0, files + 1
    if waiting:
        _write(waiting, unfinished, files)
    os.replace(unfinished, folder)
    return folder


def _write(texts: list[str], folder: Path, number: int) -> None:
    table = pa.table({"url": [f"varied://{number}/{row}" for row in range(len(texts))], "text": texts})
    pq.write_table(table, folder / f"part-{number:03d}.parquet", compression="zstd", row_group_size=GROUP_ROWS)


def compression_ratio(texts: Sequence[str]) -> float:
    """Bytes of the texts, one after the other, over their bytes as zstd at parquet's level."""
    data = "\n".join(texts).encode()
    return len(data) / len(pa.compress(data, codec="zstd", asbytes=True))
