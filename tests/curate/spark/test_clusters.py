"""The same recipe over the same pages gives the same bytes on every way to run it: local, clusters, spark-submit.

Each run is a process of its own, for a process can have one Spark session only.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import venv
import zlib
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

pyspark = pytest.importorskip("pyspark")

pytestmark = [pytest.mark.spark, pytest.mark.slow]

ROOT = Path(__file__).parents[3]
SPARK_HOME = Path(pyspark.__file__).parent
SPARK_SUBMIT = SPARK_HOME / "bin" / "spark-submit"
PIPELINE = ROOT / "pipelines" / "commoncrawl.py"
STAGES = [{"extract": {"extractor": "resiliparse"}}, "language_id", "exact_dedup", {"near_dedup": {}}, "pii"]
NUM_FILES = 3


def gzip_members(data: bytes) -> list[bytes]:
    """The members of a gzip file; the last one may be cut short."""
    members = []
    while data:
        decoder = zlib.decompressobj(31)
        decoder.decompress(data)
        members.append(data[: len(data) - len(decoder.unused_data)])
        data = decoder.unused_data
    return members


@pytest.fixture(scope="module")
def job(small_warc, tmp_path_factory) -> list[str]:
    """What every way is given: the recipe, and the records dealt out to several files, copies apart from each other."""
    folder = tmp_path_factory.mktemp("job")
    recipe = folder / "recipe.yaml"
    recipe.write_text(yaml.safe_dump({"name": "clusters", "seed": 7, "stages": STAGES}))
    (folder / "spark-defaults.conf").write_text("spark.sql.shuffle.partitions 3\n")  # of 200: small tasks cost time
    members = gzip_members(small_warc.read_bytes())
    files = []
    for number in range(NUM_FILES):
        files.append(folder / f"{number}.warc.gz")
        files[-1].write_bytes(b"".join(members[number::NUM_FILES]))
    return [str(recipe), *map(str, files)]


def environment(python: str, settings: str) -> dict[str, str]:
    """An environment that names neither a place of packages nor a Spark but the interpreter's own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SPARK", "PYSPARK", "PYTHON"))}
    return kept | {
        "SPARK_HOME": str(SPARK_HOME),
        "SPARK_CONF_DIR": settings,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": python,
        "PYSPARK_DRIVER_PYTHON": python,
    }


def run(command: list[str], folder: Path, settings: str, python: str = sys.executable) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=environment(python, settings),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"


def curate(job: list[str], output: Path, master: str) -> None:
    recipe, *files = job
    inputs = [part for file in files for part in ("--input", f"commoncrawl={file}")]
    command = [sys.executable, "-m", "curate.cli", "run", recipe, *inputs, "--output", output, "--master", master]
    run([*command, *(["--memory", "1"] if master.startswith("local[") else [])], output.parent, os.path.dirname(recipe))


def spark_submit(job: list[str], output: Path, python: str, *options: str, script: Path = PIPELINE) -> None:
    recipe, *files = job
    arguments = ["--input", *files, "--output", output, "--recipe", recipe]
    run(
        [SPARK_SUBMIT, *options, "--driver-memory", "1g", script, *arguments],
        output.parent,
        os.path.dirname(recipe),
        python,
    )


def digests(output: Path) -> dict[str, str]:
    """Of every parquet file with documents, kept and dropped."""
    return {
        str(path.relative_to(output)): hashlib.sha256(path.read_bytes()).hexdigest()
        for part in ("documents", "dropped")
        for path in sorted((output / part).rglob("*.parquet"))
    }


@pytest.fixture(scope="module")
def local_run(job, tmp_path_factory) -> Path:
    """What the others are compared with."""
    output = tmp_path_factory.mktemp("local") / "out"
    curate(job, output, "local[2]")
    return output


@pytest.fixture(scope="module")
def cluster():
    """The URL of a standalone master with two workers of one core and 1 GiB each."""
    command = [sys.executable, ROOT / "scripts" / "standalone_cluster.py"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 128 + signal.SIGTERM


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory) -> str:
    """An interpreter that has every dependency and not the project.

    A `.pth` file puts the installed packages on its path; `.pth` files in there, by which an editable installation is
    found, are not read.
    """
    folder = tmp_path_factory.mktemp("bare") / "venv"
    venv.create(folder, with_pip=False)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(f"{SPARK_HOME.parent}\n")
    python = str(folder / "bin" / "python")
    check = "import pyspark, importlib.util; print(importlib.util.find_spec('curate'))"
    found = subprocess.run([python, "-c", check], cwd=folder, capture_output=True, text=True, check=True).stdout
    if found.strip() != "None":
        pytest.skip("the project is installed among its dependencies, so nothing could be learnt from the archive")
    return python


def test_the_local_run_meets_every_kind_of_document(local_run):
    """Or else nothing that follows would mean much."""
    funnel = json.loads((local_run / "run.json").read_text())["funnel"]
    assert funnel["read"] == funnel["kept"] + funnel["dropped"] > 80
    tables = [pq.ParquetFile(path).read() for path in (local_run / "dropped").rglob("*.parquet")]
    reasons = {reason for table in tables for reason in table["drop_reason"].to_pylist()}
    assert {"exact_duplicate", "near_duplicate"} <= reasons
    assert any(reason.startswith("error_") for reason in reasons)
    documents = pq.read_table(local_run / "documents")
    assert {"en", "zh"} <= set(documents["language"].to_pylist())
    assert len(digests(local_run)) >= NUM_FILES


def test_executors_in_processes_of_their_own(job, local_run, tmp_path):
    curate(job, tmp_path / "out", "local-cluster[2,1,1024]")
    assert digests(tmp_path / "out") == digests(local_run)


def test_standalone_master_with_two_workers(job, local_run, cluster, tmp_path):
    curate(job, tmp_path / "out", cluster)
    assert digests(tmp_path / "out") == digests(local_run)


def test_spark_submit_of_a_checkout_that_is_not_installed(job, local_run, bare_python, tmp_path):
    spark_submit(job, tmp_path / "out", bare_python, "--master", "local[2]")
    assert digests(tmp_path / "out") == digests(local_run)


def test_spark_submit_with_the_packages_in_an_archive(job, local_run, cluster, bare_python, tmp_path):
    """The script lies alone in a folder and the project is nowhere installed: driver and workers have the archive."""
    subprocess.run([sys.executable, ROOT / "scripts" / "package.py", tmp_path / "curate.zip"], check=True)
    script = tmp_path / "job" / PIPELINE.name
    script.parent.mkdir()
    script.write_bytes(PIPELINE.read_bytes())
    archive = str(tmp_path / "curate.zip")
    spark_submit(
        job, tmp_path / "out", bare_python, "--master", cluster, "--py-files", archive, "--executor-memory", "1g",
        script=script,
    )  # fmt: skip
    assert digests(tmp_path / "out") == digests(local_run)
