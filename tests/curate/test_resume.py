"""A run that is killed at any moment and started again ends with the documents of an undisturbed run."""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

RECIPE = """
name: resumed
stages:
  - extract: {extractor: resiliparse}
  - language_id
  - exact_dedup
  - near_dedup
  - pii
"""

#: How often a run is killed before it may finish.
KILLS = 5


def start(recipe, source, output):
    """`curate run` with small waves, so that there are many commits to be killed between."""
    command = [sys.executable, "-m", "curate.cli", "run", str(recipe), "-i", str(source), "-o", str(output)]
    log = open(output.with_suffix(".log"), "ab")  # noqa: SIM115  # lives as long as the process
    return subprocess.Popen([*command, "--wave-gib", str(8_000 / 2**30), "--memory", "1"], stdout=log, stderr=log)


def waves(folder: Path) -> int:
    return len(list(folder.glob("passes/*/wave-*/manifest.json")))


def digests(folder: Path) -> dict[str, str]:
    files = sorted(folder.glob("documents/**/*.parquet"))
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.spark
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_at_random_moments_and_resumed_gives_the_same_documents(small_warc, tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE)
    pages = tmp_path / "pages"
    pages.mkdir()
    for number in range(4):  # four files, so that the first pass has several waves
        shutil.copy(small_warc, pages / f"{number}.warc.gz")

    assert start(recipe, pages, tmp_path / "calm").wait(timeout=300) == 0, (tmp_path / "calm.log").read_text()[-3000:]
    expected = digests(tmp_path / "calm")
    assert expected

    moments = random.Random(20261122)
    disturbed = tmp_path / "disturbed"
    progress = []
    for kill in range(KILLS):
        process = start(recipe, pages, disturbed)
        # Each reaches a wave further: by the clock a slow first run, which compiles, would let the others end in peace.
        while process.poll() is None and waves(disturbed) <= kill:
            time.sleep(0.02)
        time.sleep(moments.uniform(0, 0.5))
        progress.append((process.poll(), waves(disturbed)))
        process.kill()  # one that had come to its end does not mind
        process.wait()
    assert any(code is None and waves > 0 for code, waves in progress), progress  # some struck in the middle
    assert start(recipe, pages, disturbed).wait(timeout=300) == 0, (tmp_path / "disturbed.log").read_text()[-3000:]
    assert digests(disturbed) == expected
    left = [path for path in disturbed.rglob("_*") if path.name not in ("_manifest.json", "_SUCCESS")]
    assert not left
