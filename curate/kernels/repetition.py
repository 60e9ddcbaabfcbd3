"""How much of a text repeats itself: duplicate lines and paragraphs, the top n-gram, duplicate n-grams.

Source: Rae et al. 2021, "Scaling Language Models" (Gopher), A1.1. Definitions are in `curate.kernels.segments` and in
`repetition`. N-grams are compared by exact ids, never by a hash: an n-gram's id is that of (id of its first n-1 words,
its last word). Only an n-gram whose first n-1 words recur can recur, so each level looks at what the level before left:
linear in the words of a text for every n, and nearly free on text that does not repeat itself.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from curate.kernels.segments import (
    Bools,
    Ints,
    Segments,
    by_chunks,
    share,
    signal_struct,
    split_lines,
    split_paragraphs,
    split_words,
)

TOP_NGRAMS = (2, 3, 4)
DUP_NGRAMS = (5, 6, 7, 8, 9, 10)

SIGNALS = pa.struct(
    [
        pa.field(name, pa.float64())
        for name in (
            "dup_line_frac",
            "dup_paragraph_frac",
            "dup_line_char_frac",
            "dup_paragraph_char_frac",
            *(f"top_{n}gram_char_frac" for n in TOP_NGRAMS),
            *(f"dup_{n}gram_char_frac" for n in DUP_NGRAMS),
        )
    ]
)


def repetition(texts: pa.StringArray) -> pa.StructArray:
    """The thirteen shares of `SIGNALS`, each in [0, 1], for each text. Null text: null; no words: 0.

    A text of more than `segments.MAX_CHARS` characters is measured by its first so many.

    - `dup_line_frac`: lines that occurred before in the text, of all lines: the first copy is not counted.
      `dup_line_char_frac`: their characters, of the characters of all lines. The same for paragraphs.
    - `top_{n}gram_char_frac`: characters of the words that lie in an occurrence of the most frequent n-gram (the first
      met where several are), of the characters of all words. 0 where no n-gram recurs: a text that says all things
      once repeats nothing, however short it is (our choice; datatrove counts it).
    - `dup_{n}gram_char_frac`: characters of the words that lie in an n-gram that occurred before, each counted once.

    Characters are those of words and stripped lines, in the numerator as in the denominator. datatrove divides by the
    text with its white space and skips n words after each duplicate; Dolma and DCLM count the first copy too.
    """
    return by_chunks(texts, _repetition, SIGNALS)


def duplicate_char_frac(segments: Segments) -> tuple[Ints, Ints, Ints]:
    """For each row: later copies of a segment, their characters, and the characters of all segments."""
    later = _later(_row_ids(segments))
    lengths = segments.lengths()
    return segments.count(later), segments.total(lengths, later), segments.total(lengths)


class _Ngrams(NamedTuple):
    """Occurrences of n-grams that recur within their text: where each starts in the words, and which one it is."""

    starts: Ints
    ids: Ints


def _repetition(texts: pa.StringArray) -> pa.StructArray:
    signals = {}
    for unit, segments in (("line", split_lines(texts)), ("paragraph", split_paragraphs(texts))):
        copies, chars, all_chars = duplicate_char_frac(segments)
        signals[f"dup_{unit}_frac"] = share(copies, segments.count())
        signals[f"dup_{unit}_char_frac"] = share(chars, all_chars)
    words = split_words(texts)
    lengths, word_ids = words.lengths(), _row_ids(words)
    all_chars = words.total(lengths)
    ngrams = _recurring(np.arange(len(word_ids)), word_ids)
    for n in range(2, max(DUP_NGRAMS) + 1):
        ngrams = _longer(ngrams, word_ids, n)
        if n in TOP_NGRAMS:
            covered = _covered(ngrams.starts[_is_top(ngrams, words.rows)], n, len(word_ids))
            signals[f"top_{n}gram_char_frac"] = share(words.total(lengths, covered), all_chars)
        if n in DUP_NGRAMS:
            covered = _covered(ngrams.starts[_later(ngrams.ids)], n, len(word_ids))
            signals[f"dup_{n}gram_char_frac"] = share(words.total(lengths, covered), all_chars)
    return signal_struct(SIGNALS, signals, texts)


def _row_ids(segments: Segments) -> Ints:
    """An id for each segment; two segments share one where they are equal and of the same row."""
    encoded = segments.values.dictionary_encode()
    return _dense(segments.rows * len(encoded.dictionary) + encoded.indices.to_numpy(zero_copy_only=False))


def _dense(keys: Ints) -> Ints:
    """Ids 0, 1, … for equal keys, by hashing: linear, where sorting would not be."""
    ids = pa.array(keys).dictionary_encode().indices.to_numpy(zero_copy_only=False)
    return np.asarray(ids).astype(np.int64)


def _later(ids: Ints) -> Bools:
    """True where the same id occurred before."""
    return np.asarray(_first(ids)[ids] < np.arange(len(ids)))


def _first(ids: Ints) -> Ints:
    """For each id that occurs the place where it occurs first; elsewhere undefined."""
    first = np.empty(ids.max(initial=-1) + 1, dtype=np.int64)
    # Of several writes to one place numpy keeps the last; backwards, that is the earliest.
    first[ids[::-1]] = np.arange(len(ids))[::-1]
    return first


def _recurring(starts: Ints, ids: Ints) -> _Ngrams:
    """Those that occur at least twice."""
    twice = np.bincount(ids)[ids] > 1
    return _Ngrams(starts[twice], ids[twice])


def _longer(ngrams: _Ngrams, word_ids: Ints, n: int) -> _Ngrams:
    """The recurring n-grams, from the recurring (n-1)-grams.

    One that reached from a text into the next could not recur: its words have ids of two rows, which meet once.
    """
    inside = ngrams.starts + n <= len(word_ids)
    starts, ids = ngrams.starts[inside], ngrams.ids[inside]
    return _recurring(starts, _dense(ids * len(word_ids) + word_ids[starts + n - 1]))


def _is_top(ngrams: _Ngrams, rows: Ints) -> Bools:
    """True for the occurrences of the most frequent n-gram of each row, the first met of equals."""
    counts = np.bincount(ngrams.ids)
    ids = np.flatnonzero(counts)
    first = ngrams.starts[_first(ngrams.ids)[ids]]
    order = np.lexsort((first, -counts[ids], rows[first]))
    _, best = np.unique(rows[first][order], return_index=True)
    top = np.zeros(len(counts), dtype=np.bool_)
    top[ids[order[best]]] = True
    return np.asarray(top[ngrams.ids])


def _covered(starts: Ints, n: int, num_words: int) -> Bools:
    """True for words that lie in at least one of the n-grams that begin at `starts` (each start at most once)."""
    change = np.zeros(num_words + 1, dtype=np.int32)
    change[starts] += 1
    change[starts + n] -= 1
    return np.asarray(np.cumsum(change[:-1]) > 0)
