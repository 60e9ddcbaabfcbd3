"""A Spark standalone cluster on this machine: a master and workers on the loopback address, gone when this ends.

    python scripts/standalone_cluster.py                                     prints the master's URL and waits
    python scripts/standalone_cluster.py -- curate run … --master {master}   runs a command on it, then stops it

It is for trying what only a real cluster shows: executors in processes of their own that share nothing with the driver
but the network and the output path. Everything comes from the installed pyspark; ports are free ones that the system
chooses; logs and work folders lie in a temporary folder. It binds to loopback only and asks for no password: it is not
for use by several people or machines.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

import pyspark

HOST = "127.0.0.1"
START_SECONDS = 90.0  # a virtual machine starts in 2 to 5 s; the rest is for a busy machine
STOP_SECONDS = 15.0
DAEMON_MEMORY = "256m"  # of the master and of each worker themselves; executors come on top
_MASTER_URL = re.compile(r"Starting Spark master at (spark://\S+)")
_REGISTERED = re.compile(r"Successfully registered with master (\S+)")


class ClusterError(RuntimeError):
    """A master or worker did not start; the message has the end of its log."""


@contextmanager
def standalone_cluster(num_workers: int = 2, cores: int = 1, memory_mib: int = 1024) -> Iterator[str]:
    """Start a master and workers, give the master's URL (`spark://127.0.0.1:PORT`), stop them on the way out.

    cores, memory_mib: what each worker has to give to executors. ClusterError where one does not come up.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="curate-cluster-")))
        master_log = folder / "master.log"
        master = _start("master.Master", ["--host", HOST, "--port", "0", "--webui-port", "0"], master_log, folder)
        stack.callback(_stop, master)
        url = _await(_MASTER_URL, master, master_log)
        for number in range(num_workers):
            work, log = folder / f"work-{number}", folder / f"worker-{number}.log"
            work.mkdir()
            size = ["--cores", str(cores), "--memory", f"{memory_mib}m"]
            place = ["--host", HOST, "--port", "0", "--webui-port", "0", "--work-dir", str(work)]
            worker = _start("worker.Worker", [*place, *size, url], log, folder)
            stack.callback(_stop, worker)
            _await(_REGISTERED, worker, log)
        yield url


def _start(name: str, arguments: Sequence[str], log: Path, folder: Path) -> subprocess.Popen[bytes]:
    """A Spark daemon in the foreground of a process group of its own, so that Ctrl-C is ours to handle."""
    home = os.path.dirname(os.path.abspath(pyspark.__file__))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "PYSPARK_"))}
    environment |= {
        "SPARK_HOME": home,
        "SPARK_CONF_DIR": str(folder),  # none: another configuration on this machine is not meant for this cluster
        "SPARK_LOCAL_IP": HOST,  # the web pages bind to it too
        "SPARK_LOCAL_DIRS": str(folder),
        "SPARK_DAEMON_MEMORY": DAEMON_MEMORY,
        "SPARK_MASTER_OPTS": "-Dspark.master.rest.enabled=false",  # it takes a fixed port, and nobody needs it here
        "PYSPARK_PYTHON": sys.executable,  # where a driver does not say which interpreter its workers run
    }
    command = [os.path.join(home, "bin", "spark-class"), f"org.apache.spark.deploy.{name}", *arguments]
    with log.open("wb") as file:
        return subprocess.Popen(
            command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
            start_new_session=True,
        )  # fmt: skip


def _await(pattern: re.Pattern[str], process: subprocess.Popen[bytes], log: Path) -> str:
    """What the log says once the daemon is up: its port is its own choice, so it is to be read nowhere else."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        text = log.read_text("utf-8", "replace")
        if match := pattern.search(text):
            return match[1]
        if process.poll() is not None:
            break
        time.sleep(0.1)
    tail = "\n".join(log.read_text("utf-8", "replace").splitlines()[-15:])
    raise ClusterError(f"{log.stem} did not start within {START_SECONDS:.0f} s. The end of its log:\n{tail}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a daemon to end, with what it started; insist after a while."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
            process.wait(STOP_SECONDS)
            return
        except ProcessLookupError:
            process.wait()
            return
        except subprocess.TimeoutExpired:
            continue


def _terminate(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the URL and wait, or run a command with `{master}` in its arguments replaced, and give its exit status."""
    parser = argparse.ArgumentParser(description="A Spark standalone cluster on the loopback address.")
    parser.add_argument("--workers", type=int, default=2, help="number of workers (default: 2)")
    parser.add_argument("--cores", type=int, default=1, help="cores of each (default: 1)")
    parser.add_argument("--memory-mib", type=int, default=1024, help="MiB of each for executors (default: 1024)")
    parser.add_argument("command", nargs="*", help="after `--`: a command; {master} in it becomes the URL")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        with standalone_cluster(options.workers, options.cores, options.memory_mib) as url:
            if options.command:
                command = [part.replace("{master}", url) for part in options.command]
                return subprocess.run(command, check=False).returncode
            print(url, flush=True)
            signal.pause()
    except KeyboardInterrupt:
        return 130
    except ClusterError as error:
        print(f"standalone_cluster: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
