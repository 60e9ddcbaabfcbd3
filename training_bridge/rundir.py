"""The folder of a training run: what lies where, whose it is, and its metrics.

run.json        the settings that decide the weights, and the digest of the tokens
metrics.jsonl   one record a line: kind "train" or "val"
checkpoints/    step-*/, the newest one
model/          the last weights, without the optimizer
summary.json    once training has stopped
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from curate.errors import OutputError

FORMAT = "curate-compact-run"


class RunDir:
    """A run's folder, opened for one identity. OutputError where it belongs to another run or is not ours."""

    def __init__(self, folder: Path, identity: dict[str, Any], *, resume: bool) -> None:
        self.folder = folder
        self.checkpoints = folder / "checkpoints"
        self.model = folder / "model"
        self.metrics = folder / "metrics.jsonl"
        self.summary = folder / "summary.json"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            found = self._identity()
            if found is not None and not resume:
                self._clear()
            elif found is not None and found != identity:
                raise OutputError(_difference(folder, found, identity))
            self.checkpoints.mkdir(exist_ok=True)
            write_json(folder / "run.json", {"format": FORMAT, **identity})
        except OSError as error:
            raise OutputError(f"{folder} cannot be used: {error}") from error

    def append(self, record: dict[str, Any]) -> None:
        """Add a record to the metrics."""
        with self.metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def forget_after(self, step: int) -> None:
        """Drop the metrics after a step, which will be measured again, and a last line that was cut short."""
        text = self.metrics.read_text(encoding="utf-8") if self.metrics.exists() else ""
        whole = [line for line in text.splitlines(keepends=True) if line.endswith("\n")]
        _write(self.metrics, "".join(line for line in whole if json.loads(line)["step"] <= step))

    def finished(self) -> dict[str, Any] | None:
        """The summary of a run that has done all its steps; null where there is none."""
        try:
            summary: dict[str, Any] = json.loads(self.summary.read_bytes())
        except (OSError, ValueError):
            return None
        return summary if summary.get("finished") else None

    def _identity(self) -> dict[str, Any] | None:
        if not any(self.folder.iterdir()):
            return None
        try:
            found: dict[str, Any] = json.loads((self.folder / "run.json").read_bytes())
        except (OSError, ValueError):
            found = {}
        if found.pop("format", None) != FORMAT:
            raise OutputError(f"{self.folder} holds something that is not a training run. Name an empty or new folder.")
        return found

    def _clear(self) -> None:
        for path in (self.checkpoints, self.model):
            shutil.rmtree(path, ignore_errors=True)
        for path in (self.metrics, self.summary):
            path.unlink(missing_ok=True)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write JSON beside its place and rename it there."""
    _write(path, json.dumps(content, indent=1) + "\n")


def _write(path: Path, text: str) -> None:
    new = path.with_name(f".new-{path.name}")
    new.write_text(text, encoding="utf-8")
    os.replace(new, path)


def _difference(folder: Path, found: dict[str, Any], wanted: dict[str, Any]) -> str:
    differing = [
        f"{key}: {found.get(key)!r} there, {wanted.get(key)!r} wanted"
        for key in sorted({*found, *wanted})
        if found.get(key) != wanted.get(key)
    ]
    return f"{folder} holds another run ({'; '.join(differing)}). Name another folder, or train with resume=False."
