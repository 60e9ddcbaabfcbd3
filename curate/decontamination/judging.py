"""What a batch of documents shares with the evaluation sets, and what becomes of it: one row for each that has a match.

    occurrences -> n-grams of a document -> parts of items -> items -> spans -> cuts

All but the shown texts is computed for the whole batch at once. A row costs memory by the different n-grams that it
shares, which the index bounds.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.decontamination.index import ANSWER, PARTS, PASSAGE, Index, decided
from curate.kernels.contamination import Cuts, cuts_around
from curate.kernels.cuts import CUTS
from curate.kernels.ngram_index import Found, find
from curate.kernels.utf8 import utf8

Numbers = NDArray[np.int64]
Bools = NDArray[np.bool_]
Action = Literal["drop", "cut", "flag"]

SHOWN_CHARS = 300  # of a match, in evidence

MATCH = pa.struct(
    [
        ("doc_id", pa.string()),
        ("url", pa.string()),
        ("set", pa.string()),
        ("item", pa.int64()),  # its number in the set, from 0
        ("item_id", pa.string()),  # its own, where the set has ids
        ("part", pa.string()),  # question, answer, question_answer (n-grams with words of both) or passage
        ("ngrams", pa.int64()),  # different ones that the document has
        ("share", pa.float64()),  # of the part's different n-grams
        ("verdict", pa.string()),  # of the item: contaminated or flagged
        ("document_text", pa.string()),  # what matches first, as the document has it
        ("item_text", pa.string()),  # the part's beginning
    ]
)
SIGNALS = (
    pa.field("num_matches", pa.int64()),  # contaminated items
    pa.field("num_flagged", pa.int64()),  # items of which only parts match that decide nothing
    pa.field("worst_share", pa.float64()),  # the largest share of a part, flagged items too
    pa.field("sets", pa.list_(pa.string())),  # of the contaminated items, sorted
    pa.field("cuts", CUTS),
)
JUDGED = pa.schema(
    [
        pa.field("node", pa.int64()),
        pa.field("drop_reason", pa.string()),
        *SIGNALS,
        pa.field("matches", pa.list_(MATCH)),
    ]
)

CONTAMINATED, TOO_MANY_PIECES, NOTHING_LEFT = "contaminated", "too_many_pieces", "nothing_left"


class Cutting(NamedTuple):
    """What is done with a contaminated document."""

    action: Action
    margin_chars: int
    min_piece_chars: int
    max_pieces: int


class _Shared(NamedTuple):
    """The different n-grams that each document shares with the index, in order of document."""

    row: Numbers
    ngram: Numbers
    first: Numbers  # occurrence
    of_hit: Numbers  # of each occurrence: which of these


class _Parts(NamedTuple):
    """The parts of items that match, ordered by document, item and part."""

    row: Numbers
    part: Numbers  # 4 * item + part
    ngrams: Numbers
    share: NDArray[np.float64]
    first: Numbers  # occurrence
    contaminated: Bools  # the item


def judge(batch: pa.RecordBatch, index: Index, cutting: Cutting) -> pa.RecordBatch:
    """`JUDGED` for the documents of a batch (node, doc_id, url, text) that match; null texts match nothing."""
    found = find(batch.column("text"), index.ngrams)
    shared = _shared(found, len(index.ngrams.key))
    pair, part = _postings(shared.ngram, index)
    parts = _parts(shared.row[pair], part, shared.first[pair], index)
    # Of a contaminated item all that matches goes, whichever part it is of.
    bad_parts = (parts.row * len(index.totals) + parts.part)[parts.contaminated]
    bad = np.zeros(len(shared.row), np.bool_)
    bad[pair[np.isin(shared.row[pair] * len(index.totals) + part, bad_parts)]] = True
    cuts = _cuts(batch.column("text"), found, bad[shared.of_hit], cutting)
    return _rows(batch, index, parts, found, cuts, cutting)


def _shared(found: Found, num_ngrams: int) -> _Shared:
    row = _rows_of(found)
    pairs, first, of_hit = np.unique(row * num_ngrams + found.ngram, return_index=True, return_inverse=True)
    return _Shared(pairs // num_ngrams, pairs % num_ngrams, first, of_hit)


def _rows_of(found: Found) -> Numbers:
    """The document of each occurrence."""
    return np.repeat(np.arange(len(found.offsets) - 1), np.diff(found.offsets))


def _postings(ngram: Numbers, index: Index) -> tuple[Numbers, Numbers]:
    """For each part that each n-gram belongs to: which of the n-grams it is, and the number of the part."""
    starts = index.posting_offsets[ngram]
    counts = index.posting_offsets[ngram + 1] - starts
    which = np.repeat(np.arange(len(ngram)), counts)
    within = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    return which, index.postings[starts[which] + within].astype(np.int64)


def _parts(row: Numbers, part: Numbers, first: Numbers, index: Index) -> _Parts:
    """The parts of which a document has enough, from one entry for each n-gram that they share."""
    keys, of_key, ngrams = np.unique(row * len(index.totals) + part, return_inverse=True, return_counts=True)
    firsts = np.full(len(keys), np.iinfo(np.int64).max)
    np.minimum.at(firsts, of_key, first)
    row, part = keys // len(index.totals), keys % len(index.totals)
    total, set_of = index.totals[part], index.set_of[part // len(PARTS)]
    share = ngrams / total
    enough = ngrams >= np.minimum(np.array([one.min_ngrams for one in index.sets])[set_of], total)
    enough &= share >= np.array([one.min_share for one in index.sets])[set_of]
    contaminated = _contaminated(row[enough], part[enough], index)
    return _Parts(row[enough], part[enough], ngrams[enough], share[enough], firsts[enough], contaminated)


def _contaminated(row: Numbers, part: Numbers, index: Index) -> Bools:
    """For each part that matches whether its item is contaminated by the document."""
    num_items = len(index.set_of)
    items, of_item = np.unique(row * num_items + part // len(PARTS), return_inverse=True)
    matched = np.zeros((len(items), len(PARTS)), np.bool_)
    matched[of_item, part % len(PARTS)] = True
    return decided(matched, index.set_of[items % num_items], index.sets)[of_item]


def _cuts(texts: pa.Array, found: Found, bad: Bools, cutting: Cutting) -> Cuts:
    """The cuts around the bad ones of the occurrences."""
    starts, ends, row = found.start[bad].astype(np.int64), found.end[bad].astype(np.int64), _rows_of(found)[bad]
    order = np.lexsort((starts, row))
    offsets = np.searchsorted(row, np.arange(len(texts) + 1))
    return cuts_around(texts, starts[order], ends[order], offsets, cutting.margin_chars, cutting.min_piece_chars)


def _rows(
    batch: pa.RecordBatch, index: Index, parts: _Parts, found: Found, cuts: Cuts, cutting: Cutting
) -> pa.RecordBatch:
    matches = _matches(batch, index, parts, found)
    nodes = batch.column("node")
    rows, starts = np.unique(parts.row, return_index=True)
    judged = []
    for row, (start, end) in zip(rows.tolist(), pairwise([*starts.tolist(), len(parts.row)]), strict=True):
        items, chosen = np.unique(parts.part[start:end] // len(PARTS), return_index=True)
        bad = parts.contaminated[start:end][chosen]
        reason = _reason(bool(bad.any()), int(cuts.num_pieces[row]), int(cuts.left_bytes[row]), cutting)
        is_cut = cutting.action == "cut" and reason is None and bool(bad.any())
        judged.append(
            {
                "node": nodes[row].as_py(),
                "drop_reason": reason,
                "num_matches": int(bad.sum()),
                "num_flagged": int((~bad).sum()),
                "worst_share": float(parts.share[start:end].max()),
                "sets": sorted({index.sets[number].name for number in index.set_of[items[bad]]}),
                "cuts": _spans(cuts, row) if is_cut else None,
                "matches": matches[start:end],
            }
        )
    return pa.RecordBatch.from_pylist(judged, schema=JUDGED)


def _spans(cuts: Cuts, row: int) -> list[dict[str, int]]:
    mine = slice(cuts.offsets[row], cuts.offsets[row + 1])
    pairs = zip(cuts.start[mine].tolist(), cuts.end[mine].tolist(), strict=True)
    return [{"start": start, "end": end} for start, end in pairs]


def _reason(contaminated: bool, num_pieces: int, left_bytes: int, cutting: Cutting) -> str | None:
    if not contaminated or cutting.action == "flag":
        return None
    if cutting.action == "drop":
        return CONTAMINATED
    if num_pieces > cutting.max_pieces:
        return TOO_MANY_PIECES
    return None if left_bytes else NOTHING_LEFT


def _matches(batch: pa.RecordBatch, index: Index, parts: _Parts, found: Found) -> list[dict[str, Any]]:
    """One `MATCH` for each part."""
    data, offsets = utf8(batch.column("text"))
    ends = _run_ends(found)
    ids, urls = batch.column("doc_id"), batch.column("url")
    rows = []
    for number in range(len(parts.row)):
        row, hit = int(parts.row[number]), int(parts.first[number])
        item, part = divmod(int(parts.part[number]), len(PARTS))
        begin = offsets[row] + found.start[hit]
        end = min(offsets[row] + ends[hit], begin + 4 * SHOWN_CHARS)
        rows.append(
            {
                "doc_id": ids[row].as_py(),
                "url": urls[row].as_py(),
                "set": index.sets[index.set_of[item]].name,
                "item": int(index.number[item]),
                "item_id": index.ids[item].as_py(),
                "part": PARTS[part],
                "ngrams": int(parts.ngrams[number]),
                "share": float(parts.share[number]),
                "verdict": CONTAMINATED if parts.contaminated[number] else "flagged",
                "document_text": bytes(data[begin:end]).decode("utf-8", "ignore")[:SHOWN_CHARS],
                "item_text": _item_text(index, item, part),
            }
        )
    return rows


def _run_ends(found: Found) -> Numbers:
    """For each occurrence where the run of overlapping ones ends that it belongs to."""
    if not len(found.end):
        return np.zeros(0, np.int64)
    over = np.append(found.start[1:] > found.end[:-1], True)  # in reading order, by where they end
    over[found.offsets[1:][found.offsets[1:] > 0] - 1] = True
    last = np.flatnonzero(over)
    return found.end[last[np.searchsorted(last, np.arange(len(over)))]].astype(np.int64)


def _item_text(index: Index, item: int, part: int) -> str:
    text = index.texts[2 * item + (part == PASSAGE)].as_py()
    start = index.answer_start[item] if part == ANSWER else 0
    stop = index.answer_start[item] - 1 if part == 0 else None
    return str(text.encode()[start:stop].decode()[:SHOWN_CHARS])
