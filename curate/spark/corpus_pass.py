"""A corpus pass: give a corpus stage its documents, and keep the verdicts and the evidence it returns."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_type

from curate.recipe import Step
from curate.rundir import RunDir
from curate.spark.context import CorpusContext
from curate.spark.documents import Documents, part_of, row_of
from curate.spark.parts import literal
from curate.stage import CorpusStage


def run_corpus_stage(step: Step, documents: Documents, run: RunDir, folder: str, *, seed: int, digest: str) -> None:
    """Apply a corpus stage and write `folder`/verdicts beside its evidence. The caller commits the folder."""
    assert isinstance(step.stage, CorpusStage)

    spark = documents.spark

    def save(name: str, frame: DataFrame) -> DataFrame:
        path = run.url(folder, name)
        frame.write.mode("overwrite").parquet(path)
        return spark.read.schema(frame.schema).parquet(literal(path))

    def save_file(name: str, local: Path) -> None:
        run.write_file(local, folder, *name.split("/"))

    context = CorpusContext(spark=spark, seed=seed, save=save, save_file=save_file, digest=digest)
    verdicts = step.stage.apply(documents, context)
    fields = [F.col(field.name).cast(from_arrow_type(field.type)).alias(field.name) for field in step.stage.signals]
    verdicts = verdicts.select(
        part_of("node").cast("int").alias("part"),
        row_of("node").alias("row"),
        F.col("drop_reason").cast("string").alias("drop_reason"),
        *fields,
    )
    # Sorted by part so that the worker that reads a part finds its verdicts in few row groups.
    verdicts.repartitionByRange(F.col("part")).sortWithinPartitions("part", "row").write.mode("overwrite").parquet(
        run.url(folder, "verdicts")
    )
