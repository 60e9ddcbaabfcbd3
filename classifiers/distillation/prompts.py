"""Documents that are to be judged by a large model (or by people), as JSON lines with a prompt each.

Nothing here asks a model: one runs whichever one has, and `classifiers.distillation.distil` reads what it said. Which
documents are drawn is decided by `uniform(doc_id, seed, "prompts")`: a larger draw holds the smaller one, however the
files lie. A draw stands in its order, so that whoever stops half-way has judged a fair sample.
"""

from __future__ import annotations

import heapq
import json
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from curate.document import doc_id, uniform
from curate.errors import OutputError, RecipeError


class Prompts(NamedTuple):
    """What `write_prompts` did with the documents."""

    num_written: int
    num_without_text: int
    num_judged: int  # left out, since they are judged already
    num_not_drawn: int


def write_prompts(
    documents: Iterable[pa.RecordBatch],
    path: str | Path,
    template: str | None = None,
    max_chars: int = 5000,  # as in Hugging Face's scripts for FineMath: cosmopedia, labeling/run_llama.py
    judged: Collection[str] = (),
    count: int | None = None,
    seed: int = 0,
) -> Prompts:
    """Write documents that are to be judged as JSONL: `doc_id`, `text` (its first `max_chars` characters), `prompt`.

    template: a prompt in which `{text}` stands for the text, any other brace for itself; None writes no prompt. judged:
    what to leave out, by id or by `curate.document.doc_id` of the text. count: so many are drawn of what is left, and
    no more texts than that are held; None writes all, in the order of the files. A document whose id came before is
    passed over. A judge's answers need `doc_id` and `score` (or `label`) to be read back by `distil`. RecipeError where
    the template has no `{text}`; OutputError where the place cannot be written.
    """
    if template is not None and "{text}" not in template:
        raise RecipeError("the prompt has no {text}: the judge would not see the document")
    path, counts = Path(path), Counter[str]()
    unfinished = path.with_name(path.name + ".unfinished")
    wanted = _wanted(documents, frozenset(judged), max_chars, counts)
    rows = _once(wanted) if count is None else _smallest_draws(wanted, count, seed, counts)
    try:
        with unfinished.open("w", encoding="utf-8", newline="\n") as file:
            for identity, text in rows:
                prompt = {} if template is None else {"prompt": template.replace("{text}", text)}
                file.write(json.dumps({"doc_id": identity, "text": text, **prompt}, ensure_ascii=False) + "\n")
                counts["written"] += 1
        os.replace(unfinished, path)
    except OSError as error:
        raise OutputError(f"cannot write the prompts {path}: {error.strerror}. Choose another place.") from error
    return Prompts(counts["written"], counts["without_text"], counts["judged"], counts["not_drawn"])


def _wanted(
    documents: Iterable[pa.RecordBatch], judged: frozenset[str], max_chars: int, counts: Counter[str]
) -> Iterator[tuple[str, str]]:
    """Id and beginning of the text of what is not judged; the others are counted."""
    for batch in documents:
        for identity, text in zip(batch.column("doc_id").to_pylist(), batch.column("text").to_pylist(), strict=True):
            if identity in judged or (judged and text is not None and doc_id(text) in judged):
                counts["judged"] += 1
            elif text is None or not (stripped := text.strip()):
                counts["without_text"] += 1
            else:
                yield identity, stripped[:max_chars]


def _once(rows: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    seen = set()
    for identity, text in rows:
        if identity not in seen:
            seen.add(identity)
            yield identity, text


def _smallest_draws(
    rows: Iterable[tuple[str, str]], count: int, seed: int, counts: Counter[str]
) -> list[tuple[str, str]]:
    """The `count` rows of the smallest draws, in their order. An id that was pushed out is never let in again."""
    heap: list[tuple[float, str, str]] = []  # the largest draw first
    held = set()
    for identity, text in rows:
        if identity in held:
            continue
        entry = (-uniform(identity, seed, "prompts"), identity, text)
        held.add(identity)
        heapq.heappush(heap, entry)
        if len(heap) > count:
            held.remove(heapq.heappop(heap)[1])
            counts["not_drawn"] += 1
    return [(identity, text) for _, identity, text in sorted(heap, reverse=True)]
