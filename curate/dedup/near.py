"""Drop near duplicates: MinHash and LSH propose pairs, the exact similarity of their shingle sets decides.

    documents -> band rows -> candidate pairs -> scored pairs -> components -> clusters with survivors -> verdicts

A document is dropped only if a verified pair ties it to a document that stays. Similarity is not transitive: a cluster
is what is connected by verified pairs, and two of its members may both stay. In order of priority each document stays
unless a better one that stays is its verified near duplicate (the lexicographically first maximal independent set), so
the outcome does not depend on partitioning, order or retries. `remove: by_cluster` asks for one document a cluster.

Evidence: `pairs`, every candidate pair with both documents' ids and URLs, the band that proposed it, estimated and true
similarity; `clusters`, every document of a cluster with its survivor. Equal documents are found too, but `exact_dedup`
before this stage is cheaper for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import pyarrow as pa
from pydantic import Field
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from curate.dedup.banding import Banding, optimal_banding
from curate.dedup.candidates import candidate_pairs
from curate.dedup.components import components
from curate.dedup.index import Index
from curate.dedup.priority import Keep, requires
from curate.dedup.sketches import Sketching, band_rows, sketches
from curate.dedup.survivors import Rule, judged
from curate.dedup.verification import grouped, scored_pairs
from curate.kernels.shingles import Unit
from curate.node import GENERATION_SHIFT
from curate.stage import CorpusStage

if TYPE_CHECKING:
    from curate.spark.context import CorpusContext
    from curate.spark.documents import Documents

REASON = "near_duplicate"
_BAND_ROW_BYTES = 40  # hash, order and node in a shuffle
_SKETCH_BYTES = 5000  # of a document with a near duplicate, as pages are


class NearDedup(CorpusStage):
    """Keep one document of those whose shingle sets have a Jaccard similarity of `min_jaccard` or more."""

    ngram_size: Annotated[int, Field(ge=1, le=64)] = 5  # FineWeb (Penedo et al. 2024, section 3.4): 5-grams of words
    unit: Unit = "word"  # in scripts without spaces a character is a word, see curate.kernels.shingles
    num_bands: Annotated[int, Field(ge=1, le=1000)] = 14  # FineWeb, the same section
    rows_per_band: Annotated[int, Field(ge=1, le=1000)] = 8  # FineWeb, the same section
    #: Choose bands and rows for this similarity in place of the two above, of `num_hashes` (datasketch's optimum).
    lsh_threshold: Annotated[float, Field(gt=0, lt=1)] | None = None
    num_hashes: Annotated[int, Field(ge=2, le=1000)] = 128  # datasketch's default; only with lsh_threshold
    # Gopher (Rae et al. 2021, A1.1). FineWeb's 0.75 is where its bands find 77 % of pairs; they find 92 % at 0.8.
    min_jaccard: Annotated[float, Field(gt=0, le=1)] = 0.8
    #: Also a duplicate: a candidate of which so much of the smaller set is in the larger. Our choice: not asked.
    min_containment: Annotated[float, Field(gt=0, le=1)] | None = None
    keep: Keep = ("longest",)  # our choice: of two near duplicates the longer is seldom the cut one
    remove: Rule = "by_edges"  # our choice; the field's habit is `by_cluster`, one document a cluster
    num_representatives: Annotated[int, Field(ge=1, le=64)] = 8  # our choice, see curate.dedup.candidates
    num_neighbours: Annotated[int, Field(ge=1, le=64)] = 8  # our choice, the same
    #: Folder of an index: documents are compared with all that it has too. See curate.dedup.index.
    index: str | None = None
    #: Whether this corpus becomes part of the index. False: the index is a reference that stays as it is.
    extend_index: bool = True
    #: `new`: what is in the index stays, whatever comes. `all`: the policy decides anew among old and new.
    elect: Literal["new", "all"] = "new"

    @property
    def requires(self) -> tuple[str, ...]:  # type: ignore[override]  # the settings decide
        return tuple(dict.fromkeys(("text", "doc_id", "url", "meta", *requires(self.keep))))

    @property
    def signals(self) -> pa.StructType:
        """`duplicate_of` (doc_id of a document that stays) and `jaccard` with it are null in what stays.

        `cluster_id` is the smallest doc_id of the cluster, `cluster_size` the number of its documents before any is
        dropped, those of the index included.
        """
        return pa.struct(
            [
                ("duplicate_of", pa.string()),
                ("jaccard", pa.float64()),
                ("cluster_id", pa.string()),
                ("cluster_size", pa.int64()),
            ]
        )

    @property
    def banding(self) -> Banding:
        """Bands and rows, as given or as `lsh_threshold` wants them."""
        if self.lsh_threshold is None:
            return Banding(self.num_bands, self.rows_per_band)
        return optimal_banding(self.lsh_threshold, self.num_hashes)

    def apply(self, documents: Documents, context: CorpusContext) -> DataFrame:
        """A verdict for every document that has a verified near duplicate."""
        settings = Sketching(self.ngram_size, self.unit, *self.banding, context.seed)
        if self.index is not None:
            return self._with_index(documents, context, settings, self.index)
        candidates = context.save("_candidates", self._candidates(band_rows(documents, settings, self.keep), documents))
        groups = context.save("_groups", grouped(candidates))
        found = sketches(documents, paired(groups), settings, self.keep)
        pairs = context.save("pairs", scored_pairs(groups, found, documents.partitions(_SKETCH_BYTES)))
        return verdicts(context.save("clusters", self._clusters(pairs)))

    def _candidates(self, rows: DataFrame, documents: Documents) -> DataFrame:
        num_partitions = documents.partitions(_BAND_ROW_BYTES * self.banding.num_bands)
        return candidate_pairs(rows, self.num_representatives, self.num_neighbours, num_partitions)

    def _clusters(self, pairs: DataFrame) -> DataFrame:
        verified = verified_pairs(pairs, self.min_jaccard, self.min_containment)
        fates = judged(verified, components(verified.select("a", "b")), self.remove)
        return clusters(fates, verified)

    def _with_index(self, documents: Documents, context: CorpusContext, settings: Sketching, root: str) -> DataFrame:
        """The same over the documents of an index and these; verdicts for these."""
        spark = context.spark
        index = Index(root, settings, self.keep, context.digest)
        index.write_sketches(documents, spark)
        rows = index.read(spark, "bands", own=True)
        known = index.read(spark, "pairs", own=False)
        assert rows is not None
        rows = index.aged(rows) if self.elect == "new" else rows
        candidates = context.save("_candidates", self._candidates(rows, documents))
        fresh = candidates if known is None else candidates.join(known.select("a", "b"), ["a", "b"], "left_anti")
        groups = context.save("_groups", grouped(fresh))
        num_partitions = documents.partitions(_SKETCH_BYTES)
        found = index.sketches(paired(groups), num_partitions)
        found = index.aged(found) if self.elect == "new" else found
        fresh_pairs = scored_pairs(groups, found, num_partitions)
        pairs = context.save("pairs", index.local(fresh_pairs, "a", "b"))
        numbered = index.numbered(pairs, "a", "b")
        again = None if known is None else known.join(candidates.select("a", "b"), ["a", "b"], "left_semi")
        fates = self._clusters(numbered if again is None else numbered.unionByName(again))
        found_clusters = context.save("clusters", index.local(fates, "node"))
        if (before := index.latest_clusters(spark)) is not None:
            context.save("changes", changes(before, found_clusters))
        if self.extend_index:
            num_documents = sum(part.rows for part in documents.parts)
            index.commit(numbered, index.numbered(found_clusters, "node"), num_documents)
        else:
            index.discard()
        return verdicts(found_clusters.where(F.shiftright("node", GENERATION_SHIFT) == 0))


def paired(pairs: DataFrame) -> DataFrame:
    """node: every document that is in a pair, once."""
    return pairs.select(F.explode(F.array("a", "b")).alias("node")).distinct()


def verified_pairs(pairs: DataFrame, min_jaccard: float, min_containment: float | None = None) -> DataFrame:
    """The scored pairs that reach a bound; the bounds themselves are inside."""
    reaches = F.col("jaccard") >= min_jaccard
    if min_containment is not None:
        reaches = reaches | (F.col("containment") >= min_containment)
    return pairs.where(reaches)


def clusters(fates: DataFrame, verified: DataFrame) -> DataFrame:
    """What became of each document of a cluster, with names in place of nodes.

    node, doc_id, id, url, cluster_id (smallest doc_id), cluster_size, duplicate_of (doc_id, null: it stays), jaccard.
    """
    fields = ("doc_id", "id", "url")
    sides = [
        verified.select(F.col(end).alias("node"), *(F.col(f"{end}_{name}").alias(name) for name in fields))
        for end in ("a", "b")
    ]
    names = sides[0].union(sides[1]).dropDuplicates(["node"])
    survivors = names.select(F.col("node").alias("survivor"), F.col("doc_id").alias("duplicate_of"))
    named = fates.withColumnRenamed("duplicate_of", "survivor").join(names, "node").join(survivors, "survivor", "left")
    cluster_id = F.min("doc_id").over(Window.partitionBy("component"))
    named = named.withColumn("cluster_id", cluster_id)
    return named.select("node", *fields, "cluster_id", "cluster_size", "duplicate_of", "jaccard")


def verdicts(clusters: DataFrame) -> DataFrame:
    """node, drop_reason and the signals of each document in a cluster."""
    reason = F.when(F.col("duplicate_of").isNotNull(), F.lit(REASON)).alias("drop_reason")
    return clusters.select("node", reason, "duplicate_of", "jaccard", "cluster_id", "cluster_size")


def changes(before: DataFrame, after: DataFrame) -> DataFrame:
    """Documents of earlier generations whose fate or cluster is another now.

    node, doc_id, id, url, was_duplicate_of and duplicate_of (null: it stays), cluster_size_before (1: it was alone) and
    cluster_size.
    """
    was = before.select(
        "node", F.col("duplicate_of").alias("was_duplicate_of"), F.col("cluster_size").alias("cluster_size_before")
    )
    joined = after.where(F.shiftright("node", GENERATION_SHIFT) > 0).join(was, "node", "left")
    size_before = F.coalesce("cluster_size_before", F.lit(1))
    differs = ~F.col("duplicate_of").eqNullSafe(F.col("was_duplicate_of")) | (size_before != F.col("cluster_size"))
    return joined.where(differs).select(
        *("node", "doc_id", "id", "url", "was_duplicate_of", "duplicate_of"),
        size_before.alias("cluster_size_before"),
        "cluster_size",
    )
