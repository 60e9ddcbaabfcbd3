"""Drop documents that say the same, by the cosine of their embeddings (SemDeDup: Abbas et al. 2023).

    text -> vectors -> clusters by k-means -> in each cluster, who stays -> verdicts

Documents are compared within their cluster only, so that work does not grow with the square of the corpus; a pair that
lies on two sides of a border is not found. Within a cluster every pair that decides is verified: in order of priority a
document stays unless one before it that stays has a cosine of `min_cosine` or more with it (`curate.dedup.leaders`).
SemDeDup's epsilon is 1 - `min_cosine`.

How alike "the same" is depends on the embedding. The default knows words alone: it finds what is revised, reordered,
cut or filled into one template, and it does not find a paraphrase or a translation; for these name a model. Near
duplicates by shingles are `near_dedup`'s, whose Jaccard similarity is exact; run it first.

Evidence: `semantic_pairs` (a stays, b goes) and `semantic_clusters`. The cluster of every document is a signal, for
sampling by clusters (`cluster_sample`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import pyarrow as pa
from pydantic import Field
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from curate.dedup import priority
from curate.dedup.kmeans import default_num_clusters, train
from curate.dedup.leaders import SIMILAR_DDL, binary, matrix, with_similar
from curate.dedup.priority import Keep
from curate.dedup.semantic_clusters import described
from curate.document import uniform
from curate.embedding.settings import Embedder, Embedding
from curate.kernels.cosines import Vectors, nearest
from curate.stage import CorpusStage

if TYPE_CHECKING:
    from curate.spark.context import CorpusContext
    from curate.spark.documents import Documents

REASON = "semantic_duplicate"
NAMES = ("node", "doc_id", "url")

Batches = Iterable[pa.RecordBatch]


class SemanticDedup(CorpusStage):
    """Keep one document of those whose embeddings have a cosine of `min_cosine` or more within their cluster."""

    embedding: Embedding = Embedding()
    # Our choice for `tfidf`: at 0.95 pairs of news are revisions of one report, at 0.9 many are daily reports out of
    # one template. Sentence encoders put more above it: NeMo Curator's default for MiniLM is 0.99 (its eps is 0.01).
    min_cosine: Annotated[float, Field(gt=0, le=1)] = 0.95
    num_clusters: Annotated[int, Field(ge=1, le=100_000)] | None = None  # see `kmeans.default_num_clusters`
    sample_size: Annotated[int, Field(ge=1, le=2_000_000)] = 100_000  # our choice: 100 MB of vectors train centroids
    num_iterations: Annotated[int, Field(ge=1, le=1000)] = 10  # our choice: 20 put no more pairs into one cluster
    max_compared: Annotated[int, Field(ge=1)] = 100_000  # NeMo Curator's `largest_cluster_size_to_process`
    keep: Keep = ("longest",)  # our choice, as in near_dedup
    # SemDeDup keeps what is farthest from the centroid, the hard example. It comes before `keep`, which decides ties.
    keep_by_centroid: Literal["farthest", "nearest"] | None = None

    @property
    def requires(self) -> tuple[str, ...]:  # type: ignore[override]  # the policy says which, not the class
        """text, url, and what the policy looks at."""
        return tuple(dict.fromkeys(("text", "url", *priority.requires(self.keep))))

    @property
    def files(self) -> tuple[str, ...]:
        """The files of the embedding model, if it is one."""
        return self.embedding.files

    @property
    def signals(self) -> pa.StructType:
        """Null in a document without a vector (no text, no term).

        `cluster` and its size before anything is dropped; cosine with its centroid; `duplicate_of` (doc_id of the most
        similar document that stays) and `cosine` with it are null in what stays. `num_similar`: in a document that
        goes, how many that stay are as similar (8 at most); in one that stays, how many go for which it is one of them.
        """
        return pa.struct(
            [
                ("cluster", pa.int64()),
                ("cluster_size", pa.int64()),
                ("centroid_cosine", pa.float64()),
                ("duplicate_of", pa.string()),
                ("cosine", pa.float64()),
                ("num_similar", pa.int64()),
            ]
        )

    def apply(self, documents: Documents, context: CorpusContext) -> DataFrame:
        """A verdict for every document that has a vector."""
        embedder = self.embedding.embedder(documents, context.seed)
        vectors = context.save("_vectors", vectors_of(documents, embedder, self.keep, context.seed))
        centroids = self._centroids(vectors)
        judged = context.save("_judged", self._judged(vectors, centroids, documents))
        pairs = context.save("semantic_pairs", named_pairs(judged))
        context.save("semantic_clusters", described(judged, documents, embedder))
        return verdicts(judged, pairs)

    def _centroids(self, vectors: DataFrame) -> Vectors:
        total = vectors.count()
        count = self.num_clusters or default_num_clusters(total, self.sample_size)
        found = sample(vectors, total, self.sample_size)
        return train(found, count, self.num_iterations) if len(found) else found

    def _judged(self, vectors: DataFrame, centroids: Vectors, documents: Documents) -> DataFrame:
        """The names, id, cluster, centroid_cosine, similar: null in what stays, else the survivors that drop it."""
        names = "node long, doc_id string, url string"
        order = vectors.schema["order"].dataType.simpleString()
        assigned = vectors.select(*NAMES, "order", "vector").mapInArrow(
            _assigner(centroids), f"{names}, order {order}, vector binary, cluster long, centroid_cosine double"
        )
        by_centroid = {"farthest": [F.asc("centroid_cosine")], "nearest": [F.desc("centroid_cosine")], None: []}
        slices = documents.partitions(4 * centroids.shape[1])
        grouped = assigned.repartition(slices, "cluster").sortWithinPartitions(
            "cluster", *by_centroid[self.keep_by_centroid], "order", "node"
        )
        sorted_vectors = grouped.select(*NAMES, F.col("order.id").alias("id"), "cluster", "centroid_cosine", "vector")
        schema = f"{names}, id long, cluster long, centroid_cosine double, similar {SIMILAR_DDL}"
        min_cosine, max_compared = self.min_cosine, self.max_compared

        def judge(batches: Batches) -> Iterator[pa.RecordBatch]:
            return with_similar(batches, min_cosine, max_compared)

        return sorted_vectors.mapInArrow(judge, schema)


def vectors_of(documents: Documents, embedder: Embedder, keep: Keep, seed: int) -> DataFrame:
    """node, doc_id, url, order, draw in [0, 1) by doc_id, vector (float32 as bytes) of each document that has one."""
    columns = tuple(dict.fromkeys(("text", "doc_id", "url", *priority.columns(keep))))

    def embed(batch: pa.RecordBatch) -> pa.RecordBatch:
        vectors = embedder.embed(batch.column("text"))
        draws = [uniform(doc_id, seed, "semantic-sample") for doc_id in batch.column("doc_id").to_pylist()]
        names = [batch.column(name) for name in NAMES]
        arrays = [*names, priority.order(batch, keep), pa.array(draws, pa.float64()), binary(vectors)]
        made = pa.RecordBatch.from_arrays(arrays, [*NAMES, "order", "draw", "vector"])
        return made.filter(pa.array(vectors.any(axis=1)))

    schema = f"node long, doc_id string, url string, order {priority.order_ddl(keep)}, draw double, vector binary"
    return documents.map(columns, embed, schema)


def sample(vectors: DataFrame, total: int, size: int) -> Vectors:
    """About `size` vectors, or all there are, of different documents, in the order of their draw."""
    chosen = vectors if total <= size else vectors.where(F.col("draw") < size / total)
    table = chosen.select("draw", "vector").dropDuplicates(["draw"]).toArrow().sort_by("draw")
    return matrix(table["vector"].combine_chunks())


def _assigner(centroids: Vectors) -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    def assign(batches: Batches) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            found = nearest(matrix(batch.column("vector")), centroids)
            clusters = batch.append_column("cluster", pa.array(found.number))
            yield clusters.append_column("centroid_cosine", pa.array(found.cosine))

    return assign


def named_pairs(judged: DataFrame) -> DataFrame:
    """a (stays), b (goes), their doc_ids and urls, cosine, and its place among the pairs of b, from 0."""
    exploded = judged.select(
        *(F.col(name).alias(f"b_{name}") for name in NAMES), F.posexplode("similar").alias("place", "with")
    )
    stays = judged.where("similar is null").select(*(F.col(name).alias(f"a_{name}") for name in NAMES))
    pairs = exploded.join(stays, F.col("with.node") == F.col("a_node"))
    return pairs.select(
        F.col("a_node").alias("a"),
        F.col("b_node").alias("b"),
        *("a_doc_id", "b_doc_id", "a_url", "b_url"),
        F.col("with.cosine").alias("cosine"),
        "place",
    )


def verdicts(judged: DataFrame, pairs: DataFrame) -> DataFrame:
    """node, drop_reason and the signals of each judged document."""
    sizes = judged.groupBy("cluster").agg(F.count(F.lit(1)).alias("cluster_size"))
    first = F.col("place") == 0
    goes = F.struct(
        F.col("b").alias("node"),
        F.when(first, F.col("a_doc_id")).alias("of"),
        F.when(first, F.col("cosine")).alias("c"),
    )
    stays = F.struct(
        F.col("a").alias("node"), F.lit(None).cast("string").alias("of"), F.lit(None).cast("double").alias("c")
    )
    ends = pairs.select(F.inline(F.array(goes, stays)))
    tied = ends.groupBy("node").agg(
        F.max("of").alias("duplicate_of"), F.max("c").alias("cosine"), F.count(F.lit(1)).alias("num_similar")
    )
    joined = judged.join(F.broadcast(sizes), "cluster").join(tied, "node", "left")
    return joined.select(
        "node",
        F.when(F.col("duplicate_of").isNotNull(), F.lit(REASON)).alias("drop_reason"),
        "cluster",
        "cluster_size",
        "centroid_cosine",
        "duplicate_of",
        "cosine",
        F.coalesce("num_similar", F.lit(0)).cast("long").alias("num_similar"),
    )
