"""Drop documents that are equal, all but one of each group: in their normalised text, or in the page they are of.

A text, or a URL in the form that `curate.kernels.url_key` gives it, is hashed to 128 bits where the document lies. What
is shuffled is the hash, the order of priority, the node and the id. At 10 billion documents the chance that any two
different texts share a hash is 1.5e-19, and whoever wants to make two that do needs 2**64 tries. It refuses to judge
similarity: see `curate.dedup.near`.

`key: url` is for crawls that met a page again. RefinedWeb drops what an earlier part of the crawl had (Penedo et al.
2023, section 3.3, "URL deduplication"), and Llama 3 keeps the newest visit (Grattafiori et al. 2024, section 3.1.1),
which is `keep: latest` here. Two visits may differ in text, which is not read: a document goes for its URL alone.

Evidence: `clusters`, every document of a group of two or more. An implausibly large group is a sign that something else
is wrong, such as an extractor that gave one consent banner for a thousand pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import pyarrow as pa
from pydantic import Field
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from curate.dedup import priority
from curate.dedup.priority import Keep
from curate.kernels.normalize import Normalization, digests
from curate.kernels.url_key import TRACKING_PARAMS, UrlRules, url_keys
from curate.stage import CorpusStage

if TYPE_CHECKING:
    from curate.spark.context import CorpusContext
    from curate.spark.documents import Documents, Function

REASONS = {"text": "exact_duplicate", "url": "url_duplicate"}
_ROW_BYTES = 100  # of a document in a shuffle

ParamName = Annotated[str, Field(pattern=r"^[a-z0-9._~-]+\*?$")]


class ExactDedup(CorpusStage):
    """Keep one document of each group of equal ones. Empty and null texts are equal; what has no URL equals nothing."""

    key: Literal["text", "url"] = "text"
    #: With `key: text`.
    normalization: Normalization = "whitespace"  # our choice, see curate.kernels.normalize
    #: With `key: url`; the rest of its form is not for choice, see curate.kernels.url_key.
    strip_www: bool = True  # as the surt package, of Common Crawl's and the Internet Archive's indexes
    sort_query: bool = True  # the same
    drop_params: tuple[ParamName, ...] = TRACKING_PARAMS  # names or "utm_*"; source in curate.kernels.url_key
    keep: Keep = ("earliest",)  # our choice: the likeliest original; then the smallest doc_id

    @property
    def requires(self) -> tuple[str, ...]:  # type: ignore[override]  # the settings decide
        return tuple(dict.fromkeys((self.key, *priority.requires(self.keep))))

    @property
    def signals(self) -> pa.StructType:
        """`duplicate_of` is the survivor's doc_id, null in the survivor; `cluster_size` counts the survivor too."""
        return pa.struct([("duplicate_of", pa.string()), ("cluster_size", pa.int64())])

    def apply(self, documents: Documents, context: CorpusContext) -> DataFrame:
        """A verdict for every document of a group of two or more."""
        columns = dict.fromkeys((self.key, *priority.columns(self.keep)))
        schema = f"node long, hash_0 long, hash_1 long, order {priority.order_ddl(self.keep)}, doc_id string"
        hashed = documents.map([*columns], self._hasher(), schema)
        found = clusters(hashed.repartition(documents.partitions(_ROW_BYTES), "hash_0", "hash_1"))
        return verdicts(context.save("clusters", found), REASONS[self.key])

    def _hasher(self) -> Function:
        """Hashes of a batch. A function of small settings alone, because it travels to the workers."""
        key, keep, form = self.key, self.keep, self.normalization
        rules = UrlRules(self.strip_www, self.sort_query, self.drop_params)

        def hashes(batch: pa.RecordBatch) -> pa.RecordBatch:
            if key == "url":
                urls = url_keys(batch.column("url"), rules)
                batch, numbers = batch.filter(urls.is_valid()), digests(urls.drop_null(), "none")
            else:
                numbers = digests(batch.column("text"), form)
            columns = [
                batch.column("node"),
                *(pa.array(number) for number in numbers.T.copy()),
                priority.order(batch, keep),
                batch.column("doc_id"),
            ]
            return pa.RecordBatch.from_arrays(columns, ["node", "hash_0", "hash_1", "order", "doc_id"])

        return hashes


def clusters(hashed: DataFrame) -> DataFrame:
    """The documents of groups of two or more: node, doc_id, cluster_id (smallest doc_id), cluster_size, duplicate_of.

    A group is a sorted stream that spills to disk, so its size does not matter.
    """
    group = Window.partitionBy("hash_0", "hash_1")
    survivor = F.min(F.struct("order", "doc_id", "node")).over(group)
    grouped = hashed.select(
        "node",
        "doc_id",
        F.min("doc_id").over(group).alias("cluster_id"),
        F.count(F.lit(1)).over(group).alias("cluster_size"),
        survivor.alias("survivor"),
    )
    duplicate_of = F.when(F.col("node") != F.col("survivor.node"), F.col("survivor.doc_id")).alias("duplicate_of")
    return grouped.where("cluster_size > 1").select("node", "doc_id", "cluster_id", "cluster_size", duplicate_of)


def verdicts(clusters: DataFrame, reason: str) -> DataFrame:
    """node, drop_reason and the signals of each document in a cluster."""
    drop_reason = F.when(F.col("duplicate_of").isNotNull(), F.lit(reason)).alias("drop_reason")
    return clusters.select("node", drop_reason, "duplicate_of", "cluster_size")
