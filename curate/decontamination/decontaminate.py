"""Take what is in evaluation sets out of the documents: n-gram overlap (GPT-3: Brown et al. 2020, appendix C).

    evaluation sets -> index (driver, once) -> matches of each document (one trip) -> verdicts, evidence

A document and an item match where they have an n-gram of 13 words in common, in lower case and without punctuation;
the words are compared, not their hashes. What then happens to the document is the `action`: GPT-3 took out the match
with 200 characters on either side, dropped pieces below 200 characters and documents in more than 10 pieces. Here the
pieces stay one document.

Two of its rules are changed. A question shorter than 13 words is looked for as a whole if it has 8, GPT-3's bound for
shorter n-grams. And what occurs in more than 10 *items* says nothing (our rule); what occurs in more than 10
*documents*, which GPT-3 ignores as common, is looked for unless `max_documents_per_ngram` is set: a leaked test set has
many copies too.

Other rules, as settings: PaLM (Chowdhery et al. 2022, section 8) calls an item contaminated from 70 % of its 8-grams
on (`ngram_size: 8`, `min_share: 0.7`); datatrove's filter drops a document (`action: drop`) at one 12-gram
(`ngram_size: 12`), which must hold a word of the answer unless it is told otherwise. It does not find what was reworded
or translated, or a question of fewer than 8 words.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field, field_validator
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_type

from curate.decontamination.evaluation_sets import EvaluationSet, NgramSize
from curate.decontamination.index import Index, Sizes, build
from curate.decontamination.item_files import item_files
from curate.decontamination.judging import CONTAMINATED, JUDGED, SIGNALS, Action, Cutting, judge
from curate.kernels.ngram_index import find
from curate.models import file_digest
from curate.stage import CorpusStage

if TYPE_CHECKING:
    from curate.spark.context import CorpusContext
    from curate.spark.documents import Documents


class Decontaminate(CorpusStage):
    """Cut out of documents, or drop with them, what `sets` have too.

    Evidence: `matches` has every match with both texts, `decontamination` what was found of each set, which is the
    contamination of the set by the corpus.
    """

    requires: ClassVar[tuple[str, ...]] = ("text", "doc_id", "url")
    writes: ClassVar[tuple[str, ...]] = ("text",)

    sets: tuple[EvaluationSet, ...] = Field(min_length=1)
    ngram_size: NgramSize = 13  # GPT-3; "fifth_percentile" of the lengths of a set's items, 8 to 13, as it measured
    min_ngram_size: int = Field(8, ge=1)  # GPT-3: the least n, against chance matches
    max_items_per_ngram: int = Field(10, ge=1, le=1000)  # ours: passages are in 6 items of MMLU, its frames in 895
    max_documents_per_ngram: int | None = Field(None, ge=1)  # GPT-3: 10; reads the texts twice
    min_ngrams: int = Field(1, ge=1)  # GPT-3: one is enough
    min_share: float = Field(0.0, ge=0, le=1)  # of the n-grams of a part; PaLM: 0.7 of 8-grams
    action: Action = "cut"  # GPT-3: dropping the document "overly penalized" books
    margin_chars: int = Field(200, ge=0)  # GPT-3; a cut goes on to the next sentence or space
    min_piece_chars: int = Field(200, ge=0)  # GPT-3
    max_pieces: int = Field(10, ge=1)  # GPT-3

    @field_validator("sets")
    @classmethod
    def _known_sets(cls, sets: tuple[EvaluationSet, ...]) -> tuple[EvaluationSet, ...]:
        names = [one.name for one in sets]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"evaluation sets have names of their own; these are given twice: {', '.join(repeated)}")
        for one in sets:
            _ = one.definition  # a RecipeError, which is a ValueError, names the known ones
        return sets

    @property
    def files(self) -> tuple[str, ...]:
        """The sets' files."""
        return tuple(path for one in self.sets for path in item_files(one.path))

    @property
    def signals(self) -> pa.StructType:
        """`num_matches`, `num_flagged`, `worst_share`, `sets` and `cuts`: `curate.decontamination.judging`. All null
        for a document that shares no n-gram with any item.
        """
        return pa.struct(SIGNALS)

    def apply(self, documents: Documents, context: CorpusContext) -> DataFrame:
        """A verdict for every document that shares an n-gram with an item."""
        index = self.index()
        if self.max_documents_per_ngram is not None:
            index = index.without(common_ngrams(documents, index, self.max_documents_per_ngram))
        cutting = Cutting(self.action, self.margin_chars, self.min_piece_chars, self.max_pieces)
        judged = context.save("_judged", judged_documents(documents, index, cutting))
        matches = context.save("matches", judged.select("node", F.explode("matches").alias("m")).select("node", "m.*"))
        context.save("decontamination", summary(matches, index))
        return judged.drop("matches")

    def index(self) -> Index:
        """The index of the sets, built once in a process for the same files and settings."""
        return _index(self, tuple(file_digest(path) for path in self.files))


@lru_cache(maxsize=2)
def _index(stage: Decontaminate, digests: tuple[str, ...]) -> Index:
    sizes = Sizes(stage.ngram_size, stage.min_ngram_size, stage.max_items_per_ngram)
    return build(stage.sets, sizes, stage.min_ngrams, stage.min_share)


def judged_documents(documents: Documents, index: Index, cutting: Cutting) -> DataFrame:
    """`judging.JUDGED` of every document that matches. The index is sent once to each worker, not with each task."""
    shared = documents.spark.sparkContext.broadcast(index)

    def run(batch: pa.RecordBatch) -> pa.RecordBatch:
        return judge(batch, shared.value, cutting)

    schema = ", ".join(f"{field.name} {from_arrow_type(field.type).simpleString()}" for field in JUDGED)
    return documents.map(("doc_id", "url", "text"), run, schema)


def summary(matches: DataFrame, index: Index) -> DataFrame:
    """What was found of each set: a row for each, those of which nothing was found too.

    set, items; items_searchable: those with an n-gram in a part that decides; items_found: contaminated items;
    items_flagged: found in parts that decide nothing alone; found_share: of all items; documents: contaminated ones.
    """
    contaminated = F.col("verdict") == CONTAMINATED
    counted = matches.groupBy("set").agg(
        F.count_distinct(F.when(contaminated, F.col("item"))).alias("items_found"),
        F.count_distinct(F.when(~contaminated, F.col("item"))).alias("items_flagged"),
        F.count_distinct(F.when(contaminated, F.col("node"))).alias("documents"),
    )
    number = range(len(index.sets))
    known = {
        "set": [one.name for one in index.sets],
        "items": np.bincount(index.set_of, minlength=len(index.sets)),
        "items_searchable": np.bincount(index.set_of, index.searchable(), len(index.sets)).astype(np.int64),
        "number": list(number),
    }
    sets = matches.sparkSession.createDataFrame(pa.table(known))
    joined = sets.join(F.broadcast(counted), "set", "left").coalesce(1).sortWithinPartitions("number").drop("number")
    return joined.na.fill(0).withColumn("found_share", F.col("items_found") / F.col("items"))


def common_ngrams(documents: Documents, index: Index, max_documents: int) -> NDArray[np.bool_]:
    """Which n-grams of the index are in more than so many documents: bool[n-grams]. Nothing else is counted."""
    shared = documents.spark.sparkContext.broadcast(index.ngrams)

    def run(batch: pa.RecordBatch) -> pa.RecordBatch:
        found = find(batch.column("text"), shared.value)
        row = np.repeat(np.arange(batch.num_rows), np.diff(found.offsets))
        pairs = np.unique(row * len(shared.value.key) + found.ngram)
        ngrams, counts = np.unique(pairs % len(shared.value.key), return_counts=True)
        return pa.record_batch({"ngram": pa.array(ngrams, pa.int64()), "documents": pa.array(counts, pa.int64())})

    counts = (
        documents.map(("text",), run, "ngram long, documents long").groupBy("ngram").agg(F.sum("documents").alias("n"))
    )
    common = np.zeros(len(index.ngrams.key), np.bool_)
    common[[row["ngram"] for row in counts.where(F.col("n") > max_documents).select("ngram").collect()]] = True
    return common
