"""Start Spark: an embedded `local[*]` session sized for the machine it finds, a given master, or spark-submit's own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pyspark.sql import SparkSession

from curate.errors import EnvironmentProblem
from curate.spark import preflight

#: Of free memory, for the Java virtual machine. Documents live in Python workers; Java only shuffles keys.
JVM_SHARE = 0.4
MAX_JVM_GIB = 8.0
_LOG_SETTINGS = Path(__file__).with_name("log4j2.properties")


def session(master: str | None = None, *, memory_gib: float | None = None, scratch: str | None = None) -> SparkSession:
    """The session to run on.

    Under `spark-submit` (or inside any live session) that session, untouched. With a `master` a session there. Else
    `local[*]` in this process, after a look at Java, memory and scratch space.
    """
    active = SparkSession.getActiveSession()
    if active is not None:
        return active
    if "PYSPARK_GATEWAY_PORT" in os.environ:  # spark-submit started this process: its settings stand
        spark = _tuned(SparkSession.builder.appName("curate")).getOrCreate()
        return _quiet(spark)
    preflight.check_java()
    if master is not None and not master.startswith("local"):
        return cluster_session(master, scratch)
    cores = None if master in (None, "local[*]") else master
    return local_session(cores, memory_gib, scratch)


def local_session(
    cores: int | str | None = None,
    memory_gib: float | None = None,
    scratch: str | None = None,
    shuffle_partitions: int | None = None,
) -> SparkSession:
    """A session inside this process. `cores`: a number, or a whole `local…` master; all cores by default."""
    free = preflight.check_memory()
    folder = preflight.check_scratch(scratch)
    master = cores if isinstance(cores, str) else f"local[{cores or '*'}]"
    memory = memory_gib or min(MAX_JVM_GIB, max(1.0, free * JVM_SHARE))
    if memory > free:
        raise EnvironmentProblem(
            f"--memory asks for {memory:g} GiB and {free:.1f} GiB are free. Ask for less, or free some"
        )
    _own_environment()
    builder = (
        _tuned(SparkSession.builder.appName("curate"))
        .master(master)
        .config("spark.driver.memory", f"{int(memory * 1024)}m")
        .config("spark.local.dir", folder)
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.extraJavaOptions", f"-Dlog4j2.configurationFile={_LOG_SETTINGS.as_uri()}")
        .config("spark.sql.shuffle.partitions", str(shuffle_partitions or 2 * (os.cpu_count() or 1)))
    )
    return _quiet(builder.getOrCreate())


def cluster_session(master: str, scratch: str | None = None) -> SparkSession:
    """A session on a cluster: `spark://…`, `yarn`, `k8s://…`, or `local-cluster[n,cores,MiB]`."""
    _own_environment()
    builder = _tuned(SparkSession.builder.appName("curate")).master(master)
    if "127.0.0.1" in master or "localhost" in master or master.startswith("local-cluster"):
        builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
    if scratch:
        builder = builder.config("spark.local.dir", preflight.check_scratch(scratch))
    return _quiet(builder.getOrCreate())


def _own_environment() -> None:
    """Workers run this interpreter, and find the packages where this process found them."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")  # machines whose host name resolves to nothing


def _tuned(builder: SparkSession.Builder) -> SparkSession.Builder:
    """Settings that hold on any master. Those of memory and cores belong to whoever starts the cluster."""
    return (
        builder.config("spark.ui.showConsoleProgress", "false")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "1000")
        .config("spark.python.worker.reuse", "true")  # models stay loaded between tasks
        .config("spark.sql.adaptive.coalescePartitions.enabled", "true")
        .config("spark.sql.session.timeZone", "UTC")
        # A task may hold one document of 100 MB: let one failure of a worker cost a retry, not the job.
        .config("spark.task.maxFailures", "4")
    )


def _quiet(spark: SparkSession) -> SparkSession:
    spark.sparkContext.setLogLevel("ERROR")
    return spark
