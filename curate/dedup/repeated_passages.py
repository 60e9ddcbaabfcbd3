"""The passages that were found again, as evidence: where, how often, and what they say on both sides.

A passage is a stretch of windows whose first occurrences follow each other in one document as they do in this. Those
that begin alike are shown once, with their number; the most frequent come first. Both sides are read again for that, so
what the hashes found is compared with the text (`equal`).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from curate.kernels.token_windows import tokens
from curate.kernels.utf8 import utf8

if TYPE_CHECKING:
    from curate.spark.context import CorpusContext
    from curate.spark.documents import Documents

MAX_PASSAGES = 1000  # our choice: what a person may leaf through
MAX_CHARS = 300  # of a sample
_MAX_PER_DOCUMENT = 100
_PLACE = ("num_tokens", "start", "end", "kept_node", "kept_start", "kept_end")
PASSAGES_DDL = (
    "array<struct<first: long, num_tokens: int, start: int, end: int, kept_node: long, kept_start: int, kept_end: int>>"
)
_EVIDENCE_DDL = (
    "num_copies long, num_tokens int, node long, doc_id string, start int, end int, text string, kept_node long, "
    "kept_doc_id string, kept_start int, kept_end int, kept_text string, equal boolean"
)
_Texts = dict[tuple[int, bool], tuple[str, str, bytes]]


def passages(rows: pa.RecordBatch, min_tokens: int) -> pa.ListArray:
    """The passages of each document that has windows, from rows as `substrings.judged` has them; the first hundred.

    `first` is the hash of the first window, whose beginning is `start`; `end` is that of the last one. The kept_ ones
    say the same of the document in which the passage stays.
    """
    position, node, kept, kept_at = (
        rows[name].to_numpy().astype(np.int64) for name in ("position", "node", "kept_node", "kept_position")
    )
    windows = np.flatnonzero(position >= 0)
    follows = (np.diff(position) == 1) & (np.diff(node) == 0) & (np.diff(kept) == 0) & (np.diff(kept_at) == 1)
    breaks = np.flatnonzero((position[windows - 1] < 0) | ~np.append(False, follows)[windows])
    begins, ends = windows[breaks], windows[np.append(breaks[1:], windows.size)[: breaks.size] - 1]
    number = np.searchsorted(np.unique(node[begins]), node[begins])
    place = np.arange(begins.size) - np.searchsorted(number, number)
    begins, ends, number = (values[place < _MAX_PER_DOCUMENT] for values in (begins, ends, number))
    at, to = pa.array(begins), pa.array(ends)
    fields = {
        "first": rows["first"].take(at),
        "num_tokens": pa.array((ends - begins + min_tokens).astype(np.int32)),
        "start": rows["start"].take(at),
        "end": rows["end"].take(to),
        "kept_node": rows["kept_node"].take(at),
        "kept_start": rows["kept_start"].take(at),
        "kept_end": rows["kept_end"].take(to),
    }
    lists = np.searchsorted(number, np.arange(number[-1] + 2 if number.size else 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(lists), pa.StructArray.from_arrays(list(fields.values()), list(fields)))


def save_passages(found: DataFrame, documents: Documents, context: CorpusContext) -> None:
    """Write the evidence `spans`, `MAX_PASSAGES` rows at most."""
    each = found.select("node", "order", F.explode("passages").alias("passage")).select("node", "order", "passage.*")
    best = F.min(F.struct("order", "node", *_PLACE)).alias("best")
    alike = each.groupBy("first").agg(F.count(F.lit(1)).alias("num_copies"), best)
    most = alike.orderBy(F.desc("num_copies"), F.desc("best.num_tokens"), "first").limit(MAX_PASSAGES)
    rows = [
        {"num_copies": row.num_copies, "node": row.best.node, **{name: row.best[name] for name in _PLACE}}
        for row in most.collect()
    ]
    texts = _texts(rows, documents)
    shown = [_shown(row, texts, number) for number, row in enumerate(rows)]
    names = [field.split()[0] for field in _EVIDENCE_DDL.split(", ")]
    relation = context.spark.createDataFrame([[row[name] for name in names] for row in shown], _EVIDENCE_DDL)
    context.save("spans", relation)


def _texts(rows: list[dict[str, Any]], documents: Documents) -> _Texts:
    """doc_id, sample and tokens' digest of each passage, by its number and whether it is the one that stays."""
    wanted: dict[int, list[tuple[int, bool, int, int]]] = defaultdict(list)
    for number, row in enumerate(rows):
        wanted[row["node"]].append((number, False, row["start"], row["end"]))
        wanted[row["kept_node"]].append((number, True, row["kept_start"], row["kept_end"]))
    spans = dict(wanted)

    def read(batch: pa.RecordBatch) -> pa.RecordBatch:
        data, offsets = utf8(batch["text"])
        found = []
        for place, (node, doc_id) in enumerate(
            zip(batch["node"].to_pylist(), batch["doc_id"].to_pylist(), strict=True)
        ):
            for number, stays, start, end in spans[node]:
                text = data[offsets[place] + start : offsets[place] + end].tobytes()
                sample = text[: 4 * MAX_CHARS].decode("utf-8", "replace")[:MAX_CHARS]
                found.append((number, stays, doc_id, sample, token_digest(text)))
        types = [pa.int64(), pa.bool_(), pa.string(), pa.string(), pa.binary()]
        arrays = [pa.array([row[i] for row in found], type_) for i, type_ in enumerate(types)]
        return pa.RecordBatch.from_arrays(arrays, ["number", "stays", "doc_id", "text", "digest"])

    if not spans:
        return {}
    nodes = documents.spark.createDataFrame([(node,) for node in spans], "node long")
    schema = "number long, stays boolean, doc_id string, text string, digest binary"
    read_again = documents.at(nodes, ["text", "doc_id"], read, schema).collect()
    return {(row.number, row.stays): (row.doc_id, row.text, bytes(row.digest)) for row in read_again}


def token_digest(text: bytes) -> bytes:
    """16 bytes that are equal where the tokens are."""
    found = tokens(pa.array([text], pa.binary()).view(pa.string()))  # bytes that are no UTF-8 stay what they are
    spans = zip(found.start.tolist(), found.end.tolist(), strict=True)
    return hashlib.blake2b(b" ".join(text[start:end] for start, end in spans), digest_size=16).digest()


def _shown(row: dict[str, Any], texts: _Texts, number: int) -> dict[str, Any]:
    doc_id, text, digest = texts[number, False]
    kept_doc_id, kept_text, kept_digest = texts[number, True]
    sides = {"doc_id": doc_id, "text": text, "kept_doc_id": kept_doc_id, "kept_text": kept_text}
    return {**row, **sides, "equal": digest == kept_digest}
