"""Where recipes of the same purpose decide differently on somebody's documents.

One name means different filters in different toolkits: each recipe judges the same documents on its own, and what one
keeps and another drops is counted by reason, with the first few such documents.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import pyarrow as pa

from curate.errors import RecipeError
from curate.fused import run_steps
from curate.recipe import Recipe
from curate.stage import DocumentStage

KEPT = "kept"


@dataclass
class Comparison:
    """What recipes decided: for each document a verdict of each, `kept` or `stage: reason`."""

    names: tuple[str, ...]
    max_samples: int = 3  # for each pair of verdicts
    num_documents: int = 0
    verdicts: Counter[tuple[str, ...]] = field(default_factory=Counter)
    samples: dict[tuple[str, ...], list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, batch: pa.RecordBatch, verdicts: Sequence[Sequence[str]]) -> None:
        """Take in a batch: its documents, and each recipe's verdicts on them."""
        self.num_documents += batch.num_rows
        for row, together in enumerate(zip(*verdicts, strict=True)):
            self.verdicts[together] += 1
            found = self.samples.setdefault(together, [])
            if len({verdict == KEPT for verdict in together}) == 2 and len(found) < self.max_samples:
                text = batch["text"][row].as_py() or ""
                found.append(
                    {"doc_id": batch["doc_id"][row].as_py(), "url": batch["url"][row].as_py(), "text": text[:160]}
                )

    def kept(self, name: str) -> int:
        """Documents that a recipe keeps."""
        place = self.names.index(name)
        return sum(count for verdicts, count in self.verdicts.items() if verdicts[place] == KEPT)

    def pairs(self) -> list[dict[str, Any]]:
        """For each two recipes: on how many documents they agree, and what tells them apart, most frequent first."""
        found = []
        for a, b in combinations(range(len(self.names)), 2):
            apart: Counter[tuple[str, str]] = Counter()
            for verdicts, count in self.verdicts.items():
                if (verdicts[a] == KEPT) != (verdicts[b] == KEPT):
                    apart[verdicts[a], verdicts[b]] += count
            agree = self.num_documents - apart.total()
            rows = [
                {
                    self.names[a]: first,
                    self.names[b]: second,
                    "documents": count,
                    "samples": self._samples(a, b, first, second),
                }
                for (first, second), count in sorted(apart.items(), key=lambda item: (-item[1], item[0]))
            ]
            share = agree / self.num_documents if self.num_documents else 1.0
            found.append(
                {"recipes": [self.names[a], self.names[b]], "agree": agree, "agree_frac": share, "apart": rows}
            )
        return found

    def as_json(self) -> dict[str, Any]:
        """All of it, in plain values."""
        kept = {name: self.kept(name) for name in self.names}
        return {"documents": self.num_documents, "kept": kept, "pairs": self.pairs()}

    def _samples(self, a: int, b: int, first: str, second: str) -> list[dict[str, Any]]:
        ours = [s for v, samples in self.samples.items() if (v[a], v[b]) == (first, second) for s in samples]
        return ours[: self.max_samples]


def compare(
    recipes: Sequence[Recipe],
    batches: Iterable[pa.RecordBatch],
    *,
    max_samples: int = 3,
) -> Comparison:
    """The verdicts of each recipe's document stages on the same documents.

    RecipeError for a recipe with a stage over the whole corpus, and for two recipes of one name.
    """
    names = tuple(recipe.name for recipe in recipes)
    if len(set(names)) < len(names) or len(names) < 2:
        raise RecipeError(f"compare takes two or more different recipes, got {', '.join(names)}")
    for recipe in recipes:
        for step in recipe.stages:
            if not isinstance(step.stage, DocumentStage):
                raise RecipeError(f"{recipe.name}: {step.name} looks at the whole corpus; only document stages compare")
    found = Comparison(names, max_samples)
    for batch in batches:
        found.add(batch, [_verdicts(run_steps(batch, recipe.stages)) for recipe in recipes])
    return found


def _verdicts(judged: pa.RecordBatch) -> list[str]:
    pairs = zip(judged["drop_stage"].to_pylist(), judged["drop_reason"].to_pylist(), strict=True)
    return [f"{stage}: {reason}" if reason else KEPT for stage, reason in pairs]
