"""Documents for people to judge: a sample of each stratum of a run or of parquet files, as JSON lines.

Which documents are drawn is decided by `uniform(doc_id, seed, "label")`: another partitioning, more files or a larger
sample keep what was drawn, and documents of earlier label files are not drawn again. Two trips over the files: the
first reads ids, strata and scores and holds no more than the sample; the second reads its texts. Refuses to write over
a file: a judgement is a person's work.
"""

from __future__ import annotations

import heapq
import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from curate.document import uniform
from curate.errors import InputError, OutputError, RecipeError
from curate.label_rows import STRATA, Candidate, candidates, parquet_files, texts_at

#: Scores from which the bounds of bands are taken, those of the smallest draws. Our choice: bounds good to 0.3 %.
_MAX_SCORES = 100_000

#: Called with how many of the files are read, and documents.
Show = Callable[[float, str], None]


class Sampling(NamedTuple):
    """What is drawn, and how."""

    by: tuple[str, ...] = ("source", "language")  # of STRATA
    per_stratum: int = 20
    score: str | None = None  # `stage.signal`, or a column
    num_bands: int = 5  # of equal numbers of documents
    edges: tuple[float, ...] = ()  # bounds between bands, in place of num_bands
    seed: int = 0
    max_chars: int = 5_000  # of a text
    with_dropped: bool = False  # what a run dropped too


class Sampled(NamedTuple):
    """What was drawn, for each stratum by its name."""

    documents: dict[str, int]  # in the files
    drawn: dict[str, int]
    num_labelled: int  # documents that are in other label files and were passed over


def sample(
    inputs: Sequence[str],
    output: Path,
    sampling: Sampling,
    labelled: Sequence[Path] = (),
    show: Show = lambda share, detail: None,
) -> Sampled:
    """Write a sample of a run folder or of parquet files to `output`, a JSON line for each document.

    labelled: files of judgements; their documents are not drawn. OutputError where `output` is there already,
    InputError where an input has no text or no such signal.
    """
    if output.exists():
        raise OutputError(
            f"{output} is there already, and judgements are not written over. Choose another --output; with "
            f"--labelled {output} its documents are not drawn again"
        )
    _check(sampling)
    files = parquet_files(inputs, sampling.with_dropped)
    edges = _edges(files, sampling) if "score" in sampling.by else []
    judged = {row["doc_id"] for path in labelled for row in read_labels(path)}
    documents: Counter[str] = Counter()
    heaps: dict[str, list[tuple[float, str, Candidate]]] = {}
    seen = 0
    for done, path in enumerate(files, 1):
        for one in candidates(path, sampling.by, sampling.score, edges):
            documents[one.stratum] += 1
            if one.doc_id in judged:
                seen += 1
                continue
            _offer(heaps.setdefault(one.stratum, []), one, sampling)
        show(done / len(files), f"{sum(documents.values()):,} documents")
    # A text of two sources is judged once, in the first of its strata.
    drawn = list({one.doc_id: one for name in sorted(heaps, reverse=True) for _, _, one in heaps[name]}.values())
    if not drawn:
        raise InputError(
            f"nothing to judge: {sum(documents.values()):,} documents, {seen:,} of them in other label files"
        )
    _write(output, drawn, documents, sampling)
    counts = Counter(one.stratum for one in drawn)
    return Sampled(dict(sorted(documents.items())), dict(sorted(counts.items())), seen)


def read_labels(path: Path) -> list[dict[str, Any]]:
    """The lines of a file of judgements: each has `doc_id`, and `label`, null while nobody has judged it."""
    rows = []
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                row = json.loads(line)
                if not isinstance(row, dict) or not isinstance(row.get("doc_id"), str):
                    raise InputError(f"{path}, line {number}: an object with `doc_id` is wanted")
                rows.append(row)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path}, line {number}: no JSON ({error.msg}). An editor may have left a quote open"
        ) from None
    return rows


def _check(sampling: Sampling) -> None:
    for name in sampling.by:
        if name not in STRATA:
            raise RecipeError.unknown("stratum", name, STRATA, where="--by")
    if "score" in sampling.by and sampling.score is None:
        raise RecipeError("strata by score need --score STAGE.SIGNAL")
    if any(map(math.isnan, sampling.edges)) or list(sampling.edges) != sorted(set(sampling.edges)):
        raise RecipeError(f"bounds of bands ascend, got {', '.join(map(str, sampling.edges))}")


def _edges(files: Sequence[str], sampling: Sampling) -> list[float]:
    """The bounds between bands of a score: those given, or quantiles of the documents with the smallest draws."""
    if sampling.edges:
        return list(sampling.edges)
    smallest: list[tuple[float, float]] = []
    for path in files:
        for one in candidates(path, (), sampling.score, ()):
            if one.score is None:
                continue
            entry = (-uniform(one.doc_id, sampling.seed, "label band"), one.score)
            if len(smallest) < _MAX_SCORES:
                heapq.heappush(smallest, entry)
            elif entry > smallest[0]:
                heapq.heapreplace(smallest, entry)
    scores = [score for _, score in smallest]
    shares = [number / sampling.num_bands for number in range(1, sampling.num_bands)]
    return sorted(set(np.quantile(scores, shares, method="inverted_cdf").tolist())) if scores and shares else []


def _offer(heap: list[tuple[float, str, Candidate]], one: Candidate, sampling: Sampling) -> None:
    """Hold the smallest draws of a stratum; a document that stands there twice is one."""
    draw = -uniform(one.doc_id, sampling.seed, "label")
    if len(heap) == sampling.per_stratum and draw <= heap[0][0]:
        return
    if any(held.doc_id == one.doc_id for _, _, held in heap):
        return
    heapq.heappush(heap, (draw, one.doc_id, one))
    if len(heap) > sampling.per_stratum:
        heapq.heappop(heap)


def _write(output: Path, drawn: Sequence[Candidate], documents: Counter[str], sampling: Sampling) -> None:
    """The sample in an order that says nothing of strata."""
    texts = texts_at([one.place for one in drawn])
    lines = []
    for one in sorted(drawn, key=lambda one: (uniform(one.doc_id, sampling.seed, "label order"), one.stratum)):
        text, url, language = texts[one.place]
        row = {
            "doc_id": one.doc_id,
            "text": (text or "")[: sampling.max_chars],
            "is_cut": len(text or "") > sampling.max_chars,
            "stratum": one.stratum,
            "stratum_documents": documents[one.stratum],
            "score": one.score,
            "url": url,
            "language": language,
            "label": None,
            "note": "",
        }
        lines.append(json.dumps(row, ensure_ascii=False) + "\n")
    try:
        with output.open("x", encoding="utf-8", errors="replace") as file:
            file.writelines(lines)
    except OSError as error:
        raise OutputError(f"cannot write {output}: {error.strerror}. Choose another --output") from error
