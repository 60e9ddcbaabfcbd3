"""What became of one page of a set with gold: what evaluation, tables and the page of errors share."""

from __future__ import annotations

from typing import NamedTuple


class BlockOutcome(NamedTuple):
    """One text block of a page, in document order."""

    text: str
    path: str  # names of the elements around it, outermost first: "body > main > p"
    probability: float  # that it is main text, [0, 1]
    share: float  # of its words that are in the gold text where they stand: the label, [0, 1]
    chosen: bool
    words: int


class Outcome(NamedTuple):
    """One page, judged by a model that has not seen its host."""

    url: str
    host: str
    page_type: str  # "" where the gold says nothing of it
    language: str  # "" where the gold says nothing of it
    gold: str
    text: str  # what was extracted; "" where nothing was chosen
    f1: float  # of words, as `classifiers.extractor.scores` has it
    precision: float
    recall: float
    expected_f1: float  # what the extractor itself thinks of its text
    blocks: list[BlockOutcome]
