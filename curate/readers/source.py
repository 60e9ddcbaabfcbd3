"""Where documents come from: a `Source` of a recipe, and the files that it names.

Paths are fsspec URLs (local, `s3://`, `https://`, …): files, folders, globs, and lists of paths such as Common Crawl's
`warc.paths.gz`. Only what the user names is opened: a path inside a document or a nested list is never followed.
"""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any, Literal, NamedTuple

import fsspec
from pydantic import BaseModel, ConfigDict, Field

from curate.errors import InputError

LIST_SUFFIXES = (".paths", ".paths.gz")
TEXT_LIST_SUFFIXES = (".txt", ".txt.gz")  # lists too where the source's format says that they cannot be documents
_MARKERS = ("ETag", "etag", "checksum", "md5Hash", "mtime", "LastModified", "last_modified", "updated")
_MAX_LIST_BYTES = 256 * 2**20


class Source(BaseModel):
    """A named set of files and how to read them. Frozen; an unknown setting is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")  # it names folders too
    paths: tuple[str, ...] = Field(min_length=1)
    format: Literal["auto", "warc", "wet", "parquet", "jsonl", "text", "html"] = "auto"
    path_prefix: str = ""  # goes before relative lines of a path list; empty: the list's own folder

    # Tables (parquet, jsonl). A column that keeps its default name may be absent, the text excepted.
    text_column: str = "text"
    html_column: str | None = None  # raw HTML instead of text: fills `payload`
    url_column: str = "url"
    date_column: str = "date"
    language_column: str = "language"
    meta_columns: tuple[str, ...] | None = None  # None: every other column of scalars; (): none

    dump: str | None = None  # None: read off the path where it says `CC-MAIN-2024-10`

    # What of a web crawl counts as a document. Prefixes of the media type; the exceptions are code, not prose.
    content_types: tuple[str, ...] = ("text/", "application/xhtml", "application/xml")
    not_content_types: tuple[str, ...] = ("text/css", "text/javascript", "text/calendar", "text/csv")
    # Our choice: Common Crawl cuts pages at 1 MiB (5 MiB since 2025) and a long novel has 4 MB. One such document
    # must fit in a worker's memory several times over.
    max_document_bytes: int = Field(default=32 * 2**20, ge=1, le=1 << 30)


class InputFile(NamedTuple):
    """A file of a source. `size` is in bytes, None where the server does not say."""

    path: str
    size: int | None
    checksum: str  # a cheap mark that changes when the file does: size and ETag or time of change, not a digest


def list_files(source: Source) -> list[InputFile]:
    """The files of a source, sorted by path, each once.

    Hidden files and those whose name starts with `_` (`_SUCCESS`, `_temporary`) are left out of folders and globs.
    InputError where a path leads to nothing, with what was looked for.
    """
    found: dict[str, InputFile] = {}
    for path in source.paths:
        entries = _listed(path, source) if _is_list(path, source) else [path]
        with ThreadPoolExecutor(16) as pool:  # the cost is the round trip to the store, once per path
            for files in pool.map(_expand, entries):
                found.update((file.path, file) for file in files)
    if not found:
        raise InputError(f"source {source.name!r}: {', '.join(source.paths)} holds no file to read")
    return [found[path] for path in sorted(found)]


def filesystem(path: str) -> tuple[Any, str]:
    """The fsspec file system of a path, and the path within it. InputError where its package is missing."""
    try:
        fs, inner = fsspec.core.url_to_fs(path)
    except ImportError as error:
        raise InputError(f"cannot open {path}: {error}. Install it with: pip install 'curate[cloud]'") from error
    except ValueError as error:
        raise InputError(f"cannot open {path}: {error}") from error
    return fs, inner


def _is_list(path: str, source: Source) -> bool:
    if path.lower().endswith(LIST_SUFFIXES):
        return True
    return source.format not in ("auto", "text", "html") and path.lower().endswith(TEXT_LIST_SUFFIXES)


def _listed(path: str, source: Source) -> list[str]:
    """The paths in a list, one a line; blank lines and comments (`#`) are skipped."""
    fs, inner = filesystem(path)
    try:
        with fs.open(inner, "rb") as file:
            data = file.read(_MAX_LIST_BYTES)
        text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8")
    except _store_errors(EOFError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the path list {path} of source {source.name!r}: {error}") from error
    prefix = source.path_prefix or path.rpartition("/")[0]
    lines = [line.strip() for line in text.splitlines()]
    return [_joined(prefix, line) for line in lines if line and not line.startswith("#")]


def _joined(prefix: str, line: str) -> str:
    if "://" in line or line.startswith("/") or not prefix:
        return line
    return prefix.rstrip("/") + "/" + line


def _expand(path: str) -> list[InputFile]:
    """The files behind one path: itself, all below a folder, or the matches of a glob."""
    fs, inner = filesystem(path)
    try:
        infos = list(_infos(fs, inner, path))
    except _store_errors(ValueError) as error:
        raise InputError(f"cannot read {path}: {_cause(error)}") from error
    return [InputFile(_full_path(fs, info["name"]), info.get("size"), _checksum(info)) for info in infos]


def _infos(fs: Any, inner: str, path: str) -> Iterator[Mapping[str, Any]]:
    web = path.startswith(("http://", "https://"))  # there `?` starts a query, and nothing can be listed
    if not web and any(char in inner for char in "*?[") and not fs.exists(inner):
        matches = fs.glob(inner, detail=True)
        named = set(inner.split("/"))
        visible = [info for name, info in matches.items() if not any(map(_hidden, set(name.split("/")) - named))]
        if not visible:
            raise InputError(f"no file matches {path}")
    else:
        visible = [fs.info(inner)]
    for info in visible:
        yield from _below(fs, info) if info["type"] == "directory" else (info,)


def _below(fs: Any, folder: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """Every visible file below a folder, at any depth."""
    root = folder["name"].rstrip("/")
    for name, info in fs.find(root, detail=True).items():
        parts = name[len(root) :].strip("/").split("/")
        if not any(_hidden(part) for part in parts):
            yield info


def _hidden(name: str) -> bool:
    return name.startswith((".", "_"))


def _full_path(fs: Any, name: str) -> str:
    local = "file" in fs.protocol if isinstance(fs.protocol, tuple) else fs.protocol == "file"
    return name if local else str(fs.unstrip_protocol(name))


def _checksum(info: Mapping[str, Any]) -> str:
    mark = next((info[key] for key in _MARKERS if info.get(key) is not None), "")
    return f"{info.get('size')}-{mark}".replace('"', "")


def _store_errors(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """What a file system raises when it cannot be read. Clients of object stores have roots of their own."""
    found: list[type[Exception]] = [OSError, *others]
    for module, name in (("botocore.exceptions", "BotoCoreError"), ("aiohttp", "ClientError")):
        if module.partition(".")[0] in sys.modules:  # its client raised it, so it is loaded
            found.append(getattr(import_module(module), name))
    return tuple(found)


def _cause(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file or folder"
    return f"{type(error).__name__}: {error}"
