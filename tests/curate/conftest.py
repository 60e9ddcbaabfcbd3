"""Run folders as a run of document stages leaves them, made without Spark, and two small stages to judge by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from curate import document, registry
from curate import recipe as recipes
from curate.funnel import Funnel
from curate.fused import batch_table, run_steps
from curate.ledger import Ledger
from curate.plan import plan
from curate.rundir import RunDir
from curate.stage import Filter, Limit, absent, at_least, at_most


class Lengths(Filter):
    """Characters and the share of digits; a text with "boom" raises."""

    min_chars: int | None = 5
    max_chars: int | None = 50
    max_digit_frac: float | None = 0.5
    digits: str = "0123456789"

    @property
    def signals(self) -> pa.StructType:
        return pa.struct([("chars", pa.int32()), ("digit_frac", pa.float32())])

    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        rows = []
        for text in batch["text"].to_pylist():
            if "boom" in text:
                raise ValueError(text)
            share = sum(c in self.digits for c in text) / len(text) if text else 0.0
            rows.append({"chars": len(text), "digit_frac": share})
        return pa.array(rows, self.signals)

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (
            *(() if self.min_chars is None else (at_least("chars", self.min_chars),)),
            *(() if self.max_chars is None else (at_most("chars", self.max_chars),)),
            *(() if self.max_digit_frac is None else (at_most("digit_frac", self.max_digit_frac),)),
        )


class Letters(Filter):
    """The number of different letters, and whether the text shouts."""

    min_letters: int | None = 3
    drop_shouting: bool = True

    @property
    def signals(self) -> pa.StructType:
        return pa.struct([("letters", pa.int64()), ("shouting", pa.bool_()), ("error", pa.string())])

    def annotate(self, batch: pa.RecordBatch) -> pa.StructArray:
        rows = [
            {"error": "odd"} if "odd" in text else {"letters": len(set(text)), "shouting": text.isupper()}
            for text in batch["text"].to_pylist()
        ]
        return pa.array(rows, self.signals)

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (
            *(() if self.min_letters is None else (at_least("letters", self.min_letters),)),
            *((absent("shouting"),) if self.drop_shouting else ()),
        )


@pytest.fixture
def small_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    """`lengths` and `letters` are on the menu."""
    monkeypatch.setitem(registry.STAGES, "lengths", registry.Entry(f"{__name__}:Lengths", "characters and digits"))
    monkeypatch.setitem(registry.STAGES, "letters", registry.Entry(f"{__name__}:Letters", "different letters"))


def documents_of(texts: list[Any]) -> pa.RecordBatch:
    """Texts, or (text, columns), as a reader gives them."""
    rows = []
    for number, item in enumerate(texts):
        text, columns = item if isinstance(item, tuple) else (item, {})
        given = {"doc_id": document.doc_id(text, str(number)), "text": text, "source": "web", "language": "en"}
        rows.append({**given, "url": f"https://example.org/{number}", **columns})
    return pa.RecordBatch.from_pylist(rows, schema=document.SCHEMA)


def judged(recipe: recipes.Recipe, texts: list[Any]) -> pa.RecordBatch:
    """All rows with their signals and verdicts, as the run's first pass gives them. Later stages find nothing."""
    return run_steps(documents_of(texts), plan(recipe).passes[0].steps, audit=recipe.audit)


def build(folder: Path, recipe: recipes.Recipe, texts: list[Any], parts: int) -> None:
    made, run = plan(recipe), RunDir(str(folder))
    rows = judged(recipe, texts)
    first, last = made.passes[0], made.passes[-1]
    for part in range(parts):
        mine = rows.filter(pa.array([index % parts == part for index in range(rows.num_rows)]))
        alive = pc.is_null(mine["drop_reason"])
        for name, chosen, schema in (
            (f"documents/source=web/part-{part:05d}.parquet", alive, made.schema_after(last)),
            (
                f"dropped/{first.name}/wave-00000/part-{part:05d}.parquet",
                pc.invert(alive),
                pa.schema([*made.schema_after(first), *document.VERDICT_FIELDS]),
            ),
        ):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            there = pa.schema([field for field in schema if field.name in mine.schema.names])
            table = batch_table(mine.filter(chosen).select(there.names).cast(there), schema)  # others are null
            pq.write_table(table, folder / name, row_group_size=7)
    _write_record(run, recipe, rows, [one.name for one in made.passes])


def _write_record(run: RunDir, recipe: recipes.Recipe, rows: pa.RecordBatch, passes: list[str]) -> None:
    ledger, funnel = Ledger(run, recipe), Funnel([step.name for step in recipe.stages])
    funnel.num_read = rows.num_rows
    for row in rows.select(["source", "language", "drop_stage", "drop_reason"]).to_pylist():
        place = (row["source"] or "", row["language"] or "")
        if row["drop_reason"]:
            funnel.dropped[(*place, row["drop_stage"], row["drop_reason"])] += 1
        else:
            funnel.num_kept += 1
            funnel.kept[place] += 1
    ledger.start()
    for name in passes:
        ledger.record_pass(name, "", 1.0, funnel)
    ledger.finish(funnel)


@pytest.fixture
def run_of(tmp_path: Path, small_stages: None) -> Callable[..., str]:
    """`run_of(recipe, texts, parts=2)`: a finished run's folder. A recipe is a mapping as YAML gives it, or parsed."""
    number = 0

    def make(recipe: Any, texts: list[Any], parts: int = 2) -> str:
        nonlocal number
        number += 1
        parsed = recipe if isinstance(recipe, recipes.Recipe) else recipes.parse(recipe)
        build(tmp_path / f"run{number}", parsed, texts, parts)
        return str(tmp_path / f"run{number}")

    return make


@pytest.fixture
def judge(small_stages: None) -> Callable[[Any, list[Any]], pa.RecordBatch]:
    """`judge(recipe, texts)`: what the stages themselves make of texts."""
    return lambda recipe, texts: judged(recipe if isinstance(recipe, recipes.Recipe) else recipes.parse(recipe), texts)
