"""Our side: the steps of a recipe on the same documents, every step on every document as it came."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
from peers.compare import SAME_FIGURE, Ours, Theirs, number
from peers.pairs import Pair

from curate.document import RAW_SCHEMA
from curate.fused import batch_table, run_steps, to_batch
from curate.recipe import Recipe, Step
from curate.stage import DocumentStage

BATCH = 256
#: Scripts without spaces between words: datatrove looks for a listed word anywhere in them.
WITHOUT_SPACES = frozenset({"ja", "th", "zh"})


def steps_of(pair: Pair, recipe: Recipe, bad_words: Path, language: str) -> list[Step]:
    """The recipe's steps that answer the pair, in its order, for documents of any language. `bad_words`: a list."""
    steps = []
    for step in recipe.stages:
        if step.use not in pair.stages:
            continue
        settings = dict(pair.settings)
        if pair.bad_words and step.use == "c4":
            settings |= {"bad_words_path": str(bad_words), "bad_words_inside_words": language in WITHOUT_SPACES}
        stage = type(step.stage).model_validate(step.stage.model_dump() | settings)
        steps.append(step.model_copy(update={"stage": stage, "languages": None, "sources": None}))
    return steps


def judge(documents: pa.Table, steps: Sequence[Step]) -> Iterator[tuple[str, Ours]]:
    """Document id and verdict of each document."""
    for batch in documents.to_batches(max_chunksize=BATCH):
        done = run_steps(to_batch(batch_table(batch, RAW_SCHEMA)), steps, audit=True)
        signals = [done.column(step.name).to_pylist() for step in steps]
        broken = _broken(done, steps)
        texts, reasons = done.column("text").to_pylist(), done.column("drop_reason").to_pylist()
        for row, doc_id in enumerate(done.column("doc_id").to_pylist()):
            merged = {name: value for column in signals for name, value in (column[row] or {}).items()}
            yield doc_id, Ours(reasons[row], merged, frozenset(broken[row]), texts[row])


def _broken(done: pa.RecordBatch, steps: Sequence[Step]) -> list[set[str]]:
    rows: list[set[str]] = [set() for _ in range(done.num_rows)]
    for step in steps:
        assert isinstance(step.stage, DocumentStage)
        for limit in step.stage.limits:
            for row, is_broken in enumerate(limit.broken_by(done.column(step.name)).to_pylist()):
                if is_broken:
                    rows[row].add(limit.reason)
    return rows


def same_words(
    documents: pa.Table, steps: Sequence[Step], gopher_quality: Mapping[str, Theirs] | None
) -> dict[str, bool]:
    """Whether both cut the same words, as far as the number of words and the share of those with letters tell.

    `gopher_quality`: the figures of datatrove's filter. Empty where there are none, or where our steps need no words.
    """
    kinds = {getattr(step.stage, "words", None) for step in steps} - {None}
    if gopher_quality is None or not kinds:
        return {}
    step = Step.model_validate({"gopher_quality": {"counting": "datatrove", "words": kinds.pop()}})
    return {doc_id: _same_counts(gopher_quality[doc_id], ours) for doc_id, ours in judge(documents, [step])}


def _same_counts(theirs: Theirs, ours: Ours) -> bool:
    counts = theirs.figures.get("gopher_short_doc"), number(ours.signals["word_count"])
    with_letters = theirs.figures.get("gopher_below_alpha_threshold"), number(ours.signals["alphabetic_word_frac"])
    return counts[0] == counts[1] and math.isclose(with_letters[0] or 0, with_letters[1] or 0, abs_tol=SAME_FIGURE)
