"""`curate classifiers prompts` and `distil`: documents out to a judge, its judgements in, examples to train on out.

The folder of `distil` holds `examples.parquet` (EXAMPLES, what `curate classifiers train` reads), `votes.parquet` (how
many judgements each example has and how far they lie apart), `unused.parquet` (lines that count for nothing, and why)
and `agreement.json`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from classifiers.distillation.distil import DistillationSettings, Distilled, at_cut
from classifiers.distillation.distil import distil as distil_judgements
from classifiers.distillation.judgements import Unused, read_judgements
from classifiers.distillation.prompts import Prompts, write_prompts
from classifiers.trained_model import check_new, new_folder
from curate.errors import OutputError, RecipeError
from curate.recipe import build


class Written(NamedTuple):
    """What `prompts` wrote."""

    prompts: Prompts
    num_unread: int  # lines of the judged files that say nothing of a document


class Outcome(NamedTuple):
    """What `distil` made of judgements."""

    distilled: Distilled  # with the labels of the cut, where there is one
    counts: Mapping[str, int]  # label, or score rounded to a whole number, → documents
    reasons: Mapping[str, int]  # why lines count for nothing → lines


def prompts(
    documents: Iterable[pa.RecordBatch],
    output: Path,
    *,
    template: Path | None,
    count: int | None,
    seed: int,
    max_chars: int,
    judged: Sequence[str],
) -> Written:
    """Write documents to be judged to a new file, but for those that the files `judged` have judgements on.

    CurateError where a person can put something right.
    """
    if output.exists():
        raise OutputError(f"{output} is there already, and a judge may be at work on it. Choose another --output")
    known, num_unread = set(), 0
    for one in read_judgements(judged):
        if isinstance(one, Unused):
            num_unread += 1
        else:
            known.add(one.identity or one.digest or "")
    text = None if template is None else _template(template)
    return Written(write_prompts(documents, output, text, max_chars, known, count, seed), num_unread)


def distil(
    judged: Sequence[str],
    documents: Iterable[pa.RecordBatch],
    output: Path,
    *,
    settings: Mapping[str, Any],
    cut: float | None,
    seed: int,
) -> Outcome:
    """Join judgements to documents and write a new folder; see `classifiers.distillation.distil`.

    settings: of DistillationSettings. cut: scores become the labels `positive` (this score or more) and `other`. A
    document's `group` is taken of its metadata, where it has one. CurateError where a person can put something right.
    """
    check_new(output)
    chosen = build(DistillationSettings, settings, "distil")
    if cut is not None and (chosen.kind != "score" or not chosen.lowest < cut <= chosen.highest):
        inside = f"above {chosen.lowest:g} and at most {chosen.highest:g}" if chosen.kind == "score" else "of no label"
        raise RecipeError(f"a cut parts scores in two, {inside}: {cut:g} does not")
    found = distil_judgements(judged, _with_group(documents), chosen, seed)
    if cut is not None:
        found = found._replace(examples=at_cut(found.examples, cut))
    outcome = Outcome(found, _counts(found.examples, chosen, cut), _reasons(found))
    with new_folder(output) as folder:
        for name, table in (("examples", found.examples), ("votes", found.votes), ("unused", found.unused)):
            pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
        facts = {**chosen.model_dump(), "cut": cut, "seed": seed, "judged": list(judged), **_figures(outcome)}
        (folder / "agreement.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return outcome


def _template(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"cannot read the prompt in {path}: {error}") from None


def _with_group(documents: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Batches with the column `group` of their metadata; it is null where a document has none."""
    for batch in documents:
        group = pc.map_lookup(batch.column("meta"), pa.scalar("group"), "first")
        yield batch.select(["doc_id", "text", "language", "source", "url"]).append_column("group", group)


def _counts(examples: pa.Table, settings: DistillationSettings, cut: float | None) -> dict[str, int]:
    labels = examples["label"].to_pylist()
    if settings.kind == "label" or cut is not None:
        return dict(sorted(Counter(labels).items()))
    return {str(number): count for number, count in sorted(Counter(round(float(label)) for label in labels).items())}


def _reasons(found: Distilled) -> dict[str, int]:
    """Why lines are of no use, the most frequent first. What a reason says of its line alone follows a colon."""
    told = Counter(str(reason).partition(":")[0] for reason in found.unused["reason"].to_pylist())
    return dict(sorted(told.items(), key=lambda one: (-one[1], one[0])))


def _figures(outcome: Outcome) -> dict[str, Any]:
    agreement = outcome.distilled.agreement
    judges = {name: {"votes": votes, "mean_score": mean} for name, (votes, mean) in agreement.by_model.items()}
    return {
        "num_lines": outcome.distilled.num_lines,
        "num_unused": outcome.distilled.unused.num_rows,
        "unused": outcome.reasons,
        "examples": outcome.counts,
        **agreement._asdict(),
        "by_model": judges,
    }
