"""Where an extracted text and its gold text differ, word by word, as pieces that a page can show.

The words of both are aligned as blocks are labelled (`classifiers.extractor.alignment`), so a passage that stands in
another order is no difference, as it is none to the score. Near-linear, where a common diff may take the square.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classifiers.extractor.alignment import align
from classifiers.extractor.scores import WORD

#: Characters of each text that are compared. Our choice: the longest of 2,612 marked texts has 64,344.
MAX_COMPARED_CHARS = 100_000

#: A text in order: what both sides have, what the other side lacks, what both have, and so on. Joined it is the text.
Pieces = list[str]


def differences(text: str, gold: str) -> tuple[Pieces, Pieces]:
    """Pieces of `text` and of `gold`; those at odd places are words that the other side lacks.

    What lies beyond `MAX_COMPARED_CHARS` belongs to the last piece at an even place. An empty text gives `[""]`.

    >>> differences("Home. We met in May, all of us.", "We met in May, all of us. Fin")
    (['', 'Home', '. We met in May, all of us.'], ['We met in May, all of us. ', 'Fin', ''])
    """
    numbers: dict[str, int] = {}
    spans, wanted = _word_spans(text, numbers), _word_spans(gold, numbers)
    match = align(spans[1], wanted[1])
    covered = np.zeros(wanted[1].size, bool)
    covered[match[match >= 0]] = True
    return _pieces(text, spans[0], match < 0), _pieces(gold, wanted[0], ~covered)


def cut(pieces: Pieces, max_chars: int) -> Pieces:
    """The pieces of the first `max_chars` characters."""
    kept, left = [], max_chars
    for piece in pieces:
        kept.append(piece[:left])
        left -= len(piece)
        if left <= 0:
            break
    return kept


def _word_spans(text: str, numbers: dict[str, int]) -> tuple[list[tuple[int, int]], NDArray[np.uint64]]:
    """Where the words of a text begin and end, and a number for each: equal words have the same one."""
    found = [
        (match.span(), numbers.setdefault(match[0].lower(), len(numbers)))
        for match in WORD.finditer(text, 0, MAX_COMPARED_CHARS)
    ]
    return [span for span, _ in found], np.array([number for _, number in found], np.uint64)


def _pieces(text: str, spans: Sequence[tuple[int, int]], differs: NDArray[np.bool_]) -> Pieces:
    """Neighbouring words that differ are one piece, with what stands between them."""
    pieces, at, end = [], 0, 0  # `end`: of the last word that differs, 0 while a common word is the last
    for (start, stop), alone in zip(spans, differs.tolist(), strict=True):
        if alone and not end:
            pieces.append(text[at:start])
            at = start
        elif not alone and end:
            pieces.append(text[at:end])
            at = end
        end = stop if alone else 0
    if end:
        pieces.append(text[at:end])
        at = end
    return [*pieces, text[at:]]
