"""From counts of n-grams to probabilities and backoffs: interpolated modified Kneser-Ney smoothing, part by part.

Heafield et al. 2013 sort all n-grams once by suffix, once by context, and back. Here n-grams lie in parts by their
last two words, and an n-gram's context is itself an n-gram of the order below that lies in one of the parts; so each
part hands its n-grams to the parts of their contexts, which answer with total and backoff. Memory holds one part of
one order, and the contexts of that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from classifiers.language_model.counting import NgramCounts
from classifiers.language_model.vocabulary import Words
from classifiers.language_model.workspace import Array, Workspace
from curate.errors import InputError
from curate.kernels import ngram_probabilities as kernel
from curate.kernels.ngram_counts import Bools, Counts, adjusted
from curate.kernels.ngram_keys import Keys, masks
from curate.kernels.ngram_probabilities import Contexts, Floats, Int32s
from curate.kernels.utf8 import Offsets
from curate.kernels.word_ids import SENTENCE_BEGIN, SENTENCE_END, UNKNOWN


class Smoothing(NamedTuple):
    """How to smooth. `prune`: for each order, how often an n-gram may come and still be left out; never falling."""

    prune: Sequence[int]
    fallback: tuple[float, float, float] | None  # discounts where none can be estimated; None is an error then


class Ngrams(NamedTuple):
    """Some n-grams of one order, in ascending order of their keys, with log10 of probability and backoff."""

    high: Keys
    low: Keys
    prob: Floats
    backoff: Floats  # zeros for the highest order
    extends_left: Bools  # a longer n-gram ends with it
    extends_right: Bools  # a longer n-gram begins with it


class Estimate(NamedTuple):
    """A language model. Its longer n-grams lie on disk."""

    words: Words
    order: int
    bits: int
    num_ngrams: tuple[int, ...]  # of each order, words first; all of them kept
    discounts: tuple[Floats, ...]  # float32[4] of each order
    fallback_orders: tuple[int, ...]  # those whose discounts could not be estimated
    unigrams: Ngrams
    num_parts: int
    workspace: Workspace

    def ngrams(self, n: int) -> Iterator[Ngrams]:
        """The n-grams of order `n`, in blocks, in ascending order of their keys."""
        if n == 1:
            yield self.unigrams
            return
        for k in range(self.num_parts):
            yield _loaded(self.workspace, n, k, self.order)


def estimate(counts: NgramCounts, smoothing: Smoothing, workspace: Workspace) -> Estimate:
    """The model of a corpus. InputError where an order's discounts cannot be estimated and there is no fallback.

    The n-grams must not be counted by a `workspace` of the same folder; it must stay while the model is used.
    """
    return _Estimation(counts, smoothing, workspace).run()


class _Estimation:
    """What is known on the way. Groups in the workspace: "n-k" n-grams of order n in part k; "n-for-q" those handed to
    part q; "n-from-q" what it answered, in the same order; "n-k-model" the outcome.
    """

    def __init__(self, counts: NgramCounts, smoothing: Smoothing, workspace: Workspace) -> None:
        self.counts, self.smoothing, self.workspace = counts, smoothing, workspace
        self.order, self.bits, self.parts = counts.order, counts.bits, range(counts.num_parts)
        self.masks = masks(counts.order, counts.bits)
        self.words = np.zeros(len(counts.words.hash), np.int64)  # adjusted counts
        self.frequencies = np.zeros((counts.order + 1, 5), np.int64)  # counts of counts of each order
        self.num_ngrams = [0] * (counts.order + 1)
        self.handed: dict[tuple[int, int], Offsets] = {}  # by order and part: how many to each part

    def run(self) -> Estimate:
        for k in self.parts:
            self._adjust(k)
        self.frequencies[1] = kernel.count_of_counts(self.words)
        self.discounts, fallback_orders = self._discounts()
        for n in range(2, self.order + 1):
            self._weigh(n)
        self._words()
        for n in range(2, self.order + 1):
            for k in self.parts:
                self._interpolate(n, k)
        num, words = self.num_words, self.counts.words
        return Estimate(
            words._replace(start=words.start[: num + 1], hash=words.hash[:num], counts=words.counts[:num]),
            self.order,
            self.bits,
            (num, *self.num_ngrams[2:]),
            tuple(self.discounts[1:]),
            fallback_orders,
            self._unigrams(),
            len(self.parts),
            self.workspace,
        )

    def _adjust(self, k: int) -> None:
        """Adjusted counts of one part, to disk; counts of counts."""
        high, low, count = self.counts.part(k)
        prune = self.smoothing.prune
        for n, grams in adjusted(high, low, count, self.order, self.bits, self.masks, prune, self.words):
            self.workspace.save(f"{n}-{k}", **grams._asdict())
            self.frequencies[n] += kernel.count_of_counts(grams.counts)
            self.num_ngrams[n] += int(grams.kept.sum())
            if n > 2 and len(self.parts) > 1:
                self._hand_out(n, k, grams)

    def _hand_out(self, n: int, k: int, grams: Counts) -> None:
        """Keep the n-grams of a part once more, by the parts of their contexts."""
        order, ends = self._by_context(grams.high, grams.low)
        self.handed[n, k] = np.diff(ends, prepend=0)
        for q in self.parts:
            own = order[ends[q] - self.handed[n, k][q] : ends[q]]
            self.workspace.append(f"{n}-for-{q}", **{name: array[own] for name, array in grams._asdict().items()})

    def _by_context(self, high: Keys, low: Keys) -> tuple[Offsets, Offsets]:
        """An order that brings together n-grams whose contexts are in one part, and where those of each part end."""
        of = self._context_parts(high, low)
        order = np.argsort(of, kind="stable")
        return order, np.searchsorted(of, self.parts, side="right", sorter=order)

    def _context_parts(self, high: Keys, low: Keys) -> Offsets:
        bits = np.uint64(self.bits)
        pair = ((high << bits) | (low >> (np.uint64(64) - bits))) >> np.uint64(64 - 2 * self.bits)
        return np.searchsorted(self.counts.bounds, pair, side="right")

    def _discounts(self) -> tuple[list[Floats], tuple[int, ...]]:
        found, without = [np.zeros(4, np.float32)], []
        for n in range(1, self.order + 1):
            own = kernel.discounts(self.frequencies[n])
            if own is None:
                without.append(n)
                if self.smoothing.fallback is None:
                    raise InputError(
                        f"cannot estimate the discounts of {n}-grams: {self.frequencies[n][1:].tolist()} of them have "
                        "adjusted counts of 1, 2, 3, 4. The corpus is too small, or repeats itself: deduplicate its "
                        "sentences, give more, or set `discount_fallback` ([0.5, 1, 1.5] is lmplz's)."
                    )
                own = np.array([0, *self.smoothing.fallback], np.float32)
            found.append(own)
        return found, tuple(without)

    # Contexts: what follows each n-gram of the order below.

    def _weigh(self, n: int) -> None:
        """Total and backoff of the context of each n-gram of order `n`; backoffs of the order below."""
        if n == 2:
            self._weigh_bigrams()
            return
        for q in self.parts:
            high, low = self.workspace.load(f"{n - 1}-{q}", "high", "low")
            slots = kernel.table_slots(high.size)
            kernel.fill_table(high, low, slots)
            into, numbers = kernel.contexts(high.size), []
            for k in self.parts:
                own_high, own_low, count, kept = self._handed(n, k, q)
                number = kernel.context_numbers(own_high, own_low, np.uint64(self.bits), high, low, slots)
                kernel.add_followers(number, count, kept, into)
                numbers.append(number)
            self.workspace.remove(f"{n}-for-{q}", *Counts._fields)
            del slots, high, low
            backoff = kernel.backoffs(into, self.discounts[n])
            self.workspace.save(f"{n - 1}-{q}", backoff=backoff, followed=_followed(into))
            for number in numbers:
                self._answer(f"{n}-from-{q}", number, into, backoff)

    def _handed(self, n: int, k: int, q: int) -> list[Array]:
        """What part `k` handed to part `q`, the fields of `Counts`."""
        if len(self.parts) == 1:
            return self.workspace.load(f"{n}-{k}", *Counts._fields)
        first = sum(int(self.handed[n, before][q]) for before in range(k))
        return self.workspace.load(f"{n}-for-{q}", *Counts._fields, first=first, count=int(self.handed[n, k][q]))

    def _weigh_bigrams(self) -> None:
        into = kernel.contexts(self.words.size)
        for k in self.parts:
            high, count, kept = self.workspace.load(f"2-{k}", "high", "counts", "kept")
            kernel.add_followers(self._first_words(high), count, kept, into)
        self.word_backoffs = kernel.backoffs(into, self.discounts[2])
        self.words_followed = _followed(into)
        for k in self.parts:
            (high,) = self.workspace.load(f"2-{k}", "high")
            self._answer(f"2-{k}-context", self._first_words(high), into, self.word_backoffs)

    def _answer(self, group: str, number: Int32s, into: Contexts, backoff: Floats) -> None:
        self.workspace.append(group, total=into.total[number], backoff=backoff[number])

    def _first_words(self, high: Keys) -> Int32s:
        """Of bigrams."""
        shift = np.uint64(64 - 2 * self.bits)
        return ((high >> shift) & np.uint64((1 << self.bits) - 1)).astype(np.int32)

    # Probabilities, the lowest order first.

    def _words(self) -> None:
        """Words: the mass that discounts leave goes to all of them alike, <unk> included, <s> not."""
        discount = self.discounts[1]
        kept = self.counts.words.counts > self.smoothing.prune[0]
        kept[[UNKNOWN, SENTENCE_BEGIN, SENTENCE_END]] = True
        self.num_words = int(kept.sum())  # the most frequent come first
        into = kernel.contexts(1)
        kernel.add_followers(np.zeros(kept.size, np.int32), self.words, kept, into)
        backoff = kernel.backoffs(into, discount)
        uniform = np.float32(1 / float(np.float32(self.num_words - 1)))
        prob = np.empty(self.num_words, np.float32)
        context = np.zeros(self.num_words, np.int32)
        lower = np.full(self.num_words, uniform)
        kernel.interpolate(self.words[: self.num_words], into.total[context], backoff[context], discount, lower, prob)
        prob[SENTENCE_BEGIN] = 1
        self.word_probs = prob
        self.words_extended = np.zeros(self.num_words, np.bool_)

    def _interpolate(self, n: int, k: int) -> None:
        """Probabilities of one part; of the order below, which n-grams one of these ends with."""
        high, low, count, kept = self.workspace.load(f"{n}-{k}", *Counts._fields)
        total, backoff = self._received(n, k, high, low)
        if not kept.all():
            high, low, count, total, backoff = high[kept], low[kept], count[kept], total[kept], backoff[kept]
        lower_prob, suffix, extended = self._suffixes(n, k, high, low)
        prob = np.empty(high.size, np.float32)
        kernel.interpolate(count, total, backoff, self.discounts[n], lower_prob[suffix], prob)
        extended[suffix] = True
        if n > 2:
            self.workspace.save(f"{n - 1}-{k}-model", extended=extended)
        self.workspace.save(f"{n}-{k}-model", high=high, low=low, prob=prob)
        if n < self.order:
            own_backoff, followed = self.workspace.load(f"{n}-{k}", "backoff", "followed")
            self.workspace.save(f"{n}-{k}-model", backoff=own_backoff[kept], followed=followed[kept])
        self.workspace.remove(f"{n}-{k}", *Counts._fields, "backoff", "followed")

    def _suffixes(self, n: int, k: int, high: Keys, low: Keys) -> tuple[Floats, Int32s, Bools]:
        """Probabilities of the order below, which of them each n-gram ends with, and which of them are ends."""
        if n == 2:
            last = (high >> np.uint64(64 - self.bits)).astype(np.int32)
            return self.word_probs, last, self.words_extended
        lower_high, lower_low, prob = self.workspace.load(f"{n - 1}-{k}-model", "high", "low", "prob")
        suffix = np.empty(high.size, np.int32)
        mask = self.masks[0][n - 1], self.masks[1][n - 1]
        kernel.suffix_numbers(high, low, *mask, lower_high, lower_low, suffix)
        return prob, suffix, np.zeros(prob.size, np.bool_)

    def _received(self, n: int, k: int, high: Keys, low: Keys) -> tuple[Offsets, Floats]:
        """Total and backoff of the context of each n-gram, as the parts of their contexts answered."""
        if n == 2 or len(self.parts) == 1:
            total, backoff = self.workspace.load(f"2-{k}-context" if n == 2 else f"{n}-from-0", "total", "backoff")
            return total, backoff
        total, backoff = np.empty(high.size, np.int64), np.empty(high.size, np.float32)
        order, ends = self._by_context(high, low)
        for q in self.parts:
            first, count = sum(int(self.handed[n, before][q]) for before in range(k)), int(self.handed[n, k][q])
            own = order[ends[q] - count : ends[q]]
            total[own], backoff[own] = self.workspace.load(
                f"{n}-from-{q}", "total", "backoff", first=first, count=count
            )
        return total, backoff

    def _unigrams(self) -> Ngrams:
        keys = np.arange(self.num_words, dtype=np.uint64) << np.uint64(64 - self.bits)
        backoff = np.log10(self.word_backoffs[: self.num_words])
        return Ngrams(
            keys,
            np.zeros_like(keys),
            _log_prob(self.word_probs),
            backoff,
            self.words_extended,
            self.words_followed[: self.num_words],
        )


def _loaded(workspace: Workspace, n: int, k: int, order: int) -> Ngrams:
    high, low, prob = workspace.load(f"{n}-{k}-model", "high", "low", "prob")
    if n == order:
        none = np.zeros(prob.size, np.bool_)
        return Ngrams(high, low, _log_prob(prob), np.zeros_like(prob), none, none)
    backoff, followed, extended = workspace.load(f"{n}-{k}-model", "backoff", "followed", "extended")
    return Ngrams(high, low, _log_prob(prob), np.log10(backoff), extended, followed)


def _followed(contexts: Contexts) -> Bools:
    """Whether something that is kept follows each context."""
    return np.asarray((contexts.with_count > 0).any(axis=1))


def _log_prob(prob: Floats) -> Floats:
    """log10, at most 0: rounding can lift a probability above 1."""
    return np.minimum(np.log10(prob), np.float32(0))
