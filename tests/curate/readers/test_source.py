"""Which files a source names, and how they are cut."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from pydantic import ValidationError

from curate.errors import InputError
from curate.readers.formats import compression_of, format_of_bytes, format_of_name
from curate.readers.read import read
from curate.readers.source import InputFile, Source, list_files
from curate.readers.splits import Split, plan_splits


def names(root: Path, *paths: str, **settings: object) -> list[str]:
    source = Source(name="s", paths=tuple(str(root / path) for path in paths), **settings)
    return [os.path.relpath(file.path, root) for file in list_files(source)]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b.jsonl", "a.warc.gz", "deep/er/c.jsonl", "_SUCCESS", ".hidden.jsonl", "_temporary/x.jsonl"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")
    return tmp_path


def test_a_folder_is_read_at_any_depth_without_hidden_files(tree: Path):
    assert names(tree, ".") == ["a.warc.gz", "b.jsonl", "deep/er/c.jsonl"]


def test_globs_and_repeated_paths_give_each_file_once_sorted(tree: Path):
    assert names(tree, "b.jsonl", "*.jsonl", "b.jsonl", "**/*.jsonl") == ["b.jsonl", "deep/er/c.jsonl"]


def test_a_file_named_outright_is_taken_even_if_hidden(tree: Path):
    assert names(tree, ".hidden.jsonl") == [".hidden.jsonl"]


def test_a_name_with_glob_characters_is_a_file_where_one_exists(tree: Path):
    (tree / "a[1].jsonl").write_text("{}")
    assert names(tree, "a[1].jsonl") == ["a[1].jsonl"]


def test_a_list_of_paths_is_relative_to_its_folder_or_to_the_prefix(tree: Path):
    (tree / "list.paths").write_text(f"b.jsonl\n\n# a comment\n{tree}/a.warc.gz\n")
    assert names(tree, "list.paths") == ["a.warc.gz", "b.jsonl"]
    (tree / "warc.paths.gz").write_bytes(gzip.compress(b"er/c.jsonl\n"))
    assert names(tree, "warc.paths.gz", path_prefix=f"{tree}/deep/") == ["deep/er/c.jsonl"]


def test_a_text_file_is_a_list_only_where_it_cannot_be_a_document(tree: Path):
    (tree / "l.txt").write_text("b.jsonl\n")
    assert names(tree, "l.txt") == ["l.txt"]
    assert names(tree, "l.txt", format="jsonl") == ["b.jsonl"]


@pytest.mark.parametrize(
    ("path", "message"),
    [("nothing.jsonl", "no such file"), ("*.parquet", "no file matches"), ("nothing.paths", "path list"),
     ("empty", "holds no file")],
)  # fmt: skip
def test_what_is_not_there_is_an_error_that_names_it(path: str, message: str, tree: Path):
    (tree / "empty").mkdir()
    with pytest.raises(InputError, match=message) as caught:
        names(tree, path)
    assert path in str(caught.value)


def test_an_unknown_protocol_is_an_input_error():
    with pytest.raises(InputError, match="nosuch"):
        list_files(Source(name="s", paths=("nosuch://x",)))


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    def missing(path: str) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("fsspec.core.url_to_fs", missing)
    with pytest.raises(InputError, match=r"pip install 'curate\[cloud\]'"):
        list_files(Source(name="s", paths=("s3://bucket/x",)))


def test_memory_urls_keep_their_protocol():
    import fsspec

    with fsspec.open("memory://box/a.jsonl", "wb") as file:
        file.write(b"{}")
    (found,) = list_files(Source(name="s", paths=("memory://box",)))
    assert found.path == "memory:///box/a.jsonl"
    assert found.size == 2


def test_the_checksum_changes_with_the_file(tree: Path):
    source = Source(name="s", paths=(str(tree / "b.jsonl"),))
    before = list_files(source)
    assert list_files(source) == before
    os.utime(tree / "b.jsonl", (1, 1))
    assert list_files(source)[0].checksum != before[0].checksum


def test_a_source_refuses_unknown_settings_and_is_frozen():
    with pytest.raises(ValidationError):
        Source(name="s", paths=("x",), txt_column="y")
    with pytest.raises(ValidationError):
        Source(name="s", paths=())
    with pytest.raises(ValidationError):
        Source(name="s", paths=("x",)).name = "t"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("x.warc.gz", "warc"), ("x.warc.wet.gz", "warc"), ("X.JSONL.ZST", "jsonl"), ("a.b/x", None),
     ("x.parquet", "parquet"), ("https://h/x.jsonl?q=1", "jsonl"), ("x.gz", None), ("warc", None)],
)  # fmt: skip
def test_formats_by_name(name: str, kind: str | None):
    assert format_of_name(name) == kind


def zipped(data: bytes) -> bytes:
    """As a parameter of a test, whose name must not depend on the clock."""
    return gzip.compress(data, mtime=0)


@pytest.mark.parametrize(
    ("head", "kind"),
    [(b"PAR1", "parquet"), (b"WARC/1.0\r\n", "warc"), (zipped(b"WARC/1.1"), "warc"), (b' {"a":1}', "jsonl"),
     (b"<!DOCTYPE html>", "html"), (b"filedesc://", "unknown"), (b"", "unknown"),
     (zipped(b"{" * 99)[:20], "jsonl"), (b"\x1f\x8b\x08\xff", "unknown")],
)  # fmt: skip
def test_formats_by_first_bytes(head: bytes, kind: str):
    assert format_of_bytes(head) == kind


def test_compression_by_first_bytes():
    assert compression_of(b"\x28\xb5\x2f\xfd") == "zstd"
    assert compression_of(b"\x5d\x2a\x4d\x18\0\0\0\0") == "zstd"
    assert compression_of(b"WARC/1.0") == "none"


def test_splits_tile_a_divisible_file_and_leave_others_whole():
    source = Source(name="s", paths=("x",))
    files = [InputFile("a.warc.gz", 10, ""), InputFile("b.jsonl.gz", 10, ""), InputFile("c.jsonl", 8, "")]
    splits = plan_splits(files, source, 4)
    assert [(s.path, s.start, s.end) for s in splits] == [
        ("a.warc.gz", 0, 4), ("a.warc.gz", 4, 8), ("a.warc.gz", 8, None), ("b.jsonl.gz", 0, None),
        ("c.jsonl", 0, 4), ("c.jsonl", 4, None),
    ]  # fmt: skip
    assert [s.index for s in splits] == list(range(6))
    assert Split.model_validate_json(splits[1].model_dump_json()) == splits[1]
    with pytest.raises(InputError):
        plan_splits(files, source, 0)


@pytest.fixture
def web_folder(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and the address under which a plain web server (one without byte ranges) serves it."""
    handler = partial(QuietHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield tmp_path, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def test_files_are_read_over_http_from_a_list_with_a_prefix(web_folder: tuple[Path, str]):
    pytest.importorskip("aiohttp")
    folder, address = web_folder
    (folder / "a.jsonl").write_text('{"text": "one"}\n{"text": "two"}\n')
    (folder / "all.paths").write_text("a.jsonl\n")
    source = Source(name="s", paths=(f"{address}/all.paths",))
    (file,) = list_files(source)
    assert file.path == f"{address}/a.jsonl"
    texts = [t for split in plan_splits([file], source, 10) for b in read(split, source) for t in b["text"].to_pylist()]
    assert texts == ["one", "two"]
    with pytest.raises(InputError, match="no such file"):
        list_files(Source(name="s", paths=(f"{address}/missing.jsonl",)))


def test_an_object_store_that_lets_nobody_in_is_one_message(monkeypatch):
    pytest.importorskip("s3fs")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(InputError, match=r"cannot read s3://bucket/a\.warc\.gz: NoCredentialsError"):
        list_files(Source(name="web", paths=("s3://bucket/a.warc.gz",)))
