"""Look before the leap: Java, memory and scratch space, checked before anything starts, each with what to do."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile

import psutil

from curate.errors import EnvironmentProblem

MIN_JAVA = 17  # Spark 4
MIN_MEMORY_GIB = 3.0  # the virtual machine 1, two Python workers with their models 1, the driver 0.5
MIN_SCRATCH_GIB = 2.0  # Spark spills shuffles there

_JAVA_HINTS = {
    "linux": "Debian/Ubuntu: apt-get install openjdk-17-jre-headless   Fedora: dnf install java-17-openjdk-headless",
    "darwin": "macOS: brew install openjdk@17",
    "win32": "Windows: winget install EclipseAdoptium.Temurin.17.JRE",
}


def check_java() -> int:
    """The major version of the Java that Spark would use. EnvironmentProblem where there is none, or an old one."""
    home = os.environ.get("JAVA_HOME")
    java = os.path.join(home, "bin", "java") if home else shutil.which("java")
    found = "no Java was found"
    if java and os.path.exists(java):
        match = re.search(r'version "(\d+)(?:\.(\d+))?', _version_text(java))
        if match:
            major = int(match[2] or 0) if match[1] == "1" else int(match[1])
            if major >= MIN_JAVA:
                return major
            found = f"{java} is Java {major}"
        else:
            found = f"{java} does not answer to -version"
    elif home:
        found = f"JAVA_HOME is {home}, which holds no bin/java"
    hint = _JAVA_HINTS.get(sys.platform, "")
    raise EnvironmentProblem(
        f"Spark needs Java {MIN_JAVA} or newer; {found}. Install it, then try again.\n  {hint}\n"
        "  conda: conda install -c conda-forge openjdk=17\n"
        "  or point JAVA_HOME at an installed one"
    )


def _version_text(java: str) -> str:
    """What `java -version` prints, on whichever stream; empty where it cannot be run or does not end."""
    try:
        result = subprocess.run([java, "-version"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (result.stderr + result.stdout).decode("utf-8", "replace")


def check_memory(min_gib: float = MIN_MEMORY_GIB) -> float:
    """GiB of memory that are free to use, the container's limit counted in."""
    free = available_memory_gib()
    if free < min_gib:
        raise EnvironmentProblem(
            f"{free:.1f} GiB of memory are free and a local run needs {min_gib:g}. "
            "Close other programs, use a larger machine, or give a cluster with --master"
        )
    return free


def available_memory_gib() -> float:
    """Free memory of the machine, or what a control group (container) leaves of it, whichever is less."""
    free = psutil.virtual_memory().available
    for limit_file, used_file in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        try:
            with open(limit_file) as limit, open(used_file) as used:
                free = min(free, int(limit.read()) - int(used.read()))
        except (OSError, ValueError):  # not in a control group, or "max": no limit
            continue
    return float(free) / 2**30


def check_scratch(folder: str | None, min_gib: float = MIN_SCRATCH_GIB) -> str:
    """The folder where Spark may spill: the one given, or the system's temporary folder. It must be writable."""
    folder = folder or os.environ.get("SPARK_LOCAL_DIRS") or tempfile.gettempdir()
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        free = shutil.disk_usage(folder).free / 2**30
    except OSError as error:
        raise EnvironmentProblem(
            f"cannot write to the scratch folder {folder}: {error.strerror}. Give another with --scratch"
        ) from None
    if free < min_gib:
        raise EnvironmentProblem(
            f"{free:.1f} GiB are free in the scratch folder {folder} and a run needs {min_gib:g}. "
            "Make room, or give another with --scratch"
        )
    return folder
