"""Near duplicates side by side: what a corpus stage took for the same text, and what it just did not.

From the evidence that `near_dedup` saves: pairs with their true similarity. The texts come from the parts that the
stage judged, one row group for each text. Pairs around the bound tell most about it, so these are shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import islice
from typing import Any, NamedTuple

from curate.node import located
from curate.recipe import Recipe
from curate.report.reading import (
    evidence_files,
    open_parquet,
    part_file,
    read_record,
    readable,
    readable_rows,
    without_gaps,
)
from curate.rundir import RunDir

MAX_PAIRS = 6  # of a stage: this many at or above its bound, and half as many below
MAX_COMPARED_WORDS = 400  # of each text: the comparison may take the square of it
_PLAIN = ["a", "b", "a_doc_id", "b_doc_id", "jaccard"]
_URLS = ["a_url", "b_url"]
MAX_PAIR_ROWS = 20_000  # of the evidence that is looked through


class Side(NamedTuple):
    """One document of a pair; text is None where its part is gone."""

    doc_id: str
    url: str
    text: str | None

    def against(self, other: Side) -> list[tuple[str, bool]]:
        """The text in pieces, each with whether it is missing from the other side. Compares words, in order.

        Whitespace does not count as a difference. What lies beyond `MAX_COMPARED_WORDS` is not compared.
        """
        own, others = _words(self.text), _words(other.text)
        pieces: list[tuple[str, bool]] = []
        matcher = SequenceMatcher(None, _bare(own), _bare(others), autojunk=False)
        for tag, start, end, _, _ in matcher.get_opcodes():
            if end > start:
                pieces.append(("".join(own[start:end]), tag != "equal"))
        rest = (self.text or "")[sum(map(len, own)) :]
        return [*pieces, (rest, False)] if rest else pieces


class Pair(NamedTuple):
    """Two documents, the one with priority first."""

    stage: str
    jaccard: float
    is_duplicate: bool  # at or above the bound of the stage
    a: Side
    b: Side


def near_duplicate_pairs(run: RunDir, recipe: Recipe | None, max_pairs: int = MAX_PAIRS) -> list[Pair]:
    """Pairs of every stage that saved such evidence, the most alike first; at most 1.5 · `max_pairs` of a stage."""
    bounds = {step.name: getattr(step.stage, "min_jaccard", None) for step in recipe.stages} if recipe else {}
    found: list[Pair] = []
    before: str | None = None  # the document pass whose parts a corpus stage judges
    for entry in read_record(run)["passes"]:
        name = str(entry["name"])
        files = evidence_files(run, name, "pairs")
        if not files and run.exists("passes", name):
            before = name
        stage = name.partition("-")[2]
        for row, is_duplicate in _chosen(_rows(run, files), bounds.get(stage), max_pairs):
            sides = [_side(run, before, row, end) for end in ("a", "b")]
            found.append(Pair(stage, float(row["jaccard"]), is_duplicate, *sides))
    return sorted(found, key=lambda pair: (pair.stage, -pair.jaccard, pair.a.doc_id, pair.b.doc_id))


def _rows(run: RunDir, files: Sequence[str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for path in files:
        with open_parquet(run, path) as parquet:
            for batch in parquet.iter_batches(columns=[*_PLAIN, *_URLS]):
                urls = [readable(batch.column(name), 300) for name in _URLS]
                for other, *found in zip(batch.select(_PLAIN).to_pylist(), *urls, strict=True):
                    rows.append({**other, **dict(zip(_URLS, found, strict=True))})
                if len(rows) >= MAX_PAIR_ROWS:
                    return rows[:MAX_PAIR_ROWS]
    return rows


def _chosen(rows: list[dict[str, Any]], bound: float | None, count: int) -> list[tuple[dict[str, Any], bool]]:
    """Of the duplicates the half nearest the bound and a random half; of the others the nearest below it."""
    rows = sorted(rows, key=lambda row: (row["jaccard"], row["a_doc_id"], row["b_doc_id"]))
    least = 0.0 if bound is None else bound
    above = [row for row in rows if row["jaccard"] >= least]
    below = [row for row in rows if row["jaccard"] < least]
    near, rest = above[: count // 2], above[count // 2 :]
    rest = sorted(rest, key=lambda row: (row["b_doc_id"], row["a_doc_id"]))[: count - len(near)]
    return [(row, True) for row in (*near, *rest)] + [(row, False) for row in below[-(count // 2) :]]


def _side(run: RunDir, pass_name: str | None, row: dict[str, Any], end: str) -> Side:
    """One side of a row. A document of an index, which lies in no part of this run, has no text here."""
    doc_id = str(row[f"{end}_doc_id"])
    generation, part, at = located(int(row[end]))
    path = part_file(run, pass_name, part) if pass_name and not generation else None
    return Side(doc_id, row[f"{end}_url"] or "", _text(run, path, at, doc_id) if path else None)


def _text(run: RunDir, path: str, row: int, doc_id: str) -> str | None:
    """The text at a row of a part; None where another document stands there."""
    with open_parquet(run, path) as parquet:
        for group in range(parquet.num_row_groups):
            size = parquet.metadata.row_group(group).num_rows
            if row < size:
                table = parquet.read_row_group(group, columns=["doc_id", "text"]).slice(row, 1)
                (found,) = readable_rows(table)
                return without_gaps(found["text"] or "") if found["doc_id"] == doc_id else None
            row -= size
    return None


def _words(text: str | None) -> list[str]:
    """The first words, each with the whitespace that follows it; joined they are the beginning of the text."""
    return [match[0] for match in islice(re.finditer(r"\S*\s+|\S+", text or ""), MAX_COMPARED_WORDS)]


def _bare(words: list[str]) -> list[str]:
    return [word.rstrip() for word in words]
