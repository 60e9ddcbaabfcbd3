"""The run directory: folders appear whole, foreign ones are left alone, one run writes at a time."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import psutil
import pytest

from curate.errors import OutputError
from curate.rundir import RunDir


def test_a_staged_folder_appears_at_its_target_by_commit_only(tmp_path):
    run = RunDir(str(tmp_path))
    staged = run.staging("passes", "01-read", "wave-00000")
    run.write_text("x", staged, "part.txt")
    assert not run.exists("passes", "01-read", "wave-00000")
    run.commit(staged, "passes/01-read/wave-00000")
    assert (tmp_path / "passes/01-read/wave-00000/part.txt").read_text() == "x"
    assert run.names("passes", "01-read") == ["wave-00000"]


def test_a_commit_replaces_what_stood_there(tmp_path):
    run = RunDir(str(tmp_path))
    for text in ("old", "new"):
        staged = run.staging("documents")
        run.write_text(text, staged, text)
        run.commit(staged, "documents")
    assert run.names("documents") == ["new"]


def test_sweeping_removes_what_was_half_written_and_nothing_else(tmp_path):
    run = RunDir(str(tmp_path))
    run.staging("passes", "wave-00000")
    (tmp_path / "passes/wave-00001").mkdir()
    run.sweep("passes")
    assert run.names("passes") == ["wave-00001"]


def test_a_file_cut_off_while_written_counts_as_absent(tmp_path):
    (tmp_path / "run.json").write_text('{"a": ')
    assert RunDir(str(tmp_path)).read_json("run.json") is None
    assert RunDir(str(tmp_path)).read_json("none.json") is None


@pytest.mark.parametrize("names", [[], ["run.lock"], ["_run.json.12ab34cd"], ["run.json", "documents", "report.html"]])
def test_new_empty_and_own_folders_can_be_claimed(tmp_path, names):
    for name in names:
        (tmp_path / name).write_text("{}")
    RunDir(str(tmp_path)).claim()
    assert sorted(os.listdir(tmp_path)) == sorted(names)


@pytest.mark.parametrize("names", [["thesis.tex"], ["documents"], ["run.json", "thesis.tex"]])
def test_foreign_folders_are_refused_and_left_as_they_are(tmp_path, names):
    for name in names:
        (tmp_path / name).write_text("{}")
    with pytest.raises(OutputError, match="is not empty and holds no run of curate"):
        RunDir(str(tmp_path)).claim()
    assert sorted(os.listdir(tmp_path)) == sorted(names)


def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write to"):
        RunDir(str(tmp_path / "file" / "out")).claim()


def test_a_living_process_holds_its_folder(tmp_path):
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        started = psutil.Process(other.pid).create_time()
        lock = {"host": socket.gethostname(), "pid": other.pid, "started": started}
        (tmp_path / "run.lock").write_text(json.dumps(lock))
        with pytest.raises(OutputError, match="another run"), RunDir(str(tmp_path)).locked():
            pass
    finally:
        other.kill()
        other.wait()
    with RunDir(str(tmp_path)).locked():  # its lock does not outlive it
        assert (tmp_path / "run.lock").exists()
    assert not (tmp_path / "run.lock").exists()


def test_a_later_process_with_the_same_number_does_not_hold_it(tmp_path):
    lock = {"host": socket.gethostname(), "pid": os.getppid(), "started": 1.0}
    (tmp_path / "run.lock").write_text(json.dumps(lock))
    with RunDir(str(tmp_path)).locked():
        pass


def test_an_object_store_gets_the_manifest_last():
    run = RunDir("memory://bucket/run")
    run.fs.rm("/bucket", recursive=True) if run.fs.exists("/bucket") else None
    staged = run.staging("passes", "wave-00000")
    run.write_text("{}", staged, "manifest.json")
    run.write_text("x", staged, "part-00000.parquet")
    moved = []
    move = run.fs.mv
    run.fs.mv = lambda source, target, **kw: (moved.append(os.path.basename(target)), move(source, target, **kw))
    try:
        run.commit(staged, "passes/wave-00000")
    finally:
        del run.fs.mv
    assert moved == ["part-00000.parquet", "manifest.json"]
    assert run.read_json("passes", "wave-00000", "manifest.json") == {}
