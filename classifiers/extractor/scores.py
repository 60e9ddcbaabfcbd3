"""How near an extracted text is to the gold text: precision, recall and F1 of two multisets of words.

A word is a run of lower-cased `\\w` characters, and every Han character is a word of its own, so that Chinese needs no
segmenter. Order, white space, markup and punctuation count for nothing: an extractor is judged by which words of the
page it keeps. Means are over pages, each of the same weight, as in the extraction benchmarks of WCXB and of the Web
Content Extraction Benchmark (Bevendorff et al. 2023); intervals are percentiles of a bootstrap over pages.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: The ideographs of the Basic Multilingual Plane, extension A included, one by one; other words as they run.
WORD = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+")

#: Two extractors' scores of a page that differ by no more are called equal. Our choice.
MIN_DIFFERENCE = 0.02
#: Bootstrap draws, and their seed: the same scores give the same interval.
NUM_DRAWS, SEED = 2_000, 0


class Score(NamedTuple):
    """Of one text beside its gold text; each in [0, 1]."""

    precision: float  # share of the text's words that the gold text has
    recall: float  # share of the gold text's words that the text has
    f1: float  # harmonic mean of both


class GroupMean(NamedTuple):
    """The mean of a group of pages, with the 95 % interval of a bootstrap over its pages."""

    group: str
    num_pages: int
    mean: float
    low: float
    high: float


class Comparison(NamedTuple):
    """Two extractors on the same pages: the first's scores minus the second's."""

    difference: float  # mean
    low: float  # the 95 % interval of a bootstrap over pages
    high: float
    num_better: int  # pages on which the first is ahead by more than `MIN_DIFFERENCE`
    num_worse: int


def words(text: str) -> list[str]:
    """The words of a text, in order.

    >>> words("Don't panic: 恐慌 42 FOO_bar")
    ['don', 't', 'panic', '恐', '慌', '42', 'foo_bar']
    """
    return WORD.findall(text.lower())


def word_score(text: str, gold: str) -> Score:
    """Precision, recall and F1 of `text`. Two texts without words agree (1, 1, 1); one without words scores 0.

    >>> word_score("a a b", "a b c c")
    Score(precision=0.6666666666666666, recall=0.5, f1=0.5714285714285714)
    """
    found, wanted = Counter(words(text)), Counter(words(gold))
    if not found or not wanted:
        agree = float(not found and not wanted)
        return Score(agree, agree, agree)
    shared, num_found, num_wanted = (found & wanted).total(), found.total(), wanted.total()
    return Score(shared / num_found, shared / num_wanted, 2 * shared / (num_found + num_wanted))


def group_means(scores: ArrayLike, groups: Sequence[str | None]) -> list[GroupMean]:
    """The means of all pages, as the group "all", and then of each group by name.

    `scores` float[pages]. A page of group None is in "all" only. No pages give an empty list. A group
    of all pages is not shown twice.
    """
    values, names = np.asarray(scores, np.float64), np.array(groups, dtype=object)
    chosen = [("all", np.ones(values.size, bool))] if values.size else []
    chosen += [(name, names == name) for name in sorted({name for name in groups if name is not None})]
    rows = []
    for place, (name, mask) in enumerate(chosen):
        if place == 0 or not mask.all():
            rows.append(GroupMean(name, int(mask.sum()), float(values[mask].mean()), *interval(values[mask])))
    return rows


def compare(ours: ArrayLike, theirs: ArrayLike) -> Comparison:
    """Two extractors' scores, float[pages], of the same pages in the same order. ValueError where there are none."""
    differences = np.asarray(ours, np.float64) - np.asarray(theirs, np.float64)
    # What is a difference of .02 in decimals is not in binary: 0.52 - 0.5 > 0.02.
    rounded = differences.round(9)
    better, worse = int((rounded > MIN_DIFFERENCE).sum()), int((rounded < -MIN_DIFFERENCE).sum())
    return Comparison(float(differences.mean()), *interval(differences), better, worse)


def interval(values: ArrayLike) -> tuple[float, float]:
    """The 95 % interval of the mean: percentiles 2.5 and 97.5 of the means of `NUM_DRAWS` samples with replacement.

    One value is an interval of its own. ValueError where there is none.
    """
    values = np.asarray(values, np.float64)
    if values.size == 0:
        raise ValueError("an interval needs at least one page")
    draw = np.random.default_rng(SEED)
    means: NDArray[np.float64] = np.empty(NUM_DRAWS)
    for i in range(NUM_DRAWS):
        means[i] = values[draw.integers(values.size, size=values.size)].mean()
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)
