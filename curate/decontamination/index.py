"""The index of evaluation sets: which of their n-grams say which item. It depends on the sets alone.

An item is a text (question and answer, one after the other, so that n-grams run from the one into the other) and a
passage. Its n-grams have `ngram_size` words. A part that is shorter is one n-gram, the whole of it, where it has at
least `min_ngram_size` words; a shorter one cannot be looked for. In a part written without spaces a character is a word
here, so sizes are multiplied by `CHARS_PER_WORD`.

Two kinds of n-grams are left out, because they say nothing of an item: those in more than `max_items` items (the frame
that MMLU puts around 895 moral scenarios), and those of few different words beside numbers: of a list of numbers, a
matrix, a pattern.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.decontamination.evaluation_sets import DecidedBy, EvaluationSet, Item, NgramSize, items
from curate.errors import InputError
from curate.kernels import ngram_index
from curate.kernels.match_words import WordPlaces, same_ngrams, word_places
from curate.kernels.ngram_index import NgramIndex

Numbers = NDArray[np.int64]

PARTS = ("question", "answer", "question_answer", "passage")
QUESTION, ANSWER, QUESTION_ANSWER, PASSAGE = range(len(PARTS))

CHARS_PER_WORD = 1.8  # 264,255 words that jieba found in 80 Chinese documents have 1.77
MIN_DIFFERENT_FRAC = 0.4  # of the words of an n-gram; our choice: 0.4 % of MMLU's n-grams have less
MAX_SIZE = ngram_index.MAX_WIDTH


class SetRules(NamedTuple):
    """A set as it is judged."""

    name: str
    decided_by: DecidedBy
    min_ngrams: int
    min_share: float


class Sizes(NamedTuple):
    """How long n-grams are, in words, and in how many items they may be."""

    ngram_size: NgramSize
    min_ngram_size: int
    max_items: int


class Index(NamedTuple):
    """N-grams, what they belong to, and the items. A part of an item has the number `4 * item + part`."""

    ngrams: NgramIndex
    posting_offsets: Numbers  # those of n-gram i are postings[offsets[i]:offsets[i + 1]]
    postings: NDArray[np.int32]  # numbers of parts
    totals: NDArray[np.int32]  # different n-grams of each part
    set_of: NDArray[np.int32]  # of each item
    number: Numbers  # of each item in its set
    ids: pa.StringArray
    texts: pa.LargeStringArray  # two of each item: question and answer, passage
    answer_start: Numbers  # of each item: byte in its first text
    sets: tuple[SetRules, ...]

    @property
    def nbytes(self) -> int:
        """Memory of the index, the texts of the items included."""
        arrays = (self.posting_offsets, self.postings, self.totals, self.set_of, self.number, self.answer_start)
        return self.ngrams.nbytes + sum(array.nbytes for array in arrays) + int(self.ids.nbytes)

    def without(self, common: NDArray[np.bool_]) -> Index:
        """The same, where the n-grams that are `common` belong to nothing: bool[n-grams]."""
        counts = np.diff(self.posting_offsets)
        kept = np.repeat(~common, counts)
        postings = self.postings[kept]
        offsets = _offsets(np.where(common, 0, counts))
        return self._replace(posting_offsets=offsets, postings=postings, totals=_totals(postings, len(self.totals)))

    def searchable(self) -> NDArray[np.bool_]:
        """Which items have an n-gram in a part that decides: bool[items]."""
        return decided(self.totals.reshape(-1, len(PARTS)) > 0, self.set_of, self.sets)


def decided(matched: NDArray[np.bool_], set_of: NDArray[np.int32], sets: Sequence[SetRules]) -> NDArray[np.bool_]:
    """Which items are contaminated, by the parts that match: bool[items, 4] to bool[items]."""
    question, answer, running, passage = matched.T
    by_rule = {
        "question": question | running,
        "question_and_answer": (question & answer) | running,
        "question_or_answer": question | answer | running,
        "any_part": question | answer | running | passage,
    }
    out = np.zeros(len(matched), np.bool_)
    for number, one in enumerate(sets):
        out |= (set_of == number) & by_rule[one.decided_by]
    return out


def build(sets: Sequence[EvaluationSet], sizes: Sizes, min_ngrams: int, min_share: float) -> Index:
    """Read the sets and index them. InputError where a set cannot be read or none has an n-gram to look for."""
    found = [list(items(one)) for one in sets]
    everything = [item for of_set in found for item in of_set]
    set_of = np.repeat(np.arange(len(sets), dtype=np.int32), [len(of_set) for of_set in found])
    texts = _texts(everything)
    words = word_places(texts)
    answer_start = np.array([len(item.question.encode()) + 1 for item in everything], np.int64)
    bounds = _bounds(texts, words, answer_start)
    wanted = [sizes.ngram_size if one.ngram_size is None else one.ngram_size for one in sets]
    size = np.array([_size(one, bounds[set_of == number], sizes) for number, one in enumerate(wanted)], np.int64)
    first, last, width = _spans(words, bounds, size[set_of], sizes.min_ngram_size)
    ngrams, offsets, postings = _indexed(texts, words, first, last, width, sizes.max_items)
    if not len(postings):
        raise InputError(
            f"no item of {', '.join(one.name for one in sets)} has {sizes.min_ngram_size} words that can be looked for"
        )
    rules = [
        SetRules(
            one.name,
            one.decided_by or one.definition.decided_by,
            one.min_ngrams or min_ngrams,
            min_share if one.min_share is None else one.min_share,
        )
        for one in sets
    ]
    return Index(
        ngrams,
        offsets,
        postings,
        _totals(postings, len(PARTS) * len(everything)),
        set_of,
        np.concatenate([np.arange(len(of_set)) for of_set in found]).astype(np.int64),
        pa.array([item.id for item in everything], pa.string()),
        texts,
        answer_start,
        tuple(rules),
    )


def _texts(everything: Sequence[Item]) -> pa.LargeStringArray:
    return pa.array(
        [text for item in everything for text in (f"{item.question}\n{item.answer}", item.passage)], pa.large_string()
    )


def _bounds(texts: pa.LargeStringArray, words: WordPlaces, answer_start: Numbers) -> Numbers:
    """Where question, answer and passage of each item begin and end, in words: int64[items, 4], in this order."""
    ends = words.offsets[1:].reshape(-1, 2)
    starts = words.offsets[:-1].reshape(-1, 2)
    begins = np.frombuffer(texts.buffers()[1], np.int64)[: len(texts) : 2]
    answers = np.searchsorted(words.place, begins + answer_start)
    return np.column_stack((starts[:, 0], answers, ends[:, 0], ends[:, 1]))


def _size(wanted: NgramSize, bounds: Numbers, sizes: Sizes) -> int:
    """GPT-3 (Brown et al. 2020, appendix C): the 5th percentile of the items' lengths in words, from 8 to 13."""
    if wanted != "fifth_percentile":
        return wanted
    return int(np.clip(np.percentile(bounds[:, 2] - bounds[:, 0], 5), 8, 13))


def _spans(words: WordPlaces, bounds: Numbers, size: Numbers, min_size: int) -> tuple[Numbers, Numbers, Numbers]:
    """The words whose n-grams belong to each part, and how long they are: three int64[4 * items]."""
    begin, middle, end, passage_end = bounds.T
    singles = np.concatenate((np.zeros(1, np.int64), np.cumsum(words.single)))
    out = []
    for first, last in ((begin, middle), (middle, end), (begin, end), (end, passage_end)):
        length = last - first
        spaceless = 2 * (singles[last] - singles[first]) > length
        most = np.minimum(np.where(spaceless, np.ceil(size * CHARS_PER_WORD).astype(np.int64), size), MAX_SIZE)
        least = np.minimum(np.where(spaceless, np.ceil(min_size * CHARS_PER_WORD).astype(np.int64), min_size), most)
        # What is shorter than any n-gram has none; its width is beyond it.
        width = np.where(length >= most, most, np.where(length >= least, length, length + 1))
        out.append([first, last, width])
    # Of question and answer together, the n-grams that hold words of both.
    first, last, width = out[QUESTION_ANSWER]
    both = (begin < middle) & (middle < end)
    out[QUESTION_ANSWER] = [
        np.maximum(first, middle - width + 1),
        np.where(both, np.minimum(last, middle + width - 1), first),
        width,
    ]
    first, last, width = (np.column_stack(column).ravel() for column in zip(*out, strict=True))
    return first, last, width


def _indexed(
    texts: pa.LargeStringArray, words: WordPlaces, first: Numbers, last: Numbers, width: Numbers, max_items: int
) -> tuple[NgramIndex, Numbers, NDArray[np.int32]]:
    """The different n-grams that say something, and the parts that each belongs to."""
    key, begin, span, different = ngram_index.windows(words, first, last, width)
    telling = different >= np.ceil(MIN_DIFFERENT_FRAC * width[span])
    key, begin, span = key[telling], begin[telling], span[telling]
    keys, chosen, ngram = np.unique(key, return_index=True, return_inverse=True)
    # Two n-grams of one hash: only those that equal the first one stay. At a million n-grams it is one chance in 10**7.
    one = chosen[ngram]
    equal = width[span] == width[span[one]]
    equal &= same_ngrams(texts, words, begin, begin[one], width[span])
    pairs = np.unique(ngram[equal] * len(width) + span[equal])
    ngram, part = pairs // len(width), pairs % len(width)
    item = part // len(PARTS)
    new = np.ones(len(pairs), np.bool_)
    new[1:] = (ngram[1:] != ngram[:-1]) | (item[1:] != item[:-1])
    rare = np.bincount(ngram, new, len(keys)) <= max_items
    kept = rare[ngram]
    index = ngram_index.build(texts, words, keys[rare], begin[chosen[rare]], width[span[chosen[rare]]])
    return index, _offsets(np.bincount(ngram[kept], minlength=len(keys))[rare]), part[kept].astype(np.int32)


def _offsets(counts: Numbers) -> Numbers:
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)))


def _totals(postings: NDArray[np.int32], num_parts: int) -> NDArray[np.int32]:
    return np.bincount(postings, minlength=num_parts).astype(np.int32)
