"""What words of classes, and the first words of blocks, say about main text: log-odds learned from labelled pages.

Each page has one voice for a word however often it has it, or a page with 5,000 comments would say alone what
"comment" means. A page's voice is the share of main text where the word stands: of the text inside elements of a class,
by characters; of the blocks that begin with a phrase. A word weighs less where the page holds little of it.

Words share places by their hash (`curate.kernels.page_traits.LEXICON_SIZE`): where a class and a phrase meet, the one
with more evidence has the place.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.kernels.block_measures import CHARS
from curate.kernels.compiled import compiled
from curate.kernels.page_judge import Judgement
from curate.kernels.page_reader import NUM_ELEMENTS
from curate.kernels.page_traits import LEXICON_SIZE, Floats, add_class_counts
from curate.kernels.utf8 import Bytes

#: Blocks that must begin with a phrase for a page's full voice. Our choice: one may be chance.
FULL_BLOCKS = 2


class Evidence(NamedTuple):
    """What one page says about words: of each place of the lexicon that it has a word in, places rising."""

    place: NDArray[np.int32]
    main_frac: Floats  # [0, 1]
    weight: Floats  # (0, 1]


class PageEvidence(NamedTuple):
    """Of both kinds of words."""

    classes: Evidence
    phrases: Evidence


def page_evidence(data: Bytes, judgement: Judgement, num_blocks: int, share: Floats) -> PageEvidence:
    """What a page that was just judged says, with the share of main text in each of its blocks, float32[num_blocks]."""
    return PageEvidence(
        _evidence_of_classes(_class_counts(data, judgement, num_blocks, share)),
        _evidence_of_phrases(judgement.places[:num_blocks], share),
    )


def learned_lexicon(pages: Iterable[PageEvidence], smoothing: float, max_log_odds: float) -> Floats:
    """Log-odds of main text at each place against all places, float32[LEXICON_SIZE]; 0 where nothing is known.

    smoothing: pages' voices that say nothing new, added to each place; max_log_odds: bounds on either side.
    """
    sums = np.zeros((2, 2, LEXICON_SIZE))  # kind, (main, all), place
    for page in pages:
        for kind, evidence in enumerate(page):
            sums[kind, 0, evidence.place] += evidence.main_frac.astype(np.float64) * evidence.weight
            sums[kind, 1, evidence.place] += evidence.weight
    classes, phrases = (_log_odds(main, total, smoothing) for main, total in sums)
    found = np.where(sums[1, 1] > sums[0, 1], phrases, classes)
    return np.clip(found, -max_log_odds, max_log_odds).astype(np.float32)


def _log_odds(main: NDArray[np.float64], total: NDArray[np.float64], smoothing: float) -> NDArray[np.float64]:
    everywhere = main.sum() / total.sum() if total.any() else 0.0
    if not 0 < everywhere < 1:
        return np.zeros_like(total)
    other = np.maximum(total - main, 0)
    odds = (main + smoothing * everywhere) / (other + smoothing * (1 - everywhere))
    found: NDArray[np.float64] = np.log(odds) - np.log(everywhere / (1 - everywhere))
    return np.where(total > 0, found, 0)


def _evidence_of_classes(counts: Floats) -> Evidence:
    total = counts.sum(1)
    (place,) = np.nonzero(total)
    # Half the weight of a word that stands around a quarter of the page's text.
    weight = np.sqrt(np.minimum(total[place], 1))
    return Evidence(place.astype(np.int32), np.clip(counts[place, 0] / total[place], 0, 1), weight)


def _evidence_of_phrases(places: NDArray[Any], share: Floats) -> Evidence:
    block, _ = np.nonzero(places >= 0)
    stands = places[places >= 0]
    count = np.bincount(stands, minlength=LEXICON_SIZE)
    main = np.bincount(stands, share[block], minlength=LEXICON_SIZE)
    (place,) = np.nonzero(count)
    weight = np.minimum(count[place], FULL_BLOCKS) / FULL_BLOCKS
    return Evidence(place.astype(np.int32), (main[place] / count[place]).astype(np.float32), weight.astype(np.float32))


@compiled
def _class_counts(data: Bytes, judgement: Judgement, num_blocks: int, share: Floats) -> Floats:
    """`add_class_counts` of one page: float32[LEXICON_SIZE, 2]."""
    page, blocks, scratch = judgement.page, judgement.blocks, judgement.scratch
    num_elements = page.place[NUM_ELEMENTS]
    wanted = np.zeros(num_elements, np.float32)
    for block in range(num_blocks):
        wanted[blocks.element[block]] += scratch.measures[block, CHARS] * share[block]
    for element in range(num_elements - 1, 0, -1):
        wanted[page.elements.parent[element]] += wanted[element]
    counts = np.zeros((LEXICON_SIZE, 2), np.float32)
    add_class_counts(data, page, scratch.traits, wanted, counts)
    return counts
