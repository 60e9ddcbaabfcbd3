"""Labelled examples out of files: the table that trainers learn from and that models are judged on.

What cannot be used is counted with its reason, never passed over in silence. Of one text, however often it stands
there, one example is kept, of a set the first by URL and id; a text that has two labels is left out, for nobody can say
which of them is right. Examples stand in an order of their own, drawn by document id and seed: no trainer is shown all
of one label first, and files may come in any order.

Texts count as one where they are equal byte for byte; near duplicates are not looked for (`curate dedup` does).
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from classifiers.examples.example_set import ExampleSet, passages_of, rows_of
from classifiers.extractor.gold import host_of
from classifiers.trainer import EXAMPLES
from curate.document import doc_id, uniform
from curate.errors import InputError
from curate.readers.rows import Row

#: A row that was not used. `offset` is a line (csv, tsv), a byte (jsonl) or a row number (parquet).
REJECTED = pa.schema(
    [
        pa.field("source", pa.string()),
        pa.field("file_path", pa.string()),
        pa.field("offset", pa.int64()),
        pa.field("reason", pa.string()),
        pa.field("label", pa.string()),  # as the file has it
        pa.field("text", pa.string()),  # its beginning
    ]
)
MAX_REJECTED = 1_000  # rows kept of one source and reason, the first ones; the counts are of all
_BEGINNING = 200  # characters
_CHUNK_BYTES = 64 << 20

#: Called with the share of the sets that is read, and the number of rows.
Show = Callable[[float, int], None]


class Examples(NamedTuple):
    """What was read."""

    table: pa.Table  # EXAMPLES, in an order drawn by document id and seed
    counts: Mapping[str, Mapping[str, int]]  # source → {"read", "used", and reasons}: they add up
    rejected: pa.Table  # REJECTED, at most MAX_REJECTED of a source and reason


class _Example(NamedTuple):
    draw: float
    digest: str  # of the text
    values: tuple[str | None, ...]  # of EXAMPLES
    row: Row
    raw_label: str


def read_examples(sets: Sequence[ExampleSet], seed: int = 0, show: Show = lambda share, rows: None) -> Examples:
    """The labelled documents of all sets.

    InputError where a set has no path, a file cannot be read, or no row of a set can be used.
    """
    reading = _Reading(seed)
    for one in sets:
        if not one.paths:
            raise InputError(f"examples {one.name!r} have no files: give them with -i {one.name}=PATH")
    for number, one in enumerate(sets):
        for row in rows_of(one):
            for passage, place in passages_of(one, row):
                reading.take(one, passage, place)
            if reading.num_rows % 1_000 == 0:
                show(number / len(sets), reading.num_rows)
        _check_used(one, reading.counts.get(one.name, {}))
    show(1.0, reading.num_rows)
    return reading.finish(sets)


def in_drawn_order(examples: pa.Table, seed: int) -> pa.Table:
    """Examples in the order of `uniform(doc_id, seed, "examples")`: however they came, a trainer sees the same."""
    draws = [uniform(identity, seed, "examples") for identity in examples["doc_id"].to_pylist()]
    order = [("draw", "ascending"), ("doc_id", "ascending"), ("label", "ascending"), ("source", "ascending")]
    return examples.append_column("draw", pa.array(draws, pa.float64())).sort_by(order).drop_columns(["draw"])


class _Reading:
    """One trip over the rows: what is kept so far, and the counts."""

    def __init__(self, seed: int) -> None:
        self.seed, self.num_rows = seed, 0
        self.counts: dict[str, Counter[str]] = {}
        self.labels: dict[str, str] = {}  # digest of a text → its label
        self.conflicting: set[str] = set()
        self.kept: dict[tuple[str, str], list[tuple[float, int, _Example]]] = {}  # (source, label) → heap, worst first
        self.again: dict[tuple[str, str], _Example] = {}  # (source, digest) → the first by URL and id of its duplicates
        self.rejected: list[tuple[Any, ...]] = []

    def take(self, one: ExampleSet, row: Row, place: int | None = None) -> None:
        """Keep a row as an example, or count why not; `place` is that of a passage in its document."""
        self.num_rows += 1
        self.counts.setdefault(one.name, Counter())["read"] += 1
        raw = one.label or (row.meta or {}).get(one.label_column)
        label = one.label_of(raw)
        reason = row.drop_reason or _reason(row, raw, label)
        digest = doc_id(row.text) if reason is None else ""
        if reason is None and digest in self.labels:
            if self.labels[digest] != label:
                self.conflicting.add(digest)
            reason = "conflicting_labels" if digest in self.conflicting else "duplicate_text"
        if reason is not None:
            self._reject(one.name, row, reason, raw)
            if reason == "duplicate_text":
                again = _with_text(_example(one, row, place, label or "", raw or "", digest, self.seed), None)
                self.again[one.name, digest] = min(again, self.again.get((one.name, digest), again), key=_by_place)
            return
        assert label is not None
        self.labels[digest] = label
        self._keep(one, _example(one, row, place, label, raw or "", digest, self.seed))

    def _keep(self, one: ExampleSet, example: _Example) -> None:
        heap = self.kept.setdefault((one.name, str(example.values[2])), [])
        heapq.heappush(heap, (-example.draw, self.num_rows, example))
        if one.max_per_label is not None and len(heap) > one.max_per_label:
            heapq.heappop(heap)
            self.counts[one.name]["over_max_per_label"] += 1

    def _reject(self, name: str, row: Row, reason: str, raw: str | None) -> None:
        self.counts[name][reason] += 1
        if self.counts[name][reason] <= MAX_REJECTED:
            beginning = None if row.text is None else row.text[:_BEGINNING]
            self.rejected.append((name, row.file_path, row.offset, reason, raw, beginning))

    def finish(self, sets: Sequence[ExampleSet]) -> Examples:
        """The examples in their order. A text with two labels goes now: its second one may have come last."""
        kept: list[_Example] = []
        for one in sets:
            self.counts.setdefault(one.name, Counter())["used"] = 0
        for (name, _), heap in self.kept.items():
            for _, _, example in heap:
                if example.digest in self.conflicting:
                    self._reject(name, example.row, "conflicting_labels", example.raw_label)
                else:
                    self.counts[name]["used"] += 1
                    first = min(example, self.again.get((name, example.digest), example), key=_by_place)
                    kept.append(_with_text(first, example.values[1]))
        self.kept.clear()
        kept.sort(key=lambda example: (example.draw, example.digest))
        rejected = pa.Table.from_pylist(
            [dict(zip(REJECTED.names, row, strict=True)) for row in self.rejected], REJECTED
        )
        return Examples(_table(kept), self.counts, rejected)


def _reason(row: Row, raw: str | None, label: str | None) -> str | None:
    if row.text is None:
        return "not_extracted" if row.payload is not None else "no_text"
    if not row.text.strip():
        return "empty_text"
    if raw is None or not raw.strip():
        return "label_missing"  # a file that people have not finished, for example
    return "label_left_out" if label is None else None


def _example(one: ExampleSet, row: Row, place: int | None, label: str, raw: str, digest: str, seed: int) -> _Example:
    meta = row.meta or {}
    given = meta.get(one.doc_id_column) if one.doc_id_column != "doc_id" else None
    document = given or row.doc_id
    identity = document if place is None else f"{document}-{place}"
    group = meta.get(one.group_column) if one.group_column else None
    if group is None and one.group == "host" and not one.group_column:
        group = host_of(row.url) if row.url else None
    language = row.language or one.language
    values = (identity, row.text, label, group or document, language, one.name, row.url)
    return _Example(uniform(identity, seed, "examples"), digest, values, row._replace(text=None), raw)


def _by_place(example: _Example) -> tuple[bool, str, str]:
    """Of equal texts the first by URL and id is kept, whatever the names of their files; one without a URL last."""
    url = example.values[6]
    return url is None, url or "", str(example.values[0])


def _with_text(example: _Example, text: str | None) -> _Example:
    return example._replace(values=(example.values[0], text, *example.values[2:]))


def _table(kept: Iterable[_Example]) -> pa.Table:
    """Examples as a table, in chunks that an Arrow string can hold."""
    batches, pending, size = [], [], 0
    for example in kept:
        pending.append(example.values)
        size += len(example.values[1] or "")
        if size >= _CHUNK_BYTES:
            batches.append(_batch(pending, EXAMPLES))
            pending, size = [], 0
    return pa.Table.from_batches([*batches, _batch(pending, EXAMPLES)], EXAMPLES)


def _batch(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.RecordBatch:
    columns: list[Any] = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _check_used(one: ExampleSet, counts: Mapping[str, int]) -> None:
    """InputError where nothing of a set can be used, with what its rows have."""
    reasons = {reason: n for reason, n in counts.items() if reason not in ("read", "over_max_per_label")}
    if counts.get("read", 0) > sum(reasons.values()) or set(reasons) & {"duplicate_text", "conflicting_labels"}:
        return
    first = next(rows_of(one, meta_columns=None), None)
    names = ", ".join(sorted(first.meta or {})) if first is not None else ""
    told = ", ".join(f"{n:,} {reason}" for reason, n in sorted(reasons.items())) or "there is none"
    raise InputError(
        f"no row of examples {one.name!r} can be used: {told}. Its label is read of column {one.label_column!r}"
        + (f"; columns there are, beside text and URL: {names}" if names else "")
        + ". Set label_column and labels, or `label` where all documents have the same one"
    )
