"""What a machine lacks is said before anything starts, with what to do about it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile

import pytest

from curate.errors import EnvironmentProblem
from curate.spark import preflight
from curate.spark.preflight import check_java, check_memory, check_scratch


def java_that_prints(folder, text: str, *, status: int = 0, stream: str = "2") -> None:
    """A `java` in `folder`/bin whose answer to anything is `text`."""
    (folder / "bin").mkdir(parents=True)
    script = folder / "bin" / "java"
    script.write_text(f"#!/bin/sh\nprintf '%s\\n' {shlex.quote(text)} >&{stream}\nexit {status}\n")
    script.chmod(0o755)


@pytest.fixture
def no_java(monkeypatch, tmp_path):
    """A machine without Java."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))


OPENJDK = 'openjdk version "{}" 2025-04-15\nOpenJDK Runtime Environment (build x)'


@pytest.mark.parametrize(
    ("printed", "major"),
    [
        (OPENJDK.format("17"), 17),  # the bound
        (OPENJDK.format("17.0.15"), 17),
        (OPENJDK.format("21.0.2"), 21),
        (OPENJDK.format("24-ea"), 24),
        ("Picked up JAVA_TOOL_OPTIONS: -Xmx1g\n" + OPENJDK.format("17.0.15"), 17),
    ],
)
def test_java_that_spark_can_use(printed, major, no_java, monkeypatch, tmp_path):
    java_that_prints(tmp_path / "jdk", printed)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))
    assert check_java() == major


@pytest.mark.parametrize("stream", ["1", "2"])
def test_java_is_found_on_the_path_and_its_answer_on_either_stream(stream, no_java, monkeypatch, tmp_path):
    java_that_prints(tmp_path / "jdk", OPENJDK.format("17.0.15"), stream=stream)
    monkeypatch.setenv("PATH", str(tmp_path / "jdk" / "bin"))
    assert check_java() == 17


@pytest.mark.parametrize(("version", "major"), [("1.8.0_412", "8"), ("11.0.23", "11"), ("16.0.2", "16"), ("9-ea", "9")])
def test_java_that_is_too_old_is_named(version, major, no_java, monkeypatch, tmp_path):
    java_that_prints(tmp_path / "jdk", f'java version "{version}"')
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))
    with pytest.raises(EnvironmentProblem, match=rf"(?s)17 or newer; .*jdk/bin/java is Java {major}\..*Install it"):
        check_java()


def test_no_java_at_all(no_java):
    with pytest.raises(EnvironmentProblem, match=r"(?s)no Java was found.*Install it.*JAVA_HOME"):
        check_java()


def test_java_home_decides_even_when_there_is_a_java_on_the_path(no_java, monkeypatch, tmp_path):
    """As in Spark's own launcher: a wrong JAVA_HOME is not passed over."""
    java_that_prints(tmp_path / "jdk", OPENJDK.format("17.0.15"))
    monkeypatch.setenv("PATH", str(tmp_path / "jdk" / "bin"))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(EnvironmentProblem, match=r"JAVA_HOME is .*elsewhere, which holds no bin/java"):
        check_java()


def test_java_that_prints_no_version(no_java, monkeypatch, tmp_path):
    """macOS has such a one: it only says where to get Java."""
    java_that_prints(tmp_path / "jdk", "Unable to locate a Java Runtime.", status=1)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))
    with pytest.raises(EnvironmentProblem, match=r"(?s)does not answer to -version.*Install it"):
        check_java()


@pytest.mark.parametrize("broken", ["no program", "a folder"])
def test_java_that_cannot_be_started(broken, no_java, monkeypatch, tmp_path):
    java = tmp_path / "jdk" / "bin" / "java"
    java.parent.mkdir(parents=True)
    if broken == "a folder":
        java.mkdir()
    else:
        java.write_bytes(b"\x00\x01")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))
    with pytest.raises(EnvironmentProblem, match="does not answer to -version"):
        check_java()


def test_memory_on_both_sides_of_the_bound(monkeypatch):
    monkeypatch.setattr(preflight, "available_memory_gib", lambda: 3.0)
    assert check_memory(3.0) == 3.0
    assert check_memory(2.9) == 3.0
    with pytest.raises(EnvironmentProblem, match=r"3\.0 GiB .* free and a local run needs 3\.1\. .*--master"):
        check_memory(3.1)


def test_the_free_memory_of_this_machine_is_a_figure_in_gib():
    assert 0.01 < preflight.available_memory_gib() < 1e5
    with pytest.raises(EnvironmentProblem, match="GiB of memory are free"):
        check_memory(1e6)


def test_a_scratch_folder_is_made_and_given_back(tmp_path):
    folder = tmp_path / "a" / "b"
    assert check_scratch(str(folder), min_gib=0) == str(folder)
    assert list(folder.iterdir()) == []


def test_the_scratch_folder_is_what_spark_would_take(monkeypatch, tmp_path):
    monkeypatch.setenv("SPARK_LOCAL_DIRS", str(tmp_path))
    assert check_scratch(None, min_gib=0) == str(tmp_path)
    monkeypatch.delenv("SPARK_LOCAL_DIRS")
    assert check_scratch(None, min_gib=0) == tempfile.gettempdir()


@pytest.mark.parametrize("below", ["", "/inside"])
def test_a_file_where_the_scratch_folder_should_be(below, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentProblem, match=r"cannot write to the scratch folder .*file.*--scratch"):
        check_scratch(f"{tmp_path}/file{below}")


def test_too_little_room_in_the_scratch_folder(tmp_path):
    with pytest.raises(EnvironmentProblem, match=r"GiB are free in the scratch folder .* needs 1e\+06\. .*--scratch"):
        check_scratch(str(tmp_path), min_gib=1e6)


def curate(arguments, tmp_path, **environment):
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "curate.cli", *arguments],
        env={**{k: v for k, v in os.environ.items() if k != "JAVA_HOME"}, **environment},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def run_arguments(tmp_path):
    """A run that would work."""
    (tmp_path / "page.txt").write_text("Some words.")
    (tmp_path / "recipe.yaml").write_text("stages: [pii]")
    return ["run", "recipe.yaml", "--input", "page.txt", "--output", "out"]


@pytest.mark.parametrize("master", [[], ["--master", "local[1]"], ["--master", "spark://127.0.0.1:1"]])
def test_a_run_without_java_is_one_message_and_leaves_nothing(master, run_arguments, tmp_path):
    done = curate([*run_arguments, *master], tmp_path, PATH=str(tmp_path / "nothing"))
    assert done.returncode == 2
    assert done.stderr.startswith("curate: Spark needs Java 17 or newer; no Java was found. Install it")
    assert "Traceback" not in done.stderr + done.stdout
    assert not (tmp_path / "out").exists()


def test_a_run_with_a_file_for_scratch_folder_leaves_nothing(run_arguments, tmp_path):
    java_that_prints(tmp_path / "jdk", OPENJDK.format("17.0.15"))
    arguments = [*run_arguments, "--scratch", "page.txt"]
    done = curate(arguments, tmp_path, JAVA_HOME=str(tmp_path / "jdk"))
    assert done.returncode == 2
    assert done.stderr.startswith("curate: cannot write to the scratch folder page.txt")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
