"""Count n-grams on Spark: each task its own text, then one task each part. The counts are those of one machine.

Two jobs. The first counts words, so that the driver can number them by frequency. In the second each task counts the
n-grams of its text part by part, and those of a part are put together where it goes. What moves are sorted arrays
in binary columns, a block of them in a row: Spark never sees an n-gram. The driver receives the parts, to its disk.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from classifiers.language_model.counting import NgramCounts, NumberedText, checked_bits, num_parts
from classifiers.language_model.vocabulary import WordNumbers, Words, by_frequency
from classifiers.language_model.workspace import Array
from curate.kernels.ngram_keys import Keys
from curate.kernels.utf8 import Offsets, utf8
from curate.kernels.word_ids import SENTENCE_END, SPECIALS, Hashes, Ids, hash_word

if TYPE_CHECKING:
    from pyspark import Broadcast
    from pyspark.sql import DataFrame

#: Columns `text` and `language` -> sentences, one in each row, tokens parted by white space.
Sentences = Callable[[pa.RecordBatch], Iterable[pa.Array]]

_WORDS = "hash long, word binary, times long"
_GRAMS = "part int, high binary, low binary, times binary"
_BLOCK = 1 << 20  # n-grams in a row: 24 MB
_TYPES = {"high": np.uint64, "low": np.uint64, "times": np.int64}


def count_ngrams_on_spark(
    documents: DataFrame, sentences: Sentences, order: int, folder: Path, memory_bytes: int
) -> NgramCounts:
    """The n-grams of a relation's texts; as `classifiers.language_model.counting.count_ngrams` counts them.

    folder: of the driver; must be there, and stay while the counts are used. A task takes the memory of the n-grams
    of a part in its text, then of a whole part: about `memory_bytes` at most.
    """
    texts = documents.select("text", "language")
    words = _words(texts, sentences)
    num_tokens = int(words.counts.sum())
    bits = checked_bits(len(words.hash), order, num_tokens)
    tasks = texts.sparkSession.sparkContext.defaultParallelism
    bounds = likely_bounds(words.counts, bits, max(num_parts(num_tokens, memory_bytes), tasks))
    shared = texts.sparkSession.sparkContext.broadcast(words.hash)
    count = partial(_count, sentences=sentences, order=order, bits=bits, bounds=bounds, shared=shared)
    by_part = texts.mapInArrow(count, _GRAMS).repartition(len(bounds) + 1, "part")
    for row in by_part.mapInArrow(_merge, _GRAMS).toLocalIterator():
        for name in _TYPES:
            with _part_file(folder, row["part"], name).open("ab") as file:
                file.write(row[name])
    shared.unpersist()

    def part(number: int) -> tuple[Keys, Keys, Offsets]:
        for name in _TYPES:
            _part_file(folder, number, name).touch()  # a part may have no n-grams
        high, low = (np.fromfile(_part_file(folder, number, name), np.uint64) for name in ("high", "low"))
        return high, low, np.fromfile(_part_file(folder, number, "times"), np.int64)

    return NgramCounts(words, order, bits, bounds, part)


def _part_file(folder: Path, number: int, name: str) -> Path:
    return folder / f"counts-{number}.{name}"


def likely_bounds(counts: Offsets, bits: int, num_parts: int) -> Keys:
    """Pairs of words that would part a corpus about equally if words came independently of each other."""
    ends = np.cumsum(counts)
    goals = ends[-1] * np.arange(1, num_parts) / num_parts
    last = np.searchsorted(ends, goals, side="right")
    share = (goals - (ends - counts)[last]) / np.maximum(counts[last], 1)  # of the last word's n-grams that lie before
    before = np.searchsorted(ends, share * ends[-1], side="right")
    found: Keys = np.unique((last.astype(np.uint64) << np.uint64(bits)) | before.astype(np.uint64))
    return found[found > 0]


def _words(texts: DataFrame, sentences: Sentences) -> Words:
    """The words of all texts by frequency."""
    from pyspark.sql import functions as F

    counted = texts.mapInArrow(partial(_count_words, sentences=sentences), _WORDS)
    found = counted.groupBy("hash").agg(F.min("word").alias("word"), F.sum("times").alias("times")).toArrow()
    is_special = pc.is_in(found["word"], pa.array(SPECIALS))
    own, ends = found.filter(pc.invert(is_special)), found.filter(pc.equal(found["word"], SPECIALS[SENTENCE_END]))
    column = pa.concat_arrays([pa.array(SPECIALS, pa.binary()), *own["word"].chunks])
    letters, start = utf8(column.cast(pa.large_string(), safe=False))  # bytes as they are
    hashes = [hash_word(np.frombuffer(word, np.uint8)) for word in SPECIALS]
    words, _ = by_frequency(
        Words(
            letters,
            start,
            np.concatenate([np.array(hashes, np.uint64), own["hash"].to_numpy().view(np.uint64)]),
            np.concatenate([[0, 0, sum(ends["times"].to_pylist())], own["times"].to_numpy()]),
        )
    )
    return words


def _count_words(batches: Iterable[pa.RecordBatch], sentences: Sentences) -> Iterator[pa.RecordBatch]:
    """The words of one task's text."""
    numbers = WordNumbers()
    for batch in batches:
        for column in sentences(batch):
            for _ in numbers.ids(column):
                pass  # counted as they are numbered
    words, _ = numbers.finish()
    letters, start = pa.py_buffer(words.letters), pa.py_buffer(words.start)
    column = pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(words.hash), [None, start, letters])
    arrays = [pa.array(words.hash.view(np.int64)), column.cast(pa.binary()), pa.array(words.counts)]
    yield pa.RecordBatch.from_arrays(arrays, ["hash", "word", "times"])


def _count(
    batches: Iterable[pa.RecordBatch],
    sentences: Sentences,
    order: int,
    bits: int,
    bounds: Keys,
    shared: Broadcast[Hashes],
) -> Iterator[pa.RecordBatch]:
    """The n-grams of one task's text, part by part."""
    with tempfile.TemporaryDirectory() as folder:
        columns = (column for batch in batches for column in sentences(batch))
        text = NumberedText(columns, Path(folder) / "words.u32")
        text.rank = _numbers_of(text, shared.value)
        sizes = text.part_sizes(order, bits, bounds)
        for number in np.flatnonzero(sizes).tolist():
            yield from _rows(number, text.part(number, sizes[number], order, bits, bounds))


def _numbers_of(text: NumberedText, hashes: Hashes) -> Ids:
    """The number in the whole corpus of each word number of a task's text."""
    order = np.argsort(hashes)
    own: Ids = order[np.searchsorted(hashes, text.words.hash, sorter=order)].astype(np.uint32)
    return own[text.rank]


def _rows(part: int, grams: tuple[Keys, Keys, Offsets]) -> Iterator[pa.RecordBatch]:
    for first in range(0, len(grams[0]), _BLOCK):
        blocks = [[array[first : first + _BLOCK].tobytes()] for array in grams]
        yield pa.RecordBatch.from_pydict(
            {"part": pa.array([part], pa.int32()), **dict(zip(_TYPES, blocks, strict=True))}
        )


def _merge(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Whole parts out of the blocks that tasks counted."""
    blocks: dict[int, list[list[Array]]] = {}
    for batch in batches:
        for row in batch.to_pylist():
            arrays = [np.frombuffer(row[name], kind) for name, kind in _TYPES.items()]
            blocks.setdefault(row["part"], []).append(arrays)
    for part in sorted(blocks):
        high, low, times = (np.concatenate(arrays) for arrays in zip(*blocks.pop(part), strict=True))
        order = np.lexsort((low, high))
        high, low = high[order], low[order]
        first = np.flatnonzero(np.append(True, (high[1:] != high[:-1]) | (low[1:] != low[:-1])))
        yield from _rows(part, (high[first], low[first], np.add.reduceat(times[order], first)))
