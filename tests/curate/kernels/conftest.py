"""Real texts that kernels are tried on."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType


@pytest.fixture(scope="session")
def real_texts(shared_data):
    """Real texts: news and manuals, and documents of the sentences of twelve languages, three to a line."""
    texts = []
    for name in ("news_en", "manuals_en", "zh"):
        column = pq.read_table(shared_data / "text" / f"{name}.parquet", columns=["text"])["text"]
        texts += [text[:20_000] for text in column.slice(0, 40).to_pylist()]
    rows = pq.read_table(shared_data / "lid" / "sentences.parquet").to_pylist()
    for language in ("ar", "de", "el", "fr", "he", "hi", "ja", "ko", "pl", "ru", "th", "tr", "vi"):
        sentences = [row["text"] for row in rows if row["language"] == language][:90]
        lines = [" ".join(sentences[i : i + 3]) for i in range(0, len(sentences), 3)]
        texts.append("\n".join([*lines[:20], "", *lines[10:]]))
    return texts


@pytest.fixture(scope="session")
def bounds_checked(tmp_path_factory):
    """Runs a program whose kernels check every index. Numba decides about that when it compiles, so in its own process.

    What the program prints comes back; where it fails, so does the test. All such programs share what is compiled.
    """
    environment = {
        **os.environ,
        "NUMBA_BOUNDSCHECK": "1",
        "NUMBA_CACHE_DIR": str(tmp_path_factory.mktemp("checked")),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }

    def run(program: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    return run


@pytest.fixture(scope="session")
def real_pages(shared_data):
    """The first hundred pages of a crawl that are UTF-8."""
    pages = []
    with (shared_data / "web" / "wcxb_dev.warc.gz").open("rb") as stream:
        for record in ArchiveIterator(stream, record_types=WarcRecordType.response):
            with contextlib.suppress(UnicodeDecodeError):
                pages.append(record.reader.read().decode())
            if len(pages) == 100:
                return pages
    return pages
