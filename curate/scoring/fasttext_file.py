"""Read a supervised fastText model, `.bin` or quantised `.ftz`, into what the kernels score from.

The file (fastText 0.9.3, versions 11 and 12; all numbers little-endian): magic number and version; 12 int32 of settings
and a double; the dictionary; the input matrix; the output matrix. Each matrix is float32, or a product quantiser's
codes and centroids. What stands behind that the library does not read: `classifiers.fasttext` writes a `Note` there, so
that one file, with one digest, also says how its texts were made into lines.

It refuses models without labels (word vectors), other versions, and files that are cut short. The file is mapped, and
only what scores is kept: with two labels 8 bytes for a row of the matrix instead of 400.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from curate.kernels.compiled import compiled
from curate.kernels.fasttext_scores import (
    HIERARCHICAL,
    Doubles,
    LineModel,
    Matrix,
    add_char_ngrams,
    find_entry,
    keys_of,
    projected,
    slots_of,
)
from curate.kernels.utf8 import Bytes, Int, Offsets

LABEL = "__label__"
Tokens = Literal["spaces", "characters", "words"]

_MAGIC, _VERSIONS, _SUPERVISED = 793712314, (11, 12), 3
_CENTROIDS = 256
_CHUNK_ROWS = 1 << 16
#: Beyond what anybody trains with; a damaged file would take all memory or time.
_MOST_NGRAMS, _MOST_BUCKETS = 64, 1 << 28
_NOT_YET = 10**15  # the library's weight of a node of its Huffman tree that has no children yet


class Note(BaseModel):
    """What a model's file says of itself behind the library's part."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    curate_fasttext: Literal[1] = 1
    positive: str | None = None  # the label whose probability is the score
    labels: dict[str, str] = {}  # as the library has them (no blank in it, no prefix) → as they were given
    tokens: Tokens = "spaces"
    lower_case: bool = False


class FastTextModel(NamedTuple):
    """A model, its labels in order (without "__label__"), and its note."""

    lines: LineModel
    labels: tuple[str, ...]
    note: Note | None


def read_fasttext(path: str) -> FastTextModel:
    """The model in a file. ValueError where it is none, is cut short or has no labels."""
    file = _File(np.memmap(path, np.uint8, "r") if Path(path).stat().st_size else np.zeros(0, np.uint8))
    if file.numbers("<i4", 1)[0] != _MAGIC:
        raise ValueError("it does not begin as a fastText model does")
    version = int(file.numbers("<i4", 1)[0])
    if version not in _VERSIONS:
        raise ValueError(f"its format is version {version}; versions 11 and 12 can be read")
    dim, _, _, _, _, word_ngrams, loss, kind, buckets, min_chars, max_chars, _ = file.numbers("<i4", 12).tolist()
    file.numbers("<f8", 1)
    if kind != _SUPERVISED:
        raise ValueError("it holds word vectors and has no labels; a supervised model is wanted")
    if loss not in range(1, 5) or word_ngrams > _MOST_NGRAMS or max_chars > _MOST_NGRAMS or buckets > _MOST_BUCKETS:
        raise ValueError(f"loss {loss}, n-grams of {word_ngrams} words and {max_chars} characters, {buckets} buckets")
    max_chars = 0 if version == 11 else max_chars  # version 11 wrote it and did not use it
    size, num_words, num_labels = file.numbers("<i4", 3).tolist()
    pruned = int(file.numbers("<i8", 2)[1])
    entries, ends, counts = file.entries(size)
    kept = _kept_buckets(file, pruned, buckets)
    weights, output = _matrices(file, dim)
    if not 0 < num_labels == size - num_words or output.num_rows < num_labels:
        raise ValueError(f"{size} entries, {num_words} words and {num_labels} labels do not go together")
    used = pruned if pruned >= 0 else buckets if word_ngrams > 1 or max_chars > 0 else 0
    if weights.num_rows < num_words + used:
        raise ValueError(f"its matrix has {weights.num_rows} rows for {num_words} words and {used} n-grams")
    label_rows = output.read(0, num_labels)
    few = num_labels <= dim
    lines = LineModel(
        slots=slots_of(keys_of(entries, ends)), entry_ends=ends, entries=entries, num_words=num_words, line_end=-1,
        rows=_rows(weights, label_rows if few else None), row_counts=np.ones(num_words, np.int32),
        num_buckets=buckets if pruned != 0 and used else 0, kept_buckets=kept, word_ngrams=word_ngrams,
        min_chars=min_chars, max_chars=max_chars, output=np.zeros((0, 0), np.float32) if few else label_rows,
        num_labels=num_labels, loss=loss, tree=_tree(counts[num_words:], loss),
    )  # fmt: skip
    lines = lines._replace(line_end=_line_end(lines))
    if max_chars > 0:
        _add_known_ngrams(lines)
    note = _note(file.rest())
    return FastTextModel(lines, _labels(entries, ends, num_words, note), note)


class _File:
    """A mapped file, read from its beginning on."""

    def __init__(self, data: Bytes) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> Bytes:
        if size < 0 or self.at + size > self.data.size:
            raise ValueError("it is cut short")
        self.at += size
        return self.data[self.at - size : self.at]

    def numbers(self, kind: str, count: int) -> NDArray[Any]:
        return np.frombuffer(self.take(count * np.dtype(kind).itemsize).tobytes(), kind)

    def entries(self, size: int) -> tuple[Bytes, Offsets, NDArray[np.int64]]:
        """The dictionary: the bytes of its entries, where each ends, and how often each was seen."""
        if not 0 <= size <= (self.data.size - self.at) // 10:
            raise ValueError("it is cut short within its dictionary")
        starts, ends = np.zeros(size, np.int64), np.zeros(size + 1, np.int64)
        at = int(_entry_places(self.data, self.at, starts, ends))
        if at < 0:
            raise ValueError("it is cut short within its dictionary")
        out, counts = np.empty(ends[-1], np.uint8), np.empty(len(starts), np.int64)
        _copy_entries(self.data, starts, ends, out, counts)
        self.at = at
        return out, ends, counts

    def rest(self) -> bytes:
        return self.data[self.at :].tobytes()


@compiled
def _entry_places(data: Bytes, at: int, starts: Offsets, ends: Offsets) -> int:
    """Where entries (bytes, NUL, int64, int8) start, and the sums of their lengths; where they end, or -1."""
    for i in range(starts.size):
        starts[i] = at
        while at < data.size and data[at] != 0:
            at += 1
        ends[i + 1] = ends[i] + at - starts[i]
        at += 10
        if at > data.size:
            return -1
    return at


@compiled
def _copy_entries(data: Bytes, starts: Offsets, ends: Offsets, out: Bytes, counts: NDArray[np.int64]) -> None:
    for i in range(starts.size):
        start, size = starts[i], ends[i + 1] - ends[i]
        out[ends[i] : ends[i + 1]] = data[start : start + size]
        count: Int = np.int64(0)
        for j in range(8):
            count |= np.int64(data[start + size + 1 + j]) << (8 * j)
        counts[i] = count


class _Weights(NamedTuple):
    """A matrix in a file; rows are made of it when they are asked for."""

    num_rows: int
    dense: NDArray[Any] | None  # bytes of float32[num_rows, dim]
    dim: int
    codes: Bytes | None = None  # uint8[num_rows, parts]
    centroids: tuple[Matrix, ...] = ()  # of each part float32[256, dimensions of the part]
    norms: Matrix | None = None  # float32[num_rows]

    def read(self, first: int, last: int) -> Matrix:
        """float32[last - first, dim]."""
        if self.dense is not None:
            part = np.array(self.dense[first * self.dim * 4 : last * self.dim * 4])
            return part.view("<f4").reshape(-1, self.dim)
        assert self.codes is not None
        codes = self.codes[first:last]
        rows = np.concatenate([part[codes[:, i]] for i, part in enumerate(self.centroids)], axis=1)
        return rows if self.norms is None else rows * self.norms[first:last, None]


def _matrices(file: _File, dim: int) -> tuple[_Weights, _Weights]:
    quantised = bool(file.take(1)[0])
    weights = _quantised(file) if quantised else _dense(file)
    output_quantised = bool(file.take(1)[0])
    output = _quantised(file) if quantised and output_quantised else _dense(file)
    if weights.dim != dim or output.dim != dim or dim <= 0:
        raise ValueError(f"its matrices have {weights.dim} and {output.dim} columns instead of {dim}")
    return weights, output


def _dense(file: _File) -> _Weights:
    num_rows, dim = file.numbers("<i8", 2).tolist()
    return _Weights(num_rows, file.take(num_rows * dim * 4), dim)


def _quantised(file: _File) -> _Weights:
    has_norms = bool(file.take(1)[0])
    num_rows, dim = file.numbers("<i8", 2).tolist()
    size = int(file.numbers("<i4", 1)[0])
    codes = file.take(size).reshape(num_rows, -1)
    centroids = _centroids(file)
    if codes.shape[1] != len(centroids):
        raise ValueError(f"its rows have {codes.shape[1]} codes for {len(centroids)} parts")
    if (width := sum(part.shape[1] for part in centroids)) != dim:  # which is written twice
        raise ValueError(f"the parts of its rows make {width} columns instead of {dim}")
    norms = None
    if has_norms:
        norm_codes = file.take(num_rows)
        norm = _centroids(file)[0]
        if norm.shape[1] != 1:
            raise ValueError(f"the norms of its rows have {norm.shape[1]} dimensions")
        norms = norm[norm_codes, 0]
    return _Weights(num_rows, None, dim, codes, centroids, norms)


def _centroids(file: _File) -> tuple[Matrix, ...]:
    dim, parts, size, last_size = file.numbers("<i4", 4).tolist()
    if parts <= 0 or (parts - 1) * size + last_size != dim:
        raise ValueError(f"{parts} parts of {size} dimensions do not make {dim}")
    flat = file.numbers("<f4", dim * _CENTROIDS)
    split = (parts - 1) * size * _CENTROIDS
    firsts = flat[:split].reshape(parts - 1, _CENTROIDS, size)
    return (*firsts, flat[split:].reshape(_CENTROIDS, last_size))


def _rows(weights: _Weights, output: Matrix | None) -> Matrix:
    """All rows, multiplied with the output matrix where it is given."""
    width = weights.dim if output is None else len(output)
    rows = np.empty((weights.num_rows, width), np.float32)
    for first in range(0, weights.num_rows, _CHUNK_ROWS):
        last = min(first + _CHUNK_ROWS, weights.num_rows)
        part = weights.read(first, last)
        if output is None:
            rows[first:last] = part
        else:
            projected(part, output, rows[first:last])
    return rows


def _kept_buckets(file: _File, pruned: int, buckets: int) -> NDArray[np.int32]:
    """Where a pruned model has put each of its buckets; empty where it is not pruned."""
    if pruned <= 0:
        return np.zeros(0, np.int32)
    pairs = file.numbers("<i4", 2 * pruned).reshape(-1, 2)
    if pairs.min() < 0 or pairs[:, 0].max() >= buckets or pairs[:, 1].max() >= pruned:
        raise ValueError("its list of kept n-grams points outside of its matrix")
    kept = np.full(buckets, -1, np.int32)
    kept[pairs[:, 0]] = pairs[:, 1]
    return kept


def _line_end(model: LineModel) -> int:
    text = np.array(list(b"</s>"), np.uint8)
    key = keys_of(text, np.array([0, text.size]))[0]
    entry = int(find_entry(model, key, text, 0, text.size))
    return entry if entry < model.num_words else -1


@compiled
def _add_known_ngrams(model: LineModel) -> None:
    """Add to each word's row those of its character n-grams, and count them."""
    total: Doubles = np.empty(model.rows.shape[1])
    for word in range(model.num_words):
        if word == model.line_end:
            continue
        total[:] = model.rows[word]
        begin, end = model.entry_ends[word], model.entry_ends[word + 1]
        num = 1 + add_char_ngrams(model, model.entries, begin, end, total)
        model.rows[word] = total
        model.row_counts[word] = num


def _tree(counts: NDArray[np.int64], loss: int) -> NDArray[np.int32]:
    """Hierarchical softmax's Huffman tree over the labels, which stand in descending order of their counts."""
    if loss != HIERARCHICAL:
        return np.zeros((0, 2), np.int32)
    num = len(counts)
    if counts.max() >= _NOT_YET:
        raise ValueError(f"a label was seen {counts.max()} times; hierarchical softmax has a tree up to {_NOT_YET}")
    weight = [*counts.tolist(), *([_NOT_YET] * (num - 1))]
    tree = np.full((2 * num - 1, 2), (-1, 0), np.int32)
    leaf, inner = num - 1, num
    for node in range(num, 2 * num - 1):
        children = []
        for _ in range(2):
            if leaf >= 0 and weight[leaf] < weight[inner]:
                children.append(leaf)
                leaf -= 1
            else:
                children.append(inner)
                inner += 1
        weight[node] = weight[children[0]] + weight[children[1]]
        tree[children[0]], tree[children[1]] = (node, 0), (node, 1)
    return tree


def _note(rest: bytes) -> Note | None:
    """The note behind the library's part; None where there is none, or something of others."""
    try:
        found = json.loads(rest)
    except ValueError:
        return None
    return Note.model_validate(found) if isinstance(found, dict) and "curate_fasttext" in found else None


def _labels(entries: Bytes, ends: Offsets, num_words: int, note: Note | None) -> tuple[str, ...]:
    spans = zip(ends[num_words:-1].tolist(), ends[num_words + 1 :].tolist(), strict=True)
    names = [entries[start:end].tobytes().decode("utf-8", "replace").removeprefix(LABEL) for start, end in spans]
    return tuple(note.labels.get(name, name) if note else name for name in names)
