"""Take out lines, paragraphs or sentences that stand elsewhere in the corpus; what else is in a document stays.

    documents -> copies of passages by hash -> marks on passages -> cuts, verdicts

What is published, and how it is asked for here:

- CCNet (Wenzek et al. 2020, section 3.1) compares lines in a normal form and takes every copy out, the first too
  (cc_net, `dedup.py`, `deduplicate_two_pass`): `unit: line`, `copies: drop_all`. It found 70 % of a crawl's text so.
- C4 (Raffel et al. 2020, section 2.2) says: all but one of any span of three sentences. `unit: sentence`.
- C4's code (tensorflow_datasets, `c4_utils.py`, `remove_duplicate_text`) compares lines in lower case and keeps each in
  one document, chosen by a hash of its URL, if three sentences are left of that. `unit: line` is near it.

The default compares as CCNet does and keeps one copy as C4 does: what is taken out always stays whole in one place.
That holds for documents of which something is left; `min_chars_left` and `max_duplicate_frac` drop others with the one
copy of a passage in them, which is why they are off. Passages without a letter or digit always stay (our choice): they
are fences, rules and brackets, whose loss would break what stands between them.

Evidence: `passages`, those with most copies, with a sample and where it stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from curate.dedup.passage_copies import Comparing, marks, sent
from curate.dedup.passage_records import MARKED, MARKS, SAMPLE, SENT, Numbers, runs, unpacked
from curate.dedup.priority import Keep, columns, requires
from curate.kernels.cuts import CUTS
from curate.kernels.passage_cuts import ALL_CHARS, DUPLICATE_CHARS, DUPLICATES, PASSAGES, Cuts, cuts, marks_of
from curate.kernels.passages import END, START, Form, Unit, passages
from curate.stage import CorpusStage

if TYPE_CHECKING:
    from curate.spark.context import CorpusContext
    from curate.spark.documents import Documents

NOTHING_LEFT = "duplicate_passages"
MAX_SAMPLE_CHARS = 300
_BUCKETS_PER_PARTITION = 4  # so that partitions are of one size, and a task holds a quarter of one

_VERDICTS = (
    "node long, drop_reason string, num_passages long, num_duplicate_passages long, duplicate_char_frac double, "
    "cuts array<struct<start: long, end: long>>"
)
_SAMPLES = "hash string, copies long, documents long, doc_id string, text string"


class PassageDedup(CorpusStage):
    """Keep one copy of each passage, in the document that `keep` prefers and there the first; or keep none."""

    writes: ClassVar[tuple[str, ...]] = ("text",)

    unit: Unit = "line"  # CCNet; C4's code
    #: Consecutive passages that are compared together. None: 3 sentences (C4, section 2.2), 1 line or paragraph.
    window: Annotated[int, Field(ge=1, le=64)] | None = None
    normalization: Form = "ccnet"  # CCNet, section 3.1; see curate.kernels.passages
    min_chars: Annotated[int, Field(ge=0)] = 0  # letters and digits; passages with fewer stay. CCNet, C4: no minimum
    max_copies: Annotated[int, Field(ge=1)] = 1  # passages with more are duplicates. CCNet, C4
    copies: Literal["keep_first", "drop_all"] = "keep_first"  # C4; CCNet drops all
    keep: Keep = ("smallest_id",)  # our choice: as good as C4's hash of the URL, which is the same in any order
    min_chars_left: Annotated[int, Field(ge=0)] = 0  # our choice, see above. C4's code: 3 sentences
    max_duplicate_frac: Annotated[float, Field(ge=0, le=1)] | None = None  # our choice, see above
    num_samples: Annotated[int, Field(ge=0, le=100_000)] = 1000  # rows of the evidence

    @property
    def requires(self) -> tuple[str, ...]:  # type: ignore[override]  # the settings decide
        return tuple(dict.fromkeys(("text", *requires(self.keep))))

    @property
    def signals(self) -> pa.StructType:
        """Of every document with a passage. `duplicate_char_frac` is the share of its passages' characters that go.

        `cuts` is null where nothing is cut, and in a document that is dropped.
        """
        return pa.struct(
            [
                ("num_passages", pa.int64()),
                ("num_duplicate_passages", pa.int64()),
                ("duplicate_char_frac", pa.float64()),
                ("cuts", CUTS),
            ]
        )

    def apply(self, documents: Documents, context: CorpusContext) -> DataFrame:
        """A verdict for every document with a passage."""
        # Records are about as large as the compressed text that they are of.
        num_bytes, num_rows = (sum(getattr(part, size) for part in documents.parts) for size in ("bytes", "rows"))
        num_partitions = documents.partitions(num_bytes // max(num_rows, 1) + 1)
        settings = self.comparing(num_partitions * _BUCKETS_PER_PARTITION)
        asked = tuple(dict.fromkeys(("text", *columns(self.keep))))
        rows = documents.map(asked, partial(sent, settings=settings), SENT)
        by_hash = rows.repartition(num_partitions, "bucket").sortWithinPartitions("bucket", "kind")
        decided = context.save("_marks", by_hash.mapInArrow(partial(marks, settings=settings), MARKED))
        if self.num_samples:
            context.save("passages", self._samples(documents, decided))
        by_batch = decided.where(F.col("kind") != SAMPLE).repartition(num_partitions, "base")
        return by_batch.sortWithinPartitions("base", "kind", "node").mapInArrow(self.verdicts, _VERDICTS)

    def comparing(self, num_buckets: int) -> Comparing:
        return Comparing(
            unit=self.unit,
            window=self._size,
            normalization=self.normalization,
            min_chars=self.min_chars,
            max_copies=self.max_copies,
            keep_first=self.copies == "keep_first",
            keep=self.keep,
            num_samples=self.num_samples,
            num_buckets=num_buckets,
        )

    @property
    def _size(self) -> int:
        return self.window or (3 if self.unit == "sentence" else 1)

    def _samples(self, documents: Documents, decided: DataFrame) -> DataFrame:
        """The most frequent duplicates. The driver holds `num_samples` places, never a text."""
        most = decided.where(F.col("kind") == SAMPLE).orderBy(F.desc("copies"), "hash").limit(self.num_samples)
        table = most.select("node", "copies", "hash", "data").toArrow()
        nodes = documents.spark.createDataFrame([(node,) for node in set(table["node"].to_pylist())], "node long")
        unit, size, stays = self.unit, self._size, self.copies == "keep_first"

        def texts(batch: pa.RecordBatch) -> pa.RecordBatch:
            return _sample_rows(batch, table, unit, size, stays)

        return documents.at(nodes, ("doc_id", "text"), texts, _SAMPLES)

    def verdicts(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Verdicts out of rows that come sorted by batch of documents, marks before layouts, these by node."""
        waiting: list[Numbers] = []
        current, decided = -1, np.empty(0, np.int64)
        for batch in batches:
            for (base, kind), rows in runs(batch, "base", "kind"):
                if base != current:
                    current, waiting, decided = base, [], np.empty(0, np.int64)
                if kind == MARKS:
                    waiting.append(unpacked(rows["data"], np.int64, 1)[0].ravel())
                    continue
                if waiting:
                    decided, waiting = np.sort(np.concatenate(waiting)), []
                yield self._judged(base, rows, decided)

    def _judged(self, base: int, layouts: pa.RecordBatch, decided: Numbers) -> pa.RecordBatch:
        spans, first = unpacked(layouts["data"], np.int32, 4)
        bounds = marks_of(decided, layouts["node"].to_numpy() - base)
        found = cuts(first, spans, decided, bounds, self._size)
        counts = found.counts
        reasons = self._reasons(counts)
        return pa.RecordBatch.from_pydict(
            {
                "node": layouts["node"],
                "drop_reason": reasons,
                "num_passages": counts[:, PASSAGES],
                "num_duplicate_passages": counts[:, DUPLICATES],
                "duplicate_char_frac": counts[:, DUPLICATE_CHARS] / counts[:, ALL_CHARS],
                "cuts": _lists(found, reasons),
            }
        )

    def _reasons(self, counts: Numbers) -> pa.StringArray:
        left = counts[:, ALL_CHARS] - counts[:, DUPLICATE_CHARS]
        most = 1.0 if self.max_duplicate_frac is None else self.max_duplicate_frac
        reasons = np.full(len(counts), None, object)
        reasons[counts[:, DUPLICATE_CHARS] > most * counts[:, ALL_CHARS]] = "duplicate_char_frac_above_max"
        reasons[left < self.min_chars_left] = "chars_left_below_min"
        reasons[counts[:, DUPLICATES] == counts[:, PASSAGES]] = NOTHING_LEFT
        return pa.array(reasons, pa.string())


def _lists(found: Cuts, reasons: pa.StringArray) -> pa.ListArray:
    """The cuts of each document as `CUTS`, null where there are none and where the document is dropped."""
    spans = pa.StructArray.from_arrays([pa.array(found.starts), pa.array(found.ends)], ["start", "end"])
    none = (np.diff(found.first) == 0) | np.asarray(reasons.is_valid())
    return pa.ListArray.from_arrays(pa.array(found.first.astype(np.int32)), spans, mask=pa.array(none))


def _sample_rows(batch: pa.RecordBatch, table: pa.Table, unit: Unit, size: int, stays: bool) -> pa.RecordBatch:
    """Rows of `_SAMPLES` for those of `table` that lie in these documents."""
    found = passages(batch["text"], unit, "none")
    rows = {node: row for row, node in enumerate(batch["node"].to_pylist())}
    samples = []
    for sample in table.to_pylist():
        row = rows.get(sample["node"])
        if row is None:
            continue
        number, documents = np.frombuffer(sample["data"], np.int64).tolist()
        at = found.first[row] + number
        span = slice(found.spans[at, START], found.spans[at + size - 1, END])
        text = batch["text"][row].as_buffer().to_pybytes()[span][: 4 * MAX_SAMPLE_CHARS].decode("utf-8", "replace")
        samples.append(
            {
                "hash": f"{sample['hash'] & (1 << 64) - 1:016x}",
                "copies": sample["copies"],
                "documents": documents,
                "doc_id": batch["doc_id"][row].as_py() if stays else None,
                "text": text[:MAX_SAMPLE_CHARS],
            }
        )
    fields = [("hash", pa.string()), ("copies", pa.int64()), ("documents", pa.int64())]
    return pa.RecordBatch.from_pylist(samples, pa.schema([*fields, ("doc_id", pa.string()), ("text", pa.string())]))
