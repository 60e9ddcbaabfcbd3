"""Drop near duplicates: MinHash and LSH propose pairs, the exact Jaccard of their shingle sets decides.

    text -> sketches -> band hashes -> candidate pairs -> scored pairs -> clusters, removals -> verdicts

A document is dropped only if a verified pair ties it to a document that stays. Similarity is not transitive: a cluster
is what is connected by verified pairs, and two of its members may both stay. In order of priority each document stays
unless a better one that stays is its verified near duplicate (the lexicographically first maximal independent set), so
the outcome does not depend on partitioning, order or retries.

Candidate pairs with both similarities and the clusters are saved as evidence. Equal documents are found too, but
`exact_dedup` before this stage is cheaper for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar

import pyarrow as pa
from pydantic import Field
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from curate.dedup.candidates import band_hashes, candidate_pairs
from curate.dedup.components import components
from curate.dedup.priority import Keep
from curate.dedup.sketches import Sketching, sketches
from curate.dedup.verification import scored_pairs
from curate.kernels.shingles import Unit
from curate.stage import CorpusStage

if TYPE_CHECKING:
    from curate.spark.context import CorpusContext

REASON = "near_duplicate"


class NearDedup(CorpusStage):
    """Keep one document of those whose shingle sets have a Jaccard similarity of `min_jaccard` or more."""

    requires: ClassVar[tuple[str, ...]] = ("text", "doc_id", "url", "date")

    ngram_size: Annotated[int, Field(ge=1, le=64)] = 5  # FineWeb (Penedo et al. 2024, section 3.4): 5-grams of words
    unit: Unit = "word"  # in scripts without spaces a character is a word, see curate.kernels.shingles
    num_bands: Annotated[int, Field(ge=1, le=1000)] = 14  # FineWeb, the same section
    rows_per_band: Annotated[int, Field(ge=1, le=1000)] = 8  # FineWeb, the same section
    # Gopher (Rae et al. 2021, A1.1). FineWeb's 0.75 is where its bands find 77 % of pairs; they find 92 % at 0.8.
    min_jaccard: Annotated[float, Field(gt=0, le=1)] = 0.8
    keep: Keep = (
        "longest"  # our choice: of two near duplicates the longer is seldom the cut one; then the smallest doc_id
    )
    num_representatives: Annotated[int, Field(ge=1, le=64)] = 8  # our choice, see curate.dedup.candidates
    num_neighbours: Annotated[int, Field(ge=1, le=64)] = 8  # our choice, the same

    @property
    def signals(self) -> pa.StructType:
        """`duplicate_of` (doc_id of a document that stays) and `jaccard` with it are null in what stays.

        `cluster_id` is the smallest doc_id of the cluster, `cluster_size` the number of its documents before any is
        dropped.
        """
        return pa.struct(
            [
                ("duplicate_of", pa.string()),
                ("jaccard", pa.float64()),
                ("cluster_id", pa.string()),
                ("cluster_size", pa.int64()),
            ]
        )

    def apply(self, documents: DataFrame, context: CorpusContext) -> DataFrame:
        """A verdict for every document that has a verified near duplicate."""
        settings = Sketching(self.ngram_size, self.unit, self.num_bands, self.rows_per_band, context.seed)
        sketched = context.save("_sketches", sketches(documents, settings))
        candidates = candidate_pairs(band_hashes(sketched, self.keep), self.num_representatives, self.num_neighbours)
        pairs = context.save("pairs", scored_pairs(candidates, sketched))
        verified = verified_pairs(pairs, self.min_jaccard)
        clustered = context.save("clusters", clusters(verified))
        return verdicts(clustered, removals(verified, clustered))


def verified_pairs(pairs: DataFrame, min_jaccard: float) -> DataFrame:
    """The scored pairs whose true similarity reaches the bound; the bound itself is inside."""
    return pairs.where(F.col("jaccard") >= min_jaccard).select("a", "b", "jaccard")


def clusters(verified: DataFrame) -> DataFrame:
    """node, doc_id, cluster_id (smallest doc_id), cluster_size for each document that is in a verified pair."""
    members = components(verified)
    sizes = members.groupBy("component").agg(
        F.min("node.doc_id").alias("cluster_id"), F.count(F.lit(1)).alias("cluster_size")
    )
    joined = members.join(sizes, "component")
    return joined.select("node", "component", F.col("node.doc_id").alias("doc_id"), "cluster_id", "cluster_size")


def removals(verified: DataFrame, clusters: DataFrame) -> DataFrame:
    """b (a document to drop), duplicate_of (doc_id of one that stays, the most similar of them), jaccard with it.

    Each cluster is read by one task as a sorted stream of its pairs, in order of the better document. Spark sorts and
    spills; a task holds the dropped keys of one cluster, about 100 bytes each.
    """
    component = clusters.select(F.col("node").alias("a"), "component")
    grouped = verified.join(component, "a").repartition("component").sortWithinPartitions("component", "a", "b")
    node, key = verified.schema["a"].dataType.simpleString(), clusters.schema["component"].dataType.simpleString()
    schema = f"a {node}, b {node}, jaccard double, component {key}"
    deciding = grouped.select("a", "b", "jaccard", "component").mapInArrow(_pairs_with_a_survivor, schema)
    nearest = F.min(F.struct((-F.col("jaccard")).alias("distance"), "a")).alias("nearest")
    best = deciding.groupBy("b").agg(nearest)
    return best.select(
        "b", F.col("nearest.a.doc_id").alias("duplicate_of"), (-F.col("nearest.distance")).alias("jaccard")
    )


def _pairs_with_a_survivor(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The pairs whose better document stays. They come sorted by it within a cluster, so its fate is known by then."""
    cluster: tuple[int, int] | None = None
    dropped: set[tuple[int, int]] = set()
    for batch in batches:
        stays = []
        keys = (_keys(batch[name]) for name in ("component", "a", "b"))
        for component, a, b in zip(*keys, strict=True):
            if component != cluster:
                cluster, dropped = component, set()
            stays.append(a not in dropped)
            if stays[-1]:
                dropped.add(b)
        yield batch.filter(pa.array(stays, pa.bool_()))


def _keys(nodes: pa.StructArray) -> Iterator[tuple[int, int]]:
    """part and row of each node."""
    return zip(nodes.field("part").to_pylist(), nodes.field("row").to_pylist(), strict=True)


def verdicts(clusters: DataFrame, removals: DataFrame) -> DataFrame:
    """part, row, drop_reason and the signals of each document in a cluster."""
    joined = clusters.join(removals.withColumnRenamed("b", "node"), "node", "left")
    return joined.select(
        F.col("node.part").alias("part"),
        F.col("node.row").alias("row"),
        F.when(F.col("duplicate_of").isNotNull(), F.lit(REASON)).alias("drop_reason"),
        "duplicate_of",
        "jaccard",
        "cluster_id",
        "cluster_size",
    )
