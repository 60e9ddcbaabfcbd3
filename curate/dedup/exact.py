"""Drop documents whose normalised text is equal, all but one of each group.

Text is hashed to 128 bits where it lies and only keys and digests are shuffled. At 10 billion documents the chance that
any two different texts share a digest is 1.5e-19. It refuses to judge similarity: see `curate.dedup.near`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from curate.dedup.priority import priority
from curate.kernels.normalize import Normalization, digest
from curate.stage import CorpusStage

if TYPE_CHECKING:
    from curate.spark.context import CorpusContext

REASON = "exact_duplicate"


class ExactDedup(CorpusStage):
    """Keep one document of each group of equal texts. Empty and null texts are equal: one of them stays."""

    requires: ClassVar[tuple[str, ...]] = ("text", "doc_id", "date")

    normalization: Normalization = "whitespace"  # our choice, see curate.kernels.normalize
    keep: Literal["earliest", "smallest_id"] = (
        "earliest"  # our choice: the likeliest original; then the smallest doc_id
    )

    @property
    def signals(self) -> pa.StructType:
        """`duplicate_of` is the survivor's doc_id, null in the survivor; `cluster_size` counts the survivor too."""
        return pa.struct([("duplicate_of", pa.string()), ("cluster_size", pa.int64())])

    def apply(self, documents: DataFrame, context: CorpusContext) -> DataFrame:
        """A verdict for every document of a group of two or more."""
        return verdicts(digests(documents, self.normalization), self.keep)


def digests(documents: DataFrame, normalization: Normalization) -> DataFrame:
    """part, row, doc_id, date and the 16-byte digest of the normalised text."""
    schema = "part int, row long, doc_id string, date string, digest binary"
    return documents.select("part", "row", "doc_id", "date", "text").mapInArrow(_digester(normalization), schema)


def _digester(normalization: Normalization) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def hash_texts(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            hashes = [digest(_readable(text), normalization) for text in batch["text"]]
            keys = batch.select(["part", "row", "doc_id", "date"])
            yield keys.append_column("digest", pa.array(hashes, pa.binary()))

    return hash_texts


def _readable(text: pa.StringScalar) -> str | None:
    """The text; bytes that are no UTF-8, which Spark lets through in a string column, are kept apart as surrogates."""
    buffer = text.as_buffer()
    return None if buffer is None else buffer.to_pybytes().decode("utf-8", "surrogateescape")


def verdicts(digests: DataFrame, keep: Literal["earliest", "smallest_id"]) -> DataFrame:
    """Groups of two or more: part, row, drop_reason and the signals. A large group spills to disk, not into memory."""
    group = Window.partitionBy("digest")
    grouped = digests.select(
        "part",
        "row",
        F.min(priority(keep)).over(group).alias("survivor"),
        F.count(F.lit(1)).over(group).alias("cluster_size"),
    ).where("cluster_size > 1")
    stays = (F.col("part") == F.col("survivor.part")) & (F.col("row") == F.col("survivor.row"))
    return grouped.select(
        "part",
        "row",
        F.when(~stays, F.lit(REASON)).alias("drop_reason"),
        F.when(~stays, F.col("survivor.doc_id")).alias("duplicate_of"),
        "cluster_size",
    )
