"""Probabilities of a supervised fastText model's labels, straight from the bytes of a string column.

The model: Joulin et al. 2017, "Bag of Tricks for Efficient Text Classification"; hashing and file as in fastText
0.9.3 (`dictionary.cc`, `loss.cc`, `model.cc`). A line's tokens, the character n-grams of each and its word n-grams are
rows of one matrix; the mean of the rows times the output matrix gives a number for each label. Multiplication
distributes over the mean, so where labels are fewer than dimensions each row is multiplied **once, when the model is
loaded**: a token then costs one number for each label instead of a row of a hundred, and the character n-grams of a
known word are added up beforehand. Sums are in double precision.

The library adds rows in single precision, whose rounding is all that the two differ in: within 1e-6 on a page. By the
library's own way each probability is 1e-5 too large (`std_log`), and so it is here: published thresholds are on that.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.compiled import borrowing, compiled, inlined
from curate.kernels.fasttext_lines import LineRules, line_room, write_line
from curate.kernels.unicode_tables import CharTable, char_table
from curate.kernels.utf8 import Bool, Bytes, Int, Offsets, utf8
from curate.kernels.words import WordSource, spaces

Int32s = NDArray[np.int32]
Hashes = NDArray[np.uint32]
Slots = NDArray[np.int64]
Matrix = NDArray[np.float32]
Doubles = NDArray[np.float64]

HIERARCHICAL, NEGATIVE_SAMPLING, SOFTMAX, ONE_VS_ALL = 1, 2, 3, 4

_FNV_START, _FNV_FACTOR = np.uint32(2166136261), np.uint32(16777619)  # 32-bit FNV-1a, over signed bytes
_NGRAM_FACTOR = np.uint64(116049371)
_LINE_END = b"</s>"
_TOO_MUCH = 1e-5  # added to each probability


class LineModel(NamedTuple):
    """A model as the kernels want it."""

    slots: Slots  # hash << 31 | number of a dictionary entry, -1 where there is none; a power of two of them
    entry_ends: Offsets  # int64[num_entries + 1]: entry i is `entries[entry_ends[i]:entry_ends[i + 1]]`
    entries: Bytes
    num_words: int  # entries before this are words, from it on labels
    line_end: int  # the word "</s>", -1 where the model has none
    rows: Matrix  # float32[num_words + num_buckets, width]
    row_counts: Int32s  # of each word: how many rows were added up to its row
    num_buckets: int
    kept_buckets: Int32s  # where a pruned model has put each bucket, -1 where it is gone; empty where none is
    word_ngrams: int
    min_chars: int  # of character n-grams
    max_chars: int  # 0: none
    output: Matrix  # float32[num_labels, width]; empty where `rows` are multiplied already
    num_labels: int
    loss: int
    tree: Int32s  # int32[num_nodes, 2] of hierarchical softmax: parent, -1 of the root, and 1 of a right child


def label_probabilities(
    texts: pa.Array, model: LineModel, rules: LineRules, words: WordSource | None = None
) -> NDArray[np.float64]:
    """Of each label for each text: float64[num_texts, num_labels], NaN throughout where no token is known.

    Of the labels of a model with independent answers (`ova`) each is by itself, else they add up to 1. Null is "".
    """
    data, offsets = utf8(texts)
    out = np.empty((len(texts), model.num_labels))
    line = np.empty(line_room(int(np.diff(offsets).max(initial=0))), np.uint8)
    _score_all(data, offsets, model, rules, words or spaces(), char_table(), line, out)
    return out


@compiled
def _score_all(
    data: Bytes,
    offsets: Offsets,
    model: LineModel,
    rules: LineRules,
    words: WordSource,
    table: CharTable,
    line: Bytes,
    out: Doubles,
) -> None:
    total = np.empty(model.rows.shape[1])
    answers = np.empty(max(model.num_labels, 1))
    open_ngrams = np.empty(max(model.word_ngrams, 1), np.uint64)
    for row in range(offsets.size - 1):
        text = data[offsets[row] : offsets[row + 1]]
        size = write_line(text, row, rules, words, table, line)
        total[:] = 0
        num = _add_line(line, size, model, open_ngrams, total)
        if num == 0:
            out[row] = np.nan
        else:
            total /= num
            _label_probabilities(model, total, answers, out[row])


@borrowing
def _add_line(line: Bytes, size: Int, model: LineModel, open_ngrams: NDArray[np.uint64], total: Doubles) -> Int:
    """Add the rows of a line, and of its end, to `total`; how many they are."""
    num, at, num_open = 0, 0, 0
    while at < size:
        begin, h = at, _FNV_START
        while at < size and line[at] != 32:
            h = _hashed(h, line[at])
            at += 1
        entry = find_entry(model, h, line, begin, at)
        at += 1
        if entry >= model.num_words:
            continue  # a label of another prefix than "__label__"
        if entry >= 0:
            num += _add_word(model, entry, total)
        elif model.max_chars > 0:
            num += add_char_ngrams(model, line, begin, at - 1, total)
        num += _add_word_ngrams(model, h, open_ngrams, num_open, total)
        num_open += 1
    h = _FNV_START
    for byte in _LINE_END:
        h = _hashed(h, byte)
    if model.line_end >= 0:
        num += _add_word(model, model.line_end, total)
    return num + _add_word_ngrams(model, h, open_ngrams, num_open, total)


@inlined
def _hashed(h: Int, byte: Int) -> Int:
    """FNV-1a with one more byte, which is signed: 0x80 to 0xFF set the upper bits too."""
    return np.uint32((h ^ np.uint32(np.int8(byte))) * _FNV_FACTOR)


@inlined
def find_entry(model: LineModel, h: Int, text: Bytes, begin: Int, end: Int) -> Int:
    """The number of the dictionary's entry `text[begin:end]` of hash `h`; -1 where it has none."""
    mask = model.slots.size - 1
    key = np.int64(h)
    slot = key & mask
    while model.slots[slot] >= 0:
        found: Int = model.slots[slot]
        entry = found & 0x7FFF_FFFF
        # The upper half first: another word's bytes are not looked at, which would be a miss in the cache.
        if found >> 31 == key and _is_entry(model, entry, text, begin, end):
            return entry
        slot = (slot + 1) & mask
    return -1


@inlined
def _is_entry(model: LineModel, entry: Int, text: Bytes, begin: Int, end: Int) -> Bool:
    first, size, at = model.entry_ends[entry], end - begin, 0
    if model.entry_ends[entry + 1] - first != size:
        return False
    while at < size and model.entries[first + at] == text[begin + at]:
        at += 1
    return at == size


@inlined
def _add_word(model: LineModel, word: Int, total: Doubles) -> Int:
    for i in range(total.size):
        total[i] += model.rows[word, i]
    return np.int64(model.row_counts[word])


@inlined
def _add_bucket(model: LineModel, bucket: Int, total: Doubles) -> Int:
    """Add the row of a hash's bucket; 1, or 0 where a pruned model has it no more."""
    if model.kept_buckets.size:
        bucket = np.int64(model.kept_buckets[bucket])
        if bucket < 0:
            return 0
    row = model.num_words + bucket
    for i in range(total.size):
        total[i] += model.rows[row, i]
    return 1


@inlined
def _add_word_ngrams(model: LineModel, h: Int, open_ngrams: NDArray[np.uint64], num_tokens: Int, total: Doubles) -> Int:
    """Add the n-grams of 2 tokens or more that end with the one of hash `h`, the `num_tokens`-th; how many there are.

    `open_ngrams[i % n]` is the hash of the n-gram that token i began, as far as it goes.
    """
    size = model.word_ngrams
    if size < 2 or model.num_buckets <= 0:
        return 0
    key = np.uint64(np.int64(np.int32(h)))
    num = 0
    for first in range(max(num_tokens - size + 1, 0), num_tokens):
        place = first % size
        open_ngrams[place] = open_ngrams[place] * _NGRAM_FACTOR + key
        num += _add_bucket(model, np.int64(open_ngrams[place] % np.uint64(model.num_buckets)), total)
    open_ngrams[num_tokens % size] = key
    return num


@borrowing
def add_char_ngrams(model: LineModel, text: Bytes, begin: Int, end: Int, total: Doubles) -> Int:
    """Add the character n-grams of "<" + `text[begin:end]` + ">"; how many there are."""
    num = 0
    if model.num_buckets <= 0:
        return 0
    for start in range(begin - 1, end + 1):
        if begin <= start < end and text[start] & 0xC0 == 0x80:
            continue
        h, at = _FNV_START, start
        for chars in range(1, model.max_chars + 1):
            if at > end:
                break
            h = _hashed(h, 60 if at < begin else 62 if at == end else text[at])
            at += 1
            while begin <= at < end and text[at] & 0xC0 == 0x80:
                h = _hashed(h, text[at])
                at += 1
            if chars >= model.min_chars and not (chars == 1 and (start < begin or at > end)):
                num += _add_bucket(model, np.int64(h) % model.num_buckets, total)
    return num


@borrowing
def _label_probabilities(model: LineModel, mean: Doubles, answers: Doubles, out: Doubles) -> None:
    """From the mean of a line's rows."""
    num = model.num_labels
    for i in range(num):
        if model.output.size:
            answers[i] = 0.0
            for j in range(mean.size):
                answers[i] += mean[j] * model.output[i, j]
        else:
            answers[i] = mean[i]
    if model.loss == HIERARCHICAL:
        for i in range(num):
            out[i] = _path_probability(model, answers, i)
    elif model.loss == SOFTMAX:
        highest, whole = answers[0], 0.0
        for i in range(num):
            highest = max(highest, answers[i])
        for i in range(num):
            answers[i] = np.exp(answers[i] - highest)
            whole += answers[i]
        for i in range(num):
            out[i] = answers[i] / whole + _TOO_MUCH
    else:
        for i in range(num):
            out[i] = _sigmoid(answers[i]) + _TOO_MUCH


@borrowing
def _sigmoid(x: Int) -> Int:
    """As the library reads it from its table of 512 steps over [-8, 8], rounded down to one."""
    if x < -8:
        return 0.0
    if x > 8:
        return 1.0
    step = np.floor((np.float32(x) + np.float32(8)) * np.float32(32))
    return 1.0 / (1.0 + np.exp(8 - step / 32))


@borrowing
def _path_probability(model: LineModel, answers: Doubles, leaf: Int) -> Int:
    """The product over the path from a leaf to the root. Below 1e-5 the library does not follow a branch: 0."""
    probability, node = 1.0, leaf
    while model.tree[node, 0] >= 0:
        parent = np.int64(model.tree[node, 0])
        right = 1.0 / (1.0 + np.exp(-answers[parent - model.num_labels]))
        probability *= (right if model.tree[node, 1] else 1.0 - right) + _TOO_MUCH
        node = parent
    return probability if probability >= _TOO_MUCH else 0.0


@compiled
def keys_of(entries: Bytes, ends: Offsets) -> Hashes:
    """The hashes of entries: uint32[num_entries]."""
    keys = np.empty(ends.size - 1, np.uint32)
    for i in range(keys.size):
        h = _FNV_START
        for at in range(ends[i], ends[i + 1]):
            h = _hashed(h, entries[at])
        keys[i] = h
    return keys


@compiled
def slots_of(keys: Hashes) -> Slots:
    """`LineModel.slots`, at most half of them full."""
    size = 4
    while size < 2 * keys.size:
        size *= 2
    slots = np.full(size, -1, np.int64)
    for i in range(keys.size):
        slot = np.int64(keys[i]) & (size - 1)
        while slots[slot] >= 0:
            slot = (slot + 1) & (size - 1)
        slots[slot] = np.int64(keys[i]) << 31 | i
    return slots


@compiled
def projected(rows: Matrix, output: Matrix, out: Matrix) -> None:
    """`out = rows @ output.T`, each number summed in double precision in one order: the same on any machine."""
    for row in range(len(rows)):
        for i in range(len(output)):
            total = 0.0
            for j in range(rows.shape[1]):
                total += np.float64(rows[row, j]) * np.float64(output[i, j])
            out[row, i] = total
