"""The run directory: where everything of a run lies, and the only way that it gets there.

    out/
      recipe.yaml  run.json       the resolved recipe; versions, fingerprints, funnel, timings
      passes/NN-name/wave-…/      parquet, kept rows; manifest.json per wave
      dropped/NN-name/wave-…/     dropped rows with their reason
      dedup/NN-name/              verdicts and evidence of a corpus stage; fitted/: the models that it trained
      documents/source=…/         the curated corpus
      tokenizer/  tokens/  model/
      report.html

A folder is written under a name that starts with `_` and becomes real by one rename, with its manifest inside: it is
there whole or not at all. On object stores, which cannot rename, the manifest is moved last and a folder without one
does not count. Roots are fsspec URLs.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import fsspec
import psutil
from fsspec.implementations.local import LocalFileSystem

from curate.errors import OutputError

MANIFEST = "manifest.json"
FITTED = "fitted"  # folder of models in that of a corpus stage
#: Top-level names that a run owns. Anything else in an output folder is somebody else's.
OWN = frozenset(
    [
        "recipe.yaml",
        "run.json",
        "run.lock",
        "report.html",
        "passes",
        "dropped",
        "dedup",
        "documents",
        "tokenizer",
        "tokens",
        "model",
    ]
)


class RunDir:
    """One output folder. Paths given to its methods are relative to it."""

    def __init__(self, root: str) -> None:
        self.fs, path = fsspec.core.url_to_fs(root)
        self.root: str = path.rstrip("/") or "/"
        self.is_local = isinstance(self.fs, LocalFileSystem)

    def path(self, *parts: str) -> str:
        """An absolute path within the filesystem."""
        return "/".join((self.root, *parts))

    def url(self, *parts: str) -> str:
        """The same with its protocol, as fsspec and Spark take it."""
        path = self.path(*parts)
        return path if self.is_local else self.fs.unstrip_protocol(path)

    def exists(self, *parts: str) -> bool:
        return bool(self.fs.exists(self.path(*parts)))

    def read_json(self, *parts: str) -> Any:
        """A JSON file, or None where there is none or it was cut off while it was written."""
        try:
            with self.fs.open(self.path(*parts), "rb") as file:
                return json.load(file)
        except (FileNotFoundError, json.JSONDecodeError):
            return None

    def write_text(self, text: str, *parts: str) -> None:
        """Write a file so that a reader sees the old one or the new one."""
        self._write(io.BytesIO(text.encode()), *parts)

    def write_file(self, local: Path, *parts: str) -> None:
        """Copy a file of this machine in, in the same way."""
        with local.open("rb") as file:
            self._write(file, *parts)

    def _write(self, content: BinaryIO, *parts: str) -> None:
        path = self.path(*parts)
        folder, name = os.path.split(path)
        temporary = f"{folder}/_{name}.{uuid.uuid4().hex[:8]}"
        self.fs.makedirs(folder, exist_ok=True)
        with self.fs.open(temporary, "wb") as file:
            shutil.copyfileobj(content, file)
        self._move(temporary, path)

    def write_json(self, value: Any, *parts: str) -> None:
        self.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", *parts)

    def remove(self, *parts: str) -> None:
        """Remove a file or folder of ours, if it is there."""
        if self.exists(*parts):
            self.fs.rm(self.path(*parts), recursive=True)

    def names(self, *parts: str) -> list[str]:
        """Names in a folder, sorted; empty where there is no folder."""
        if not self.exists(*parts):
            return []
        return sorted(os.path.basename(str(name).rstrip("/")) for name in self.fs.ls(self.path(*parts), detail=False))

    def staging(self, *parts: str) -> str:
        """A fresh folder beside a target, to be filled and then committed; relative to the root."""
        *folder, name = parts
        staged = "/".join((*folder, f"_{name}.{uuid.uuid4().hex[:8]}"))
        self.fs.makedirs(self.path(staged), exist_ok=True)
        return staged

    def commit(self, staged: str, target: str) -> None:
        """Make a staged folder real. What stood at the target before is replaced."""
        self.remove(target)
        self._move(self.path(staged), self.path(target))

    def sweep(self, *parts: str) -> None:
        """Remove what a killed run or task left half-written in a folder, in folders below it too."""
        for name in self.names(*parts):
            if name.startswith("_"):
                self.remove(*parts, name)
        for path in self.fs.find(self.path(*parts)) if self.exists(*parts) else []:
            if os.path.basename(path).startswith("_"):
                self.fs.rm(path)

    def _move(self, source: str, target: str) -> None:
        if self.is_local:
            os.replace(source, target)
        elif self.fs.isdir(source):
            for path in sorted(self.fs.find(source), key=lambda path: (path.endswith(MANIFEST), path)):
                self.fs.mv(path, target + path[len(source) :])
        else:
            self.fs.mv(source, target)

    def claim(self) -> None:
        """Make sure that the folder can be ours: absent, empty, or an earlier run's. OutputError otherwise."""
        try:
            self.fs.makedirs(self.root, exist_ok=True)
            probe = self.path(f"_{uuid.uuid4().hex}")
            self.fs.touch(probe)
            self.fs.rm(probe)
        except OSError as error:
            raise OutputError(
                f"cannot write to {self.root}: {error.strerror or error}. Choose another --output or change its rights"
            ) from None
        names = [name for name in self.names() if not name.startswith("_")]
        foreign = [name for name in names if name not in OWN]
        if foreign or (set(names) - {"run.lock"} and not self.exists("run.json")):
            found = ", ".join((foreign or names)[:5])
            raise OutputError(
                f"{self.root} is not empty and holds no run of curate (found: {found}). "
                "Choose a new folder, or empty this one"
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for this process. A lock left by a process that is gone is taken over."""
        holder = self.read_json("run.lock")
        if holder and _alive(holder):
            raise OutputError(
                f"another run (process {holder['pid']} on {holder['host']}) writes to {self.root}. "
                "Wait for it, stop it, or choose another --output"
            )
        started = psutil.Process().create_time()  # tells this process from a later one with the same number
        self.write_json({"host": socket.gethostname(), "pid": os.getpid(), "started": started}, "run.lock")
        try:
            yield
        finally:
            self.remove("run.lock")


def _alive(holder: dict[str, Any]) -> bool:
    """Whether the process that wrote a lock still runs. One of another host cannot be seen and counts as gone."""
    if holder.get("host") != socket.gethostname() or holder.get("pid") == os.getpid():
        return False
    try:
        return bool(psutil.Process(holder["pid"]).create_time() == holder["started"])
    except (psutil.Error, KeyError, TypeError):
        return False
