"""Fixtures that the whole suite shares: one lazy Spark session, and the real data where it is there."""

from __future__ import annotations

import gzip
import html
import inspect
import os
import uuid
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import settings

# Machines are shared: a slow example is no failure. In continuous integration the same examples come each time, so that
# a change is judged by what it changed; everywhere else new ones are looked for.
settings.register_profile("curate", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("curate")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real pages and texts. It is not part of the project: tests that want it skip where it is absent."""
    folder = Path(os.environ.get("CURATE_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set CURATE_DATA to run this test")
    return folder


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """One local session with two cores and two shuffle partitions, so that partitioning is exercised."""
    from curate.spark.session import local_session

    session = local_session(
        cores=2, memory_gib=2, scratch=str(tmp_path_factory.mktemp("scratch")), shuffle_partitions=2
    )
    yield session
    session.stop()


_CHINESE = (
    "大型语言模型的能力来自它们的训练数据。网页经过正文提取、语言识别、质量过滤和去重之后，才能成为可用的语料。"
    "每一步都要保留证据，说明为什么某个文档被删除。第{n}号文档讲述了数据清洗的第{n}个步骤。"
)
_MODULES = (
    "argparse ast asyncio base64 bisect calendar codecs collections configparser contextlib copy csv dataclasses "
    "datetime decimal difflib email enum fractions functools gettext gzip hashlib heapq html http inspect io "
    "itertools json logging mailbox mimetypes numbers operator optparse os pathlib pickle platform pprint queue "
    "random re sched secrets shelve shutil signal smtplib socket sqlite3 ssl statistics string subprocess tarfile "
    "tempfile textwrap threading timeit tokenize trace traceback types typing unittest urllib uuid warnings wave "
    "weakref zipfile "
).split()


def warc_record(url: str, body: bytes, content_type: str = "text/html; charset=utf-8") -> bytes:
    """One response record as a gzip member."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n\r\n".encode()
    lines = [
        "WARC/1.0",
        "WARC-Type: response",
        f"WARC-Record-ID: <urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, url)}>",
        f"WARC-Target-URI: {url}",
        "WARC-Date: 2026-01-02T03:04:05Z",
        "Content-Type: application/http; msgtype=response",
        f"Content-Length: {len(head) + len(body)}",
    ]
    return gzip.compress("\r\n".join(lines).encode() + b"\r\n\r\n" + head + body + b"\r\n\r\n", mtime=0)


@pytest.fixture(scope="session")
def small_warc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """About a hundred pages: docstrings of the standard library, Chinese, copies, near copies, an address, garbage."""

    def page(title: str, text: str) -> bytes:
        paragraphs = "".join(f"<p>{html.escape(p)}</p>" for p in text.split("\n\n"))
        return f"<html><head><title>{title}</title></head><body><article>{paragraphs}</article></body></html>".encode()

    texts = {name: inspect.cleandoc(import_module(name).__doc__ or name) for name in _MODULES}
    records = [warc_record(f"https://docs.example/{name}", page(name, text)) for name, text in texts.items()]
    long = [name for name in texts if len(texts[name].split()) > 80]
    records += [warc_record(f"https://mirror.example/{name}", page(name, texts[name])) for name in long[:8]]
    records += [
        warc_record(f"https://near.example/{name}", page(name, texts[name] + "\n\nWrite to jane.doe@example.com."))
        for name in long[8:14]
    ]
    records += [warc_record(f"https://zh.example/{n}", page(f"第{n}页", _CHINESE.format(n=n) * 3)) for n in range(8)]
    records += [warc_record("https://bytes.example/", bytes(range(256)) * 40, "application/octet-stream")]
    path = tmp_path_factory.mktemp("warc") / "small.warc.gz"
    path.write_bytes(b"".join(records) + records[0][:200])  # the last record is cut short
    return path
