"""Start Spark: an embedded `local[*]` session sized for the machine it finds, a given master, or spark-submit's own."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from threading import Thread

from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

from curate.errors import EnvironmentProblem
from curate.spark import preflight

#: Of free memory, for the Java virtual machine. Documents live in Python workers; Java only shuffles keys.
JVM_SHARE = 0.4
MAX_JVM_GIB = 4.0
#: The quick compiler alone: Java moves keys here, and compiling them well took longer than moving them.
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1"
_LOG_SETTINGS = Path(__file__).with_name("log4j2.properties")
_PACKAGES = Path(__file__).parents[2]  # a folder, or the archive that `--py-files` brought
#: What holds on any master unless a submission says otherwise. Memory and cores belong to whoever starts the cluster.
SETTINGS = {
    "spark.ui.showConsoleProgress": "false",  # it would run into our own
    "spark.sql.execution.arrow.maxRecordsPerBatch": "1000",
    "spark.sql.session.timeZone": "UTC",
    # What Spark takes for small by its size on disk, a column of nodes, may be fifty times that in memory.
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    "spark.python.worker.reuse": "true",  # models stay loaded between tasks
    # A task may hold one document of 100 MB: let one failure of a worker cost a retry, not the job.
    "spark.task.maxFailures": "4",
}


def session(master: str | None = None, *, memory_gib: float | None = None, scratch: str | None = None) -> SparkSession:
    """The session to run on.

    Inside a live session that session, untouched; under `spark-submit` one as submitted. With a `master` a session
    there. Else `local[*]` in this process, after a look at Java, memory and scratch space.
    """
    active = SparkSession.getActiveSession()
    if active is not None:
        return active
    if "PYSPARK_GATEWAY_PORT" in os.environ:
        return submitted_session()
    preflight.check_java()
    if master is not None and master != "local" and not master.startswith("local["):
        return cluster_session(master, scratch)
    cores = None if master in (None, "local[*]") else master
    return local_session(cores, memory_gib, scratch)


class Starting:
    """A session that starts in a thread of its own: Java takes seconds, in which this process can do something else.

    `session()` waits for it, and raises what went wrong. The thread ends with the process, whatever it is at.
    """

    def __init__(
        self, master: str | None = None, *, memory_gib: float | None = None, scratch: str | None = None
    ) -> None:
        self._begin = partial(session, master, memory_gib=memory_gib, scratch=scratch)
        self._found: SparkSession | None = None
        self._wrong: BaseException | None = None
        self._thread = Thread(target=self._start, daemon=True)
        self._thread.start()

    def _start(self) -> None:
        try:
            self._found = self._begin()
        except BaseException as error:  # noqa: BLE001  # raised where the session is asked for
            self._wrong = error

    def session(self) -> SparkSession:
        """The session."""
        self._thread.join()
        if self._wrong is not None:
            raise self._wrong
        assert self._found is not None
        return self._found


def local_session(
    cores: int | str | None = None,
    memory_gib: float | None = None,
    scratch: str | None = None,
    shuffle_partitions: int | None = None,
) -> SparkSession:
    """A session inside this process. `cores`: a number, or a whole `local…` master; all cores by default."""
    free = preflight.check_memory()
    folder = preflight.check_scratch(scratch)
    # The second number lets a task fail as often as on a cluster; a plain local[n] would end at the first.
    master = cores if isinstance(cores, str) else f"local[{cores or '*'},{SETTINGS['spark.task.maxFailures']}]"
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
        .config("spark.sql.shuffle.partitions", str(shuffle_partitions or 2 * (os.cpu_count() or 1)))
    )
    java = [JAVA_OPTIONS]
    if _LOG_SETTINGS.is_file():  # inside an archive Java cannot read it
        java.append(f"-Dlog4j2.configurationFile={_LOG_SETTINGS.as_uri()}")
    builder = builder.config("spark.driver.extraJavaOptions", " ".join(java))
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


def submitted_session() -> SparkSession:
    """The session of the `spark-submit` that started this process: what the submission sets stands."""
    SparkContext._ensure_initialized()  # its settings can be read only once its virtual machine is connected
    given = SparkConf()
    builder = SparkSession.builder
    for name, value in (SETTINGS | _worker_path()).items():
        if not given.contains(name):
            builder = builder.config(name, value)
    spark = builder.getOrCreate()
    return spark if given.contains("spark.log.level") else _quiet(spark)


def _own_environment() -> None:
    """Workers run this interpreter."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")  # machines whose host name resolves to nothing


def _worker_path() -> dict[str, str]:
    """The setting by which workers find the packages where they are not installed: in a checkout, in an archive.

    Only a folder that was put on this process's path by hand needs it. Executors of another machine that do not have
    the folder pass it over.
    """
    installed = _PACKAGES.name in ("site-packages", "dist-packages")
    by_hand = str(_PACKAGES) in (os.path.abspath(folder) for folder in sys.path)
    return {"spark.executorEnv.PYTHONPATH": str(_PACKAGES)} if by_hand and not installed else {}


def _tuned(builder: SparkSession.Builder) -> SparkSession.Builder:
    """Our own session's settings: those of every session, where the packages are, and no web page of Spark's."""
    for name, value in (SETTINGS | _worker_path() | {"spark.ui.enabled": "false"}).items():
        builder = builder.config(name, value)
    return builder


def _quiet(spark: SparkSession) -> SparkSession:
    spark.sparkContext.setLogLevel("ERROR")
    return spark
