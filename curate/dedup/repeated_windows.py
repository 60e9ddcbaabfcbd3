"""Windows of tokens that occurred before: what may recur is found where the text lies, a sorted stream decides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark import Broadcast
from pyspark.sql import DataFrame

from curate.dedup import priority
from curate.dedup.streams import Batches, Rows, firsts
from curate.kernels.bloom import Bloom, Keys, contains
from curate.kernels.key_slices import rounded
from curate.kernels.scan import MAX_BYTES
from curate.kernels.token_units import Boundary, Units, packed, token_units
from curate.kernels.token_windows import SECOND, Tokens, anchors, ngram_keys, remixed, tokens, window_hashes


class Finding(NamedTuple):
    """What windows depend on."""

    min_tokens: int
    boundary: Boundary
    keep: priority.Keep

    @property
    def ngram_size(self) -> int:
        """Tokens of an anchor: half a window. Longer ones recur less by accident, shorter ones leave fewer anchors."""
        return self.min_tokens // 2


def anchor_keys(batch: pa.RecordBatch, finding: Finding) -> Keys:
    """The key of every anchor of a batch."""
    _, own_keys, _ = _anchored(tokens(batch["text"]), finding)
    return own_keys


def _anchored(found: Tokens, finding: Finding) -> tuple[Rows, Keys, Rows]:
    """Where windows begin; the keys of the anchors, each once; which of these each window has."""
    keys = ngram_keys(found, finding.ngram_size)
    anchor = anchors(keys, found.offsets, finding.ngram_size, finding.min_tokens)
    starts = np.flatnonzero(anchor >= 0)
    own = anchor[starts]
    is_new = np.diff(own, prepend=-1) != 0
    # Anchors are the smallest keys of many: as they are they would crowd the first slices and blocks of the filter.
    return starts, remixed(keys[own[is_new]]), np.cumsum(is_new) - 1


def windows_ddl(keep: priority.Keep) -> str:
    """The columns of windows. A document that has any has one row more, with `position` -1, for itself.

    first, second: the window's hashes. position: its first token. start, end: its bytes. In a document's own row: the
    number of its tokens, 1 where these are all, and its units (`token_units`) as int32.
    """
    order = priority.order_ddl(keep)
    return f"first long, second long, node long, order {order}, position int, start int, end int, units binary"


def find_windows(batch: pa.RecordBatch, finding: Finding, known: Broadcast[Bloom]) -> pa.RecordBatch:
    """The windows of a batch that may occur twice, because the filter holds their anchors."""
    found = tokens(batch["text"])
    starts, keys, own = _anchored(found, finding)
    starts = starts[contains(known.value, rounded(keys))[own]]
    rows = np.searchsorted(found.offsets, starts, side="right") - 1
    owners = np.unique(rows)
    units = token_units(batch["text"], found, _covered(starts, finding.min_tokens, found.start.size), finding.boundary)
    documents = _document_rows(batch, found, owners, units)
    row_of = pa.array(np.concatenate([rows, owners]))
    first = window_hashes(found.first, found.offsets, finding.min_tokens)[starts]
    second = window_hashes(found.second, found.offsets, finding.min_tokens, SECOND)[starts]
    columns = {
        "first": _joined(first, documents.first),
        "second": _joined(second, documents.first),
        "node": batch["node"].take(row_of),
        "order": priority.order(batch, finding.keep).take(row_of),
        "position": _joined((starts - found.offsets[rows]).astype(np.int32), np.full(owners.size, -1, np.int32)),
        "start": _joined(found.start[starts], documents.num_tokens),
        "end": _joined(found.end[starts + finding.min_tokens - 1], documents.is_whole),
        "units": pa.concat_arrays([pa.nulls(len(rows), pa.binary()), documents.units]),
    }
    return pa.RecordBatch.from_pydict(columns)


def _joined(a: np.ndarray, b: np.ndarray) -> pa.Array:
    both = np.concatenate([a, b])
    return pa.array(both.view(np.int64) if both.dtype == np.uint64 else both)


def _covered(starts: Rows, size: int, num_tokens: int) -> NDArray[np.bool_]:
    """Whether each token lies in one of the windows."""
    edges = np.bincount(starts, minlength=num_tokens + 1) - np.bincount(starts + size, minlength=num_tokens + 1)
    covered: NDArray[np.bool_] = np.cumsum(edges)[:num_tokens] > 0
    return covered


class _DocumentRows(NamedTuple):
    first: Keys
    num_tokens: NDArray[np.int32]
    is_whole: NDArray[np.int32]
    units: pa.BinaryArray


def _document_rows(batch: pa.RecordBatch, found: Tokens, rows: Rows, units: Units) -> _DocumentRows:
    """The rows that documents have for themselves."""
    nodes = batch["node"].to_numpy()[rows].view(np.uint64)
    sizes = pc.binary_length(batch["text"]).to_numpy(zero_copy_only=False)[rows]
    return _DocumentRows(
        nodes * np.uint64(0x9E3779B97F4A7C15),  # where it is shuffled to
        np.diff(found.offsets)[rows].astype(np.int32),
        (sizes <= MAX_BYTES).astype(np.int32),
        packed(units).take(pa.array(rows)),
    )


def repetitions(windows: DataFrame, keep: priority.Keep, num_partitions: int) -> DataFrame:
    """Every window but the first of those equal to it, with where that first lies; and documents' own rows.

    Equal windows come as a sorted stream, and all that is remembered of them is the first: a window that occurs in a
    million documents takes no more memory than one that occurs in two.
    """
    schema = (
        "node long, position int, start int, end int, first long, kept_node long, kept_position int, kept_start int, "
        f"kept_end int, order {priority.order_ddl(keep)}, units binary"
    )
    together = windows.repartition(num_partitions, "first", "second")
    in_order = together.sortWithinPartitions("first", "second", "order", "node", "position")
    return in_order.mapInArrow(_all_but_first, schema)


def _all_but_first(batches: Batches) -> Iterator[pa.RecordBatch]:
    for rows, first, news in firsts(batches, ("first", "second")):
        own = rows["position"].to_numpy() < 0
        yield _with_first(rows, news[own[news] | (first[news] < news)], first, own)


def _with_first(rows: pa.RecordBatch, out: Rows, first: Rows, own: NDArray[np.bool_]) -> pa.RecordBatch:
    kept = rows.select(["node", "position", "start", "end"]).take(pa.array(first[out]))
    chosen = rows.take(pa.array(out))
    columns = {name: chosen[name] for name in ("node", "position", "start", "end", "first")}
    columns |= {f"kept_{name}": kept[name] for name in kept.schema.names}
    order = pc.if_else(pa.array(own[out]), chosen["order"], pa.scalar(None, chosen["order"].type))
    return pa.RecordBatch.from_pydict(columns | {"order": order, "units": chosen["units"]})
