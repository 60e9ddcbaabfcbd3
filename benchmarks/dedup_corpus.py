"""A corpus whose near duplicates are known: real words, planted families, and every pair's true similarity.

A document is made of passages of real text put one after the other, a share of the words replaced by others, so that
two documents have next to nothing in common unless they were planted (`unplanted_similarity` measures that). What is
planted:

- families of 2 to 20: a document and versions of it, each edited word by word, cut, with a passage inserted, or both,
  towards a Jaccard of 0.5 to 1; copies, and copies with other white space;
- one family of thousands: pages of one template that differ in three passages.

`FOREIGN_FRAC` of the documents are Chinese, where a character is a word. Each document is a function of the seed and
its number, so files are written by several processes in bounded memory and come out the same. Without real texts the
words are made up.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import multiprocessing
import os
import re
import time
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

Words = NDArray[np.int32]

ENGLISH, CHINESE = ("news_en", "books_en", "manuals_en", "textbook_stem"), ("zh",)
MEAN_BYTES = 2_819  # of a document: 186 MB in 65,989
SPREAD = 0.8  # standard deviation of the logarithm of a document's length: most are short, few are long
SHORTEST, LONGEST = 60, 8_000  # words
PASSAGE_WORDS = 100
REPLACED_FRAC = 0.2  # of the words of every document
FOREIGN_FRAC = 0.05  # of families and of documents without one
FAMILY_FRAC = 0.20  # of the documents are in families of 2 to 20
TEMPLATE_FRAC = 0.03  # of the documents are pages of one template: 1,979 of 65,989
TEMPLATE_WORDS, TEMPLATE_SLOTS = 400, 3
FAMILY_SIZES = {2: 0.5, 3: 0.2, 4: 0.1, 6: 0.08, 9: 0.06, 14: 0.04, 20: 0.02}  # share of the families
KINDS = {"edited": 0.45, "cut": 0.15, "inserted": 0.15, "mixed": 0.15, "copied": 0.06, "respaced": 0.04}
FILE_DOCUMENTS, GROUP_DOCUMENTS = 11_000, 1_000  # about 31 MB of text in a file


class Stock(NamedTuple):
    """Text to draw from, in reading order: `pieces[ids[i]]` is the i-th word with the white space that follows it."""

    ids: Words
    pieces: list[str]

    @property
    def mean_bytes(self) -> float:
        """UTF-8 bytes of a word as often as it occurs."""
        sizes = np.array([len(piece.encode()) for piece in self.pieces])
        return float(sizes[self.ids].mean())


class Layout(NamedTuple):
    """Which numbers belong together: families first, each in a row, then the template's pages, then the rest."""

    documents: int
    seed: int
    starts: NDArray[np.int64]  # int64[num_families + 1], first number of each family, then that of the template

    @property
    def template(self) -> range:
        """The numbers of the template's pages."""
        first = int(self.starts[-1])
        return range(first, first + int(TEMPLATE_FRAC * self.documents))

    def family(self, number: int) -> int:
        """The family of a document: -1 for none; the template's pages are one more than the last of the others."""
        if number < self.starts[-1]:
            return int(np.searchsorted(self.starts, number, "right")) - 1
        return len(self.starts) - 1 if number in self.template else -1

    def families(self) -> list[range]:
        """The numbers of each family's documents, without the template's."""
        bounds = self.starts.tolist()
        return [range(first, last) for first, last in itertools.pairwise(bounds)]

    def order(self) -> NDArray[np.int64]:
        """In which order documents are written: int64[documents], so that families are scattered over the files."""
        return _draw(self.seed, "order", 0).permutation(self.documents)


def layout(documents: int, seed: int = 0) -> Layout:
    """Families as large as `FAMILY_SIZES` says until `FAMILY_FRAC` of the documents are in one."""
    wanted = int(FAMILY_FRAC * documents)
    draw = _draw(seed, "families", 0)
    drawn = draw.choice(list(FAMILY_SIZES), size=max(1, wanted), p=list(FAMILY_SIZES.values()))
    sizes = drawn[np.cumsum(drawn) <= wanted]
    return Layout(documents, seed, np.concatenate([[0], np.cumsum(sizes)]))


class Maker:
    """Makes the texts of one corpus."""

    def __init__(self, stocks: tuple[Stock, Stock], plan: Layout) -> None:
        self.stocks, self.plan = stocks, plan
        self.mean_words = tuple(MEAN_BYTES / stock.mean_bytes for stock in stocks)
        self.template = _passages(stocks[0], TEMPLATE_WORDS, _draw(plan.seed, "template", 0))

    def language(self, number: int) -> int:
        """0: English, 1: Chinese. A family has one language."""
        family = self.plan.family(number)
        draw = _draw(self.plan.seed, "family" if family >= 0 else "single", family if family >= 0 else number)
        return int(draw.random() < FOREIGN_FRAC) if number not in self.plan.template else 0

    def text(self, number: int) -> str:
        """The text of a document."""
        if number in self.plan.template:
            return _joined(self.stocks[0], self._page(number))
        language = self.language(number)
        stock, family = self.stocks[language], self.plan.family(number)
        if family < 0:
            return _joined(stock, self._base(language, _draw(self.plan.seed, "text", number)))
        first = int(self.plan.starts[family])
        base = self._base(language, _draw(self.plan.seed, "text", first))
        if number == first:
            return _joined(stock, base)
        # A family has a lowest similarity of its own, so that some are close throughout and others fall apart.
        lowest = _draw(self.plan.seed, "lowest", family).uniform(0.5, 0.95)
        draw = _draw(self.plan.seed, "version", number)
        kind = draw.choice(list(KINDS), p=list(KINDS.values()))
        text = _joined(stock, version(base, kind, draw.uniform(lowest, 1), stock, draw))
        return re.sub(r"\s+", "\n", text) if kind == "respaced" else text

    def row(self, number: int) -> dict[str, str]:
        """The document with the columns of a file."""
        draw = _draw(self.plan.seed, "row", number)
        name = identity(self.plan.seed, number)
        return {
            "id": name,
            "url": f"https://site-{draw.integers(500)}.example/{name}",
            "text": self.text(number),
            "source": ("web", "zh")[self.language(number)],
            "date": str(np.datetime64("2023-01-01") + int(draw.integers(1_000))),
        }

    def _base(self, language: int, draw: np.random.Generator) -> Words:
        length = draw.lognormal(math.log(self.mean_words[language]) - SPREAD**2 / 2, SPREAD)
        return _passages(self.stocks[language], int(min(max(length, SHORTEST), LONGEST)), draw)

    def _page(self, number: int) -> Words:
        """The template with a passage of 6 to 24 words of its own in each slot."""
        draw = _draw(self.plan.seed, "page", number)
        parts: list[Words] = []
        for part in np.array_split(self.template, TEMPLATE_SLOTS):
            parts += [part, _passages(self.stocks[0], int(draw.integers(6, 25)), draw)]
        return np.concatenate(parts)


def version(base: Words, kind: str, jaccard: float, stock: Stock, draw: np.random.Generator) -> Words:
    """A version of a text with about this Jaccard of 5-word shingles to it; `copied` and `respaced` change no word."""
    if kind == "mixed":
        edited = version(base, "edited", math.sqrt(jaccard), stock, draw)
        return version(edited, "inserted", math.sqrt(jaccard), stock, draw)
    if kind == "edited":
        # A share s of both sides' shingles is shared where J = s / (2 - s), and a shingle stays where its 5 words do.
        replaced = draw.random(base.size) > (2 * jaccard / (1 + jaccard)) ** (1 / 5)
        others: Words = stock.ids[draw.integers(stock.ids.size, size=base.size)]
        return np.asarray(np.where(replaced, others, base))
    if kind == "cut":
        length = max(1, round(base.size * jaccard))
        start = int(draw.integers(2)) * (base.size - length)  # its beginning, or its end
        return base[start : start + length]
    if kind == "inserted":
        place = int(draw.integers(base.size + 1))
        passage = _passages(stock, round(base.size * (1 / jaccard - 1)), draw)
        return np.concatenate([base[:place], passage, base[place:]])
    return base


def _passages(stock: Stock, length: int, draw: np.random.Generator) -> Words:
    """So many words: passages from anywhere in the stock, a share of the words replaced by words from anywhere."""
    starts = draw.integers(stock.ids.size - PASSAGE_WORDS, size=length // PASSAGE_WORDS + 1)
    words: Words = stock.ids[(starts[:, None] + np.arange(PASSAGE_WORDS)).ravel()[:length]]
    replaced = draw.random(length) < REPLACED_FRAC
    words[replaced] = stock.ids[draw.integers(stock.ids.size, size=int(replaced.sum()))]
    return words


def _joined(stock: Stock, words: Words) -> str:
    return "".join([stock.pieces[word] for word in words.tolist()]).strip()


def _draw(seed: int, purpose: str, number: int) -> np.random.Generator:
    return np.random.default_rng([seed, int.from_bytes(purpose.encode(), "big") % 2**32, number])


def identity(seed: int, number: int) -> str:
    """A document's id, whose order says nothing of its number."""
    return hashlib.blake2b(f"{seed}:{number}".encode(), digest_size=8).hexdigest()


def stocks(data: Path | None, cache: Path) -> tuple[Stock, Stock]:
    """English and Chinese to draw from: of the folder `data` (with `text/*.parquet`), or made up. Kept in `cache`."""
    folder = cache / ("words-real" if data else "words-made-up")
    if not (folder / "ready").exists():
        folder.mkdir(parents=True, exist_ok=True)
        english, chinese = (_real(data, ENGLISH), _real(data, CHINESE)) if data else (_made_up(False), _made_up(True))
        _store(folder / "en.npz", [piece for text in english for piece in _words(text)])
        _store(folder / "zh.npz", [char for text in chinese for char in re.sub(r"\s+", "\n", text)])
        (folder / "ready").touch()
    return _stock(folder / "en.npz"), _stock(folder / "zh.npz")


def _real(data: Path, names: tuple[str, ...]) -> list[str]:
    tables = [pq.read_table(data / "text" / f"{name}.parquet", columns=["text"]) for name in names]
    texts = [text for table in tables for text in table["text"].to_pylist() if text]
    return texts if names == ENGLISH else texts[:600]  # 7 million characters are enough


def _made_up(chinese: bool) -> list[str]:
    """A million words of 20,000, as often as Zipf has it; or as many characters."""
    draw = np.random.default_rng(int(chinese))
    letters = [chr(point) for point in range(0x4E00, 0x4E00 + 3_000)] if chinese else list("etaoinshrdlucmwfgypbvk")
    words = {"".join(draw.choice(letters, size=1 if chinese else draw.integers(2, 10))) for _ in range(20_000)}
    ranked = sorted(words)
    shares = 1 / np.arange(3, len(ranked) + 3)
    picked = draw.choice(len(ranked), size=1_000_000, p=shares / shares.sum())
    return [("" if chinese else " ").join([ranked[pick] for pick in picked])]


def _words(text: str) -> list[str]:
    """Words with what follows them: an empty line, the end of a line, or a space."""
    return [
        word + ("\n\n" if space.count("\n") > 1 else "\n" if "\n" in space else " ")
        for word, space in re.findall(r"(\S+)(\s*)", text)
    ]


def _store(path: Path, pieces: list[str]) -> None:
    known: dict[str, int] = {}
    ids = np.fromiter((known.setdefault(piece, len(known)) for piece in pieces), np.int32, len(pieces))
    np.savez(path, ids=ids, pieces=np.frombuffer("\0".join(known).encode(), np.uint8))


@lru_cache(maxsize=4)
def _stock(path: Path) -> Stock:
    with np.load(path) as stored:
        return Stock(stored["ids"], stored["pieces"].tobytes().decode().split("\0"))


def write_corpus(data: Path | None, cache: Path, documents: int, seed: int = 0, processes: int = 2) -> Path:
    """A folder with `documents/*.parquet`, `families.parquet`, `pairs.parquet` and `corpus.json`. Kept if it is there.

    `families` has `id`, `family` and `template` of each planted document; for `pairs` see `dedup_truth.py`.
    """
    from dedup_truth import write_pairs

    folder = cache / f"corpus-{'real' if data else 'made-up'}-{documents}-{seed}"
    if folder.exists():
        return folder
    print(f"writing a corpus of {documents:,} documents, once …", flush=True)
    begun = time.perf_counter()
    stocks(data, cache)  # before the processes would all make them
    unfinished = folder.with_name(f"_{folder.name}")
    (unfinished / "documents").mkdir(parents=True, exist_ok=True)
    plan = layout(documents, seed)
    step = min(FILE_DOCUMENTS, -(-documents // 4))  # peers need some files for their processes
    jobs = [(data, cache, documents, seed, unfinished, start, step) for start in range(0, documents, step)]
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        num_bytes = sum(pool.map(_write_file, *zip(*jobs, strict=True)))
    numbers = range(plan.template.stop)
    planted = {"id": [identity(seed, n) for n in numbers], "family": [plan.family(n) for n in numbers]}
    table = pa.table({**planted, "template": [n in plan.template for n in numbers]})
    pq.write_table(table, unfinished / "families.parquet")
    write_pairs(data, cache, documents, seed, unfinished / "pairs.parquet", processes)
    facts = {"documents": documents, "bytes": num_bytes, "seconds": round(time.perf_counter() - begun, 1)}
    (unfinished / "corpus.json").write_text(json.dumps(facts), encoding="utf-8")
    os.replace(unfinished, folder)
    return folder


def maker(data: Path | None, cache: Path, documents: int, seed: int) -> Maker:
    """The maker of one corpus."""
    return Maker(stocks(data, cache), layout(documents, seed))


def _write_file(data: Path | None, cache: Path, documents: int, seed: int, folder: Path, start: int, step: int) -> int:
    """One file; returns the bytes of its texts."""
    texts = maker(data, cache, documents, seed)
    numbers, num_bytes = texts.plan.order()[start : start + step].tolist(), 0
    names = ("id", "url", "text", "source", "date")
    path = folder / "documents" / f"part-{start // step:05d}.parquet"
    with pq.ParquetWriter(path, pa.schema([(name, pa.string()) for name in names]), compression="zstd") as writer:
        for at in range(0, len(numbers), GROUP_DOCUMENTS):
            rows: list[dict[str, Any]] = [texts.row(number) for number in numbers[at : at + GROUP_DOCUMENTS]]
            writer.write_table(pa.Table.from_pylist(rows, writer.schema))
            num_bytes += sum(len(row["text"].encode()) for row in rows)
    return num_bytes
