"""Take out passages that occurred before: every stretch of `min_tokens` tokens or more stays once in the corpus.

Source: Lee et al. 2022, "Deduplicating training data makes language models better", section 4.1 (ExactSubstr, 50 BPE
tokens). There a suffix array finds them on one machine, all copies go, and a cut may end within a word. Here:

    text -> anchors of all windows -> filter of the anchors that recur              one trip, four bytes an anchor
    text -> windows whose anchor the filter holds -> all but the first of each      one trip, what may repeat
         -> stretches -> cuts at boundaries

A window is `min_tokens` consecutive tokens (`curate.kernels.token_windows`). Equal windows have equal anchors, so none
that recurs is missed. The first occurrence, by priority of the documents and then by place, stays; all others, in other
documents and in the same, go. So a token is taken out only if the same token in the same surroundings is found earlier;
where that one is taken out too, it is for one that is earlier still. Windows are compared by 128 bits of hash: among
10**12 different ones any two pass for equal with a probability below 1e-10. The spans kept as evidence are compared
with the text itself.

White space between tokens does not count; everything else does. It refuses to judge similarity: see `near`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field
from pyspark.sql import DataFrame

from curate.dedup import priority
from curate.dedup.recurring_keys import recurring_keys
from curate.dedup.repeated_passages import PASSAGES_DDL, passages, save_passages
from curate.dedup.repeated_windows import Finding, anchor_keys, find_windows, repetitions, windows_ddl
from curate.dedup.streams import Batches, shuffle_partitions, whole_groups
from curate.kernels.repeated_spans import Cuts, cuts
from curate.kernels.token_units import Boundary, unpacked
from curate.stage import CorpusStage

if TYPE_CHECKING:
    from curate.spark.context import CorpusContext
    from curate.spark.documents import Documents

ALL_REPEATED = "all_repeated"
TOO_LITTLE_LEFT = "tokens_left_below_min"
_BYTES_PER_BYTE = 2.0  # of windows for each byte of stored text where a tenth of it repeats: 64 bytes a token of 2.5
_KEPT = pa.scalar(None, pa.string())


class SubstringDedup(CorpusStage):
    """Cut what repeats `min_tokens` tokens or more of earlier text; drop a document of which too little is left."""

    writes: ClassVar[tuple[str, ...]] = ("text",)

    min_tokens: Annotated[int, Field(ge=8, le=10_000)] = 50  # Lee et al. 2022, section 4.1: 50 tokens, there BPE
    boundary: Boundary = "sentence"  # our choice: what stays reads on
    # Our choice, half of a window: a stretch of which no more than that is whole sentences is not worth a gap.
    min_cut_tokens: Annotated[int, Field(ge=1)] = 25
    #: Our choice: filters behind this stage judge what is left. Above `min_tokens` a document may go that has the only
    #: copy of a passage that was taken out elsewhere.
    min_tokens_left: Annotated[int, Field(ge=0)] = 0
    keep: priority.Keep = ("longest",)  # our choice, as in near_dedup: the fullest text stays whole
    max_filter_mib: Annotated[int, Field(ge=1, le=512)] = 256  # our choice: what each worker holds

    @property
    def requires(self) -> tuple[str, ...]:  # type: ignore[override]  # the policy decides
        """The text and what the policy needs."""
        return tuple(dict.fromkeys(("text", *priority.requires(self.keep))))

    @property
    def signals(self) -> pa.StructType:
        """Tokens that were looked at, those in repeated windows and their share in [0, 1], and what is cut.

        Null in a document that repeats nothing.
        """
        span = pa.struct([("start", pa.int64()), ("end", pa.int64())])
        return pa.struct(
            [
                ("num_tokens", pa.int64()),
                ("num_repeated_tokens", pa.int64()),
                ("repeated_frac", pa.float64()),
                ("cuts", pa.list_(span)),
            ]
        )

    def apply(self, documents: Documents, context: CorpusContext) -> DataFrame:
        """A verdict for every document that has a repeated window."""
        finding = Finding(self.min_tokens, self.boundary, self.keep)
        columns = tuple(dict.fromkeys(("text", *priority.columns(self.keep))))
        known = recurring_keys(
            documents, ["text"], lambda batch: anchor_keys(batch, finding), context, self.max_filter_mib << 20
        )
        windows = documents.map(columns, lambda batch: find_windows(batch, finding, known), windows_ddl(self.keep))
        num_partitions = shuffle_partitions(documents, _BYTES_PER_BYTE)
        again = repetitions(windows, self.keep, num_partitions)
        found = context.save("_repeated", repeated(again, self, num_partitions))
        known.unpersist()
        save_passages(found, documents, context)
        return found.select("node", "drop_reason", *self.signals.names)


def repeated(repetitions: DataFrame, stage: SubstringDedup, num_partitions: int) -> DataFrame:
    """node, drop_reason, the signals, and order and passages for the evidence: of each document with a repetition."""

    def judge(batches: Batches) -> Iterator[pa.RecordBatch]:
        for rows in whole_groups(batches, "node"):
            yield judged(rows, stage)

    schema = (
        "node long, drop_reason string, num_tokens long, num_repeated_tokens long, repeated_frac double, "
        f"cuts array<struct<start: long, end: long>>, order {priority.order_ddl(stage.keep)}, passages {PASSAGES_DDL}"
    )
    by_document = repetitions.repartition(num_partitions, "node").sortWithinPartitions("node", "position")
    return by_document.mapInArrow(judge, schema)


def judged(rows: pa.RecordBatch, stage: SubstringDedup) -> pa.RecordBatch:
    """The verdicts on some documents, whose rows are sorted: each one's own row, then its windows."""
    position = rows["position"].to_numpy()
    own = np.flatnonzero(position < 0)
    counts = np.diff(np.append(own, rows.num_rows)) - 1
    own, offsets = own[counts > 0], np.append(0, np.cumsum(counts[counts > 0]))
    documents = rows.take(pa.array(own))
    taken = cuts(position[position >= 0], offsets, stage.min_tokens, unpacked(documents["units"]), stage.min_cut_tokens)
    num_tokens = documents["start"].to_numpy().astype(np.int64)
    is_whole = documents["end"].to_numpy() == 1
    return pa.RecordBatch.from_pydict(
        {
            "node": documents["node"],
            "drop_reason": _reasons(num_tokens - taken.num_cut, taken, is_whole, stage.min_tokens_left),
            "num_tokens": pa.array(num_tokens),
            "num_repeated_tokens": pa.array(taken.num_repeated),
            "repeated_frac": pa.array(taken.num_repeated / num_tokens),
            "cuts": _spans(taken),
            "order": documents["order"],
            "passages": passages(rows, stage.min_tokens),
        }
    )


def _reasons(left: np.ndarray, taken: Cuts, is_whole: np.ndarray, min_tokens_left: int) -> pa.StringArray:
    """Of a text that was looked at in part only nothing is known about what is left."""
    too_little = is_whole & (taken.num_cut > 0) & (left < min_tokens_left)
    nothing = is_whole & (left == 0)
    return pc.if_else(pa.array(nothing), ALL_REPEATED, pc.if_else(pa.array(too_little), TOO_LITTLE_LEFT, _KEPT))


def _spans(taken: Cuts) -> pa.ListArray:
    spans = pa.StructArray.from_arrays([pa.array(taken.start), pa.array(taken.end)], ["start", "end"])
    return pa.ListArray.from_arrays(pa.array(taken.offsets.astype(np.int32)), spans)
