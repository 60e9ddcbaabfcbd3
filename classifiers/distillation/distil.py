"""Examples for a small model out of the judgements of a large one: score distillation, as FineWeb-Edu does it.

There a language model scored 460,000 pages from 0 to 5 and a head over embeddings learned to say the same (Penedo et
al. 2024, section 4). Nothing here asks a model, and nothing reaches for the network: `prompts` writes what is to be
judged, one runs whichever model one has, and `distil` joins what it said to the documents.

Votes on one document are averaged (scores) or counted (labels), and how far they agree is reported. Every line counts
for a document or is listed with a reason.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field, model_validator

from classifiers.distillation.agreement import Agreement, agreement
from classifiers.distillation.judgements import Judgement, Unused, read_judgements
from classifiers.evaluation.metrics import is_positive
from classifiers.extractor.gold import host_of
from classifiers.trainer import EXAMPLES
from curate.document import doc_id, uniform
from curate.errors import InputError

#: Lines that count for nothing, and why.
UNUSED = pa.schema(
    [
        pa.field("file_path", pa.string()),
        pa.field("line", pa.int64()),  # from 1
        pa.field("reason", pa.string()),
        pa.field("beginning", pa.string()),  # of the line
    ]
)
#: What was said of each document.
VOTES = pa.schema(
    [
        pa.field("doc_id", pa.string(), nullable=False),
        pa.field("num_votes", pa.int64(), nullable=False),
        pa.field("variance", pa.float64()),  # of the votes; null of one vote and of labels
    ]
)


class DistillationSettings(BaseModel):
    """What judgements say, and how many of them may be of no use."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    kind: Literal["score", "label"] = "score"
    lowest: float = 0.0  # of a score; FineWeb-Edu's prompt gives 0 to 5 points
    highest: float = 5.0
    #: More and the whole is refused: something is wrong with the prompt or with the ids. Our choice.
    max_unused_frac: Annotated[float, Field(ge=0, le=1)] = 0.2

    @model_validator(mode="after")
    def _is_a_range(self) -> DistillationSettings:
        if not self.lowest < self.highest:
            raise ValueError(f"lowest {self.lowest:g} is not below highest {self.highest:g}: no score would count")
        return self


class Distilled(NamedTuple):
    """Examples, and what became of every line."""

    examples: pa.Table  # EXAMPLES; `label` is the mean score as text, or the label with most votes
    votes: pa.Table  # VOTES, in the order of the examples
    unused: pa.Table  # UNUSED
    num_lines: int  # used and unused together
    agreement: Agreement


def distil(
    paths: Sequence[str],
    documents: Iterable[pa.RecordBatch],
    settings: DistillationSettings,
    seed: int = 0,
) -> Distilled:
    """Join the judgements in JSONL files to documents, and average the votes on each.

    documents: batches with `doc_id` and `text`, and `language`, `source`, `url` and `group` where they are there; a
    document whose id came before is passed over. Without `group` the host of the URL holds documents together. Only
    those that are judged are held in memory. InputError where more than `max_unused_frac` of the lines are of no use,
    with the first of them, or none is of use.
    """
    votes, unused, num_lines = _votes(paths, settings)
    found, without_text = _judged(documents, votes)
    for key, own in votes.items():
        if key not in found:
            what = "the document has no text" if key in without_text else f"no document has its {key[0]}"
            unused += [Unused(vote.file_path, vote.line, what, vote.beginning) for vote in own]
    rows: dict[str, tuple[dict[str, Any], list[Judgement]]] = {}
    for key, row in found.items():  # one document may be judged by its id and by its text
        rows.setdefault(row["doc_id"], (row, []))[1].extend(votes[key])
    kept = []
    for row, own in rows.values():
        label = _label(own, settings)
        if label is None:
            unused += [Unused(vote.file_path, vote.line, "the votes are tied", vote.beginning) for vote in own]
        else:
            kept.append((uniform(row["doc_id"], seed, "examples"), {**row, "label": label}, own))
    kept.sort(key=lambda one: (one[0], one[1]["doc_id"]))
    _check(paths, unused, num_lines, len(kept), settings)
    return Distilled(
        pa.Table.from_pylist([row for _, row, _ in kept], EXAMPLES),
        pa.Table.from_pylist([_vote_row(row["doc_id"], own, settings) for _, row, own in kept], VOTES),
        pa.Table.from_pylist([one._asdict() for one in sorted(unused)], UNUSED),
        num_lines,
        agreement([own for _, own in rows.values()], settings.kind),  # with ties: they are where judges differ
    )


def at_cut(examples: pa.Table, cut: float, labels: tuple[str, str] = ("positive", "other")) -> pa.Table:
    """Examples of numbers as examples of two labels: the first where the number is `cut` or more.

    FineWeb-Edu judges its classifier so, at 3. InputError where a label is no number.
    """
    high = is_positive(examples, f">={cut!r}")
    names = pa.array(np.where(high, *labels).tolist(), pa.string())
    return examples.set_column(examples.schema.get_field_index("label"), EXAMPLES.field("label"), names)


#: A document's name in judgements: ("doc_id", id) or ("text", digest of the text).
_Key = tuple[Literal["doc_id", "text"], str]


def _votes(
    paths: Sequence[str], settings: DistillationSettings
) -> tuple[dict[_Key, list[Judgement]], list[Unused], int]:
    votes: dict[_Key, list[Judgement]] = defaultdict(list)
    unused, num_lines = [], 0
    for one in read_judgements(paths):
        num_lines += 1
        if isinstance(one, Unused):
            unused.append(one)
        elif reason := _fault(one, settings):
            unused.append(Unused(one.file_path, one.line, reason, one.beginning))
        else:
            votes[("doc_id", one.identity) if one.identity is not None else ("text", one.digest or "")].append(one)
    return votes, unused, num_lines


def _fault(one: Judgement, settings: DistillationSettings) -> str:
    if settings.kind == "label":
        return "" if one.label is not None else "it has no label"
    if one.score is None:
        return "it has no score"
    inside = settings.lowest <= one.score <= settings.highest
    return "" if inside else f"the score is not within {settings.lowest:g} to {settings.highest:g}: {one.score:g}"


def _judged(
    documents: Iterable[pa.RecordBatch], votes: Collection[_Key]
) -> tuple[dict[_Key, dict[str, Any]], set[_Key]]:
    """The documents that are judged, without a label, and keys of those that have no text."""
    ids = pa.array([name for kind, name in votes if kind == "doc_id"], pa.string())
    by_text = any(kind == "text" for kind, _ in votes)
    found: dict[_Key, dict[str, Any]] = {}
    without_text: set[_Key] = set()
    for batch in documents:
        named = pc.is_in(batch.column("doc_id"), value_set=ids).to_pylist()
        texts = batch.column("text")
        for row, is_named in enumerate(named):
            if not is_named and not by_text:
                continue
            text, identity = texts[row].as_py(), batch.column("doc_id")[row].as_py()
            keys: list[_Key] = [("doc_id", identity)] if is_named else []
            if by_text and text is not None and ("text", doc_id(text)) in votes:
                keys.append(("text", doc_id(text)))
            if not text or not text.strip():
                without_text.update(keys)
            else:
                for key in keys:
                    if key not in found:
                        found[key] = _example(batch, row, identity, text)
    return found, without_text


def _example(batch: pa.RecordBatch, row: int, identity: str, text: str) -> dict[str, Any]:
    names = ("language", "source", "url", "group")
    there = {name: batch.column(name)[row].as_py() for name in names if name in batch.schema.names}
    url = there.get("url")
    group = there.get("group") or (host_of(url) if url else "") or identity
    source = there.get("source") or "judged"
    return {"doc_id": identity, "text": text, **there, "group": group, "source": source}


def _label(votes: Sequence[Judgement], settings: DistillationSettings) -> str | None:
    """The mean score as text, or the label of most votes; None where several have as many."""
    if settings.kind == "score":
        return repr(round(math.fsum(vote.score or 0.0 for vote in votes) / len(votes), 6))
    most = Counter(vote.label for vote in votes).most_common(2)
    return most[0][0] if len(most) == 1 or most[0][1] > most[1][1] else None


def _vote_row(identity: str, votes: Sequence[Judgement], settings: DistillationSettings) -> dict[str, Any]:
    variance = None
    if settings.kind == "score" and len(votes) > 1:
        variance = float(np.var(sorted(vote.score or 0.0 for vote in votes), ddof=1))
    return {"doc_id": identity, "num_votes": len(votes), "variance": variance}


def _check(
    paths: Sequence[str], unused: Sequence[Unused], num_lines: int, num_documents: int, settings: DistillationSettings
) -> None:
    if num_documents and len(unused) <= settings.max_unused_frac * num_lines:
        return
    if not num_lines:
        raise InputError(f"{', '.join(paths)} holds no judgement: one line of JSON for each is wanted")
    first = "; ".join(f"{one.file_path}, line {one.line}: {one.reason}" for one in sorted(unused)[:3])
    raise InputError(
        f"{len(unused):,} of {num_lines:,} judgements in {', '.join(paths)} are of no use"
        f"{': ' + first if first else ''}. Put them right, or raise max_unused_frac ({settings.max_unused_frac:g})"
    )
