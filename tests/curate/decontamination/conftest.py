"""Small evaluation sets, documents in memory and on disk, and what becomes of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from curate import document
from curate.decontamination.decontaminate import Decontaminate
from curate.decontamination.evaluation_sets import EvaluationSet, Fields
from curate.decontamination.judging import Cutting, judge

FIELDS = Fields(question="question", answer="answer", passage="passage", id="id")


@pytest.fixture
def write_set(tmp_path: Path) -> Callable[..., EvaluationSet]:
    """`write_set(name, (question, answer, passage), …, **settings)`: a set in a file; parts may be left out."""

    def write(name: str, *items: tuple[str, ...], **settings: Any) -> EvaluationSet:
        path, rows = tmp_path / f"{name}.jsonl", []
        for number, item in enumerate(items):
            question, answer, passage = (*item, "", "")[:3]
            rows.append({"id": f"{name}/{number}", "question": question, "answer": answer, "passage": passage})
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return EvaluationSet(name=name, path=str(path), **{"fields": FIELDS, **settings})

    return write


@pytest.fixture
def judged() -> Callable[..., list[dict[str, Any] | None]]:
    """`judged(set or sets, texts, **settings)`: what becomes of each text, None where it matches nothing."""

    def run(sets: Any, texts: Iterable[str | None], **settings: Any) -> list[dict[str, Any] | None]:
        stage = Decontaminate(sets=(sets,) if isinstance(sets, EvaluationSet) else tuple(sets), **settings)
        batch = documents_of(texts)
        cutting = Cutting(stage.action, stage.margin_chars, stage.min_piece_chars, stage.max_pieces)
        rows = {row["node"]: row for row in judge(batch, stage.index(), cutting).to_pylist()}
        return [rows.get(node) for node in range(batch.num_rows)]

    return run


def documents_of(texts: Iterable[str | None]) -> pa.RecordBatch:
    """A batch as a corpus stage's function is given it."""
    values = list(texts)
    columns = {
        "node": pa.array(range(len(values)), pa.int64()),
        "doc_id": pa.array([document.doc_id(text, str(n)) for n, text in enumerate(values)], pa.string()),
        "url": pa.array([f"https://example.org/{n}" for n in range(len(values))], pa.string()),
        "text": pa.array(values, pa.string()),
    }
    return pa.record_batch(columns)
