"""Texts to look at beside an evaluation's counts: what was called wrongly, and by how much.

Texts are the documents' own and may hold anything: they are cut, and what cannot be printed is replaced. The page
escapes them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from classifiers.evaluation.metrics import Evaluation, is_called, is_positive
from classifiers.evaluation.ranking import Floats

MAX_CHARS = 600  # of a text
MAX_NAME_CHARS = 200  # of an address, a label, a source
NUM_SAMPLES = 8  # of a cell

#: Cells of the confusion matrix: name, whether its examples are positive, whether they are called so.
CELLS = (
    ("false positives", False, True),
    ("false negatives", True, False),
    ("true positives", True, True),
    ("true negatives", False, False),
)

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class Sample(NamedTuple):
    """An example of a cell, cut for a page."""

    doc_id: str
    text: str
    is_cut: bool
    score: float
    label: str
    language: str
    source: str
    url: str


class Cell(NamedTuple):
    """Examples of one kind, with the first of them to look at."""

    name: str
    num_examples: int
    samples: tuple[Sample, ...]


def cells(evaluation: Evaluation, held_out: pa.Table) -> list[Cell]:
    """The confusion matrix's cells, wrong ones first.

    A wrong one shows the examples that the score is most sure of, a right one those nearest to the threshold. Of equal
    scores the smaller document id comes first. Empty where there is no threshold.
    """
    if evaluation.threshold is None:
        return []
    scores = np.asarray(pc.cast(held_out["score"], pa.float64()).combine_chunks().to_numpy(zero_copy_only=False))
    scored, truth, called = ~np.isnan(scores), is_positive(held_out, evaluation.positive), is_called(evaluation, scores)
    far = np.abs(scores - evaluation.threshold)
    found = []
    for name, positive, as_positive in CELLS:
        places = np.flatnonzero(scored & (truth == positive) & (called == as_positive))
        distance = far[places] if positive == as_positive else -far[places]
        found.append(Cell(name, places.size, samples(held_out, _first(held_out, places, distance), scores)))
    return found


def samples(table: pa.Table, places: Sequence[int], scores: Floats) -> tuple[Sample, ...]:
    """Rows of a table with `doc_id`, and with `text`, `label`, `language`, `source`, `url` where it has them."""
    rows = table.take(pa.array(places, pa.int64()))
    texts = _strings(rows, "text", MAX_CHARS + 1)
    names = [_strings(rows, name, MAX_NAME_CHARS) for name in ("label", "language", "source", "url")]
    return tuple(
        Sample(doc_id, text[:MAX_CHARS], len(text) > MAX_CHARS, float(scores[place]), *rest)
        for doc_id, text, place, *rest in zip(
            _strings(rows, "doc_id", MAX_NAME_CHARS), texts, places, *names, strict=True
        )
    )


def printable(text: str) -> str:
    """Without control characters and surrogates, each replaced by U+FFFD."""
    return _UNPRINTABLE.sub("\ufffd", text.replace("\r\n", "\n"))


def _first(table: pa.Table, places: NDArray[np.int64], order: Floats) -> list[int]:
    """Places of the first examples in an order, equal ones by document id."""
    if places.size > NUM_SAMPLES:  # only what ties with the last that is shown needs its id
        last = np.partition(order, NUM_SAMPLES - 1)[NUM_SAMPLES - 1]
        places, order = places[order <= last], order[order <= last]
    ids = table["doc_id"].take(pa.array(places)).to_pylist()
    ranked = sorted(zip(order.tolist(), ids, places.tolist(), strict=True))
    return [place for _, _, place in ranked[:NUM_SAMPLES]]


def _strings(rows: pa.Table, column: str, max_chars: int) -> list[str]:
    """Values cut before they become Python strings; bytes that are no UTF-8 are replaced, null is empty."""
    if column not in rows.schema.names:
        return [""] * rows.num_rows
    found = rows[column]
    if pa.types.is_primitive(found.type):  # a number, a day
        found = pc.cast(found, pa.string())
    values = pc.binary_slice(pc.cast(found, pa.binary()), 0, 4 * max_chars)  # a character has at most 4 bytes
    return [printable((value or b"").decode("utf-8", "replace"))[:max_chars] for value in values.to_pylist()]
