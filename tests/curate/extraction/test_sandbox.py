"""A document that crashes, never ends or swells costs itself alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from curate.errors import EnvironmentProblem
from curate.extraction import sandbox as sandbox_module
from curate.extraction.sandbox import Job, Limits, Sandbox

LIMITS = Limits(cpu_seconds=0.5, wall_seconds=1.5, memory_bytes=1 << 30)


@pytest.fixture(autouse=True)
def _hostile_engine_is_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    box = Sandbox("hostile_engine:act", {"depth": 1}, LIMITS)
    yield box
    box.close()


def jobs(*payloads: bytes) -> list[Job]:
    return [Job(payload, {"n": n}) for n, payload in enumerate(payloads)]


def test_replies_come_in_order_with_request_and_settings(sandbox: Sandbox) -> None:
    outcomes = list(sandbox.run(jobs(*(f"page {n}".encode() for n in range(300)))))
    assert [outcome.reply["text"] for outcome in outcomes] == [f"page {n}" for n in range(300)]
    assert [outcome.reply["echo"]["n"] for outcome in outcomes] == list(range(300))
    assert outcomes[0].reply["settings"] == {"depth": 1}


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        (b"segfault", "crash"),
        (b"loop", "timeout"),
        (b"wait", "timeout"),
        (b"allocate", "out_of_memory"),
        (b"recurse", "too_deep"),
        (b"raise", "LookupError"),
    ],
)
def test_the_fault_is_named_and_the_neighbours_are_unharmed(sandbox: Sandbox, payload: bytes, error: str) -> None:
    before, fault, after = sandbox.run(jobs(b"before", payload, b"after"))
    assert before.reply["text"] == "before"
    assert fault == (None, error)
    assert after.reply["text"] == "after"


def test_only_faults_give_only_reasons(sandbox: Sandbox) -> None:
    assert [outcome.error for outcome in sandbox.run(jobs(b"segfault", b"segfault"))] == ["crash", "crash"]


def test_a_document_that_fails_in_a_used_process_alone_is_tried_in_a_fresh_one(sandbox: Sandbox) -> None:
    outcomes = list(sandbox.run(jobs(b"first", b"segfault in a used process", b"last")))
    assert [outcome.error for outcome in outcomes] == [None, None, None]
    assert outcomes[1].reply["calls"] == 1


def test_a_process_killed_from_outside_between_batches_costs_nothing(sandbox: Sandbox) -> None:
    (first,) = sandbox.run(jobs(b"first"))
    os.kill(first.reply["pid"], signal.SIGKILL)
    (second,) = sandbox.run(jobs(b"second"))
    assert second.reply["text"] == "second"


def test_large_documents_and_large_replies_do_not_block_each_other(sandbox: Sandbox) -> None:
    pages = [bytes([65 + n]) * (5 << 20) for n in range(6)]
    assert [outcome.reply["text"] for outcome in sandbox.run(jobs(*pages))] == [page.decode() for page in pages]


def test_what_an_engine_prints_does_not_reach_the_replies(sandbox: Sandbox) -> None:
    assert [outcome.error for outcome in sandbox.run(jobs(b"print", b"after"))] == [None, None]


def test_a_reader_that_stops_early_does_not_disturb_the_next(sandbox: Sandbox) -> None:
    assert next(iter(sandbox.run(jobs(b"one", b"two", b"three")))).reply["text"] == "one"
    assert [outcome.reply["text"] for outcome in sandbox.run(jobs(b"four"))] == ["four"]


def test_a_process_serves_many_batches_and_then_makes_room(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_module, "DOCUMENTS_PER_CHILD", 2)
    pids = [next(iter(sandbox.run(jobs(b"page")))).reply["pid"] for _ in range(3)]
    assert pids[0] == pids[1] != pids[2]
    assert not psutil.pid_exists(pids[0])


def test_no_documents_start_no_process() -> None:
    box = Sandbox("no.such.module:function", {}, LIMITS)
    assert list(box.run([])) == []


def test_a_target_that_is_not_there_is_an_error_for_the_person() -> None:
    with pytest.raises(EnvironmentProblem, match=r"no\.such\.module.*ModuleNotFoundError"):
        list(Sandbox("no.such.module:function", {}, LIMITS).run(jobs(b"page")))


def test_the_child_ends_with_its_parent() -> None:
    script = """
        import os, sys
        sys.path.insert(0, {folder!r})
        from curate.extraction.sandbox import Job, Limits, Sandbox
        box = Sandbox("hostile_engine:act", {{}}, Limits(60, 60, 1 << 30))
        (outcome,) = box.run([Job(b"page", {{}})])
        print(outcome.reply["pid"], flush=True)
        os.kill(os.getpid(), 9)
    """
    code = textwrap.dedent(script.format(folder=str(Path(__file__).parent)))
    parent = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=False, env=_with_path())
    pid = int(parent.stdout)
    if psutil.pid_exists(pid):
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE:  # nobody may reap it in a container without an init process
            with_timeout = psutil.wait_procs([process], timeout=10)
            assert with_timeout[0] or process.status() == psutil.STATUS_ZOMBIE


def test_a_forked_process_starts_a_child_of_its_own(sandbox: Sandbox) -> None:
    (ours,) = sandbox.run(jobs(b"parent"))
    reader, writer = os.pipe()
    forked = os.fork()
    if forked == 0:  # as Spark's daemon forks its workers
        try:
            (theirs,) = sandbox.run(jobs(b"fork"))
            os.write(writer, str(theirs.reply["pid"]).encode())
            sandbox.close()
        finally:
            os._exit(0)
    os.waitpid(forked, 0)
    assert int(os.read(reader, 100)) != ours.reply["pid"]
    (again,) = sandbox.run(jobs(b"parent again"))
    assert again.reply["pid"] == ours.reply["pid"]


def _with_path() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
