"""A corpus pass: give a corpus stage its documents as a relation, and keep the verdicts and the evidence it returns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_type
from pyspark.sql.types import StructField, StructType

from curate.recipe import Step
from curate.rundir import RunDir
from curate.spark.context import CorpusContext
from curate.spark.parts import Layer, PartFile, part_batches
from curate.stage import CorpusStage


def documents_frame(
    spark: SparkSession,
    parts: Sequence[PartFile],
    layers: Sequence[Layer],
    columns: Sequence[str],
    types: dict[str, pa.DataType],
    num_partitions: int | None = None,
) -> DataFrame:
    """The documents that are still kept, as (part, row, *columns). Signals of layers may be among the columns."""
    added = {layer.name for layer in layers}
    stored = [name for name in columns if name not in added]
    layer_list = tuple(layers)
    wanted = ["part", "row", *columns]

    def read_parts(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for part, path in zip(batch.column("part").to_pylist(), batch.column("path").to_pylist(), strict=True):
                for first, documents in part_batches(part, path, layer_list, stored):
                    numbered = documents.append_column(
                        "row", pa.array(range(first, first + documents.num_rows), pa.int64())
                    ).append_column("part", pa.array([part] * documents.num_rows, pa.int32()))
                    kept = numbered.filter(pc.is_null(numbered.column("drop_reason")))
                    for start in range(0, kept.num_rows, 1000):  # what the next Arrow function sees at a time
                        yield kept.slice(start, 1000).select(wanted)

    rows = [(part.part, part.path) for part in parts if part.rows]
    fields = [("part", pa.int32()), ("row", pa.int64()), *((name, types[name]) for name in columns)]
    slices = max(1, min(num_partitions or len(rows), len(rows)))
    frame = spark.createDataFrame(spark.sparkContext.parallelize(rows, slices), "part int, path string")
    schema = StructType([StructField(name, from_arrow_type(type_)) for name, type_ in fields])
    return frame.mapInArrow(read_parts, schema)


def run_corpus_stage(
    spark: SparkSession, step: Step, documents: DataFrame, run: RunDir, folder: str, seed: int
) -> None:
    """Apply a corpus stage and write `folder`/verdicts beside its evidence. The caller commits the folder."""
    assert isinstance(step.stage, CorpusStage)

    def save(name: str, frame: DataFrame) -> DataFrame:
        path = run.url(folder, name)
        frame.write.mode("overwrite").parquet(path)
        return spark.read.schema(frame.schema).parquet(path)

    context = CorpusContext(spark=spark, seed=seed, save=save)
    verdicts = step.stage.apply(documents, context)
    fields = [F.col(field.name).cast(from_arrow_type(field.type)).alias(field.name) for field in step.stage.signals]
    verdicts = verdicts.select(
        F.col("part").cast("int").alias("part"),
        F.col("row").cast("long").alias("row"),
        F.col("drop_reason").cast("string").alias("drop_reason"),
        *fields,
    )
    # Sorted by part so that the worker that reads a part finds its verdicts in few row groups.
    verdicts.repartitionByRange(F.col("part")).sortWithinPartitions("part", "row").write.mode("overwrite").parquet(
        run.url(folder, "verdicts")
    )
