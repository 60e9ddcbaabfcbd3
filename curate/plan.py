"""Turn a recipe into passes, and check that every stage finds the columns it needs before anything runs.

Neighbouring document stages make one pass. Corpus stages stand between passes; their verdicts are applied by the pass
that follows. The last pass writes `documents/`.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from curate import document
from curate.errors import RecipeError
from curate.models import file_digest
from curate.recipe import Recipe, Step, fingerprint
from curate.stage import CorpusStage, DocumentStage


@dataclass(frozen=True)
class Pass:
    """One trip through the data."""

    index: int
    name: str  # NN-stage, its folder
    steps: tuple[Step, ...]  # document steps, or exactly one corpus step; none in the last pass
    columns_in: tuple[str, ...]  # signals that earlier passes added
    fingerprint: str  # of the settings that decide its result; what it reads is told apart by digest, wave by wave

    @property
    def is_corpus(self) -> bool:
        return bool(self.steps) and isinstance(self.steps[0].stage, CorpusStage)


@dataclass(frozen=True)
class Plan:
    """The passes of a recipe, in order."""

    recipe: Recipe
    passes: tuple[Pass, ...]

    def signal_types(self, upto: Pass | None = None) -> dict[str, pa.StructType]:
        """Signals column → type, of the steps before a pass, or of all."""
        steps = [step for p in self.passes if upto is None or p.index < upto.index for step in p.steps]
        return {step.name: step.stage.signals for step in steps}

    def schema_after(self, done: Pass) -> pa.Schema:
        """Columns that a pass writes for a kept document.

        In `documents/` two columns have types that other tools open. `source` is a dictionary: the folders are named
        source=…, and pyarrow refuses to merge its own type for that, a dictionary, with a plain string in the file.
        `meta` is a list of key and value, which is how parquet stores a map: `datasets` has no maps.
        """
        types = self.signal_types(done) | {step.name: step.stage.signals for step in done.steps}
        schema = pa.schema([*document.FIELDS, *(pa.field(name, type_) for name, type_ in types.items())])
        if done is self.passes[-1]:
            pairs = pa.list_(pa.struct([("key", pa.string()), ("value", pa.string())]))
            for name, type_ in (("source", pa.dictionary(pa.int32(), pa.string())), ("meta", pairs)):
                schema = schema.set(schema.get_field_index(name), pa.field(name, type_))
        return schema


def plan(recipe: Recipe) -> Plan:
    """The passes. RecipeError where a stage needs a column that is not there by then."""
    groups: list[list[Step]] = []
    for step in recipe.stages:
        together = groups and isinstance(step.stage, DocumentStage) and isinstance(groups[-1][0].stage, DocumentStage)
        if together:
            groups[-1].append(step)
        else:
            groups.append([step])
    if groups and isinstance(groups[0][0].stage, CorpusStage):
        groups.insert(0, [])  # a corpus stage needs documents on disk: read them first
    groups.append([])
    check_columns(recipe, groups)
    passes: list[Pass] = []
    seen: list[str] = []
    for index, steps in enumerate(groups, start=1):
        is_last = index == len(groups)
        label = "documents" if is_last else (steps[0].name if steps else "read")
        own = [[step, step.stage.version, [file_digest(path) for path in step.stage.files]] for step in steps]
        digest = fingerprint(label, own, seen, recipe.seed, recipe.audit, recipe.keep_dropped_text)
        passes.append(Pass(index, f"{index:02d}-{label}", tuple(steps), tuple(seen), digest))
        seen.extend(step.name for step in steps)
    return Plan(recipe, tuple(passes))


def check_columns(recipe: Recipe, groups: list[list[Step]]) -> None:
    """Every stage's `requires` must be there when its turn comes."""
    signals: dict[str, pa.StructType] = {}
    for index, steps in enumerate(groups):
        raw = document.RAW_COLUMNS if index == 0 else frozenset()
        for step in steps:
            if isinstance(step.stage, CorpusStage) and (step.sources, step.languages) != (None, None):
                raise RecipeError(f"stage {step.name} sees the whole corpus: `sources` and `languages` cannot limit it")
            where = f"stage {step.name}, which comes after {', '.join(signals) or 'the reader'}"
            for required in step.stage.requires:
                column, _, signal = required.partition(".")
                there = set(signals) if signal else document.COLUMNS | raw | set(signals)
                if column not in there:
                    raise RecipeError.unknown("column", column, there, where=where)
                if signal and signals[column].get_field_index(signal) < 0:
                    known = [f"{column}.{field.name}" for field in signals[column]]
                    raise RecipeError.unknown("signal", required, known, where=where)
            signals[step.name] = step.stage.signals
