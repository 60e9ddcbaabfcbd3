"""Labelled pages as an extractor learns from them: decoded, read and labelled once, and kept small.

What depends on what was learned (features by a lexicon, page types) is computed when it is asked for; what does not,
words, labels and the evidence for lexicons, is here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from classifiers.extractor.alignment import block_shares
from classifiers.extractor.block_words import BlockWords, WordCounts, block_words, word_counts
from classifiers.extractor.gold import GoldPage
from classifiers.extractor.lexicon import PageEvidence, page_evidence
from classifiers.extractor.word_hashes import words_of
from curate.extraction.decoding import decode_bytes
from curate.extraction.learned import LearnedExtractor
from curate.extraction.model import ExtractorModel
from curate.kernels.page_features import NUM_FEATURES, NUM_TYPES
from curate.kernels.page_profile import NUM_PROFILE
from curate.kernels.page_traits import LEXICON_SIZE, Floats
from curate.kernels.trees import Trees, packed
from curate.kernels.utf8 import Bytes

#: Called with how many pages are done.
Progress = Callable[[int], None]


class Example(NamedTuple):
    """A page, what a person took of it, and what is known of both."""

    page: GoldPage
    utf8: bytes  # the page's bytes, decoded
    words: BlockWords
    share: Floats  # float32[blocks]: of the words of each block that are in the gold text: the label
    gold: WordCounts
    profile: Floats  # float32[NUM_PROFILE]
    evidence: PageEvidence

    @property
    def data(self) -> Bytes:
        """The decoded page as kernels take it."""
        return np.frombuffer(self.utf8, np.uint8)

    @property
    def num_blocks(self) -> int:
        """Text blocks that the page has."""
        return len(self.share)


def examples_of(pages: Iterable[GoldPage], progress: Progress = lambda done: None) -> list[Example]:
    """Examples of pages in an order of their own: the same pages in any order give the same list.

    A page without text blocks is one too: an extractor that finds nothing on it is right if its gold text is empty.
    """
    extractor = LearnedExtractor(blank_model())
    found = []
    for done, page in enumerate(sorted(pages, key=_rank), 1):
        found.append(_example(page, extractor))
        progress(done)
    return found


def blank_model(lexicon: Floats | None = None, type_trees: Trees | None = None) -> ExtractorModel:
    """A model without trees for blocks, and without what else is left out: it sees features and decides nothing."""
    return ExtractorModel(
        packed([], NUM_FEATURES),
        packed([], NUM_PROFILE, NUM_TYPES) if type_trees is None else type_trees,
        np.zeros(LEXICON_SIZE, np.float32) if lexicon is None else lexicon,
    )


def hosts_of(examples: Sequence[Example]) -> list[str]:
    """What keeps pages of one site together: the host, the URL where it has none."""
    return [example.page.host or example.page.url for example in examples]


def _rank(page: GoldPage) -> tuple[str, bytes, str, str]:
    return page.url, hashlib.sha256(page.payload).digest(), page.source, page.gold


def _example(page: GoldPage, extractor: LearnedExtractor) -> Example:
    utf8 = decode_bytes(page.payload, page.charset).utf8
    data = np.frombuffer(utf8, np.uint8)
    judgement, num_blocks, _ = extractor.judge(data, page.url)
    words, gold = block_words(judgement.page, judgement.blocks, num_blocks), words_of(page.gold)
    share = block_shares(words.hashes, words.blocks, num_blocks, gold)
    return Example(
        page,
        utf8,
        words,
        share,
        word_counts(gold),
        judgement.profile[0].copy(),
        page_evidence(data, judgement, num_blocks, share),
    )
