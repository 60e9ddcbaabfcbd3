"""Drop paragraphs, and documents, most of whose n-grams occurred before: the Bloom filter deduplication of DCLM.

Source: Li et al. 2024, "DataComp-LM", and its `dedup/bff` (commit 77e7bf5, `--remove-type old-both`): 13-grams, a
paragraph goes where more than 0.8 of its n-grams were seen, a document where more than 0.8 of all were.

There one filter is filled while files are read, in an order that is shuffled, so what goes depends on the order; and
its false positives remove text. Here "seen" means that the n-gram occurs in a document that comes before by priority,
or in an earlier paragraph of the same: the same for any partitioning, order or retry. A filter only finds what may
recur (`recurring_keys`), and a group decides exactly, up to equal 64-bit hashes: 3 pairs among 10**10 n-grams.

Differences from the source, all on purpose: a token is a run without white space, where there punctuation is one of its
own (13 of those are some 11 words). What occurs in a paragraph that goes counts as seen all the same, as in
documents that go there: so a text close to two others, of which one goes, may go for what both said. `substrings` takes
out only what is found word by word elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field
from pyspark import Broadcast
from pyspark.sql import DataFrame

from curate.dedup import priority
from curate.dedup.recurring_keys import recurring_keys
from curate.dedup.streams import Batches, Rows, firsts, shuffle_partitions, whole_groups
from curate.kernels.bloom import Bloom, contains
from curate.kernels.key_slices import rounded
from curate.kernels.paragraph_ngrams import ParagraphNgrams, Removal, paragraph_ngrams, removal
from curate.kernels.token_units import packed, unpacked
from curate.stage import CorpusStage

if TYPE_CHECKING:
    from curate.spark.context import CorpusContext
    from curate.spark.documents import Documents

SEEN = "seen_frac_above_max"
ALL_REPEATED = "all_repeated"
_BYTES_PER_BYTE = 4.0  # of n-grams for each byte of stored text where a fifth of them recur: 50 bytes a token of 2.5
_KEPT = pa.scalar(None, pa.string())
_NUMBERS = "num_ngrams long, num_seen_ngrams long, seen_frac double, num_removed_paragraphs long"


class NgramDedup(CorpusStage):
    """Cut paragraphs, and drop documents, of whose n-grams a share above `max_seen_frac` occurred before."""

    writes: ClassVar[tuple[str, ...]] = ("text",)

    ngram_size: Annotated[int, Field(ge=1, le=1000)] = 13  # DCLM, dedup/bff/README.md; shorter paragraphs stay
    max_seen_frac: Annotated[float, Field(ge=0, le=1)] = 0.8  # DCLM, the same; the bound itself stays
    remove: Literal["paragraph", "document", "both"] = "both"  # DCLM, the same: old-both
    keep: priority.Keep = ("longest",)  # our choice, as in near_dedup; there the first that is read
    max_filter_mib: Annotated[int, Field(ge=1, le=512)] = 256  # our choice: what each worker holds

    @property
    def requires(self) -> tuple[str, ...]:  # type: ignore[override]  # the policy decides
        """The text and what the policy needs."""
        return tuple(dict.fromkeys(("text", *priority.requires(self.keep))))

    @property
    def signals(self) -> pa.StructType:
        """N-grams of all paragraphs, those seen before and their share in [0, 1]; paragraphs that go, and where.

        Null in a document of which nothing was seen.
        """
        span = pa.struct([("start", pa.int64()), ("end", pa.int64())])
        return pa.struct(
            [
                ("num_ngrams", pa.int64()),
                ("num_seen_ngrams", pa.int64()),
                ("seen_frac", pa.float64()),
                ("num_removed_paragraphs", pa.int64()),
                ("cuts", pa.list_(span)),
            ]
        )

    def apply(self, documents: Documents, context: CorpusContext) -> DataFrame:
        """A verdict for every document of which an n-gram was seen before."""
        size, keep, most = self.ngram_size, self.keep, self.max_filter_mib << 20
        known = recurring_keys(documents, ["text"], lambda b: paragraph_ngrams(b["text"], size).keys, context, most)
        columns = tuple(dict.fromkeys(("text", *priority.columns(keep))))
        ngrams = documents.map(columns, lambda batch: find_ngrams(batch, size, keep, known), ngrams_ddl(keep))
        num_partitions = shuffle_partitions(documents, _BYTES_PER_BYTE)
        return verdicts(seen(ngrams, num_partitions), self, num_partitions)


def ngrams_ddl(keep: priority.Keep) -> str:
    """The columns of n-grams: one row for each different one of a paragraph, `times` as often as it is there.

    A document that has any has one row more, with `paragraph` -1 and its `units`.
    """
    return f"key long, node long, order {priority.order_ddl(keep)}, paragraph int, times int, units binary"


def find_ngrams(batch: pa.RecordBatch, size: int, keep: priority.Keep, known: Broadcast[Bloom]) -> pa.RecordBatch:
    """The n-grams of a batch that may occur twice, because the filter holds them."""
    found = paragraph_ngrams(batch["text"], size)
    held = np.flatnonzero(contains(known.value, rounded(found.keys)))
    keys, paragraph, times = _different(found, held)
    rows = np.searchsorted(found.units.offsets, paragraph, side="right") - 1
    owners = np.unique(rows)
    nodes = batch["node"].to_numpy()
    row_of = np.concatenate([rows, owners])
    spread = nodes[owners].view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)  # where a document's own row is shuffled to
    number = np.concatenate([paragraph - found.units.offsets[rows], np.full(owners.size, -1)])
    return pa.RecordBatch.from_pydict(
        {
            "key": pa.array(np.concatenate([keys, spread]).view(np.int64)),
            "node": pa.array(nodes[row_of]),
            "order": priority.order(batch, keep).take(pa.array(row_of)),
            "paragraph": pa.array(number.astype(np.int32)),
            "times": pa.array(np.concatenate([times, np.zeros(owners.size, np.int64)]).astype(np.int32)),
            "units": pa.concat_arrays([pa.nulls(len(rows), pa.binary()), packed(found.units).take(pa.array(owners))]),
        }
    )


def _different(found: ParagraphNgrams, held: Rows) -> tuple[NDArray[np.uint64], Rows, Rows]:
    """key, paragraph and times of the different n-grams of each paragraph, out of those at `held`."""
    order = held[np.lexsort((found.keys[held], found.paragraph[held]))]
    keys, paragraph = found.keys[order], found.paragraph[order]
    is_new = np.ones(order.size, np.bool_)
    is_new[1:] = (keys[1:] != keys[:-1]) | (paragraph[1:] != paragraph[:-1])
    begins = np.flatnonzero(is_new)
    return keys[begins], paragraph[begins], np.diff(np.append(begins, order.size))


def seen(ngrams: DataFrame, num_partitions: int) -> DataFrame:
    """node, paragraph, times of every n-gram but where it occurs first; and documents' own rows. It is a stream."""
    together = ngrams.repartition(num_partitions, "key").sortWithinPartitions("key", "order", "node", "paragraph")
    return together.mapInArrow(_all_but_first, "node long, paragraph int, times int, units binary")


def _all_but_first(batches: Batches) -> Iterator[pa.RecordBatch]:
    for rows, first, news in firsts(batches, ("key",)):
        is_own = rows["paragraph"].to_numpy()[news] < 0
        chosen = news[is_own | (first[news] < news)]
        yield rows.select(["node", "paragraph", "times", "units"]).take(pa.array(chosen))


def verdicts(seen: DataFrame, stage: NgramDedup, num_partitions: int) -> DataFrame:
    """node, drop_reason and the signals of each document of which something was seen."""

    def judge(batches: Batches) -> Iterator[pa.RecordBatch]:
        for rows in whole_groups(batches, "node"):
            yield judged(rows, stage)

    by_document = seen.repartition(num_partitions, "node").sortWithinPartitions("node", "paragraph")
    schema = f"node long, drop_reason string, {_NUMBERS}, cuts array<struct<start: long, end: long>>"
    return by_document.mapInArrow(judge, schema)


def judged(rows: pa.RecordBatch, stage: NgramDedup) -> pa.RecordBatch:
    """The verdicts on some documents, whose rows are sorted: each one's own row, then what was seen of it."""
    paragraph = rows["paragraph"].to_numpy().astype(np.int64)
    own = np.flatnonzero(paragraph < 0)
    counts = np.diff(np.append(own, rows.num_rows)) - 1
    own, counts = own[counts > 0], counts[counts > 0]
    units = unpacked(rows["units"].take(pa.array(own)))
    chosen = np.repeat(own - np.append(0, np.cumsum(counts))[:-1], counts) + np.arange(counts.sum()) + 1
    places = np.repeat(units.offsets[:-1], counts) + paragraph[chosen]
    times = np.bincount(places, rows["times"].to_numpy()[chosen], len(units.values)).astype(np.int64)
    gone = removal(units, stage.ngram_size, times, stage.max_seen_frac)
    share = gone.num_seen / gone.num_ngrams
    spans = pa.StructArray.from_arrays([pa.array(gone.start), pa.array(gone.end)], ["start", "end"])
    cuts = pa.ListArray.from_arrays(pa.array(gone.offsets.astype(np.int32)), spans)
    return pa.RecordBatch.from_pydict(
        {
            "node": rows["node"].take(pa.array(own)),
            "drop_reason": _reasons(gone, share, np.diff(units.offsets), stage),
            "num_ngrams": pa.array(gone.num_ngrams),
            "num_seen_ngrams": pa.array(gone.num_seen),
            "seen_frac": pa.array(share),
            "num_removed_paragraphs": pa.array(gone.num_removed),
            "cuts": cuts if stage.remove != "document" else pa.nulls(len(cuts), cuts.type),
        }
    )


def _reasons(gone: Removal, share: NDArray[np.float64], num_paragraphs: Rows, stage: NgramDedup) -> pa.StringArray:
    nothing_left = (gone.num_removed == num_paragraphs) & (stage.remove != "document")
    too_much = (share > stage.max_seen_frac) & (stage.remove != "paragraph")
    return pc.if_else(pa.array(too_much), SEEN, pc.if_else(pa.array(nothing_left), ALL_REPEATED, _KEPT))
