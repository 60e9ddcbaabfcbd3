"""Interpolated modified Kneser-Ney smoothing with dictionaries: the slow and obvious way, over tiny corpora."""

from __future__ import annotations

from collections import Counter, defaultdict

FALLBACK = (0.5, 1.0, 1.5)


class KneserNey:
    """Counts, adjusted counts, discounts and probabilities of sentences, given as lists of words."""

    def __init__(self, sentences, order, prune=None, fallback=FALLBACK):
        self.order, self.prune = order, prune or [0] * order
        self.counts = [Counter() for _ in range(order + 1)]  # how often each n-gram comes
        for words in sentences:
            padded = ["<s>", *words, "</s>"]
            for n in range(1, order + 1):
                for i in range(len(padded) - n + 1):
                    self.counts[n][tuple(padded[i : i + n])] += 1
        del self.counts[1][("<s>",)]
        self.adjusted = [Counter() for _ in range(order + 1)]
        for n in range(1, order + 1):
            before = defaultdict(set)
            for gram in self.counts[n + 1] if n < order else ():
                before[gram[1:]].add(gram[0])
            for gram, count in self.counts[n].items():
                whole = n == order or gram[0] == "<s>"
                self.adjusted[n][gram] = count if whole else len(before[gram])
        self.discounts = [None] + [self._discounts(n, fallback) for n in range(1, order + 1)]
        self.vocabulary = {gram[0] for gram in self.counts[1] if self.kept(gram)} | {"<unk>"}  # what can come next

    def _discounts(self, n, fallback):
        ones, twos, threes, fours = (sum(c == i for c in self.adjusted[n].values()) for i in (1, 2, 3, 4))
        if not (ones and twos and threes):
            return [0, *fallback]
        y = ones / (ones + 2 * twos)
        found = [0, 1 - 2 * y * twos / ones, 2 - 3 * y * threes / twos, 3 - 4 * y * fours / threes]
        return found if all(0 <= d <= i for i, d in enumerate(found)) else [0, *fallback]

    def kept(self, gram):
        if gram in {("</s>",), ("<s>",), ("<unk>",)}:
            return True
        return self.counts[len(gram)][gram] > self.prune[len(gram) - 1]

    def followers(self, context):
        return {g: c for g, c in self.adjusted[len(context) + 1].items() if g[:-1] == context}

    def backoff(self, context):
        """The mass that discounts and pruning leave to shorter contexts; 1 where nothing follows the context."""
        followers, discount = (
            self.followers(context),
            self.discounts[len(context) + 1] if len(context) < self.order else 0,
        )
        if not followers:
            return 1.0
        mass = sum(discount[min(c, 3)] if self.kept(g) else c for g, c in followers.items())
        return mass / sum(followers.values())

    def probability(self, word, context):
        """Of a word after a context of less than `order` words, none of them pruned or unknown."""
        gram = (*context, word)
        lower = self.probability(word, context[1:]) if context else 1 / len(self.vocabulary)
        followers = self.followers(context)
        if not followers:
            return lower
        own = 0.0
        if gram in followers and self.kept(gram):
            own = (followers[gram] - self.discounts[len(gram)][min(followers[gram], 3)]) / sum(followers.values())
        return own + self.backoff(context) * lower
