"""Start Spark: an embedded `local[*]` session sized for the machine it finds, or the one `spark-submit` gives."""

from __future__ import annotations

import os
import sys

from pyspark.sql import SparkSession


def local_session(
    cores: int | None = None,
    memory_gib: float | None = None,
    scratch: str | None = None,
    shuffle_partitions: int | None = None,
) -> SparkSession:
    """A session inside this process."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    builder = (
        SparkSession.builder.master(f"local[{cores or '*'}]")
        .appName("curate")
        .config("spark.driver.memory", f"{int((memory_gib or 4) * 1024)}m")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.shuffle.partitions", str(shuffle_partitions or 4))
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "1000")
    )
    if scratch:
        builder = builder.config("spark.local.dir", scratch)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session
