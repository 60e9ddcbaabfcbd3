"""Write a language model as KenLM's binary file, which loads in the time that it takes to read it.

The layout is that of KenLM 0.3.0 (format version 5, "probing", written by its build_binary): header, table of words,
weights of words, a hash table for each higher order, words. From the same ARPA file build_binary makes the same bytes.
Two flags hide in signs. A probability is stored positive where a longer n-gram ends with the n-gram; a backoff of zero
is negative zero where no longer n-gram begins with it.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.language_model.estimation import Estimate, Ngrams
from curate.kernels.kenlm_tables import Table, kenlm_keys, put_entries
from curate.kernels.ngram_probabilities import Floats

_MAGIC = b"mmap lm http://kheafield.com/code format version 5\n\0"
_MULTIPLIER = 1.5  # buckets for each entry: build_binary's default
_PROBING, _SEARCH_VERSION, _VOCABULARY_VERSION = 0, 0, 0


def write_kenlm(model: Estimate, path: Path) -> None:
    """Write a model. The file's tables are mapped into memory one after the other."""
    words = model.words
    with path.open("wb") as file:
        file.write(_header(model))
        file.write(struct.pack("<II", _VOCABULARY_VERSION, len(words.hash)))
    numbers = np.arange(1, len(words.hash), dtype=np.uint32).reshape(-1, 1)  # <unk> is not in the table
    put_entries(_new_table(path, len(words.hash), 3), words.hash[1:], numbers)
    with path.open("ab") as file:
        for block in model.ngrams(1):
            positive = block.extends_left | (block.prob == 0)  # <s>, whose zero comes without a sign
            file.write(_weights(block._replace(extends_left=positive)).tobytes())
        file.write(bytes(8))  # KenLM keeps room for an <unk> that the model might lack
    for n in range(2, model.order + 1):
        table = _new_table(path, model.num_ngrams[n - 1], 3 if n == model.order else 4)
        for block in model.ngrams(n):
            values = _weights(block)[:, : 1 if n == model.order else 2]
            put_entries(table, kenlm_keys(block.high, block.low, n, np.uint64(model.bits)), values)
        table.flush()
    with path.open("ab") as file:
        file.writelines(words.word(number) + b"\0" for number in range(len(words.hash)))


def _header(model: Estimate) -> bytes:
    """Values by which KenLM knows a file of another machine; order, buckets, kind, words at the end; counts."""
    sane = struct.pack("<56s3f3IQ", _MAGIC, 0.0, 1.0, -0.5, 1, 0xFFFFFFFF, 0, 1)
    kind = struct.pack("<B3xfIB3xI", model.order, _MULTIPLIER, _PROBING, 1, _SEARCH_VERSION)
    header = sane + kind + struct.pack(f"<{model.order}Q", *model.num_ngrams)
    return header + bytes(-len(header) % 8)


def _new_table(path: Path, num_entries: int, width: int) -> np.memmap[tuple[int], np.dtype[np.uint32]]:
    """An empty hash table at the end of the file; KenLM finds its size in float32."""
    buckets = max(num_entries + 1, int(np.float32(_MULTIPLIER) * np.float32(num_entries)))
    end = path.stat().st_size
    with path.open("ab") as file:
        file.truncate(end + 4 * width * buckets)
    return np.memmap(path, np.uint32, "r+", end, (buckets * width,))


def _weights(block: Ngrams) -> Table:
    """Probabilities and backoffs with their flags, as bits: uint32[n-grams, 2]."""
    prob = np.copysign(block.prob, np.where(block.extends_left, np.float32(1), np.float32(-1)))
    zero = np.where(block.extends_right, np.float32(0), np.float32(-0.0))
    backoff: Floats = np.where(block.backoff == 0, zero, block.backoff)
    weights: NDArray[np.float32] = np.stack([prob, backoff], 1)
    return weights.view(np.uint32)
